import type { MediaReply } from '@sidetone/wire';
import type { LegInput } from '../message.ts';
import { tellAnswer, upUntil } from './answered.ts';
import { mediaKind, offerFamily, signalledFrom } from './branch.ts';
import { accept } from './dialling.ts';
import { sendNext } from './digits.ts';
import { endLeg, mediaEnding, unanswered } from './finish.ts';
import type { LegDraft } from './leg-draft.ts';

/*
 * A leg whose party called us. Its place (or whoever commands it) rings it, opens its media early, and answers it:
 *
 *   offered ── open ──▶ media ── early ──▶ 183 with our description
 *      └── answer ──▶ answering ── media ──▶ 200 with the same description ──▶ up ── ACK (with the answer, where the offer is ours)
 *                                                                                    └── no answer of use: BYE, or the end after 4 s
 */

type Of<T extends LegInput['type']> = Extract<LegInput, { type: T }>;

export function onRing(draft: LegDraft, { status, headers }: Of<'ring'>): void {
  const { main, leg } = draft;
  if (leg.state.name !== 'offered' || main === undefined || leg.rung.includes(status)) return;
  draft.set({ rung: [...leg.rung, status] });
  draft.emit({ type: 'respond', leg: leg.id, branch: main.id, status, headers });
}

/** Asks media for the description; once. */
export function onOpen(draft: LegDraft, { codecs, opus }: Pick<Of<'open'>, 'codecs' | 'opus'>): void {
  const { main, leg } = draft;
  if (leg.direction !== 'theirs' || main?.phase !== 'invited' || main.media.phase !== 'none') return;
  draft.part(main.id, 'media', { phase: 'asked' });
  const about = { leg: main.id, kind: mediaKind(main), codecs, opus };
  const { offer } = main.exchange;
  if (offer === null) draft.media('first', { op: 'offer', ...about, ...offerFamily(main) });
  else draft.media('first', { op: 'answer', ...about, ...signalledFrom(main), sdp: offer });
}

export function onEarly(draft: LegDraft): void {
  const { main, leg } = draft;
  if (leg.state.name !== 'offered' || main?.media.phase !== 'open' || main.media.sdpSent) return;
  // Without an offer ours stands in the 200 (RFC 3261 §13.2.1): there is no reliable 18x.
  if (main.exchange.offer === null || main.media.sdp === null) return;
  draft.part(main.id, 'media', { sdpSent: true });
  draft.emit({
    type: 'respond',
    leg: leg.id,
    branch: main.id,
    status: 183,
    sdp: main.media.sdp,
    headers: [],
  });
}

export function onAnswer(draft: LegDraft, input: Of<'answer'>): void {
  if (draft.leg.state.name !== 'offered') return;
  draft.to({ name: 'answering', headers: input.headers });
  onOpen(draft, input);
  answered(draft);
}

/** Media's description for a party that called us. */
export function onFirstAnswer(draft: LegDraft, reply: MediaReply): void {
  const { main } = draft;
  if (main?.media.phase !== 'asked') return;
  if (!reply.ok || reply.sdp === undefined) {
    const error = reply.ok ? 'engine' : reply.error;
    draft.log('warn', 'no media', { error });
    endLeg(draft, mediaEnding(error));
    return;
  }
  draft.part(main.id, 'media', { phase: 'open', sdp: reply.sdp, codec: reply.codec ?? main.media.codec });
  // A parked caller has its media opened for a ring tone.
  if (draft.leg.place === null) onEarly(draft);
  answered(draft);
}

function answered(draft: LegDraft): void {
  const { main, leg } = draft;
  if (leg.state.name !== 'answering' || main?.media.phase !== 'open' || main.media.sdp === null) return;
  draft.change(main.id, { phase: 'up' });
  draft.part(main.id, 'media', { sdpSent: true });
  draft.part(main.id, 'exchange', { connected: main.exchange.offer !== null });
  draft.set({ state: { name: 'up', until: upUntil(draft) }, answeredAt: draft.now });
  draft.emit({
    type: 'respond',
    leg: leg.id,
    branch: main.id,
    status: 200,
    sdp: main.media.sdp,
    headers: leg.state.headers,
  });
  tellAnswer(draft, []);
  sendNext(draft);
}

/** The ACK of an offerless INVITE carries the answer (RFC 3261 §13.2.1). */
export function onConfirmed(draft: LegDraft, { sdp }: Of<'confirmed'>): void {
  const { main, leg } = draft;
  if (leg.direction !== 'theirs' || main?.phase !== 'up' || main.exchange.connected) return;
  if (main.exchange.offer !== null || main.exchange.remote !== null) return;
  if (sdp === undefined) unanswered(draft);
  else accept(draft, main, sdp);
}
