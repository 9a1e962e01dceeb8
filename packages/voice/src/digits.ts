import { otherSide } from './call.ts';
import type { Draft } from './draft.ts';
import { inMedia, type Leg } from './leg.ts';

/** Longest run of digits that waits behind an INFO. */
const MAX_WAITING = 128;

/**
 * Digits of a leg's peer that came as INFO: to the other side as RFC 4733, or one INFO a digit where its trunk wants
 * that, each behind the answer to the one before (UDP keeps no order). Digits never reach the log.
 */
export function onDigits(draft: Draft, from: string, digits: string): void {
  const leg = draft.leg(from);
  if (leg === undefined || leg.phase === 'over' || digits === '') return;
  draft.set(leg.id, { digitCount: leg.digitCount + digits.length });
  const other = otherSide(draft.call, leg);
  if (other === undefined) {
    draft.log('debug', 'digits without a listener', { leg: leg.id, count: digits.length });
    return;
  }
  draft.log('debug', 'digits', { leg: leg.id, count: digits.length });
  if (other.kind === 'service') {
    if (other.service === 'echo') toMedia(draft, leg, digits);
  } else if (other.dtmf === 'info') {
    asInfo(draft, other, digits);
  } else {
    toMedia(draft, other, digits);
  }
}

/** A digit of a leg's peer that came in its media, which relays it by itself unless digits leave as INFO. */
export function onMediaDigit(draft: Draft, from: string, digit: string): void {
  const leg = draft.leg(from);
  if (leg === undefined) return;
  const count = leg.digitCount + 1;
  draft.set(leg.id, { digitCount: count });
  draft.log('debug', 'media digit', { leg: leg.id, count });
  const other = otherSide(draft.call, leg);
  if (other?.dtmf === 'info' && other.source?.kind === 'leg') asInfo(draft, other, digit);
}

function asInfo(draft: Draft, to: Leg, digits: string): void {
  draft.set(to.id, { digits: (to.digits + digits).slice(0, MAX_WAITING) });
  sendNext(draft, to.id);
}

/** The peer answered (or did not) the INFO with the last digit. */
export function onDigitSent(draft: Draft, id: string, status: number): void {
  const leg = draft.leg(id);
  if (leg === undefined || !leg.digitOut) return;
  if (status >= 300) draft.log('warn', 'digit refused', { leg: id, status });
  draft.set(id, { digitOut: false });
  sendNext(draft, id);
}

function toMedia(draft: Draft, leg: Leg, digits: string): void {
  if (inMedia(leg)) draft.media('aside', { op: 'dtmf', leg: leg.id, digits });
}

/** Sends the next waiting digit of a leg that is answered. */
export function sendNext(draft: Draft, id: string): void {
  const leg = draft.leg(id);
  if (leg === undefined || leg.digitOut || leg.digits === '' || leg.phase !== 'up') return;
  const digit = leg.digits[0]!;
  draft.set(id, { digits: leg.digits.slice(1), digitOut: true });
  draft.emit({ type: 'sendDigit', leg: id, digit });
}
