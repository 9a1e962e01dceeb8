import {
  type ExtraHeaders,
  escapeUser,
  type Flow,
  formatNameAddr,
  type InviteOptions,
  type NameAddr,
  type Uri,
} from '@sidetone/sip';
import {
  ASSERTED_IDENTITY,
  type CallDescription,
  type Cause,
  type ClientAgent,
  type CustomHeader,
  formatReason,
  HEADER,
  NODE_HOST,
} from '@sidetone/wire';
import type { Session } from './session.ts';

export const VOICE: Flow = { transport: 'local', node: 'voice' };
export const PROXY: Flow = { transport: 'local', node: 'proxy' };

/** What a REGISTER asks for (RFC 3261 §10.2). */
export const REGISTER_SECONDS = 600;

/** The contact of a session: voice and proxy find the socket by its user part. */
export const contactUri = (contact: string): Uri => ({
  scheme: 'sip',
  user: contact,
  host: NODE_HOST.vsp,
  params: {},
});

const address = (user: string, host: string, displayName?: string): NameAddr => ({
  ...(displayName === undefined || displayName === '' ? {} : { displayName }),
  uri: { scheme: 'sip', user: escapeUser(user), host, params: {} },
  params: {},
});

const custom = (headers: readonly CustomHeader[]): ExtraHeaders =>
  headers.map(({ name, value }) => [name, value] as const);

/** The INVITE for a client's call. The user is proven by the login; the caller's name and number are what the client says. */
export function inviteFor(
  call: CallDescription,
  sdp: string,
  user: string,
  domain: string,
  agent: ClientAgent,
): InviteOptions {
  const { destination } = call;
  const to = address(destination.user, destination.host ?? domain);
  return {
    requestUri: to.uri,
    to,
    from: address(call.callerNumber === '' ? user : call.callerNumber, domain, call.callerName),
    sdp,
    callId: call.callId,
    flow: VOICE,
    headers: [
      [ASSERTED_IDENTITY, formatNameAddr(address(user, domain))],
      ...userAgent(agent),
      ...(call.clientState === undefined ? [] : [[HEADER.clientState, call.clientState] as const]),
      ...custom(call.customHeaders),
    ],
  };
}

const userAgent = ({ text }: ClientAgent): ExtraHeaders => (text === '' ? [] : [['User-Agent', text]]);

/** REGISTER of a session; with `seconds` 0 its end. All of one session share a Call-ID and count up (RFC 3261 §10.2.4). */
export function registerFor(
  { contact, agent, address: peer }: Pick<Session, 'contact' | 'agent' | 'address'>,
  user: string,
  domain: string,
  seconds: number,
  sequence: number,
) {
  const aor = address(user, domain);
  return {
    method: 'REGISTER',
    requestUri: { scheme: 'sip', host: domain, params: {} },
    from: aor,
    to: aor,
    contact: [{ uri: contactUri(contact), params: {} }],
    headers: [['Expires', String(seconds)], ...userAgent(agent), [HEADER.clientAddress, peer]] as const,
    callId: `register-${contact}`,
    cseq: sequence,
    flow: PROXY,
  };
}

/** Headers that say why a leg ends (RFC 3326, and our own name beside it), with the client's custom headers. */
export function endingHeaders(
  cause: Cause,
  internal: string | undefined,
  headers: readonly CustomHeader[],
): ExtraHeaders {
  return [...custom(headers), ['Reason', formatReason(cause)], [HEADER.cause, internal ?? cause.name]];
}

export const customHeaders = custom;
