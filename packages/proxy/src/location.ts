import type { Machine, Ms, Step } from '@sidetone/core';
import { type Flow, type NameAddr, sameFlow, sameUri, type Uri } from '@sidetone/sip';
import type { PhoneFlow } from './outbound.ts';

/**
 * The location machine of one user (RFC 3261 §10.3): an ordered list of bindings, the last to register first.
 *
 * ```
 *               update (expires > 0)                 update (expires = 0), clear, expiry, flow lost, revoked
 *   no binding ─────────────────────▶ bound ──┐  ─────────────────────────────────────▶ no binding
 *                                       ▲     │ update with the same Call-ID and a higher CSeq,
 *                                       └─────┘ or another Call-ID: replaced
 * ```
 *
 * A refresh (the same Call-ID by the same flow, RFC 3261 §10.2.4) keeps its place, so that who is rung does not depend on whose
 * refresh was the last. Everything else has just registered, and goes to the front.
 *
 * One REGISTER is one input and is atomic: all of its contacts are taken, or none.
 *
 * Phones and clients of our own rooms have a room each, of `most` contacts. A contact that finds it full takes the place of one that
 * looks like the same device (instance, or User-Agent and address), else of any: the one whose REGISTER is the longest ago.
 */
export interface Binding {
  /** Names the binding in the URIs that `voice` gets; random, lives as long as the binding. */
  readonly id: string;
  /** The contact as registered, without the header part of its URI. */
  readonly uri: Uri;
  readonly displayName?: string;
  /** Contact parameters other than `expires`. */
  readonly params: Readonly<Record<string, string>>;
  /** Where the REGISTER came from: requests go there, whatever address the contact claims (NAT), unless there is a `hop`. */
  readonly flow: Flow;
  /** What the contact names, where that counts (`phone-way.ts`). */
  readonly hop?: Flow;
  /** The proxies on the way (RFC 3327): the route set of requests to it. */
  readonly path?: readonly NameAddr[];
  /** Of a phone that keeps several flows (RFC 5626): the binding is known by this instead of by its address. */
  readonly outbound?: PhoneFlow;
  readonly callId: string;
  readonly cseq: number;
  readonly expiresAt: Ms;
  /** When it came: a refresh does not count. */
  readonly since: Ms;
  /** When its last REGISTER came. */
  readonly at: Ms;
  /** Since when it is reached there. */
  readonly here: Ms;
  /** What sent the REGISTER, as it names itself: at most 128 characters. */
  readonly userAgent?: string;
  /** Of a client of our own rooms: the address of its connection. */
  readonly clientAddress?: string;
}

export interface Location {
  readonly user: string;
  /** The last to register first. */
  readonly bindings: readonly Binding[];
}

export interface ContactUpdate {
  readonly id: string;
  readonly uri: Uri;
  readonly displayName?: string;
  readonly params: Readonly<Record<string, string>>;
  readonly outbound?: PhoneFlow;
  readonly hop?: Flow;
  /** Seconds; 0 removes. */
  readonly expires: number;
}

export type LocationInput =
  | { readonly type: 'tick' }
  | {
      readonly type: 'register';
      readonly callId: string;
      readonly cseq: number;
      readonly flow: Flow;
      readonly path?: readonly NameAddr[];
      readonly userAgent?: string;
      readonly clientAddress?: string;
      readonly contacts: readonly ContactUpdate[];
      /** Contacts of one room; at least 1. */
      readonly most: number;
    }
  /** `Contact: *` with `Expires: 0`. */
  | { readonly type: 'clear'; readonly callId: string; readonly cseq: number }
  /** The user may not be registered any more. */
  | { readonly type: 'revoked' }
  /** The connection of a binding is gone (RFC 5626 §3.3: it cannot be reached any more). */
  | { readonly type: 'flowLost'; readonly flow: Flow };

export type LocationOutput =
  | { readonly type: 'refused'; readonly why: 'out-of-order' | 'too-many' }
  /** It had to make room for a newer one. */
  | { readonly type: 'dropped'; readonly binding: Binding };

type LocationStep = Step<Location, LocationOutput>;

const keep = (state: Location): LocationStep => ({ state, out: [] });
const refuse = (state: Location, why: 'out-of-order' | 'too-many'): LocationStep => ({
  state,
  out: [{ type: 'refused', why }],
});

export const locationMachine: Machine<Location, LocationInput, LocationOutput> = {
  name: 'location',
  step(state, input, now) {
    const live = expire(state, now);
    switch (input.type) {
      case 'tick':
        return keep(live);
      case 'flowLost':
        return keep(withBindings(live, (b) => b.flow.transport === 'udp' || !sameFlow(b.flow, input.flow)));
      case 'revoked':
        return keep(live.bindings.length === 0 ? live : { ...live, bindings: [] });
      case 'clear':
        // §10.3 step 6: an older request of the same user agent must not undo a newer one.
        if (live.bindings.some((b) => b.callId === input.callId && input.cseq <= b.cseq))
          return refuse(live, 'out-of-order');
        return keep({ ...live, bindings: [] });
      case 'register':
        return register(live, input, now);
    }
  },
  deadline(state) {
    let next: Ms | null = null;
    for (const { expiresAt } of state.bindings) if (next === null || expiresAt < next) next = expiresAt;
    return next;
  },
};

function register(
  state: Location,
  input: Extract<LocationInput, { type: 'register' }>,
  now: Ms,
): LocationStep {
  // None of them could stay for the others.
  if (input.contacts.filter((c) => c.expires > 0).length > input.most) return refuse(state, 'too-many');
  let { bindings } = state;
  const fresh: Binding[] = [];
  for (const contact of input.contacts) {
    const known = bindings.filter((b) => isSame(b, contact));
    // §10.3 step 7: same Call-ID and no higher CSeq is an old request; the whole update fails. Two values of
    // one request that name the same contact are no contradiction: the later one counts.
    const old = state.bindings.filter((b) => isSame(b, contact));
    if (old.some((b) => b.callId === input.callId && input.cseq <= b.cseq))
      return refuse(state, 'out-of-order');
    bindings = bindings.filter((b) => !known.includes(b));
    if (contact.expires === 0) continue;
    const binding: Binding = {
      id: known[0]?.id ?? contact.id,
      uri: contact.uri,
      ...(contact.displayName === undefined ? {} : { displayName: contact.displayName }),
      params: contact.params,
      flow: input.flow,
      ...(contact.hop === undefined ? {} : { hop: contact.hop }),
      ...(input.path === undefined || input.path.length === 0 ? {} : { path: input.path }),
      ...(contact.outbound === undefined ? {} : { outbound: contact.outbound }),
      callId: input.callId,
      cseq: input.cseq,
      expiresAt: now + contact.expires * 1000,
      since: now,
      at: now,
      here: known.find((b) => sameFlow(reachedAt(b), contact.hop ?? input.flow))?.here ?? now,
      ...(input.userAgent === undefined ? {} : { userAgent: input.userAgent }),
      ...(input.clientAddress === undefined ? {} : { clientAddress: input.clientAddress }),
    };
    const refreshed = known.find((b) => b.callId === input.callId && sameFlow(b.flow, input.flow));
    const taken = refreshed === undefined ? binding : { ...binding, since: refreshed.since };
    bindings = placed(bindings, taken);
    fresh.push(taken);
  }
  const out: LocationOutput[] = [];
  for (const binding of fresh) {
    const room = bindings.filter((b) => isClient(b) === isClient(binding));
    for (let over = room.length - input.most; over > 0; over -= 1) {
      const leaving = oldestOf(room, binding, fresh);
      if (leaving === undefined) break;
      room.splice(room.indexOf(leaving), 1);
      bindings = bindings.filter((b) => b !== leaving);
      out.push({ type: 'dropped', binding: leaving });
    }
  }
  return { state: { ...state, bindings }, out };
}

/** Of our own rooms. */
const isClient = ({ flow }: Binding): boolean => flow.transport === 'local';

/** Which contact makes room for another. */
function oldestOf(
  room: readonly Binding[],
  binding: Binding,
  fresh: readonly Binding[],
): Binding | undefined {
  const others = room.filter((b) => !fresh.includes(b));
  const same = others.filter((b) => looksSame(b, binding));
  return (same.length > 0 ? same : others).reduce<Binding | undefined>(
    (oldest, b) => (oldest === undefined || b.at < oldest.at ? b : oldest),
    undefined,
  );
}

/** Phones of which an earlier one looks like the same device come last: what it left behind must not stand before others. */
export function staleLast(bindings: readonly Binding[]): readonly Binding[] {
  const isStale = (b: Binding, i: number): boolean =>
    !isClient(b) && bindings.slice(0, i).some((earlier) => !isClient(earlier) && looksSame(earlier, b));
  const stale = bindings.filter(isStale);
  return stale.length === 0 ? bindings : [...bindings.filter((b) => !stale.includes(b)), ...stale];
}

function looksSame(a: Binding, b: Binding): boolean {
  const instance = a.params['+sip.instance'];
  if (instance !== undefined || b.params['+sip.instance'] !== undefined)
    return instance === b.params['+sip.instance'];
  return a.userAgent !== undefined && a.userAgent === b.userAgent && addressOf(a) === addressOf(b);
}

const addressOf = ({ flow, clientAddress }: Binding): string | undefined =>
  flow.transport === 'local' ? clientAddress : flow.host;

/** Where requests to a binding go. */
export const reachedAt = ({ flow, hop }: Binding): Flow => hop ?? flow;

/** In front of all that came before it. */
function placed(bindings: readonly Binding[], binding: Binding): readonly Binding[] {
  const at = bindings.findIndex((b) => b.since <= binding.since);
  return at < 0 ? [...bindings, binding] : bindings.toSpliced(at, 0, binding);
}

/** RFC 5626 §6: a flow is known by its instance and reg-id. All else, and what names no flow, is known by its address. */
function isSame(binding: Binding, contact: ContactUpdate): boolean {
  if (binding.outbound === undefined || contact.outbound === undefined)
    return sameUri(binding.uri, contact.uri);
  const { instance, regId } = contact.outbound;
  return binding.outbound.instance === instance && binding.outbound.regId === regId;
}

function withBindings(state: Location, wanted: (binding: Binding) => boolean): Location {
  const bindings = state.bindings.filter(wanted);
  return bindings.length === state.bindings.length ? state : { ...state, bindings };
}

const expire = (state: Location, now: Ms): Location => withBindings(state, (b) => b.expiresAt > now);
