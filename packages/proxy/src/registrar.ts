import { type EpochMs, hexId, type Ms, type Random } from '@sidetone/core';
import {
  type ExtraHeaders,
  type Flow,
  header,
  type NameAddr,
  type SipRequest,
  unescapeUser,
  validateRequest,
} from '@sidetone/sip';
import { HEADER, type Identity } from '@sidetone/wire';
import type { ContactUpdate } from './location.ts';
import type { LocationTable } from './location-table.ts';
import { flowOf, type Reach, reachHeaders, readReach } from './outbound.ts';
import { isUnicast } from './own-address.ts';
import { wayOf } from './phone-way.ts';
import type { ProxyLimits } from './proxy-events.ts';

export interface RegistrarFacts {
  readonly identity: Identity;
  readonly isOurHost: (host: string) => boolean;
  readonly limits: ProxyLimits;
  readonly random: Random;
  readonly epoch: EpochMs;
}

export interface RegisterAnswer {
  readonly status: number;
  /** Reason phrase, where it says more than the status. */
  readonly reason?: string;
  readonly headers: ExtraHeaders;
  readonly contact: readonly NameAddr[];
  /** Contacts that had to make room. */
  readonly dropped?: number;
}

const MOST_OF_USER_AGENT = 128;

const refuse = (status: number, headers: ExtraHeaders = []): RegisterAnswer => ({
  status,
  headers,
  contact: [],
});

/**
 * The registrar (RFC 3261 §10.3). `proven` is the user the digest proved, or `null` for our own rooms, which are
 * believed. Steps 1, 3 and 4 (whose domain, who, may they) come first; then contacts are read; then the location
 * machine takes all of them or none.
 */
export function register(
  request: SipRequest,
  flow: Flow,
  proven: string | null,
  table: LocationTable,
  facts: RegistrarFacts,
  now: Ms,
): RegisterAnswer {
  const rules = validateRequest(request, { role: 'user-agent', supported: ['path', 'outbound'] });
  if (rules !== null) return refuse(rules.status, rules.headers);
  const { to, contact, callId, cseq } = request.headers;
  if (to.uri.scheme !== 'sip' && to.uri.scheme !== 'sips') return refuse(400);
  if (!facts.isOurHost(request.uri.host) || !facts.isOurHost(to.uri.host)) return refuse(404);
  const user = unescapeUser(to.uri.user ?? '');
  // A user may register only for themselves; who else exists is not told.
  if (proven !== null && proven !== user) return refuse(403);
  const known = facts.identity.userByName(user);
  if (known === undefined) return refuse(proven === null ? 404 : 403);
  const why = facts.identity.refusal(known, facts.epoch);
  // Who holds the password may know why it is no good.
  if (why !== undefined) return { ...refuse(403), reason: `Forbidden (${why})` };

  const reach = readReach(request, flow);
  if ('status' in reach) return refuse(reach.status, reach.headers);

  const general = seconds(header(request, 'Expires'));
  if (contact === '*') {
    if (general !== 0) return refuse(400);
    const out = table.step(user, { type: 'clear', callId, cseq: cseq.seq }, now);
    return out.some((o) => o.type === 'refused') ? refuse(500) : bindings(user, table, facts, now);
  }
  const contacts = readContacts(request, contact, flow, reach, facts, general);
  if ('status' in contacts) return contacts;
  const flows = contacts.filter((c) => c.outbound !== undefined && c.expires > 0).length;
  // RFC 5626 §6: one flow is made by one REGISTER.
  if (flows > 0 && contacts.length > 1) return refuse(400);
  const input = {
    type: 'register',
    callId,
    cseq: cseq.seq,
    flow,
    path: reach.path,
    ...senderOf(request, flow),
    contacts,
    most: facts.limits.contactsPerUser,
  } as const;
  const out = contacts.length === 0 ? [] : table.step(user, input, now);
  const refused = out.find((o) => o.type === 'refused');
  if (refused?.why === 'too-many') return { ...refuse(403), reason: 'Forbidden (too many contacts)' };
  if (refused !== undefined) return refuse(500);
  const answer = { ...bindings(user, table, facts, now), dropped: out.length };
  return flow.transport === 'local'
    ? answer
    : { ...answer, headers: [...answer.headers, ...reachHeaders(reach, flows > 0)] };
}

/** The contacts of a REGISTER, or why one of them cannot be taken: then none is. `general`: what its Expires says. */
function readContacts(
  request: SipRequest,
  contact: readonly NameAddr[],
  flow: Flow,
  reach: Reach,
  { random, limits }: RegistrarFacts,
  general: number | undefined,
): readonly ContactUpdate[] | RegisterAnswer {
  const contacts: ContactUpdate[] = [];
  for (const value of contact) {
    if (!isUsable(value, flow)) return refuse(400);
    const wanted = value.params['expires'] === undefined ? general : seconds(value.params['expires']);
    const asked = wanted ?? limits.defaultExpires;
    // §10.3 step 7: too short is refused, but only below an hour, and never a removal. Our own rooms may be brief.
    if (flow.transport !== 'local' && asked > 0 && asked < limits.minExpires && asked < 3600)
      return refuse(423, [['Min-Expires', String(limits.minExpires)]]);
    const { expires: _, ...params } = value.params;
    // Headers in a contact would be put into requests to it: a way around the routing, so they are left out.
    const { headers: __, ...uri } = value.uri;
    const named = reach.outbound ? flowOf(value) : null;
    const way = wayOf(request, named === null ? (reach.path[0]?.uri ?? uri) : undefined, flow);
    contacts.push({
      id: hexId(random, 8),
      uri,
      ...(value.displayName === undefined ? {} : { displayName: value.displayName }),
      params,
      ...(named === null ? {} : { outbound: named }),
      ...(way.byContact ? { hop: way.flow } : {}),
      expires: Math.min(asked, limits.maxExpires),
    });
  }
  return contacts;
}

/** Who asks, for people to read. The address of a client is believed from our own rooms only. */
function senderOf(request: SipRequest, flow: Flow): { userAgent?: string; clientAddress?: string } {
  const userAgent = header(request, 'User-Agent')?.trim().slice(0, MOST_OF_USER_AGENT);
  const address = flow.transport === 'local' ? header(request, HEADER.clientAddress) : undefined;
  return {
    ...(userAgent === undefined || userAgent === '' ? {} : { userAgent }),
    ...(address === undefined ? {} : { clientAddress: address }),
  };
}

/** §10.3 step 8: 200 with every binding there is. */
function bindings(user: string, table: LocationTable, facts: RegistrarFacts, now: Ms): RegisterAnswer {
  const contact = table.of(user, now).map(
    (b): NameAddr => ({
      ...(b.displayName === undefined ? {} : { displayName: b.displayName }),
      uri: b.uri,
      params: { ...b.params, expires: String(Math.max(1, Math.ceil((b.expiresAt - now) / 1000))) },
    }),
  );
  return { status: 200, headers: [['Date', new Date(facts.epoch).toUTCString()]], contact };
}

/** delta-seconds; `undefined` when absent or malformed (§10.2.1.1: then the default counts). */
function seconds(text: string | undefined): number | undefined {
  const digits = text?.trim();
  if (digits === undefined || !/^\d{1,10}$/.test(digits)) return undefined;
  return Math.min(Number(digits), 2 ** 32 - 1);
}

/** Contacts from outside must be SIP, at a unicast host, and none of our rooms'. */
function isUsable({ uri }: NameAddr, flow: Flow): boolean {
  if (uri.scheme !== 'sip' && uri.scheme !== 'sips') return false;
  return (
    flow.transport === 'local' ||
    (!uri.host.toLowerCase().endsWith('.sidetone.invalid') && isUnicast(uri.host))
  );
}
