import { CAUSE, type Ending } from '../leg/ending.ts';
import { endingOf, isEnding, kindOf, type Leg, mainOf } from '../leg/leg.ts';
import type { PlaceInput } from '../message.ts';
import { type BridgeDraft, otherOf, type Swap } from './bridge-draft.ts';
import { partFrom, seenBy } from './parting.ts';
import type { Place, Side } from './place.ts';

/*
 * A side of a bridge hands its other side over (RFC 5589): to somebody who is dialled (blind), or to the other side of another call
 * of its own (attended). Either way a leg comes in as `next` and takes the side of who asked:
 *
 *               ┌── dial: `next` rings ── progress: NOTIFY 18x ── up ─┐
 *   up ──REFER──┤                                                      ├─▶ NOTIFY 200, BYE to who asked ──▶ up
 *      202, 100 └── take: the other side of the other bridge ──────────┘
 *                       `next` over, nobody there ──▶ NOTIFY ≥ 300, the bridge as it was
 *
 * Until then both sides hear ringback. Who asked may hang up at once, as many phones do, or be taken elsewhere by a command: the
 * transfer goes on, and when it fails the other side parts from nobody. That one may go, too: the transfer is off, and who asked parts from
 * it. A swap does not outlive the process.
 */
/** A call does not go round for ever. */
const MOST_SWAPS = 30;

export function onRefer(draft: BridgeDraft, input: Extract<PlaceInput, { type: 'refer' }>): void {
  const { tx, event, to } = input;
  const leg = draft.legs.find(({ id }) => id === input.leg);
  const keeps = leg === undefined ? undefined : otherOf(draft.members, leg.id);
  const refusal = refusalOf(draft, leg, keeps);
  if (leg === undefined || keeps === undefined || refusal !== null) {
    draft.tell(input.leg, { type: 'refered', tx, status: refusal ?? 480 });
    return;
  }
  const side: Side = leg.id === draft.members.a?.id ? 'a' : 'b';
  draft.set({ swap: { by: leg.id, side, event, keeps: keeps.id, attended: to.kind !== 'dial' } });
  draft.tell(leg.id, { type: 'refered', tx, status: 202 });
  draft.tell(leg.id, { type: 'notify', event, status: 100, final: false });
  draft.log('transfer', { leg: leg.id, kind: to.kind === 'dial' ? 'blind' : 'attended' });
  if (to.kind === 'join') draft.emit({ type: 'take', leg: to.leg });
  else if (to.kind === 'join-built-in') draft.emit({ type: 'takeBuiltIn', leg: to.leg });
  else {
    const { dialled, headers } = to;
    draft.emit({ type: 'dial', by: leg.id, keeps: keeps.id, dialled, headers });
  }
}

/** Why a REFER is refused; `null`: it is not. Only our own users transfer: a carrier's word costs somebody money. */
function refusalOf(draft: BridgeDraft, leg: Leg | undefined, keeps: Leg | undefined): number | null {
  if (leg === undefined || draft.bridge.state !== 'up' || leg.state.name !== 'up') return 480;
  if (!mayTransfer(leg) || draft.bridge.swaps >= MOST_SWAPS) return 403;
  if (draft.bridge.swap !== null) return 491;
  if (keeps === undefined || keeps.state.name !== 'up') return 480;
  return isConnected(leg) && isConnected(keeps) ? null : 491;
}

/** Media has both descriptions of it. */
export const isConnected = (leg: Leg): boolean => mainOf(leg)?.exchange.connected === true;

/** A phone or a client of ours, proven by its login or digest. */
export function mayTransfer(leg: Leg): boolean {
  const kind = kindOf(leg);
  return (kind === 'client' || kind === 'phone') && leg.userName !== undefined;
}

/** A leg of a bridge with a swap has changed. */
export function lookAtSwap(draft: BridgeDraft): void {
  const { swap } = draft.bridge;
  const { next } = draft.members;
  const keeps = draft.legs.find(({ id }) => id === swap?.keeps);
  if (swap === null) return;
  if (keeps === undefined || isEnding(keeps)) {
    const ending: Ending = (keeps && endingOf(keeps)) ?? { ...CAUSE.normal, by: 'platform' };
    const by = draft.legs.find(({ id }) => id === swap.by);
    abandonSwap(draft, ending);
    partFrom(draft, by, keeps === undefined ? ending : seenBy(by, keeps, ending));
    if (next !== undefined && !isEnding(next)) draft.tell(next.id, { type: 'end', ending });
    return;
  }
  // A command has taken it elsewhere.
  if (next === undefined) return fallBack(draft, { ...CAUSE.cancelled, by: 'platform' });
  const failed = endingOf(next);
  if (failed !== undefined) fallBack(draft, failed);
  else if (next.state.name === 'up') complete(draft, swap, keeps, next);
}

function complete(draft: BridgeDraft, swap: Swap, keeps: Leg, next: Leg): void {
  const { attended, side } = swap;
  draft.tell(keeps.id, {
    type: 'transferred',
    part: 'transferee',
    ...(attended ? { joined: next.session } : {}),
  });
  draft.tell(next.id, {
    type: 'transferred',
    part: 'target',
    ...(attended ? { joined: keeps.session } : {}),
  });
  letGo(draft, swap);
  draft.tell(next.id, { type: 'placed', place: { in: 'bridge', id: draft.bridge.id, side } });
  draft.log('transferred', { leg: swap.by, from: keeps.id, to: next.id });
}

/** The transfer led to a built-in service: who stays goes there. */
export function onFound(draft: BridgeDraft, place: Extract<Place, { in: 'built-in' }>): void {
  const { swap } = draft.bridge;
  if (swap === null || !draft.legs.some(({ id }) => id === swap.keeps)) return;
  draft.tell(swap.keeps, { type: 'transferred', part: 'transferee' });
  draft.tell(swap.keeps, { type: 'placed', place: { ...place, transfer: 'target' } });
  letGo(draft, swap);
  draft.log('transferred', { leg: swap.by, from: swap.keeps, to: place.id });
}

/** Who asked is told, and leaves; unless a command has taken it to another place. */
function letGo(draft: BridgeDraft, { by, event }: Swap): void {
  draft.set({ swap: null, swaps: draft.bridge.swaps + 1, left: false });
  if (!draft.legs.some(({ id }) => id === by)) {
    draft.tell(by, { type: 'notify', event, status: 200, final: true });
    return;
  }
  draft.tell(by, { type: 'transferred', part: 'transferor' });
  draft.tell(by, { type: 'placed', place: null });
  draft.tell(by, { type: 'notify', event, status: 200, final: true });
  draft.tell(by, { type: 'end', ending: { ...CAUSE.normal, by: 'platform' } });
}

/** Nothing came of the transfer: the bridge as it was; without the side that asked, the other one parts from nobody. */
export function fallBack(draft: BridgeDraft, ending: Ending): void {
  const { swap } = draft.bridge;
  if (swap === null) return;
  draft.set({ swap: null, left: false });
  draft.log('transfer failed', { leg: swap.by, cause: ending.cause });
  const [by, keeps] = [swap.by, swap.keeps].map((wanted) => draft.legs.find(({ id }) => id === wanted));
  draft.tell(swap.by, { type: 'notify', event: swap.event, status: ending.sip, ending, final: true });
  if (by?.state.name !== 'up') partFrom(draft, keeps, { ...ending, by: 'platform' });
}

/** A transfer that is under way ends with its call; who asked for it is told. */
export function abandonSwap(draft: BridgeDraft, ending: Ending): void {
  const { swap } = draft.bridge;
  if (swap === null) return;
  draft.set({ swap: null });
  draft.tell(swap.by, { type: 'notify', event: swap.event, status: 487, ending, final: true });
}
