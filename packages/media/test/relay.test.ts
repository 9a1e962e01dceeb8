import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MediaReply } from '@sidetone/wire';
import { World } from './world.ts';

async function bridged(codec: 'PCMU' | 'PCMA' | 'OPUS' | 'G722' = 'PCMU') {
  const world = new World();
  const a = await world.carrier('a', { codec });
  const b = await world.carrier('b', { codec });
  await world.command({ op: 'source', leg: 'a', source: { kind: 'leg', leg: 'b' } });
  await world.command({ op: 'source', leg: 'b', source: { kind: 'leg', leg: 'a' } });
  return { world, a, b };
}

describe('relay between plain legs', () => {
  it('forwards both ways, payload unchanged, with numbers of its own', async () => {
    for (const codec of ['PCMU', 'PCMA', 'OPUS', 'G722'] as const) {
      const { world, a, b } = await bridged(codec);
      await world.run(1000, () => {
        a.frame(Uint8Array.of(1, 2, 3));
        b.frame(Uint8Array.of(9));
      });
      const heard = b.take();
      assert.equal(heard.length, 50);
      assert.equal(a.take().length, 50);
      assert.ok(heard.every((p) => p.payload.length === 3 && p.payload[2] === 3));
      assert.equal(new Set(heard.map((p) => p.ssrc)).size, 1);
      assert.notEqual(heard[0]!.ssrc, a.ssrc);
      for (let i = 1; i < heard.length; i++) {
        assert.equal(heard[i]!.sequence, (heard[i - 1]!.sequence + 1) & 0xffff);
        assert.equal(heard[i]!.timestamp - heard[i - 1]!.timestamp, codec === 'OPUS' ? 960 : 160);
      }
      assert.deepEqual(
        heard.filter((p) => p.marker).map((p) => p.sequence),
        [heard[0]!.sequence],
      );
    }
  });

  it('answers with one codec, and refuses when there is none in common', async () => {
    const { world } = await bridged();
    const reply: MediaReply = await world.engine.command({
      op: 'answer',
      leg: 'x',
      kind: 'rtp',
      sdp: (await world.carrier('c', { codec: 'PCMA' })).sdp(),
      codecs: ['OPUS'],
    });
    assert.equal(reply.ok, false);
    assert.equal(!reply.ok && reply.error, 'no-codec');
    const bad = await world.engine.command({
      op: 'answer',
      leg: 'y',
      kind: 'rtp',
      sdp: 'v=1',
      codecs: ['PCMU'],
    });
    assert.equal(!bad.ok && bad.error, 'bad-sdp');
    const health = await world.command({ op: 'health' });
    assert.equal(health.health?.legs, 3);
    assert.equal(health.health?.portsFree, 94);
  });

  it('keeps one SSRC and running numbers when the source changes', async () => {
    const { world, a, b } = await bridged();
    await world.run(500, () => a.frame());
    await world.command({ op: 'source', leg: 'b', source: { kind: 'tone', hz: 1000 } });
    await world.run(500, () => a.frame());
    await world.command({ op: 'source', leg: 'b', source: { kind: 'silence' } });
    await world.run(200);
    await world.command({ op: 'source', leg: 'b', source: { kind: 'leg', leg: 'a' } });
    await world.run(500, () => a.frame());
    const heard = b.take();
    assert.equal(new Set(heard.map((p) => p.ssrc)).size, 1);
    assert.ok(heard.length >= 82 && heard.length <= 88, `${heard.length}`);
    for (let i = 1; i < heard.length; i++) {
      assert.equal((heard[i]!.sequence - heard[i - 1]!.sequence) & 0xffff, 1);
      const step = (heard[i]!.timestamp - heard[i - 1]!.timestamp) >>> 0;
      // Never twice the same moment, and never far from real time.
      assert.ok(step >= 160 && step <= 480, `step ${step}`);
    }
    assert.ok(heard.filter((p) => p.marker).length >= 3);
    const elapsed = ((heard.at(-1)!.timestamp - heard[0]!.timestamp) >>> 0) / 8;
    assert.ok(Math.abs(elapsed - (heard.at(-1)!.at - heard[0]!.at)) < 60);
  });

  it('drops a duplicate, keeps a gap', async () => {
    const { world, a, b } = await bridged();
    a.frame();
    a.sequence--;
    a.frame();
    a.sequence += 2;
    a.frame();
    assert.deepEqual(
      b.take().map((p, _i, all) => (p.sequence - all[0]!.sequence) & 0xffff),
      [0, 3],
    );
    await world.run(0);
  });

  it('fills with silence when the source pauses for 100 ms, and goes over without a jump', async () => {
    const { world, a, b } = await bridged();
    await world.run(200, () => a.frame());
    b.take();
    await world.run(1000);
    const filled = b.take();
    assert.ok(filled.length >= 44 && filled.length <= 48, `${filled.length}`);
    assert.ok(filled.every((p) => p.payload.every((byte) => byte === 0xff)));
    a.frame();
    const [next] = b.take();
    assert.equal(next!.sequence, (filled.at(-1)!.sequence + 1) & 0xffff);
    assert.ok(next!.marker);
  });

  it('lets the line be heard to stand when the source stays away', async () => {
    const { world, a, b } = await bridged();
    await world.run(200, () => a.frame());
    await world.run(1500);
    b.take();
    await world.run(1000);
    const noise = b.take();
    assert.ok(noise.length >= 49 && noise.length <= 51, `${noise.length}`);
    assert.ok(new Set(noise.flatMap((p) => [...p.payload])).size > 4);
    a.frame(new Uint8Array(160).fill(7));
    assert.ok(
      b
        .take()
        .at(-1)!
        .payload.every((byte) => byte === 7),
    );
  });

  it('sends silence from the start, so that nobody hears nothing', async () => {
    const world = new World();
    const a = await world.carrier('a');
    await world.run(1000);
    assert.equal(a.take().length, 50);
  });

  it('echoes', async () => {
    const world = new World();
    const a = await world.carrier('a');
    await world.command({ op: 'source', leg: 'a', source: { kind: 'echo' } });
    await world.run(400, () => a.frame(new Uint8Array(160).fill(7)));
    assert.equal(a.take().filter((p) => p.payload[0] === 7).length, 20);
  });

  it('plays a tone, ringback and music at 50 frames a second', async () => {
    for (const source of [{ kind: 'tone', hz: 1000 }, { kind: 'ringback' }, { kind: 'music' }] as const) {
      const world = new World();
      const a = await world.carrier('a');
      await world.command({ op: 'source', leg: 'a', source });
      await world.run(1000);
      const heard = a.take();
      assert.equal(heard.length, 50);
      assert.ok(heard.some((p) => p.payload.some((byte) => byte !== 0xff)));
      for (let i = 1; i < 50; i++) assert.equal(heard[i]!.timestamp - heard[i - 1]!.timestamp, 160);
    }
  });

  it('sends nothing to a peer that must not be sent audio, and hears nothing of one that holds', async () => {
    const { world, a, b } = await bridged();
    const reply = await world.command({
      op: 'answer',
      leg: 'a',
      kind: 'rtp',
      sdp: a.sdp('sendonly'),
      codecs: ['PCMU'],
    });
    assert.equal(reply.direction, 'recvonly');
    await world.run(1000, () => {
      a.frame();
      b.frame();
    });
    assert.equal(a.take().length, 0);
    assert.equal(b.take().length, 50);
    const inactive = await world.command({
      op: 'answer',
      leg: 'a',
      kind: 'rtp',
      sdp: a.sdp('inactive'),
      codecs: ['PCMU'],
    });
    assert.equal(inactive.direction, 'inactive');
    await world.run(200, () => a.frame(new Uint8Array(160).fill(3)));
    assert.ok(b.take().every((p) => p.payload[0] !== 3));
    await world.command({ op: 'answer', leg: 'a', kind: 'rtp', sdp: a.sdp(), codecs: ['PCMU'] });
    await world.run(200, () => b.frame());
    assert.ok(a.take().length >= 10);
  });

  it('holds on our own wish: an offer with sendonly lets the peer hear and not be heard', async () => {
    const { world, a, b } = await bridged();
    const offer = await world.command({
      op: 'offer',
      leg: 'a',
      kind: 'rtp',
      codecs: ['PCMU'],
      direction: 'sendonly',
    });
    assert.match(offer.sdp!, /a=sendonly/);
    const reply = await world.command({ op: 'accept', leg: 'a', sdp: a.sdp('recvonly') });
    assert.equal(reply.direction, 'sendonly');
    await world.run(200, () => {
      a.frame(new Uint8Array(160).fill(3));
      b.frame();
    });
    assert.ok(a.take().length >= 10);
    assert.ok(b.take().every((p) => p.payload[0] !== 3));
  });

  it('takes the answers of several forks, the last one wins', async () => {
    const { world, b } = await bridged();
    const offer = await world.command({ op: 'offer', leg: 'c', kind: 'rtp', codecs: ['PCMU', 'PCMA'] });
    await world.command({ op: 'source', leg: 'c', source: { kind: 'leg', leg: 'b' } });
    const early = await world.engine.command({ op: 'accept', leg: 'nobody', sdp: '' });
    assert.equal(!early.ok && early.error, 'no-leg');
    const forks = [];
    for (const codec of ['PCMU', 'PCMA'] as const) {
      const fork = await world.carrier(`fork ${codec}`, { codec });
      fork.connect(offer.sdp!);
      const reply = await world.command({ op: 'accept', leg: 'c', sdp: fork.sdp() });
      assert.equal(reply.codec, codec);
      fork.take();
      await world.run(200, () => b.frame());
      forks.push(
        fork
          .take()
          .filter((p) => p.from.endsWith(String(fork.target.port)) && p.payloadType === fork.payloadType),
      );
    }
    assert.ok(forks[0]!.length >= 10);
    assert.ok(forks[1]!.length >= 9);
  });

  it('frees ports on close, and says when there are none', async () => {
    const world = new World({ ports: [33_000, 33_003] });
    const a = await world.carrier('a');
    await world.carrier('b');
    const refused = await world.engine.command({
      op: 'answer',
      leg: 'c',
      kind: 'rtp',
      sdp: a.sdp(),
      codecs: ['PCMU'],
    });
    assert.equal(!refused.ok && refused.error, 'no-port');
    await world.run(100, () => a.frame());
    const closed = await world.command({ op: 'close', leg: 'a' });
    assert.equal(closed.stats?.packetsReceived, 5);
    assert.equal((await world.command({ op: 'close', leg: 'a' })).stats, undefined);
    await world.carrier('c');
    world.engine.closeAll();
    await world.run(100);
    assert.equal(world.timers, 0);
  });

  it('reports by RTCP, says BYE, and tells loss, jitter and round trip', async () => {
    const { world, a } = await bridged();
    await world.run(12_000, () => {
      if (world.now % 1000 !== 0) a.frame();
      else a.sequence++;
    });
    assert.ok(a.rtcp.length >= 2 && a.rtcp.length <= 5, `${a.rtcp.length}`);
    assert.equal(a.rtcp[0]![1], 200);
    const { stats } = await world.command({ op: 'stats', leg: 'a' });
    assert.equal(stats?.codec, 'PCMU');
    assert.ok(stats!.packetsLost >= 10 && stats!.packetsLost <= 12, `${stats?.packetsLost}`);
    const before = a.rtcp.length;
    await world.command({ op: 'close', leg: 'a' });
    assert.equal(a.rtcp.length, before + 1);
    assert.ok(a.rtcp.at(-1)!.includes(203));
  });
});

describe('the source of plain RTP', () => {
  it('is the signalled address only: a spray is neither heard nor answered', async () => {
    const { world, a, b } = await bridged();
    let attacker = 0;
    for (const [address, port] of [
      ['10.0.0.66', a.port],
      ['10.0.0.66', 5000],
      [a.address, a.port + 500],
    ] as const) {
      world.bind(address, port, () => attacker++);
    }
    const forged = Uint8Array.from([0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0x12, 0x34, 99, 99]);
    const spray = (): void => {
      forged[3] = (forged[3]! + 1) & 255;
      for (let i = 0; i < 5; i++) {
        a.emitFrom('10.0.0.66', a.port, forged);
        a.emitFrom('10.0.0.66', 5000, forged);
        a.emitFrom(a.address, a.port + 500, forged);
      }
    };
    await world.run(1000, () => {
      spray();
      a.frame();
      b.frame();
    });
    // Silence of the victim changes nothing once its source is known.
    await world.run(1000, spray);
    assert.equal(attacker, 0);
    const heard = b.take();
    assert.ok(heard.every((p) => p.payload[0] !== 99));
    assert.equal(heard.filter((p) => p.payload[0] === 0x55).length, 50);
    const { stats } = await world.command({ op: 'stats', leg: 'a' });
    assert.equal(stats?.packetsReceived, 50);
    assert.ok(stats!.dropped >= 1500 - 10);
  });

  it('latches once to another port of the signalled address', async () => {
    const { world, a, b } = await bridged();
    const natted = a.port + 40;
    let answered = 0;
    world.bind(a.address, natted, () => answered++);
    const packet = (sequence: number): Uint8Array =>
      Uint8Array.from([0x80, 0, sequence >> 8, sequence & 255, 0, 0, 0, sequence & 255, 0, 0, 0, 5, 42]);
    let sequence = 0;
    await world.run(1000, () => {
      a.emitFrom(a.address, natted, packet(++sequence));
      b.frame();
    });
    assert.ok(answered > 30, `${answered}`);
    assert.ok(b.take().filter((p) => p.payload[0] === 42).length > 30);
    // A third port is foreign now; new signalling of the same address does not open it either.
    a.emitFrom(a.address, natted + 2, packet(7000));
    await world.command({ op: 'answer', leg: 'a', kind: 'rtp', sdp: a.sdp(), codecs: ['PCMU'] });
    a.emitFrom(a.address, natted + 2, packet(7001));
    assert.ok(b.take().every((p) => p.payload[0] !== 42));
  });
});

describe('what becomes of a leg', () => {
  it('tells connected, media, and failed rtp after the limit; later when held', async () => {
    const { world, a } = await bridged();
    await world.run(100, () => a.frame());
    assert.equal(world.eventsOf('connected').length, 2);
    assert.deepEqual(world.eventsOf('media'), [{ event: 'media', leg: 'a', codec: 'PCMU' }]);
    await world.run(59_000, () => {
      if (world.now < 30_000) a.frame();
    });
    assert.equal(world.eventsOf('failed').length, 0);
    await world.run(2000);
    assert.deepEqual(world.eventsOf('failed'), [{ event: 'failed', leg: 'b', n: 1, why: 'rtp' }]);
    await world.command({ op: 'answer', leg: 'a', kind: 'rtp', sdp: a.sdp('inactive'), codecs: ['PCMU'] });
    await world.run(300_000);
    assert.equal(world.eventsOf('failed').length, 1);
  });

  it('flags one-way audio', async () => {
    const { world, a } = await bridged();
    await world.run(11_000, () => a.frame());
    const flags = world.eventsOf('one-way');
    assert.equal(flags.length, 1);
    assert.equal(flags[0]!.leg, 'b');
    assert.ok(flags[0]!.ms > 10_000 && flags[0]!.ms < 10_300);
  });
});
