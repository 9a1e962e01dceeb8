import type { Beginnings } from '../command/begin.ts';
import { CAUSE, type Ending } from '../leg/ending.ts';
import type { Leg } from '../leg/leg.ts';
import type { Queues } from '../place/queues.ts';
import type { Registry } from '../registry.ts';
import type { Transactions } from '../transaction.ts';

const RESTARTED: Ending = { ...CAUSE.restarted, by: 'platform' };

interface World {
  readonly registry: Registry;
  readonly begin: Beginnings;
  readonly legs: Transactions;
  readonly queues: Queues;
}

/** The places that legs of the process before say they are at. */
export function restorePlaces(legs: readonly Leg[], world: World): void {
  for (const leg of legs) {
    if (leg.place?.in === 'bridge') restoreBridge(leg, leg.place.id, world);
    else if (leg.place?.in === 'queue' && !world.queues.has(leg.place.id))
      world.legs.post(leg.id, { type: 'placed', place: null });
  }
}

/** A bridge is what its legs say. */
function restoreBridge({ session }: Leg, id: string, { registry, begin, legs }: World): void {
  if (registry.bridges.has(id)) return;
  const { a, b } = registry.members(id);
  const talked = a?.state.name === 'up' && b?.state.name === 'up';
  begin.openBridge({ id, session, ...(talked ? { state: 'up' } : { onFail: 'park' }) });
  // A transfer that was under way is off; without the other side there is nobody to go on with.
  if (a === undefined || b === undefined) legs.toBridge(id, { type: 'alone', ending: RESTARTED });
}
