import type { Direction, MediaReply, Reach } from '@sidetone/wire';
import type { LegInput, MediaTag } from '../message.ts';
import { renew, renewed } from './attachment.ts';
import { type Branch, mediaKind, signalledFrom } from './branch.ts';
import { codecsOf } from './codecs.ts';
import { CAUSE } from './ending.ts';
import { endLeg, isPeers, mediaEnding } from './finish.ts';
import { isEnding } from './leg.ts';
import type { LegDraft } from './leg-draft.ts';

/*
 * Offer/answer inside a dialog (RFC 3261 §14, RFC 3264 §8): hold, resume, moved addresses, ICE restart.
 *
 *   idle ──peer's offer──▶ answering ──media──▶ 200 ──▶ idle
 *   idle ──peer's offerless──▶ offering-peer ──media──▶ 200 ──▶ awaiting-ack ──ACK──▶ accepting ──media──▶ idle
 *   idle ──direction changed──▶ offering ──media──▶ reinviting ──2xx──▶ accepting ──media──▶ idle
 *                                                       └── ≥ 300: nothing changed ──▶ idle
 *   An answer that moves media to another address family: offering, to tell the peer where (`follows`).
 *
 * Hold gates media first, answers the holder, and then tells the other side; a refusal there changes no gate.
 */

type Of<T extends LegInput['type']> = Extract<LegInput, { type: T }>;

/** `sendonly` and `inactive` put us on hold. */
const holds = (direction: Direction): boolean => direction === 'sendonly' || direction === 'inactive';

/** Whether the peer holds us and has heard our answer to that: then the other side is told. */
export const isHeld = ({ exchange: { negotiation, holding } }: Branch): boolean =>
  negotiation.name === 'answering' ? negotiation.before : holding;

/** Our answer to an offer of direction `offered` (RFC 3264 §6.1), wanting `want`. */
export function answerDirection(offered: Direction, want: Direction): Direction {
  const send =
    (offered === 'sendrecv' || offered === 'recvonly') && (want === 'sendrecv' || want === 'sendonly');
  const receive =
    (offered === 'sendrecv' || offered === 'sendonly') && (want === 'sendrecv' || want === 'recvonly');
  if (send) return receive ? 'sendrecv' : 'sendonly';
  return receive ? 'recvonly' : 'inactive';
}

/** The peer's re-INVITE. */
export function onReinvite(draft: LegDraft, input: Of<'reinvite'>): void {
  const branch = draft.branch(input.branch);
  if (branch === undefined || branch.phase === 'over') return;
  const { states } = draft.leg.audio;
  // RFC 3261 §14.2: an exchange is still open.
  const settled = branch.phase === 'up' && branch.exchange.connected && branch.media.phase === 'open';
  if (!settled || branch.exchange.negotiation.name !== 'idle') {
    draft.emit({
      type: 'respondReinvite',
      leg: draft.leg.id,
      branch: branch.id,
      tx: input.tx,
      status: 491,
    });
    return;
  }
  if (input.offer === undefined) {
    draft.part(branch.id, 'exchange', {
      negotiation: { name: 'offering-peer', tx: input.tx },
      stated: states,
    });
    reoffer(draft, branch, states);
    return;
  }
  const { holding } = branch.exchange;
  draft.part(branch.id, 'exchange', {
    negotiation: { name: 'answering', tx: input.tx, before: holding },
    holding: holds(input.offer.direction),
    stated: states,
  });
  tellSource(draft);
  draft.media('re-answer', {
    op: 'answer',
    leg: branch.id,
    kind: mediaKind(branch),
    sdp: input.offer.sdp,
    codecs: codecsOf(branch),
    direction: answerDirection(input.offer.direction, states),
    ...signalledFrom(draft.heardFrom(branch, input.from)),
  });
}

function reoffer(draft: LegDraft, branch: Branch, direction: Direction): void {
  draft.media('re-offer', {
    op: 'offer',
    leg: branch.id,
    kind: mediaKind(branch),
    codecs: codecsOf(branch),
    direction,
  });
}

/** The ACK of an offerless re-INVITE, with the peer's answer. */
export function onReinviteConfirmed(draft: LegDraft, input: Of<'reinviteConfirmed'>): void {
  const branch = draft.branch(input.branch);
  if (branch?.exchange.negotiation.name !== 'awaiting-ack') return;
  if (input.answer === undefined) {
    // RFC 3264 demands an answer; without one the old session stands.
    finish(draft, branch.id);
    return;
  }
  draft.part(branch.id, 'exchange', {
    holding: holds(input.answer.direction),
    negotiation: { name: 'accepting' },
  });
  tellSource(draft);
  draft.media('re-accept', { op: 'accept', leg: branch.id, sdp: input.answer.sdp, ...signalledFrom(branch) });
}

/** The end of our own re-INVITE. */
export function onReinviteResult(draft: LegDraft, input: Of<'reinviteResult'>): void {
  const branch = draft.branch(input.branch);
  if (branch?.exchange.negotiation.name !== 'reinviting') return;
  if (input.status >= 300 || input.sdp === undefined) {
    draft.log('warn', 're-invite refused', { status: input.status });
    // It goes on sending to where nobody listens.
    if (branch.exchange.moved) return endLeg(draft, { ...CAUSE.noAddress, by: 'platform' });
    renewed(draft, branch, false);
    finish(draft, branch.id);
    return;
  }
  draft.part(branch.id, 'exchange', { negotiation: { name: 'accepting' } });
  const from = signalledFrom(draft.heardFrom(branch, input.from));
  draft.media('re-accept', { op: 'accept', leg: branch.id, sdp: input.sdp, ...from });
}

/** Media's reply within an exchange. */
export function onNegotiationReply(draft: LegDraft, branch: Branch, tag: MediaTag, reply: MediaReply): void {
  const at = branch.exchange.negotiation;
  const { id } = branch;
  if (at.name === 'answering' && tag === 're-answer') {
    if (!reply.ok || reply.sdp === undefined) {
      refuse(draft, id, at.tx, reply);
      draft.part(id, 'exchange', { holding: at.before });
    } else {
      draft.part(id, 'media', { codec: reply.codec ?? branch.media.codec });
      respond(draft, id, at.tx, reply.sdp);
    }
    finish(draft, id);
  } else if (at.name === 'offering-peer' && tag === 're-offer') {
    if (!reply.ok || reply.sdp === undefined) {
      refuse(draft, id, at.tx, reply);
      finish(draft, id);
      return;
    }
    respond(draft, id, at.tx, reply.sdp);
    draft.part(id, 'exchange', { negotiation: { name: 'awaiting-ack' } });
  } else if (at.name === 'offering' && tag === 're-offer') {
    if (!reply.ok || reply.sdp === undefined) {
      draft.log('warn', 'media made no offer', { error: reply.ok ? 'no sdp' : reply.error });
      renewed(draft, branch, false);
      finish(draft, id);
      return;
    }
    draft.part(id, 'exchange', { negotiation: { name: 'reinviting' } });
    draft.emit({ type: 'reinvite', leg: draft.leg.id, branch: id, sdp: reply.sdp });
  } else if (at.name === 'accepting' && tag === 're-accept') {
    if (!reply.ok && reply.error !== 'wrong-state') {
      // The peer already sends by an answer that we cannot follow: there is no session to fall back to.
      endLeg(draft, mediaEnding(reply.error));
      return;
    }
    if (reply.ok && !follows(draft, branch, reply.moved === true)) return;
    if (reply.ok) draft.part(id, 'media', { codec: reply.codec ?? branch.media.codec });
    renewed(draft, branch, reply.ok);
    finish(draft, id);
  }
}

/**
 * An answer of another address family than our offer takes media to that family, and our next offer tells the peer where. One that
 * changes it again and again has no end: `false`, the leg is over.
 */
function follows(draft: LegDraft, { id, exchange }: Branch, moved: boolean): boolean {
  const again = moved && exchange.moved;
  if (again) endLeg(draft, { ...CAUSE.noAddress, by: 'platform' });
  else draft.part(id, 'exchange', { moved });
  return !again;
}

function respond(draft: LegDraft, branch: string, tx: string, sdp: string): void {
  draft.emit({ type: 'respondReinvite', leg: draft.leg.id, branch, tx, status: 200, sdp });
}

function refuse(draft: LegDraft, branch: string, tx: string, reply: MediaReply): void {
  const peers = !reply.ok && isPeers(reply.error);
  draft.emit({ type: 'respondReinvite', leg: draft.leg.id, branch, tx, status: peers ? 488 : 500 });
}

const finish = (draft: LegDraft, branch: string): void => {
  draft.part(branch, 'exchange', { negotiation: { name: 'idle' } });
};

/** Tells media what the peer hears now, where that changed. A peer that holds us does not want to hear. */
export function tellSource(draft: LegDraft): void {
  const branch = draft.branch(draft.leg.main ?? draft.leg.early);
  if (branch?.media.phase !== 'open') return;
  const source = branch.exchange.holding ? ({ kind: 'silence' } as const) : draft.leg.audio.hears;
  if (source === null || isSame(branch.media.source, source)) return;
  draft.part(branch.id, 'media', { source });
  draft.media('aside', { op: 'source', leg: branch.id, source });
}

type Heard = NonNullable<Branch['media']['source']>;

export const isSame = (a: Heard | null, b: Heard | null): boolean =>
  a === b ||
  (a !== null &&
    b !== null &&
    a.kind === b.kind &&
    (a.kind !== 'leg' || b.kind !== 'leg' || (a.leg === b.leg && a.digits === b.digits)) &&
    (a.kind !== 'tone' || b.kind !== 'tone' || a.hz === b.hz) &&
    (a.kind !== 'file' || b.kind !== 'file' || a.file === b.file) &&
    (a.kind !== 'room' || b.kind !== 'room' || (a.room === b.room && isSameReach(a.to, b.to))));

const isSameReach = (a: Reach, b: Reach): boolean =>
  typeof a === 'string' || typeof b === 'string'
    ? a === b
    : a.length === b.length && a.every((leg, i) => leg === b[i]);

/** What follows from the new state for the peer: what it hears, a fresh transport, what is stated towards it. */
export function settleExchange(draft: LegDraft): void {
  if (isEnding(draft.leg)) return;
  tellSource(draft);
  const { main } = draft;
  if (draft.leg.state.name !== 'up' || main === undefined) return;
  renew(draft, main);
  renegotiate(draft);
}

/**
 * Our re-INVITE when what we want to state has changed. Clients get none: the dialect has no word for it
 * (a browser on hold by the other side simply hears music). Only a client that is back is offered media anew.
 */
function renegotiate(draft: LegDraft): void {
  const { main, leg } = draft;
  if (main?.phase !== 'up' || !main.exchange.connected || main.kind === 'client') return;
  if (main.exchange.negotiation.name !== 'idle' || leg.audio.alone) return;
  const direction = leg.audio.states;
  if (direction === main.exchange.stated && !main.exchange.moved) return;
  draft.part(main.id, 'exchange', { negotiation: { name: 'offering', direction }, stated: direction });
  reoffer(draft, main, direction);
}
