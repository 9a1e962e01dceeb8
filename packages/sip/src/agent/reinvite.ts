import type { Ms } from '@sidetone/core';
import { refreshTarget } from '../dialog.ts';
import type { Flow } from '../flow.ts';
import type { SipRequest, SipResponse } from '../message.ts';
import { replyFlow } from '../transaction/matching.ts';
import type { ExtraHeaders, ResponseOptions } from '../user-agent-events.ts';
import {
  type Agent,
  type ClientUse,
  contactFor,
  type Leg,
  type Reinvite,
  refreshed,
  refuse,
  responseTo,
  schedule,
  sdpBody,
  sdpField,
  sessionHeaders,
  tagOf,
} from './agent.ts';
import { authorizeAgain, byeQuietly, sendAck, sendInDialog } from './client-request.ts';
import { loseDialog } from './ending.ts';
import { answerAgain, unacked } from './unacked.ts';

/** After so many collisions a 491 is handed to the user. */
const MOST_COLLISIONS = 8;

/** Queues a re-INVITE and sends it as soon as no other offer is open (§14.1). */
export function reinvite(
  agent: Agent,
  leg: Leg,
  sdp: string | undefined,
  token: string,
  headers: ExtraHeaders,
  now: Ms,
): void {
  leg.queue.push({ token, sdp, headers, seq: 0, collisions: 0, retryAt: null });
  flushQueue(agent, leg, now);
}

/** Whether the session has no INVITE open in either direction. */
const isQuiet = (leg: Leg): boolean =>
  leg.phase === 'confirmed' && leg.unacked === null && leg.pendingAck === null && leg.peerOffer === null;

/** Sends the next waiting re-INVITE, if it may go now. */
export function flushQueue(agent: Agent, leg: Leg, now: Ms): void {
  if (leg.reinvite !== null || leg.queue.length === 0 || !isQuiet(leg)) return;
  start(agent, leg, leg.queue.shift()!, now);
}

/** The pause after a 491 is over. */
export function retryReinvite(agent: Agent, leg: Leg, now: Ms): void {
  const waiting = leg.reinvite;
  if (waiting === null || waiting.retryAt === null || waiting.retryAt > now) return;
  leg.reinvite = null;
  leg.queue.unshift(waiting);
  flushQueue(agent, leg, now);
  refreshed(agent, leg);
}

function start(agent: Agent, leg: Leg, next: Reinvite, now: Ms): void {
  if (leg.dialog === null) return;
  leg.reinvite = { ...next, seq: leg.dialog.localSeq + 1, retryAt: null };
  const { offer } = agent.options;
  const sdp = next.sdp === undefined || offer === undefined ? next.sdp : offer(leg.id, next.sdp);
  schedule(agent, leg);
  sendInDialog(
    agent,
    leg,
    leg.dialog,
    'reinvite',
    {
      method: 'INVITE',
      contact: contactFor(agent, leg.id),
      headers: sessionHeaders(agent, next.headers),
      ...sdpBody(sdp),
    },
    next.token,
    now,
  );
}

/** A response to a re-INVITE of ours. */
export function onReinviteResponse(
  agent: Agent,
  use: ClientUse,
  response: SipResponse,
  from: Flow,
  now: Ms,
): void {
  const leg = use.leg === null ? undefined : agent.legs.get(use.leg);
  const { status } = response;
  if (status < 200) return;
  if (status < 300) return onReinviteSuccess(agent, leg, use, response, now);
  if (leg === undefined || leg.reinvite === null) return;
  const again = leg.phase === 'confirmed' ? authorizeAgain(agent, use, response, from, now) : null;
  if (again !== null) {
    leg.reinvite = { ...leg.reinvite, seq: again.request.headers.cseq.seq };
    refreshed(agent, leg);
    return;
  }
  const { collisions } = leg.reinvite;
  if (status === 491 && leg.phase === 'confirmed' && collisions < MOST_COLLISIONS) {
    leg.reinvite = { ...leg.reinvite, collisions: collisions + 1, retryAt: now + pause(agent, leg) };
    schedule(agent, leg);
    refreshed(agent, leg);
    return;
  }
  finish(agent, leg, use, status, response, now);
}

/** §14.1, in steps of 10 ms: the owner of the Call-ID waits 2.1 to 4 s, the other side 0 to 2 s. */
const pause = (agent: Agent, leg: Leg): Ms =>
  leg.role === 'uac' ? 2100 + 10 * agent.options.random.int(191) : 10 * agent.options.random.int(201);

function onReinviteSuccess(
  agent: Agent,
  leg: Leg | undefined,
  use: ClientUse,
  response: SipResponse,
  now: Ms,
): void {
  const dialog = leg?.dialog ?? use.dialog;
  if (dialog === null || leg?.pendingAck === use) return;
  const known = use.acks.get(tagOf(dialog.remote));
  if (known !== undefined) {
    agent.feed(agent.layer.ack(known.request, known.flow), now);
    return;
  }
  const fresh = refreshTarget(dialog, response);
  if (leg === undefined || leg.phase !== 'confirmed') {
    sendAck(agent, use, fresh, {}, now);
    return;
  }
  leg.dialog = fresh;
  if (use.request.body.length > 0) leg.lastAck = sendAck(agent, use, fresh, {}, now);
  else leg.pendingAck = use;
  finish(agent, leg, use, response.status, response, now);
}

/** A re-INVITE that nobody answered, or that could not be sent. */
export function onReinviteLost(agent: Agent, use: ClientUse, status: number, now: Ms): void {
  const leg = use.leg === null ? undefined : agent.legs.get(use.leg);
  if (leg !== undefined) finish(agent, leg, use, status, undefined, now);
}

function finish(
  agent: Agent,
  leg: Leg,
  use: ClientUse,
  status: number,
  response: SipResponse | undefined,
  now: Ms,
): void {
  leg.reinvite = null;
  schedule(agent, leg);
  agent.out.push({
    type: 'reinviteResult',
    leg: leg.id,
    token: use.token,
    status,
    ...(response === undefined ? undefined : { response, ...sdpField(response) }),
  });
  // §14.1: without an answer, or told that there is no such dialog, the session is over.
  if (status === 408 || status === 481) {
    if (status === 408 && leg.phase === 'confirmed' && leg.dialog !== null)
      byeQuietly(agent, leg.dialog, leg, [], now);
    loseDialog(agent, leg, status, now);
  } else flushQueue(agent, leg, now);
}

/** A re-INVITE, or an UPDATE with an offer, of the peer (§14.2, RFC 3311 §5.2). Its CSeq is in order. */
export function onPeerOffer(
  agent: Agent,
  leg: Leg,
  tx: string,
  request: SipRequest,
  flow: Flow,
  now: Ms,
): void {
  const invite = request.method === 'INVITE';
  if (invite && answerAgain(agent, leg, tx, request, flow, now)) return;
  if (leg.peerOffer !== null || (invite && leg.phase === 'ringing')) {
    const seconds = String(agent.options.random.int(11));
    return refuse(agent, tx, request, 500, now, { headers: [['Retry-After', seconds]] });
  }
  const open = leg.reinvite !== null && leg.reinvite.retryAt === null;
  if (open || leg.unacked !== null || leg.pendingAck !== null) return refuse(agent, tx, request, 491, now);
  leg.peerOffer = tx;
  agent.servers.set(tx, {
    purpose: invite ? 'reinvite' : 'update',
    leg: leg.id,
    request,
    flow: replyFlow(request, flow),
  });
  if (invite) agent.feed(agent.layer.respond(tx, responseTo(agent, request, 100, {}, {}), now), now);
  agent.out.push({ type: 'reinvite', leg: leg.id, tx, request, ...sdpField(request) });
}

/** The user's answer to it. */
export function answerReinvite(
  agent: Agent,
  leg: Leg,
  tx: string,
  status: number,
  options: ResponseOptions,
  now: Ms,
): void {
  const use = agent.servers.get(tx);
  if (use === undefined || use.leg !== leg.id || leg.peerOffer !== tx) return;
  const success = status >= 200 && status < 300;
  const response = responseTo(agent, use.request, status, options, {
    ...(success ? { contact: contactFor(agent, leg.id) } : undefined),
  });
  if (status >= 200) {
    leg.peerOffer = null;
    agent.servers.delete(tx);
  }
  if (success && leg.dialog !== null) leg.dialog = refreshTarget(leg.dialog, use.request);
  if (success && use.purpose === 'reinvite') {
    leg.unacked = unacked(tx, use.flow, use.request, response, true, now);
    schedule(agent, leg);
  }
  agent.feed(agent.layer.respond(tx, response, now), now);
  flushQueue(agent, leg, now);
}
