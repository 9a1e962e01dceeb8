import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newRtpHeader, readRtp } from '@sidetone/rtc';
import { World } from './world.ts';

const at = (port: number) => ({ address: '192.0.2.9', port });

function packetsOf(world: World, port: number) {
  return world.remote.datagramsTo.get(`192.0.2.9:${port}`)!.map((packet) => {
    const header = newRtpHeader();
    assert.ok(readRtp(packet, packet.length, header));
    const { payloadType, sequence, timestamp, ssrc, payloadOffset } = header;
    return { payloadType, sequence, timestamp, ssrc, payload: packet.slice(payloadOffset) };
  });
}

describe('a fork', () => {
  it('copies what the peer sends and what it is sent, packet by packet, until it is stopped', async () => {
    const world = new World();
    const a = await world.carrier('a');
    for (const port of [5000, 5002]) world.remote.datagramsTo.set(`192.0.2.9:${port}`, []);
    const fork = { op: 'fork', leg: 'a', id: 'f1', rx: at(5000), tx: at(5002) } as const;
    await world.command(fork);
    await world.command(fork);
    await world.command({ op: 'source', leg: 'a', source: { kind: 'tone', hz: 1000 } });
    a.take();
    let first = a.sequence;
    await world.run(200, () => a.frame(Uint8Array.of(1, 2, a.sequence & 0xff)));
    const rx = packetsOf(world, 5000);
    assert.deepEqual(
      rx.map(({ sequence, ssrc, payloadType, payload }) => [sequence, ssrc, payloadType, [...payload]]),
      Array.from({ length: 10 }, () => [first, a.ssrc, 0, [1, 2, first++ & 0xff]]),
    );
    const seen = a.take().map(({ payloadType, sequence, timestamp, ssrc, payload }) => ({
      payloadType,
      sequence,
      timestamp,
      ssrc,
      payload: [...payload],
    }));
    assert.ok(seen.length >= 9);
    assert.deepEqual(
      packetsOf(world, 5002).map((packet) => ({ ...packet, payload: [...packet.payload] })),
      seen,
    );
    await world.command({ op: 'dtmf', leg: 'a', digits: '5' });
    await world.run(100);
    assert.ok(packetsOf(world, 5002).every(({ payloadType }) => payloadType === 0));
    await world.command({ op: 'forkStop', leg: 'a', id: 'f1' });
    const count = packetsOf(world, 5000).length;
    await world.run(200, () => a.frame());
    assert.equal(packetsOf(world, 5000).length, count);
  });

  it('ends when a new owner does not name it, as does what is streamed and played', async () => {
    const world = new World();
    const a = await world.carrier('a');
    world.remote.datagramsTo.set('192.0.2.9:5000', []);
    world.sounds.files.set('f.wav', { rate: 8000, pcm: new Int16Array(80_000) });
    await world.command({ op: 'fork', leg: 'a', id: 'f1', rx: at(5000) });
    await world.command({ op: 'play', leg: 'a', id: 'p1', file: 'f.wav', loop: null });
    const url = 'wss://bot.example/';
    await world.command({ op: 'stream', leg: 'a', id: 's1', url, track: 'inbound', rate: 8000, start: '{}' });
    world.remote.last.events.opened();
    const copied = (): number => world.remote.datagramsTo.get('192.0.2.9:5000')!.splice(0).length;
    await world.command({ op: 'keep', leg: 'a', ids: ['f1', 'p1', 's1'] });
    await world.run(100, () => a.frame());
    assert.deepEqual([copied(), world.remote.last.closed, world.eventsOf('played').length], [5, false, 0]);
    await world.command({ op: 'keep', leg: 'a', ids: ['other'] });
    await world.run(100, () => a.frame());
    assert.deepEqual([copied(), world.remote.last.closed], [0, true]);
    assert.equal(world.eventsOf('played')[0]?.status, 'stopped');
  });

  it('is one a leg, goes nowhere that must not be reached, and ends with its leg', async () => {
    const world = new World();
    const a = await world.carrier('a');
    world.remote.datagramsTo.set('192.0.2.9:5000', []);
    const refused = await world.engine.command({
      op: 'fork',
      leg: 'a',
      id: 'f1',
      rx: at(5000),
      tx: at(5002),
    });
    assert.equal(!refused.ok && refused.message, 'it must not be reached');
    await world.run(100, () => a.frame());
    assert.equal(packetsOf(world, 5000).length, 0);
    await world.command({ op: 'fork', leg: 'a', id: 'f2', rx: at(5000) });
    const second = await world.engine.command({ op: 'fork', leg: 'a', id: 'f3', rx: at(5000) });
    assert.equal(!second.ok && second.error, 'wrong-state');
    await world.command({ op: 'close', leg: 'a' });
    const b = await world.carrier('a');
    await world.run(100, () => b.frame());
    assert.equal(packetsOf(world, 5000).length, 0);
  });
});
