import { isDeepStrictEqual } from 'node:util';
import type { JournalEntry, Ms } from '@sidetone/core';
import type { CallEvent, CallNews, Hook } from '@sidetone/wire';
import {
  createWebhooks,
  type Outcome,
  type Post,
  type StoreItem,
  type WebhooksOptions,
} from '../src/index.ts';

export const HOOK: Hook = {
  url: 'https://app.example/hook',
  failover: null,
  method: 'POST',
  timeoutMs: null,
  retriesMs: null,
};

/** 2026-11-30T06:40:00.123456Z. */
export const DAY = 1_796_020_800_123.456;

export function eventOf(
  lane: string,
  n: number,
  what: CallNews = { type: 'bridged' },
  more: Partial<CallEvent> = {},
): CallEvent {
  return {
    id: `${lane}-${n}`,
    lane,
    n,
    at: DAY,
    account: 'a1',
    leg: {
      control: `v3:${lane}`,
      leg: lane,
      session: 's1',
      connection: '1234567890123456789',
      from: '+13125550100',
      to: '+13125550101',
      direction: 'incoming',
      party: 'pstn',
      startedAt: DAY - 1000,
    },
    clientState: null,
    hook: HOOK,
    what,
    ...more,
  };
}

/** What a receiver does with a request: its status, or nothing; and after how long. */
export interface Reaction {
  readonly status: number | null;
  readonly ms: Ms;
}
export type Receiver = (post: Post, now: Ms) => Reaction;

export interface Delivery {
  readonly id: string;
  readonly attempt: number;
  readonly url: string;
  readonly at: Ms;
  readonly status: number | null;
}

interface Planned {
  readonly at: Ms;
  readonly order: number;
  readonly act: () => void;
}

/** The service between a pretended voice, receivers, store and journal, in pretended time. */
export class Bench {
  now: Ms = 1000;
  readonly requests: Delivery[] = [];
  readonly journal = new Map<string, object>();
  readonly stored: StoreItem[] = [];
  readonly logs: string[] = [];
  /** When each event came in first. */
  readonly happened = new Map<string, Ms>();
  /** The most requests at a time, by origin. */
  readonly most = new Map<string, number>();
  readonly flying = new Map<string, number>();
  #service: ReturnType<typeof createWebhooks>;
  #planned: Planned[] = [];
  #order = 0;
  readonly #receiver: Receiver;
  readonly #limits: NonNullable<WebhooksOptions['limits']>;
  /** How long the store takes; null: it does not answer. */
  storeMs: Ms | null = 5;
  day = DAY;

  constructor(receiver: Receiver, limits: NonNullable<WebhooksOptions['limits']> = {}) {
    this.#receiver = receiver;
    this.#limits = limits;
    this.#service = createWebhooks({ epoch: () => this.day, limits });
  }

  get size(): { waiting: number; flying: number } {
    return this.#service.size;
  }

  handle(input: Parameters<ReturnType<typeof createWebhooks>['handle']>[0]): void {
    const outputs = this.#service.handle(input, this.now);
    for (const out of outputs) {
      if (out.type === 'journal') {
        if (out.value === null) this.journal.delete(out.key);
        else this.journal.set(out.key, out.value);
      } else if (out.type === 'log') this.logs.push(`${out.event} ${JSON.stringify(out.fields)}`);
    }
    for (const out of outputs) {
      if (out.type === 'store') this.#store(out.item);
      else if (out.type === 'post') this.#post(out);
    }
  }

  event(event: CallEvent): void {
    if (!this.happened.has(event.id)) this.happened.set(event.id, this.now);
    this.handle({ type: 'event', event });
  }

  /** What happens until then. */
  run(until: Ms): void {
    for (let steps = 0; ; steps++) {
      if (steps > 2_000_000) throw new Error('it never rests');
      this.#planned.sort((a, b) => a.at - b.at || a.order - b.order);
      const first = this.#planned[0];
      const due = this.#service.deadline();
      const next = Math.min(first?.at ?? Number.POSITIVE_INFINITY, due ?? Number.POSITIVE_INFINITY);
      if (next > until) break;
      this.now = Math.max(this.now, next);
      if (first !== undefined && first.at <= next) {
        this.#planned.shift();
        first.act();
      } else this.handle({ type: 'tick' });
    }
    this.now = until;
  }

  /** The process dies, and the next reads its journal. Requests that are under way have reached their receivers. */
  restart(more: { readonly bootAgain?: boolean; readonly awayMs?: Ms } = {}): void {
    this.#planned = [];
    this.flying.clear();
    this.day += more.awayMs ?? 0;
    this.now = more.bootAgain === true ? 50 : this.now + (more.awayMs ?? 0);
    this.#service = createWebhooks({ epoch: () => this.day, limits: this.#limits });
    const entries: JournalEntry[] = [...this.journal].map(([key, value]) => ({
      key,
      value: JSON.parse(JSON.stringify(value)) as unknown,
    }));
    this.handle({ type: 'restore', entries });
  }

  later(ms: Ms, act: () => void): void {
    this.#planned.push({ at: this.now + ms, order: this.#order++, act });
  }

  #store(item: StoreItem): void {
    this.stored.push(item);
    if (item.kind !== 'event' || this.storeMs === null) return;
    this.later(this.storeMs, () => this.handle({ type: 'stored', ids: [item.event.id] }));
  }

  #post(post: Post): void {
    const origin = URL.canParse(post.url) ? new URL(post.url).origin : '';
    const count = (this.flying.get(origin) ?? 0) + 1;
    this.flying.set(origin, count);
    this.most.set(origin, Math.max(this.most.get(origin) ?? 0, count));
    const { status, ms } = this.#receiver(post, this.now);
    const late = ms >= post.timeoutMs;
    this.requests.push({
      id: post.id,
      attempt: post.attempt,
      url: post.url,
      at: this.now,
      status: late ? null : status,
    });
    this.later(Math.min(ms, post.timeoutMs), () => {
      this.flying.set(origin, (this.flying.get(origin) ?? 1) - 1);
      this.handle({
        type: 'posted',
        id: post.id,
        attempt: post.attempt,
        outcome: outcome(late ? null : status, ms),
      });
    });
  }

  /** Ids in the order in which they were taken, each once. */
  taken(): string[] {
    return [...new Set(this.requests.filter(({ status }) => status === 200).map(({ id }) => id))];
  }

  settled(): readonly (readonly [string, boolean])[] {
    return this.stored.flatMap((item) =>
      item.kind === 'settled' ? [[item.id, item.delivered] as const] : [],
    );
  }

  atRest(): boolean {
    return this.journal.size === 0 && isDeepStrictEqual(this.size, { waiting: 0, flying: 0 });
  }
}

export const outcome = (status: number | null, ms: Ms = 1): Outcome => ({
  status,
  why: status === null ? 'no answer' : null,
  startedAt: DAY,
  ms,
  requestHeaders: [],
  responseHeaders: [],
  responseBody: '',
});
