import { type Ms, uuid } from '@sidetone/core';
import { createRequest } from '../build.ts';
import { type Dialog, dialogAsUac, routed } from '../dialog.ts';
import type { Flow } from '../flow.ts';
import type { LegId } from '../leg-snapshot.ts';
import type { SipResponse } from '../message.ts';
import { reasonPhrase } from '../reason-phrase.ts';
import type { InviteOptions } from '../user-agent-events.ts';
import {
  type Agent,
  addLeg,
  type ClientUse,
  contactFor,
  dropLeg,
  type Leg,
  newLeg,
  newTag,
  requestHeaders,
  sdpBody,
  sdpField,
  sessionHeaders,
  tagOf,
} from './agent.ts';
import { authorizeAgain, byeQuietly, proofOf, sendAck, sendRequest } from './client-request.ts';
import { flushQueue } from './reinvite.ts';

/** Calls somebody (§13.2.1). */
export function invite(agent: Agent, id: LegId, options: InviteOptions, now: Ms): void {
  const localTag = newTag(agent);
  const callId = options.callId ?? uuid(agent.options.random);
  const route = options.route ?? [];
  const request = createRequest({
    method: 'INVITE',
    ...routed(options.requestUri, route),
    from: { ...options.from, params: { ...options.from.params, tag: localTag } },
    to: options.to,
    callId,
    cseq: 1,
    contact: contactFor(agent, id),
    headers: sessionHeaders(agent, requestHeaders(agent, options.headers ?? [])),
    ...sdpBody(options.sdp),
  });
  const leg = newLeg({
    id,
    role: 'uac',
    callId,
    localTag,
    phase: 'calling',
    dialog: null,
    credentials: options.credentials,
    inviteTx: '',
  });
  addLeg(agent, leg);
  const flow = options.flow ?? agent.options.resolve(route[0]?.uri ?? options.requestUri);
  const { credentials } = options;
  leg.proof = proofOf({ credentials, flow, request });
  leg.inviteTx = sendRequest(
    agent,
    {
      purpose: 'invite',
      leg: id,
      token: '',
      request,
      flow,
      dialog: null,
      credentials,
      proof: null,
      tries: 0,
    },
    now,
  );
}

/** A response to our first INVITE; the leg may be gone while its forks still answer. */
export function onInviteResponse(
  agent: Agent,
  use: ClientUse,
  response: SipResponse,
  from: Flow,
  now: Ms,
): void {
  const leg = use.leg === null ? undefined : agent.legs.get(use.leg);
  if (response.status < 200) {
    if (leg !== undefined) onProvisional(agent, leg, use, response);
  } else if (response.status < 300) onSuccess(agent, leg, use, response, now);
  else if (leg?.phase === 'calling') onRefusal(agent, leg, use, response, from, now);
}

function onProvisional(agent: Agent, leg: Leg, use: ClientUse, response: SipResponse): void {
  if (response.status === 100 || leg.phase !== 'calling') return;
  const fork = tagOf(response.headers.to);
  if (fork !== '') leg.forks.set(fork, joined(dialogAsUac(use.request, response), leg.forks.get(fork)));
  agent.out.push({ type: 'progress', leg: leg.id, fork, response, ...sdpField(response) });
}

/** A newer view of the same dialog keeps the sequence numbers used since. */
const joined = (fresh: Dialog, known: Dialog | undefined): Dialog =>
  known === undefined
    ? fresh
    : { ...fresh, localSeq: Math.max(fresh.localSeq, known.localSeq), remoteSeq: known.remoteSeq };

function onSuccess(agent: Agent, leg: Leg | undefined, use: ClientUse, response: SipResponse, now: Ms): void {
  const fork = tagOf(response.headers.to);
  const known = use.acks.get(fork);
  if (known !== undefined) {
    agent.feed(agent.layer.ack(known.request, known.flow), now);
    return;
  }
  const dialog = joined(dialogAsUac(use.request, response), leg?.forks.get(fork));
  if (leg === undefined || leg.phase !== 'calling' || leg.cancelling) {
    // A copy of the 2xx whose ACK the user has not given yet.
    if (leg?.pendingAck === use && leg.dialog !== null && tagOf(leg.dialog.remote) === fork) return;
    // Another fork answered, or our CANCEL came too late: accept and end it (§13.2.2.4).
    sendAck(agent, use, dialog, {}, now);
    byeQuietly(agent, dialog, { credentials: use.credentials, proof: proofOf(use) }, [], now);
    if (leg?.phase === 'calling') fail(agent, leg, 487, 'cancel', undefined, now);
    return;
  }
  leg.phase = 'confirmed';
  leg.dialog = dialog;
  leg.forks.clear();
  if (use.request.body.length > 0) leg.lastAck = sendAck(agent, use, dialog, {}, now);
  else leg.pendingAck = use;
  agent.out.push({ type: 'accepted', leg: leg.id, fork, response, ...sdpField(response) });
}

function onRefusal(agent: Agent, leg: Leg, use: ClientUse, response: SipResponse, from: Flow, now: Ms): void {
  const again = leg.cancelling ? null : authorizeAgain(agent, use, response, from, now);
  if (again !== null) {
    leg.inviteTx = again.tx;
    leg.forks.clear();
    return;
  }
  const ours =
    leg.cancelling && (response.status === 487 || response.status === 401 || response.status === 407);
  fail(agent, leg, ours ? 487 : response.status, ours ? 'cancel' : 'peer', response, now);
}

/** Timer B, or no final answer after our CANCEL, or a broken transport. */
export function onInviteLost(agent: Agent, use: ClientUse, by: 'timeout' | 'transport', now: Ms): void {
  const leg = use.leg === null ? undefined : agent.legs.get(use.leg);
  if (leg?.phase !== 'calling') return;
  if (leg.cancelling) fail(agent, leg, 487, 'cancel', undefined, now);
  else fail(agent, leg, by === 'timeout' ? 408 : 503, by, undefined, now);
}

function fail(
  agent: Agent,
  leg: Leg,
  status: number,
  by: 'peer' | 'timeout' | 'transport' | 'cancel',
  response: SipResponse | undefined,
  now: Ms,
): void {
  dropLeg(agent, leg, now);
  const reason = response?.status === status ? response.reason : reasonPhrase(status);
  agent.out.push({
    type: 'failed',
    leg: leg.id,
    status,
    reason,
    by,
    ...(response === undefined ? undefined : { response }),
  });
}

/** The user's answer to the offer of a 2xx, in the ACK. */
export function acknowledge(agent: Agent, leg: Leg, sdp: string | undefined, now: Ms): void {
  const use = leg.pendingAck;
  if (use === null || leg.dialog === null) return;
  leg.pendingAck = null;
  leg.lastAck = sendAck(agent, use, leg.dialog, sdpBody(sdp), now);
  flushQueue(agent, leg, now);
}
