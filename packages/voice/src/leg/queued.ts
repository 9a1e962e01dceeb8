import type { DequeueReason } from '@sidetone/wire';
import { stopPlays } from '../activity/play.ts';
import type { Place } from '../place/place.ts';
import type { LegDraft } from './leg-draft.ts';

/* A leg in a queue: what it tells of that (`place/queue.ts`). */

/** It is in its queue for the back end once it is up. */
export function settleQueued(draft: LegDraft): void {
  const { place, state } = draft.leg;
  if (place?.in !== 'queue' || place.told === true || state.name !== 'up') return;
  const told = { ...place, told: true } as const;
  draft.set({ place: told });
  draft.news({ type: 'enqueued', place: told });
}

/** It leaves its queue, if it is in one, for this place. */
export function leaveQueue(draft: LegDraft, to: Place | null, reason: DequeueReason): void {
  const { place, id } = draft.leg;
  if (place?.in !== 'queue') return;
  // What was to pass the time is over.
  if (to !== null) stopPlays(draft, 'all');
  draft.set({ place: to });
  if (place.told === true) draft.news({ type: 'dequeued', place, reason });
  // It was never up: nobody is told, but its queue may be empty now.
  else draft.emit({ type: 'leftUntold', leg: id, place });
}

/** It has waited for as long as it was to. */
export function queueDue(draft: LegDraft): void {
  const { place } = draft.leg;
  if (place?.in === 'queue' && place.until !== null && place.until <= draft.now)
    leaveQueue(draft, null, 'timeout');
}

/** It ends. */
export function endQueued(draft: LegDraft): void {
  const { place, id } = draft.leg;
  if (place?.in !== 'queue') return;
  if (place.keeps === true && place.told === true) {
    draft.set({ place: null });
    draft.emit({ type: 'keptInQueue', leg: id, place });
  } else leaveQueue(draft, null, 'hangup');
}

export function keepQueued(draft: LegDraft, keeps: boolean): void {
  if (draft.leg.place?.in !== 'queue') return;
  const { keeps: _, ...place } = draft.leg.place;
  draft.set({ place: keeps ? { ...place, keeps } : place });
}
