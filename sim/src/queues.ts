import type { CallEvent } from '@sidetone/wire';
import { endingOf, type Leg } from '../../packages/voice/src/leg/leg.ts';
import type { Queue, QueuePlace } from '../../packages/voice/src/place/queue.ts';
import type { House } from './house.ts';

/*
 * What must hold of queues: who is in them, where they stand, for how long, over deaths, too.
 */

type Queued = Leg & { readonly place: QueuePlace };

const isQueued = (leg: Leg): leg is Queued => leg.place?.in === 'queue';

const queuesOf = (house: House): readonly Queue[] =>
  house.journal.flatMap(({ key, value }) =>
    key.startsWith('queue ') && value !== null ? [value as unknown as Queue] : [],
  );

/** Looks at the queues again and again. */
export class QueueWatch {
  /** Where a leg stood, and how often it had been told to leave a queue by then. */
  #stood = new Map<string, { readonly place: QueuePlace; readonly left: number }>();

  /** One leg a ticket, in a queue that there is and that has room; and who was there keeps its place, whatever died meanwhile. */
  look(house: House, legs: readonly Leg[]): string[] {
    const problems: string[] = [];
    const queues = new Map(queuesOf(house).map((queue) => [queue.id, queue]));
    const tickets = new Set<string>();
    for (const leg of legs.filter(isQueued)) {
      const { place } = leg;
      const ticket = `${place.id} ${place.ticket}`;
      if (!queues.has(place.id)) problems.push(`${leg.id} is in no queue`);
      if (endingOf(leg) !== undefined) problems.push(`${leg.id} ends in a queue`);
      if (tickets.has(ticket)) problems.push(`two legs have the ticket ${ticket}`);
      tickets.add(ticket);
    }
    for (const { id, maxSize, kept } of queues.values()) {
      const size =
        legs.filter((leg) => leg.place?.in === 'queue' && leg.place.id === id).length + kept.length;
      if (size > maxSize) problems.push(`${size} are in a queue of ${maxSize}`);
    }
    return [...problems, ...this.#moved(house, legs.filter(isQueued))];
  }

  #moved(house: House, legs: readonly Queued[]): string[] {
    const problems: string[] = [];
    const stands = new Map<string, { readonly place: QueuePlace; readonly left: number }>();
    for (const { id, place } of legs) {
      const left = house.events.filter(({ lane, what }) => lane === id && what.type === 'dequeued').length;
      const before = this.#stood.get(id);
      if (place.told === true) stands.set(id, { place, left });
      if (before === undefined || before.left !== left) continue;
      const { ticket, since, id: queue } = before.place;
      if (place.id !== queue || place.ticket !== ticket || place.since !== since)
        problems.push(`${id} stood at ${queue} ${ticket} and stands at ${place.id} ${place.ticket}`);
    }
    this.#stood = stands;
    return problems;
  }
}

/** Of one lane: in and out by turns, out before the end unless it was to stay listed, and waits as long as the clock says. */
export function queued(told: readonly CallEvent[], keeps: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  let since: number | null = null;
  const from = told[0]?.at ?? 0;
  const text = (): string => `${told[0]?.lane}: ${told.map(({ what }) => what.type).join(' ')}`;
  for (const { what, at, leg } of told) {
    if (what.type === 'enqueued') {
      if (since !== null) problems.push(`queued twice in ${text()}`);
      if (what.position < 1) problems.push(`position ${what.position} in ${text()}`);
      since = at;
    }
    if (what.type === 'dequeued') {
      if (since === null) problems.push(`in no queue in ${text()}`);
      const secs = (begin: number): number => Math.floor((at - begin) / 1000);
      // It waits from the command on, which may be before it was up.
      if (what.waitSecs < secs(since ?? at) - 1 || what.waitSecs > secs(from) + 1)
        problems.push(`a wait of ${what.waitSecs} s, not ${secs(since ?? at)} s, in ${text()}`);
      since = null;
    }
    if (what.type === 'bridged' && since !== null) problems.push(`bridged in a queue in ${text()}`);
    if (what.type === 'hangup' && since !== null && !keeps.has(leg.control))
      problems.push(`in a queue behind its end in ${text()}`);
  }
  return problems;
}
