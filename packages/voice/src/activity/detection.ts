import type { MachineDetectionAsk } from '@sidetone/wire';
import type { LegDraft } from '../leg/leg-draft.ts';
import type { LegInput } from '../message.ts';
import type { Detection } from './activity.ts';

/*
 * Who has answered: a person says a short word and waits; a machine speaks on, or says nothing. Media tells speech, silence and beeps.
 *
 *   listening ── speech for longer than a greeting of a person, too many words, or nothing at all ──▶ machine
 *       │     ── a pause behind speech ──▶ human
 *       └──── time ──▶ not sure
 *   machine, where its end is asked for:  greeting ── beep, or a long pause ──▶ told      └── time ──▶ told as not sure
 *
 * Each of the two is told exactly once, unless the leg ends before.
 */

type Of<T extends LegInput['type']> = Extract<LegInput, { type: T }>;
type Result = 'human' | 'machine' | 'silence' | 'not_sure';

/** The leg has answered, with its media there. */
export function beginDetection(draft: LegDraft, ask: MachineDetectionAsk): void {
  const { main, now } = draft;
  if (main === undefined) return;
  draft.media('aside', { op: 'listen', leg: main.id, on: true });
  const quiet = { spokeAt: null, quietAt: now, words: 0 };
  set(draft, { ask, state: 'listening', began: now, ...quiet, until: now });
}

export function onHeard(draft: LegDraft, { what }: Of<'heard'>): void {
  const { detection } = draft.leg.activities;
  if (detection === null) return;
  const { now } = draft;
  if (what === 'beep') {
    if (detection.state === 'greeting') greetingOver(draft, detection, 'beep_detected');
  } else if (what === 'speech') {
    const spokeAt = detection.spokeAt ?? now;
    set(draft, { ...detection, spokeAt, quietAt: null, words: detection.words + 1 });
  } else set(draft, { ...detection, quietAt: now });
}

/** What the time that has passed means. */
export function settleDetection(draft: LegDraft): void {
  const { detection } = draft.leg.activities;
  if (detection === null) return;
  if (detection.state === 'listening') listening(draft, detection);
  else greeting(draft, detection);
}

function listening(draft: LegDraft, detection: Detection): void {
  const { ask, began, spokeAt, quietAt, words } = detection;
  const { now } = draft;
  const passed = (since: number | null, ms: number): boolean => since !== null && now - since >= ms;
  if (spokeAt === null && passed(began, ask.initialSilenceMs)) return detected(draft, detection, 'silence');
  if (words > ask.maxWords) return detected(draft, detection, 'machine');
  if (spokeAt !== null && quietAt === null && passed(spokeAt, ask.greetingMs))
    return detected(draft, detection, 'machine');
  if (spokeAt !== null && passed(quietAt, ask.afterGreetingSilenceMs))
    return detected(draft, detection, 'human');
  if (passed(began, ask.totalMs)) return detected(draft, detection, 'not_sure');
  const due = [began + ask.totalMs];
  if (spokeAt === null) due.push(began + ask.initialSilenceMs);
  else if (quietAt === null) due.push(spokeAt + ask.greetingMs);
  else due.push(quietAt + ask.afterGreetingSilenceMs);
  wait(draft, detection, Math.min(...due));
}

function detected(draft: LegDraft, detection: Detection, result: Result): void {
  const { mode } = detection.ask;
  if (mode === 'premium')
    draft.news({
      type: 'premiumMachineDetected',
      result: result === 'human' ? 'human_residence' : result,
    });
  else draft.news({ type: 'machineDetected', result: result === 'silence' ? 'machine' : result });
  const isMachine = result === 'machine' || result === 'silence';
  const waits = isMachine && (mode === 'detect_beep' || mode === 'greeting_end' || mode === 'premium');
  if (waits) set(draft, { ...detection, state: 'greeting', began: draft.now });
  else end(draft);
}

function greeting(draft: LegDraft, detection: Detection): void {
  const { ask, began, quietAt } = detection;
  const { now } = draft;
  const all = began + ask.greetingTotalMs;
  // Who waits for a beep waits on when the machine has said its words.
  const pause = quietAt === null || ask.mode === 'detect_beep' ? all : quietAt + ask.greetingSilenceMs;
  if (now >= all) return greetingOver(draft, detection, 'not_sure');
  if (now >= pause) return greetingOver(draft, detection, 'ended');
  wait(draft, detection, Math.min(all, pause));
}

function greetingOver(
  draft: LegDraft,
  { ask: { mode } }: Detection,
  result: 'beep_detected' | 'ended' | 'not_sure',
): void {
  const beep = result === 'beep_detected';
  if (mode === 'premium')
    draft.news({ type: 'premiumGreetingEnded', result: beep ? 'beep_detected' : 'no_beep_detected' });
  else draft.news({ type: 'greetingEnded', result });
  end(draft);
}

function end(draft: LegDraft): void {
  draft.act({ detection: null });
  const { main } = draft;
  if (main?.media.phase === 'open') draft.media('aside', { op: 'listen', leg: main.id, on: false });
}

/** The process before was listening: so is this one. */
export function resumeDetection(draft: LegDraft): void {
  const { main, leg } = draft;
  if (leg.activities.detection !== null && main !== undefined)
    draft.media('aside', { op: 'listen', leg: main.id, on: true });
}

const set = (draft: LegDraft, detection: Detection): void => draft.act({ detection });

function wait(draft: LegDraft, detection: Detection, until: number): void {
  if (detection.until !== until) set(draft, { ...detection, until });
}
