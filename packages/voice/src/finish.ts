import type { Draft } from './draft.ts';
import { CAUSE, type Ending } from './ending.ts';
import { inMedia, type Leg } from './leg.ts';
import { recordOf } from './record.ts';

/** The leg's dialog is gone already (BYE or final response of the peer): close what is left of it. */
export function legGone(draft: Draft, id: string, ending: Ending | null): void {
  const leg = draft.leg(id);
  if (leg === undefined || leg.phase === 'over') return;
  draft.set(id, {
    phase: 'over',
    endedAt: leg.endedAt ?? draft.now,
    giveUpAt: null,
    ending: leg.ending ?? ending,
  });
  closeMedia(draft, id);
}

/** Ends one leg from our side, in the way its phase asks for. */
export function endLeg(draft: Draft, leg: Leg, ending: Ending): void {
  switch (leg.phase) {
    case 'invited':
      draft.emit({
        type: 'respond',
        leg: leg.id,
        status: ending.sip,
        ending,
        headers: ending.headers ?? [],
      });
      legGone(draft, leg.id, ending);
      return;
    case 'up':
      if (leg.kind !== 'service') draft.emit({ type: 'bye', leg: leg.id, ending });
      legGone(draft, leg.id, ending);
      return;
    case 'preparing':
      legGone(draft, leg.id, ending);
      return;
    case 'calling':
      // RFC 3261 §9.1: a CANCEL ends nothing by itself; the final response does.
      draft.emit({ type: 'cancel', leg: leg.id, ending });
      draft.set(leg.id, {
        phase: 'cancelling',
        endedAt: draft.now,
        giveUpAt: draft.now + draft.call.settings.cancelMs,
        ending,
      });
      closeMedia(draft, leg.id);
      return;
    case 'cancelling':
    case 'over':
      return;
  }
}

/** A transfer that is under way ends with its call; who asked for it is told. */
function abandonTransfer(draft: Draft, ending: Ending): void {
  const { transfer } = draft.call;
  if (transfer === null) return;
  const { by, event, dial } = transfer;
  draft.call = { ...draft.call, transfer: null };
  if (draft.leg(by)?.phase === 'up')
    draft.emit({ type: 'notify', leg: by, event, status: 487, ending, final: true });
  if (dial !== null) draft.emit({ type: 'hangUpDial', dial, ending });
}

/** Ends the call: every leg that is left hears it in its own way. The first ending stands. */
export function endCall(draft: Draft, ending: Ending): void {
  const name = draft.call.state.name;
  if (name === 'ending' || name === 'over') return;
  abandonTransfer(draft, ending);
  if (draft.call.origin !== null)
    draft.emit({ type: 'news', call: draft.call.origin, news: { kind: 'failed', ending } });
  draft.to({ name: 'ending', ending });
  draft.log('info', 'call ended', { cause: ending.cause, code: ending.code, by: ending.by });
  for (const leg of draft.call.legs) endLeg(draft, leg, ending);
}

export function closeMedia(draft: Draft, id: string): void {
  const leg = draft.leg(id);
  if (leg === undefined || !inMedia(leg)) return;
  draft.set(id, { media: 'closing' });
  draft.media('close', { op: 'close', leg: id });
}

/** A cancelled INVITE whose final response never came (RFC 3261 §9.1). */
export function giveUp(draft: Draft): void {
  for (const leg of draft.call.legs)
    if (leg.phase === 'cancelling' && leg.giveUpAt !== null && leg.giveUpAt <= draft.now)
      legGone(draft, leg.id, null);
}

/** Writes the records that are due, and ends the call behind the last. */
export function settle(draft: Draft): void {
  for (const leg of draft.call.legs) {
    if (leg.recorded || leg.phase !== 'over' || !(leg.media === 'none' || leg.media === 'closed')) continue;
    draft.set(leg.id, { recorded: true });
    draft.emit({ type: 'record', record: recordOf(draft.call, leg) });
  }
  if (draft.call.state.name === 'ending' && draft.call.legs.every((leg) => leg.recorded))
    draft.to({ name: 'over' });
}

/** What an error of media means for the call. */
export function mediaEnding(error: string): Ending {
  if (error === 'no-codec' || error === 'bad-sdp') return { ...CAUSE.noCodec, by: 'platform' };
  if (error === 'no-address') return { ...CAUSE.noAddress, by: 'platform' };
  if (error === 'no-port') return { ...CAUSE.noPort, by: 'platform' };
  return { ...CAUSE.mediaEngine, by: 'platform' };
}
