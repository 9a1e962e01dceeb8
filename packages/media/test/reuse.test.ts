import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Carrier, type CarrierOptions, World } from './world.ts';

const CARRIER = '10.0.0.9';
/** A mark in each payload. */
const OLD = 77;
const NEW = 42;

const frame = (mark: number): Uint8Array => new Uint8Array(160).fill(mark);

/** One pair of ports for the peer, one for who listens; the listener stays. */
async function small(): Promise<{ world: World; listener: Carrier }> {
  const world = new World({ ports: [33_000, 33_003] });
  const listener = await world.carrier('b', { address: '10.0.0.8' });
  await world.command({ op: 'source', leg: 'b', source: { kind: 'leg', leg: 'a' } });
  return { world, listener };
}

const marks = (carrier: Carrier): number[] => [
  ...new Set(
    carrier
      .take()
      .filter((p) => p.payload.length === 160)
      .map((p) => p.payload[0]!),
  ),
];

async function next(world: World, options: CarrierOptions = {}): Promise<Carrier> {
  await world.command({ op: 'close', leg: 'a' });
  const carrier = await world.carrier('a', options);
  await world.command({ op: 'source', leg: 'a', source: { kind: 'leg', leg: 'b' } });
  await world.command({ op: 'source', leg: 'b', source: { kind: 'leg', leg: 'a' } });
  return carrier;
}

describe('reused-media-port-hears-the-call-before', () => {
  for (const rest of [0, 300, 20_000])
    it(`a peer that goes on sending to the port is not heard by the next call ${rest} ms later, nor spoken to`, async () => {
      const { world, listener } = await small();
      const old = await world.carrier('a', { address: CARRIER });
      await world.run(500, () => old.frame(frame(OLD)));
      assert.deepEqual(marks(listener), [OLD]);
      await world.command({ op: 'close', leg: 'a' });
      await world.run(rest, () => old.frame(frame(OLD)));
      const fresh = await next(world, { address: CARRIER });
      assert.equal(fresh.target.port, old.target.port);
      marks(listener);
      old.take();
      await world.run(3000, () => old.frame(frame(OLD)));
      assert.equal(marks(listener).includes(OLD), false);
      assert.equal(old.take().length, 0);
      await world.run(500, () => {
        old.frame(frame(OLD));
        fresh.frame(frame(NEW));
      });
      assert.ok(marks(listener).includes(NEW));
    });

  it('nor by the call after the next, when the one between never heard it', async () => {
    const { world, listener } = await small();
    const old = await world.carrier('a', { address: CARRIER });
    await world.run(500, () => old.frame(frame(OLD)));
    const between = await next(world, { address: CARRIER });
    await world.run(5000, () => {
      old.frame(frame(OLD));
      between.frame(frame(NEW));
    });
    await next(world, { address: CARRIER });
    marks(listener);
    await world.run(3000, () => old.frame(frame(OLD)));
    assert.equal(marks(listener).includes(OLD), false);
  });

  it('the same port of the peer is believed again when it was silent, or is described, or a phone begins another stream', async () => {
    for (const how of ['another stream', 'silence', 'described'] as const) {
      const { world, listener } = await small();
      const old = await world.carrier('a', { address: CARRIER, port: 41_000 });
      await world.run(500, () => old.frame(frame(OLD)));
      const fresh = await next(world, {
        address: CARRIER,
        port: how === 'described' ? 41_000 : 41_002,
      });
      marks(listener);
      if (how === 'silence') await world.run(1100);
      if (how === 'another stream') {
        old.ssrc++;
        const before = await world.command({
          op: 'answer',
          leg: 'a',
          kind: 'rtp',
          sdp: fresh.sdp(),
          codecs: ['PCMU'],
          signalledFrom: CARRIER,
        });
        assert.ok(before.ok);
      }
      old.connect(`c=IN IP4 10.0.0.1\r\nm=audio ${fresh.target.port} RTP/AVP 0`);
      await world.run(600, () => old.frame(frame(NEW)));
      assert.deepEqual(marks(listener).includes(NEW), true, how);
    }
  });

  it('who sent to a port of ours long before the first description is not the peer', async () => {
    const world = new World({ ports: [33_000, 33_003] });
    const listener = await world.carrier('b', { address: '10.0.0.8' });
    const { sdp } = await world.command({ op: 'offer', leg: 'a', kind: 'rtp', codecs: ['PCMU'] });
    await world.command({ op: 'source', leg: 'b', source: { kind: 'leg', leg: 'a' } });
    const peer = await world.carrier('c', { address: CARRIER }).catch(() => undefined);
    assert.equal(peer, undefined, 'the range is used up');
    world.now += 0;
    const early = (n: number): void => {
      const packet = new Uint8Array(172).fill(OLD, 12);
      packet.set([0x80, 0, n >> 8, n & 255, 0, 0, 0, 0, 0, 0, 0, 9]);
      world.deliver(packet, CARRIER, 41_100, '10.0.0.1', Number(/m=audio (\d+)/.exec(sdp!)![1]));
    };
    let n = 0;
    await world.run(2000, () => early(++n));
    const answer = ['v=0', 'o=- 1 1 IN IP4 10.0.0.9', 's=-', 'c=IN IP4 10.0.0.9', 't=0 0']
      .concat('m=audio 41102 RTP/AVP 0', '')
      .join('\r\n');
    await world.command({ op: 'accept', leg: 'a', sdp: answer });
    marks(listener);
    await world.run(2000, () => early(++n));
    assert.equal(marks(listener).includes(OLD), false);
  });

  it('a port that is still sent to waits while there are others; a resting one is closed when it is quiet', async () => {
    const world = new World({ ports: [33_000, 33_005] });
    const old = await world.carrier('a', { address: CARRIER });
    await world.run(200, () => old.frame());
    await world.command({ op: 'close', leg: 'a' });
    for (let n = 0; n < 6; n++) {
      const other = await world.carrier('x', { address: CARRIER });
      assert.notEqual(other.target.port, old.target.port);
      await world.run(300, () => old.frame());
      await world.command({ op: 'close', leg: 'x' });
      await world.run(300, () => old.frame());
    }
    const before = world.openSockets;
    await world.run(30_000);
    assert.equal(before - world.openSockets, 6);
    assert.equal(world.timers, 0);
  });

  it('a carrier hears nothing of a browser that had its port', async () => {
    const world = new World({ ports: [33_000, 33_003] });
    const browser = await world.browser('w');
    await world.run(200, () => browser.frame(Uint8Array.of(0xf8, 1, 2)));
    await world.command({ op: 'close', leg: 'w' });
    const listener = await world.carrier('b', { address: '10.0.0.8' });
    const peers = [await world.carrier('a', { address: browser.address, port: 41_200 })];
    await world.command({ op: 'source', leg: 'b', source: { kind: 'leg', leg: 'a' } });
    browser.target.port = peers[0]!.target.port;
    marks(listener);
    let n = 0;
    await world.run(900, () => {
      const packet = new Uint8Array(172).fill(OLD, 12);
      packet.set([0x80, 0, 0, ++n, 0, 0, 0, 0, 0, 0, 0, 9]);
      browser.raw(packet);
    });
    if (browser.target.port === 33_000) assert.equal(marks(listener).includes(OLD), false);
  });
});
