import {
  createUserAgent,
  escapeUser,
  type Flow,
  type SipRequest,
  type Uri,
  type UserAgent,
  unescapeUser,
} from '@sidetone/sip';
import { CONTACT_PARAM, NODE_HOST } from '@sidetone/wire';
import { provenUser } from '../routing/calling.ts';
import type { VoiceOptions } from '../voice-options.ts';

export const PROXY: Flow = { transport: 'local', node: 'proxy' };
const VSP: Flow = { transport: 'local', node: 'vsp' };

/** voice's user agent: Contacts are `sip:v-<leg>@<public address>`, which the proxy hands to voice; clients are reached directly. */
export function createVoiceAgent({
  random,
  publicAddress: {
    hosts: [host],
    port,
  },
}: VoiceOptions): UserAgent {
  return createUserAgent({
    random,
    sentBy: { host: NODE_HOST.voice },
    contact: (leg) => ({ scheme: 'sip', user: escapeUser(`v-${leg}`), host, port, params: {} }),
    resolve: (hop) => (hop.host === NODE_HOST.vsp ? VSP : PROXY),
    userAgent: 'Sidetone',
    admits: isPeer,
    tellsDialogs: true,
    allow: ['INVITE', 'ACK', 'CANCEL', 'BYE', 'INFO', 'UPDATE', 'OPTIONS', 'REFER', 'NOTIFY'],
  });
}

/** Nobody speaks in a dialog with a phone of somebody else's. The proxy says whose the phone is, and who sent the request. */
function isPeer({ params }: Uri, request: SipRequest): boolean {
  const user = params[CONTACT_PARAM.user];
  const sender = provenUser(request);
  return user === undefined || sender === undefined || sender === unescapeUser(user);
}
