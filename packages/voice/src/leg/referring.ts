import type { LegInput } from '../message.ts';
import { isEnding } from './leg.ts';
import type { LegDraft } from './leg-draft.ts';

/*
 * We ask the peer of a leg to call somebody else (RFC 3515). Its subscription tells how that gets on (RFC 3515 §2.4.4):
 *
 *   REFER ──2xx──▶ NOTIFY 1xx … ──▶ NOTIFY ≥ 200: told as the end
 *     └── ≥ 300: told as failed
 */

type Of<T extends LegInput['type']> = Extract<LegInput, { type: T }>;

export function onSendRefer(draft: LegDraft, { address, headers }: Of<'sendRefer'>): void {
  const { main, leg } = draft;
  if (leg.program === null || main?.phase !== 'up') return;
  draft.set({ program: { ...leg.program, referring: true } });
  draft.emit({ type: 'sendRefer', leg: leg.id, branch: main.id, address, headers });
  draft.news({ type: 'referStarted' });
}

export function onReferAnswered(draft: LegDraft, { status }: Of<'referAnswered'>): void {
  if (status >= 300) end(draft, status);
}

export function onReferNotified(draft: LegDraft, { status, final }: Of<'referNotified'>): void {
  // A subscription that ends without a word of the call: nobody knows (RFC 3515 §2.4.7).
  if (status >= 200) end(draft, status);
  else if (final) end(draft, 487);
}

function end(draft: LegDraft, status: number): void {
  const { program } = draft.leg;
  if (program === null || !program.referring || isEnding(draft.leg)) return;
  draft.set({ program: { ...program, referring: false } });
  draft.news(status < 300 ? { type: 'referCompleted', status } : { type: 'referFailed', status });
}
