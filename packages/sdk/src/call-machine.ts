/**
 * The states of one call, without browser or server: a record and a total `step`. An input that does not fit the state changes
 * nothing, so that late or repeated frames (a reply after the answer, a second ringing) are harmless.
 *
 *   outbound  new ─inviteSent→ requesting ─inviteAccepted→ trying ─(remoteRinging)→ trying | ringing ─earlyMedia→ early
 *                                   └────────────┴───────────────── remoteAnswered ──────────┴──────────────┴────→ active
 *   inbound   new ─incoming→ ringing ─answerSent→ answering ─answerAccepted→ active
 *   both      active ⇄ held      any ─end→ hangup ─released→ destroy      any ─purge→ purge
 */

/** `call.state`, with the names of the published SDK. */
export type RawState =
  | 'new'
  | 'requesting'
  | 'trying'
  | 'ringing'
  | 'answering'
  | 'early'
  | 'active'
  | 'held'
  | 'hangup'
  | 'destroy'
  | 'purge';

/** `call.commonState`: the six states that the SDKs of all platforms share. */
export type CommonState = 'NEW' | 'CONNECTING' | 'RINGING' | 'ACTIVE' | 'HELD' | 'DONE';

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
  | 'end'
  | 'released'
  | 'purge';

/** A new call. `rawRinging`: see {@link CallState}. */
export function newCallState(direction: CallState['direction'], rawRinging: boolean): CallState {
  return { direction, raw: 'new', previous: 'new', alerting: false, answered: false, rawRinging };
}

const WAITING: readonly RawState[] = ['requesting', 'trying', 'ringing'];
const OVER: readonly RawState[] = ['hangup', 'destroy', 'purge'];

/** The call is over or ends. */
export const isOver = (state: CallState): boolean => OVER.includes(state.raw);

/** The state after an input; the same object when the input does not fit. */
export function stepCall(state: CallState, input: CallInput): CallState {
  const { raw, direction } = state;
  const outbound = direction === 'outbound';
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
    case 'held':
      return raw === 'active' ? to(state, 'held') : state;
    case 'resumed':
      return raw === 'held' ? to(state, 'active') : state;
    case 'end':
      return isOver(state) ? state : to(state, 'hangup');
    case 'released':
      return raw === 'hangup' ? to(state, 'destroy') : state;
    case 'purge':
      return raw === 'destroy' || raw === 'purge' ? state : to(state, 'purge');
  }
}

const to = (state: CallState, raw: RawState): CallState => ({ ...state, raw, previous: state.raw });
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
    case 'active':
      return 'ACTIVE';
    case 'held':
      return 'HELD';
    case 'hangup':
    case 'destroy':
    case 'purge':
      return 'DONE';
  }
}
