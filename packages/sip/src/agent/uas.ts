import { hexId, type Ms } from '@sidetone/core';
import { createResponse } from '../build.ts';
import { dialogAsUas, remoteTag } from '../dialog.ts';
import type { Flow } from '../flow.ts';
import type { SipRequest } from '../message.ts';
import { replyFlow } from '../transaction/matching.ts';
import type { ResponseOptions } from '../user-agent-events.ts';
import {
  type Agent,
  addLeg,
  contactFor,
  dialogKey,
  dropLeg,
  type Leg,
  newLeg,
  newTag,
  refreshed,
  responseTo,
  schedule,
  sdpField,
  tagOf,
} from './agent.ts';
import { leave } from './ending.ts';
import { flushQueue } from './reinvite.ts';
import { answerAgain, unacked } from './unacked.ts';

/** A new INVITE (§13.3.1): 100 at once, then the user decides. */
export function onInvite(agent: Agent, tx: string, request: SipRequest, flow: Flow, now: Ms): void {
  const { callId, from } = request.headers;
  const known = agent.legs.get(agent.inherited.get(dialogKey(callId, tagOf(from))) ?? '');
  if (known !== undefined && answerAgain(agent, known, tx, request, flow, now)) return;
  const id = hexId(agent.options.random, 8);
  const localTag = newTag(agent);
  const leg = newLeg({
    id,
    role: 'uas',
    callId: request.headers.callId,
    localTag,
    phase: 'ringing',
    dialog: dialogAsUas(request, localTag),
    credentials: undefined,
    inviteTx: tx,
  });
  addLeg(agent, leg);
  agent.servers.set(tx, { purpose: 'invite', leg: id, request, flow: replyFlow(request, flow) });
  agent.feed(agent.layer.respond(tx, createResponse(request, 100), now), now);
  agent.out.push({ type: 'incoming', leg: id, request, flow, ...sdpField(request) });
}

/** The user's answer to an INVITE. */
export function answer(agent: Agent, leg: Leg, status: number, options: ResponseOptions, now: Ms): void {
  const tx = leg.inviteTx;
  const use = agent.servers.get(tx);
  if (leg.phase !== 'ringing' || use === undefined) return;
  const response = responseTo(agent, use.request, status, options, {
    ...(status > 100 ? { toTag: leg.localTag } : undefined),
    ...(status > 100 && status < 300 ? { contact: contactFor(agent, leg.id) } : undefined),
  });
  if (status >= 200) agent.servers.delete(tx);
  forgetChallenged(agent, tx, status);
  if (status >= 200 && status < 300) {
    leg.phase = 'confirmed';
    leg.unacked = unacked(tx, use.flow, use.request, response, false, now);
    schedule(agent, leg);
  } else if (status >= 300) dropLeg(agent, leg, now);
  agent.feed(agent.layer.respond(tx, response, now), now);
}

/** A proxy answers a challenge with the CSeq that was challenged, and tries another way after 503: it cannot take the next one. */
export function forgetChallenged(agent: Agent, tx: string, status: number): void {
  if (status === 401 || status === 407 || status === 503) agent.merged.remove(tx);
}

/** CANCEL before our final answer (§9.2). A cancelled re-INVITE leaves the session as it is. */
export function onCancel(agent: Agent, tx: string, request: SipRequest, now: Ms): void {
  const use = agent.servers.get(tx);
  const leg = use?.leg == null ? undefined : agent.legs.get(use.leg);
  if (use === undefined || leg === undefined) return;
  agent.servers.delete(tx);
  const response = responseTo(agent, use.request, 487, {}, { toTag: leg.localTag });
  agent.feed(agent.layer.respond(tx, response, now), now);
  if (use.purpose === 'invite') {
    dropLeg(agent, leg, now);
    agent.out.push({ type: 'cancelled', leg: leg.id, request });
  } else {
    leg.peerOffer = null;
    flushQueue(agent, leg, now);
    if (leg.reinvite !== null) refreshed(agent, leg);
  }
}

/** An ACK: ours is the 2xx it names, or it is a copy. */
export function onAck(agent: Agent, request: SipRequest, now: Ms): void {
  const { headers } = request;
  const leg = agent.legs.get(agent.byDialog.get(dialogKey(headers.callId, tagOf(headers.to))) ?? '');
  if (leg?.dialog == null || remoteTag(leg.dialog) !== tagOf(headers.from)) return;
  const done = leg.unacked;
  if (done === null || done.seq !== headers.cseq.seq) return;
  leg.unacked = null;
  schedule(agent, leg);
  if (!done.reinvite) agent.out.push({ type: 'confirmed', leg: leg.id, ...sdpField(request) });
  else if (done.offerless) agent.out.push({ type: 'reinviteConfirmed', leg: leg.id, ...sdpField(request) });
  else refreshed(agent, leg);
  const bye = leg.byeWhenAcked;
  leg.byeWhenAcked = null;
  if (bye !== null) leave(agent, leg, bye, now);
  else flushQueue(agent, leg, now);
}
