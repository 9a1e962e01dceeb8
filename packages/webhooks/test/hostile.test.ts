import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CallEvent } from '@sidetone/wire';
import { createWebhooks, type Post, type WebhooksOptions, type WebhooksOutput } from '../src/index.ts';
import { DAY, eventOf, HOOK } from './bench.ts';

const at = (host: string, account: string, more: Partial<CallEvent> = {}): Partial<CallEvent> => ({
  account,
  hook: { ...HOOK, url: `https://${host}.example/` },
  ...more,
});

/** What becomes of events when nobody answers, or when answers are given by hand. */
class Desk {
  readonly webhooks;
  readonly posts: Post[] = [];
  readonly givenUp: string[] = [];
  readonly journal = new Map<string, string>();

  constructor(limits: NonNullable<WebhooksOptions['limits']> = {}) {
    this.webhooks = createWebhooks({ epoch: () => DAY, limits });
  }

  hear(outputs: readonly WebhooksOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'post') this.posts.push(output);
      if (output.type === 'journal') {
        if (output.value === null) this.journal.delete(output.key);
        else this.journal.set(output.key, JSON.stringify(output.value));
      }
      if (output.type === 'store' && output.item.kind === 'settled') this.givenUp.push(output.item.id);
    }
    // The store takes everything at once.
    const ids = outputs.flatMap((output) =>
      output.type === 'store' && output.item.kind === 'event' ? [output.item.event.id] : [],
    );
    if (ids.length > 0) this.hear(this.webhooks.handle({ type: 'stored', ids }, 1));
  }

  event(event: CallEvent): void {
    this.hear(this.webhooks.handle({ type: 'event', event }, 1));
  }

  refuse({ id, attempt }: Post): void {
    const outcome = { startedAt: DAY, ms: 1, status: 500, why: null, responseBody: '' } as const;
    const told = { ...outcome, requestHeaders: [], responseHeaders: [] };
    this.hear(this.webhooks.handle({ type: 'posted', id, attempt, outcome: told }, 1));
  }

  /** Characters of the journal. */
  get kept(): number {
    return [...this.journal.values()].reduce((sum, text) => sum + text.length, 0);
  }
}

const lost = (desk: Desk, lane: string): number => desk.givenUp.filter((id) => id.startsWith(lane)).length;

describe('webhooks: an account that wants all of it', () => {
  it('with events at thousands of endpoints pushes out its own and nobody else’s', () => {
    const desk = new Desk({ waiting: 1000, waitingPerEndpoint: 200 });
    for (let n = 0; n < 50; n++) desk.event(eventOf('victim', n, undefined, at('v', 'victim')));
    for (let i = 0; i < 5000; i++) desk.event(eventOf(`x${i}`, 0, undefined, at(`h${i}`, 'hostile')));
    assert.equal(desk.webhooks.size.waiting, 1000);
    assert.equal(lost(desk, 'victim'), 0);
    assert.equal(lost(desk, 'x'), 4050);
  });

  it('with long client states keeps no more of the journal than there is, and pushes out its own', () => {
    const weight = 1_000_000;
    const desk = new Desk({ weight, requests: 20 });
    for (let n = 0; n < 50; n++) desk.event(eventOf('victim', n, undefined, at('v', 'victim')));
    const clientState = 'QUFB'.repeat(2048);
    for (let i = 0; i < 500; i++)
      desk.event(eventOf(`x${i}`, 0, undefined, at(`h${i}`, 'hostile', { clientState })));
    const beside = desk.webhooks.size.waiting * 100;
    assert.ok(desk.kept <= weight + beside, `${desk.kept} characters`);
    assert.ok(desk.kept > weight / 2);
    assert.equal(lost(desk, 'victim'), 0);
  });

  it('that has events sent again by the thousand has no more of them than others may', () => {
    const desk = new Desk({ waiting: 1000, waitingPerEndpoint: 200 });
    for (let i = 0; i < 5000; i++) {
      const event = eventOf(`r${i}`, 0, undefined, at('h', 'hostile'));
      desk.hear(desk.webhooks.handle({ type: 'redeliver', event, attempts: 3 }, 1));
    }
    assert.equal(desk.webhooks.size.waiting, 200);
    assert.equal(desk.journal.size, 200);
  });

  it('with thousands of endpoints makes no answer to a request costly', () => {
    /** CPU time in milliseconds for the answers to 300 requests while so many endpoints of one account wait for a place. */
    const cost = (endpoints: number): number => {
      const desk = new Desk();
      for (let i = 0; i < endpoints; i++) desk.event(eventOf(`x${i}`, 0, undefined, at(`h${i}`, 'hostile')));
      const from = process.cpuUsage();
      for (let i = 0; i < 300; i++) desk.refuse(desk.posts[i]!);
      assert.ok(desk.posts.length >= 300);
      return process.cpuUsage(from).user / 1000;
    };
    cost(1000);
    const few = Math.max(cost(1000), 5);
    const many = cost(20_000);
    // Twenty times as many; asked one by one for each answer they took 300 times as long.
    assert.ok(many < few * 60, `${few} ms, ${many} ms`);
  });
});
