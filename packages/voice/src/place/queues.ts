import {
  type Checks,
  Deadlines,
  type EpochMs,
  isNumber,
  isString,
  isText,
  type JournalEntry,
  type JournalLine,
  listOf,
  type Ms,
  orNull,
  type Random,
  readRecord,
  recordOf,
  uuid,
} from '@sidetone/core';
import type { CallNews, QueuedView, QueueView } from '@sidetone/wire';
import type { Leg } from '../leg/leg.ts';
import type { Registry } from '../registry.ts';
import {
  IDLE_MS,
  type KeptCall,
  MOST_KEPT,
  MOST_QUEUES,
  MOST_WAITS,
  type Queue,
  type QueueNews,
  type QueuePlace,
  type QueueReads,
} from './queue.ts';

type Waiting = Leg & { readonly place: QueuePlace };
/** One in a queue: a leg, or what is left of it. */
type Entry = Waiting | KeptCall;

interface World {
  readonly registry: Registry;
  readonly random: Random;
  readonly epoch: () => EpochMs;
  readonly connectionOf: (leg: Leg) => string | null;
}

const PREFIX = 'queue ';

/** All queues: by account and name for commands, by id for places. They outlive the process (`queue <id>`). */
export class Queues {
  readonly #world: World;
  readonly #queues = new Map<string, Queue>();
  readonly #byName = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  readonly #idle = new Deadlines<string>();
  #lines: JournalLine[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  deadline(): Ms | null {
    return this.#idle.next();
  }

  tick(now: Ms): void {
    for (let id = this.#idle.takeDue(now); id !== undefined; id = this.#idle.takeDue(now)) {
      const queue = this.#queues.get(id);
      if (queue === undefined) continue;
      if (this.sizeOf(queue) === 0) this.remove(queue);
      // Somebody in it is not up yet, and may never be.
      else this.#idle.set(id, now + IDLE_MS);
    }
  }

  // ---- for commands

  find(account: string, name: string): Queue | undefined {
    return this.#queues.get(this.#byName.get(nameKey(account, name)) ?? '');
  }

  /** The account has as many as it may. */
  isFull(account: string): boolean {
    return (this.#counts.get(account) ?? 0) >= MOST_QUEUES;
  }

  create(account: string, name: string, maxSize: number, now: Ms): Queue {
    const { random, epoch } = this.#world;
    const at = epoch();
    const queue: Queue = {
      id: uuid(random),
      account,
      name,
      maxSize,
      createdAt: at,
      updatedAt: at,
      idleSince: now,
      waits: [],
      kept: [],
    };
    this.#put(queue);
    return queue;
  }

  resize(queue: Queue, maxSize: number): void {
    this.#put({ ...queue, maxSize, updatedAt: this.#world.epoch() });
  }

  remove({ id, account, name }: Queue): void {
    if (!this.#queues.delete(id)) return;
    this.#byName.delete(nameKey(account, name));
    this.#idle.delete(id);
    const left = (this.#counts.get(account) ?? 1) - 1;
    if (left > 0) this.#counts.set(account, left);
    else this.#counts.delete(account);
    this.#lines.push({ type: 'journal', key: PREFIX + id, value: null });
  }

  sizeOf({ id, kept }: Queue): number {
    return this.#waiting(id).length + kept.length;
  }

  /** Who is in it, the first one first. */
  entries({ id, kept }: Queue): readonly Entry[] {
    return [...this.#waiting(id), ...kept].sort((a, b) => ticketOf(a) - ticketOf(b));
  }

  nextTicket(queue: Queue): number {
    return Math.max(0, ...this.entries(queue).map(ticketOf)) + 1;
  }

  /** Takes what is left of a call off the list. */
  forget(queue: Queue, kept: KeptCall, now: Ms): void {
    this.#settled({ ...queue, kept: queue.kept.filter(({ leg }) => leg !== kept.leg) }, now);
  }

  // ---- from legs

  /** A leg has come, or gone: its news with where it stands or stood. */
  told(news: QueueNews, now: Ms): CallNews {
    const { place } = news;
    const queue = this.#queues.get(place.id);
    const position =
      queue === undefined ? 1 : this.entries(queue).filter((one) => ticketOf(one) < place.ticket).length + 1;
    if (news.type === 'enqueued') {
      if (queue !== undefined) this.#entered(queue);
      return {
        type: 'enqueued',
        queue: place.name,
        position,
        averageWaitSecs: averageOf(queue?.waits ?? []),
      };
    }
    const waitMs = waited(place.since, now);
    if (queue !== undefined)
      this.#settled({ ...queue, waits: [...queue.waits, Math.round(waitMs)].slice(-MOST_WAITS) }, now);
    const { reason } = news;
    return { type: 'dequeued', queue: place.name, position, waitSecs: Math.floor(waitMs / 1000), reason };
  }

  /** A leg of which nothing was told is gone. */
  left({ id }: QueuePlace, now: Ms): void {
    const queue = this.#queues.get(id);
    if (queue !== undefined) this.#settled(queue, now);
  }

  /** A leg that is over stays listed. */
  keep(leg: Leg, { id, ticket, since }: QueuePlace, now: Ms): void {
    const account = this.#queues.get(id)?.account;
    if (account !== undefined) this.#makeRoom(account, now);
    const queue = this.#queues.get(id);
    if (queue === undefined) return;
    const { control, session, from, to, epochOffset } = leg;
    const connection = this.#world.connectionOf(leg);
    const enqueuedAt = Math.round(epochOffset + since);
    const ids = { control, leg: leg.id, session, connection };
    const kept: KeptCall = { ...ids, from, to, ticket, enqueuedAt, waitedMs: waited(since, now) };
    this.#put({ ...queue, kept: [...queue.kept, kept] });
  }

  /** For one more call that is over. */
  #makeRoom(account: string, now: Ms): void {
    const all = [...this.#queues.values()]
      .filter((queue) => queue.account === account)
      .flatMap((queue) => queue.kept.map((kept) => ({ queue, kept })))
      .sort((a, b) => b.kept.enqueuedAt - a.kept.enqueuedAt);
    for (const { queue, kept } of all.slice(MOST_KEPT - 1)) this.forget(queue, kept, now);
  }

  // ---- for reads

  /** As they are at this time. */
  at(now: Ms): QueueReads {
    return {
      viewsOf: (account) =>
        [...this.#queues.values()]
          .filter((queue) => queue.account === account)
          .map((q) => this.#view(q, now)),
      viewOf: (account, name) => {
        const queue = this.find(account, name);
        return queue && this.#view(queue, now);
      },
      queued: (account, name) => {
        const queue = this.find(account, name);
        return queue && this.entries(queue).map((entry, i) => this.#queued(queue, entry, i + 1, now));
      },
    };
  }

  // ---- the process before

  /** Takes what it has written; entries of others are left alone. Returns how many make no sense. */
  restore(entries: readonly JournalEntry[], now: Ms): number {
    let foreign = 0;
    for (const { key, value } of entries) {
      if (!key.startsWith(PREFIX)) continue;
      const queue = readRecord(QUEUE, value);
      const isOurs = queue !== null && PREFIX + queue.id === key && (queue.idleSince ?? 0) <= now;
      if (isOurs && this.find(queue.account, queue.name) === undefined) this.#adopt(queue);
      else {
        foreign += 1;
        this.#lines.push({ type: 'journal', key, value: null });
      }
    }
    return foreign;
  }

  has(id: string): boolean {
    return this.#queues.has(id);
  }

  /** Who was in them is read: those whose legs are lost are idle from now on. */
  restored(now: Ms): void {
    for (const queue of this.#queues.values())
      if (queue.idleSince === null && this.sizeOf(queue) === 0) this.#settled(queue, now);
  }

  takeLines(): readonly JournalLine[] {
    if (this.#lines.length === 0) return this.#lines;
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  // ----

  #waiting(id: string): readonly Waiting[] {
    return this.#world.registry.inPlace(id).filter((leg): leg is Waiting => leg.place?.in === 'queue');
  }

  #queued(queue: Queue, entry: Entry, position: number, now: Ms): QueuedView {
    const isLeg = 'place' in entry;
    return {
      control: entry.control,
      leg: isLeg ? entry.id : entry.leg,
      session: entry.session,
      connection: isLeg ? this.#world.connectionOf(entry) : entry.connection,
      from: entry.from,
      to: entry.to,
      queueId: queue.id,
      queue: queue.name,
      position,
      waitSecs: Math.floor((isLeg ? waited(entry.place.since, now) : entry.waitedMs) / 1000),
      enqueuedAt: isLeg ? Math.round(entry.epochOffset + entry.place.since) : entry.enqueuedAt,
      alive: isLeg,
      keepAfterHangup: !isLeg || entry.place.keeps === true,
    };
  }

  #view(queue: Queue, now: Ms): QueueView {
    const { id, account, name, maxSize, createdAt, updatedAt } = queue;
    return {
      id,
      account,
      name,
      maxSize,
      createdAt: Math.round(createdAt),
      updatedAt: Math.round(updatedAt),
      size: this.sizeOf(queue),
      averageWaitSecs: averageOf(this.#waiting(id).map(({ place }) => waited(place.since, now))),
    };
  }

  #entered(queue: Queue): void {
    if (queue.idleSince !== null) this.#put({ ...queue, idleSince: null });
  }

  #settled(queue: Queue, now: Ms): void {
    this.#put({ ...queue, idleSince: this.sizeOf(queue) === 0 ? now : null });
  }

  #put(queue: Queue): void {
    this.#lines.push({ type: 'journal', key: PREFIX + queue.id, value: queue });
    this.#adopt(queue);
  }

  #adopt(queue: Queue): void {
    const { id, account, name, idleSince } = queue;
    if (!this.#queues.has(id)) this.#counts.set(account, (this.#counts.get(account) ?? 0) + 1);
    this.#queues.set(id, queue);
    this.#byName.set(nameKey(account, name), id);
    if (idleSince === null) this.#idle.delete(id);
    else this.#idle.set(id, idleSince + IDLE_MS);
  }
}

const waited = (since: Ms, now: Ms): Ms => Math.max(0, now - since);
const nameKey = (account: string, name: string): string => `${account} ${name}`;
const ticketOf = (entry: Entry): number => ('place' in entry ? entry.place.ticket : entry.ticket);

function averageOf(waits: readonly Ms[]): number {
  if (waits.length === 0) return 0;
  return Math.round(waits.reduce((sum, ms) => sum + ms, 0) / waits.length / 1000);
}

const QUEUE: Checks<Queue> = {
  id: isText,
  account: isText,
  name: isText,
  maxSize: isNumber,
  createdAt: isNumber,
  updatedAt: isNumber,
  idleSince: orNull(isNumber),
  waits: listOf(isNumber, MOST_WAITS),
  kept: listOf(
    recordOf<KeptCall>({
      control: isText,
      leg: isText,
      session: isText,
      connection: orNull(isText),
      from: isString,
      to: isString,
      ticket: isNumber,
      enqueuedAt: isNumber,
      waitedMs: isNumber,
    }),
    MOST_KEPT,
  ),
};
