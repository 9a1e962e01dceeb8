import type { JournalEntry, LogLine, Ms } from '@sidetone/core';
import type { Beginnings } from '../command/begin.ts';
import type { Remembered } from '../command/remembered.ts';
import { CAUSE, type Ending } from '../leg/ending.ts';
import type { Leg } from '../leg/leg.ts';
import type { Conferences } from '../place/conferences.ts';
import type { Queues } from '../place/queues.ts';
import type { Recordings } from '../recordings.ts';
import type { Registry } from '../registry.ts';
import type { Transactions } from '../transaction.ts';

const RESTARTED: Ending = { ...CAUSE.restarted, by: 'platform' };

interface World {
  readonly registry: Registry;
  readonly begin: Beginnings;
  readonly legs: Transactions;
  readonly queues: Queues;
  readonly conferences: Conferences;
}

/** The places that legs of the process before say they are at. */
export function restorePlaces(legs: readonly Leg[], world: World): void {
  for (const leg of legs) {
    if (leg.place?.in === 'bridge') restoreBridge(leg, leg.place.id, world);
    else if (leg.place?.in === 'queue' && !world.queues.has(leg.place.id))
      world.legs.post(leg.id, { type: 'placed', place: null });
    else if (leg.place?.in === 'conference' && world.conferences.get(leg.place.id) === undefined)
      world.legs.post(leg.id, { type: 'placed', place: null });
  }
  for (const { id } of world.conferences.all) world.legs.toConference(id, { type: 'restored' });
}

/** A bridge is what its legs say. */
function restoreBridge({ session }: Leg, id: string, { registry, begin, legs }: World): void {
  if (registry.bridges.has(id)) return;
  const { a, b } = registry.members(id);
  const talked = a?.state.name === 'up' && b?.state.name === 'up';
  begin.openBridge({
    id,
    session: a?.session ?? session,
    ...(talked ? { state: 'up' } : { onFail: 'park' }),
  });
  // A transfer that was under way is off; without the other side there is nobody to go on with.
  if (a === undefined || b === undefined) legs.toBridge(id, { type: 'alone', ending: RESTARTED });
}

/** What the process before has written beside legs; what of it makes no sense is a line of the log. */
export function restoreOthers(
  entries: readonly JournalEntry[],
  others: Pick<World, 'queues' | 'conferences'> & {
    readonly remembered: Remembered;
    readonly recordings: Recordings;
  },
  now: Ms,
): LogLine | null {
  const { remembered, queues, conferences, recordings } = others;
  const foreign =
    remembered.restore(entries, now) +
    queues.restore(entries, now) +
    conferences.restore(entries, now) +
    recordings.restore(entries, now);
  if (foreign === 0) return null;
  const fields = { what: 'queues, conferences, recordings and calls that are over', entries: foreign };
  return { type: 'log', level: 'error', event: 'journal unreadable', fields };
}
