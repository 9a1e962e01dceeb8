import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BrowserPeer, World } from './world.ts';

const FRAME = Uint8Array.of(0xf8, 1, 2, 3, 4);

describe('a WebRTC leg', () => {
  it('offers every address as host candidate, is keyed, and echoes', async () => {
    const world = new World({ addresses: ['10.0.0.1', '127.0.0.1'] });
    const peer = await world.browser('w');
    const { sdp } = await world.command({ op: 'offer', leg: 'w', kind: 'webrtc', codecs: ['OPUS'] });
    assert.match(sdp!, /candidate:1 1 udp 2130706431 10\.0\.0\.1 /i);
    assert.match(sdp!, /candidate:2 1 udp 2130706175 127\.0\.0\.1 /i);
    assert.match(sdp!, /a=ice-lite/);
    assert.deepEqual(world.eventsOf('connected'), [{ event: 'connected', leg: 'w' }]);
    await world.command({ op: 'source', leg: 'w', source: { kind: 'echo' } });
    await world.run(400, () => peer.frame(FRAME));
    assert.equal(peer.take().filter((p) => p.payload.length === 5).length, 20);
    assert.equal(peer.undecryptable, 0);
    assert.deepEqual(world.eventsOf('media'), [{ event: 'media', leg: 'w', codec: 'OPUS' }]);
  });

  it('says nothing to checks before the peer has answered our offer', async () => {
    const world = new World();
    const { sdp } = await world.command({ op: 'offer', leg: 'w', kind: 'webrtc', codecs: ['OPUS'] });
    const peer = new BrowserPeer(world);
    peer.connect(sdp!);
    assert.equal(peer.stunReplies, 0);
    await world.command({
      op: 'accept',
      leg: 'w',
      sdp: peer.sdp().replace('setup:actpass', 'setup:active'),
    });
    peer.check();
    assert.equal(peer.stunReplies, 1);
    assert.deepEqual(world.eventsOf('connected'), [{ event: 'connected', leg: 'w' }]);
  });

  it('relays to a carrier and back, and never stays silent for three seconds', async () => {
    const world = new World();
    const peer = await world.browser('w', ['PCMU']);
    const carrier = await world.carrier('c');
    await world.command({ op: 'source', leg: 'w', source: { kind: 'leg', leg: 'c' } });
    await world.command({ op: 'source', leg: 'c', source: { kind: 'leg', leg: 'w' } });
    await world.run(1000, () => {
      peer.send(0, new Uint8Array(160).fill(1));
      peer.timestamp += 160;
      carrier.frame();
    });
    assert.equal(carrier.take().filter((p) => p.payload[0] === 1).length, 50);
    assert.equal(peer.take().filter((p) => p.payload[0] === 0x55).length, 50);
    await world.command({
      op: 'answer',
      leg: 'w',
      kind: 'webrtc',
      sdp: peer.sdp('sendonly'),
      codecs: ['PCMU'],
    });
    await world.run(10_000, () => carrier.frame());
    const kept = peer.take();
    assert.ok(kept.length >= 9 && kept.length <= 11, `${kept.length}`);
    assert.ok(kept.every((p) => p.payload[0] !== 0x55));
  });

  it('hears nothing from an address that ICE has not approved, nothing without a valid tag, nothing twice', async () => {
    const world = new World();
    const peer = await world.browser('w');
    let attacker = 0;
    world.bind('10.0.0.66', 6666, () => attacker++);
    await world.command({ op: 'source', leg: 'w', source: { kind: 'echo' } });
    const good = new Uint8Array(80);
    good.set([0x80, 111, 0, 9, 0, 0, 0, 9, 0, 0, 0, 9, 1, 2, 3]);
    const sealed = good.slice(0, peer.srtp.protectRtp(good, 15));
    peer.raw(sealed, '10.0.0.66', 6666);
    peer.check({ address: '10.0.0.66', port: 6666 }, 'not the password of this leg');
    peer.raw(sealed, '10.0.0.66', 6666);
    const forged = sealed.slice();
    forged[14]! ^= 1;
    for (let i = 0; i < 200; i++) peer.raw(forged);
    for (let i = 0; i < 200; i++) peer.raw(world.random.bytes(60).fill(0x80, 0, 1));
    assert.equal((await world.command({ op: 'stats', leg: 'w' })).stats?.packetsReceived, 0);
    peer.raw(sealed);
    peer.raw(sealed);
    await world.run(300, () => peer.frame(FRAME));
    const { stats } = await world.command({ op: 'stats', leg: 'w' });
    assert.equal(stats?.packetsReceived, 16);
    assert.ok(stats!.dropped >= 203, `${stats?.dropped}`);
    assert.equal(attacker, 0);
    assert.equal(world.eventsOf('failed').length, 0);
    assert.ok(peer.take().length >= 15);
  });

  it('fails with the name of what failed', async () => {
    const dtls = new World();
    dtls.dtls.outcome = 'failed';
    const peer = await dtls.browser('w');
    assert.deepEqual(dtls.events, [{ event: 'failed', leg: 'w', n: 1, why: 'dtls' }]);
    await dtls.run(200, () => peer.frame(FRAME));
    assert.equal(peer.take().length, 0);

    const slow = new World();
    slow.dtls.outcome = 'never';
    await slow.browser('w');
    await slow.run(16_000);
    assert.deepEqual(slow.events, [{ event: 'failed', leg: 'w', n: 1, why: 'dtls' }]);

    const consent = new World();
    const gone = await consent.browser('w');
    await consent.run(29_000, () => gone.frame(FRAME));
    assert.equal(consent.eventsOf('failed').length, 0);
    await consent.run(2000, () => gone.frame(FRAME));
    assert.deepEqual(consent.eventsOf('failed'), [{ event: 'failed', leg: 'w', n: 1, why: 'ice' }]);
    gone.take();
    await consent.run(1000, () => gone.frame(FRAME));
    assert.equal(gone.take().length, 0);
  });

  it('waits for an answer as long as it rings, and only then expects checks', async () => {
    const world = new World();
    await world.command({ op: 'offer', leg: 'w', kind: 'webrtc', codecs: ['OPUS'] });
    await world.run(120_000);
    assert.equal(world.events.length, 0);
    const { BrowserPeer } = await import('./world.ts');
    const peer = new BrowserPeer(world);
    await world.command({ op: 'accept', leg: 'w', sdp: peer.sdp().replace('actpass', 'active') });
    await world.run(25_000);
    assert.equal(world.events.length, 0);
    await world.run(6000);
    assert.deepEqual(world.events, [{ event: 'failed', leg: 'w', n: 1, why: 'ice' }]);
  });

  it('keeps path and keys over a re-offer with the same transport, and restarts ICE with another ufrag', async () => {
    const world = new World();
    const peer = await world.browser('w');
    await world.command({ op: 'source', leg: 'w', source: { kind: 'echo' } });
    const first = await world.command({
      op: 'answer',
      leg: 'w',
      kind: 'webrtc',
      sdp: peer.sdp(),
      codecs: ['OPUS'],
    });
    await world.run(200, () => peer.frame(FRAME));
    assert.equal(peer.take().length, 10);
    peer.ufrag = 'NEW1';
    peer.pwd = 'another-browser-password';
    const second = await world.command({
      op: 'answer',
      leg: 'w',
      kind: 'webrtc',
      sdp: peer.sdp(),
      codecs: ['OPUS'],
    });
    const ufrag = (sdp: string): string | undefined => /a=ice-ufrag:(\S+)/.exec(sdp)?.[1];
    assert.notEqual(ufrag(first.sdp!), ufrag(second.sdp!));
    await world.run(200, () => peer.frame(FRAME));
    assert.equal(peer.take().length, 10);
    peer.connect(second.sdp!);
    await world.run(200, () => peer.frame(FRAME));
    assert.equal(peer.take().length, 10);
    assert.equal(world.dtls.created.length, 1);
    assert.equal(world.eventsOf('connected').length, 1);
  });
});
