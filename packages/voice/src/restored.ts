import { connect } from './bridge.ts';
import type { Restored } from './call-events.ts';
import { sendNext } from './digits.ts';
import type { Draft } from './draft.ts';
import { CAUSE, type Ending } from './ending.ts';
import { closeMedia, endCall, legGone } from './finish.ts';
import type { Leg } from './leg.ts';
import { settleDirections } from './negotiation.ts';

/*
 * A call in the process after the one that had it:
 *
 *   up, every dialog adopted  → goes on; what was in flight is brought to rest or begun anew
 *   up, a dialog unreadable   → ends, BYE to the other side
 *   ending                    → its legs are closed and recorded
 *   anything earlier          → ends as `restarted`: its INVITE transactions died. The proxy answers the caller outside and
 *                               cancels the callees outside, vsp tells clients; a 2xx that comes yet is ACKed and ended
 *
 * Descriptions need no new origin version (RFC 3264 §8): sessions live in the media process, which counts on. When that
 * died, too, the calls end.
 */

const EARLY = new Set<Leg['phase']>(['invited', 'preparing', 'calling', 'cancelling']);

export function onRestored(draft: Draft, { adopted, unacked }: Restored): void {
  const ending: Ending = { ...CAUSE.restarted, by: 'platform' };
  const { state } = draft.call;
  // Transfers are off; without the side that asked for one there is nobody to go on with.
  const whole = state.name === 'up' && draft.caller.phase === 'up' && draft.leg(state.peer)?.phase === 'up';
  const goesOn = whole && adopted;
  for (const leg of draft.call.legs) {
    // The reply to this went to the process that asked.
    const closing = leg.media === 'closing';
    if (closing) draft.set(leg.id, { media: 'open' });
    // A fork that lost keeps its own ending.
    if (EARLY.has(leg.phase)) legGone(draft, leg.id, ending);
    else if (closing) closeMedia(draft, leg.id);
  }
  if (!goesOn) {
    endCall(draft, ending);
    return;
  }
  const inFlight = unacked.length > 0 || draft.call.legs.some((leg) => leg.negotiation.name !== 'idle');
  for (const leg of draft.call.legs) if (leg.phase === 'up') settleLeg(draft, leg, unacked, inFlight);
  // Its ACK had an answer that was still with media.
  if (!draft.caller.connected && !unacked.includes(draft.caller.id)) {
    endCall(draft, ending);
    return;
  }
  connect(draft);
  settleDirections(draft);
  for (const leg of draft.call.legs) sendNext(draft, leg.id);
}

function settleLeg(draft: Draft, leg: Leg, unacked: readonly string[], inFlight: boolean): void {
  const at = leg.negotiation;
  // Our 2xx with an offer is repeated, and its ACK brings the answer.
  const waits = at.name === 'awaiting-ack' && unacked.includes(leg.id);
  // Whether our offer was taken is not known: it is made again. Clients are asked for theirs when they are back.
  const ours = at.name === 'offering' || at.name === 'reinviting' || at.name === 'accepting';
  draft.set(leg.id, {
    negotiation: waits ? at : { name: 'idle' },
    ...(at.name === 'answering' ? { holding: at.before } : {}),
    ...(ours ? { stated: leg.stated === 'sendonly' ? 'sendrecv' : 'sendonly' } : {}),
    // What the legs hear may have been decided, but not told.
    ...(inFlight ? { source: null } : {}),
    ...(leg.presence === 'returning' ? { presence: 'away' } : {}),
    renewing: false,
    digitOut: false,
  });
}
