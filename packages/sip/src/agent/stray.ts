import type { Ms } from '@sidetone/core';
import { dialogAsUac, nextHop, refreshTarget, remoteTag, requestIn } from '../dialog.ts';
import type { SipRequest, SipResponse } from '../message.ts';
import { NO_BODY } from '../message.ts';
import type { ExtraHeaders } from '../user-agent-events.ts';
import { type Agent, dialogKey, type Leg, refreshed, requestHeaders, tagOf } from './agent.ts';
import { byeQuietly } from './client-request.ts';

/*
 * A 2xx to an INVITE without a transaction (RFC 3261 §13.2.2.4): a copy, or an answer to a process that is dead.
 *
 *   of a leg's last INVITE           → the same ACK again
 *   of a re-INVITE of a dead process → ACK, once for each copy
 *   of an INVITE that is expected    → ACK, and BYE once a fork
 *   of anything else                 → nothing: a stranger must not make us send
 */
export function onStray(agent: Agent, response: SipResponse, now: Ms): void {
  const { callId, from, to, cseq } = response.headers;
  const key = dialogKey(callId, tagOf(from));
  const leg = agent.legs.get(agent.byDialog.get(key) ?? '');
  if (leg === undefined) return endStray(agent, key, response, now);
  if (leg.dialog === null || remoteTag(leg.dialog) !== tagOf(to)) return;
  const ack = leg.lastAck;
  if (ack !== null && ack.request.headers.cseq.seq === cseq.seq)
    agent.feed(agent.layer.ack(ack.request, ack.flow), now);
  else if (leg.inheritedSeq === cseq.seq) ackInherited(agent, leg, response, now);
}

function ackInherited(agent: Agent, leg: Leg, response: SipResponse, now: Ms): void {
  leg.dialog = refreshTarget(leg.dialog!, response);
  const parts = { method: 'ACK', headers: requestHeaders(agent, []) };
  const { request } = requestIn(leg.dialog, parts, response.headers.cseq.seq);
  agent.feed(agent.layer.ack(request, agent.options.resolve(nextHop(leg.dialog))), now);
  refreshed(agent, leg);
}

export function expectStray(
  agent: Agent,
  callId: string,
  fromTag: string,
  until: Ms,
  headers: ExtraHeaders,
): void {
  const key = dialogKey(callId, fromTag);
  agent.strays.set(key, { until, headers, ended: new Set() });
  agent.straysDue.set(key, until);
}

export function forgetStrays(agent: Agent, now: Ms): void {
  for (let key = agent.straysDue.takeDue(now); key !== undefined; key = agent.straysDue.takeDue(now))
    agent.strays.delete(key);
}

/** More forks than an INVITE of ours ever has. */
const MOST_FORKS = 16;

function endStray(agent: Agent, key: string, response: SipResponse, now: Ms): void {
  const stray = agent.strays.get(key);
  if (stray === undefined || stray.until <= now) return;
  const { from, to, callId, cseq } = response.headers;
  const tag = tagOf(to);
  if (!stray.ended.has(tag) && stray.ended.size >= MOST_FORKS) return;
  // As much of our INVITE as a dialog needs; all of it is in the response.
  const invite: SipRequest = {
    kind: 'request',
    method: 'INVITE',
    uri: to.uri,
    headers: { via: [], from, to, callId, cseq, contact: [], route: [], recordRoute: [], other: [] },
    body: NO_BODY,
  };
  const dialog = dialogAsUac(invite, response);
  const parts = { method: 'ACK', headers: requestHeaders(agent, []) };
  const { request } = requestIn(dialog, parts, cseq.seq);
  agent.feed(agent.layer.ack(request, agent.options.resolve(nextHop(dialog))), now);
  if (stray.ended.has(tag)) return;
  stray.ended.add(tag);
  byeQuietly(agent, dialog, { credentials: undefined, proof: null }, stray.headers, now);
}
