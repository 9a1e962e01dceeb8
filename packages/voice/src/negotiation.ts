import type { Direction, MediaReply } from '@sidetone/wire';
import { answerDirection, connect, wanted } from './bridge.ts';
import { otherSide } from './call.ts';
import type { CallInput, MediaTag } from './call-events.ts';
import { codecsOf } from './codecs.ts';
import type { Draft } from './draft.ts';
import { endCall, mediaEnding } from './finish.ts';
import { type Leg, mediaKind, signalledFrom } from './leg.ts';
import { renew, renewed } from './presence.ts';

/*
 * Offer/answer inside a dialog (RFC 3261 §14, RFC 3264 §8): hold, resume, moved addresses, ICE restart.
 *
 *   idle ──peer's offer──▶ answering ──media──▶ 200 ──▶ idle
 *   idle ──peer's offerless──▶ offering-peer ──media──▶ 200 ──▶ awaiting-ack ──ACK──▶ accepting ──media──▶ idle
 *   idle ──direction changed──▶ offering ──media──▶ reinviting ──2xx──▶ accepting ──media──▶ idle
 *                                                       └── ≥ 300: nothing changed ──▶ idle
 *
 * Hold gates media first, answers the holder, and then tells the other side; a refusal there changes no gate.
 */

/** `sendonly` and `inactive` put us on hold. */
const holds = (direction: Direction): boolean => direction === 'sendonly' || direction === 'inactive';

/** The peer's re-INVITE. */
export function onReinvite(draft: Draft, input: Extract<CallInput, { type: 'reinvite' }>): void {
  const leg = draft.leg(input.leg);
  if (leg === undefined || leg.phase === 'over') return;
  // RFC 3261 §14.2: an exchange is still open.
  const settled = leg.phase === 'up' && leg.connected && leg.media === 'open';
  if (!settled || leg.negotiation.name !== 'idle') {
    draft.emit({ type: 'respondReinvite', leg: leg.id, tx: input.tx, status: 491 });
    return;
  }
  if (input.offer === undefined) {
    const direction = wanted(draft, leg);
    draft.set(leg.id, { negotiation: { name: 'offering-peer', tx: input.tx }, stated: direction });
    draft.media('re-offer', {
      op: 'offer',
      leg: leg.id,
      kind: mediaKind(leg),
      codecs: codecsOf(leg),
      direction,
    });
    return;
  }
  const direction = answerDirection(input.offer.direction, wanted(draft, leg));
  draft.set(leg.id, {
    negotiation: { name: 'answering', tx: input.tx, before: leg.holding },
    holding: holds(input.offer.direction),
    stated: wanted(draft, leg),
  });
  connect(draft);
  draft.media('re-answer', {
    op: 'answer',
    leg: leg.id,
    kind: mediaKind(leg),
    sdp: input.offer.sdp,
    codecs: codecsOf(leg),
    direction,
    ...signalledFrom(draft.heardFrom(leg, input.from)),
  });
}

/** The ACK of an offerless re-INVITE, with the peer's answer. */
export function onReinviteConfirmed(
  draft: Draft,
  input: Extract<CallInput, { type: 'reinviteConfirmed' }>,
): void {
  const leg = draft.leg(input.leg);
  if (leg?.negotiation.name !== 'awaiting-ack') return;
  if (input.answer === undefined) {
    // RFC 3264 demands an answer; without one the old session stands.
    finish(draft, leg);
    return;
  }
  draft.set(leg.id, { holding: holds(input.answer.direction), negotiation: { name: 'accepting' } });
  connect(draft);
  draft.media('re-accept', { op: 'accept', leg: leg.id, sdp: input.answer.sdp, ...signalledFrom(leg) });
}

/** The end of our own re-INVITE. */
export function onReinviteResult(draft: Draft, input: Extract<CallInput, { type: 'reinviteResult' }>): void {
  const leg = draft.leg(input.leg);
  if (leg?.negotiation.name !== 'reinviting') return;
  if (input.status >= 300 || input.sdp === undefined) {
    draft.log('warn', 're-invite refused', { leg: leg.id, status: input.status });
    renewed(draft, leg, false);
    finish(draft, leg);
    return;
  }
  draft.set(leg.id, { negotiation: { name: 'accepting' } });
  const from = signalledFrom(draft.heardFrom(leg, input.from));
  draft.media('re-accept', { op: 'accept', leg: leg.id, sdp: input.sdp, ...from });
}

/** Media's reply within an exchange. */
export function onNegotiationReply(draft: Draft, leg: Leg, tag: MediaTag, reply: MediaReply): void {
  const at = leg.negotiation;
  if (at.name === 'answering' && tag === 're-answer') {
    if (!reply.ok || reply.sdp === undefined) {
      refuse(draft, leg, at.tx, reply);
      draft.set(leg.id, { holding: at.before });
      connect(draft);
    } else {
      draft.set(leg.id, { codec: reply.codec ?? leg.codec });
      draft.emit({ type: 'respondReinvite', leg: leg.id, tx: at.tx, status: 200, sdp: reply.sdp });
    }
    finish(draft, leg);
  } else if (at.name === 'offering-peer' && tag === 're-offer') {
    if (!reply.ok || reply.sdp === undefined) {
      refuse(draft, leg, at.tx, reply);
      finish(draft, leg);
      return;
    }
    draft.emit({ type: 'respondReinvite', leg: leg.id, tx: at.tx, status: 200, sdp: reply.sdp });
    draft.set(leg.id, { negotiation: { name: 'awaiting-ack' } });
  } else if (at.name === 'offering' && tag === 're-offer') {
    if (!reply.ok || reply.sdp === undefined) {
      draft.log('warn', 'media made no offer', { leg: leg.id, error: reply.ok ? 'no sdp' : reply.error });
      renewed(draft, leg, false);
      finish(draft, leg);
      return;
    }
    draft.set(leg.id, { negotiation: { name: 'reinviting' } });
    draft.emit({ type: 'reinvite', leg: leg.id, sdp: reply.sdp });
  } else if (at.name === 'accepting' && tag === 're-accept') {
    if (!reply.ok && reply.error !== 'wrong-state') {
      // The peer already sends by an answer that we cannot follow: there is no session to fall back to.
      endCall(draft, mediaEnding(reply.error));
      return;
    }
    if (reply.ok) draft.set(leg.id, { codec: reply.codec ?? leg.codec });
    renewed(draft, leg, reply.ok);
    finish(draft, leg);
  }
}

function refuse(draft: Draft, leg: Leg, tx: string, reply: MediaReply): void {
  const peers = !reply.ok && (reply.error === 'no-codec' || reply.error === 'bad-sdp');
  draft.emit({ type: 'respondReinvite', leg: leg.id, tx, status: peers ? 488 : 500 });
}

function finish(draft: Draft, leg: Leg): void {
  draft.set(leg.id, { negotiation: { name: 'idle' } });
  settleDirections(draft);
}

/** Tells each side what is stated towards it now, where that changed. */
export function settleDirections(draft: Draft): void {
  for (const side of draft.call.legs) {
    renew(draft, side);
    renegotiate(draft, side);
  }
}

/**
 * Our re-INVITE when what we want to state has changed. Clients get none: the dialect has no word for it
 * (a browser on hold by the other side simply hears music). Only a client that is back is offered media anew.
 */
function renegotiate(draft: Draft, leg: Leg): void {
  if (draft.call.state.name !== 'up' || leg.phase !== 'up' || !leg.connected) return;
  if (leg.kind === 'client' || leg.kind === 'service') return;
  if (leg.negotiation.name !== 'idle' || otherSide(draft.call, leg) === undefined) return;
  const direction = wanted(draft, leg);
  if (direction === leg.stated) return;
  draft.set(leg.id, { negotiation: { name: 'offering', direction }, stated: direction });
  draft.media('re-offer', {
    op: 'offer',
    leg: leg.id,
    kind: mediaKind(leg),
    codecs: codecsOf(leg),
    direction,
  });
}
