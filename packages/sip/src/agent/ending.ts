import type { Ms } from '@sidetone/core';
import type { ExtraHeaders } from '../user-agent-events.ts';
import { type Agent, abandonReinvite, dropLeg, type Leg } from './agent.ts';
import { sendAck, sendInDialog } from './client-request.ts';

/** Hangs up an answered call (§15.1.1). Before the ACK of our 2xx the BYE waits for it. */
export function leave(agent: Agent, leg: Leg, headers: ExtraHeaders, now: Ms): void {
  if (leg.phase !== 'confirmed') return;
  if (leg.unacked !== null && !leg.unacked.reinvite) {
    leg.byeWhenAcked = headers;
    return;
  }
  leg.queue.length = 0;
  if (leg.dialog === null) return;
  if (leg.pendingAck !== null) {
    leg.lastAck = sendAck(agent, leg.pendingAck, leg.dialog, {}, now);
    leg.pendingAck = null;
  }
  abandonReinvite(agent, leg, now);
  leg.phase = 'leaving';
  leg.unacked = null;
  sendInDialog(agent, leg, leg.dialog, 'bye', { method: 'BYE', headers }, '', now);
}

/** The dialog is gone without a BYE. A leg that is leaving waits for its BYE, an early one for its INVITE. */
export function loseDialog(agent: Agent, leg: Leg, status: 408 | 481, now: Ms): void {
  if (leg.phase !== 'confirmed' || !agent.legs.has(leg.id)) return;
  dropLeg(agent, leg, now);
  agent.out.push({ type: 'ended', leg: leg.id, why: status === 481 ? 'dialog-gone' : 'no-answer' });
}
