import type { MediaReply, StreamedAs } from '@sidetone/wire';
import { type Branch, rings } from '../leg/branch.ts';
import { isEnding, type Leg } from '../leg/leg.ts';
import type { LegDraft } from '../leg/leg-draft.ts';
import type { LegInput } from '../message.ts';
import type { Stream } from './activity.ts';

/*
 * The leg's sound by WebSocket. Media holds the socket; of a leg that we call it is opened while the far end rings.
 *
 *   asked ──a branch with media──▶ connecting ──answered──▶ beginning ──media: open──▶ open, told ──stop, the end──▶ gone, told
 *             ▲                        │                                   └── media: failed ──▶ gone, told
 *             └── that branch is gone ─┘
 *
 * It goes with the leg wherever that is. Without an answer it is gone without a word.
 */

type Of<T extends LegInput['type']> = Extract<LegInput, { type: T }>;

export function onStream(draft: LegDraft, { type: _, ...asked }: Of<'stream'>): void {
  if (isEnding(draft.leg) || draft.leg.activities.stream !== null) return;
  draft.act({ stream: { ...asked, branch: null, state: 'asked' } });
}

export function onStopStream(draft: LegDraft): void {
  const { stream } = draft.leg.activities;
  if (stream === null) return;
  takeBack(draft, stream);
  over(draft, stream);
}

/** Digits of the peer that did not come in its media. */
export function streamDigits(draft: LegDraft, digits: string): void {
  const { stream } = draft.leg.activities;
  if (stream?.branch != null)
    draft.media('aside', { op: 'streamDigits', leg: stream.branch, id: stream.id, digits });
}

/** What media tells of the socket. */
export function onStreamed(draft: LegDraft, { branch, id, state, reason }: Of<'streamed'>): void {
  const { stream } = draft.leg.activities;
  if (stream === null || stream.id !== id || stream.branch !== branch) return;
  if (state === 'failed') failed(draft, stream, reason ?? 'unknown');
  else if (state === 'closed') over(draft, stream);
  else if (stream.state !== 'open') {
    draft.act({ stream: { ...stream, state: 'open' } });
    draft.news({ type: 'streamStarted', stream: namesOf(stream) });
  }
}

/** Media's answer to the command. */
export function onStreamReply(draft: LegDraft, reply: MediaReply): void {
  const { stream } = draft.leg.activities;
  if (reply.ok || stream === null) return;
  draft.log('warn', 'media does not stream', { error: reply.error });
  failed(draft, stream, 'the stream could not be begun');
}

/** The leg is over: a stream that was told as begun is told as ended. Media ends it with its leg. */
export function abandonStream(draft: LegDraft): void {
  const { stream } = draft.leg.activities;
  if (stream !== null) over(draft, stream);
}

/** It is connected as soon as there is a branch to stream, and begins with the answer. */
export function settleStream(draft: LegDraft): void {
  const { stream } = draft.leg.activities;
  if (stream === null) return;
  const branch = branchFor(draft.leg);
  if (stream.branch !== null && stream.branch !== branch?.id) {
    takeBack(draft, stream);
    draft.act({ stream: { ...stream, branch: null, state: 'asked' } });
    if (branch === undefined) return;
  }
  if (branch === undefined) return;
  const isUp = draft.leg.state.name === 'up';
  const now = draft.leg.activities.stream!;
  if (now.branch === null) command(draft, now, branch.id, !isUp);
  else if (isUp && now.state === 'connecting') {
    draft.media('aside', { op: 'streamBegin', leg: branch.id, id: now.id, start: startOf(draft.leg, now) });
    draft.act({ stream: { ...now, state: 'beginning' } });
  }
}

/** The process before had it: what is said again changes nothing. */
export function resumeStream(draft: LegDraft): void {
  const { stream } = draft.leg.activities;
  if (stream === null || stream.branch === null || stream.branch !== draft.main?.id) return;
  say(draft, stream, stream.branch, false);
}

/** The one that answered, or, of those that ring, the first that has its media. */
function branchFor({ state, main, branches, direction }: Leg): Branch | undefined {
  const open = branches.filter(({ media }) => media.phase === 'open');
  if (main !== null) {
    const one = open.find(({ id }) => id === main);
    return state.name === 'up' || direction === 'ours' ? one : undefined;
  }
  return state.name === 'dialling' ? open.find(rings) : undefined;
}

function command(draft: LegDraft, stream: Stream, branch: string, waits: boolean): void {
  say(draft, stream, branch, waits);
  draft.act({ stream: { ...stream, branch, state: waits ? 'connecting' : 'beginning' } });
}

function say(draft: LegDraft, stream: Stream, branch: string, waits: boolean): void {
  const { id, ask } = stream;
  const start = startOf(draft.leg, stream);
  const about = { op: 'stream', leg: branch, id, ...ask, start } as const;
  draft.media('stream', waits ? { ...about, waits } : about);
}

/** What the other end of the socket reads of the call. */
function startOf(leg: Leg, { parameters }: Stream): string {
  const { control, session, from, to, program } = leg;
  return JSON.stringify({
    user_id: program?.account ?? '',
    call_control_id: control,
    call_session_id: session,
    from,
    to,
    tags: [],
    client_state: program?.clientState ?? null,
    custom_parameters: Object.fromEntries(parameters),
  });
}

function takeBack(draft: LegDraft, { id, branch }: Stream): void {
  const there = draft.branch(branch);
  if (there?.media.phase === 'open') draft.media('aside', { op: 'streamStop', leg: there.id, id });
}

function over(draft: LegDraft, stream: Stream): void {
  draft.act({ stream: null });
  if (stream.state === 'open') draft.news({ type: 'streamStopped', stream: namesOf(stream) });
}

function failed(draft: LegDraft, stream: Stream, reason: string): void {
  draft.act({ stream: null });
  draft.news({ type: 'streamFailed', stream: namesOf(stream), reason });
}

export const namesOf = ({ id, ask: { url, track } }: Stream): StreamedAs => ({ id, url, track });
