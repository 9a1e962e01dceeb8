import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Resampler } from '../src/resampler.ts';
import { sine } from './fake-sounds.ts';

/** All of `pcm`, read in pieces of `piece`, late every third time. */
function resample(pcm: Int16Array, from: number, to: number, piece = 500): Int16Array {
  const resampler = new Resampler(from, to);
  const out: number[] = [];
  const frame = new Int16Array(to / 50);
  let at = 0;
  let asked = 0;
  const input = (into: Int16Array): number => {
    if (++asked % 3 === 0) return -1;
    const some = pcm.subarray(at, at + Math.min(piece, into.length));
    into.set(some);
    at += some.length;
    return some.length;
  };
  for (;;) {
    const code = resampler.pull(frame, input);
    if (code === -1) continue;
    if (code === 0) return Int16Array.from([...out, ...frame.subarray(0, resampler.filled)]);
    out.push(...frame);
  }
}

describe('another sampling rate', () => {
  it('keeps a tone of the band, its level and its place; nothing else is added', () => {
    for (const from of [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 47_999, 48_000]) {
      for (const to of [8000, 16_000, 24_000]) {
        const tone = sine(1000, from, 300);
        const out = resample(tone, from, to);
        assert.ok(Math.abs(out.length - (tone.length * to) / from) <= 1, `${from} to ${to}: ${out.length}`);
        const wanted = sine(1000, to, 300);
        let noise = 0;
        let sound = 0;
        for (let i = to / 50; i < wanted.length - to / 50; i++) {
          noise += (out[i]! - wanted[i]!) ** 2;
          sound += wanted[i]! ** 2;
        }
        const ratio = 10 * Math.log10(sound / noise);
        assert.ok(ratio > 50, `${from} to ${to}: ${ratio.toFixed(1)} dB`);
      }
    }
  });

  it('lets nothing of above the band through', () => {
    for (const from of [16_000, 44_100, 48_000]) {
      const out = resample(sine(5200, from, 300, 0.5), from, 8000).subarray(200, 2200);
      const loudest = out.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
      assert.ok(loudest < 32767 * 0.5 * 10 ** (-50 / 20), `${from}: ${loudest}`);
    }
  });

  it('depends on neither the pieces nor their lateness, and stays within 16 bits', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 8000, max: 48_000 }),
        fc.constantFrom(8000, 16_000, 24_000),
        fc.integer({ min: 1, max: 1024 }),
        fc.int16Array({ maxLength: 3000 }),
        (from, to, piece, pcm) => {
          const out = resample(pcm, from, to, piece);
          assert.deepEqual(out, resample(pcm, from, to, 1024));
          assert.ok(Math.abs(out.length - (pcm.length * to) / from) <= 1);
        },
      ),
      { numRuns: 60 },
    );
  });
});
