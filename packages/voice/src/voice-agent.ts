import { createUserAgent, escapeUser, type Flow, type UserAgent } from '@sidetone/sip';
import { NODE_HOST } from '@sidetone/wire';
import type { VoiceOptions } from './voice-options.ts';

export const PROXY: Flow = { transport: 'local', node: 'proxy' };
const VSP: Flow = { transport: 'local', node: 'vsp' };

/** voice's user agent: Contacts are `sip:v-<leg>@<public address>`, which the proxy hands to voice; clients are reached directly. */
export function createVoiceAgent({ random, publicAddress: { host, port } }: VoiceOptions): UserAgent {
  return createUserAgent({
    random,
    sentBy: { host: NODE_HOST.voice },
    contact: (leg) => ({ scheme: 'sip', user: escapeUser(`v-${leg}`), host, port, params: {} }),
    resolve: (hop) => (hop.host === NODE_HOST.vsp ? VSP : PROXY),
    userAgent: 'Sidetone',
    tellsDialogs: true,
    allow: ['INVITE', 'ACK', 'CANCEL', 'BYE', 'INFO', 'UPDATE', 'OPTIONS', 'REFER'],
  });
}
