import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { decodeG711, encodeG711 } from './src/g711.ts';
import { type PeerCodec, RtpPeer } from './src/rtp-peer.ts';
import { isTone, measureTone, sine, toneShare } from './src/tone.ts';
import { until } from './src/wait.ts';

describe('the instruments themselves', { timeout: 60_000 }, () => {
  const open: RtpPeer[] = [];
  after(() => {
    for (const peer of open) peer.close();
  });

  it('finds a tone to a tenth of a per cent, and silence', () => {
    for (const [hz, rate] of [
      [440, 8_000],
      [1_000, 8_000],
      [1_000, 48_000],
    ] as const) {
      const tone = measureTone(sine(hz, rate, rate), rate);
      assert.ok(Math.abs(tone.hz - hz) < hz * 0.001, `${tone.hz} for ${hz}`);
      assert.ok(tone.purity > 0.99);
      assert.ok(Math.abs(tone.level - 0.3535) < 0.01);
      assert.ok(toneShare(sine(hz, rate, rate / 10), rate, hz) > 0.95);
      assert.ok(toneShare(sine(hz, rate, rate / 10), rate, hz * 1.5) < 0.05);
    }
    assert.equal(measureTone(new Int16Array(8_000), 8_000).hz, 0);
    assert.equal(isTone(measureTone(sine(450, 8_000, 8_000), 8_000), 440), false);
  });

  it('codes G.711 within its step size', () => {
    const wave = sine(440, 8_000, 800, 0.9);
    for (const law of ['PCMU', 'PCMA'] as const) {
      const back = decodeG711(law, encodeG711(law, wave));
      for (let i = 0; i < wave.length; i++)
        assert.ok(
          Math.abs(back[i]! - wave[i]!) <= Math.max(16, Math.abs(wave[i]!) / 16),
          `${law} ${wave[i]}`,
        );
    }
    assert.equal(encodeG711('PCMU', Int16Array.of(0))[0], 0xff);
    assert.equal(encodeG711('PCMA', Int16Array.of(8))[0], 0xd5);
  });

  for (const codec of ['PCMU', 'PCMA', 'OPUS'] as const satisfies readonly PeerCodec[])
    it(`carries ${codec} between two RTP peers and counts digits exactly`, async () => {
      const format = {
        codec,
        payloadType: codec === 'OPUS' ? 111 : codec === 'PCMU' ? 0 : 8,
        eventPayloadType: 101,
      };
      const a = await RtpPeer.open(format);
      const b = await RtpPeer.open(format);
      open.push(a, b);
      a.send({ host: '127.0.0.1', port: b.port }, 440);
      b.send({ host: '127.0.0.1', port: a.port }, 1_000);
      assert.ok((await b.hears(440)).purity > 0.9);
      assert.ok((await a.hears(1_000)).purity > 0.9);
      await a.sendDigits('0123456789*#ABCD11');
      await until('the digits', () => b.events.digits.length >= 18);
      assert.equal(b.events.digits, '0123456789*#ABCD11');
      assert.deepEqual(
        b.streams.map((s) => [s.lost, s.duplicates]),
        [[0, 0]],
      );
    });
});
