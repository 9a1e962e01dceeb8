import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CallNews, LegCommand, QueueCommand } from '@sidetone/wire';
import { BackEnd, type Party } from './back-end.ts';

type Enqueue = Extract<LegCommand, { type: 'enqueue' }>;
const told = (b: BackEnd, { leg }: Party): CallNews['type'][] =>
  b.news.filter(({ lane }) => lane === leg).map(({ what }) => what.type);
const last = (b: BackEnd, party: Party): CallNews => b.last(party).what;
const wish = (ask: QueueCommand['ask'], queue = 'support', account = 'default'): QueueCommand => ({
  type: 'queue',
  account,
  queue,
  ask,
});

/** A caller of the carrier, answered, in the queue. */
function waiting(b: BackEnd, more: Partial<Enqueue> = {}): Party {
  const party = b.talking(b.arrived());
  b.do('enqueue', party, { queue: 'support', ...more });
  return party;
}
const order = (b: BackEnd): string[] => (b.queues.queued('default', 'support') ?? []).map(({ leg }) => leg);

describe('a queue', () => {
  it('is made by whoever is put in it; the first in is the first out, bridged with an agent', () => {
    const b = new BackEnd();
    const c = waiting(b);
    assert.deepEqual(last(b, c), { type: 'enqueued', queue: 'support', position: 1, averageWaitSecs: 0 });
    const d = waiting(b);
    assert.deepEqual(last(b, d), { type: 'enqueued', queue: 'support', position: 2, averageWaitSecs: 0 });
    assert.equal(b.queues.viewOf('default', 'support')?.maxSize, 100);
    b.advance(20_000);
    const agent = b.up({ link: c.control });
    b.do('bridge', agent, { with: { queue: 'support' } });
    b.pair(agent, c);
    assert.deepEqual(told(b, c), ['initiated', 'answered', 'enqueued', 'dequeued', 'bridged']);
    assert.deepEqual(b.news.findLast(({ what }) => what.type === 'dequeued')?.what, {
      type: 'dequeued',
      queue: 'support',
      position: 1,
      waitSecs: 20,
      reason: 'bridged',
    });
    assert.deepEqual(order(b), [d.leg]);
    b.hangsUp(d);
    assert.deepEqual(told(b, d), ['initiated', 'answered', 'enqueued', 'dequeued', 'hangup']);
    const view = b.queues.viewOf('default', 'support')!;
    assert.deepEqual([view.size, view.averageWaitSecs], [0, 0]);
    // What an event tells is of those who left: 20 s, 20 s. What is read is of those who are there.
    const e = waiting(b);
    assert.deepEqual(last(b, e), { type: 'enqueued', queue: 'support', position: 1, averageWaitSecs: 20 });
    b.advance(4_000);
    waiting(b);
    assert.equal(b.queues.viewOf('default', 'support')?.averageWaitSecs, 2);
    b.clean();
  });

  it('counts position and wait, over a death, too', () => {
    const b = new BackEnd();
    const parties = Array.from({ length: 5 }, () => {
      b.advance(1_000);
      return waiting(b);
    });
    b.do('leaveQueue', parties[1]!);
    assert.equal(last(b, parties[1]!).type, 'dequeued');
    b.restart();
    b.advance(2_000);
    const left = [parties[0]!, ...parties.slice(2)];
    const queued = b.queues.queued('default', 'support')!;
    assert.deepEqual(
      queued.map(({ leg, position, waitSecs }) => [leg, position, waitSecs]),
      left.map(({ leg }, i) => [leg, i + 1, [6, 4, 3, 2][i]]),
    );
    const late = waiting(b);
    assert.deepEqual(
      order(b),
      [...left, late].map(({ leg }) => leg),
    );
    b.clean();
  });

  it('lets go who has waited as long as was asked: parked, not hung up', () => {
    const b = new BackEnd();
    const c = waiting(b, { maxWaitMs: 30_000 });
    b.advance(29_000);
    assert.equal(last(b, c).type, 'enqueued');
    b.advance(1_000);
    assert.deepEqual(last(b, c), {
      type: 'dequeued',
      queue: 'support',
      position: 1,
      waitSecs: 30,
      reason: 'timeout',
    });
    b.alone(c);
    b.clean();
  });

  it('is entered only when the call is up, and once', () => {
    const b = new BackEnd();
    const c = b.arrived();
    assert.equal(b.tries('enqueue', c, { queue: 'support' }), 'unanswered');
    b.mediaReply = ({ op }) => (op === 'answer' ? null : undefined);
    b.do('answer', c);
    b.do('enqueue', c, { queue: 'support' });
    assert.deepEqual(told(b, c), ['initiated']);
    b.mediaReply = () => undefined;
    b.clean();
    const e = new BackEnd();
    const d = waiting(e);
    assert.equal(e.tries('enqueue', d, { queue: 'other' }), 'alreadyQueued');
    assert.equal(
      e.tries('enqueue', e.talking(e.arrived()), { queue: 'support', maxSize: 5 }),
      'sizeStands max_size',
    );
    e.ok(wish({ do: 'resize', maxSize: 1 }));
    assert.equal(e.tries('enqueue', e.talking(e.arrived()), { queue: 'support' }), 'queueFull');
    assert.equal(e.tries('leaveQueue', e.talking(e.arrived())), 'notInQueue');
    e.clean();
  });

  it('is forgotten, too, when the last who was in it was never up', () => {
    const b = new BackEnd();
    const c = waiting(b);
    const d = b.arrived();
    b.mediaReply = ({ op }) => (op === 'answer' ? null : undefined);
    b.do('answer', d);
    b.do('enqueue', d, { queue: 'support' });
    b.mediaReply = () => undefined;
    b.hangsUp(c);
    b.do('hangup', d);
    b.advance(3_600_000);
    assert.deepEqual(b.voice.queues(b.now).viewsOf('default'), []);
    b.clean();
  });

  it('takes a call out of its bridge: the other side does what it was told for that', () => {
    const b = new BackEnd();
    const c = b.talking(b.arrived());
    const agent = b.up({ link: c.control });
    b.do('bridge', agent, { with: c.control, after: 'park' });
    b.do('enqueue', c, { queue: 'support' });
    b.alone(agent);
    assert.deepEqual(order(b), [c.leg]);
    b.do('bridge', agent, { with: { queue: 'support' } });
    b.pair(agent, c);
    b.clean();
  });

  it('is left, with what plays there, for a bridge that a command of another leg makes', () => {
    const b = new BackEnd();
    const c = waiting(b);
    b.do('play', c, { sound: { kind: 'media', name: 'waiting' }, loop: null });
    const { id } = b.sounds.shift()!;
    b.tell({ type: 'sound', id, result: { ok: true, file: 'waiting.wav', ms: 1_000 } });
    assert.equal(last(b, c).type, 'playStarted');
    const agent = b.dialled({ link: c.control });
    b.do('bridge', agent, { with: c.control });
    assert.deepEqual(told(b, c).slice(3), ['playStarted', 'playEnded', 'dequeued']);
    assert.equal(b.news.findLast(({ what }) => what.type === 'dequeued')?.what.type, 'dequeued');
    const gone = last(b, c);
    assert.equal(gone.type === 'dequeued' && gone.reason, 'bridging-in-process');
    b.answers(agent);
    b.pair(agent, c);
    b.clean();
  });

  it('is left for a transfer, too, while whoever is called rings', () => {
    const b = new BackEnd();
    const c = waiting(b);
    b.do('transfer', c, { to: 'sip:bob@voice.example.com' });
    const gone = b.news.findLast(({ what }) => what.type === 'dequeued')!.what;
    assert.equal(gone.type === 'dequeued' && gone.reason, 'bridging-in-process');
    assert.deepEqual(order(b), []);
    b.clean();
  });

  it('keeps a call that hung up listed where that was asked; who takes it hears that it is over', () => {
    const b = new BackEnd();
    b.keepsQueued = true;
    const c = waiting(b, { keepAfterHangup: true });
    const d = waiting(b);
    b.ok(wish({ do: 'keep', control: d.control, keepAfterHangup: true }));
    b.hangsUp(c);
    b.hangsUp(d);
    assert.deepEqual(told(b, c), ['initiated', 'answered', 'enqueued', 'hangup']);
    assert.deepEqual(
      b.queues.queued('default', 'support')?.map(({ leg, alive }) => [leg, alive]),
      [
        [c.leg, false],
        [d.leg, false],
      ],
    );
    b.restart();
    const agent = b.up();
    const take = {
      type: 'bridge',
      account: 'default',
      control: agent.control,
      with: { queue: 'support' },
    } as const;
    const result = b.command(take);
    assert.equal(!result.ok && result.refusal.why, 'ended');
    assert.deepEqual(order(b), [d.leg]);
    b.ok(wish({ do: 'remove', control: d.control }));
    assert.deepEqual(order(b), []);
    assert.equal(b.refusal(take), 'badField queue');
    b.clean();
  });
});

describe('calls that stay listed when they are over', () => {
  it('are at most 250 of an account: the oldest makes room, whatever queue it is in', () => {
    const b = new BackEnd();
    b.keepsQueued = true;
    const size = (queue: string): number => b.queues.viewOf('default', queue)?.size ?? 0;
    for (let i = 0; i < 260; i++) {
      const queue = i < 5 ? 'first' : i % 2 === 0 ? 'support' : 'sales';
      const party = b.talking(b.arrived());
      b.do('enqueue', party, { queue, maxSize: 1000, keepAfterHangup: true });
      b.hangsUp(party);
      b.advance(1_000);
    }
    assert.deepEqual([size('first'), size('support') + size('sales')], [0, 250]);
    b.clean();
  });
});

describe('queues by name', () => {
  it('are made, resized and deleted; those of another account are unknown', () => {
    const b = new BackEnd();
    b.ok(wish({ do: 'create', maxSize: 300 }));
    assert.equal(b.refusal(wish({ do: 'create', maxSize: 300 })), 'badField queue_name');
    assert.equal(b.refusal(wish({ do: 'delete' }, 'support', 'other')), 'notFound');
    assert.equal(b.refusal(wish({ do: 'resize', maxSize: 3 }, 'none')), 'notFound');
    const c = waiting(b);
    assert.equal(b.refusal(wish({ do: 'delete' })), 'queueNotEmpty');
    assert.equal(b.refusal(wish({ do: 'remove', control: 'nobody' })), 'notInQueue');
    b.ok(wish({ do: 'remove', control: c.control }));
    assert.equal(last(b, c).type, 'dequeued');
    b.ok(wish({ do: 'delete' }));
    assert.equal(b.queues.viewOf('default', 'support'), undefined);
    b.clean();
  });

  it('are forgotten an hour after the last call', () => {
    const b = new BackEnd();
    const c = waiting(b);
    b.advance(2 * 3_600_000);
    assert.equal(b.queues.viewsOf('default').length, 1);
    b.hangsUp(c);
    b.advance(3_599_000);
    assert.equal(b.queues.viewsOf('default').length, 1);
    b.restart();
    b.advance(1_000);
    assert.equal(b.queues.viewsOf('default').length, 0);
    b.clean();
  });

  it('are forgotten, too, when whoever came was never up, and when their legs are lost', () => {
    const b = new BackEnd();
    b.ok(wish({ do: 'create', maxSize: 3 }));
    b.advance(3_599_000);
    const c = b.arrived();
    b.mediaReply = ({ op }) => (op === 'answer' ? null : undefined);
    b.do('answer', c);
    b.do('enqueue', c, { queue: 'support' });
    b.advance(1_500);
    assert.deepEqual(order(b), [c.leg]);
    b.mediaReply = () => undefined;
    b.hangsUp(c);
    b.advance(3_600_000);
    assert.equal(b.queues.viewsOf('default').length, 0);
    waiting(b);
    for (const key of [...b.journal.keys()]) if (!key.startsWith('queue ')) b.journal.delete(key);
    b.restart();
    assert.deepEqual(order(b), []);
    b.advance(3_600_000);
    assert.equal(b.queues.viewsOf('default').length, 0);
  });

  it('are at most 1000 of an account', () => {
    const b = new BackEnd();
    for (let i = 0; i < 1000; i++) b.ok(wish({ do: 'create', maxSize: 1 }, `q${i}`));
    assert.equal(b.refusal(wish({ do: 'create', maxSize: 1 }, 'one more')), 'busy');
    assert.equal(b.tries('enqueue', b.talking(b.arrived()), { queue: 'one more' }), 'busy');
    b.clean();
  });
});
