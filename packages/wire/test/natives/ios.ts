import { areHeaders, isIntegerOrAbsent, isObject, isText, parser, UUID } from './rules.ts';

/**
 * iOS SDK 3 and 4: ids that are no text are lost, headers are decoded strictly, and its `voice_sdk_id` is what the last gateway result,
 * INVITE or attach said.
 */
export const parseForIos = parser('iOS', (frame, demand) => {
  const { method, params, result, error } = frame;
  if (error !== undefined) demand(isText(error['message']), 'an error has a message');
  if (result !== undefined) {
    demand(isText(result['sessid']), 'a result has sessid: the session is what it says');
    const state = result['params'];
    if (state !== undefined)
      demand(isObject(state) && isText(state['state']), 'params of a result name a state');
    if (result['action'] === 'updateMedia')
      demand(UUID.test(String(result['callID'])) && isText(result['sdp']), 'updateMedia has callID and sdp');
    return;
  }
  if (method === undefined || error !== undefined || method === 'clientReady' || method === 'ping') return;
  demand(UUID.test(String(params['callID'])), 'callID is a UUID');
  if (method === 'invite' || method === 'attach') {
    demand(isText(params['sdp']), 'an offer has sdp');
    for (const name of ['telnyx_session_id', 'telnyx_leg_id'])
      demand(isText(params[name]) && params[name] !== '', `${name} is there`);
  }
  if (params['dialogParams'] !== undefined && method !== 'bye')
    demand(
      isObject(params['dialogParams']) && areHeaders(params['dialogParams']['custom_headers']),
      'dialogParams has custom_headers',
    );
  if (method === 'bye') {
    demand(isText(params['cause']), 'a BYE has a cause');
    demand(
      isIntegerOrAbsent(params['causeCode']) && isIntegerOrAbsent(params['sipCode']),
      'codes are integers',
    );
  }
});
