import type { Ms } from '@sidetone/core';
import type { Flow } from '../flow.ts';
import type { SipRequest, SipResponse } from '../message.ts';
import { replyFlow } from '../transaction/matching.ts';
import { GIVE_UP, T1, T2 } from '../transaction/timers.ts';
import { type Agent, dropLeg, type Leg, sdpOf, type Unacked } from './agent.ts';
import { byeQuietly } from './client-request.ts';

/** A 2xx to an INVITE that now waits for its ACK. */
export const unacked = (
  tx: string,
  flow: Flow,
  request: SipRequest,
  response: SipResponse,
  reinvite: boolean,
  now: Ms,
): Unacked => ({
  tx,
  flow,
  seq: request.headers.cseq.seq,
  response,
  reinvite,
  offerless: sdpOf(request) === undefined,
  interval: T1,
  retransmitAt: now + T1,
  giveUpAt: now + GIVE_UP,
});

/**
 * A copy of the INVITE that a process before has answered: its transaction died with that process, our 2xx did not, and is the answer
 * (§17.2.1). Anything else would be the end of the INVITE for the peer, who then ACKs our 2xx no more.
 */
export function answerAgain(
  agent: Agent,
  leg: Leg,
  tx: string,
  request: SipRequest,
  flow: Flow,
  now: Ms,
): boolean {
  const waiting = leg.unacked;
  if (waiting === null || waiting.tx !== null || waiting.seq !== request.headers.cseq.seq) return false;
  const { via } = request.headers;
  const response = { ...waiting.response, headers: { ...waiting.response.headers, via } };
  leg.unacked = { ...waiting, tx, flow: replyFlow(request, flow), response };
  agent.feed(agent.layer.respond(tx, response, now), now);
  return true;
}

/** §13.3.1.4: repeats an unacknowledged 2xx, and ends the call after 64·T1. */
export function repeatAnswer(agent: Agent, leg: Leg, now: Ms): void {
  const waiting = leg.unacked;
  if (waiting === null || leg.dialog === null) return;
  if (now >= waiting.giveUpAt) {
    const headers = leg.byeWhenAcked ?? [];
    leg.unacked = null;
    dropLeg(agent, leg, now);
    byeQuietly(agent, leg.dialog, leg, headers, now);
    agent.out.push({ type: 'ended', leg: leg.id, why: 'ack-timeout' });
    return;
  }
  if (now < waiting.retransmitAt) return;
  const interval = Math.min(2 * waiting.interval, T2);
  leg.unacked = { ...waiting, interval, retransmitAt: now + interval };
  if (waiting.tx !== null) agent.feed(agent.layer.respond(waiting.tx, waiting.response, now), now);
  else agent.out.push({ type: 'sip', message: waiting.response, flow: waiting.flow });
}
