import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sessionDirection } from '../src/sip/session-direction.ts';

const sdp = (lines: readonly string[], address = '192.0.2.1'): string =>
  [
    'v=0',
    'o=- 1 1 IN IP4 192.0.2.1',
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    'm=audio 4000 RTP/AVP 0',
    'a=rtpmap:0 PCMU/8000',
    ...lines,
    '',
  ].join('\r\n');

const ICE = ['a=ice-ufrag:abcd', 'a=ice-pwd:abcdefghijklmnopqrstuvwx', 'a=sendrecv'];

describe('the direction a description states', () => {
  for (const direction of ['sendrecv', 'sendonly', 'recvonly', 'inactive'])
    it(direction, () => assert.equal(sessionDirection(sdp([`a=${direction}`])), direction));
  it('is sendrecv when nothing is said', () => assert.equal(sessionDirection(sdp([])), 'sendrecv'));
  it('is a hold with c=0.0.0.0', () => assert.equal(sessionDirection(sdp([], '0.0.0.0')), 'sendonly'));
  it('is no hold with c=0.0.0.0 and ICE', () =>
    assert.equal(sessionDirection(sdp(ICE, '0.0.0.0')), 'sendrecv'));
  it('is sendrecv for what is no description', () => assert.equal(sessionDirection('nonsense'), 'sendrecv'));
});
