import { type EpochMs, earliest, type Family, type Ms } from '@sidetone/core';
import type {
  CallRecord,
  CodecName,
  ConnectionEntry,
  Direction,
  OpusAsk,
  Source,
  Trunk,
} from '@sidetone/wire';
import { type Activities, IDLE } from '../activity/activity.ts';
import type { Place } from '../place/place.ts';
import type { Branch } from './branch.ts';
import type { Ending } from './ending.ts';
import type { Extra } from './headers.ts';
import type { Program } from './program.ts';

/*
 * One party, from its first moment to its record.
 *
 *  theirs  offered ──answer──▶ answering ──media, 200──▶ up ──BYE, end──▶ ending ──closed──▶ over
 *             └─ refused, CANCEL ────────────────────────────────────────▲
 *  ours    dialling ──2xx──▶ accepting ──media──▶ up                      │
 *             └─ no binding, refused by all, ring limit ─────────────────┘
 *
 * `ending` waits for final responses to our CANCELs and for the statistics of closed media, nothing else.
 */
export type LegState =
  /** `until`: nobody waits for it; how long it may be parked. */
  | { readonly name: 'offered'; readonly until?: Ms }
  /** Its 200 waits for media; with these headers. */
  | { readonly name: 'answering'; readonly headers: Extra; readonly behind?: readonly Behind[] }
  /** `looking`: of how many of its users it is being asked where they are registered. */
  | { readonly name: 'dialling'; readonly until: Ms; readonly looking: number }
  | { readonly name: 'accepting' }
  | { readonly name: 'up'; readonly until: Ms }
  | { readonly name: 'ending'; readonly ending: Ending }
  | { readonly name: 'over'; readonly ending: Ending };

/** What a command wants sent, in a dialog that is not there before the answer. */
export type Behind =
  | { readonly type: 'sendInfo'; readonly contentType: string; readonly body: string }
  | { readonly type: 'sendRefer'; readonly address: string; readonly headers: Extra };

/** A plain record: it can be printed, journalled, and adopted by another process. */
export interface Leg {
  /** UUID. */
  readonly id: string;
  /** `v3:` and opaque text: the shard, and random bytes (`ids.ts`). */
  readonly control: string;
  /** The session: a label that all legs of one conversation begin with, and keep. UUID. */
  readonly session: string;
  /** `theirs`: they sent the INVITE. */
  readonly direction: 'theirs' | 'ours';
  /** The proven user, or the user who is called. */
  readonly userName?: string;
  /** For the record: who calls, and what was dialled. */
  readonly from: string;
  readonly to: string;
  /** The party on this leg, as others are shown it. */
  readonly party: { readonly name?: string; readonly number: string };
  readonly state: LegState;
  /** Ringing: one or more; otherwise the one that `main` names. */
  readonly branches: readonly Branch[];
  /** The branch that is the leg: of a party that calls, the one it called by; of one that is called, the one that answered. */
  readonly main: string | null;
  /** The branch whose early media is heard. */
  readonly early: string | null;
  readonly place: Place | null;
  /** What a back end is told of it and has asked of it. */
  readonly program: Program | null;
  /** What it plays and gathers. */
  readonly activities: Activities;
  /** How it is called; null: it called us, or is answered. */
  readonly dial: Dial | null;
  /** X- headers of its 2xx, for the other side's. */
  readonly answerHeaders: Extra;
  /** Some way to it has said that it is there. */
  readonly progressed: boolean;
  /** Provisional statuses its peer has heard. */
  readonly rung: readonly number[];
  /** What its place wants it to hear and to state. */
  readonly audio: Audio;
  /** Digits its peer pressed, as far as they came as INFO or were reported. */
  readonly digitCount: number;
  /** REFERs that its peer sent. */
  readonly refers: number;
  readonly transfer: NonNullable<CallRecord['transfer']> | null;
  /** It was joined with legs of this session. */
  readonly joined?: string;
  /** What it counts against: `limits/`. */
  readonly counts: readonly string[];
  /** Add it to a monotonic time to get the wall-clock stamp of a record. */
  readonly epochOffset: EpochMs;
  readonly startedAt: Ms;
  readonly answeredAt: Ms | null;
  readonly endedAt: Ms | null;
}

/** What a place wants of a leg: `place/audio.ts`. */
export interface Audio {
  /** null: nothing is to be told yet. */
  readonly hears: Source | null;
  /** What we state towards the peer. */
  readonly states: Direction;
  /** RTP that stays away is no failure. */
  readonly maySilent: boolean;
  /** Nobody is on the other side: no re-INVITE of ours. */
  readonly alone: boolean;
}

export const ALONE: Audio = { hears: null, states: 'sendrecv', maySilent: true, alone: true };

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

/** `family`: of its address. `branch`: it is the first of a further run (`trunk-runs.ts`), which is called by this branch. */
export type TrunkFacts = Pick<Trunk, 'name' | 'codecs' | 'dtmf' | 'policy'> & {
  readonly family?: Family;
  readonly branch?: string;
};

/** Whom to call, on every way there is. */
export type Callee =
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
  | { readonly to: 'trunk'; readonly number: string; readonly trunks: readonly TrunkFacts[] };

/** One of those who are called at once. */
export interface Target {
  readonly callee: Callee;
  /** What was dialled for it. */
  readonly dialled: string;
  /** The id of its first branch. */
  readonly branch: string;
}

export interface Dial {
  /** All ring, the first answer wins; at least one. */
  readonly targets: readonly [Target, ...Target[]];
  readonly caller: Caller;
  /** What the other side speaks, and wants to receive in Opus. */
  readonly codecs: readonly CodecName[];
  readonly opus: OpusAsk;
  readonly ringMs: Ms;
}

type Fresh = Pick<
  Leg,
  'id' | 'control' | 'session' | 'direction' | 'from' | 'to' | 'party' | 'state' | 'epochOffset' | 'startedAt'
> &
  Partial<Pick<Leg, 'userName' | 'branches' | 'main' | 'place' | 'program' | 'dial' | 'counts'>>;

export function newLeg(facts: Fresh): Leg {
  return {
    branches: [],
    main: null,
    place: null,
    program: null,
    dial: null,
    counts: [],
    ...facts,
    early: null,
    activities: IDLE,
    answerHeaders: [],
    progressed: false,
    rung: [],
    audio: ALONE,
    digitCount: 0,
    refers: 0,
    transfer: null,
    answeredAt: null,
    endedAt: null,
  };
}

export const branchOf = (leg: Leg, id: string | null): Branch | undefined =>
  id === null ? undefined : leg.branches.find((branch) => branch.id === id);

/** The branch that is the leg, once there is one. */
export const mainOf = (leg: Leg): Branch | undefined => branchOf(leg, leg.main);

/** The branch that others hear: the one that answered, or the one with early media. */
export const heardOf = (leg: Leg): Branch | undefined => branchOf(leg, leg.main ?? leg.early);

export const kindOf = (leg: Leg): Branch['kind'] | undefined => (mainOf(leg) ?? leg.branches[0])?.kind;

/** How it ends, once that is decided. */
export const endingOf = ({ state }: Leg): Ending | undefined =>
  state.name === 'ending' || state.name === 'over' ? state.ending : undefined;

export const isEnding = (leg: Leg): boolean => endingOf(leg) !== undefined;

/** Nobody has answered it yet. */
export const isEarly = (leg: Leg): boolean => leg.state.name !== 'up' && !isEnding(leg);

/** Whom a branch calls. */
export const targetOf = ({ targets }: Dial, branch: Branch | undefined): Target =>
  targets[branch?.callee ?? 0] ?? targets[0];

/** When the leg wants a tick. */
export function legDeadline(leg: Leg): Ms | null {
  let next: Ms | null = 'until' in leg.state ? (leg.state.until ?? null) : null;
  if (!isEnding(leg)) {
    const { program, activities } = leg;
    next = earliest(next, earliest(program?.firstCommandBy ?? null, activities.gather?.until ?? null));
    next = earliest(next, activities.detection?.until ?? null);
    if (leg.place?.in === 'queue') next = earliest(next, leg.place.until);
  }
  for (const { phase, giveUpAt, attachment, digits } of leg.branches) {
    const due =
      phase === 'cancelling' ? giveUpAt : phase === 'up' ? earliest(attachment.probeAt, digits.until) : null;
    next = earliest(next, due);
  }
  return next;
}
