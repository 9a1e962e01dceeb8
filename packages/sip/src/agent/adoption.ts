import type { Ms } from '@sidetone/core';
import { type Dialog, nextHop, requestIn } from '../dialog.ts';
import { bodyText } from '../header-access.ts';
import { formatNameAddr } from '../header-grammar.ts';
import type { LegSnapshot } from '../leg-snapshot.ts';
import type { SipResponse } from '../message.ts';
import { T1 } from '../transaction/timers.ts';
import { formatUri } from '../uri.ts';
import type { AgentCredentials } from '../user-agent-events.ts';
import { writeMessage } from '../write.ts';
import {
  type Agent,
  addLeg,
  dialogKey,
  type Leg,
  newLeg,
  requestHeaders,
  schedule,
  sdpBody,
  tagOf,
} from './agent.ts';
import type { ReadSnapshot } from './read-snapshot.ts';
import { repeatAnswer } from './unacked.ts';

/*
 * A leg on its way from one process to the next. Only an answered one goes: an early dialog is its INVITE transaction,
 * and that died (`stray.ts` ends what still answers).
 */

/** How far our CSeq jumps: more requests than can have left unwritten. */
const JUMP = 1000;

/** Parts of a dialog outlive many snapshots, so each is spelled once. */
const SPELLED = new WeakMap<object, string>();

function spelled<T extends object>(part: T, spell: (part: T) => string): string {
  let text = SPELLED.get(part);
  if (text === undefined) {
    text = spell(part);
    SPELLED.set(part, text);
  }
  return text;
}

const spellResponse = (response: SipResponse): string =>
  Buffer.from(writeMessage(response)).toString('latin1');

/** What the next process needs of a leg; `null` before its 2xx. */
export function snapshot(leg: Leg): LegSnapshot | null {
  const { dialog, unacked, lastAck, proof } = leg;
  if (dialog === null || (leg.phase !== 'confirmed' && leg.phase !== 'leaving')) return null;
  const pending = leg.pendingAck?.request;
  const acked = pending ?? lastAck?.request;
  const ackSdp = pending === undefined && acked !== undefined ? bodyText(acked) : '';
  const open = leg.reinvite !== null && leg.reinvite.retryAt === null ? leg.reinvite.seq : null;
  return {
    leg: leg.id,
    role: leg.role,
    callId: dialog.callId,
    local: spelled(dialog.local, formatNameAddr),
    remote: spelled(dialog.remote, formatNameAddr),
    target: spelled(dialog.remoteTarget, formatUri),
    routes: dialog.routeSet.map((route) => spelled(route, formatNameAddr)),
    ...(proof === null ? undefined : { proof }),
    localSeq: dialog.localSeq,
    remoteSeq: dialog.remoteSeq,
    acked: acked?.headers.cseq.seq ?? null,
    ...(ackSdp === '' ? undefined : { ackSdp }),
    open: open ?? leg.inheritedSeq,
    unacked:
      unacked === null
        ? null
        : {
            seq: unacked.seq,
            reinvite: unacked.reinvite,
            offerless: unacked.offerless,
            response: spelled(unacked.response, spellResponse),
            flow: unacked.flow,
            giveUpAt: unacked.giveUpAt,
          },
  };
}

/** The process that waited for this ACK had ended the leg at that hour, but releases before wrote no ACK of a re-INVITE. */
const isOld = ({ reinvite, giveUpAt }: NonNullable<LegSnapshot['unacked']>, now: Ms): boolean =>
  reinvite && giveUpAt <= now;

/** The leg again, in this process. */
export function adopt(
  agent: Agent,
  { snapshot: known, dialog: written, response }: ReadSnapshot,
  credentials: AgentCredentials | undefined,
  now: Ms,
): void {
  const { remoteSeq } = written;
  const dialog: Dialog = {
    ...written,
    localSeq: written.localSeq + JUMP,
    // One less: the request that was heard last may come again, its answer may be lost.
    remoteSeq: remoteSeq === null || remoteSeq === 0 ? null : remoteSeq - 1,
  };
  const leg = newLeg({
    id: known.leg,
    role: known.role,
    callId: known.callId,
    localTag: tagOf(dialog.local),
    phase: 'confirmed',
    dialog,
    credentials,
    inviteTx: '',
  });
  leg.proof = known.proof ?? null;
  if (known.acked !== null) leg.lastAck = ackAgain(agent, dialog, known.acked, known.ackSdp);
  leg.inheritedSeq = known.open;
  if (known.unacked !== null && response !== null && !isOld(known.unacked, now)) {
    const { seq, reinvite, offerless, flow, giveUpAt } = known.unacked;
    const timers = { interval: T1, retransmitAt: now, giveUpAt };
    leg.unacked = { tx: null, flow, seq, response, reinvite, offerless, ...timers };
    if (!reinvite) agent.inherited.set(dialogKey(leg.callId, tagOf(dialog.remote)), leg.id);
  }
  addLeg(agent, leg);
  repeatAnswer(agent, leg, now);
  schedule(agent, leg);
}

function ackAgain(agent: Agent, dialog: Dialog, seq: number, sdp: string | undefined): Leg['lastAck'] {
  const parts = { method: 'ACK', headers: requestHeaders(agent, []), ...sdpBody(sdp) };
  return {
    request: requestIn(dialog, parts, seq).request,
    flow: agent.options.resolve(nextHop(dialog)),
  };
}
