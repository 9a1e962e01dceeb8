import type { Ms } from '@sidetone/core';
import { checkOrder, type Dialog, refreshTarget, remoteTag } from '../dialog.ts';
import type { Flow } from '../flow.ts';
import type { SipRequest, SipResponse } from '../message.ts';
import type { ExtraHeaders } from '../user-agent-events.ts';
import {
  type Agent,
  type ClientUse,
  contactFor,
  dialogKey,
  dialogOf,
  dropLeg,
  type Leg,
  refreshed,
  refuse,
  responseTo,
  sdpOf,
  storeDialog,
  tagOf,
} from './agent.ts';
import { authorizeAgain, sendInDialog } from './client-request.ts';
import { loseDialog } from './ending.ts';
import { onPeerOffer } from './reinvite.ts';

/** A request with a To tag (§12.2.2). */
export function onRequestInDialog(agent: Agent, tx: string, request: SipRequest, flow: Flow, now: Ms): void {
  const { headers, method } = request;
  const leg = agent.legs.get(agent.byDialog.get(dialogKey(headers.callId, tagOf(headers.to))) ?? '');
  const dialog = leg === undefined ? null : dialogWith(leg, tagOf(headers.from));
  if (leg === undefined || dialog === null) return refuse(agent, tx, request, 481, now);
  if (agent.options.admits?.(dialog.remoteTarget, request) === false)
    return refuse(agent, tx, request, 403, now);
  const ordered = checkOrder(dialog, request);
  if (ordered === null) return refuse(agent, tx, request, 500, now);
  storeDialog(leg, ordered);
  switch (method) {
    case 'BYE':
      return onBye(agent, leg, tx, request, now);
    case 'INVITE':
      return onPeerOffer(agent, leg, tx, request, flow, now);
    case 'UPDATE':
      if (sdpOf(request) !== undefined) return onPeerOffer(agent, leg, tx, request, flow, now);
      storeDialog(leg, refreshTarget(ordered, request));
      refreshed(agent, leg);
      return succeed(agent, leg, tx, request, now);
    case 'OPTIONS':
      return succeed(agent, leg, tx, request, now);
    case 'INFO':
      agent.servers.set(tx, { purpose: 'request', leg: leg.id, request, flow });
      agent.out.push({ type: 'info', leg: leg.id, tx, request });
      return;
    default:
      agent.servers.set(tx, { purpose: 'request', leg: leg.id, request, flow });
      agent.out.push({ type: 'request', tx, request, flow, leg: leg.id });
  }
}

const dialogWith = (leg: Leg, tag: string): Dialog | null =>
  leg.dialog === null ? (leg.forks.get(tag) ?? null) : remoteTag(leg.dialog) === tag ? leg.dialog : null;

function succeed(agent: Agent, leg: Leg, tx: string, request: SipRequest, now: Ms): void {
  const headers: ExtraHeaders = [['Allow', agent.options.allow.join(', ')]];
  const response = responseTo(agent, request, 200, { headers }, { contact: contactFor(agent, leg.id) });
  agent.feed(agent.layer.respond(tx, response, now), now);
}

/** §15.1.2. A BYE before our answer also refuses the INVITE with 487; one in an early fork ends that fork. */
function onBye(agent: Agent, leg: Leg, tx: string, request: SipRequest, now: Ms): void {
  agent.feed(agent.layer.respond(tx, responseTo(agent, request, 200, {}, {}), now), now);
  if (leg.dialog === null) {
    leg.forks.delete(tagOf(request.headers.from));
    return;
  }
  // Both sides hung up: the answer to our BYE ends the leg.
  if (leg.phase === 'leaving') return;
  if (leg.phase === 'ringing') {
    const asked = agent.servers.get(leg.inviteTx);
    agent.servers.delete(leg.inviteTx);
    if (asked !== undefined) {
      const refusal = responseTo(agent, asked.request, 487, {}, { toTag: leg.localTag });
      agent.feed(agent.layer.respond(leg.inviteTx, refusal, now), now);
    }
  }
  dropLeg(agent, leg, now);
  agent.out.push({ type: 'bye', leg: leg.id, request });
}

/** A request of the user inside the dialog. */
export function requestInDialog(
  agent: Agent,
  leg: Leg,
  request: {
    readonly method: string;
    readonly contentType?: string;
    readonly body?: string;
    readonly headers?: ExtraHeaders;
  },
  token: string,
  now: Ms,
): void {
  const dialog = dialogOf(leg);
  if (dialog === null) {
    agent.out.push({ type: 'inDialogResult', leg: leg.id, token, status: 481 });
    return;
  }
  // RFC 3515 §2.2, RFC 6665 §8.2.1: these name where they come from.
  const named = request.method === 'NOTIFY' || request.method === 'REFER';
  const parts = named ? { ...request, contact: contactFor(agent, leg.id) } : request;
  sendInDialog(agent, leg, dialog, 'in-dialog', parts, token, now);
}

/** The answer to it, or to our BYE. */
export function onInDialogResponse(
  agent: Agent,
  use: ClientUse,
  response: SipResponse,
  from: Flow,
  now: Ms,
): void {
  if (response.status < 200) return;
  if (authorizeAgain(agent, use, response, from, now) !== null) return;
  onInDialogEnd(agent, use, response.status, response, now);
}

/** Any end of an in-dialog request: an answer, 408 for none, 503 when it could not be sent. */
export function onInDialogEnd(
  agent: Agent,
  use: ClientUse,
  status: number,
  response: SipResponse | undefined,
  now: Ms,
): void {
  const leg = use.leg === null ? undefined : agent.legs.get(use.leg);
  if (leg === undefined || use.purpose === 'quiet') return;
  if (use.purpose === 'bye') {
    dropLeg(agent, leg, now);
    agent.out.push({ type: 'ended', leg: leg.id, why: 'bye-done' });
    return;
  }
  agent.out.push({
    type: 'inDialogResult',
    leg: leg.id,
    token: use.token,
    status,
    ...(response === undefined ? undefined : { response }),
  });
  // §12.2.1.2: the peer does not know the dialog, or does not answer in it.
  // To a NOTIFY it speaks of the subscription alone (RFC 5057 §5.1).
  if (use.request.method !== 'NOTIFY' && (status === 408 || status === 481))
    loseDialog(agent, leg, status, now);
}
