import { randomUUID } from 'node:crypto';
import { parser } from '../../../packages/wire/test/natives/rules.ts';
import { strictProblems } from '../../../packages/wire/test/strict-clients.ts';
import type { NativeSdk } from './sdk.ts';

const parse = parser('Web', () => undefined);

/** The published browser package, as the control. */
export const WEB: NativeSdk = {
  line: 'Web',
  agent: 'Web-2.27.10',
  parse: (text) => {
    const [problem] = strictProblems(text);
    if (problem !== undefined) throw new Error(`Web: ${problem}: ${text}`);
    return parse(text);
  },
  path: (kept) => (kept?.voiceSdkId === undefined ? '/' : `/?voice_sdk_id=${kept.voiceSdkId}`),
  sessid: (before) => before?.sessid,
  login: (login, passwd) => ({ login, passwd, loginParams: {}, userVariables: {} }),
  asksState: () => true,
  stateId: randomUUID,
  about: (_method, sessid, callID) => ({ params: { sessid }, dialog: { callID } }),
  pong: (text) => ({ id: (JSON.parse(text) as { id: unknown }).id, result: {} }),
  attachBehindState: false,
  attachOnlyKnown: false,
};
