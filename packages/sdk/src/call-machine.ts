/**
 * The states of one call, without browser or server: a record and a total `step`. An input that does not fit the state changes
 * nothing, so that late or repeated frames (a reply after the answer, a second ringing) are harmless.
 *
 *   outbound  new ─inviteSent→ requesting ─inviteAccepted→ trying ─(remoteRinging)→ trying | ringing ─earlyMedia→ early
 *                                   └────────────┴───────────────── remoteAnswered ──────────┴──────────────┴────→ active
 *   inbound   new ─incoming→ ringing ─answerSent→ answering ─answerAccepted→ active
 *   both      active ⇄ held      any ─end | drop | fail→ hangup ─released→ destroy      any ─purge→ purge
 *   recovery  any that lives ─recover→ recovering ─recovered→ active | held
 *
 * Beside the raw state runs what the person should know: between `away` and `back` (or a recovery) the call is RECONNECTING.
 */

/** `call.state`, with the names of the published SDK. */
export type RawState =
  | 'new'
  | 'requesting'
  | 'trying'
  | 'recovering'
  | 'ringing'
  | 'answering'
  | 'early'
  | 'active'
  | 'held'
  | 'hangup'
  | 'destroy'
  | 'purge';

/** `call.commonState`: the states that the SDKs of all platforms share. DONE, DROPPED and ERROR are final. */
export type CommonState =
  | 'NEW'
  | 'CONNECTING'
  | 'RINGING'
  | 'ACTIVE'
  | 'HELD'
  | 'RECONNECTING'
  | 'DROPPED'
  | 'DONE'
  | 'ERROR';

/** Why a call is RECONNECTING or was DROPPED. */
export type LossReason = 'networkLost' | 'networkSwitch' | 'serverError';

export interface CallState {
  readonly direction: 'inbound' | 'outbound';
  readonly raw: RawState;
  readonly previous: RawState;
  /** The far side of an outbound call rings. */
  readonly alerting: boolean;
  /** The call was active once. */
  readonly answered: boolean;
  /** An outbound call that rings is `ringing` in the raw state too. */
  readonly rawRinging: boolean;
  /** The way to the server, or that of the audio, is broken. */
  readonly away: LossReason | null;
  /** It is on hold when it comes back. */
  readonly wasHeld: boolean;
  readonly ending: 'DONE' | 'DROPPED' | 'ERROR';
}

export type CallInput =
  | 'inviteSent'
  | 'inviteAccepted'
  | 'remoteRinging'
  | 'earlyMedia'
  | 'remoteAnswered'
  | 'incoming'
  | 'answerSent'
  | 'answerAccepted'
  | 'held'
  | 'resumed'
  | { readonly away: LossReason }
  | 'back'
  | 'recover'
  | 'recovered'
  | 'end'
  | 'drop'
  | 'fail'
  | 'released'
  | 'purge';

/** A new call. `rawRinging`: see {@link CallState}. */
export function newCallState(
  direction: CallState['direction'],
  rawRinging: boolean,
  wasHeld = false,
): CallState {
  return {
    direction,
    raw: 'new',
    previous: 'new',
    alerting: false,
    answered: false,
    rawRinging,
    away: null,
    wasHeld,
    ending: 'DONE',
  };
}

const WAITING: readonly RawState[] = ['requesting', 'trying', 'ringing'];
const OVER: readonly RawState[] = ['hangup', 'destroy', 'purge'];

/** The call is over or ends. */
export const isOver = (state: CallState): boolean => OVER.includes(state.raw);

/** The state after an input; the same object when the input does not fit. */
export function stepCall(state: CallState, input: CallInput): CallState {
  const { raw, direction } = state;
  const outbound = direction === 'outbound';
  if (typeof input === 'object')
    return raw === 'new' || isOver(state) || state.away !== null ? state : { ...state, away: input.away };
  switch (input) {
    case 'inviteSent':
      return outbound && raw === 'new' ? to(state, 'requesting') : state;
    case 'inviteAccepted':
      return raw === 'requesting' ? to(state, 'trying') : state;
    case 'remoteRinging': {
      if (!outbound || state.alerting || !(WAITING.includes(raw) || raw === 'early')) return state;
      const rings = { ...state, alerting: true };
      return state.rawRinging && raw !== 'early' ? to(rings, 'ringing') : rings;
    }
    case 'earlyMedia':
      return outbound && WAITING.includes(raw) ? to(state, 'early') : state;
    case 'remoteAnswered':
      return outbound && (WAITING.includes(raw) || raw === 'early') ? active(state) : state;
    case 'incoming':
      return !outbound && raw === 'new' ? to(state, 'ringing') : state;
    case 'answerSent':
      return !outbound && raw === 'ringing' ? to(state, 'answering') : state;
    case 'answerAccepted':
      return raw === 'answering' ? active(state) : state;
    // Asked before a recovery and confirmed in it: so it comes back.
    case 'held':
      if (raw === 'recovering') return { ...state, wasHeld: true };
      return raw === 'active' ? to(state, 'held') : state;
    case 'resumed':
      if (raw === 'recovering') return { ...state, wasHeld: false };
      return raw === 'held' ? to(state, 'active') : state;
    case 'back':
      return state.away === null || raw === 'recovering' || isOver(state) ? state : { ...state, away: null };
    case 'recover': {
      if (raw === 'recovering' || isOver(state)) return state;
      return { ...to(state, 'recovering'), wasHeld: raw === 'held' || (raw === 'new' && state.wasHeld) };
    }
    case 'recovered':
      return raw === 'recovering'
        ? { ...active(state), raw: state.wasHeld ? 'held' : 'active', away: null }
        : state;
    case 'end':
      return end(state, 'DONE');
    case 'drop':
      return end(state, 'DROPPED');
    case 'fail':
      return end(state, 'ERROR');
    case 'released':
      return raw === 'hangup' ? to(state, 'destroy') : state;
    case 'purge':
      return raw === 'destroy' || raw === 'purge' ? state : to(state, 'purge');
  }
}

const to = (state: CallState, raw: RawState): CallState => ({ ...state, raw, previous: state.raw });
const end = (state: CallState, ending: CallState['ending']): CallState =>
  isOver(state) ? state : { ...to(state, 'hangup'), ending };
const active = (state: CallState): CallState => ({ ...to(state, 'active'), answered: true });

/** The common name of a state. Early media without ringing is still CONNECTING. */
export function commonStateOf(state: CallState): CommonState {
  switch (state.raw) {
    case 'new':
      return 'NEW';
    case 'ringing':
      return 'RINGING';
    case 'requesting':
    case 'trying':
    case 'early':
      return state.alerting ? 'RINGING' : 'CONNECTING';
    case 'answering':
      return 'CONNECTING';
    case 'recovering':
      return 'RECONNECTING';
    case 'active':
      return state.away === null ? 'ACTIVE' : 'RECONNECTING';
    case 'held':
      return state.away === null ? 'HELD' : 'RECONNECTING';
    case 'hangup':
    case 'destroy':
    case 'purge':
      return state.ending;
  }
}
