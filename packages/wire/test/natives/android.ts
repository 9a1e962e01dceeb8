import { areHeaders, holdsNull, isIntegerOrAbsent, isObject, isText, parser, UUID } from './rules.ts';

const OF_A_CALL = new Set(['invite', 'ringing', 'media', 'answer', 'attach', 'bye', 'candidate', 'modify']);

/** Android SDK 3: reads a frame in the callback of its socket, where what it throws closes the socket. */
export const parseForAndroid = parser('Android', (frame, demand, raw) => {
  const { method, params, result, error } = frame;
  if ('params' in raw) demand(isObject(raw['params']), 'params is an object');
  if ('result' in raw) {
    demand(isObject(raw['result']), 'a result is an object');
    const of = result!;
    if ('action' in of) demand(isText(of['action']), 'action is a text');
    if (of['action'] === 'updateMedia')
      demand(UUID.test(String(of['callID'])) && isText(of['sdp']), 'updateMedia has callID and sdp');
    else if ('params' in of) {
      demand(isText(of['sessid']), 'sessid stands beside params');
      demand(isObject(of['params']) && isText(of['params']['state']), 'params of a result name a state');
    } else if ('message' in of) demand(isText(of['message']), 'message is a text');
    return;
  }
  demand(!('state' in params), 'params.state is read as the state of the gateway');
  if (method === undefined) {
    demand(isObject(error), 'a frame is a result, a request or an error');
    demand(error!['message'] === undefined || isText(error!['message']), 'the message of an error is a text');
    demand(isIntegerOrAbsent(error!['code']), 'the code of an error is an integer');
    return;
  }
  if (!OF_A_CALL.has(method)) return;
  demand(UUID.test(String(params['callID'])), 'callID is a UUID');
  if (method === 'invite' || method === 'attach' || method === 'ringing') {
    for (const name of ['telnyx_session_id', 'telnyx_leg_id'])
      demand(UUID.test(String(params[name])), `${name} is a UUID`);
    for (const name of ['caller_id_name', 'caller_id_number'])
      demand(isText(params[name]), `${name} is a text`);
  }
  if (method === 'invite' || method === 'attach' || method === 'media')
    demand(isText(params['sdp']), 'sdp is there');
  if ('dialogParams' in params) {
    demand(isObject(params['dialogParams']), 'dialogParams is an object');
    const headers = (params['dialogParams'] as Record<string, unknown>)['custom_headers'];
    demand(headers === undefined || areHeaders(headers), 'custom_headers is a list of name and value');
  }
  const { variables } = params;
  if (variables !== undefined)
    demand(isObject(variables) && Object.values(variables).every(isText), 'variables are texts');
  if (method === 'bye') {
    demand(!holdsNull(params), 'a BYE with a null is lost');
    demand(
      isIntegerOrAbsent(params['causeCode']) && isIntegerOrAbsent(params['sipCode']),
      'codes are integers',
    );
    demand(isText(params['cause']) && isText(params['sipReason']), 'the reason of a BYE is told');
  }
});
