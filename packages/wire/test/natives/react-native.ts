import { isObject, isText, parser } from './rules.ts';

/** React Native voice SDK: checks the requests of a server by what it needs of them, and ignores the rest. */
export const parseForReactNative = parser('React Native', (frame, demand) => {
  const { method, params, result } = frame;
  if (result !== undefined) {
    demand(isText(result['sessid']) && result['sessid'] !== '', 'a result has sessid');
    if (result['action'] === 'hold') demand(result['holdState'] === 'held', 'hold is answered by held');
    if (result['action'] === 'unhold')
      demand(result['holdState'] === 'active', 'unhold is answered by active');
    if ('action' in result) demand(isText(result['callID']) && result['callID'] !== '', 'modify has callID');
    return;
  }
  switch (method) {
    case 'ping':
      return demand(params['serno'] !== undefined, 'a ping has serno');
    case 'clientReady':
      return demand(Array.isArray(params['reattached_sessions']), 'reattached_sessions is a list');
    case 'ringing':
      demand(isText(params['telnyx_leg_id']) && isText(params['telnyx_session_id']), 'ringing has both ids');
      break;
    case 'invite':
    case 'attach':
      demand(isText(params['sdp']), 'an offer has sdp');
      demand(isText(params['telnyx_leg_id']) && isText(params['telnyx_session_id']), 'a call has both ids');
      demand(isText(params['caller_id_number']), 'a call has a caller');
      demand(isObject(params['dialogParams']), 'a call has dialogParams');
      break;
    case 'bye':
      demand(isText(params['cause']) && params['cause'] !== '', 'a BYE has a cause');
      break;
    default:
  }
  if (method !== undefined) demand(isText(params['callID']) && params['callID'] !== '', 'callID is there');
});

/** It waits for these answers, and fails without what they must say. */
export const REACT_NATIVE_REPLIES: Readonly<
  Record<string, (result: Readonly<Record<string, unknown>>) => boolean>
> = {
  login: (result) => result['message'] === 'logged in',
  gatewayState: (result) => isObject(result['params']) && result['params']['state'] === 'REGED',
  invite: (result) => result['message'] === 'CALL CREATED' && isText(result['callID']),
};
