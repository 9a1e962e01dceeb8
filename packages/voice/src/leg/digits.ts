import type { Ms } from '@sidetone/core';
import { streamDigits } from '../activity/stream.ts';
import { inMedia } from './branch.ts';
import { isEnding } from './leg.ts';
import type { LegDraft } from './leg-draft.ts';

/** Longest run of digits that waits behind an INFO. */
const MAX_WAITING = 128;

/** Digits of the peer that came as INFO: to whoever is on the other side, and never to the log. */
export function onDigits(draft: LegDraft, digits: string): void {
  if (isEnding(draft.leg) || digits === '') return;
  for (const digit of digits) draft.news({ type: 'digit', digit });
  streamDigits(draft, digits);
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

/** How long a digit takes as RFC 4733 where nothing is said, with the gap behind it. */
const DIGIT_MS = 250;
const GAP_MS = 100;
const PAUSE_MS: Readonly<Record<string, Ms>> = { w: 500, W: 1_000 };

/**
 * Digits for the peer: as RFC 4733, or one INFO a digit where its trunk wants that, each behind the answer to the one before
 * (UDP keeps no order). `w` and `W` among them are pauses.
 */
export function sendDigits(draft: LegDraft, digits: string, durationMs?: Ms): void {
  const branch = draft.branch(draft.leg.main ?? draft.leg.early);
  if (branch === undefined || branch.phase === 'over') return;
  const waits = branch.dtmf === 'info' || branch.digits.waiting !== '' || branch.digits.until !== null;
  if (waits || /w/i.test(digits)) {
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

/** A pause may be over. */
export function digitsDue(draft: LegDraft): void {
  const { main } = draft;
  if (main === undefined || main.digits.until === null || main.digits.until > draft.now) return;
  draft.part(main.id, 'digits', { until: null });
  sendNext(draft);
}

/** Sends what waits for a leg that is answered, as far as it may leave now. */
export function sendNext(draft: LegDraft): void {
  const { main } = draft;
  if (main === undefined || main.phase !== 'up') return;
  const { waiting, out, until } = main.digits;
  if (out || until !== null || waiting === '') return;
  const pause = PAUSE_MS[waiting[0]!];
  if (pause !== undefined) {
    draft.part(main.id, 'digits', { waiting: waiting.slice(1), until: draft.now + pause });
  } else if (main.dtmf === 'info') {
    draft.part(main.id, 'digits', { waiting: waiting.slice(1), out: true });
    draft.emit({ type: 'sendDigit', leg: draft.leg.id, branch: main.id, digit: waiting[0]! });
  } else if (inMedia(main)) {
    const run = /^[^wW]+/.exec(waiting)![0];
    const rest = waiting.slice(run.length);
    const lasts = run.length * (DIGIT_MS + GAP_MS);
    draft.part(main.id, 'digits', { waiting: rest, until: rest === '' ? null : draft.now + lasts });
    draft.media('aside', { op: 'dtmf', leg: main.id, digits: run, durationMs: DIGIT_MS, gapMs: GAP_MS });
  }
}
