import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRequest } from '@sidetone/sip';
import fc from 'fast-check';
import { dtmfRelay, parseInfo, readInfo } from '../src/sip/info-body.ts';

describe('the body of an INFO', () => {
  it('reads dtmf-relay, one digit or several', () => {
    assert.deepEqual(parseInfo('application/dtmf-relay', 'Signal=5\r\nDuration=160\r\n'), {
      kind: 'digits',
      digits: '5',
    });
    assert.deepEqual(parseInfo('Application/DTMF-Relay; x=y', 'Duration=100\nSignal= 1*#d\n'), {
      kind: 'digits',
      digits: '1*#D',
    });
  });
  it('reads application/dtmf', () =>
    assert.deepEqual(parseInfo('application/dtmf', '#\r\n'), { kind: 'digits', digits: '#' }));
  it('reads what it writes', () => {
    for (const digit of '0123456789*#ABCD')
      assert.deepEqual(parseInfo('application/dtmf-relay', dtmfRelay(digit)), {
        kind: 'digits',
        digits: digit,
      });
  });
  it('takes trickled candidates, and forgets them', () => {
    const body = [
      'a=ice-ufrag:abcd',
      'm=audio 9 UDP/TLS/RTP/SAVPF 0',
      'a=mid:0',
      'a=candidate:1 1 udp 2122063615 192.0.2.2 46693 typ host',
      'a=end-of-candidates',
    ].join('\r\n');
    assert.deepEqual(parseInfo('application/trickle-ice-sdpfrag', body), { kind: 'candidates' });
  });
  it('knows no other type', () => {
    assert.equal(parseInfo('application/sdp', 'v=0'), null);
    assert.equal(parseInfo(undefined, ''), null);
  });
  it('is total, and bounded', () => {
    const type = fc.constantFrom(
      'application/dtmf-relay',
      'application/dtmf',
      'application/trickle-ice-sdpfrag',
    );
    fc.assert(
      fc.property(type, fc.string({ maxLength: 3_000 }), (contentType, body) => {
        const parsed = parseInfo(contentType, body);
        assert.ok(parsed !== null);
        if (parsed.kind === 'digits') assert.match(parsed.digits, /^[0-9A-D*#]{0,64}$/);
        else assert.equal(parsed.kind, 'candidates');
      }),
      { seed: 1 },
    );
  });
});

describe('multipart-bodies: INFO', () => {
  const uri = { scheme: 'sip', host: 'a.example', params: {} };
  const party = { uri, params: { tag: 't' } };
  const info = (contentType: string | undefined, body: string) =>
    readInfo(
      createRequest({
        method: 'INFO',
        uri,
        from: party,
        to: party,
        callId: 'c',
        cseq: 2,
        ...(contentType === undefined ? {} : { contentType }),
        body,
      }),
    );
  const digits = 'Content-Type: application/dtmf-relay\r\n\r\nSignal=5\r\nDuration=160\r\n';
  const isup = (handling: string) =>
    `Content-Type: application/isup\r\nContent-Disposition: signal;handling=${handling}\r\n\r\n\0\r\n`;
  const mixed = (...parts: string[]) => `--b\r\n${parts.join('\r\n--b\r\n')}\r\n--b--`;

  it('digits beside ISUP, ISUP alone, and what must be known', () => {
    const five = { kind: 'digits', digits: '5' };
    const type = 'multipart/mixed;boundary=b';
    assert.deepEqual(info(type, mixed(isup('optional'), digits)), { status: 200, body: five });
    assert.deepEqual(info(type, mixed(isup('optional'))), { status: 200, body: null });
    assert.deepEqual(info(type, mixed(isup('required'), digits)), { status: 415, body: null });
    assert.deepEqual(info(type, 'nothing'), { status: 400, body: null });
    assert.deepEqual(info(undefined, ''), { status: 200, body: null });
    assert.deepEqual(info('application/isup', 'x'), { status: 415, body: null });
  });
});
