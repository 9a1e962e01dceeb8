import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type BrowserPeer, type Carrier, type Seen, World } from './world.ts';

interface Heard {
  readonly digit: number;
  readonly ticks: number;
  readonly ends: number;
}

/** The events in what a peer saw, by their timestamps. */
function events(seen: readonly Seen[], payloadType: number): Heard[] {
  const found = new Map<number, { digit: number; ticks: number; ends: number }>();
  for (const packet of seen.filter((p) => p.payloadType === payloadType)) {
    const event = found.get(packet.timestamp) ?? { digit: packet.payload[0]!, ticks: 0, ends: 0 };
    event.ticks = Math.max(event.ticks, (packet.payload[2]! << 8) | packet.payload[3]!);
    if (packet.payload[1]! & 0x80) event.ends++;
    found.set(packet.timestamp, event);
  }
  return [...found.values()];
}

async function sendEvent(world: World, carrier: Carrier, code: number, packets = 5): Promise<void> {
  const started = carrier.timestamp;
  let sent = 0;
  await world.run((packets + 3) * 20, () => {
    sent++;
    const ticks = Math.min(sent, packets) * 160;
    const end = sent > packets ? 0x80 : 0;
    carrier.send(101, Uint8Array.of(code, end | 10, ticks >> 8, ticks & 255), sent === 1, started);
    carrier.timestamp += 160;
  });
}

describe('digits', () => {
  it('are sent as RFC 4733 events on the tick, audio suppressed meanwhile', async () => {
    const world = new World();
    const a = await world.carrier('a');
    const b = await world.carrier('b');
    await world.command({ op: 'source', leg: 'a', source: { kind: 'leg', leg: 'b' } });
    await world.run(200, () => b.frame());
    a.take();
    await world.command({ op: 'dtmf', leg: 'a', digits: '1#d', durationMs: 100 });
    await world.run(1000, () => b.frame());
    const seen = a.take();
    assert.deepEqual(events(seen, 101), [
      { digit: 1, ticks: 800, ends: 3 },
      { digit: 11, ticks: 800, ends: 3 },
      { digit: 15, ticks: 800, ends: 3 },
    ]);
    const first = seen.findIndex((p) => p.payloadType === 101);
    assert.ok(seen.slice(first, first + 7).every((p) => p.payloadType === 101));
    assert.equal(seen[first]!.marker, true);
    for (let i = 1; i < seen.length; i++) {
      assert.equal((seen[i]!.sequence - seen[i - 1]!.sequence) & 0xffff, 1);
    }
    const refused = await world.engine.command({ op: 'dtmf', leg: 'a', digits: '1x' });
    assert.equal(refused.ok, false);
  });

  it('are heard once each, told, and regenerated for who hears the leg', async () => {
    const world = new World();
    const a = await world.carrier('a');
    const b = await world.carrier('b');
    await world.command({ op: 'source', leg: 'b', source: { kind: 'leg', leg: 'a' } });
    for (const code of [5, 5, 10]) {
      await sendEvent(world, a, code);
      await world.run(60, () => a.frame());
    }
    await world.run(600);
    assert.deepEqual(
      world.eventsOf('dtmf').map((e) => [e.leg, e.digit, e.durationMs]),
      [
        ['a', '5', 100],
        ['a', '5', 100],
        ['a', '*', 100],
      ],
    );
    assert.deepEqual(events(b.take(), 101), [
      { digit: 5, ticks: 800, ends: 3 },
      { digit: 5, ticks: 800, ends: 3 },
      { digit: 10, ticks: 800, ends: 3 },
    ]);
    assert.equal((await world.command({ op: 'stats', leg: 'a' })).stats?.dtmfReceived, 3);
  });

  it('whose ends are all lost are told when nothing comes any more', async () => {
    const world = new World();
    const a = await world.carrier('a');
    a.send(101, Uint8Array.of(7, 10, 0, 160), true);
    a.send(101, Uint8Array.of(7, 10, 1, 64), false);
    await world.run(300);
    assert.deepEqual(
      world.eventsOf('dtmf').map((e) => e.digit),
      ['7'],
    );
  });

  it('come back from an echo', async () => {
    const world = new World();
    const a = await world.carrier('a');
    await world.command({ op: 'source', leg: 'a', source: { kind: 'echo' } });
    await sendEvent(world, a, 3);
    await world.run(500);
    assert.deepEqual(
      events(a.take(), 101).map((e) => e.digit),
      [3],
    );
  });

  it('become tones for a peer without telephone-event', async () => {
    const world = new World();
    const a = await world.carrier('a', { events: false });
    await world.run(100);
    a.take();
    await world.command({ op: 'dtmf', leg: 'a', digits: '5', durationMs: 100 });
    await world.run(400);
    const loud = a.take().filter((p) => p.payload.some((byte) => byte !== 0xff));
    assert.equal(loud.length, 5);
  });

  it('change their clock between a carrier and a browser', async () => {
    const world = new World();
    const a = await world.carrier('a');
    const browser = await world.browser('w');
    await world.command({ op: 'source', leg: 'a', source: { kind: 'leg', leg: 'w' } });
    await world.command({ op: 'source', leg: 'w', source: { kind: 'leg', leg: 'a' } });
    await sendEvent(world, a, 9);
    await world.run(400);
    assert.deepEqual(events(browser.take(), 110), [{ digit: 9, ticks: 4800, ends: 3 }]);
    a.take();
    const started = browser.timestamp;
    for (const ticks of [960, 1920, 2880, 3840, 4800]) {
      browser.send(
        110,
        Uint8Array.of(2, ticks === 4800 ? 0x8a : 10, ticks >> 8, ticks & 255),
        false,
        started,
      );
      await world.run(20);
    }
    await world.run(400);
    assert.deepEqual(events(a.take(), 101), [{ digit: 2, ticks: 800, ends: 3 }]);
  });
});

describe('a-key-held-long-is-several-digits', () => {
  /** Presses a key for `ms` as a browser does, at 48,000 Hz. */
  async function hold(world: World, peer: BrowserPeer, code: number, ms: number): Promise<void> {
    const start = peer.timestamp;
    const tell = (units: number, end: boolean): void => {
      const segment = Math.ceil(units / 0xffff) - 1;
      const left = units - segment * 0xffff;
      const timestamp = (start + segment * 0xffff) >>> 0;
      peer.send(110, Uint8Array.of(code, (end ? 0x80 : 0) | 10, left >> 8, left & 255), false, timestamp);
    };
    let units = 0;
    await world.run(ms, () => {
      const full = Math.ceil((units || 1) / 0xffff) * 0xffff;
      units += 960;
      if (units > full) tell(full, false);
      tell(units, units === ms * 48);
    });
    tell(units, true);
    tell(units, true);
    peer.timestamp = (start + units) >>> 0;
  }

  it('is one 5 at the carrier, in the record, and as a tone; the next press is another', async () => {
    const world = new World();
    const carrier = await world.carrier('a');
    const tones = await world.carrier('t', { events: false });
    const browser = await world.browser('w');
    for (const leg of ['a', 't'])
      await world.command({ op: 'source', leg, source: { kind: 'leg', leg: 'w' } });
    await hold(world, browser, 5, 3000);
    await hold(world, browser, 5, 100);
    await world.run(4000);
    assert.deepEqual(events(carrier.take(), 101), [
      { digit: 5, ticks: 24_000, ends: 3 },
      { digit: 5, ticks: 800, ends: 3 },
    ]);
    const loud = tones.take().filter((p) => p.payload.some((byte) => (~byte & 0x7f) > 0x60));
    assert.equal(loud.length, 150 + 5);
    assert.deepEqual(
      world.eventsOf('dtmf').map((e) => [e.digit, e.durationMs]),
      [
        ['5', 3000],
        ['5', 100],
      ],
    );
    assert.equal((await world.command({ op: 'stats', leg: 'w' })).stats?.dtmfReceived, 2);
  });

  it('is told, and not sent to who hears the leg without its digits', async () => {
    const world = new World();
    const a = await world.carrier('a');
    const b = await world.carrier('b');
    await world.command({ op: 'source', leg: 'b', source: { kind: 'leg', leg: 'a', digits: false } });
    await sendEvent(world, a, 3);
    await world.run(500, () => a.frame());
    assert.deepEqual(events(b.take(), 101), []);
    assert.equal(world.eventsOf('dtmf').length, 1);
  });

  it('leaves in segments at 48,000 Hz, none of whose packets contradict another', async () => {
    const world = new World();
    const browser = await world.browser('w');
    await world.run(100);
    browser.take();
    await world.command({ op: 'dtmf', leg: 'w', digits: '7', durationMs: 3000 });
    await world.run(3500);
    const sent = browser.take().filter((p) => p.payloadType === 110);
    const start = sent[0]!.timestamp;
    const told = sent.map((p) => ({
      at: (p.timestamp - start) >>> 0,
      units: (p.payload[2]! << 8) | p.payload[3]!,
      end: (p.payload[1]! & 0x80) !== 0,
    }));
    assert.deepEqual([...new Set(told.map((p) => p.at))], [0, 65_535, 131_070]);
    assert.deepEqual(
      told.filter((p) => p.units === 65_535),
      [
        { at: 0, units: 65_535, end: false },
        { at: 65_535, units: 65_535, end: false },
      ],
    );
    assert.deepEqual(
      told.filter((p) => p.end),
      Array.from({ length: 3 }, () => ({ at: 131_070, units: 12_930, end: true })),
    );
    assert.deepEqual(
      told.map((p) => p.at + p.units),
      told.map((p) => p.at + p.units).toSorted((a, b) => a - b),
    );
    assert.equal(sent.filter((p) => p.marker).length, 1);
  });
});
