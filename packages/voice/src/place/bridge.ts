import type { Step } from '@sidetone/core';
import { opusWishes } from '@sidetone/sdp';
import type { AfterBridge } from '@sidetone/wire';
import { answerCodecs } from '../leg/codecs.ts';
import { CAUSE, type Ending } from '../leg/ending.ts';
import { endingOf, heardOf, isEnding, type Leg, mainOf } from '../leg/leg.ts';
import type { PlaceInput } from '../message.ts';
import {
  type Bridge,
  BridgeDraft,
  type BridgeInput,
  type BridgeOut,
  type Members,
  otherOf,
} from './bridge-draft.ts';
import { mayPark, partFrom, seenBy } from './parting.ts';
import { abandonSwap, fallBack, lookAtSwap, onFound, onRefer } from './swap.ts';

/*
 * Two legs that become a conversation. A bridge looks at its legs whenever one of them has changed, and does the next thing:
 *
 *   one        the other                 the bridge
 *   offered    dialling                  passes 18x on, each once; opens the one's media at the first early media: 183
 *   offered    up                        answers the one, with codecs that suit the other
 *   up         up                        once: `up`
 *   ending     anything                  the other ends with the same cause and headers, or is parked (`Bridge.onFail`, `Program.after`)
 *   gone, by a command     anything      the same
 *   gone, by a transfer    up            the other has handed it over: ends
 *   not both up, and nobody handed over  who supervises it ends
 *
 *   waiting ──both up──▶ up ◀──▶ swap (`swap.ts`)        it is gone with its last leg
 */

export function stepBridge(bridge: Bridge, input: BridgeInput, members: Members): Step<Bridge, BridgeOut> {
  const draft = new BridgeDraft(bridge, members);
  switch (input.type) {
    case 'look':
      look(draft);
      break;
    case 'progress':
      onProgress(draft, input);
      break;
    case 'digits':
      onDigits(draft, input);
      break;
    case 'mediaDigit':
      onMediaDigit(draft, input);
      break;
    case 'refer':
      onRefer(draft, input);
      break;
    case 'found':
      onFound(draft, input.place);
      break;
    case 'notFound':
      fallBack(draft, input.ending);
      break;
    case 'leaves':
      draft.set({ left: true });
      break;
    case 'alone':
      for (const leg of draft.legs) partFrom(draft, leg, input.ending);
      break;
    case 'end':
      end(draft, input.ending);
      break;
  }
  return { state: draft.bridge, out: draft.out };
}

function look(draft: BridgeDraft): void {
  if (draft.bridge.swap !== null) return lookAtSwap(draft);
  const { a, b, next } = draft.members;
  dismissSupervisors(draft);
  // It came for a transfer that is off.
  if (next !== undefined && !isEnding(next))
    draft.tell(next.id, { type: 'end', ending: { ...CAUSE.cancelled, by: 'platform' } });
  for (const [leg, other] of [
    [a, b],
    [b, a],
  ]) {
    const ending = leg === undefined ? undefined : endingOf(leg);
    if (leg !== undefined && ending !== undefined) return lost(draft, other, seenBy(other, leg, ending));
  }
  if (a === undefined || b === undefined) {
    if (draft.bridge.left) lost(draft, a ?? b, { ...CAUSE.normal, by: 'platform' });
    else handedOver(draft, a ?? b);
    return;
  }
  if (a.state.name === 'up' && b.state.name === 'up') {
    if (draft.bridge.state === 'up') return;
    draft.set({ state: 'up' });
    for (const leg of [b, a]) if (leg.program !== null) draft.tell(leg.id, { type: 'bridged' });
    draft.log('call answered', { leg: b.id, kind: mainOf(b)?.kind });
    return;
  }
  bringTogether(draft, a, b);
}

/** Without two who talk there is nothing to supervise. */
function dismissSupervisors(draft: BridgeDraft): void {
  const { a, b, supervisors = [] } = draft.members;
  const talk = draft.bridge.state === 'up' && [a, b].every((leg) => leg !== undefined && !isEnding(leg));
  for (const leg of talk ? [] : supervisors)
    if (!isEnding(leg)) draft.tell(leg.id, { type: 'end', ending: { ...CAUSE.normal, by: 'platform' } });
}

/** One waits for the other. */
function bringTogether(draft: BridgeDraft, a: Leg, b: Leg): void {
  const [waiting, other] = a.state.name === 'offered' ? [a, b] : [b, a];
  if (waiting.state.name === 'offered' && other.state.name === 'offered') {
    // Two parked callers: the second one is answered with what the first has got.
    const own = mainOf(waiting);
    if (own !== undefined)
      draft.tell(waiting.id, { type: 'answer', codecs: own.codecs, opus: {}, headers: [] });
    return;
  }
  const own = mainOf(waiting);
  const heard = heardOf(other);
  if (waiting.state.name !== 'offered' || own === undefined || heard === undefined) return;
  const about = {
    codecs: answerCodecs(own, heard),
    opus: opusWishes(heard.exchange.remote ?? ''),
  };
  if (other.state.name === 'up') {
    draft.tell(waiting.id, { type: 'answer', ...about, headers: other.answerHeaders });
    return;
  }
  if (other.early === null || !heard.exchange.connected || heard.exchange.accepting > 0) return;
  if (own.exchange.offer === null) return;
  if (own.media.phase === 'none') draft.tell(waiting.id, { type: 'open', ...about });
  else if (own.media.phase === 'open' && !own.media.sdpSent) draft.tell(waiting.id, { type: 'early' });
}

/** One side is over, or at another place: the other goes on by itself, or ends like it. */
function lost(draft: BridgeDraft, other: Leg | undefined, ending: Ending): void {
  if (other === undefined || isEnding(other)) return;
  const { state, onFail } = draft.bridge;
  if (state === 'up' || onFail === 'after') setFree(draft, other, other.program?.after ?? 'hangup', ending);
  else if (onFail === 'park') setFree(draft, other, 'park', ending);
  else end(draft, ending);
}

function setFree(draft: BridgeDraft, leg: Leg, after: AfterBridge, ending: Ending): void {
  if (mayPark(leg, after)) draft.tell(leg.id, { type: 'placed', place: null });
  else end(draft, ending);
}

/** The other side has been taken over by another bridge. */
function handedOver(draft: BridgeDraft, left: Leg | undefined): void {
  if (left === undefined || draft.bridge.state !== 'up') return;
  draft.tell(left.id, { type: 'transferred', part: 'transferor' });
  draft.tell(left.id, { type: 'end', ending: { ...CAUSE.normal, by: 'platform' } });
}

function end(draft: BridgeDraft, ending: Ending): void {
  abandonSwap(draft, ending);
  const alive = draft.legs.filter((leg) => !isEnding(leg));
  if (alive.length === 0) return;
  const { cause, code, by } = ending;
  draft.log('call ended', { cause, code, by });
  for (const leg of alive) draft.tell(leg.id, { type: 'end', ending });
}

function onProgress(draft: BridgeDraft, input: Extract<PlaceInput, { type: 'progress' }>): void {
  const { swap } = draft.bridge;
  const { status, headers, described } = input;
  if (swap !== null) {
    // A description of the target stays unheard: the party that waits for it hears our ringback.
    if (draft.members.next?.id === input.leg && status >= 180)
      draft.tell(swap.by, { type: 'notify', event: swap.event, status, final: false });
    return;
  }
  const caller = otherOf(draft.members, input.leg);
  // With a description the caller gets 183 once media has answered; that it rings it may know at once.
  if (caller !== undefined && (!described || status === 180))
    draft.tell(caller.id, { type: 'ring', status, headers });
}

const mutesDigits = (draft: BridgeDraft, id: string): boolean => {
  const place = draft.legs.find((leg) => leg.id === id)?.place;
  return place?.in === 'bridge' && place.side !== 'supervisor' && place.mutes === true;
};

function onDigits(draft: BridgeDraft, { leg, digits }: Extract<PlaceInput, { type: 'digits' }>): void {
  if (mutesDigits(draft, leg)) return;
  const other = draft.bridge.swap === null ? otherOf(draft.members, leg) : undefined;
  if (other !== undefined) draft.tell(other.id, { type: 'send', digits });
}

/** Media has relayed it already, unless the other side hears this branch without its digits. */
function onMediaDigit(draft: BridgeDraft, input: Extract<PlaceInput, { type: 'mediaDigit' }>): void {
  if (mutesDigits(draft, input.leg)) return;
  const other = otherOf(draft.members, input.leg);
  const source = other === undefined ? null : heardOf(other)?.media.source;
  const isMuted = source?.kind === 'leg' && source.leg === input.branch && source.digits === false;
  // A room passes no digits on.
  if (other !== undefined && (isMuted || source?.kind === 'room'))
    draft.tell(other.id, { type: 'send', digits: input.digit });
}
