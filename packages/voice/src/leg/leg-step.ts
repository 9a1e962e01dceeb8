import type { Machine, Ms, Step } from '@sidetone/core';
import { onHeard, settleDetection } from '../activity/detection.ts';
import { onFork, onForkReply, onStopFork, settleFork } from '../activity/fork.ts';
import { cancelGather, gatherDigit, onGather, settleGather } from '../activity/gather.ts';
import { onPlay, onPlayed, onPlayReply, onSound, settlePlays, stopPlays } from '../activity/play.ts';
import {
  onChangeRecording,
  onRecord,
  onRecorded,
  onRecordReply,
  settleRecording,
} from '../activity/recording.ts';
import { onStopStream, onStream, onStreamed, onStreamReply, settleStream } from '../activity/stream.ts';
import {
  onStopTranscribe,
  onTranscribe,
  onTranscribed,
  onTranscribeReply,
  onTranscript,
  settleTranscription,
} from '../activity/transcription.ts';
import type { LegInput, MediaTag } from '../message.ts';
import { onAnswer, onConfirmed, onEarly, onFirstAnswer, onOpen, onRing } from './answering.ts';
import { onAskHeard, onAttachment, onProbe, probeAgain } from './attachment.ts';
import { inMedia } from './branch.ts';
import {
  onAccept,
  onAccepted,
  onBindings,
  onDial,
  onFailed,
  onFirstOffer,
  onLimit,
  onLost,
  onProgress,
} from './dialling.ts';
import { digitsDue, onDigitSent, onDigits, onMediaDigit, sendDigits } from './digits.ts';
import { CAUSE, type Ending } from './ending.ts';
import { branchGone, endBranch, endLeg, giveUp, legGone, recordService, settle } from './finish.ts';
import { branchOf, isEnding, type Leg, legDeadline } from './leg.ts';
import { LegDraft, type LegOut, type LegSettings } from './leg-draft.ts';
import {
  isHeld,
  onNegotiationReply,
  onReinvite,
  onReinviteConfirmed,
  onReinviteResult,
  settleExchange,
} from './negotiation.ts';
import { isDone, withDone, withHook } from './program.ts';
import { keepQueued, leaveQueue, queueDue, settleQueued } from './queued.ts';
import { onReferAnswered, onReferNotified, onSendRefer } from './referring.ts';
import { onRestored } from './restored.ts';
import { leaveConference, onJoined, onMember } from './staying.ts';

type Of<T extends LegInput['type']> = Extract<LegInput, { type: T }>;

/** At most so many wait for an answer that media is working on. */
const MOST_BEHIND = 16;

/** The leg as a `Machine`; total for every state, free of effects. */
export function legMachine(settings: LegSettings): Machine<Leg, LegInput, LegOut> {
  return {
    name: 'leg',
    deadline: legDeadline,
    step: (leg, input, now) => stepLeg(leg, input, settings, now),
  };
}

export function stepLeg(leg: Leg, input: LegInput, settings: LegSettings, now: Ms): Step<Leg, LegOut> {
  if (leg.state.name === 'over') return { state: leg, out: [] };
  const draft = new LegDraft(leg, settings, now);
  if ('n' in input && input.n !== undefined && !isNew(draft, input.branch, input.n))
    return { state: leg, out: [] };
  const act = STEPS[input.type] as (draft: LegDraft, input: LegInput) => void;
  if (leg.state.name === 'answering' && (input.type === 'sendInfo' || input.type === 'sendRefer'))
    draft.to({ ...leg.state, behind: [...(leg.state.behind ?? []), input].slice(0, MOST_BEHIND) });
  else act(draft, input);
  if (leg.state.name === 'answering' && draft.leg.state.name === 'up')
    for (const waiting of leg.state.behind ?? [])
      (STEPS[waiting.type] as (draft: LegDraft, input: LegInput) => void)(draft, waiting);
  settleExchange(draft);
  if (leg.program !== null) tellHold(draft, leg);
  if (!isEnding(draft.leg)) {
    settleGather(draft);
    settlePlays(draft);
    settleDetection(draft);
    settleStream(draft);
    settleTranscription(draft);
    settleFork(draft);
    settleRecording(draft);
    settleQueued(draft);
  }
  settle(draft);
  return { state: draft.leg, out: draft.out };
}

/** Media tells its reports again when signalling is another process; each is read once. */
function isNew(draft: LegDraft, id: string, n: number): boolean {
  const branch = draft.branch(id);
  if (branch === undefined || n <= branch.reported) return false;
  draft.change(id, { reported: n });
  return true;
}

const STEPS: { readonly [T in LegInput['type']]: (draft: LegDraft, input: Of<T>) => void } = {
  tick: (draft) => {
    giveUp(draft);
    probeAgain(draft);
    digitsDue(draft);
    queueDue(draft);
    onLimit(draft);
  },
  begun: (draft, { news }) => draft.news(news),
  commanded: onCommanded,
  bridged: (draft) => {
    // What was to pass the time is over.
    stopPlays(draft, 'all');
    draft.news({ type: 'bridged' });
  },
  role: (draft, { role }) => {
    const { place } = draft.leg;
    if (place?.in === 'bridge' && place.side === 'supervisor') draft.set({ place: { ...place, role } });
  },
  joined: onJoined,
  member: (draft, { change }) => onMember(draft, change),
  play: (draft, input) => {
    if (input.stop !== undefined) cancelGather(draft, 'cancelled');
    onPlay(draft, input);
  },
  stopPlay: (draft, { stop, overlay }) => stopPlays(draft, stop, overlay),
  sound: onSound,
  played: onPlayed,
  heard: onHeard,
  record: onRecord,
  changeRecording: onChangeRecording,
  recorded: onRecorded,
  saved: (draft, { news }) => draft.news(news),
  gather: onGather,
  stopGather: (draft) => cancelGather(draft, 'cancelled'),
  stream: onStream,
  stopStream: onStopStream,
  streamed: onStreamed,
  transcribe: onTranscribe,
  stopTranscribe: onStopTranscribe,
  transcript: onTranscript,
  transcribed: onTranscribed,
  fork: onFork,
  stopFork: onStopFork,
  dial: onDial,
  bindings: onBindings,
  progress: onProgress,
  accepted: onAccepted,
  failed: onFailed,
  ring: onRing,
  open: (draft, input) => {
    if (draft.leg.state.name === 'offered') onOpen(draft, input);
  },
  early: onEarly,
  answer: onAnswer,
  confirmed: onConfirmed,
  cancelled: (draft, { headers }) => {
    const { main } = draft;
    if (main !== undefined) legGone(draft, main.id, { ...CAUSE.cancelled, by: 'caller', headers });
  },
  bye: (draft, input) => {
    legGone(draft, input.branch, {
      ...CAUSE.normal,
      ...(input.cause === undefined ? {} : { cause: input.cause.name, code: input.cause.code }),
      by: partyOf(draft.leg),
      headers: input.headers,
    });
  },
  ended: (draft, { branch, why }) => {
    // 481: the peer knows no such call any more, so it has hung up, and its BYE is late or lost.
    const done = why === 'bye-done' || why === 'dialog-gone';
    legGone(draft, branch, {
      ...(done ? CAUSE.normal : CAUSE.ackTimeout),
      by: done ? partyOf(draft.leg) : 'platform',
    });
  },
  reinvite: onReinvite,
  reinviteConfirmed: onReinviteConfirmed,
  reinviteResult: onReinviteResult,
  digits: (draft, { digits }) => {
    onDigits(draft, digits);
    for (const digit of digits) gatherDigit(draft, digit);
  },
  send: (draft, { digits, durationMs }) => sendDigits(draft, digits, durationMs),
  sendRefer: onSendRefer,
  referAnswered: onReferAnswered,
  referNotified: onReferNotified,
  infoReceived: (draft, news) => draft.news(news),
  sendInfo: (draft, { type: _, ...info }) => {
    const { main, leg } = draft;
    if (main?.phase === 'up') draft.emit({ type: 'sendInfo', leg: leg.id, branch: main.id, ...info });
  },
  digitSent: (draft, { branch, status }) => onDigitSent(draft, branch, status),
  attachment: onAttachment,
  askHeard: (draft, { branch }) => onAskHeard(draft, branch),
  media: onMedia,
  mediaFailed: onMediaFailed,
  mediaFlag: (draft, { flag }) => {
    draft.log(flag === 'one-way' ? 'warn' : 'debug', `media ${flag}`);
  },
  mediaDigit: (draft, { branch, digit }) => {
    onMediaDigit(draft, branch, digit);
    if (!isEnding(draft.leg)) gatherDigit(draft, digit);
  },
  refer: onRefer,
  refered: (draft, { tx, status }) => answerRefer(draft, tx, status),
  notify: (draft, { type: _, ...news }) => {
    const { main, leg } = draft;
    if (main?.phase === 'up') draft.emit({ type: 'notify', leg: leg.id, branch: main.id, ...news });
  },
  transferred: (draft, { part, joined, counts }) => {
    draft.set({
      transfer: part,
      ...(joined === undefined || draft.leg.joined !== undefined ? {} : { joined }),
      ...(counts === undefined ? {} : { counts: [...draft.leg.counts, ...counts] }),
    });
  },
  placed: onPlaced,
  keptAfterHangup: (draft, { keeps }) => keepQueued(draft, keeps),
  audio: (draft, { audio }) => draft.set({ audio }),
  end: (draft, { ending }) => endLeg(draft, ending),
  restored: onRestored,
};

function onPlaced(draft: LegDraft, { place, reason = 'leave' }: Of<'placed'>): void {
  const { program, place: before } = draft.leg;
  // A transfer that hands a built-in service on leaves nothing in its place.
  if (place !== null) recordService(draft);
  leaveConference(draft, place);
  leaveQueue(draft, place, reason);
  draft.set({ place });
  if (program === null) return;
  // A command has brought it here, be it one of another leg.
  if (place !== null && program.firstCommandBy !== null)
    draft.set({ program: { ...program, firstCommandBy: null } });
  // What was asked for the end of a bridge is of that bridge; a later one that says nothing hangs up.
  if (place === null && before?.in === 'bridge') draft.set({ program: { ...program, after: 'hangup' } });
  if (draft.leg.state.name === 'offered')
    draft.to({ name: 'offered', ...(place === null ? { until: draft.now + draft.settings.parkMs } : {}) });
}

function onCommanded(draft: LegDraft, input: Of<'commanded'>): void {
  const program = draft.leg.program ?? input.program;
  if (program === undefined || isDone(program.done, input.commandId, draft.now)) return;
  const { clientState = program.clientState, after = program.after, commandId } = input;
  const { place } = draft.leg;
  if (place?.in === 'bridge' && place.side !== 'supervisor' && place.routed === true) {
    const { routed: _, ...kept } = place;
    draft.set({ place: kept });
  }
  draft.set({
    program: {
      ...program,
      clientState,
      after,
      hook: withHook(program.hook, input.hook),
      firstCommandBy: null,
      done: withDone(program.done, commandId, draft.now),
    },
  });
}

/** The peer has put us on hold, or taken it back. */
function tellHold(draft: LegDraft, before: Leg): void {
  const [was, main] = [branchOf(before, before.main), draft.main];
  if (was === undefined || main === undefined || isEnding(draft.leg) || isHeld(was) === isHeld(main)) return;
  draft.news({ type: isHeld(main) ? 'held' : 'unheld' });
}

/** Whom a record names as the party that ended the leg. */
const partyOf = ({ direction }: Leg): Ending['by'] => (direction === 'theirs' ? 'caller' : 'callee');

function onMedia(draft: LegDraft, { branch: id, tag, of, reply }: Of<'media'>): void {
  const branch = draft.branch(id);
  if (branch === undefined) return;
  if (tag === 'close') {
    if (branch.media.phase === 'closing')
      draft.part(id, 'media', { phase: 'closed', stats: (reply.ok ? reply.stats : undefined) ?? null });
    return;
  }
  if (!inMedia(branch) || isLate(draft.leg, tag, of)) return;
  if (tag === 'aside') {
    if (!reply.ok) draft.log('debug', 'media refused', { error: reply.error });
  } else if (tag === 'play' || tag === 'overlay') onPlayReply(draft, tag === 'overlay', reply);
  else if (tag === 'stream') onStreamReply(draft, reply);
  else if (tag === 'transcribe') onTranscribeReply(draft, reply);
  else if (tag === 'fork') onForkReply(draft, reply);
  else if (tag === 'record') onRecordReply(draft, reply);
  else if (tag === 'first') {
    if (draft.leg.direction === 'theirs') onFirstAnswer(draft, reply);
    else onFirstOffer(draft, branch, reply);
  } else if (tag === 'accept') onAccept(draft, branch, reply);
  else if (tag === 'probe') onProbe(draft, branch, reply);
  else onNegotiationReply(draft, branch, tag, reply);
}

/** Whoever asked is gone: the reply is not for what has come in its place. */
function isLate({ activities }: Leg, tag: MediaTag, of: string | null): boolean {
  const { plays, overlay, stream, transcription, fork, recording } = activities;
  const there = { play: plays[0], overlay, stream, transcribe: transcription, fork, record: recording };
  return tag in there && there[tag as keyof typeof there]?.id !== of;
}

function onMediaFailed(draft: LegDraft, { branch: id, why }: Of<'mediaFailed'>): void {
  const branch = draft.branch(id);
  if (branch === undefined || !inMedia(branch)) return;
  // Early media is the carrier's to send or not, and on hold nothing need be heard (RFC 3264 §8.4).
  if (why === 'rtp' && draft.leg.audio.maySilent) {
    draft.log('debug', 'silent, as it may be');
    return;
  }
  draft.log('warn', 'media failed', { why });
  if (branch.attachment.at !== 'here' && branch.phase === 'up') {
    draft.part(id, 'attachment', { lost: why });
    return;
  }
  const ending: Ending = { ...CAUSE[why], by: 'platform' };
  if (draft.leg.state.name === 'dialling') {
    endBranch(draft, branch, ending);
    onLost(draft);
  } else if (id === draft.leg.main) endLeg(draft, ending);
  else branchGone(draft, id, ending);
}

function onRefer(draft: LegDraft, { tx, cseq, to }: Of<'refer'>): void {
  const { leg } = draft;
  if (leg.state.name !== 'up' || leg.place === null) return answerRefer(draft, tx, 480);
  // `id` of Event (RFC 3515 §2.4.6): the CSeq of the REFER; none for the first one in its dialog.
  const event = leg.refers === 0 ? null : cseq;
  draft.tell({ type: 'refer', leg: leg.id, tx, event, to });
}

function answerRefer(draft: LegDraft, tx: string, status: number): void {
  const { leg } = draft;
  if (status < 300) draft.set({ refers: leg.refers + 1 });
  draft.emit({ type: 'answerRefer', leg: leg.id, tx, status });
}
