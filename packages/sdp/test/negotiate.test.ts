import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  applyAnswer,
  type CodecName,
  createOffer,
  type Direction,
  formatSdp,
  type LocalMedia,
  type NegotiatedAudio,
  negotiateAnswer,
  parseSdp,
  type SessionDescription,
} from '../src/index.ts';
import { CARRIER, CHROMIUM, FIREFOX } from './peers.ts';

const ALL: readonly CodecName[] = ['OPUS', 'PCMU', 'PCMA', 'G722'];

const plain: LocalMedia = { address: '203.0.113.5', port: 20_000, sessionId: '77' };
const webrtc: LocalMedia = {
  ...plain,
  ice: {
    ufrag: 'oursoursours',
    pwd: 'p'.repeat(24),
    candidates: [
      {
        foundation: '1',
        component: 1,
        transport: 'udp',
        priority: 2130706431,
        address: '203.0.113.5',
        port: 20_000,
        type: 'host',
      },
    ],
  },
  fingerprint: Array.from({ length: 32 }, () => 'AB').join(':'),
  ssrc: 4242,
  cname: 'sidetone',
};

function parsed(text: string): SessionDescription {
  const result = parseSdp(text);
  assert.ok(result.ok, JSON.stringify(result));
  return result.value;
}

interface Answered {
  readonly answer: SessionDescription;
  readonly audio: NegotiatedAudio;
  readonly text: string;
}

function answer(
  text: string,
  local: LocalMedia,
  codecs: readonly CodecName[] = ALL,
  direction: Direction = 'sendrecv',
): Answered {
  const result = negotiateAnswer({ offer: parsed(text), local, codecs, direction });
  assert.ok(result.ok, JSON.stringify(result));
  return { ...result.value, text: formatSdp(result.value.answer) };
}

function refusal(text: string, local: LocalMedia, codecs = ALL): string {
  const result = negotiateAnswer({ offer: parsed(text), local, codecs });
  return result.ok ? 'ok' : result.error.code;
}

describe('answering a browser', () => {
  it('chooses by our preference and answers with the offer’s numbers', () => {
    const { audio, text } = answer(CHROMIUM, webrtc);
    assert.equal(audio.codec, 'OPUS');
    assert.equal(audio.payloadType, 111);
    assert.match(text, /m=audio 20000 UDP\/TLS\/RTP\/SAVPF 111 110\r\n/);
    assert.match(text, /a=rtpmap:110 telephone-event\/48000\r\n/);
    assert.doesNotMatch(text, /telephone-event\/8000/);
    assert.match(text, /a=fmtp:111 minptime=10;useinbandfec=1\r\n/);
    assert.match(text, /a=ice-lite\r\n/);
    assert.match(text, /a=group:BUNDLE 0\r\n/);
    assert.match(text, /a=setup:passive\r\n/);
    assert.match(text, /a=rtcp-mux\r\n/);
    assert.match(text, /a=msid:sidetone audio\r\n/);
    assert.match(text, /a=candidate:1 1 udp 2130706431 203.0.113.5 20000 typ host\r\na=end-of-candidates/);
    assert.deepEqual(audio.dtmf, {
      send: { payloadType: 110, clockRate: 48_000 },
      receive: [{ payloadType: 110, clockRate: 48_000 }],
    });
    assert.equal(audio.dtls?.role, 'server');
    assert.equal(audio.ice?.ufrag, '1234');
    assert.deepEqual(audio.opus, { stereo: false, fec: true, dtx: false, maxBitrate: null });
    const again = answer(CHROMIUM, webrtc, ['PCMU', 'OPUS']);
    assert.equal(again.audio.codec, 'PCMU');
    assert.match(again.text, /m=audio 20000 UDP\/TLS\/RTP\/SAVPF 0 126\r\n/);
  });

  it('refuses the camera in place and keeps the order', () => {
    const { answer: description, audio, text } = answer(FIREFOX, webrtc);
    assert.equal(description.media.length, 2);
    assert.match(text, /m=video 0 UDP\/TLS\/RTP\/SAVPF 120\r\n/);
    assert.match(text, /a=group:BUNDLE 0\r\n/);
    assert.ok(audio.opus.stereo);
    // Only 8000 was offered beside Opus: no events are better than broken ones.
    assert.deepEqual(audio.dtmf, { send: null, receive: [] });
    const swapped = parsed(FIREFOX);
    const reversed = formatSdp({ ...swapped, media: [...swapped.media].reverse() });
    assert.match(answer(reversed, webrtc).text, /m=video 0.*m=audio 20000/s);
  });

  it('takes the role that the offer leaves, and keeps it in a session that lives', () => {
    const role = (setup: string, dtlsRole?: 'client' | 'server'): string => {
      const local = dtlsRole === undefined ? webrtc : { ...webrtc, dtlsRole };
      return answer(CHROMIUM.replace('actpass', setup), local).audio.dtls!.role;
    };
    assert.equal(role('actpass'), 'server');
    assert.equal(role('active'), 'server');
    assert.equal(role('passive'), 'client');
    assert.equal(role('actpass', 'client'), 'client');
    assert.equal(role('actpass', 'server'), 'server');
    assert.match(answer(CHROMIUM.replace('actpass', 'passive'), webrtc).text, /a=setup:active/);
  });

  it('honours stereo, bit rate and bandwidth', () => {
    const fmtp = (extra: string): string => CHROMIUM.replace('useinbandfec=1', `useinbandfec=1;${extra}`);
    assert.equal(answer(fmtp('maxaveragebitrate=20000'), webrtc).audio.opus.maxBitrate, 20_000);
    assert.equal(answer(fmtp('maxaveragebitrate=1'), webrtc).audio.opus.maxBitrate, 6000);
    assert.equal(answer(fmtp('maxaveragebitrate=x'), webrtc).audio.opus.maxBitrate, null);
    const limited = CHROMIUM.replace('c=IN IP4 192.0.2.10', 'c=IN IP4 192.0.2.10\r\nb=AS:40');
    assert.equal(answer(limited, webrtc).audio.opus.maxBitrate, 22_000);
    assert.equal(answer(limited.replace('AS:40', 'TIAS:16000'), webrtc).audio.opus.maxBitrate, 16_000);
    assert.ok(answer(fmtp('stereo=1;usedtx=1'), webrtc).audio.opus.dtx);
    const wish = answer(CHROMIUM, { ...webrtc, stereo: true, maxBitrate: 32_000 }).text;
    assert.match(wish, /useinbandfec=1;stereo=1;sprop-stereo=1;maxaveragebitrate=32000/);
  });

  it('says why it cannot', () => {
    assert.equal(refusal(CHROMIUM, webrtc, ['OPUS']), 'ok');
    assert.equal(refusal(CARRIER, plain, ['OPUS']), 'no-codec');
    assert.equal(refusal(CARRIER, webrtc), 'no-transport');
    assert.equal(refusal(CHROMIUM, plain), 'no-transport');
    assert.equal(
      refusal(CHROMIUM.replace(/a=fingerprint.*\r\n/, 'a=fingerprint:sha-1 AA\r\n'), webrtc),
      'no-transport',
    );
    assert.equal(refusal(CHROMIUM.replace('a=rtcp-mux\r\n', ''), webrtc), 'no-transport');
    assert.equal(refusal(CHROMIUM.replace('audio 54321', 'audio 0'), webrtc), 'no-audio');
    assert.equal(refusal(CARRIER.replaceAll('198.51.100.1', 'carrier.example'), plain), 'no-transport');
  });
});

describe('answering a carrier', () => {
  it('is clean RTP/AVP', () => {
    const { audio, text } = answer(CARRIER, plain);
    assert.equal(
      text,
      [
        'v=0',
        'o=- 77 1 IN IP4 203.0.113.5',
        's=-',
        'c=IN IP4 203.0.113.5',
        't=0 0',
        'm=audio 20000 RTP/AVP 0 101',
        'a=sendrecv',
        'a=rtpmap:0 PCMU/8000',
        'a=rtpmap:101 telephone-event/8000',
        'a=fmtp:101 0-15',
        'a=ptime:20',
        '',
      ].join('\r\n'),
    );
    assert.deepEqual(audio.remote, {
      address: '198.51.100.1',
      port: 30_000,
      rtcpAddress: '198.51.100.1',
      rtcpPort: 30_001,
    });
    assert.equal(audio.ice, null);
    assert.equal(audio.dtls, null);
  });

  it('gives a phone 8000 beside Opus when it offers nothing else', () => {
    const phone = CARRIER.replace('AVP 18', 'AVP 96').replace(
      'a=ptime',
      'a=rtpmap:96 opus/48000/2\r\na=ptime',
    );
    const { audio } = answer(phone, plain);
    assert.equal(audio.codec, 'OPUS');
    assert.deepEqual(audio.dtmf.send, { payloadType: 101, clockRate: 8000 });
  });
});

describe('direction', () => {
  const DIRECTIONS: readonly Direction[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];

  it('is the mirror of the offer within what we want', () => {
    const table = DIRECTIONS.flatMap((offered) =>
      DIRECTIONS.map(
        (wanted) =>
          `${offered} ${wanted} ${answer(`${CARRIER}a=${offered}\r\n`, plain, ALL, wanted).audio.direction}`,
      ),
    );
    assert.deepEqual(table, [
      'sendrecv sendrecv sendrecv',
      'sendrecv sendonly sendonly',
      'sendrecv recvonly recvonly',
      'sendrecv inactive inactive',
      'sendonly sendrecv recvonly',
      'sendonly sendonly inactive',
      'sendonly recvonly recvonly',
      'sendonly inactive inactive',
      'recvonly sendrecv sendonly',
      'recvonly sendonly sendonly',
      'recvonly recvonly inactive',
      'recvonly inactive inactive',
      'inactive sendrecv inactive',
      'inactive sendonly inactive',
      'inactive recvonly inactive',
      'inactive inactive inactive',
    ]);
  });

  it('knows hold in all its spellings', () => {
    assert.ok(!answer(CARRIER, plain).audio.held);
    assert.ok(!answer(`${CARRIER}a=recvonly\r\n`, plain).audio.held);
    assert.ok(answer(`${CARRIER}a=sendonly\r\n`, plain).audio.held);
    assert.ok(answer(`${CARRIER}a=inactive\r\n`, plain).audio.held);
    const old = answer(CARRIER.replace('c=IN IP4 198.51.100.1', 'c=IN IP4 0.0.0.0'), plain).audio;
    assert.ok(old.held);
    assert.equal(old.direction, 'recvonly');
    // A browser that trickles has no address yet; that is no hold.
    assert.ok(!answer(FIREFOX, webrtc).audio.held);
  });
});

describe('offering', () => {
  it('is clean RTP/AVP to a carrier', () => {
    const text = formatSdp(createOffer({ local: plain, codecs: ['PCMU', 'PCMA'] }));
    assert.match(text, /m=audio 20000 RTP\/AVP 0 8 101\r\n/);
    assert.doesNotMatch(text, /ice|fingerprint|setup|mux|msid|ssrc|mid|group|48000/);
    const opus = formatSdp(createOffer({ local: plain, codecs: ['OPUS', 'PCMU'] }));
    assert.match(opus, /RTP\/AVP 111 0 110 101\r\n/);
  });

  it('leaves a browser the choice of the DTLS role, and follows it', () => {
    const offer = createOffer({ local: webrtc, codecs: ALL });
    assert.match(formatSdp(offer), /a=setup:actpass/);
    const browser = negotiateAnswer({
      offer: parsed(formatSdp({ ...offer, iceLite: false })),
      local: { ...webrtc, port: 9999 },
      codecs: ALL,
    });
    assert.ok(browser.ok);
    for (const [setup, role] of [
      ['active', 'server'],
      ['passive', 'client'],
      ['actpass', 'server'],
    ] as const) {
      const text = formatSdp(browser.value.answer).replace('setup:passive', `setup:${setup}`);
      const applied = applyAnswer({ offer, answer: parsed(text) });
      assert.ok(applied.ok);
      assert.equal(applied.value.dtls?.role, role);
      assert.equal(applied.value.codec, 'OPUS');
      assert.deepEqual(applied.value.dtmf.send, { payloadType: 110, clockRate: 48_000 });
    }
  });

  it('keeps numbers, mids, order and session id, and raises the version', () => {
    const { answer: first } = answer(FIREFOX, webrtc);
    const again = createOffer({ local: { ...webrtc, previous: first }, codecs: ALL, direction: 'sendonly' });
    assert.equal(again.origin.sessionId, '77');
    assert.equal(again.origin.version, '2');
    assert.deepEqual(
      again.media.map((m) => [m.kind, m.port, m.mid]),
      [
        ['audio', 20_000, '0'],
        ['video', 0, '1'],
      ],
    );
    assert.equal(again.media[0]!.payloads.find((p) => p.name === 'opus')!.pt, 109);
    assert.equal(new Set(again.media[0]!.payloads.map((p) => p.pt)).size, again.media[0]!.payloads.length);
    const third = negotiateAnswer({
      offer: parsed(FIREFOX),
      local: { ...webrtc, previous: again },
      codecs: ALL,
    });
    assert.ok(third.ok && third.value.answer.origin.version === '3');
  });

  it('never gives a number a second meaning', () => {
    const odd = CARRIER.replace('AVP 18 8 0 101', 'AVP 8 111')
      .replace('rtpmap:101', 'rtpmap:111')
      .replace('fmtp:101', 'fmtp:111');
    const { answer: first } = answer(odd, plain);
    const offer = createOffer({ local: { ...plain, previous: first }, codecs: ['OPUS', 'PCMA'] });
    const numbers = Object.fromEntries(
      offer.media[0]!.payloads.map((p) => [`${p.name}/${p.clockRate}`, p.pt]),
    );
    assert.deepEqual(numbers, {
      'opus/48000': 112,
      'PCMA/8000': 8,
      'telephone-event/48000': 110,
      'telephone-event/8000': 111,
    });
  });

  it('takes the answer’s first codec, its numbers to send, ours to receive', () => {
    const offer = createOffer({ local: plain, codecs: ['OPUS', 'PCMU', 'PCMA'] });
    const text = CARRIER.replace('AVP 18 8 0 101', 'AVP 8 96 101').replace(
      'a=ptime:20',
      'a=rtpmap:96 opus/48000/2\r\na=ptime:30',
    );
    const applied = applyAnswer({ offer, answer: parsed(text) });
    assert.ok(applied.ok);
    assert.equal(applied.value.codec, 'PCMA');
    assert.deepEqual(applied.value.receive, [
      { payloadType: 8, codec: 'PCMA' },
      { payloadType: 111, codec: 'OPUS' },
      { payloadType: 96, codec: 'OPUS' },
    ]);
    assert.equal(applied.value.ptime, 30);
  });

  it('refuses answers that do not fit', () => {
    const offer = createOffer({ local: plain, codecs: ['PCMU'] });
    const code = (text: string): string => {
      const applied = applyAnswer({ offer, answer: parsed(text) });
      return applied.ok ? 'ok' : applied.error.code;
    };
    assert.equal(code(CARRIER), 'ok');
    assert.equal(code(CARRIER.replace('30000', '0')), 'no-audio');
    assert.equal(code(CARRIER.replace('AVP 18 8 0 101', 'AVP 18 101')), 'no-codec');
    assert.equal(code(CARRIER.replace('m=audio', 'm=video')), 'mismatch');
    assert.equal(code(CHROMIUM), 'no-transport');
  });
});

describe('two of us', () => {
  it('always agree on codec, numbers, digits and opposite directions', () => {
    const codecs = fc.shuffledSubarray([...ALL], { minLength: 1 });
    const direction = fc.constantFrom<Direction>('sendrecv', 'sendonly', 'recvonly', 'inactive');
    fc.assert(
      fc.property(fc.boolean(), codecs, codecs, direction, direction, (secure, mine, theirs, want, wish) => {
        const local = secure ? webrtc : plain;
        const offer = createOffer({ local, codecs: mine, direction: want });
        const result = negotiateAnswer({
          offer: parsed(formatSdp(offer)),
          local: { ...local, port: 40_000 },
          codecs: theirs,
          direction: wish,
        });
        if (!mine.some((c) => theirs.includes(c))) {
          assert.ok(!result.ok && result.error.code === 'no-codec');
          return;
        }
        assert.ok(result.ok);
        const applied = applyAnswer({ offer, answer: parsed(formatSdp(result.value.answer)) });
        assert.ok(applied.ok);
        const a = applied.value;
        const b = result.value.audio;
        assert.equal(a.codec, b.codec);
        assert.ok(b.receive.some((r) => r.payloadType === a.payloadType && r.codec === a.codec));
        assert.ok(a.receive.some((r) => r.payloadType === b.payloadType && r.codec === b.codec));
        assert.deepEqual(a.dtmf.send, b.dtmf.send);
        assert.ok(
          a.dtmf.send !== null && b.dtmf.receive.some((r) => r.payloadType === a.dtmf.send!.payloadType),
        );
        const mirror = {
          sendrecv: 'sendrecv',
          sendonly: 'recvonly',
          recvonly: 'sendonly',
          inactive: 'inactive',
        };
        assert.equal(mirror[a.direction], b.direction);
        if (secure) assert.notEqual(a.dtls!.role, b.dtls!.role);
      }),
    );
  });
});

describe('our wishes for Opus', () => {
  it('stand in the answer, in the parameters and as bandwidth', () => {
    const offer = parseSdp(CHROMIUM);
    assert.ok(offer.ok);
    const answer = (wishes: object): string => {
      const result = negotiateAnswer({
        offer: offer.value,
        codecs: ['OPUS'],
        local: {
          address: '192.0.2.1',
          port: 20_000,
          sessionId: '1',
          ice: { ufrag: 'abcd', pwd: 'abcdefghijklmnopqrstuvwx', candidates: [] },
          fingerprint: 'AA:BB',
          ...wishes,
        },
      });
      assert.ok(result.ok);
      return formatSdp(result.value.answer);
    };
    assert.match(
      answer({ stereo: true, maxBitrate: 20_000 }),
      /useinbandfec=1;stereo=1;sprop-stereo=1;maxaveragebitrate=20000/,
    );
    assert.match(answer({ maxBitrate: 20_000 }), /\r\nb=TIAS:20000\r\n/);
    assert.doesNotMatch(answer({}), /b=|stereo|maxaverage/);
  });
});
