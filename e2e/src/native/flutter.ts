import { randomUUID } from 'node:crypto';
import { parseForFlutter, parseReplyForFlutter } from '../../../packages/wire/test/natives/flutter.ts';
import type { NativeSdk } from './sdk.ts';

/** It asks for the state once in its life, always under the same id; started anew it has another session and names the old one. */
export const FLUTTER: NativeSdk = {
  line: 'Flutter 4',
  agent: 'Flutter-4.4.0',
  parse: (text) => {
    parseReplyForFlutter(text);
    return parseForFlutter(text);
  },
  path: (kept, cold) => {
    if (kept === undefined) return '';
    return `?voice_sdk_id=${cold ? kept.sessid : kept.voiceSdkId}`;
  },
  sessid: (before, cold) => (before === undefined || cold ? randomUUID() : before.sessid),
  login: (login, passwd) => ({
    login,
    passwd,
    login_token: null,
    attach_call: 'true',
    loginParams: { attach_call: 'true' },
    userVariables: { push_device_token: null, push_notification_environment: 'debug' },
  }),
  asksState: (again) => !again,
  stateId: () => "Instance of 'Uuid'",
  about: (method, sessid, callId) => ({
    params: { sessid },
    dialog:
      method === 'bye'
        ? { callId }
        : {
            callID: callId,
            attach: method === 'attach',
            caller_id_name: null,
            userVariables: [],
            video: false,
          },
  }),
  pong: (_text, sessid) => ({ id: randomUUID(), result: { message: 'PONG', sessid } }),
  attachBehindState: false,
  attachOnlyKnown: false,
};
