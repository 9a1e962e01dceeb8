import type { MemberChange } from '../message.ts';
import type { Place } from '../place/place.ts';
import type { LegDraft } from './leg-draft.ts';

/* A leg in a conference: what it tells of that (`place/conference.ts`). */

export function onJoined(draft: LegDraft): void {
  const { place } = draft.leg;
  if (place?.in !== 'conference' || place.joined) return;
  draft.set({ place: { ...place, joined: true, updatedAt: draft.now } });
  draft.news({ type: 'joined', conference: place.id });
}

export function onMember(draft: LegDraft, change: MemberChange): void {
  const { place } = draft.leg;
  if (place?.in === 'conference') draft.set({ place: { ...place, ...change, updatedAt: draft.now } });
}

/** It leaves its conference, if it is in one, for this place. */
export function leaveConference(draft: LegDraft, to: Place | null): void {
  const { place } = draft.leg;
  if (place?.in !== 'conference') return;
  draft.set({ place: to });
  if (place.joined) draft.news({ type: 'left', conference: place.id });
}
