import { randomUUID } from 'node:crypto';
import {
  parseForReactNative,
  REACT_NATIVE_REPLIES,
} from '../../../packages/wire/test/natives/react-native.ts';
import { BrokenRule } from '../../../packages/wire/test/natives/rules.ts';
import type { NativeSdk } from './sdk.ts';

/** It waits for the reply to each request, and drops what it hears of its calls before it is registered. */
export const REACT_NATIVE: NativeSdk = {
  line: 'React Native',
  agent: 'ReactNative-1.1.0',
  parse: parseForReactNative,
  expects: (method, reply, text) => {
    const says = REACT_NATIVE_REPLIES[method];
    if (says !== undefined && (reply.result === undefined || !says(reply.result)))
      throw new BrokenRule(`React Native: the reply to ${method}`, text);
  },
  path: (kept) => (kept?.voiceSdkId === undefined ? '' : `?voice_sdk_id=${kept.voiceSdkId}`),
  sessid: (before) => before?.sessid,
  login: (login, passwd) => ({
    login,
    passwd,
    reconnection: false,
    loginParams: { attach_call: 'true' },
    userVariables: {},
  }),
  asksState: () => true,
  stateId: randomUUID,
  about: (method, sessid, callId) => ({
    params: { sessid },
    dialog: method === 'modify' ? { callId } : { callID: callId, custom_headers: [] },
  }),
  pong: () => ({ id: randomUUID(), method: 'telnyx_rtc.ping' }),
  attachBehindState: true,
  attachOnlyKnown: false,
};
