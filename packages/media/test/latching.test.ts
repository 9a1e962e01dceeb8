import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Carrier, World } from './world.ts';

const PRIVATE = '192.168.1.50';
const NAT = '198.51.100.5';
const STRANGER = '203.0.113.66';

/** One packet of RTP that says `mark`. */
function rtp(mark: number, sequence: number, ssrc = 7): Uint8Array {
  const packet = new Uint8Array(172).fill(mark, 12);
  packet.set([0x80, 0, sequence >> 8, sequence & 255, 0, 0, sequence >> 8, sequence & 255, 0, 0, 0, ssrc]);
  return packet;
}

interface Scene {
  readonly world: World;
  /** Our media for the phone. */
  readonly at: { readonly address: string; readonly port: number };
  readonly other: Carrier;
  /** What came to a place of the phone, or of a stranger. */
  readonly sent: Map<string, number>;
  from(address: string, port: number, packet: Uint8Array, toPort?: number): void;
  /** Bytes that the other side heard since the last time. */
  heard(): Set<number>;
  describe(lines?: Partial<Described>): Promise<void>;
}

interface Described {
  readonly address: string;
  readonly port: number;
  readonly from: string | undefined;
  readonly more: readonly string[];
}

/** A phone that describes a private address and signals from its NAT's, bridged with a carrier. */
async function scene(first: Partial<Described> = {}): Promise<Scene> {
  const world = new World();
  const other = await world.carrier('b');
  const sent = new Map<string, number>();
  for (const address of [PRIVATE, NAT, STRANGER])
    for (let port = 41_410; port < 41_430; port++)
      world.bind(address, port, (packet) => {
        const kind = packet[1]! >= 192 ? ' rtcp' : '';
        const key = `${address}:${port}${kind}`;
        sent.set(key, (sent.get(key) ?? 0) + 1);
      });
  const at = { address: '', port: 0 };
  const one: Scene = {
    world,
    at,
    other,
    sent,
    from: (address, port, packet, toPort = at.port) =>
      world.deliver(packet, address, port, at.address, toPort),
    heard: () => new Set(other.take().map((p) => p.payload[0]!)),
    describe: async (change = {}) => {
      const { address, port, from, more }: Described = {
        address: PRIVATE,
        port: 41_414,
        from: NAT,
        more: [],
        ...first,
        ...change,
      };
      const sdp = ['v=0', `o=- 1 1 IN IP4 ${address}`, 's=-', `c=IN IP4 ${address}`, 't=0 0']
        .concat([`m=audio ${port} RTP/AVP 0 101`, 'a=rtpmap:0 PCMU/8000'], more, '')
        .join('\r\n');
      const believed = from === undefined ? {} : { signalledFrom: from };
      const command = { op: 'answer', leg: 'a', kind: 'rtp', sdp, codecs: ['PCMU'], ...believed } as const;
      const reply = await world.command(command);
      at.address = /c=IN IP4 (\S+)/.exec(reply.sdp!)![1]!;
      at.port = Number(/m=audio (\d+)/.exec(reply.sdp!)![1]);
    },
  };
  await one.describe();
  await world.command({ op: 'source', leg: 'a', source: { kind: 'leg', leg: 'b' } });
  await world.command({ op: 'source', leg: 'b', source: { kind: 'leg', leg: 'a' } });
  return one;
}

describe('phone-behind-nat-has-no-audio: latching', () => {
  it('hears a phone at once where its NAT kept the port, and after 250 ms elsewhere; RTP goes back there', async () => {
    for (const port of [41_414, 41_420]) {
      const one = await scene();
      let n = 0;
      await one.world.run(600, () => {
        one.from(NAT, port, rtp(0x2a, ++n));
        one.other.frame();
      });
      assert.ok(one.heard().has(0x2a));
      assert.ok((one.sent.get(`${NAT}:${port}`) ?? 0) > 10);
      assert.equal(one.sent.get(`${STRANGER}:${port}`), undefined);
    }
  });

  it('believes a carrier at its own address only: no signalling proves more', async () => {
    const one = await scene({ from: undefined });
    let n = 0;
    await one.world.run(1000, () => one.from(NAT, 41_414, rtp(0x2a, ++n)));
    assert.equal(one.heard().has(0x2a), false);
  });

  it('is moved by nobody else, whatever they send and when', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            stranger: fc.boolean(),
            port: fc.integer({ min: 41_410, max: 41_429 }),
            ssrc: fc.nat(3),
            rtcp: fc.boolean(),
            length: fc.constantFrom(0, 3, 8, 172),
          }),
          { maxLength: 200 },
        ),
        async (packets) => {
          const one = await scene();
          let n = 0;
          for (const { stranger, port, ssrc, rtcp, length } of packets) {
            const packet = rtp(stranger ? 99 : 0x2a, ++n, ssrc);
            if (rtcp) packet[1] = 201;
            one.from(stranger ? STRANGER : NAT, port, packet.subarray(0, length));
            if (n % 4 === 0) await one.world.run(20);
          }
          await one.world.run(100);
          assert.equal(one.heard().has(99), false);
          for (const key of one.sent.keys()) assert.equal(key.startsWith(STRANGER), false, key);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('follows a port that changes: at once when the stream goes on, a new stream when the old one is silent', async () => {
    const one = await scene();
    let n = 0;
    await one.world.run(500, () => one.from(NAT, 41_414, rtp(1, ++n)));
    one.heard();
    one.from(NAT, 41_420, rtp(2, ++n));
    assert.deepEqual([...one.heard()], [2]);
    // Another stream beside a living one is not the phone's.
    let m = 9_000;
    await one.world.run(2000, () => {
      one.from(NAT, 41_420, rtp(3, ++n));
      one.from(NAT, 41_422, rtp(4, ++m, 8));
    });
    assert.equal(one.heard().has(4), false);
    await one.world.run(2000, () => one.from(NAT, 41_422, rtp(4, ++m, 8)));
    assert.equal(one.heard().has(4), true);
    one.sent.clear();
    await one.world.run(200);
    assert.ok(one.sent.has(`${NAT}:41422`));
  });

  it('starts again with a description of another port, and stays with one that says the same', async () => {
    const one = await scene();
    let n = 0;
    await one.world.run(500, () => one.from(NAT, 41_420, rtp(1, ++n)));
    await one.describe();
    one.heard();
    one.from(NAT, 41_420, rtp(2, ++n));
    assert.deepEqual([...one.heard()], [2]);
    await one.describe({ port: 41_424 });
    one.sent.clear();
    await one.world.run(100);
    assert.deepEqual([...one.sent.keys()], [`${NAT}:41420`], 'what it said is no way to it');
    await one.world.run(500, () => one.from(NAT, 41_428, rtp(5, ++n, 9)));
    assert.equal(one.heard().has(5), true);
  });

  it('goes along when its signalling moves, and forgets where it came from', async () => {
    const one = await scene();
    let n = 0;
    await one.world.run(500, () => one.from(NAT, 41_414, rtp(1, ++n)));
    await one.describe({ from: STRANGER });
    one.heard();
    one.from(NAT, 41_414, rtp(2, ++n));
    await one.world.run(500, () => one.from(STRANGER, 41_414, rtp(3, ++n, 8)));
    assert.deepEqual(
      [...one.heard()].filter((mark) => mark < 4),
      [3],
    );
  });

  it('comes back from a hold with c=0.0.0.0', async () => {
    const one = await scene();
    let n = 0;
    await one.world.run(500, () => one.from(NAT, 41_420, rtp(1, ++n)));
    await one.describe({ address: '0.0.0.0' });
    await one.world.run(500);
    await one.describe();
    one.heard();
    await one.world.run(500, () => one.from(NAT, 41_420, rtp(2, ++n)));
    assert.equal(one.heard().has(2), true);
  });

  it('RTCP: of a phone from the first port, and from another one only with the SSRC that is heard', async () => {
    for (const mux of [false, true]) {
      const one = await scene({ more: mux ? ['a=rtcp-mux'] : [] });
      const report = (ssrc: number): Uint8Array => Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, ssrc);
      const to = one.at.port + (mux ? 0 : 1);
      one.from(NAT, 41_421, report(7), to);
      await one.world.run(7000);
      assert.ok((one.sent.get(`${NAT}:41421 rtcp`) ?? 0) > 0);
      let n = 0;
      await one.world.run(500, () => one.from(NAT, 41_420, rtp(1, ++n)));
      one.from(STRANGER, 41_425, report(7), to);
      one.from(NAT, 41_425, report(8), to);
      if (!mux) one.from(NAT, 41_423, report(7), to);
      one.sent.clear();
      await one.world.run(7000, () => one.from(NAT, 41_420, rtp(1, ++n)));
      const reports = [...one.sent.keys()].filter((key) => key.endsWith('rtcp'));
      assert.deepEqual(reports, [mux ? `${NAT}:41420 rtcp` : `${NAT}:41423 rtcp`]);
    }
  });

  it('RTCP of a carrier goes to the address that a=rtcp names', async () => {
    const one = await scene({ from: undefined, address: PRIVATE, more: [`a=rtcp:41429 IN IP4 ${NAT}`] });
    one.from(NAT, 41_429, Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 7), one.at.port + 1);
    await one.world.run(7000);
    assert.ok((one.sent.get(`${NAT}:41429 rtcp`) ?? 0) > 0);
    assert.notEqual((await one.world.command({ op: 'stats', leg: 'a' })).stats?.heardMsAgo, undefined);
  });

  it('knows a host by any of its spellings', async () => {
    const one = await scene({ from: `::ffff:${NAT}` });
    one.from(`::ffff:${PRIVATE}`, 41_414, rtp(1, 1));
    assert.ok(one.heard().has(1), 'as a socket of both families names it');
    one.from(NAT, 41_420, rtp(2, 2));
    one.from(`::ffff:${STRANGER}`, 41_414, rtp(3, 3));
    const heard = one.heard();
    assert.deepEqual([heard.has(2), heard.has(3)], [true, false]);
  });
});
