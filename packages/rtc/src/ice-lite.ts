import type { Machine, Ms, Step } from '@sidetone/core';
import {
  ATTRIBUTE,
  BINDING,
  errorResponse,
  parseStun,
  type StunMessage,
  type TransportAddress,
  verifyIntegrity,
  writeStun,
  xorAddress,
} from './stun.ts';

/*
 * The ICE-lite agent (RFC 8445 §2.5): it has host candidates only, sends no check of its own, is always controlled, and
 * learns by the peer's checks what works.
 *
 *                authenticated, USE-CANDIDATE              no check on the selected pair for consentMs
 *   checking ───────────────────────────────▶ connected ───────────────────────────────────────────▶ failed
 *      │                                       │   ▲                                                     │
 *      │ setupMs over                          └───┘ check on the selected pair: consent; USE-CANDIDATE  │
 *      ├────────────────────────────────▶ failed     on another, or a peer that moved: that is selected  │
 *      └──────────────────────────────────────────────────────── restart ────────────────────────────────┘
 *
 * RFC 7675 asks a sender to stop when consent is not answered. A lite agent may not send requests, so the peer's own
 * authenticated checks stand for its consent: full agents repeat them every few seconds. After a restart the media stays
 * on the old pair, under the old credentials, until a check with the new ones nominates (RFC 8445 §9).
 *
 * A peer whose NAT gives it another address does not know of it. Chromium nominates with every check, and is followed at the
 * next; Firefox nominates once. So a checked pair is also taken when the peer's media comes from it and from no other any more, or
 * when checks come on it and none on the selected pair for longer than a peer lets pass between two (RFC 7675 §5.1: 6 s).
 *
 * Nothing is answered unless it is authenticated; not even an error. An address that cannot prove the password hears
 * nothing from us.
 */

export interface IceCredentials {
  readonly ufrag: string;
  readonly pwd: string;
}

/** A way between us and the peer: the local socket (the caller's own number for it) and the peer's address. */
export interface IcePath extends TransportAddress {
  readonly socket: number;
}

export interface IceState {
  /** `checking`: nothing nominated yet; `connected`; `failed`: for good, until a restart. */
  readonly name: 'checking' | 'connected' | 'failed';
  readonly local: IceCredentials;
  /** `null` until the peer's description is known: checks are answered meanwhile, by the local password alone. */
  readonly remote: IceCredentials | null;
  /** After a restart, the credentials before it: valid until a check under the new ones is nominated. */
  readonly previous: { readonly local: IceCredentials; readonly remote: IceCredentials | null } | null;
  /** Where media goes. Changed only by an authenticated check with USE-CANDIDATE. */
  readonly selected: IcePath | null;
  /** Paths with an authenticated check, newest last, at most 16. */
  readonly valid: readonly IcePath[];
  /** When the leg is lost unless a valid check arrives; meaningless once failed. */
  readonly expiresAt: Ms;
  readonly setupMs: Ms;
  readonly consentMs: Ms;
}

export type IceInput =
  /** A datagram that `classify` calls STUN. The bytes are only read during the step. */
  | { readonly type: 'packet'; readonly bytes: Uint8Array; readonly from: IcePath }
  /** The peer's credentials, from its description. */
  | { readonly type: 'remote'; readonly credentials: IceCredentials }
  /** ICE restart (RFC 8445 §9): new credentials of ours, and the peer's if known. */
  | { readonly type: 'restart'; readonly local: IceCredentials; readonly remote: IceCredentials | null }
  /** The peer's authenticated media has come by this path alone for a while. */
  | { readonly type: 'media'; readonly from: IcePath }
  | { readonly type: 'tick' };

export type IceOutput =
  | { readonly type: 'send'; readonly bytes: Uint8Array; readonly to: IcePath }
  /** First nomination, or another pair nominated. */
  | { readonly type: 'selected'; readonly path: IcePath }
  /** `setup`: no nominated check in time; `consent`: none since (RFC 7675 §5.1). Send nothing any more. */
  | { readonly type: 'failed'; readonly why: 'setup' | 'consent' }
  /** Counted, not answered. */
  | { readonly type: 'dropped'; readonly why: 'malformed' | 'unauthenticated' | 'not-request' };

export interface IceOptions {
  readonly local: IceCredentials;
  readonly remote?: IceCredentials;
  readonly now: Ms;
  /** Default 30,000. */
  readonly setupMs?: Ms;
  /** Default 30,000 (RFC 7675 §5.1). */
  readonly consentMs?: Ms;
}

const MAX_VALID = 16;
const SILENT_MS = 7_500;

/** A new agent, waiting for checks from `now` on. */
export function createIce(options: IceOptions): IceState {
  const setupMs = options.setupMs ?? 30_000;
  return {
    name: 'checking',
    local: options.local,
    remote: options.remote ?? null,
    previous: null,
    selected: null,
    valid: [],
    expiresAt: options.now + setupMs,
    setupMs,
    consentMs: options.consentMs ?? 30_000,
  };
}

/** May anything but STUN be taken from this path (RFC 8445 §2: a pair with an authenticated check)? */
export function isApproved(state: IceState, socket: number, address: string, port: number): boolean {
  if (state.name === 'failed') return false;
  return state.valid.some((p) => p.port === port && p.socket === socket && p.address === address);
}

/** The ICE-lite agent. */
export const iceLite: Machine<IceState, IceInput, IceOutput> = {
  name: 'ice-lite',
  step(state, input, now) {
    switch (input.type) {
      case 'packet':
        return onPacket(state, input.bytes, input.from, now);
      case 'remote':
        return { state: { ...state, remote: input.credentials }, out: [] };
      case 'restart':
        return { state: restart(state, input.local, input.remote, now), out: [] };
      case 'media':
        return onMedia(state, input.from, now);
      case 'tick':
        return onTick(state, now);
    }
  },
  deadline: (state) => (state.name === 'failed' ? null : state.expiresAt),
};

type IceStep = Step<IceState, IceOutput>;

function onTick(state: IceState, now: Ms): IceStep {
  if (state.name === 'failed' || now < state.expiresAt) return { state, out: [] };
  return {
    state: { ...state, name: 'failed', selected: null, valid: [], previous: null },
    out: [{ type: 'failed', why: state.name === 'checking' ? 'setup' : 'consent' }],
  };
}

function onMedia(state: IceState, from: IcePath, now: Ms): IceStep {
  const { name, selected, valid } = state;
  if (name !== 'connected' || selected === null || samePath(selected, from)) return { state, out: [] };
  if (!valid.some((path) => samePath(path, from))) return { state, out: [] };
  const path = pathOf(from);
  const next = { ...state, selected: path, expiresAt: now + state.consentMs };
  return { state: next, out: [{ type: 'selected', path }] };
}

function restart(state: IceState, local: IceCredentials, remote: IceCredentials | null, now: Ms): IceState {
  if (state.name !== 'connected') {
    return { ...state, name: 'checking', local, remote, previous: null, expiresAt: now + state.setupMs };
  }
  return { ...state, local, remote, previous: { local: state.local, remote: state.remote } };
}

const text = new TextEncoder();
const utf8 = new TextDecoder();

function onPacket(state: IceState, bytes: Uint8Array, from: IcePath, now: Ms): IceStep {
  const parsed = parseStun(bytes);
  if (!parsed.ok) return dropped(state, 'malformed');
  const message = parsed.value;
  // Indications keep NAT bindings open and say nothing; responses answer no request of ours.
  if (message.class !== 'request' || message.method !== BINDING) return dropped(state, 'not-request');
  const generation = state.name === 'failed' ? null : authenticate(state, message);
  if (generation === null) return dropped(state, 'unauthenticated');

  const key = text.encode((generation === 'current' ? state.local : state.previous!.local).pwd);
  if (message.unknownRequired.length > 0) {
    return { state, out: [send(writeStun(errorResponse(message, 420, 'Unknown Attribute'), key), from)] };
  }
  // §7.3.1.1: a peer that believes to be controlled must take the other role, since a lite agent never can.
  if (message.attributes.has(ATTRIBUTE.iceControlled)) {
    return { state, out: [send(writeStun(errorResponse(message, 487, 'Role Conflict'), key), from)] };
  }
  const { transactionId } = message;
  const response = writeStun(
    {
      class: 'success',
      method: BINDING,
      transactionId,
      attributes: [[ATTRIBUTE.xorMappedAddress, xorAddress(from, transactionId)]],
    },
    key,
  );
  const nominated = message.attributes.has(ATTRIBUTE.useCandidate) || hasMoved(state, from, now);
  const next = nominated ? nominate(state, from, generation, now) : check(state, from, now);
  const out: IceOutput[] = [send(response, from)];
  if (next.selected !== null && next.selected !== state.selected) {
    out.push({ type: 'selected', path: next.selected });
  }
  return { state: next, out };
}

/**
 * Which credentials the check proves: USERNAME begins with our fragment, the key is our password. Their fragment may be any (§7.3): a
 * browser that made an offer to restart uses its new one at once, and the offer may never arrive.
 */
function authenticate(state: IceState, message: StunMessage): 'current' | 'previous' | null {
  const username = message.attributes.get(ATTRIBUTE.username);
  if (username === undefined || username.length > 513) return null;
  const name = utf8.decode(username);
  if (belongsTo(name, state.local) && verifyIntegrity(message, text.encode(state.local.pwd))) {
    return 'current';
  }
  const old = state.previous;
  if (old !== null && belongsTo(name, old.local) && verifyIntegrity(message, text.encode(old.local.pwd))) {
    return 'previous';
  }
  return null;
}

function belongsTo(username: string, local: IceCredentials): boolean {
  return username.startsWith(`${local.ufrag}:`);
}

/** Is the selected pair dead, by what is checked? */
function hasMoved(state: IceState, from: IcePath, now: Ms): boolean {
  const { selected, expiresAt, consentMs } = state;
  if (state.name !== 'connected' || selected === null || samePath(selected, from)) return false;
  return now - (expiresAt - consentMs) > SILENT_MS;
}

function check(state: IceState, from: IcePath, now: Ms): IceState {
  const consent = state.selected !== null && samePath(state.selected, from);
  return {
    ...state,
    valid: withPath(state.valid, from, state.selected),
    expiresAt: consent ? now + state.consentMs : state.expiresAt,
  };
}

function nominate(state: IceState, from: IcePath, generation: 'current' | 'previous', now: Ms): IceState {
  const same = state.selected !== null && samePath(state.selected, from);
  const selected = same ? state.selected : pathOf(from);
  const renewed = generation === 'current' && state.previous !== null;
  return {
    ...state,
    name: 'connected',
    selected,
    // The old generation's paths go with its credentials.
    valid: renewed ? [selected!] : withPath(state.valid, from, selected),
    previous: generation === 'current' ? null : state.previous,
    expiresAt: now + state.consentMs,
  };
}

/** Appends a path; when there are too many, the oldest that is not selected goes. */
function withPath(paths: readonly IcePath[], path: IcePath, selected: IcePath | null): readonly IcePath[] {
  if (paths.some((p) => samePath(p, path))) return paths;
  const next = [...paths, pathOf(path)];
  if (next.length > MAX_VALID) {
    next.splice(
      next.findIndex((p) => selected === null || !samePath(p, selected)),
      1,
    );
  }
  return next;
}

const pathOf = ({ socket, address, port }: IcePath): IcePath => ({ socket, address, port });

const samePath = (a: IcePath, b: IcePath): boolean =>
  a.port === b.port && a.socket === b.socket && a.address === b.address;

const send = (bytes: Uint8Array, to: IcePath): IceOutput => ({ type: 'send', bytes, to: pathOf(to) });

const dropped = (state: IceState, why: 'malformed' | 'unauthenticated' | 'not-request'): IceStep => ({
  state,
  out: [{ type: 'dropped', why }],
});
