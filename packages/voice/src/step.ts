import type { Machine, Ms, Step } from '@sidetone/core';
import type { MediaReply } from '@sidetone/wire';
import { type Call, callDeadline, type ProgramName } from './call.ts';
import type { CallInput, CallOut } from './call-events.ts';
import { onDigitSent, onDigits, onMediaDigit } from './digits.ts';
import { Draft } from './draft.ts';
import { CAUSE, type Ending } from './ending.ts';
import { endCall, endLeg, giveUp, legGone, settle } from './finish.ts';
import { inMedia, type Leg } from './leg.ts';
import { onNegotiationReply, onReinvite, onReinviteConfirmed, onReinviteResult } from './negotiation.ts';
import { onPresence, onProbe, probeAgain } from './presence.ts';
import { routeAndBridge } from './program/route-and-bridge.ts';
import { onRestored } from './restored.ts';
import { onDialled, onJoined, onJoinFailed, onLeft, onRefer, transferGoesOn } from './transfer.ts';

/**
 * What a program of a call decides: how it begins, what the answers of callees and of media mean for it, and when it
 * has waited long enough. Everything that holds for any call (hold, digits, endings, records) is not its business.
 */
export interface Program {
  start(draft: Draft): void;
  bindings(draft: Draft, input: Extract<CallInput, { type: 'bindings' }>): void;
  progress(draft: Draft, input: Extract<CallInput, { type: 'progress' }>): void;
  accepted(draft: Draft, input: Extract<CallInput, { type: 'accepted' }>): void;
  failed(draft: Draft, input: Extract<CallInput, { type: 'failed' }>): void;
  confirmed(draft: Draft, input: Extract<CallInput, { type: 'confirmed' }>): void;
  /** Media's answer to the first description of a leg, or to an `accept` during set-up. */
  mediaReply(draft: Draft, leg: Leg, tag: 'first' | 'accept', reply: MediaReply): void;
  /** A callee leg that is not the bridged one was ended by us. */
  legLost(draft: Draft): void;
  tick(draft: Draft): void;
}

const PROGRAMS: Readonly<Record<ProgramName, Program>> = { 'route-and-bridge': routeAndBridge };

/** One input of a call: total for every state, free of effects. */
export function step(call: Call, input: CallInput, now: Ms): Step<Call, CallOut> {
  if (call.state.name === 'over') return { state: call, out: [] };
  const draft = new Draft(call, now);
  apply(draft, input);
  settle(draft);
  return { state: draft.call, out: draft.out };
}

/** The call as a `Machine`. */
export const callMachine: Machine<Call, CallInput, CallOut> = { name: 'call', step, deadline: callDeadline };

function apply(draft: Draft, input: CallInput): void {
  const program = PROGRAMS[draft.call.program];
  switch (input.type) {
    case 'start':
      if (draft.call.state.name === 'routing') program.start(draft);
      return;
    case 'tick':
      giveUp(draft);
      probeAgain(draft);
      program.tick(draft);
      return;
    case 'bindings':
      program.bindings(draft, input);
      return;
    case 'progress':
      program.progress(draft, input);
      return;
    case 'accepted':
      program.accepted(draft, input);
      return;
    case 'failed':
      program.failed(draft, input);
      return;
    case 'confirmed':
      program.confirmed(draft, input);
      return;
    case 'cancelled': {
      const ending: Ending = { ...CAUSE.cancelled, by: 'caller', headers: input.headers };
      legGone(draft, input.leg, ending);
      endCall(draft, ending);
      return;
    }
    case 'bye': {
      const leg = draft.leg(input.leg);
      if (leg === undefined || leg.phase === 'over') return;
      const ending: Ending = {
        ...CAUSE.normal,
        ...(input.cause === undefined ? {} : { cause: input.cause.name, code: input.cause.code }),
        by: leg.role,
        headers: input.headers,
      };
      legGone(draft, leg.id, ending);
      if (!transferGoesOn(draft, leg)) endCall(draft, ending);
      return;
    }
    case 'ended': {
      const leg = draft.leg(input.leg);
      if (leg === undefined || leg.phase === 'over') return;
      const ending: Ending = {
        ...(input.why === 'bye-done' ? CAUSE.normal : CAUSE.ackTimeout),
        by: input.why === 'bye-done' ? leg.role : 'platform',
      };
      legGone(draft, leg.id, ending);
      if (!transferGoesOn(draft, leg)) endCall(draft, ending);
      return;
    }
    case 'reinvite':
      onReinvite(draft, input);
      return;
    case 'reinviteConfirmed':
      onReinviteConfirmed(draft, input);
      return;
    case 'reinviteResult':
      onReinviteResult(draft, input);
      return;
    case 'digits':
      onDigits(draft, input.leg, input.digits);
      return;
    case 'presence':
      onPresence(draft, input);
      return;
    case 'digitSent':
      onDigitSent(draft, input.leg, input.status);
      return;
    case 'candidates':
      onCandidates(draft, input.leg, input.candidates);
      return;
    case 'media':
      onMedia(draft, program, input);
      return;
    case 'mediaFailed':
      onMediaFailed(draft, program, input);
      return;
    case 'mediaFlag': {
      const leg = draft.leg(input.leg);
      if (leg === undefined) return;
      draft.log(input.flag === 'one-way' ? 'warn' : 'debug', `media ${input.flag}`, { leg: leg.id });
      return;
    }
    case 'mediaDigit':
      onMediaDigit(draft, input.leg, input.digit);
      return;
    case 'refer':
      onRefer(draft, input);
      return;
    case 'dialled':
      onDialled(draft, input);
      return;
    case 'joined':
      onJoined(draft, input.leg);
      return;
    case 'joinFailed':
      onJoinFailed(draft);
      return;
    case 'left':
      onLeft(draft);
      return;
    case 'restored':
      onRestored(draft, input);
      return;
    case 'end':
      endCall(draft, input.ending);
      return;
  }
}

/** More candidates than any client has. */
const MAX_CANDIDATES = 64;

function onCandidates(draft: Draft, id: string, candidates: readonly string[]): void {
  const leg = draft.leg(id);
  if (leg === undefined || leg.phase === 'over') return;
  if (inMedia(leg)) {
    for (const candidate of candidates.slice(0, MAX_CANDIDATES))
      draft.media('aside', { op: 'candidate', leg: id, candidate });
  } else if (leg.media === 'none') {
    draft.set(id, { candidates: [...leg.candidates, ...candidates].slice(0, MAX_CANDIDATES) });
  }
}

function onMedia(draft: Draft, program: Program, input: Extract<CallInput, { type: 'media' }>): void {
  const leg = draft.leg(input.leg);
  if (leg === undefined) return;
  const { tag, reply } = input;
  if (tag === 'close') {
    if (leg.media === 'closing')
      draft.set(leg.id, { media: 'closed', stats: (reply.ok ? reply.stats : undefined) ?? null });
    return;
  }
  if (!inMedia(leg)) return;
  if (tag === 'aside') {
    if (!reply.ok) draft.log('debug', 'media refused', { leg: leg.id, error: reply.error });
  } else if (tag === 'first' || tag === 'accept') {
    program.mediaReply(draft, leg, tag, reply);
  } else if (tag === 'probe') {
    onProbe(draft, leg, reply);
  } else {
    onNegotiationReply(draft, leg, tag, reply);
  }
}

function onMediaFailed(
  draft: Draft,
  program: Program,
  input: Extract<CallInput, { type: 'mediaFailed' }>,
): void {
  const leg = draft.leg(input.leg);
  if (leg === undefined || !inMedia(leg)) return;
  // On hold nothing need be heard (RFC 3264 §8.4): silence is no failure then.
  const quiet = draft.call.transfer !== null || draft.call.legs.some((l) => l.holding && l.phase !== 'over');
  if (input.why === 'rtp' && quiet) {
    draft.log('debug', 'silent on hold', { leg: leg.id });
    return;
  }
  // Early media is the carrier's to send or not; how long it may ring has its own limit.
  if (input.why === 'rtp' && draft.call.state.name !== 'up') {
    draft.log('debug', 'silent before the answer', { leg: leg.id });
    return;
  }
  draft.log('warn', 'media failed', { leg: leg.id, why: input.why });
  if (leg.presence !== 'here' && leg.phase === 'up') {
    draft.set(leg.id, { mediaLost: input.why });
    return;
  }
  const ending: Ending = { ...CAUSE[input.why], by: 'platform' };
  if (leg.role === 'callee' && draft.call.state.name === 'calling') {
    endLeg(draft, leg, ending);
    program.legLost(draft);
  } else if (transferGoesOn(draft, leg)) {
    endLeg(draft, leg, ending);
  } else {
    endCall(draft, ending);
  }
}
