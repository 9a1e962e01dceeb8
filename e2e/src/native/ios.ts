import { randomUUID } from 'node:crypto';
import { parseForIos } from '../../../packages/wire/test/natives/ios.ts';
import type { NativeSdk } from './sdk.ts';

/** It names the session in three ways; a port and a path of its own only until it knows a `voice_sdk_id`. */
const ios = (line: string, agent: string): NativeSdk => ({
  line,
  agent,
  parse: parseForIos,
  path: (kept) => (kept?.voiceSdkId === undefined ? '/' : `/?voice_sdk_id=${kept.voiceSdkId}`),
  sessid: (before) => before?.sessid ?? randomUUID(),
  login: (login, passwd) => ({
    login,
    passwd,
    from_push: false,
    loginParams: { attach_call: 'true' },
    userVariables: { push_notification_environment: 'debug' },
  }),
  asksState: () => true,
  stateId: randomUUID,
  about: (method, sessid, callId) => ({
    params: method === 'bye' ? { sessId: sessid } : method === 'info' ? { sessid } : { sessionId: sessid },
    dialog: { callID: callId },
  }),
  pong: (text) => JSON.parse(text) as object,
  attachBehindState: false,
  attachOnlyKnown: false,
});

export const IOS_3 = ios('iOS 3', 'iOS-3.2.1');
export const IOS_4 = ios('iOS 4', 'iOS-4.1.2');
