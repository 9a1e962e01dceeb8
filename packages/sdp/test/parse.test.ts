import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatCandidate } from '../src/format.ts';
import { formatSdp, parseSdp, type SessionDescription } from '../src/index.ts';
import { parseCandidate } from '../src/parse.ts';
import { CARRIER, CHROMIUM, FIREFOX } from './peers.ts';

function parsed(text: string): SessionDescription {
  const result = parseSdp(text);
  assert.ok(result.ok, JSON.stringify(result));
  return result.value;
}

function codeOf(text: string): string {
  const result = parseSdp(text);
  return result.ok ? 'ok' : result.error.code;
}

describe('reading real offers', () => {
  it('reads Chromium’s', () => {
    const { origin, bundle, media } = parsed(CHROMIUM);
    assert.equal(origin.sessionId, '4611732603676873001');
    assert.deepEqual(bundle, ['0']);
    const audio = media[0]!;
    assert.equal(audio.port, 54_321);
    assert.equal(audio.address, '192.0.2.10');
    assert.deepEqual(audio.ice, { ufrag: '1234', pwd: 'abcdefghijklmnopqrstuvwx', options: ['trickle'] });
    assert.equal(audio.setup, 'actpass');
    assert.equal(audio.mid, '0');
    assert.ok(audio.rtcpMux);
    assert.deepEqual(audio.payloads[0], {
      pt: 111,
      name: 'opus',
      clockRate: 48_000,
      channels: 2,
      fmtp: { minptime: '10', useinbandfec: '1' },
    });
    assert.deepEqual(
      audio.candidates.map((c) => [c.transport, c.address]),
      [
        ['udp', '192.0.2.10'],
        ['udp', '6d4c7e4b-9b35-4b1f-9a7e-000000000000.local'],
        ['tcp', '192.0.2.10'],
      ],
    );
    assert.deepEqual(audio.ssrcs, [{ ssrc: 2566107569, cname: 't9YU8M1UxTF8Y1A1' }]);
    assert.equal(audio.fingerprints[0]!.hash, 'sha-256');
    assert.match(audio.fingerprints[0]!.value, /^00:01:.*:1F$/);
  });

  it('gives Firefox’s sections what stands at the session level', () => {
    const { media } = parsed(FIREFOX);
    assert.equal(media.length, 2);
    assert.equal(media[1]!.fingerprints.length, 1);
    assert.equal(media[1]!.direction, 'recvonly');
    assert.deepEqual(media[0]!.payloads.at(-1)!.fmtp, { '0-15': '' });
  });

  it('knows static payload types', () => {
    const audio = parsed(CARRIER).media[0]!;
    assert.deepEqual(
      audio.payloads.map((p) => `${p.pt} ${p.name}/${p.clockRate}`),
      ['18 G729/8000', '8 PCMA/8000', '0 PCMU/8000', '101 telephone-event/8000'],
    );
    assert.equal(audio.address, '198.51.100.1');
    assert.equal(audio.direction, 'sendrecv');
  });

  it('keeps every fingerprint', () => {
    const two = CHROMIUM.replace('a=setup', 'a=fingerprint:sha-1 AA:BB\r\na=setup');
    assert.deepEqual(
      parsed(two).media[0]!.fingerprints.map((f) => f.hash),
      ['sha-256', 'sha-1'],
    );
  });

  it('reads bandwidth, rtcp and both line ends', () => {
    const text = CARRIER.replace('a=ptime:20', 'b=AS:64\r\nb=TIAS:48000\r\na=rtcp:30005 IN IP4 198.51.100.2');
    const audio = parsed(text.replaceAll('\r\n', '\n')).media[0]!;
    assert.deepEqual(audio.bandwidth, { as: 64, tias: 48_000 });
    assert.deepEqual(audio.rtcp, { port: 30_005, address: '198.51.100.2' });
  });
});

describe('refusing', () => {
  it('names what is wrong', () => {
    assert.equal(codeOf(''), 'bad-origin');
    assert.equal(codeOf('hello'), 'syntax');
    assert.equal(codeOf(CARRIER.replace(/o=.*\r\n/, '')), 'bad-origin');
    assert.equal(codeOf(CARRIER.replace('123 456', '123 -1')), 'bad-origin');
    assert.equal(codeOf(CARRIER.split('m=')[0]!), 'no-media');
    assert.equal(codeOf(CARRIER.replace('30000', '99999')), 'bad-media');
    for (const pt of ['128', '4294967296', '-1', 'x', '1e1']) {
      assert.equal(codeOf(CARRIER.replace('AVP 18', `AVP ${pt}`)), 'bad-payload', pt);
    }
    assert.equal(codeOf(CARRIER + 'a=x\r\n'.repeat(500)), 'too-many-lines');
    assert.equal(codeOf(`${CARRIER}a=${'x'.repeat(70_000)}`), 'too-long');
    assert.equal(codeOf(`${CARRIER}a=${'x'.repeat(5000)}`), 'syntax');
    assert.equal(codeOf(CARRIER + 'm=audio 1 RTP/AVP 0\r\n'.repeat(40)), 'bad-media');
    const result = parseSdp(`${CARRIER}oops\r\n`);
    assert.ok(!result.ok && result.error.at === 10);
  });

  it('keeps a hundred candidates of many', () => {
    const line = 'a=candidate:1 1 udp 1 192.0.2.1 5 typ host\r\n';
    assert.equal(parsed(CARRIER + line.repeat(300)).media[0]!.candidates.length, 100);
  });

  it('takes no half-written ICE credentials', () => {
    assert.equal(parsed(CHROMIUM.replace('a=ice-ufrag:1234', 'a=ice-ufrag:1')).media[0]!.ice, null);
    assert.equal(parsed(CHROMIUM.replace(/a=ice-pwd:.*\r\n/, '')).media[0]!.ice, null);
  });

  it('survives broken fmtp', () => {
    for (const fmtp of ['', ';;;', '=', '__proto__=1;constructor=2', 'a=b=c; d', '\u0000']) {
      const audio = parsed(CARRIER.replace('0-16', fmtp)).media[0]!;
      assert.equal(Object.getPrototypeOf(audio.payloads.at(-1)!.fmtp), Object.prototype);
    }
  });

  it('never throws', () => {
    for (const text of [CHROMIUM, FIREFOX, CARRIER]) {
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.nat(text.length), fc.nat(12), fc.string({ unit: 'binary', maxLength: 12 })), {
            maxLength: 6,
          }),
          (edits) => {
            let mutated = text;
            for (const [at, cut, insert] of edits) {
              mutated = mutated.slice(0, at) + insert + mutated.slice(at + cut);
            }
            const result = parseSdp(mutated);
            if (result.ok) formatSdp(result.value);
          },
        ),
        { numRuns: 400 },
      );
    }
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => void parseSdp(text)));
  });
});

describe('writing', () => {
  it('reads back the same description', () => {
    for (const text of [CHROMIUM, FIREFOX, CARRIER]) {
      const first = parsed(text);
      const known = {
        ...first,
        media: first.media.map((m) => ({ ...m, formats: m.formats.filter((f) => f !== '') })),
      };
      assert.deepEqual(parsed(formatSdp(known)), known);
    }
  });

  it('puts one address at the session level, several into their sections', () => {
    const one = formatSdp(parsed(CARRIER));
    assert.match(one, /s=call\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n/);
    assert.equal(one.match(/c=IN/g)!.length, 1);
  });
});

describe('formats-of-disabled-media', () => {
  const OFFS = [
    'm=video 0 RTP/AVP 255',
    'm=video 0 RTP/AVP 4294967296 x -1',
    'm=video 0 RTP/AVP',
    'm=video 0',
    'm=video 0/2 RTP/AVP 96',
    'm=x-whiteboard 0 proto+odd/1.0 \u0007 *',
    'm=audio 0 RTP/SAVP 0',
    'm=application 0 TCP/MSRP *\r\nno attribute at all\r\na=rtpmap:nonsense\r\na=fmtp\r\nc=IN\r\na=candidate:x',
    `m=image 0 udptl t38\r\na=${'x'.repeat(5000)}\r\n\r\nA=1`,
  ];

  for (const off of OFFS)
    it(`nothing of ${JSON.stringify(off.slice(0, 40))} spoils the others, before or behind them`, () => {
      const audio = parsed(CARRIER).media[0]!;
      const head = CARRIER.indexOf('m=audio');
      for (const text of [
        `${CARRIER}${off}\r\n`,
        `${CARRIER.slice(0, head)}${off}\r\na=mid:off\r\n${CARRIER.slice(head)}`,
      ]) {
        const { media } = parsed(text);
        assert.equal(media.length, 2);
        assert.deepEqual(
          media.find((m) => m.port !== 0),
          audio,
        );
        const left = media.find((m) => m.port === 0)!;
        assert.equal(left.payloads.length, 0);
        assert.match(off, new RegExp(`^m=${left.kind} 0`));
        // It can be answered in its place, and that can be read.
        assert.equal(parsed(formatSdp({ ...parsed(text), media })).media.length, 2);
      }
    });

  it('a section that is on is still read strictly', () => {
    assert.equal(codeOf(`${CARRIER}m=audio 5 RTP/AVP 255\r\n`), 'bad-payload');
    assert.equal(codeOf(`${CARRIER}m=\r\n`), 'bad-media');
  });
});

describe('candidates', () => {
  it('reads trickled ones in both spellings and writes them', () => {
    const text = 'candidate:1 1 udp 2122260223 192.0.2.1 5000 typ srflx raddr 10.0.0.1 rport 9 generation 0';
    const candidate = parseCandidate(text)!;
    assert.deepEqual(parseCandidate(`a=${text}`), candidate);
    assert.equal(formatCandidate(candidate), 'candidate:1 1 udp 2122260223 192.0.2.1 5000 typ srflx');
    assert.equal(parseCandidate('candidate:x')?.type, undefined);
    const tcp = 'candidate:1 1 tcp 1518280447 192.0.2.1 443 typ host tcptype passive';
    assert.equal(parseCandidate(`${tcp} generation 0`)?.tcpType, 'passive');
    assert.equal(formatCandidate(parseCandidate(tcp)!), tcp);
    assert.equal(parseCandidate(tcp.replace('passive', 'odd'))?.tcpType, undefined);
    for (const bad of [
      '',
      'candidate:1 1 udp 1 a b typ host',
      'candidate:1 1 sctp 1 1.1.1.1 1 typ host',
      text.replace('5000', '70000'),
    ]) {
      assert.equal(parseCandidate(bad), null, bad);
    }
    fc.assert(fc.property(fc.string({ maxLength: 100 }), (s) => void parseCandidate(`candidate:${s}`)));
  });
});
