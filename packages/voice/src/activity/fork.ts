import type { MediaReply } from '@sidetone/wire';
import { isEnding } from '../leg/leg.ts';
import type { LegDraft } from '../leg/leg-draft.ts';
import type { LegInput } from '../message.ts';
import type { Forking } from './activity.ts';

/*
 * Copies of the leg's RTP to somebody else.
 *
 *   asked ──the leg is up──▶ beginning ──media: ok──▶ on, told ──stop, the end──▶ gone, told
 *                                └── media refuses the target ──▶ gone, told
 */

type Of<T extends LegInput['type']> = Extract<LegInput, { type: T }>;

export function onFork(draft: LegDraft, { id, ask }: Of<'fork'>): void {
  if (isEnding(draft.leg) || draft.leg.activities.fork !== null) return;
  draft.act({ fork: { id, ask, state: 'asked' } });
}

export function onStopFork(draft: LegDraft): void {
  const { main, leg } = draft;
  const { fork } = leg.activities;
  if (fork === null) return;
  if (fork.state !== 'asked' && main?.media.phase === 'open')
    draft.media('aside', { op: 'forkStop', leg: main.id, id: fork.id });
  over(draft, fork);
}

/** Media's answer to the command. */
export function onForkReply(draft: LegDraft, reply: MediaReply): void {
  const { fork } = draft.leg.activities;
  if (fork?.state !== 'beginning') return;
  if (reply.ok) {
    draft.act({ fork: { ...fork, state: 'on' } });
    draft.news({ type: 'forkStarted' });
    return;
  }
  draft.log('warn', 'media does not fork', { error: reply.error, why: reply.message });
  draft.act({ fork: null });
  draft.news({ type: 'forkStopped' });
}

export function settleFork(draft: LegDraft): void {
  const { main, leg } = draft;
  const { fork } = leg.activities;
  if (fork?.state !== 'asked' || leg.state.name !== 'up' || main?.media.phase !== 'open') return;
  draft.act({ fork: { ...fork, state: 'beginning' } });
  draft.media('fork', { op: 'fork', leg: main.id, id: fork.id, ...fork.ask });
}

/** The process before had it: what is said again changes nothing. */
export function resumeFork(draft: LegDraft): void {
  const { main, leg } = draft;
  const { fork } = leg.activities;
  if (fork === null || fork.state === 'asked' || main === undefined) return;
  draft.media('fork', { op: 'fork', leg: main.id, id: fork.id, ...fork.ask });
}

/** The leg is over. */
export function abandonFork(draft: LegDraft): void {
  const { fork } = draft.leg.activities;
  if (fork !== null) over(draft, fork);
}

function over(draft: LegDraft, { state }: Forking): void {
  draft.act({ fork: null });
  if (state === 'on') draft.news({ type: 'forkStopped' });
}
