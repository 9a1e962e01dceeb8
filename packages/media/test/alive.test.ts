import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Carrier, World } from './world.ts';

const LIMIT = { rtpTimeoutMs: 5000 };

const failures = (world: World): string[] => world.eventsOf('failed').map((e) => `${e.leg} ${e.why}`);

/** A packet of RTP without audio that we play. */
function packetOf(carrier: Carrier, payloadType: number, length: number): Uint8Array {
  const packet = new Uint8Array(12 + length).fill(60, 12);
  const { sequence } = carrier;
  packet.set([0x80, payloadType, sequence >> 8, sequence & 255, 0, 0, 0, 1, 0, 0, 0x12, 0x34]);
  carrier.sequence++;
  return packet;
}

const SIGNS: Readonly<Record<string, (carrier: Carrier, world: World) => void>> = {
  'RTCP from the described port': (carrier, world) => {
    const report = Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 7);
    world.deliver(report, carrier.address, carrier.port + 1, carrier.target.address, carrier.target.port + 1);
  },
  'RTCP from another port of its address, with the SSRC that is heard': (carrier, world) => {
    const report = Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0x12, 0x34);
    world.deliver(report, carrier.address, carrier.port + 7, carrier.target.address, carrier.target.port + 1);
  },
  'comfort noise (RFC 3389) that nobody agreed upon': (carrier) =>
    carrier.emitFrom(carrier.address, carrier.port, packetOf(carrier, 13, 1)),
  'RTP of an unknown type (RFC 6263 §4.6)': (carrier) =>
    carrier.emitFrom(carrier.address, carrier.port, packetOf(carrier, 72, 20)),
  'RTP without payload': (carrier) =>
    carrier.emitFrom(carrier.address, carrier.port, packetOf(carrier, 0, 0)),
  'an empty datagram (RFC 6263 §4.1)': (carrier) =>
    carrier.emitFrom(carrier.address, carrier.port, new Uint8Array(0)),
  'RTP of version 0 (RFC 6263 §4.5)': (carrier) => {
    const packet = packetOf(carrier, 0, 4);
    packet[0] = 0;
    carrier.emitFrom(carrier.address, carrier.port, packet);
  },
};

describe('media-timeout-of-a-living-peer', () => {
  for (const [what, sign] of Object.entries(SIGNS))
    it(`${what} proves that it lives; silence in all does not; nobody else proves it`, async () => {
      const world = new World({ limits: LIMIT });
      const peer = await world.carrier('a');
      await world.run(500, () => peer.frame());
      await world.run(20_000, () => {
        if (world.now % 1000 === 0) sign(peer, world);
      });
      assert.deepEqual(failures(world), []);
      // A stranger of the same words.
      const { address, port } = peer;
      await world.run(5500, () => {
        if (world.now % 1000 !== 0) return;
        Object.assign(peer, { address: '10.0.0.66', port: 6666 });
        sign(peer, world);
        Object.assign(peer, { address, port });
      });
      assert.deepEqual(failures(world), ['a rtp']);
    });

  it('checks of a mute browser do, and a browser without any is gone', async () => {
    const world = new World({ limits: { ...LIMIT, consentMs: 6000 } });
    const browser = await world.browser('w');
    await world.run(500, () => browser.frame(Uint8Array.of(0xf8, 1, 2)));
    await world.run(20_000, () => {
      if (world.now % 2500 === 0) browser.check();
    });
    assert.deepEqual(failures(world), []);
    await world.run(6000);
    assert.equal(failures(world).length, 1);
  });

  it('packets that are kept alive are no sound for others', async () => {
    const world = new World({ limits: LIMIT });
    const peer = await world.carrier('a');
    const other = await world.carrier('b');
    await world.command({ op: 'source', leg: 'b', source: { kind: 'leg', leg: 'a' } });
    await world.run(200, () => peer.frame());
    other.take();
    for (const sign of Object.values(SIGNS)) sign(peer, world);
    assert.deepEqual(other.take(), []);
  });
});
