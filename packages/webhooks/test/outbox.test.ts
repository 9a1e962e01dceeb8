import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createWebhooks } from '../src/index.ts';
import { Bench, eventOf, HOOK, outcome, type Receiver } from './bench.ts';

const well: Receiver = () => ({ status: 200, ms: 20 });
const times = (bench: Bench, id: string): number[] =>
  bench.requests.filter((request) => request.id === id).map(({ at }) => at - 1000);

describe('webhooks: a lane', () => {
  it('sends the next when the one before was taken, and leaves nothing behind', () => {
    const bench = new Bench(well);
    for (let n = 0; n < 5; n++) bench.event(eventOf('l', n));
    assert.equal(bench.journal.size, 5);
    bench.run(1010);
    assert.deepEqual(
      bench.requests.map(({ id }) => id),
      ['l-0'],
    );
    bench.run(5000);
    assert.deepEqual(bench.taken(), ['l-0', 'l-1', 'l-2', 'l-3', 'l-4']);
    assert.deepEqual(
      bench.requests.map(({ at }) => at - 1000),
      [0, 20, 40, 60, 80],
    );
    assert.ok(bench.atRest());
  });

  it('is not held by others', () => {
    const bench = new Bench((post) => ({ status: 200, ms: post.id === 'slow-0' ? 1900 : 5 }));
    bench.event(eventOf('slow', 0));
    bench.event(eventOf('slow', 1));
    bench.event(eventOf('other', 0));
    bench.run(1100);
    assert.deepEqual(
      bench.requests.map(({ id }) => id),
      ['slow-0', 'other-0'],
    );
  });

  it('goes on behind an answer that takes longer than 2 s, which is still heard', () => {
    const hook = { ...HOOK, timeoutMs: 30_000 };
    const bench = new Bench((post) => ({ status: 200, ms: post.id === 'l-0' ? 20_000 : 10 }));
    for (let n = 0; n < 3; n++) bench.event(eventOf('l', n, { type: 'bridged' }, { hook }));
    bench.run(60_000);
    assert.deepEqual(times(bench, 'l-0'), [0]);
    assert.deepEqual(times(bench, 'l-1'), [2000]);
    assert.deepEqual(times(bench, 'l-2'), [2010]);
    assert.deepEqual(
      bench.settled(),
      ['l-1', 'l-2', 'l-0'].map((id) => [id, true]),
    );
    assert.ok(bench.atRest());
  });

  it('goes on behind what failed three times, which is tried beside it', () => {
    const bench = new Bench((post, now) => ({
      status: post.id === 'l-0' && now < 31_000 ? 500 : 200,
      ms: 10,
    }));
    bench.event(eventOf('l', 0));
    bench.event(eventOf('l', 1));
    bench.run(200_000);
    // 0, 1 and 4 s behind each failure, then 8, 16, 32.
    assert.deepEqual(times(bench, 'l-0'), [0, 1010, 5020, 13_030, 29_040, 61_050]);
    assert.deepEqual(times(bench, 'l-1'), [5030]);
    assert.deepEqual(
      bench.requests.filter(({ id }) => id === 'l-0').map(({ attempt }) => attempt),
      [1, 2, 3, 4, 5, 6],
    );
    assert.ok(bench.atRest());
  });

  it('does not stand still behind pauses that the back end set', () => {
    const hook = { ...HOOK, retriesMs: [60_000] };
    const bench = new Bench((post) => ({ status: post.id === 'l-0' ? 503 : 200, ms: 10 }));
    bench.event(eventOf('l', 0, { type: 'bridged' }, { hook }));
    bench.event(eventOf('l', 1));
    bench.run(100_000);
    assert.deepEqual(times(bench, 'l-1'), [11_000]);
    assert.deepEqual(times(bench, 'l-0').slice(0, 3), [0, 60_010, 68_020]);
  });
});

describe('webhooks: tries', () => {
  it('count every answer but 2xx, and none, as a failure', () => {
    for (const [status, taken] of [
      [200, true],
      [202, true],
      [204, true],
      [299, true],
      [301, false],
      [302, false],
      [400, false],
      [404, false],
      [408, false],
      [410, false],
      [429, false],
      [500, false],
      [503, false],
      [199, false],
      [null, false],
    ] as const) {
      const bench = new Bench(() => ({ status, ms: 1 }));
      bench.event(eventOf('l', 0));
      bench.run(1500);
      assert.equal(bench.settled().length === 1, taken, `${status}`);
    }
  });

  it('last 2 s, or what the hook says', () => {
    for (const [timeoutMs, expected] of [
      [null, 2000],
      [0, 2000],
      [500, 500],
      [25_000, 25_000],
      [90_000, 30_000],
    ] as const) {
      const service = createWebhooks({ epoch: () => 0 });
      const [post] = service
        .handle({ type: 'event', event: eventOf('l', 0, undefined, { hook: { ...HOOK, timeoutMs } }) }, 0)
        .filter((out) => out.type === 'post');
      assert.equal(post?.timeoutMs, expected);
    }
  });

  it('that fail are said when an endpoint begins to fail, once until it is well, and once a minute at most', () => {
    let status = 500;
    const bench = new Bench(() => ({ status, ms: 0 }));
    const said = (): string[] => bench.logs.splice(0).map((line) => line.split(' {')[0]!);
    bench.event(eventOf('l', 0));
    bench.run(1_100);
    assert.match(bench.logs.join(), /^webhook not taken .*"endpoint":"https:..app.example".*it answered 500/);
    assert.doesNotMatch(bench.logs.join(), /\/hook/);
    said();
    bench.event(eventOf('m', 0));
    bench.run(3_000);
    assert.deepEqual(said(), []);
    status = 200;
    bench.run(20_000);
    assert.deepEqual(said(), ['webhooks are taken again']);
    status = 500;
    bench.event(eventOf('n', 0));
    bench.run(20_100);
    assert.deepEqual(said(), []);
    status = 200;
    bench.run(90_000);
    status = 500;
    bench.event(eventOf('o', 0));
    bench.run(90_100);
    assert.deepEqual(said(), ['webhook not taken']);
  });

  it('go to the failover after the third, then to both in turn, until the event is old', () => {
    const hook = { ...HOOK, failover: 'https://second.example/hook' };
    const bench = new Bench(() => ({ status: 500, ms: 0 }));
    bench.event(eventOf('l', 0, undefined, { hook }));
    bench.run(2_000_000);
    const sent = bench.requests.map(({ url, at }) => `${url === HOOK.url ? 'first' : 'second'} ${at - 1000}`);
    assert.deepEqual(sent.slice(0, 9), [
      'first 0',
      'first 1000',
      'first 5000',
      'second 5000',
      'first 13000',
      'second 29000',
      'first 61000',
      'second 121000',
      'first 181000',
    ]);
    assert.ok(bench.requests.at(-1)!.at - 1000 <= 600_000);
    assert.deepEqual(bench.settled(), [['l-0', false]]);
    assert.ok(bench.atRest());
    assert.match(bench.logs.join(), /webhook given up .*"endpoint":"https:..app.example".*it answered 500/);
    assert.doesNotMatch(bench.logs.join(), /\/hook/);
  });

  it('have the pauses of the hook, at most five', () => {
    const hook = { ...HOOK, retriesMs: [100, 200, 0, 300, 400, 500, 600] };
    const bench = new Bench(() => ({ status: 500, ms: 0 }));
    bench.event(eventOf('l', 0, undefined, { hook }));
    bench.run(10_000);
    assert.deepEqual(times(bench, 'l-0'), [0, 100, 300, 300, 600, 1000, 9000]);
  });

  it('repeat the URL as it was given', () => {
    const hook = { ...HOOK, url: 'HTTPS://App.example:443/a/v3:x%20y?z=1' };
    const service = createWebhooks({ epoch: () => 0 });
    const out = service.handle({ type: 'event', event: eventOf('l', 0, undefined, { hook }) }, 0);
    const [post] = out.filter((o) => o.type === 'post');
    assert.equal(post?.url, hook.url);
    assert.deepEqual((post!.body as { meta: object }).meta, { attempt: 1, delivered_to: hook.url });
  });

  it('free their place even when nobody tells how they ended', () => {
    const service = createWebhooks({ epoch: () => 0, limits: { requestsPerEndpoint: 1 } });
    service.handle({ type: 'event', event: eventOf('l', 0) }, 0);
    service.handle({ type: 'event', event: eventOf('m', 0) }, 0);
    let at = 0;
    const posts: string[] = [];
    for (let i = 0; i < 20 && posts.length === 0; i++) {
      at = service.deadline() ?? at;
      for (const out of service.handle({ type: 'tick' }, at)) if (out.type === 'post') posts.push(out.id);
    }
    assert.deepEqual([posts, at], [['m-0'], 7000]);
    // An outcome that comes now is nobody's.
    assert.deepEqual(
      service.handle({ type: 'posted', id: 'l-0', attempt: 1, outcome: outcome(200) }, at),
      [],
    );
  });
});

describe('webhooks: endpoints', () => {
  it('are asked 16 at a time, so that a slow one delays its own lanes alone', () => {
    const slow = { ...HOOK, url: 'https://slow.example/' };
    const bench = new Bench((post) => ({ status: 200, ms: post.url === slow.url ? 1900 : 10 }));
    for (let i = 0; i < 100; i++) bench.event(eventOf(`s${i}`, 0, undefined, { hook: slow }));
    for (let i = 0; i < 100; i++) bench.event(eventOf(`q${i}`, 0));
    bench.run(1200);
    assert.equal(bench.most.get('https://slow.example'), 16);
    assert.equal(bench.most.get('https://app.example'), 16);
    assert.equal(bench.taken().length - 16, 100);
    bench.run(30_000);
    assert.equal(bench.taken().length, 200);
    assert.ok(bench.atRest());
  });

  it('are asked 256 at a time in all, of which one account leaves room for the others', () => {
    const bench = new Bench((post) => ({ status: 200, ms: post.url.includes('slow') ? 1900 : 10 }));
    for (let i = 0; i < 600; i++)
      bench.event(
        eventOf(`s${i}`, 0, undefined, {
          hook: { ...HOOK, url: `https://slow${i % 40}.example/` },
          account: 'greedy',
        }),
      );
    const flying = () => [...bench.flying.values()].reduce((a, b) => a + b, 0);
    assert.ok(flying() < 256 && flying() > 225, `${flying()}`);
    bench.event(eventOf('other', 0));
    assert.equal(bench.requests.at(-1)?.id, 'other-0');
    bench.run(60_000);
    assert.equal(bench.taken().length, 601);
    assert.ok(bench.atRest());
  });

  it('of two accounts are two, be the address the same', () => {
    const bench = new Bench(() => ({ status: 200, ms: 1900 }));
    for (let i = 0; i < 50; i++) bench.event(eventOf(`s${i}`, 0));
    bench.event(eventOf('other', 0, undefined, { account: 'a2' }));
    assert.equal(bench.requests.at(-1)?.id, 'other-0');
  });

  it('that are dead keep a bounded number, the oldest given up first', () => {
    const bench = new Bench(() => ({ status: 500, ms: 10 }), { waitingPerEndpoint: 50 });
    for (let i = 0; i < 80; i++) bench.event(eventOf(`l${i}`, 0));
    assert.equal(bench.size.waiting, 50);
    // 16 are under way; the oldest of the others went.
    assert.deepEqual(
      bench.settled().map(([id]) => id),
      Array.from({ length: 30 }, (_, i) => `l${i + 16}-0`),
    );
    assert.equal(bench.logs.length, 1);
    bench.run(2_000_000);
    assert.ok(bench.atRest());
  });

  it('share what all of them may keep: the fullest loses its oldest', () => {
    const bench = new Bench(() => ({ status: 500, ms: 10 }), { waiting: 60 });
    for (let i = 0; i < 10; i++) bench.event(eventOf(`small${i}`, 0, undefined, { account: 'a2' }));
    for (let i = 0; i < 80; i++) bench.event(eventOf(`l${i}`, 0));
    assert.equal(bench.size.waiting, 60);
    assert.ok(bench.settled().every(([id]) => id.startsWith('l')));
  });

  it('give turns to what holds nobody, too', () => {
    const bench = new Bench((_post, now) => ({ status: now < 7000 ? 500 : 200, ms: 100 }), {
      requestsPerEndpoint: 1,
    });
    bench.event(eventOf('old', 0));
    bench.run(7000);
    for (let i = 0; i < 3000; i++) bench.event(eventOf(`new${i}`, 0));
    bench.run(20_000);
    assert.ok(bench.taken().includes('old-0'));
  });
});

describe('webhooks: what outlives the process', () => {
  it('an event stays in the journal until it is stored and told', () => {
    const bench = new Bench(well);
    bench.storeMs = 100;
    bench.event(eventOf('l', 0));
    bench.run(1050);
    assert.deepEqual(bench.taken(), ['l-0']);
    assert.equal(bench.journal.size, 1);
    // The process dies here: only the store has to have it yet.
    bench.restart();
    bench.run(2000);
    assert.equal(bench.requests.length, 1);
    assert.ok(bench.atRest());
    assert.equal(bench.stored.filter(({ kind }) => kind === 'event').length, 2);
  });

  it('one that nobody hears is stored alone', () => {
    const bench = new Bench(well);
    bench.event(eventOf('l', 0, undefined, { hook: null }));
    bench.event(eventOf('l', 1));
    assert.deepEqual(
      bench.requests.map(({ id }) => id),
      ['l-1'],
    );
    assert.equal(bench.journal.size, 2);
    bench.run(2000);
    assert.ok(bench.atRest());
  });

  it('one that was not told begins anew, with its id, in the order of its lane', () => {
    const bench = new Bench((_, now) => ({ status: now < 3000 ? 500 : 200, ms: 10 }));
    for (let n = 0; n < 3; n++) bench.event(eventOf('l', n));
    bench.run(2900);
    // As a journal may hold them that was written anew.
    const entries = [...bench.journal].reverse();
    bench.journal.clear();
    for (const [key, value] of entries) bench.journal.set(key, value);
    bench.restart();
    bench.run(20_000);
    assert.deepEqual(bench.taken(), ['l-0', 'l-1', 'l-2']);
    assert.equal(bench.requests.findLast(({ id }) => id === 'l-1')?.attempt, 1);
    assert.ok(bench.atRest());
  });

  it('counts its age by the day, also after the machine was started anew', () => {
    const bench = new Bench(() => ({ status: 500, ms: 0 }));
    bench.event(eventOf('l', 0));
    bench.run(30_000);
    bench.restart({ bootAgain: true, awayMs: 300_000 });
    bench.run(10_000_000);
    const last = bench.requests.at(-1)!.at - 50;
    assert.ok(last > 200_000 && last <= 300_000, `${last}`);
    assert.ok(bench.atRest());
  });

  it('is told after an outage of hours before it is given up', () => {
    const hook = { ...HOOK, failover: 'https://second.example/' };
    const bench = new Bench((post) => ({ status: post.url === HOOK.url ? 500 : 200, ms: 0 }));
    bench.storeMs = null;
    bench.event(eventOf('l', 0, undefined, { hook }));
    bench.storeMs = 5;
    bench.restart({ bootAgain: true, awayMs: 86_400_000 });
    bench.run(100_000);
    assert.deepEqual(bench.taken(), ['l-0']);
    const gone = new Bench(() => ({ status: 500, ms: 0 }));
    gone.event(eventOf('l', 0));
    gone.restart({ awayMs: 86_400_000 });
    const from = gone.requests.length;
    gone.run(gone.now + 100_000);
    assert.equal(gone.requests.length - from, 2);
    assert.deepEqual(gone.settled(), [['l-0', false]]);
    assert.ok(gone.atRest());
  });

  it('passes over entries that make no sense', () => {
    const good = eventOf('l', 0);
    const bench = new Bench(well);
    const rows: readonly (readonly [string, unknown])[] = [
      ['event a', null],
      ['event b', { version: 2, event: good }],
      ['event c', { version: 1, event: { ...good, what: { type: 'unheard of' } } }],
      ['event d', { version: 1, event: { ...good, what: { type: 'toString' } } }],
      ['event e', { version: 1, event: { ...good, what: { type: 'hangup', cause: 'x' } } }],
      ['event f', { version: 1, event: { ...good, hook: { url: 7 } } }],
      ['another', { version: 1, event: good }],
    ];
    for (const [key, value] of rows) bench.journal.set(key, value as object);
    bench.restart();
    assert.equal(bench.journal.size, 0);
    assert.equal(bench.requests.length, 0);
    assert.match(bench.logs.join(), /make no sense {"events":7}/);
  });

  it('leaves what is not told to the next process when it drains', () => {
    const bench = new Bench(() => ({ status: 200, ms: 100 }));
    bench.event(eventOf('l', 0));
    bench.event(eventOf('l', 1));
    bench.handle({ type: 'drain' });
    bench.event(eventOf('m', 0));
    bench.run(60_000);
    assert.deepEqual(bench.taken(), ['l-0']);
    assert.equal(bench.journal.size, 2);
    bench.restart();
    bench.run(120_000);
    assert.deepEqual(bench.taken().sort(), ['l-0', 'l-1', 'm-0']);
    assert.ok(bench.atRest());
  });

  it('is told once more when asked, and counts on', () => {
    const bench = new Bench((_, now) => ({ status: now < 700_000 ? 500 : 200, ms: 0 }));
    const event = eventOf('l', 0);
    bench.event(event);
    bench.run(699_000);
    assert.deepEqual(bench.settled(), [['l-0', false]]);
    const tries = bench.requests.length;
    bench.handle({ type: 'redeliver', event, attempts: tries });
    assert.equal(bench.requests.at(-1)?.attempt, tries + 1);
    assert.equal(bench.journal.size, 1);
    bench.restart();
    assert.equal(bench.requests.at(-1)?.attempt, tries + 1);
    bench.run(800_000);
    assert.deepEqual(bench.taken(), ['l-0']);
    assert.ok(bench.atRest());
    // One that still waits goes at once.
    const waits = new Bench((_, now) => ({ status: now < 8000 ? 500 : 200, ms: 0 }));
    waits.event(event);
    waits.run(8500);
    waits.handle({ type: 'redeliver', event, attempts: 3 });
    waits.run(8501);
    assert.deepEqual(waits.taken(), ['l-0']);
    assert.ok(new Set(waits.requests.map(({ attempt }) => attempt)).size === waits.requests.length);
    // Nothing to tell to nobody.
    waits.handle({ type: 'redeliver', event: { ...event, hook: null }, attempts: 0 });
    assert.equal(waits.size.waiting, 0);
  });

  it('hears the same event once', () => {
    const bench = new Bench(well);
    for (let i = 0; i < 3; i++) bench.event(eventOf('l', 0));
    bench.run(5000);
    assert.equal(bench.requests.length, 1);
  });
});
