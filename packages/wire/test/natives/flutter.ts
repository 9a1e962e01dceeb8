import { areHeaders, isIntegerOrAbsent, isObject, isText, isTextOrAbsent, parser } from './rules.ts';

const CALL_TEXTS = [
  'callID',
  'sdp',
  'caller_id_name',
  'caller_id_number',
  'callee_id_name',
  'callee_id_number',
  'telnyx_session_id',
  'telnyx_leg_id',
  'display_direction',
  'telnyx_call_control_id',
  'sip_call_id',
  'sipReason',
] as const;

/** Flutter SDK 4: reads each request as four shapes at once, whatever its method; a member of another type loses the frame. */
export const parseForFlutter = parser('Flutter', (frame, demand, raw) => {
  const { method, params, result, error, id } = frame;
  if ('error' in raw) {
    demand(isObject(raw['error']), 'an error is an object');
    demand(
      isIntegerOrAbsent(error!['code']) && isTextOrAbsent(error!['message']),
      'code is a number, message a text',
    );
    return;
  }
  if ('result' in raw) {
    demand(isObject(raw['result']), 'a result is an object');
    const state = result!['params'];
    if (state !== undefined) {
      demand(isObject(state), 'params of a result is an object');
      const { state: word, call_report_id } = state as Record<string, unknown>;
      demand(isTextOrAbsent(word) && isTextOrAbsent(call_report_id), 'state and call_report_id are texts');
    }
    if (result!['action'] === 'updateMedia')
      for (const name of ['callID', 'sdp']) demand(isText(result![name]), `updateMedia has ${name}`);
    return;
  }
  demand(method !== undefined, 'a frame is a result, a request or an error');
  demand(isTextOrAbsent(params['state']), 'state is a text');
  demand(
    params['reattached_sessions'] === undefined || Array.isArray(params['reattached_sessions']),
    'reattached_sessions is a list',
  );
  demand(
    isIntegerOrAbsent(params['sipCode']) && isIntegerOrAbsent(params['causeCode']),
    'sipCode and causeCode are integers',
  );
  for (const name of CALL_TEXTS) demand(isTextOrAbsent(params[name]), `${name} is a text`);
  const { variables, dialogParams } = params;
  if (variables !== undefined)
    demand(isObject(variables) && Object.values(variables).every(isText), 'variables is a map of texts');
  if (dialogParams !== undefined) {
    demand(isObject(dialogParams), 'dialogParams is a map');
    const { userVariables, custom_headers } = dialogParams as Record<string, unknown>;
    demand(userVariables === undefined, 'userVariables in dialogParams breaks the parser');
    demand(
      custom_headers === undefined || areHeaders(custom_headers),
      'custom_headers is a list of name and value',
    );
  }
  if (method === 'bye') demand(Number.isInteger(id), 'the id of a BYE is an integer');
});

/** Its own ids are texts, and a reply with another loses the frame. */
export const parseReplyForFlutter = parser('Flutter', ({ id }, demand, raw) => {
  if (!('method' in raw)) demand(isText(id), 'the id of a reply is the text that was sent');
});
