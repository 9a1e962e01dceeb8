import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type BrowserPeer, World } from './world.ts';

const FRAME = Uint8Array.of(0xf8, 1, 2, 3, 4);
const MOVED = { address: '10.0.0.51', port: 6100 };

const candidates = (sdp: string): string[] => [...sdp.matchAll(/a=candidate:(.*)\r/g)].map((m) => m[1]!);

async function echo(world: World): Promise<BrowserPeer> {
  const peer = await world.browser('w');
  await world.command({ op: 'source', leg: 'w', source: { kind: 'echo' } });
  await world.run(200, () => peer.frame(FRAME));
  assert.equal(heard(peer), 10);
  return peer;
}

/** Frames of its own that came back. */
const heard = (peer: BrowserPeer): number => peer.take().filter((p) => p.payload.length === 5).length;

describe('the addresses of a WebRTC leg', () => {
  it('are told by the name peers know behind a one-to-one NAT, and by their own', async () => {
    const world = new World({
      addresses: ['127.0.0.1', '10.0.0.1'],
      publicAddress: '198.51.100.7',
      tcp: true,
    });
    const { sdp } = await world.command({ op: 'offer', leg: 'w', kind: 'webrtc', codecs: ['OPUS'] });
    const port = /m=audio (\d+)/.exec(sdp!)?.[1];
    assert.deepEqual(candidates(sdp!), [
      `1 1 udp 2130706431 127.0.0.1 ${port} typ host`,
      `2 1 udp 2130706175 198.51.100.7 ${port} typ host`,
      `3 1 udp 2130705919 10.0.0.1 ${port} typ host`,
      '4 1 tcp 1520435199 127.0.0.1 4443 typ host tcptype passive',
      '5 1 tcp 1520434943 198.51.100.7 4443 typ host tcptype passive',
      '6 1 tcp 1520434687 10.0.0.1 4443 typ host tcptype passive',
    ]);
  });

  it('of a plain leg is the public one, too, except towards this machine', async () => {
    const world = new World({ addresses: ['10.0.0.1', '127.0.0.1'], publicAddress: '198.51.100.7' });
    const out = await world.command({ op: 'offer', leg: 'a', kind: 'rtp', codecs: ['PCMU'] });
    assert.match(out.sdp!, /c=IN IP4 198\.51\.100\.7\r/);
    const near = await world.carrier('b', { address: '127.0.0.9' });
    assert.equal(near.target.address, '127.0.0.1');
  });
});

describe('a peer that has only TCP', () => {
  async function byTcp(): Promise<{ world: World; peer: BrowserPeer }> {
    const world = new World({ tcp: true });
    const peer = await world.browser('w');
    assert.equal(peer.stunReplies, 1);
    peer.target = { address: '10.0.0.1', port: 4443 };
    return { world, peer };
  }

  it('is heard and spoken to on its connection once that is nominated', async () => {
    const { world, peer } = await byTcp();
    await world.command({ op: 'source', leg: 'w', source: { kind: 'echo' } });
    const tcp = { address: peer.address, port: peer.port };
    peer.check(tcp);
    assert.equal(peer.stunReplies, 2);
    await world.run(400, () => peer.frame(FRAME));
    assert.equal(heard(peer), 20);
    assert.equal(peer.undecryptable, 0);
  });

  it('finds its leg by ufrag, also after an ICE restart, and by no other', async () => {
    const { world, peer } = await byTcp();
    const stranger = await world.browser('x');
    stranger.target = { address: '10.0.0.1', port: 4443 };
    stranger.check(undefined, 'a wrong password');
    assert.equal(stranger.stunReplies, 1);
    peer.ufrag = 'NEW1';
    const { sdp } = await world.command({
      op: 'answer',
      leg: 'w',
      kind: 'webrtc',
      sdp: peer.sdp(),
      codecs: ['OPUS'],
    });
    peer.connect(sdp!);
    peer.target = { address: '10.0.0.1', port: 4443 };
    peer.check();
    assert.equal(peer.stunReplies, 3);
    await world.command({ op: 'close', leg: 'w' });
    assert.equal(world.streams!.doors, 1);
    peer.check();
    assert.equal(peer.stunReplies, 3);
  });
});

describe('a peer that moves in mid-call', () => {
  it('is followed when a check with its credentials nominates the new address, and not before', async () => {
    const world = new World();
    const peer = await echo(world);
    const moved: Uint8Array[] = [];
    world.bind(MOVED.address, MOVED.port, (packet) => moved.push(packet));
    // SRTP from an address that no check has proven: neither heard nor answered.
    const before = (await world.command({ op: 'stats', leg: 'w' })).stats!;
    const packet = new Uint8Array(80);
    packet.set([0x80, 111, 3, 242, 0, 0, 0, 9, 0, 0, 0x12, 0x34, 1, 2, 3]);
    const sealed = packet.slice(0, peer.srtp.protectRtp(packet, 15));
    peer.raw(sealed, MOVED.address, MOVED.port);
    peer.check(MOVED, 'not the password of this leg');
    await world.run(1_000);
    const after = (await world.command({ op: 'stats', leg: 'w' })).stats!;
    assert.equal(after.packetsReceived, before.packetsReceived);
    assert.equal(after.dropped, before.dropped + 2);
    assert.equal(moved.length, 0);
    peer.take();

    peer.check(MOVED);
    assert.equal(moved.length, 1);
    peer.raw(sealed, MOVED.address, MOVED.port);
    assert.equal(
      (await world.command({ op: 'stats', leg: 'w' })).stats!.packetsReceived,
      before.packetsReceived + 1,
    );
    await world.run(400);
    assert.ok(moved.length > 15, `${moved.length}`);
    assert.equal(peer.take().length, 0);
    assert.equal(world.eventsOf('connected').length, 1);
    assert.equal(world.eventsOf('failed').length, 0);
  });

  it('that nominates only once is followed when its audio comes from the new address alone', async () => {
    const world = new World();
    const peer = await echo(world);
    const moved: Uint8Array[] = [];
    world.bind(MOVED.address, MOVED.port, (packet) => moved.push(packet));
    peer.check(MOVED, undefined, false);
    assert.equal(moved.length, 1);
    peer.emitRtp = (packet, length) => {
      peer.raw(packet.subarray(0, peer.srtp.protectRtp(packet, length)), MOVED.address, MOVED.port);
    };
    await world.run(480, () => peer.frame(FRAME));
    assert.equal(moved.length, 1);
    assert.equal(heard(peer), 24);
    await world.run(400, () => peer.frame(FRAME));
    assert.equal(moved.length, 21);
  });

  it('stays where it is when somebody else sends packets to its port', async () => {
    const world = new World();
    const peer = await echo(world);
    let attacker = 0;
    world.bind('10.0.0.66', 6666, () => attacker++);
    for (let i = 0; i < 50; i++) peer.raw(world.random.bytes(60).fill(0x80, 0, 1), '10.0.0.66', 6666);
    await world.run(200, () => peer.frame(FRAME));
    assert.equal(heard(peer), 10);
    assert.equal(attacker, 0);
  });

  it('comes back from another address by ICE restart, also long after the old path died', async () => {
    const world = new World();
    const peer = await echo(world);
    await world.run(31_000);
    assert.deepEqual(world.eventsOf('failed'), [{ event: 'failed', leg: 'w', n: 1, why: 'ice' }]);
    const moved: Uint8Array[] = [];
    world.bind(MOVED.address, MOVED.port, (packet) => moved.push(packet));
    peer.ufrag = 'NEW1';
    peer.pwd = 'another-browser-password';
    const { sdp } = await world.command({
      op: 'answer',
      leg: 'w',
      kind: 'webrtc',
      sdp: peer.sdp(),
      codecs: ['OPUS'],
    });
    const target = { ufrag: /a=ice-ufrag:(\S+)/.exec(sdp!)![1]!, pwd: /a=ice-pwd:(\S+)/.exec(sdp!)![1]! };
    assert.notEqual(target.ufrag, '');
    peer.take();
    peer.connect(sdp!);
    peer.check(MOVED);
    await world.run(400);
    assert.ok(moved.length > 15, `${moved.length}`);
  });
});
