import type { Ms } from './time.ts';

/** What a machine does with one input: its next state and what the world must do about it. */
export interface Step<S, O> {
  readonly state: S;
  readonly out: readonly O[];
}

/**
 * Protocol logic without a world: no socket, timer, clock, random source, promise or logger.
 *
 * - State is a union of plain records, so it can be printed, journalled and adopted by another process.
 * - `step` is total: every (state, input) pair has an answer. An illegal input from a peer is an output; a bug throws.
 * - Time is data: `now` comes in, the next deadline lies in the state. There is nothing to cancel.
 *
 * A machine that needs settings takes them as a last argument of `step` (a session of `vsp`). The dialogs of the user agent in `sip` are
 * not of this form: a command may touch several, so they are changed in place by its functions, and printed by `snapshot`.
 */
export interface Machine<S, I, O> {
  readonly name: string;
  step(state: S, input: I, now: Ms): Step<S, O>;
  /** When the machine wants a `{ type: 'tick' }` input, or `null`. */
  deadline(state: S): Ms | null;
}
