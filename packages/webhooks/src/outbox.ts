import { Deadlines, type EpochMs, type JournalEntry, type Ms, type Service } from '@sidetone/core';
import { type CallEvent, EVENT_NAME, type Hook } from '@sidetone/wire';
import { ageOf } from './age.ts';
import { Endpoints } from './endpoints.ts';
import { type Entry, entryOf, keyOf } from './entry.ts';
import { Held } from './held.ts';
import { type Item, type Lane, newItem } from './item.ts';
import { envelopeOf } from './payload.ts';
import {
  LIFETIME_MS,
  LONGEST_HOLD_MS,
  leastTries,
  MOST_FAILURES_HELD,
  originOf,
  SLOW_MS,
  timeoutOf,
  tryOf,
} from './schedule.ts';
import type { Outcome, WebhooksInput, WebhooksOutput } from './webhook-events.ts';

/*
 *  behind ──its turn in the lane──▶ waiting ──a place at the endpoint──▶ flying ──2xx──▶ delivered
 *                                      ▲                                  │
 *                                      └──the pause is over── pausing ◀── anything else ──old, and tried enough──▶ given up
 *
 * One event of a lane holds what is behind it, until it is delivered, or slow (2 s), or has failed three times; then it goes on beside.
 */

export interface WebhooksOptions {
  readonly epoch: () => EpochMs;
  readonly limits?: Partial<WebhooksLimits>;
}

export interface WebhooksLimits {
  /** Requests at a time: to one endpoint (the origin of a URL, of one account), and in all. */
  readonly requestsPerEndpoint: number;
  readonly requests: number;
  /** Events that wait for one endpoint, and for all; of more the oldest are given up. */
  readonly waitingPerEndpoint: number;
  readonly waiting: number;
  /**
   * What all that waits may take in the journal (characters of JSON): client states and headers are other people's and may be long, and
   * a journal that grows with them is not read any more.
   */
  readonly weight: number;
}

const LIMITS: WebhooksLimits = {
  requestsPerEndpoint: 16,
  requests: 256,
  waitingPerEndpoint: 20_000,
  waiting: 100_000,
  weight: 64 * 1024 * 1024,
};
/** An outcome that never comes must not hold a place for ever. */
const LOST_MS: Ms = 5000;
/** The log tells of one event in so long that an endpoint did not take, and how many there were. */
const LOG_MS: Ms = 60_000;

/** What the log has said of an endpoint. */
interface Trouble {
  saidAt: Ms;
  more: number;
}

export interface Webhooks extends Service<WebhooksInput, WebhooksOutput> {
  /** Events that are not told yet, and requests under way. */
  readonly size: { readonly waiting: number; readonly flying: number };
}

export const createWebhooks = (options: WebhooksOptions): Webhooks => new Outbox(options);

class Outbox implements Webhooks {
  readonly name = 'webhooks';
  readonly #epoch: () => EpochMs;
  readonly #limits: WebhooksLimits;
  readonly #items = new Map<string, Item>();
  readonly #lanes = new Map<string, Lane>();
  readonly #held = new Held();
  /** Events that the store does not have yet. `true`: nothing is left to tell of them. */
  readonly #unstored = new Map<string, boolean>();
  readonly #endpoints: Endpoints<Item>;
  readonly #deadlines = new Deadlines<Item>();
  readonly #troubles = new Map<string, Trouble>();
  /** Endpoints that were said to fail: when, and whether they still do. */
  readonly #failing = new Map<string, { readonly saidAt: Ms; readonly still: boolean }>();
  #draining = false;
  #now: Ms = 0;
  #out: WebhooksOutput[] = [];

  constructor(options: WebhooksOptions) {
    this.#epoch = options.epoch;
    this.#limits = { ...LIMITS, ...options.limits };
    const { requestsPerEndpoint: each, requests: all } = this.#limits;
    this.#endpoints = new Endpoints({ each, all }, (item) => this.#fly(item));
  }

  get size(): { waiting: number; flying: number } {
    return { waiting: this.#items.size, flying: this.#endpoints.flying };
  }

  deadline(): Ms | null {
    return this.#draining ? null : this.#deadlines.next();
  }

  handle(input: WebhooksInput, now: Ms): readonly WebhooksOutput[] {
    this.#now = now;
    this.#out = [];
    switch (input.type) {
      case 'tick':
        break;
      case 'restore':
        this.#restore(input.entries);
        break;
      case 'event':
        this.#begin(input.event);
        break;
      case 'posted':
        this.#posted(input.id, input.attempt, input.outcome);
        break;
      case 'stored':
        for (const id of input.ids) this.#stored(id);
        break;
      case 'redeliver':
        this.#again(input.event, input.attempts);
        break;
      case 'drain':
        this.#draining = true;
        break;
    }
    if (!this.#draining)
      for (let due = this.#deadlines.takeDue(now); due !== undefined; due = this.#deadlines.takeDue(now))
        this.#due(due);
    return this.#out;
  }

  // -- events come in

  #begin(event: CallEvent): void {
    if (this.#items.has(event.id) || this.#unstored.has(event.id)) return;
    this.#unstored.set(event.id, event.hook === null);
    this.#keep({ version: 1, event, settled: event.hook === null, attempts: 0 });
    this.#out.push({ type: 'store', item: { kind: 'event', event } });
    if (event.hook !== null) this.#enter(event, event.hook, this.#now + LIFETIME_MS);
  }

  #enter(event: CallEvent, hook: Hook, giveUpAt: Ms): void {
    const item = this.#add(event, hook, giveUpAt, 0);
    let lane = this.#lanes.get(event.lane);
    if (lane === undefined) {
      lane = { holder: null, behind: new Set() };
      this.#lanes.set(event.lane, lane);
    }
    lane.behind.add(item);
    this.#advance(event.lane, lane);
    this.#makeRoom(item.seat);
  }

  #add(event: CallEvent, hook: Hook, giveUpAt: Ms, before: number): Item {
    const item = newItem(event, hook, giveUpAt, before);
    this.#items.set(event.id, item);
    this.#held.add(item);
    return item;
  }

  #beside(event: CallEvent, hook: Hook, giveUpAt: Ms, attempts: number): void {
    const item = this.#add(event, hook, giveUpAt, attempts);
    this.#wait(item);
    this.#makeRoom(item.seat);
  }

  /** Once more, beside whatever its lane does now. */
  #again(event: CallEvent, attempts: number): void {
    const { hook } = event;
    if (hook === null) return;
    const known = this.#items.get(event.id);
    if (known === undefined) {
      this.#keep({ version: 1, event, settled: false, attempts });
      if (this.#unstored.has(event.id)) this.#unstored.set(event.id, false);
      this.#beside(event, hook, this.#now + LIFETIME_MS, attempts);
      return;
    }
    known.giveUpAt = this.#now + LIFETIME_MS;
    if (known.phase === 'pausing') this.#wait(known);
  }

  #restore(entries: readonly JournalEntry[]): void {
    const lanes = new Map<string, Entry[]>();
    let foreign = 0;
    for (const { key, value } of entries) {
      const entry = entryOf(value);
      if (entry === null || key !== keyOf(entry.event.id)) {
        foreign += 1;
        this.#out.push({ type: 'journal', key, value: null });
        continue;
      }
      const lane = lanes.get(entry.event.lane);
      if (lane === undefined) lanes.set(entry.event.lane, [entry]);
      else lane.push(entry);
    }
    if (foreign > 0) this.#log('warn', 'events of the journal make no sense', { events: foreign });
    const day = this.#epoch();
    for (const lane of lanes.values())
      for (const { event, settled, attempts } of lane.sort((a, b) => a.event.n - b.event.n)) {
        // Whether the store has it is not known; twice is once there.
        this.#unstored.set(event.id, settled || event.hook === null);
        this.#out.push({ type: 'store', item: { kind: 'event', event } });
        if (settled || event.hook === null) continue;
        const giveUpAt = this.#now + Math.max(0, LIFETIME_MS - ageOf(event.at, day));
        if (attempts > 0) this.#beside(event, event.hook, giveUpAt, attempts);
        else this.#enter(event, event.hook, giveUpAt);
      }
  }

  // -- lanes

  /** The next of a lane that nobody holds. */
  #advance(name: string, lane: Lane): void {
    if (lane.holder !== null) return;
    const next = lane.behind.values().next().value;
    if (next === undefined) {
      this.#lanes.delete(name);
      return;
    }
    lane.behind.delete(next);
    lane.holder = next;
    next.holds = true;
    this.#wait(next);
  }

  /** It goes on beside what was behind it. */
  #release(item: Item): void {
    if (!item.holds) return;
    item.holds = false;
    const lane = this.#lanes.get(item.event.lane);
    if (lane?.holder !== item) return;
    lane.holder = null;
    this.#advance(item.event.lane, lane);
  }

  // -- tries

  #wait(item: Item): void {
    item.phase = 'waiting';
    item.at = this.#endpointOf(item);
    this.#schedule(item);
    this.#endpoints.wait(item.at, item);
  }

  #endpointOf(item: Item): string {
    return `${item.account} ${originOf(tryOf(item.hook, item.tries).url)}`;
  }

  #fly(item: Item): void {
    const { url } = tryOf(item.hook, item.tries);
    item.phase = 'flying';
    item.tries += 1;
    item.since ??= this.#now;
    item.until = this.#now;
    const attempt = item.before + item.tries;
    this.#schedule(item);
    if (this.#draining) return;
    this.#out.push({
      type: 'post',
      id: item.event.id,
      attempt,
      url,
      method: item.hook.method,
      body: envelopeOf(item.event, attempt, url),
      timeoutMs: timeoutOf(item.hook),
    });
  }

  #posted(id: string, attempt: number, outcome: Outcome): void {
    const item = this.#items.get(id);
    const expected = item?.phase === 'flying' && attempt === item.before + item.tries;
    if (item === undefined || !expected) return;
    const delivered = outcome.status !== null && outcome.status >= 200 && outcome.status < 300;
    const { url } = tryOf(item.hook, item.tries - 1);
    this.#out.push({
      type: 'store',
      item: { kind: 'attempt', attempt: { ...outcome, event: id, attempt, url, delivered } },
    });
    if (delivered) {
      this.#well(item.at);
      this.#settle(item, true);
    } else this.#failed(item, outcome.why ?? `it answered ${outcome.status}`);
  }

  #failed(item: Item, why: string): void {
    item.failures += 1;
    item.why = why;
    this.#fails(item);
    if (this.#now >= item.giveUpAt && item.tries >= leastTries(item.hook)) return this.#giveUp(item);
    const landed = item.at;
    const { pauseMs } = tryOf(item.hook, item.tries);
    item.phase = 'pausing';
    item.until = this.#now + pauseMs;
    if (item.failures >= MOST_FAILURES_HELD) this.#release(item);
    if (pauseMs === 0) this.#wait(item);
    else this.#schedule(item);
    this.#endpoints.landed(landed);
  }

  #due(item: Item): void {
    const now = this.#now;
    if (item.phase === 'flying' && now >= item.until + timeoutOf(item.hook) + LOST_MS)
      return this.#failed(item, 'its outcome was never told');
    if (item.holds && item.since !== null) {
      const slow = item.phase === 'flying' && now >= item.until + SLOW_MS;
      if (slow || now >= item.since + LONGEST_HOLD_MS) {
        // A place among those that hold somebody is no longer its own.
        const waits = item.phase === 'waiting';
        if (waits) this.#endpoints.leave(item.at, item);
        this.#release(item);
        if (waits) this.#wait(item);
      }
    }
    const old = now >= item.giveUpAt && item.tries >= leastTries(item.hook);
    if (old && item.phase !== 'flying') return this.#giveUp(item);
    if (item.phase === 'pausing' && now >= item.until) return this.#wait(item);
    this.#schedule(item);
  }

  #schedule(item: Item): void {
    const times: Ms[] = [];
    if (item.phase === 'flying') {
      if (item.holds) times.push(item.until + SLOW_MS);
      times.push(item.until + timeoutOf(item.hook) + LOST_MS);
    } else if (item.tries >= leastTries(item.hook)) times.push(item.giveUpAt);
    if (item.phase === 'pausing') times.push(item.until);
    if (item.holds && item.since !== null) times.push(item.since + LONGEST_HOLD_MS);
    this.#deadlines.set(item, times.length === 0 ? null : Math.min(...times));
  }

  // -- the end of an event

  #giveUp(item: Item): void {
    this.#trouble(item);
    this.#settle(item, false);
  }

  #settle(item: Item, delivered: boolean): void {
    const { event, phase, at } = item;
    this.#items.delete(event.id);
    this.#deadlines.delete(item);
    this.#held.remove(item);
    this.#out.push({ type: 'store', item: { kind: 'settled', id: event.id, delivered } });
    if (this.#unstored.has(event.id)) {
      this.#unstored.set(event.id, true);
      this.#keep({ version: 1, event, settled: true, attempts: 0 });
    } else this.#out.push({ type: 'journal', key: keyOf(event.id), value: null });
    const lane = this.#lanes.get(event.lane);
    lane?.behind.delete(item);
    this.#release(item);
    if (phase === 'waiting') this.#endpoints.leave(at, item);
    if (phase === 'flying') this.#endpoints.landed(at);
  }

  #stored(id: string): void {
    const told = this.#unstored.get(id);
    this.#unstored.delete(id);
    if (told === true) this.#out.push({ type: 'journal', key: keyOf(id), value: null });
  }

  /** The oldest that is not under way goes: first of this endpoint, then of the account that has most. */
  #makeRoom(seat: string): void {
    const { waitingPerEndpoint, waiting, weight } = this.#limits;
    const held = this.#held;
    while (held.at(seat).size > waitingPerEndpoint) if (!this.#giveUpOldest(held.at(seat))) break;
    while (held.size > waiting) if (!this.#giveUpOldest(held.most('size'))) break;
    while (held.weight > weight) if (!this.#giveUpOldest(held.most('weight'))) break;
  }

  #giveUpOldest(of: ReadonlySet<Item>): boolean {
    for (const item of of)
      if (item.phase !== 'flying') {
        item.why = `too many wait; last: ${item.why}`;
        this.#giveUp(item);
        return true;
      }
    return false;
  }

  // -- journal and log

  #keep(entry: Entry): void {
    this.#out.push({ type: 'journal', key: keyOf(entry.event.id), value: entry });
  }

  #well(endpoint: string): void {
    const failing = this.#failing.get(endpoint);
    if (failing?.still === true) this.#failing.set(endpoint, { ...failing, still: false });
    if (this.#troubles.delete(endpoint) || failing?.still === true)
      this.#log('info', 'webhooks are taken again', { endpoint: originIn(endpoint) });
  }

  /** Said when an endpoint begins to fail, since its events are tried for minutes before one is given up; once a minute at most. */
  #fails(item: Item): void {
    const failing = this.#failing.get(item.at);
    if (failing?.still === true || (failing !== undefined && this.#now < failing.saidAt + LOG_MS)) return;
    this.#log('warn', 'webhook not taken', {
      event: item.event.id,
      name: EVENT_NAME[item.event.what.type],
      leg: item.event.leg.leg,
      endpoint: originIn(item.at === '' ? item.seat : item.at),
      why: item.why,
    });
    if (this.#failing.size >= MOST_TROUBLES) this.#failing.clear();
    this.#failing.set(item.at, { saidAt: this.#now, still: true });
  }

  #trouble(item: Item): void {
    const trouble = this.#troubles.get(item.at);
    if (trouble !== undefined && this.#now < trouble.saidAt + LOG_MS) {
      trouble.more += 1;
      return;
    }
    this.#log('warn', 'webhook given up', {
      event: item.event.id,
      name: EVENT_NAME[item.event.what.type],
      leg: item.event.leg.leg,
      endpoint: originIn(item.at === '' ? item.seat : item.at),
      tries: item.before + item.tries,
      why: item.why,
      others: trouble?.more ?? 0,
    });
    if (this.#troubles.size >= MOST_TROUBLES) this.#troubles.clear();
    this.#troubles.set(item.at, { saidAt: this.#now, more: 0 });
  }

  #log(level: 'info' | 'warn', event: string, fields: Readonly<Record<string, string | number>>): void {
    this.#out.push({ type: 'log', level, event, fields });
  }
}

const MOST_TROUBLES = 1000;
/** An endpoint's name is the account and the origin. */
const originIn = (endpoint: string): string => endpoint.slice(endpoint.indexOf(' ') + 1);
