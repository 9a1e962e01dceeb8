import { opusWishes } from '@sidetone/sdp';
import { formatCaller, type MediaReply } from '@sidetone/wire';
import { connect } from '../bridge.ts';
import { legOf, type Plan } from '../call.ts';
import type { CallInput } from '../call-events.ts';
import { calleeCodecs, callerCodecs } from '../codecs.ts';
import { sendNext } from '../digits.ts';
import type { Draft } from '../draft.ts';
import { CAUSE, causeOfStatus, type Ending, rank } from '../ending.ts';
import { endCall, endLeg, legGone, mediaEnding } from '../finish.ts';
import { type Leg, mediaKind, newLeg, signalledFrom } from '../leg.ts';
import type { Program } from '../step.ts';

/*
 * The default program: find the callee, ring it everywhere, bridge the first answer.
 *
 *   plan   ──▶ a leg per contact (or one for the trunk) ──▶ media offer ──▶ INVITE
 *   18x    ──▶ without SDP: the same to the caller; with SDP: media accept, then 183 with our answer to the caller
 *   2xx    ──▶ cancel the other forks, media accept, our answer to the caller (once a call), 200, bridge
 *   ≥ 300  ──▶ wait for the other forks; behind the last the best refusal goes to the caller
 *
 * `advance` looks at what is known and does the next thing, so that replies may come in any order.
 */

/** A user with more bindings than this is rung at the latest ones. */
const MAX_FORKS = 8;

const alive = (leg: Leg): boolean => leg.phase === 'preparing' || leg.phase === 'calling';

function trunkOf(plan: Plan, leg: Leg) {
  if (plan.to !== 'trunk') return undefined;
  return plan.trunks.find((t) => t.name === leg.trunk) ?? plan.trunks[0];
}

function start(draft: Draft): void {
  const { plan } = draft.call;
  const until = draft.now + draft.call.settings.ringMs;
  switch (plan.to) {
    case 'refuse':
      endCall(draft, plan.ending);
      return;
    case 'service':
      draft.add(
        newLeg({
          id: plan.leg.leg,
          control: plan.leg.control,
          role: 'callee',
          kind: 'service',
          service: plan.service,
          phase: 'up',
          codecs: draft.caller.codecs,
          startedAt: draft.now,
        }),
      );
      draft.set(plan.leg.leg, { connected: true });
      draft.to({ name: 'answering', peer: plan.leg.leg });
      advance(draft);
      return;
    case 'user':
      draft.to({ name: 'looking-up', until });
      draft.emit({ type: 'lookup', user: plan.userName });
      return;
    case 'trunk': {
      const first = plan.trunks[0]!;
      draft.to({ name: 'calling', until });
      prepare(
        draft,
        newLeg({
          id: plan.leg.leg,
          control: plan.leg.control,
          role: 'callee',
          kind: 'trunk',
          phase: 'preparing',
          trunk: first.name,
          codecs: first.codecs,
          dtmf: first.dtmf,
          startedAt: draft.now,
        }),
      );
      return;
    }
  }
}

function prepare(draft: Draft, leg: Leg): void {
  draft.add({ ...leg, media: 'asked' });
  draft.media('first', {
    op: 'offer',
    leg: leg.id,
    kind: mediaKind(leg),
    codecs: leg.codecs,
    opus: opusWishes(draft.caller.offer ?? ''),
  });
}

function bindings(draft: Draft, input: Extract<CallInput, { type: 'bindings' }>): void {
  const { plan, state } = draft.call;
  if (state.name !== 'looking-up' || plan.to !== 'user') return;
  if (input.contacts.length === 0) {
    const cause =
      input.status === 404
        ? CAUSE.unknownUser
        : input.status < 300 || input.status === 480
          ? CAUSE.notRegistered
          : CAUSE.drain;
    endCall(draft, { ...cause, by: 'platform' });
    return;
  }
  const ringMs = Math.min(plan.ringMs, draft.call.settings.ringMs);
  draft.to({ name: 'calling', until: draft.now + ringMs });
  const codecs = calleeCodecs(plan.codecs, plan.policy, draft.caller.codecs);
  for (const contact of input.contacts.slice(0, plan.ringAll ? MAX_FORKS : 1))
    prepare(
      draft,
      newLeg({
        id: contact.leg,
        control: contact.control,
        role: 'callee',
        kind: contact.client ? 'client' : 'phone',
        webrtc: contact.webrtc,
        phase: 'preparing',
        userName: plan.userName,
        codecs,
        dtmf: contact.client ? 'rfc4733' : plan.dtmf,
        target: contact.uri,
        startedAt: draft.now,
      }),
    );
}

/**
 * A trunk, and a user of another account, see a number that belongs to the caller (or its name); users of the same account see what the caller
 * gave. Users are told numbers in the format of their connection.
 */
function shown(draft: Draft, leg: Leg): { readonly name?: string; readonly number: string } {
  const { plan, caller } = draft.call;
  const { name, number, numbers, userName } = caller;
  const display = name === undefined ? {} : { name };
  // No carrier is shown a name where there is a number.
  const proven = numbers.includes(number) || (leg.kind !== 'trunk' && number === userName);
  const owned = proven ? number : (numbers[0] ?? userName ?? number);
  if (plan.to !== 'user') return { ...display, number: owned };
  const { format, country } = plan.ani;
  return { ...display, number: formatCaller(plan.foreign ? owned : number, format, country) };
}

function mediaReply(draft: Draft, leg: Leg, tag: 'first' | 'accept', reply: MediaReply): void {
  if (tag === 'accept') {
    onAccept(draft, leg, reply);
    return;
  }
  if (leg.media !== 'asked') return;
  if (!reply.ok || reply.sdp === undefined) {
    const ending = mediaEnding(reply.ok ? 'engine' : reply.error);
    draft.log('warn', 'no media', { leg: leg.id, error: reply.ok ? 'no sdp' : reply.error });
    if (leg.role === 'caller') {
      endCall(draft, ending);
    } else {
      endLeg(draft, leg, ending);
      legLost(draft);
    }
    return;
  }
  const open = draft.set(leg.id, { media: 'open', sdp: reply.sdp, codec: reply.codec ?? leg.codec });
  if (open.phase === 'preparing') {
    draft.set(leg.id, { phase: 'calling' });
    draft.emit({
      type: 'invite',
      leg: leg.id,
      target: open.target,
      sdp: reply.sdp,
      shown: shown(draft, open),
      headers: draft.call.caller.headers,
    });
    return;
  }
  advance(draft);
}

function onAccept(draft: Draft, leg: Leg, reply: MediaReply): void {
  const accepting = leg.accepting - 1;
  if (reply.ok) {
    draft.set(leg.id, { accepting, connected: true, codec: reply.codec ?? leg.codec });
    if (leg.role === 'callee' && draft.call.early === null && draft.call.state.name === 'calling')
      draft.call = { ...draft.call, early: leg.id };
    advance(draft);
    return;
  }
  draft.log('warn', 'answer refused by media', { leg: leg.id, error: reply.error });
  draft.set(leg.id, { accepting, connected: false, remote: null });
  const needed = leg.role === 'caller' || leg.phase === 'up';
  if (needed && accepting === 0) endCall(draft, mediaEnding(reply.error));
}

/** Gives the peer's answer to media, unless it is the one media has. */
function accept(draft: Draft, leg: Leg, sdp: string): void {
  if (sdp === leg.remote) return;
  draft.set(leg.id, { remote: sdp, accepting: leg.accepting + 1 });
  draft.media('accept', { op: 'accept', leg: leg.id, sdp, ...signalledFrom(leg) });
}

function answeredBy(draft: Draft, leg: Leg, trunk: string | undefined): void {
  const plan = draft.call.plan;
  if (trunk === undefined || plan.to !== 'trunk' || leg.kind !== 'trunk') return;
  const facts = plan.trunks.find((t) => t.name === trunk);
  draft.set(leg.id, { trunk, ...(facts === undefined ? {} : { dtmf: facts.dtmf }) });
}

function progress(draft: Draft, input: Extract<CallInput, { type: 'progress' }>): void {
  const leg = draft.leg(input.leg);
  if (leg?.phase !== 'calling' || draft.call.state.name !== 'calling') return;
  answeredBy(draft, leg, input.trunk);
  // With a description the caller gets 183 once media has answered; that it rings it may know at once.
  const plain = input.sdp === undefined || input.status === 180;
  if (plain && draft.caller.phase === 'invited' && !draft.call.heard.includes(input.status)) {
    draft.call = { ...draft.call, heard: [...draft.call.heard, input.status] };
    draft.emit({ type: 'respond', leg: draft.caller.id, status: input.status, headers: input.headers });
  }
  // A description of the target stays unheard: the party that waits for it hears our ringback.
  const { origin } = draft.call;
  if (origin !== null && input.status >= 180)
    draft.emit({ type: 'news', call: origin, news: { kind: 'progress', status: input.status } });
  if (input.sdp !== undefined && (draft.call.early === null || draft.call.early === leg.id))
    accept(draft, draft.heardFrom(legOf(draft.call, leg.id)!, input.from), input.sdp);
}

function accepted(draft: Draft, input: Extract<CallInput, { type: 'accepted' }>): void {
  const leg = draft.leg(input.leg);
  if (leg === undefined || leg.role !== 'callee') return;
  if (leg.phase === 'cancelling') {
    // RFC 3261 §9.1: the 2xx crossed our CANCEL.
    draft.emit({ type: 'bye', leg: leg.id, ending: leg.ending ?? { ...CAUSE.loseRace, by: 'platform' } });
    legGone(draft, leg.id, null);
    return;
  }
  if (leg.phase !== 'calling') return;
  answeredBy(draft, leg, input.trunk);
  draft.set(leg.id, { phase: 'up', answeredAt: draft.now });
  draft.to({ name: 'answering', peer: leg.id });
  draft.call = { ...draft.call, answerHeaders: input.headers };
  for (const other of draft.callees)
    if (other.id !== leg.id) endLeg(draft, other, { ...CAUSE.loseRace, by: 'callee' });
  if (input.sdp !== undefined)
    accept(draft, draft.heardFrom(legOf(draft.call, leg.id)!, input.from), input.sdp);
  else if (leg.remote === null) {
    // RFC 3261 §13.2.1: a 2xx to an offer carries the answer, unless a reliable 18x did.
    endCall(draft, { ...CAUSE.noCodec, by: 'platform' });
    return;
  }
  advance(draft);
}

function refusal(draft: Draft, leg: Leg, input: Extract<CallInput, { type: 'failed' }>): Ending {
  if (input.by === 'timeout') return { ...CAUSE.noResponse, by: 'platform' };
  if (input.by === 'transport') return { ...causeOfStatus(503), by: 'platform' };
  const { plan } = draft.call;
  const named = input.cause === undefined ? {} : { cause: input.cause.name, code: input.cause.code };
  // Statuses a caller must not see as they are: redirects and challenges end here.
  const sip = input.status < 400 ? 480 : input.status === 401 || input.status === 407 ? 403 : input.status;
  const ending: Ending = { ...causeOfStatus(sip), ...named, by: leg.role, headers: input.headers };
  if (ending.cause !== 'rejected') return ending;
  // A client that rejects without a word of its own: the connection says what its callers see.
  return { ...ending, code: 21, sip: plan.to === 'user' ? plan.rejectCode : sip };
}

function failed(draft: Draft, input: Extract<CallInput, { type: 'failed' }>): void {
  const leg = draft.leg(input.leg);
  if (leg === undefined || !(leg.phase === 'calling' || leg.phase === 'cancelling')) return;
  answeredBy(draft, leg, input.trunk);
  const ending = refusal(draft, leg, input);
  const wasCalling = leg.phase === 'calling';
  legGone(draft, leg.id, ending);
  // RFC 3261 §16.7 item 5: a 6xx speaks for every device of the callee.
  if (wasCalling && ending.sip >= 600) endCall(draft, ending);
  else legLost(draft);
}

/** Behind the last fork the caller hears the best refusal. */
function legLost(draft: Draft): void {
  const { call } = draft;
  if (call.state.name !== 'calling') return;
  if (call.early !== null && legOf(call, call.early)?.phase !== 'calling')
    draft.call = { ...call, early: null };
  if (draft.callees.some(alive)) {
    connect(draft);
    return;
  }
  let best: Ending | null = null;
  for (const leg of draft.callees)
    if (leg.ending !== null && (best === null || rank(leg.ending) < rank(best))) best = leg.ending;
  endCall(draft, best ?? { ...CAUSE.drain, by: 'platform' });
}

function confirmed(draft: Draft, input: Extract<CallInput, { type: 'confirmed' }>): void {
  const leg = draft.leg(input.leg);
  if (leg?.role !== 'caller' || leg.phase !== 'up' || leg.connected) return;
  if (leg.offer !== null || leg.remote !== null) return;
  // The ACK of an offerless INVITE carries the answer (RFC 3261 §13.2.1).
  if (input.sdp === undefined) endCall(draft, { ...CAUSE.noCodec, by: 'platform' });
  else accept(draft, leg, input.sdp);
}

/** The next thing that can be done for the caller. */
function advance(draft: Draft): void {
  const { state, early } = draft.call;
  const caller = draft.caller;
  if (state.name === 'up') {
    connect(draft);
    return;
  }
  const answered = state.name === 'answering';
  const peer = answered
    ? legOf(draft.call, state.peer)
    : early === null
      ? undefined
      : legOf(draft.call, early);
  if (!(answered || state.name === 'calling') || peer === undefined) return;
  if (!peer.connected || peer.accepting > 0) return;
  if (draft.call.origin !== null) {
    if (answered) dialled(draft, peer, draft.call.origin);
    return;
  }
  if (caller.media === 'none') {
    if (caller.offer !== null || answered) openCaller(draft, peer);
    return;
  }
  if (caller.media !== 'open' || caller.sdp === null) return;
  connect(draft);
  if (answered) {
    if (peer.answeredAt === null) draft.set(peer.id, { answeredAt: draft.now });
    draft.set(caller.id, {
      phase: 'up',
      answeredAt: draft.now,
      sdpSent: true,
      connected: caller.offer !== null,
    });
    draft.to({ name: 'up', peer: peer.id, until: draft.now + draft.call.settings.callMs });
    draft.emit({
      type: 'respond',
      leg: caller.id,
      status: 200,
      sdp: caller.sdp,
      headers: draft.call.answerHeaders,
    });
    draft.log('info', 'call answered', { leg: peer.id, kind: peer.kind });
    sendNext(draft, peer.id);
  } else if (!caller.sdpSent && caller.offer !== null) {
    draft.set(caller.id, { sdpSent: true });
    draft.emit({ type: 'respond', leg: caller.id, status: 183, sdp: caller.sdp, headers: [] });
  }
}

/** A call for a transfer is answered: it has nobody to bridge with, until it is joined. */
function dialled(draft: Draft, peer: Leg, origin: string): void {
  if (peer.answeredAt === null) draft.set(peer.id, { answeredAt: draft.now });
  draft.to({ name: 'up', peer: peer.id, until: draft.now + draft.call.settings.callMs });
  draft.emit({ type: 'news', call: origin, news: { kind: 'answered', leg: peer.id } });
}

function openCaller(draft: Draft, peer: Leg): void {
  const { plan } = draft.call;
  const caller = draft.caller;
  const policy = trunkOf(plan, peer)?.policy ?? 'capacity';
  const codecs = callerCodecs(caller.codecs, policy, peer.codec, caller.webrtc);
  draft.set(caller.id, { media: 'asked', candidates: [] });
  // An echo gives the caller its own Opus back, so its own wishes count.
  const heard = peer.kind === 'service' ? caller.offer : peer.remote;
  const about = { leg: caller.id, kind: mediaKind(caller), codecs, opus: opusWishes(heard ?? '') };
  if (caller.offer === null) draft.media('first', { op: 'offer', ...about });
  else draft.media('first', { op: 'answer', ...about, ...signalledFrom(caller), sdp: caller.offer });
  for (const candidate of caller.candidates)
    draft.media('aside', { op: 'candidate', leg: caller.id, candidate });
}

function tick(draft: Draft): void {
  const { state } = draft.call;
  if (!('until' in state) || state.until > draft.now) return;
  if (state.name === 'up') endCall(draft, { ...CAUSE.tooLong, by: 'platform' });
  else endCall(draft, { ...CAUSE.noAnswer, by: 'platform' });
}

export const routeAndBridge: Program = {
  start,
  bindings,
  progress,
  accepted,
  failed,
  confirmed,
  mediaReply,
  legLost,
  tick,
};
