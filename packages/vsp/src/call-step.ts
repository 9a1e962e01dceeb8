import type { Ms, Step } from '@sidetone/core';
import { withDirection } from '@sidetone/sdp';
import { CAUSE, type Cause, type FrameId, PRESENCE, RPC_ERROR, sipForBye } from '@sidetone/wire';
import type { Call, CallFrame, CallInput, CallOut, CallReply, ClientWish, LegEnd } from './call.ts';
import { answerFor, sameTransport, statedDirection, trickleFragment } from './client-description.ts';
import { isNativeFamily } from './session.ts';
import { askTransfer, dropTransfer, transferNews } from './transfer.ts';

/** A published client gives up after 10 s and reconnects; an error just before that only fails the one request. */
const UPDATE_MS = 9500;
/** A client that builds a new peer connection gathers candidates for up to 5 s. */
const RENEWAL_MS = 20_000;
const MAX_CANDIDATES = 64;

interface Draft {
  call: Call;
  readonly out: CallOut[];
}

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
      case 'end':
        end(draft, input.cause, input.tell);
        break;
    }
  } else if (input.type === 'frame') {
    reply(draft, input.frame.id, gone);
  }
  return { state: draft.call, out: draft.out };
}

const gone: CallReply = {
  kind: 'error',
  code: RPC_ERROR.callDoesNotExist,
  message: 'CALL DOES NOT EXIST',
};

const failure = (message: string): CallReply => ({ kind: 'error', code: RPC_ERROR.callFailed, message });

function reply(draft: Draft, id: FrameId, what: CallReply): void {
  draft.out.push({ type: 'reply', id, reply: what });
}

function take(draft: Draft, { change: fields, out }: ReturnType<typeof dropTransfer>): void {
  change(draft, fields);
  draft.out.push(...out);
}

const change = (draft: Draft, fields: Partial<Call>): void => {
  draft.call = { ...draft.call, ...fields };
};

/** Has the leg a dialog that requests can travel in? */
const inDialog = (call: Call): boolean => call.phase === 'early' || call.phase === 'active';

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
    case 'candidate':
      reply(draft, frame.id, { kind: 'done' });
      if (call.candidates.length < MAX_CANDIDATES)
        change(draft, { candidates: [...call.candidates, frame.candidate] });
      return flushCandidates(draft);
    case 'endOfCandidates':
      reply(draft, frame.id, { kind: 'done' });
      if (call.candidatesEnded) return;
      change(draft, { candidatesEnded: true });
      return flushCandidates(draft, true);
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

function flushCandidates(draft: Draft, ended = false): void {
  const { call } = draft;
  if (!inDialog(call) || call.clientSdp === null || (call.candidates.length === 0 && !ended)) return;
  draft.out.push({
    type: 'info',
    contentType: 'application/trickle-ice-sdpfrag',
    package: 'trickle-ice',
    body: trickleFragment(call.clientSdp, call.candidates, call.candidatesEnded),
  });
  change(draft, { candidates: [] });
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
    sdk: bye.agent.family === 'sidetone' ? 'sidetone' : call.agent,
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
  flushCandidates(draft);
}

/** The client's reply at once; voice gates media and tells the other side (RFC 3264 §8.4). */
function hold(draft: Draft, frame: Extract<CallFrame, { kind: 'hold' }>): void {
  const { call } = draft;
  if (call.phase !== 'active' || call.clientSdp === null)
    return reply(draft, frame.id, failure('The call is not answered'));
  const held = frame.action === 'toggleHold' ? !call.held : frame.action === 'hold';
  reply(draft, frame.id, { kind: 'hold', action: frame.action, held });
  if (held === call.held) return;
  // The client's answer to the offer it has will tell voice.
  if (offered(call)) return change(draft, { held });
  // Behind an ICE restart that is not answered yet, the hold must not bring the old transport back.
  const sdp = withDirection(call.update?.sdp ?? call.clientSdp, held ? 'sendonly' : 'sendrecv');
  change(draft, call.update === null ? { held, clientSdp: sdp } : { held, update: { ...call.update, sdp } });
  draft.out.push({ type: 'reinvite', sdp, token: 'hold' });
}

function updateMedia(draft: Draft, frame: Extract<CallFrame, { kind: 'updateMedia' }>, now: Ms): void {
  const { call } = draft;
  if (call.phase !== 'active') return reply(draft, frame.id, failure('The call is not answered'));
  if (call.update !== null || offered(call))
    return reply(draft, frame.id, failure('Media is being renegotiated already'));
  // A held call stays held, whatever the new offer says.
  const sdp = call.held ? withDirection(frame.sdp, 'sendonly') : frame.sdp;
  change(draft, { renewal: null, update: { frame: frame.id, sdp, until: now + UPDATE_MS } });
  draft.out.push({ type: 'reinvite', sdp, token: 'update' });
}

function updateTimeout(draft: Draft, now: Ms): void {
  const { update } = draft.call;
  if (update === null || now < update.until) return;
  // A client that restarts ICE reconnects when this fails; an answer that comes later changes nothing.
  change(draft, { update: null });
  reply(draft, update.frame, failure('No answer to the new media description in time'));
}

/** The client's answer to the offer it was attached with; or a client that has kept its media and says so. */
function attach(draft: Draft, frame: Extract<CallFrame, { kind: 'attach' }>): void {
  const { call } = draft;
  const { renewal } = call;
  if (renewal !== null && renewal !== 'asked') {
    reply(draft, frame.id, { kind: 'done' });
    const sdp = call.held ? withDirection(frame.sdp, 'sendonly') : frame.sdp;
    change(draft, { renewal: null, clientSdp: sdp, candidatesEnded: false });
    draft.out.push({ type: 'respondReinvite', tx: renewal.tx, status: 200, sdp });
    return flushCandidates(draft);
  }
  const same = call.phase === 'active' && call.clientSdp !== null && sameTransport(frame.sdp, call.clientSdp);
  reply(draft, frame.id, same ? { kind: 'done' } : gone);
}

const offered = (call: Call): boolean => call.renewal !== null && call.renewal !== 'asked';

function renewalTimeout(draft: Draft, now: Ms): void {
  const { renewal } = draft.call;
  if (renewal === null || renewal === 'asked' || now < renewal.until) return;
  leaveRenewal(draft);
}

/** voice's offer stays without an answer of the client. */
function leaveRenewal(draft: Draft): void {
  const { renewal } = draft.call;
  change(draft, { renewal: null });
  if (renewal !== null && renewal !== 'asked')
    draft.out.push({ type: 'respondReinvite', tx: renewal.tx, status: 480 });
}

// ---- a socket lost, and another

const presence = (draft: Draft, contentType: string): void => {
  draft.out.push({ type: 'info', contentType, body: '' });
};

function goAway(draft: Draft): void {
  const { call } = draft;
  if (call.away) return;
  // The answer to an ICE restart reaches nobody any more; voice may have taken the offer all the same.
  change(draft, {
    away: true,
    transfer: null,
    ...(call.update === null ? {} : { update: null, clientSdp: call.update.sdp }),
  });
  tellAway(draft);
  leaveRenewal(draft);
}

function tellAway(draft: Draft): void {
  const { call } = draft;
  if (!call.away || call.awayTold || !inDialog(call)) return;
  change(draft, { awayTold: true });
  presence(draft, PRESENCE.away);
}

function comeBack(draft: Draft): void {
  const { call } = draft;
  if (!call.away) return;
  const { phase, ring, awayTold } = call;
  change(draft, { away: false, awayTold: false });
  if (phase === 'ringing' && ring !== null) draft.out.push({ type: 'invite', ring });
  draft.out.push(...told(call));
  if (!awayTold) return;
  if (phase === 'active') change(draft, { renewal: 'asked' });
  presence(draft, PRESENCE.back);
}

/**
 * What a client that is back must be told of its own call. What was told just before may have gone into the dead socket: browsers
 * hear it again, since they ignore what they know; native clients do not. A description that was missed is old when the call is up:
 * voice finds that media dead and offers anew.
 */
function told(call: Call): readonly ClientWish[] {
  const native = isNativeFamily(call.agent);
  const again = call.setUp.filter(({ missed }) => missed || !native);
  if (call.phase !== 'active') return again.map(({ wish }) => wish);
  const media = call.setUp.find(({ wish }) => wish.type === 'media');
  if (media === undefined || media.missed) return [];
  return again.filter(({ wish }) => wish.type === 'answer').map(({ wish }) => wish);
}

/** Tells the client how its own call gets on, now or when it is back. */
function tell(draft: Draft, wish: ClientWish): void {
  const { away, setUp } = draft.call;
  change(draft, { setUp: [...setUp, { wish, missed: away }] });
  if (!away) draft.out.push(wish);
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
  flushCandidates(draft);
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
  flushCandidates(draft);
}

function ended(draft: Draft, end: LegEnd): void {
  const { update } = draft.call;
  if (update !== null) reply(draft, update.frame, failure('The call is over'));
  take(draft, dropTransfer(draft.call, 'The call is over'));
  change(draft, { phase: 'over', update: null, renewal: null });
  draft.out.push({ type: 'bye', end });
}

/** The dialect has no re-INVITE towards a client, so its last description answers for it; but one that is back may be attached. */
function reinvited(draft: Draft, tx: string, offer: string | undefined, now: Ms): void {
  const { call } = draft;
  if (call.renewal === 'asked' && offer !== undefined) {
    change(draft, { renewal: { tx, until: now + RENEWAL_MS } });
    draft.out.push({ type: 'attach', sdp: offer });
    return;
  }
  if (call.phase !== 'active' || call.clientSdp === null) {
    draft.out.push({ type: 'respondReinvite', tx, status: 488 });
    return;
  }
  const sdp =
    offer === undefined ? call.clientSdp : answerFor(call.clientSdp, statedDirection(offer), call.held);
  draft.out.push({ type: 'respondReinvite', tx, status: 200, sdp });
}

function reinviteResult(draft: Draft, result: Extract<CallInput, { type: 'reinviteResult' }>): void {
  const { call } = draft;
  const failed = result.status >= 300;
  if (failed) {
    draft.out.push({
      type: 'log',
      level: 'warn',
      event: 'media change refused',
      fields: { call: call.callId, what: result.token, status: result.status },
    });
  }
  const { update } = call;
  if (result.token !== 'update' || update === null) return;
  change(draft, { update: null });
  if (failed || result.sdp === undefined)
    return reply(draft, update.frame, failure(`The new media description was refused (${result.status})`));
  change(draft, { clientSdp: update.sdp });
  // Held, voice answered `recvonly`; the client's own offer said `sendrecv`, and no later message could open it again.
  const sdp = call.held ? withDirection(result.sdp, 'sendrecv') : result.sdp;
  reply(draft, update.frame, { kind: 'media', sdp, held: call.held });
}

// ---- from us

function end(draft: Draft, cause: Cause, tell: boolean): void {
  const { call } = draft;
  if (tell) take(draft, dropTransfer(call, 'The call is over'));
  if (tell)
    draft.out.push({
      type: 'bye',
      end: { cause, sipCode: cause.sip, sipReason: 'Service Unavailable', customHeaders: [] },
    });
  change(draft, { phase: 'over', update: null, renewal: null });
  if (call.phase === 'active') draft.out.push({ type: 'hangUp', cause, customHeaders: [] });
  else if (call.phase === 'ringing')
    draft.out.push({ type: 'respond', status: cause.sip, cause, internal: cause.name, customHeaders: [] });
  else draft.out.push({ type: 'cancel', cause, customHeaders: [] });
}
