import { connect } from './bridge.ts';
import { type Call, MOST_LEGS_TO_TRANSFER, otherSide } from './call.ts';
import type { CallInput } from './call-events.ts';
import type { Draft } from './draft.ts';
import { CAUSE, type Ending } from './ending.ts';
import { endCall, endLeg } from './finish.ts';
import type { Leg } from './leg.ts';
import { settleDirections } from './negotiation.ts';

/*
 * A side of an answered call hands its other side over (RFC 5589): to somebody who is dialled (blind), or to the other side of
 * another call of its own (attended). Both end in the same operation, `join.ts`:
 *
 *                 ┌── dial: a call of its own rings the target ──▶ answered ─┐
 *   up ──REFER────┤     progress: NOTIFY 18x                                 ├─▶ join ──▶ joined: NOTIFY 200, BYE to who asked
 *      202, 100   └── the other call ────────────────────────────────────────┘     │
 *                       failed ──────────────────────────────────────────────▶ NOTIFY ≥ 300, the call as it was
 *
 * Until then both sides hear ringback. Who asked may hang up at once, as many phones do: the transfer goes on, and its failure
 * ends the call. The other side may hang up, too: that ends everything. The other call of an attended transfer ends when its
 * side has `left`.
 */

/** The peer of a leg asks for a transfer. */
export function onRefer(draft: Draft, input: Extract<CallInput, { type: 'refer' }>): void {
  const { to, tx } = input;
  const leg = draft.leg(input.leg);
  const far = leg === undefined ? undefined : otherSide(draft.call, leg);
  const refusal = refusalOf(draft.call, leg, far, to.kind === 'dial');
  if (leg === undefined || far === undefined || refusal !== null) {
    draft.emit({ type: 'answerRefer', leg: input.leg, tx, status: refusal ?? 480 });
    return;
  }
  const event = leg.refers === 0 ? null : input.cseq;
  draft.set(leg.id, { refers: leg.refers + 1 });
  const dial = to.kind === 'dial' ? to.dial : null;
  draft.call = { ...draft.call, transfer: { by: leg.id, event, keeps: far.id, dial } };
  draft.emit({ type: 'answerRefer', leg: leg.id, tx, status: 202 });
  draft.emit({ type: 'notify', leg: leg.id, event, status: 100, final: false });
  draft.log('info', 'transfer', { leg: leg.id, kind: to.kind === 'dial' ? 'blind' : 'attended' });
  if (to.kind === 'join') {
    draft.emit({ type: 'join', keeps: far.id, call: to.call, leg: to.leg });
    return;
  }
  const { dialled, headers } = to;
  draft.emit({ type: 'dial', dial: to.dial, by: leg.id, keeps: far.id, dialled, headers });
  connect(draft);
}

/** Why a REFER is refused; `null`: it is not. Only our own users transfer: a carrier's word costs somebody money. */
function refusalOf(call: Call, leg: Leg | undefined, far: Leg | undefined, blind: boolean): number | null {
  if (leg === undefined || call.state.name !== 'up' || leg.phase !== 'up') return 480;
  if (!mayTransfer(leg) || call.legs.length >= MOST_LEGS_TO_TRANSFER) return 403;
  if (call.transfer !== null) return 491;
  if (far === undefined || far.phase !== 'up') return 480;
  if (!leg.connected || !far.connected) return 491;
  return blind && far.kind === 'service' ? 403 : null;
}

/** A phone or a client of ours, proven by its login or digest. */
export const mayTransfer = (leg: Leg): boolean =>
  (leg.kind === 'client' || leg.kind === 'phone') && leg.userName !== undefined;

/** What the call tells that rings the target. */
export function onDialled(draft: Draft, input: Extract<CallInput, { type: 'dialled' }>): void {
  const { dial, news } = input;
  const { state, transfer } = draft.call;
  if (state.name !== 'up' || transfer === null || transfer.dial !== dial) {
    if (news.kind === 'answered')
      draft.emit({ type: 'hangUpDial', dial, ending: { ...CAUSE.cancelled, by: 'caller' } });
    return;
  }
  const { by, event, keeps } = transfer;
  if (news.kind === 'answered') draft.emit({ type: 'join', keeps, call: dial, leg: news.leg });
  else if (news.kind === 'failed') fallBack(draft, news.ending);
  else if (draft.leg(by)?.phase === 'up')
    draft.emit({ type: 'notify', leg: by, event, status: news.status, final: false });
}

/** The other call, or its side, was gone when it should have been joined. */
export function onJoinFailed(draft: Draft): void {
  const dial = draft.call.transfer?.dial ?? null;
  if (dial !== null) draft.emit({ type: 'hangUpDial', dial, ending: { ...CAUSE.cancelled, by: 'platform' } });
  fallBack(draft, { ...CAUSE.noDialog, by: 'platform' });
}

/** Nothing came of the transfer: the call as it was; without the side that asked, its end. */
function fallBack(draft: Draft, ending: Ending): void {
  const { transfer } = draft.call;
  if (draft.call.state.name !== 'up' || transfer === null) return;
  const { by, event } = transfer;
  draft.call = { ...draft.call, transfer: null };
  draft.log('info', 'transfer failed', { leg: by, cause: ending.cause });
  if (draft.leg(by)?.phase !== 'up') {
    endCall(draft, { ...ending, by: 'platform' });
    return;
  }
  draft.emit({ type: 'notify', leg: by, event, status: ending.sip, ending, final: true });
  connect(draft);
  settleDirections(draft);
}

/** `leg` has come to this call and is a side of it: who asked for it leaves. */
export function onJoined(draft: Draft, id: string): void {
  const { transfer } = draft.call;
  if (draft.call.state.name !== 'up' || transfer === null || draft.leg(id) === undefined) return;
  const { by, event, keeps } = transfer;
  draft.call = { ...draft.call, transfer: null };
  draft.set(keeps, { transfer: 'transferee' });
  draft.set(id, { transfer: 'target' });
  const who = draft.set(by, { transfer: 'transferor' });
  if (who.phase === 'up') {
    draft.emit({ type: 'notify', leg: by, event, status: 200, final: true });
    endLeg(draft, who, { ...CAUSE.normal, by: 'platform' });
  }
  draft.log('info', 'transferred', { leg: by, from: keeps, to: id });
  connect(draft);
  settleDirections(draft);
}

/** One of our sides has become one of another call: the rest of this one is over. */
export function onLeft(draft: Draft): void {
  for (const leg of draft.call.legs)
    if (leg.phase === 'up' && leg.kind !== 'service') draft.set(leg.id, { transfer: 'transferor' });
  endCall(draft, { ...CAUSE.normal, by: 'platform' });
}

/** A leg whose end is not the end of the call: it asked for a transfer that goes on. */
export function transferGoesOn(draft: Draft, leg: Leg): boolean {
  const { state, transfer } = draft.call;
  return state.name === 'up' && transfer?.by === leg.id;
}

/** The call as it is after the process that was transferring it died: the transfer is off. */
export const withoutTransfer = (call: Call): Call => ({ ...call, transfer: null });
