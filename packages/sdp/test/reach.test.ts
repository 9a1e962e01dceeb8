import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applyAnswer, audioOf, createOffer, parseSdp, type Reach, reachable, reachOf } from '../src/index.ts';

const text = (connection: string, lines: readonly string[] = [], protocol = 'RTP/AVP'): string =>
  [
    'v=0',
    'o=- 1 1 IN IP6 2001:db8::9',
    's=-',
    `c=${connection}`,
    't=0 0',
    `m=audio 4000 ${protocol} 0`,
    ...lines,
    '',
  ].join('\r\n');

function reach(sdp: string, webrtc = false): Reach {
  const parsed = parseSdp(sdp);
  assert.ok(parsed.ok);
  return reachOf(audioOf(parsed.value, webrtc), webrtc);
}

const candidate = (address: string): string => `a=candidate:1 1 udp 1 ${address} 9000 typ host`;

describe('ipv6: where a description says that its writer is', () => {
  it('is the family of its address, by its value', () => {
    assert.deepEqual(reach(text('IN IP4 192.0.2.9')), [4]);
    assert.deepEqual(reach(text('IN IP6 2001:db8::9')), [6]);
    assert.deepEqual(reach(text('IN IP6 ::ffff:192.0.2.9')), [4]);
    assert.deepEqual(reach(text('IN IP4 2001:db8::9')), [6]);
  });

  it('is nowhere in particular on hold, and at a name', () => {
    for (const connection of ['IN IP4 0.0.0.0', 'IN IP6 ::', 'IN IP6 0::0', 'IN IP6 host.example.com'])
      assert.equal(reach(text(connection)), null);
  });

  it('is nobody’s place on a link', () => assert.deepEqual(reach(text('IN IP6 fe80::9')), []));

  it('is where the candidates are, when they are all addresses', () => {
    const at = (...addresses: readonly string[]): Reach =>
      reach(text('IN IP4 0.0.0.0', addresses.map(candidate), 'UDP/TLS/RTP/SAVPF'), true);
    assert.deepEqual(at('2001:db8::9', 'fe80::9'), [6]);
    assert.deepEqual(at('2001:db8::9', '192.0.2.9'), [4, 6]);
    assert.equal(at('2001:db8::9', 'a.local'), null);
    assert.equal(at(), null);
  });

  it('leaves what can be reached, and nothing of who has no such section', () => {
    const both = text('IN IP6 2001:db8::9', ['m=audio 4002 RTP/AVP 0', 'c=IN IP4 192.0.2.9']);
    const ports = (sdp: string, ours: readonly (4 | 6)[]): number[] | null => {
      const parsed = parseSdp(sdp);
      assert.ok(parsed.ok);
      return reachable(parsed.value, false, ours)?.media.map((m) => m.port) ?? null;
    };
    assert.deepEqual(ports(both, [4, 6]), [4000, 4002]);
    assert.deepEqual(ports(both, [4]), [0, 4002]);
    assert.deepEqual(ports(both, [6]), [4000, 0]);
    assert.equal(ports(text('IN IP6 2001:db8::9'), [4]), null);
    assert.equal(ports(text('IN IP6 fe80::9'), [4, 6]), null);
    assert.deepEqual(ports(text('IN IP6 ::'), [4]), [4000]);
  });
});

describe('ipv6: offer and answer', () => {
  it('reads every spelling of an address as one', () => {
    const parsed = parseSdp(text('IN IP6 2001:DB8:0:0::9', ['a=rtcp:4001 IN IP6 2001:DB8::0:9']));
    assert.ok(parsed.ok);
    assert.equal(parsed.value.media[0]!.address, '2001:db8::9');
    assert.deepEqual(parsed.value.media[0]!.rtcp, { port: 4001, address: '2001:db8::9' });
  });

  it('takes every spelling of the unspecified address for the hold of RFC 2543', () => {
    const local = { address: '192.0.2.1', port: 6000, sessionId: '1' };
    const offer = createOffer({ local, codecs: ['PCMU'] });
    for (const nowhere of ['::', '0:0:0:0:0:0:0:0', '::ffff:0.0.0.0']) {
      const answer = parseSdp(text(`IN IP6 ${nowhere}`));
      assert.ok(answer.ok);
      const audio = applyAnswer({ offer, answer: answer.value });
      assert.ok(audio.ok);
      assert.equal(audio.value.held, true);
    }
  });
});
