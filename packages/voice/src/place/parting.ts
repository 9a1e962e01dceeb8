import type { AfterBridge } from '@sidetone/wire';
import type { Ending } from '../leg/ending.ts';
import { isEnding, type Leg } from '../leg/leg.ts';
import type { BridgeDraft } from './bridge-draft.ts';

/** A leg that rings for nobody any more ends; so does one that no back end knows of, or has ever commanded. */
export const mayPark = ({ program, dial, place }: Leg, after: AfterBridge): boolean => {
  const isRouted = place?.in === 'bridge' && place.side !== 'supervisor' && place.routed === true;
  return after === 'park' && program !== null && dial === null && !isRouted;
};

/** The other side is gone: it is parked or ends, as its back end has said. */
export function partFrom(draft: BridgeDraft, leg: Leg | undefined, ending: Ending): void {
  if (leg === undefined || isEnding(leg)) return;
  if (mayPark(leg, leg.program?.after ?? 'hangup')) draft.tell(leg.id, { type: 'placed', place: null });
  else draft.tell(leg.id, { type: 'end', ending });
}

/** How one side ended, to the other: of two that called us, or that we called, each has its caller on its own side. */
export function seenBy(other: Leg | undefined, leg: Leg, ending: Ending): Ending {
  if (ending.by === 'platform' || other?.direction !== leg.direction) return ending;
  return { ...ending, by: other.direction === 'theirs' ? 'callee' : 'caller' };
}
