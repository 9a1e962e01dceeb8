import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MediaCommand } from '@sidetone/wire';
import { type Carrier, World } from './world.ts';

const BOTH = ['2001:db8::1', '10.0.0.1', '127.0.0.1', '::1'];
const NO_ADDRESS = 'no-address';

const echo = async (world: World, leg: string): Promise<unknown> =>
  await world.command({ op: 'source', leg, source: { kind: 'echo' } });

/** What a plain peer says comes back to it. */
async function hearsItself(world: World, leg: string, peer: Carrier): Promise<void> {
  await echo(world, leg);
  await world.run(200, () => peer.frame());
  assert.ok(peer.take().filter((p) => p.payload[0] === 0x55).length > 5);
}

async function refused(world: World, command: MediaCommand): Promise<void> {
  const reply = await world.engine.command(command);
  assert.equal(reply.ok ? 'ok' : reply.error, NO_ADDRESS);
}

const answer = (leg: string, sdp: string): MediaCommand => ({
  op: 'answer',
  leg,
  kind: 'rtp',
  sdp,
  codecs: ['PCMU'],
});

describe('ipv6: a plain leg', () => {
  it('answers with an address of the family of the offer, and speaks it', async () => {
    const world = new World({ addresses: BOTH });
    const peer = await world.carrier('a', { address: '2001:db8::9' });
    assert.equal(peer.target.address, '2001:db8::1');
    await hearsItself(world, 'a', peer);
    const near = await world.carrier('b', { address: '::1' });
    assert.equal(near.target.address, '::1');
    const old = await world.carrier('c', { address: '10.0.0.9' });
    assert.equal(old.target.address, '10.0.0.1');
  });

  it('knows its peer however the address is written', async () => {
    for (const [written, real] of [
      ['2001:DB8:0:0:0:0:0:9', '2001:db8::9'],
      ['::ffff:10.0.0.9', '10.0.0.9'],
      ['::FFFF:A00:9', '10.0.0.9'],
    ] as const) {
      const world = new World({ addresses: BOTH });
      const peer = await world.carrier('a', { address: real, port: 40_100 });
      const sdp = peer.sdp().replaceAll(/IN IP\d \S+/g, `IN IP6 ${written}`);
      peer.connect((await world.command(answer('b', sdp))).sdp!);
      await hearsItself(world, 'b', peer);
    }
  });

  it('refuses a peer of whose family it has no address, in offers and in answers', async () => {
    for (const [ours, theirs] of [
      [['10.0.0.1', '127.0.0.1'], '2001:db8::9'],
      [['10.0.0.1'], '::1'],
      [['2001:db8::1'], '10.0.0.9'],
      [BOTH, 'fe80::9'],
    ] as const) {
      const world = new World({ addresses: ours });
      const sdp = `v=0\r\no=- 1 1 IN IP6 ${theirs}\r\ns=-\r\nc=IN IP6 ${theirs}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n`;
      await refused(world, answer('a', sdp));
      assert.equal(world.openSockets, 0);
      await world.command({ op: 'offer', leg: 'b', kind: 'rtp', codecs: ['PCMU'] });
      await refused(world, { op: 'accept', leg: 'b', sdp });
    }
  });

  it('takes of an offer with a section for each family the one that it can reach', async () => {
    const sections = (first: string, second: string): string =>
      `v=0\r\no=- 1 1 ${first}\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\nc=${first}\r\nm=audio 4002 RTP/AVP 0\r\nc=${second}\r\n`;
    const sdp = sections('IN IP6 2001:db8::9', 'IN IP4 10.0.0.9');
    const four = await new World({ addresses: ['10.0.0.1'] }).command(answer('a', sdp));
    assert.match(four.sdp!, /m=audio 0 [\s\S]*m=audio [1-9]/);
    const both = await new World({ addresses: BOTH }).command(answer('a', sdp));
    assert.match(both.sdp!, /c=IN IP6 2001:db8::1[\s\S]*m=audio [1-9]\d+ [\s\S]*m=audio 0 /);
  });

  it('offers the family that is asked for, or the one it has', async () => {
    const offered = async (addresses: readonly string[], family?: 4 | 6): Promise<string> => {
      const world = new World({ addresses });
      const asked = family === undefined ? {} : { family };
      const { sdp } = await world.command({ op: 'offer', leg: 'a', kind: 'rtp', codecs: ['PCMU'], ...asked });
      const [, origin, at] = /o=- \d+ \d+ (IN IP\d \S+)[\s\S]*c=(IN IP\d \S+)/.exec(sdp!)!;
      assert.equal(origin, at);
      return at!;
    };
    assert.equal(await offered(BOTH, 6), 'IN IP6 2001:db8::1');
    assert.equal(await offered(BOTH, 4), 'IN IP4 10.0.0.1');
    assert.equal(await offered(BOTH), 'IN IP4 10.0.0.1');
    assert.equal(await offered(['10.0.0.1'], 6), 'IN IP4 10.0.0.1');
    assert.equal(await offered(['2001:db8::1']), 'IN IP6 2001:db8::1');
  });

  it('moves to the family of the answer, and says that our offer names another', async () => {
    const world = new World({ addresses: BOTH });
    const sockets = world.openSockets;
    const peer = await world.carrier('x', { address: '2001:db8::9' });
    await world.command({ op: 'close', leg: 'x' });
    await world.command({ op: 'offer', leg: 'a', kind: 'rtp', codecs: ['PCMU'] });
    const reply = await world.command({ op: 'accept', leg: 'a', sdp: peer.sdp() });
    assert.equal(reply.moved, true);
    const again = await world.command({ op: 'offer', leg: 'a', kind: 'rtp', codecs: ['PCMU'] });
    peer.connect(again.sdp!);
    assert.equal(peer.target.address, '2001:db8::1');
    assert.equal((await world.command({ op: 'accept', leg: 'a', sdp: peer.sdp() })).moved, undefined);
    await hearsItself(world, 'a', peer);
    await world.command({ op: 'close', leg: 'a' });
    await world.run(11_000);
    // Ports have come to rest; what is left is the peer's own.
    assert.equal(world.openSockets, sockets + 2);
  });

  it('speaks to a phone in the family that it describes, on the network that its signalling comes from', async () => {
    for (const [described, from, ours] of [
      ['192.168.1.50', '127.0.0.9', '127.0.0.1'],
      ['192.168.1.50', '::1', '10.0.0.1'],
      ['2001:db8::9', '::1', '::1'],
      ['2001:db8::9', '10.0.0.9', '2001:db8::1'],
    ] as const) {
      const world = new World({ addresses: BOTH });
      const ip = described.includes(':') ? 'IP6' : 'IP4';
      const sdp = `v=0\r\no=- 1 1 IN ${ip} ${described}\r\ns=-\r\nc=IN ${ip} ${described}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n`;
      const reply = await world.command({ ...answer('a', sdp), signalledFrom: from } as MediaCommand);
      assert.match(reply.sdp!, new RegExp(`\\r\\nc=IN IP\\d ${ours}\\r`), `${described} from ${from}`);
      assert.ok(reply.ok);
    }
  });

  it('follows a re-offer of another family, unless nothing else of it can be agreed on', async () => {
    const world = new World({ addresses: BOTH });
    const first = await world.carrier('a', { address: '10.0.0.9' });
    const { port } = first.target;
    const second = await world.carrier('x', { address: '2001:db8::9' });
    second.ssrc = 0x5678;
    const bad = await world.engine.command(
      answer('a', second.sdp().replaceAll('PCMU', 'G729').replace(' 0 ', ' 18 ')),
    );
    assert.equal(bad.ok, false);
    await hearsItself(world, 'a', first);
    assert.equal(first.target.port, port);
    second.connect((await world.command(answer('a', second.sdp()))).sdp!);
    assert.equal(second.target.address, '2001:db8::1');
    await hearsItself(world, 'a', second);
  });

  it('stays where it is when the peer holds with an address of nowhere', async () => {
    for (const nowhere of ['IN IP6 ::', 'IN IP6 0:0:0:0:0:0:0:0', 'IN IP4 0.0.0.0']) {
      const world = new World({ addresses: ['10.0.0.1'] });
      const peer = await world.carrier('a', { address: '10.0.0.9' });
      const held = peer.sdp().replace(/c=IN IP4 \S+/, `c=${nowhere}`);
      const reply = await world.command(answer('a', held));
      assert.equal(reply.direction, 'recvonly');
      assert.match(reply.sdp!, /c=IN IP4 10\.0\.0\.1\r/);
    }
  });
});

describe('ipv6: a WebRTC leg', () => {
  const families = (sdp: string): string[] =>
    [...sdp.matchAll(/a=candidate:\S+ 1 udp \d+ (\S+)/g)].map((m) => m[1]!);

  it('offers candidates of both families, and a default that more peers know', async () => {
    const world = new World({ addresses: BOTH });
    const peer = await world.browser('w');
    assert.equal(peer.target.address, '10.0.0.1');
    const { sdp } = await world.command({ op: 'offer', leg: 'v', kind: 'webrtc', codecs: ['OPUS'] });
    assert.deepEqual(families(sdp!), BOTH);
    assert.match(sdp!, /c=IN IP4 10\.0\.0\.1\r/);
  });

  it('is reached by a browser that has IPv6 alone', async () => {
    const world = new World({ addresses: BOTH });
    const peer = await world.browser('w');
    const only = peer
      .sdp()
      .replace(
        'c=IN IP4 0.0.0.0',
        'c=IN IP6 2001:db8::50\r\na=candidate:1 1 udp 1 2001:db8::50 9000 typ host',
      );
    const { sdp } = await world.command({
      op: 'answer',
      leg: 'v',
      kind: 'webrtc',
      sdp: only,
      codecs: ['OPUS'],
    });
    assert.match(sdp!, /c=IN IP6 2001:db8::1\r/);
  });

  it('refuses a peer whose candidates are all of a family that it has not', async () => {
    const candidate = (address: string): string => `a=candidate:1 1 udp 1 ${address} 9000 typ host`;
    const world = new World({ addresses: ['10.0.0.1'] });
    const peer = await world.browser('w');
    const offer = (...addresses: string[]): MediaCommand => ({
      op: 'answer',
      leg: 'v',
      kind: 'webrtc',
      sdp: peer.sdp().replace('a=ice-ufrag', `${addresses.map(candidate).join('\r\n')}\r\na=ice-ufrag`),
      codecs: ['OPUS'],
    });
    await refused(world, offer('2001:db8::50', 'fe80::1'));
    assert.equal(world.openSockets, 2);
    // Another one may be behind the name, or among those that come yet.
    await world.command(offer('2001:db8::50', '6d4c7e4b-9b35-4b1f-9a7e-000000000000.local'));
    await world.command(offer('2001:db8::50', '10.0.0.50'));
  });

  it('tells the public address of its own family alone', async () => {
    const world = new World({ addresses: ['2001:db8::1', '10.0.0.1'], publicAddress: '198.51.100.7' });
    const { sdp } = await world.command({ op: 'offer', leg: 'v', kind: 'webrtc', codecs: ['OPUS'] });
    assert.deepEqual(families(sdp!), ['2001:db8::1', '198.51.100.7', '10.0.0.1']);
  });
});
