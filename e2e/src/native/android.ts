import { randomUUID } from 'node:crypto';
import { parseForAndroid } from '../../../packages/wire/test/natives/android.ts';
import type { NativeSdk } from './sdk.ts';

/** After a lost network it asks for no state, and only an attach makes its calls active again. */
export const ANDROID: NativeSdk = {
  line: 'Android 3',
  agent: 'Android-3.7.0',
  parse: parseForAndroid,
  path: (kept) => (kept?.voiceSdkId === undefined ? '/' : `/?voice_sdk_id=${kept.voiceSdkId}`),
  sessid: (before) => before?.sessid ?? randomUUID(),
  login: (login, passwd) => ({
    login,
    passwd,
    loginParams: { attach_calls: 'true' },
    userVariables: { push_device_token: '', push_notification_provider: 'android' },
  }),
  asksState: (again) => !again,
  stateId: randomUUID,
  about: (method, sessid, callId) => ({
    params: { sessid },
    dialog:
      method === 'bye'
        ? { callId }
        : {
            callID: callId,
            attach: method === 'attach',
            userVariables: [],
            custom_headers: [],
            clientState: '',
          },
  }),
  pong: (text) => JSON.parse(text) as object,
  attachBehindState: false,
  attachOnlyKnown: true,
};
