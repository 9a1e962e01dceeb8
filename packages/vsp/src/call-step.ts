import type { Ms, Step } from '@sidetone/core';
import { reasonPhrase } from '@sidetone/sip';
import { CAUSE, type Cause, RPC_ERROR, sipForBye, traitsOf } from '@sidetone/wire';
import type { Call, CallFrame, CallInput, CallOut, LegEnd } from './call.ts';
import { askHeard, comeBack, goAway, tell, tellAway } from './call-attachment.ts';
import { change, type Draft, failure, gone, inDialog, reply, take } from './call-draft.ts';
import {
  attach,
  attachAgain,
  hold,
  reinvited,
  reinviteResult,
  renewalTimeout,
  updateMedia,
  updateTimeout,
} from './call-media.ts';
import { askTransfer, dropTransfer, transferNews } from './transfer.ts';

/** One input of a call. Total; see the diagram in `call.ts`. */
export function stepCall(call: Call, input: CallInput, now: Ms): Step<Call, CallOut> {
  const draft: Draft = { call, out: [] };
  if (call.phase !== 'over') {
    switch (input.type) {
      case 'tick':
        updateTimeout(draft, now);
        renewalTimeout(draft, now);
        if (call.transfer !== null && now >= call.transfer.until)
          take(draft, dropTransfer(call, 'The transfer has not come to an end in time'));
        break;
      case 'frame':
        frame(draft, input.frame, now);
        break;
      case 'progress':
        progress(draft, input);
        break;
      case 'accepted':
        accepted(draft, input);
        break;
      case 'ended':
        ended(draft, input.end);
        break;
      case 'reinvite':
        reinvited(draft, input.tx, input.sdp, now);
        break;
      case 'reinviteResult':
        reinviteResult(draft, input);
        break;
      case 'referred':
      case 'transferred':
        take(draft, transferNews(call, input));
        break;
      case 'away':
        goAway(draft);
        break;
      case 'back':
        comeBack(draft);
        break;
      case 'heard':
        askHeard(draft);
        break;
      case 'listens':
        attachAgain(draft);
        break;
      case 'declined':
        if (call.phase === 'ringing') end(draft, CAUSE.callRejected, true);
        break;
      case 'end':
        end(draft, input.cause, input.tell);
        break;
    }
  } else if (input.type === 'frame') {
    reply(draft, input.frame.id, gone);
  }
  return { state: draft.call, out: draft.out };
}

// ---- from the client

function frame(draft: Draft, frame: CallFrame, now: Ms): void {
  const { call } = draft;
  switch (frame.kind) {
    case 'bye':
      return hangUp(draft, frame);
    case 'answer':
      return answer(draft, frame);
    case 'hold':
      return hold(draft, frame);
    case 'updateMedia':
      return updateMedia(draft, frame, now);
    case 'transfer':
    case 'replace':
      return take(draft, askTransfer(call, frame, now));
    case 'dtmf':
      if (!inDialog(call)) return reply(draft, frame.id, failure('The call is not up'));
      reply(draft, frame.id, { kind: 'sent' });
      draft.out.push({
        type: 'info',
        contentType: 'application/dtmf-relay',
        body: `Signal=${frame.digits}\r\nDuration=160\r\n`,
      });
      return;
    case 'message':
      return reply(draft, frame.id, { kind: 'sent' });
    // An ICE-lite agent sends no checks of its own (RFC 8445 §2.5): the client's candidates show by its checks.
    case 'candidate':
    case 'endOfCandidates':
      return reply(draft, frame.id, { kind: 'done' });
    case 'modify':
      return reply(draft, frame.id, {
        kind: 'error',
        code: RPC_ERROR.badParams,
        message: 'action must be hold, unhold, toggleHold, updateMedia, transfer or replace',
      });
    case 'attach':
      return attach(draft, frame);
  }
}

function hangUp(draft: Draft, bye: Extract<CallFrame, { kind: 'bye' }>): void {
  const { call } = draft;
  // The call ends all the same; the developer hears what was left out.
  reply(
    draft,
    bye.id,
    bye.headerProblem === undefined
      ? { kind: 'done' }
      : { kind: 'error', code: RPC_ERROR.badParams, message: bye.headerProblem },
  );
  take(draft, dropTransfer(call, 'The call was hung up; its transfer goes on'));
  const ending = sipForBye({
    cause: bye.cause,
    causeCode: bye.causeCode,
    sipCode: bye.sipCode,
    answered: call.phase === 'active',
    direction: call.direction,
    busyIsMeant: traitsOf(bye.agent).busyIsMeant || traitsOf(call.agent).busyIsMeant,
  });
  const { customHeaders } = bye;
  change(draft, { phase: 'over' });
  if (ending.do === 'bye') draft.out.push({ type: 'hangUp', cause: ending.cause, customHeaders });
  else if (ending.do === 'cancel') draft.out.push({ type: 'cancel', cause: ending.cause, customHeaders });
  else
    draft.out.push({
      type: 'respond',
      status: ending.status,
      cause: ending.cause,
      internal: ending.internal,
      customHeaders,
    });
}

function answer(draft: Draft, frame: Extract<CallFrame, { kind: 'answer' }>): void {
  const { call } = draft;
  if (call.direction !== 'inbound')
    return reply(draft, frame.id, failure('This call is not yours to answer'));
  // The reply makes the client's call active; it goes first. A second answer changes nothing.
  reply(draft, frame.id, { kind: 'done' });
  if (call.phase !== 'ringing') return;
  change(draft, { phase: 'active', clientSdp: frame.sdp });
  draft.out.push({ type: 'respond', status: 200, sdp: frame.sdp, customHeaders: frame.customHeaders });
}

// ---- from voice

function progress(draft: Draft, input: Extract<CallInput, { type: 'progress' | 'accepted' }>): void {
  const { call } = draft;
  if (call.phase !== 'calling' && call.phase !== 'early') return;
  change(draft, { phase: 'early', ...(input.ids === undefined ? {} : { ids: input.ids }) });
  if (input.status === 180 && !call.rung) {
    change(draft, { rung: true });
    tell(draft, { type: 'ringing', customHeaders: input.customHeaders });
  }
  if (input.sdp !== undefined && !call.mediaSent) {
    change(draft, { mediaSent: true });
    tell(draft, { type: 'media', sdp: input.sdp });
  }
  tellAway(draft);
}

function accepted(draft: Draft, input: Extract<CallInput, { type: 'progress' | 'accepted' }>): void {
  const { call } = draft;
  if (call.phase !== 'calling' && call.phase !== 'early') return;
  if (input.sdp === undefined && !call.mediaSent) {
    // Without any description the client would fail by itself, later and without a reason.
    draft.out.push({ type: 'hangUp', cause: CAUSE.incompatibleDestination, customHeaders: [] });
    return ended(draft, {
      cause: CAUSE.incompatibleDestination,
      sipCode: CAUSE.incompatibleDestination.sip,
      sipReason: 'Not Acceptable Here',
      customHeaders: [],
    });
  }
  change(draft, { phase: 'active', ...(input.ids === undefined ? {} : { ids: input.ids }) });
  const { customHeaders } = input;
  change(draft, { headers: customHeaders });
  if (call.mediaSent || input.sdp === undefined) tell(draft, { type: 'answer', customHeaders });
  else tell(draft, { type: 'answer', sdp: input.sdp, customHeaders });
  tellAway(draft);
}

const elsewhere = (cause: Cause): boolean =>
  cause.name === CAUSE.loseRace.name || cause.name === CAUSE.pickedOff.name;

function ended(draft: Draft, stated: LegEnd): void {
  const { update, agent } = draft.call;
  // Clients have different words for a race that is lost.
  const end = elsewhere(stated.cause) ? { ...stated, cause: traitsOf(agent).answeredElsewhere } : stated;
  if (update !== null) reply(draft, update.frame, failure('The call is over'));
  take(draft, dropTransfer(draft.call, 'The call is over'));
  change(draft, { phase: 'over', update: null, renewal: null });
  draft.out.push({ type: 'bye', end });
}

// ---- from us

function end(draft: Draft, cause: Cause, tell: boolean): void {
  const { call } = draft;
  if (tell) take(draft, dropTransfer(call, 'The call is over'));
  if (tell)
    draft.out.push({
      type: 'bye',
      end: { cause, sipCode: cause.sip, sipReason: reasonPhrase(cause.sip), customHeaders: [] },
    });
  change(draft, { phase: 'over', update: null, renewal: null });
  if (call.phase === 'active') draft.out.push({ type: 'hangUp', cause, customHeaders: [] });
  else if (call.phase === 'ringing')
    draft.out.push({ type: 'respond', status: cause.sip, cause, internal: cause.name, customHeaders: [] });
  else draft.out.push({ type: 'cancel', cause, customHeaders: [] });
}
