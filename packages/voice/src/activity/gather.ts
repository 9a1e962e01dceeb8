import type { Ms } from '@sidetone/core';
import type { SoundAsk } from '@sidetone/wire';
import type { LegDraft } from '../leg/leg-draft.ts';
import type { LegInput } from '../message.ts';
import { type Gather, newPlay } from './activity.ts';
import { addPlay, endPlay, playOf, stopPlays } from './play.ts';

/* Gathering digits. Exactly one end is told, whatever happens. */

type Of<T extends LegInput['type']> = Extract<LegInput, { type: T }>;
type Status = 'valid' | 'invalid' | 'timeout' | 'call_hangup' | 'cancelled';

/** A new one takes the place of the one before. */
export function onGather(draft: LegDraft, { id, ask }: Of<'gather'>): void {
  cancelGather(draft, 'cancelled');
  if (ask.prompt !== undefined) stopPlays(draft, 'all', false);
  const gather: Gather = { id, ask, state: 'prompting', digits: '', tries: 0, until: null, allBy: null };
  attempt(draft, gather, ask.prompt);
}

/** One more try: a prompt, if there is one, and then digits. */
function attempt(draft: LegDraft, gather: Gather, prompt: SoundAsk | undefined): void {
  const tries = gather.tries + 1;
  if (prompt === undefined) return collect(draft, { ...gather, tries, digits: '' });
  draft.act({ gather: { ...gather, tries, digits: '', state: 'prompting', until: null, allBy: null } });
  addPlay(draft, newPlay(`${gather.id}-${tries}`, prompt, 1, false));
}

const promptOf = ({ id, tries }: Gather): string => `${id}-${tries}`;

function collect(draft: LegDraft, gather: Gather): void {
  const { timeoutMs, initialMs } = gather.ask;
  const allBy = draft.now + timeoutMs;
  const until = Math.min(allBy, draft.now + initialMs);
  draft.act({ gather: { ...gather, state: 'collecting', until, allBy } });
}

/** A digit of the peer; it also ends the prompt. */
export function gatherDigit(draft: LegDraft, digit: string): void {
  const { gather } = draft.leg.activities;
  if (gather === null) return;
  const { ask } = gather;
  const allBy = gather.allBy ?? draft.now + ask.timeoutMs;
  if (gather.state === 'prompting') {
    const prompt = playOf(draft, promptOf(gather));
    if (prompt !== undefined) endPlay(draft, prompt, 'cancelled', true);
  }
  const collecting: Gather = { ...gather, state: 'collecting', allBy };
  if (digit === ask.terminating) return complete(draft, collecting);
  const digits = gather.digits + digit;
  if (!ask.valid.includes(digit)) return again(draft, { ...collecting, digits }, 'invalid');
  if (digits.length >= ask.maxDigits) return complete(draft, { ...collecting, digits });
  const until: Ms = Math.min(allBy, draft.now + ask.interDigitMs);
  draft.act({ gather: { ...collecting, digits, until } });
}

/** All that will come has come. */
function complete(draft: LegDraft, gather: Gather): void {
  if (gather.digits.length >= gather.ask.minDigits) finish(draft, gather, 'valid');
  else again(draft, gather, 'invalid');
}

function again(draft: LegDraft, gather: Gather, status: Status): void {
  const { tries, prompt, invalidPrompt } = gather.ask;
  if (gather.tries >= tries || prompt === undefined) finish(draft, gather, status);
  else attempt(draft, gather, invalidPrompt ?? prompt);
}

function finish(draft: LegDraft, { digits, ask }: Gather, status: Status): void {
  draft.act({ gather: null });
  draft.news({ type: 'gathered', digits, status, gatherId: ask.gatherId ?? null });
}

export function cancelGather(draft: LegDraft, status: 'cancelled' | 'call_hangup'): void {
  const { gather } = draft.leg.activities;
  if (gather === null) return;
  const prompt = playOf(draft, promptOf(gather));
  if (prompt !== undefined && status === 'cancelled') endPlay(draft, prompt, 'cancelled', true);
  finish(draft, gather, status);
}

/** Its prompt is over, or its time. */
export function settleGather(draft: LegDraft): void {
  const { gather } = draft.leg.activities;
  if (gather === null) return;
  if (gather.state === 'prompting') {
    if (playOf(draft, promptOf(gather)) === undefined) collect(draft, gather);
    return;
  }
  if (gather.until === null || gather.until > draft.now) return;
  if (gather.digits.length >= gather.ask.minDigits) finish(draft, gather, 'valid');
  else again(draft, gather, gather.digits === '' ? 'timeout' : 'invalid');
}
