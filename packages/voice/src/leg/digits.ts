import type { Ms } from '@sidetone/core';
import { inMedia } from './branch.ts';
import { isEnding } from './leg.ts';
import type { LegDraft } from './leg-draft.ts';

/** Longest run of digits that waits behind an INFO. */
const MAX_WAITING = 128;

/** Digits of the peer that came as INFO: to whoever is on the other side, and never to the log. */
export function onDigits(draft: LegDraft, digits: string): void {
  if (isEnding(draft.leg) || digits === '') return;
  for (const digit of digits) draft.news({ type: 'digit', digit });
  draft.set({ digitCount: draft.leg.digitCount + digits.length });
  const { place } = draft.leg;
  draft.log('debug', place === null ? 'digits without a listener' : 'digits', { count: digits.length });
  if (place?.in === 'built-in') {
    if (place.service === 'echo') sendDigits(draft, digits);
  } else if (place !== null) draft.tell({ type: 'digits', leg: draft.leg.id, digits });
}

/** A digit of the peer that came in its media: whoever is on the other side may want it as INFO. */
export function onMediaDigit(draft: LegDraft, branch: string, digit: string): void {
  if (isEnding(draft.leg)) return;
  draft.set({ digitCount: draft.leg.digitCount + 1 });
  draft.news({ type: 'digit', digit });
  draft.log('debug', 'media digit', { count: draft.leg.digitCount });
  if (draft.leg.place?.in === 'bridge') draft.tell({ type: 'mediaDigit', leg: draft.leg.id, branch, digit });
}

/**
 * Digits for the peer: as RFC 4733, or one INFO a digit where its trunk wants that, each behind the answer to the one before
 * (UDP keeps no order).
 */
export function sendDigits(draft: LegDraft, digits: string, durationMs?: Ms): void {
  const branch = draft.branch(draft.leg.main ?? draft.leg.early);
  if (branch === undefined || branch.phase === 'over') return;
  if (branch.dtmf === 'info') {
    draft.part(branch.id, 'digits', { waiting: (branch.digits.waiting + digits).slice(0, MAX_WAITING) });
    sendNext(draft);
  } else if (inMedia(branch)) {
    const lasting = durationMs === undefined ? {} : { durationMs };
    draft.media('aside', { op: 'dtmf', leg: branch.id, digits, ...lasting });
  }
}

/** The peer answered (or did not) the INFO with the last digit. */
export function onDigitSent(draft: LegDraft, id: string, status: number): void {
  const branch = draft.branch(id);
  if (branch === undefined || !branch.digits.out) return;
  if (status >= 300) draft.log('warn', 'digit refused', { status });
  draft.part(id, 'digits', { out: false });
  sendNext(draft);
}

/** Sends the next waiting digit of a leg that is answered. */
export function sendNext(draft: LegDraft): void {
  const { main } = draft;
  if (main === undefined || main.digits.out || main.digits.waiting === '' || main.phase !== 'up') return;
  const { waiting } = main.digits;
  draft.part(main.id, 'digits', { waiting: waiting.slice(1), out: true });
  draft.emit({ type: 'sendDigit', leg: draft.leg.id, branch: main.id, digit: waiting[0]! });
}
