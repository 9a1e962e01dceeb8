import type { EpochMs, Family, Ms } from '@sidetone/core';
import type { Uri } from '@sidetone/sip';
import type { BuiltIn, CodecName, ConnectionEntry, Trunk } from '@sidetone/wire';
import type { Ending } from './ending.ts';
import type { Leg } from './leg.ts';

/*
 * One call: a caller leg, any number of callee legs (forks of one user, or one trunk leg, or a built-in service).
 *
 *              routing ──refuse──────────────────────────────┐
 *                 │ plan                                      │
 *      ┌──────────┼──────────────┐                            │
 *   looking-up    │ trunk        │ service                    │
 *      │ contacts ▼              │                            ▼
 *      └───────▶ calling ────────┼─ last fork failed ─────▶ ending ──every leg recorded──▶ over
 *                 │ first 2xx    │   CANCEL, ring limit       ▲
 *                 ▼              │                            │
 *              answering ◀───────┘                            │
 *                 │ media ready: 200 to the caller            │
 *                 ▼                                           │
 *                 up ────────── BYE, media failed, drain ─────┘
 *                 └─◀─ transfer: another side takes the place of one (`transfer.ts`, `join.ts`)
 *
 * `ending` waits for final responses to our CANCELs and for the statistics of closed media legs, nothing else.
 */
export type CallState =
  | { readonly name: 'routing' }
  | { readonly name: 'looking-up'; readonly until: Ms }
  | { readonly name: 'calling'; readonly until: Ms }
  /** The winner's description, or the caller's, is still with media. */
  | { readonly name: 'answering'; readonly peer: string }
  | { readonly name: 'up'; readonly peer: string; readonly until: Ms }
  | { readonly name: 'ending'; readonly ending: Ending }
  | { readonly name: 'over' };

/** Whose words the call follows. One program now; parking, conferences and API commands are others. */
export type ProgramName = 'route-and-bridge';

export interface CallSettings {
  readonly ringMs: Ms;
  readonly callMs: Ms;
  readonly cancelMs: Ms;
  readonly heldHears: 'music' | 'silence';
}

/**
 * A transfer that one side of an answered call has asked for: `transfer.ts`. While there is one, the two sides do not hear each
 * other. A call that is adopted by another process falls back to what it was (`withoutTransfer`).
 */
export interface Transfer {
  /** The leg that asked; it may have hung up since. */
  readonly by: string;
  /** `id` of Event (RFC 3515 §2.4.6): the CSeq of its REFER; null for the first one in its dialog. */
  readonly event: number | null;
  /** The other side, which stays. */
  readonly keeps: string;
  /** The call that rings the target; null: attended, the other call is being joined. */
  readonly dial: string | null;
}

/** A plain record: it can be printed, journalled, and adopted by another process. */
export interface Call {
  /** UUID; the session id of every leg. */
  readonly id: string;
  readonly program: ProgramName;
  readonly state: CallState;
  /** The caller first; once it has transferred its call away, the party that stayed. */
  readonly legs: readonly Leg[];
  readonly plan: Plan;
  readonly caller: Caller;
  /** The fork whose early media the caller hears. */
  readonly early: string | null;
  /** X- headers of the winner's 2xx, for the caller's. */
  readonly answerHeaders: Extra;
  /** Provisional statuses the caller has heard. */
  readonly heard: readonly number[];
  /** Add it to a monotonic time to get the wall-clock stamp of a record. */
  readonly epochOffset: EpochMs;
  readonly settings: CallSettings;
  readonly transfer: Transfer | null;
  /** The call for whose transfer this one was made: its caller is a stand-in without dialog and media. */
  readonly origin: string | null;
  /** What it counts against (`charges.ts`). */
  readonly charges: readonly string[];
}

export type Extra = readonly (readonly [name: string, value: string])[];

/** Who calls, as it is shown and as it is proven. */
export interface Caller {
  readonly name?: string;
  /** User part of From as given. */
  readonly number: string;
  /** The proven user; absent for a trunk. */
  readonly userName?: string;
  readonly domain: string;
  /** Numbers this caller may show to a carrier; the first is the default. */
  readonly numbers: readonly string[];
  /** What was dialled, for To and the records. */
  readonly dialled: string;
  /** Custom headers of the INVITE. */
  readonly headers: Extra;
  /** Who is proven to call, where that is not `userName`, on whose account the call is. */
  readonly asserted?: string;
  /** Who transferred it here, for Referred-By (RFC 3892): by name, and by number for carriers. */
  readonly referredBy?: { readonly user: string; readonly number?: string };
}

/** `family`: of its address. `leg`: it is the first of a further run (`trunk-runs.ts`). */
export type TrunkFacts = Pick<Trunk, 'name' | 'codecs' | 'dtmf' | 'policy'> & {
  readonly family?: Family;
  readonly leg?: FreshLeg;
};

/** Ids drawn for a leg to come. */
export interface FreshLeg {
  readonly leg: string;
  readonly control: string;
}

/** What routing decided, with every id the call will need. */
export type Plan =
  | { readonly to: 'refuse'; readonly ending: Ending }
  | { readonly to: 'service'; readonly service: BuiltIn; readonly leg: FreshLeg }
  | {
      readonly to: 'user';
      readonly userName: string;
      readonly ringAll: boolean;
      readonly rejectCode: number;
      readonly codecs: readonly CodecName[];
      /** How digits are sent to phones of the connection; browsers get RFC 4733. */
      readonly dtmf: 'rfc4733' | 'info';
      /** How long the clients of the connection may ring. */
      readonly ringMs: Ms;
      /** How they are told the caller's number, and whose national numbers they read. */
      readonly ani: { readonly format: ConnectionEntry['aniFormat']; readonly country: string };
      /** The caller is a user of another account: shown by its name or a number of its own. */
      readonly foreign: boolean;
      /** `quality`: the clients' order stands; `capacity`: the caller's trunk codec goes first. */
      readonly policy: 'quality' | 'capacity';
    }
  | {
      readonly to: 'trunk';
      readonly number: string;
      readonly trunks: readonly TrunkFacts[];
      readonly leg: FreshLeg;
    };

/** A binding of the callee; voice has drawn the leg id. */
export interface ContactFacts extends FreshLeg {
  readonly uri: Uri;
  /** A browser behind `vsp`; otherwise a phone. */
  readonly client: boolean;
  /** Its media is WebRTC: every client's, and that of phones that registered over a WebSocket. */
  readonly webrtc: boolean;
  /** By which IP version a phone signals, if known. */
  readonly family: Family | null;
}

export const legOf = (call: Call, id: string): Leg | undefined => call.legs.find((l) => l.id === id);

/** The session a leg belongs to: a leg keeps the one it began in, and the target of a transfer shares that of its transfer. */
export const sessionOf = (call: Call, leg: Leg): string => leg.from?.session ?? call.origin ?? call.id;

/** The leg bridged with (or heard by) the caller, if any. */
export function peerOfCaller(call: Call): Leg | undefined {
  const id = call.state.name === 'answering' || call.state.name === 'up' ? call.state.peer : call.early;
  return id === null ? undefined : legOf(call, id);
}

/** The other side of `leg` in the bridge; nobody during a transfer. */
export function otherSide(call: Call, leg: Leg): Leg | undefined {
  const peer = peerOfCaller(call);
  if (peer === undefined || call.transfer !== null) return undefined;
  if (leg.id === call.legs[0]?.id) return peer;
  return leg.id === peer.id ? call.legs[0] : undefined;
}

/** When the call wants a tick. */
export function callDeadline(call: Call): Ms | null {
  let next: Ms | null = null;
  const state = call.state;
  if (state.name === 'looking-up' || state.name === 'calling' || state.name === 'up') next = state.until;
  for (const leg of call.legs) {
    if (leg.phase === 'up' && leg.probeAt !== null && (next === null || leg.probeAt < next))
      next = leg.probeAt;
    if (leg.phase === 'cancelling' && leg.giveUpAt !== null && (next === null || leg.giveUpAt < next))
      next = leg.giveUpAt;
  }
  return next;
}

/** Nobody has answered it yet. */
export const isEarly = ({ state: { name } }: Call): boolean =>
  name !== 'up' && name !== 'ending' && name !== 'over';
