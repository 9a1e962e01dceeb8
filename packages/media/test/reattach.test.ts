import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FINGERPRINT } from './fake-dtls.ts';
import { BrowserPeer, World } from './world.ts';

const FRAME = Uint8Array.of(0xf8, 1, 2, 3, 4);
const OTHER = FINGERPRINT.split(':').toReversed().join(':');

/** A browser whose leg echoes, and our offer of fresh media on that leg. */
async function offered(aliveMs = 400): Promise<{ world: World; peer: BrowserPeer; offer: string }> {
  const world = new World();
  const peer = await world.browser('w');
  await world.command({ op: 'source', leg: 'w', source: { kind: 'echo' } });
  await world.run(aliveMs, () => {
    peer.check();
    peer.frame(FRAME);
  });
  const { sdp } = await world.command({
    op: 'offer',
    leg: 'w',
    kind: 'webrtc',
    codecs: ['OPUS', 'PCMU'],
    restart: true,
  });
  return { world, peer, offer: sdp! };
}

/** The peer connection that a client builds for the offer: another certificate, other credentials, DTLS client. */
function rebuilt(world: World): { peer: BrowserPeer; answer: string } {
  const peer = new BrowserPeer(world);
  peer.ufrag = 'NEWPC';
  peer.pwd = 'a-password-of-the-new-peer';
  peer.ssrc = 0x777;
  return { peer, answer: peer.sdp().replace('actpass', 'active').replace(FINGERPRINT, OTHER) };
}

const accept = (world: World, sdp: string) => world.command({ op: 'accept', leg: 'w', sdp });

describe('a peer connection rebuilt on a leg', () => {
  it('is offered fresh credentials, actpass, and the SSRC it knows', async () => {
    const { peer, offer } = await offered();
    const [last] = peer.take().slice(-1);
    assert.match(offer, /a=setup:actpass/);
    assert.match(offer, new RegExp(`a=ssrc:${last!.ssrc} `));
  });

  it('keeps the old media until the new has keys, then goes on in one stream', async () => {
    const { world, peer, offer } = await offered();
    await world.run(400, () => peer.frame(FRAME));
    const old = peer.take();
    assert.ok(old.length >= 39, `${old.length}`);
    const next = rebuilt(world);
    await accept(world, next.answer);
    assert.equal(world.dtls.created.length, 2);
    assert.equal(world.dtls.created[1]!.fingerprints[0]!.value.toUpperCase(), OTHER);
    next.peer.connect(offer);
    await world.run(400, () => next.peer.frame(FRAME));
    const fresh = next.peer.take();
    assert.equal(fresh.filter((p) => p.payload.length === 5).length, 20);
    assert.equal(next.peer.undecryptable, 0);
    assert.equal(fresh[0]!.ssrc, old.at(-1)!.ssrc);
    assert.ok(fresh[0]!.sequence - old.at(-1)!.sequence <= 3);
    const elapsed = fresh[0]!.at - old.at(-1)!.at;
    assert.equal((fresh[0]!.timestamp - old.at(-1)!.timestamp) >>> 0, elapsed * 48);
    assert.equal(world.eventsOf('failed').length, 0);
  });

  it('works after the old path has failed', async () => {
    const world = new World();
    await world.browser('w');
    await world.command({ op: 'source', leg: 'w', source: { kind: 'echo' } });
    await world.run(31_000);
    assert.deepEqual(world.eventsOf('failed'), [{ event: 'failed', leg: 'w', n: 1, why: 'ice' }]);
    const { sdp } = await world.command({
      op: 'offer',
      leg: 'w',
      kind: 'webrtc',
      codecs: ['OPUS'],
      restart: true,
    });
    const next = rebuilt(world);
    await accept(world, next.answer);
    next.peer.connect(sdp!);
    await world.run(400, () => next.peer.frame(FRAME));
    assert.equal(next.peer.take().filter((p) => p.payload.length === 5).length, 20);
    assert.equal(world.eventsOf('failed').length, 1);
  });

  it('has its full time, however long the old path was silent', async () => {
    const { world, offer } = await offered();
    await world.run(25_000);
    await world.command({ op: 'offer', leg: 'w', kind: 'webrtc', codecs: ['OPUS'], restart: true });
    await world.run(10_000);
    assert.equal(world.eventsOf('failed').length, 0);
    assert.notEqual(offer, '');
  });

  it('fails by name when the second handshake never ends', async () => {
    const { world, offer } = await offered();
    world.dtls.outcome = 'never';
    const next = rebuilt(world);
    await accept(world, next.answer);
    next.peer.connect(offer);
    await world.run(16_000, () => next.peer.check());
    assert.deepEqual(world.eventsOf('failed'), [{ event: 'failed', leg: 'w', n: 1, why: 'dtls' }]);
  });

  it('may be the old one that says so: its transport goes on', async () => {
    const { world, peer } = await offered();
    peer.take();
    await accept(world, peer.sdp().replace('actpass', 'active'));
    await world.run(40_000, () => {
      peer.check();
      peer.frame(FRAME);
    });
    assert.equal(world.dtls.created.length, 1);
    assert.equal(peer.take().length, 2000);
    assert.equal(world.eventsOf('failed').length, 0);
  });

  it('is known by how long ago the peer was heard', async () => {
    const world = new World();
    const peer = await world.browser('w');
    const heard = async () => (await world.command({ op: 'stats', leg: 'w' })).stats!.heardMsAgo;
    assert.equal(await heard(), undefined);
    await world.run(100, () => peer.frame(FRAME));
    await world.run(700);
    assert.equal(await heard(), 720);
    peer.raw(new Uint8Array(80).fill(0x80, 0, 1));
    assert.equal(await heard(), 720);
  });
});
