import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isWebRtcOffer } from '../src/sip/offer-profile.ts';
import { CallBench, contact, userPlan } from './call-bench.ts';

const offer = (protocol: string, ...lines: readonly string[]): string =>
  [
    'v=0',
    'o=- 1 1 IN IP4 192.0.2.7',
    's=-',
    'c=IN IP4 192.0.2.7',
    't=0 0',
    `m=audio 40000 ${protocol} 0`,
    ...lines,
    '',
  ].join('\r\n');
const FINGERPRINT = `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`;

describe('what an offer says about its maker', () => {
  for (const [what, sdp, is] of [
    ['a browser', offer('UDP/TLS/RTP/SAVPF', FINGERPRINT), true],
    ['an older browser', offer('RTP/SAVPF', FINGERPRINT), true],
    ['a desk phone', offer('RTP/AVP'), false],
    [
      'a desk phone with keys in its description',
      offer('RTP/SAVP', 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x'),
      false,
    ],
    ['a fingerprint beside plain RTP', offer('RTP/AVP', FINGERPRINT), false],
    [
      'a browser whose first section is off',
      offer('UDP/TLS/RTP/SAVPF', FINGERPRINT).replace('m=audio', 'm=audio 0 RTP/AVP 0\r\nm=audio'),
      true,
    ],
    [
      'a section of a browser that is off',
      `${offer('RTP/AVP')}m=audio 0 RTP/SAVPF 0\r\n${FINGERPRINT}\r\n`,
      false,
    ],
    ['no offer', undefined, false],
    ['nonsense', 'nonsense', false],
  ] as const)
    it(`${what}: ${is ? 'WebRTC' : 'plain'}`, () => assert.equal(isWebRtcOffer(sdp), is));
});

describe('a phone that registered over a WebSocket', () => {
  it('is offered WebRTC, another one plain RTP', () => {
    const bench = new CallBench({ plan: userPlan() });
    bench.feed({ type: 'start' });
    const out = bench.feed({
      type: 'bindings',
      target: 0,
      status: 200,
      contacts: [{ ...contact('b', false), webrtc: true }, contact('c', false)],
    });
    assert.match(out.join('\n'), /media offer b webrtc/);
    assert.match(out.join('\n'), /media offer c rtp/);
  });
});
