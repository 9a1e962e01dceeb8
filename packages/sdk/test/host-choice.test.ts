import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from './fake-browser.ts';
import { Scene } from './scene.ts';

/** Milliseconds until a server accepts a WebSocket, and of a round trip on it; `undefined` is never. */
interface Server {
  readonly accepts?: number;
  readonly answers?: number;
}

const STEP_MS = 5;

/** A client that measures these servers; the hosts in the order of the connections it then makes, and when it chose. */
async function chosen(servers: Readonly<Record<string, Server>>, tries = 1) {
  const scene = new Scene({ hosts: Object.keys(servers) });
  void scene.client.connect();
  await settle();
  const measured = [...scene.browser.sockets];
  const pings = measured.map(() => [] as number[]);
  let now = 0;
  for (; scene.browser.sockets.length === measured.length && now < 10_000; now += STEP_MS) {
    for (const [index, socket] of measured.entries()) {
      const { accepts, answers } = servers[new URL(socket.url).host]!;
      if (socket.readyState === 0 && accepts !== undefined && now >= accepts) socket.opens();
      const sent = socket.requests('telnyx_rtc.ping');
      while (pings[index]!.length < sent.length) pings[index]!.push(now);
      for (const [nth, at] of pings[index]!.entries())
        if (answers !== undefined && at + answers === now)
          socket.says({ jsonrpc: '2.0', id: sent[nth]!['id'], result: {} });
    }
    await scene.browser.passes(STEP_MS);
    await settle();
  }
  const order = [new URL(scene.socket.url).host];
  while (order.length < tries) {
    scene.socket.breaks();
    await settle();
    await scene.browser.passes(3_000);
    order.push(new URL(scene.socket.url).host);
  }
  return { scene, order, now, measured };
}

test('the server with the shortest round trip is taken, not the one that accepts first', async () => {
  const { order, measured, scene } = await chosen(
    {
      'near-but-slow-to-accept': { accepts: 60, answers: 10 },
      far: { accepts: 20, answers: 50 },
    },
    2,
  );
  assert.deepEqual(order, ['near-but-slow-to-accept', 'far'], 'and the others in order, when it fails');
  assert.deepEqual(
    measured.map(({ readyState }) => readyState),
    [3, 3],
    'what measured is closed',
  );
  assert.equal(scene.browser.stored.get('sidetone:hosts'), '["near-but-slow-to-accept","far"]');
});

test('a server that is dead and one that is silent delay nothing and come last', async () => {
  const { order, now } = await chosen(
    {
      dead: {},
      silent: { accepts: 10 },
      good: { accepts: 40, answers: 20 },
    },
    3,
  );
  assert.equal(order[0], 'good');
  assert.deepEqual(order.slice(1).toSorted(), ['dead', 'silent']);
  assert.ok(now < 300, `chosen after ${now} ms`);
});

test('one of which the connection is refused is last', async () => {
  const scene = new Scene({ hosts: ['refuses', 'slow'] });
  void scene.client.connect();
  await settle();
  const [refuses, slow] = scene.browser.sockets;
  refuses!.breaks();
  await scene.browser.passes(500);
  slow!.opens();
  await scene.browser.passes(500);
  slow!.says({ jsonrpc: '2.0', error: { code: -32000 } });
  await settle();
  await scene.browser.passes(500);
  slow!.says('{}');
  await settle();
  assert.equal(new URL(scene.socket.url).host, 'slow');
});

test('when none answers, the first that was named is tried after 3 s', async () => {
  const { order, now } = await chosen({ one: {}, two: {} }, 2);
  assert.deepEqual(order, ['one', 'two']);
  assert.equal(now, 3_000);
});

test('the order is remembered: the next client of the tab does not measure', async () => {
  const scene = new Scene({ hosts: ['one', 'two'] });
  scene.browser.stored.set('sidetone:hosts', '["two","one"]');
  await scene.client.connect();
  assert.deepEqual(
    scene.browser.sockets.map(({ url }) => url),
    ['wss://two'],
  );
});

test('the signal ends the measurement, and there is no connection', async () => {
  const scene = new Scene({ hosts: ['one', 'two'] });
  const stop = new AbortController();
  const connected = scene.client.connect({ signal: stop.signal });
  stop.abort();
  await assert.rejects(connected, { name: 'AbortError' });
  await scene.browser.passes(4_000);
  assert.equal(scene.browser.sockets.length, 2);
});
