import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodePcma, decodePcmu, encodePcma, encodePcmu } from '../src/index.ts';

const CODES = Uint8Array.from({ length: 256 }, (_, i) => i);

for (const [name, decode, encode, silence] of [
  ['PCMU', decodePcmu, encodePcmu, 0xff],
  ['PCMA', decodePcma, encodePcma, 0xd5],
] as const) {
  describe(name, () => {
    it('gives back every code', () => {
      const pcm = new Int16Array(256);
      const back = new Uint8Array(256);
      decode(CODES, pcm);
      encode(pcm, back);
      // μ-law has two zeros: 0x7f decodes to -0 and comes back as 0xff.
      for (const code of CODES) {
        assert.ok(
          back[code] === code || (name === 'PCMU' && code === 0x7f && back[code] === 0xff),
          `${code}`,
        );
      }
    });

    it('chooses the nearest level for every sample', () => {
      const levels = new Int16Array(256);
      decode(CODES, levels);
      const sorted = [...levels].sort((a, b) => a - b);
      const samples = Int16Array.from({ length: 65_536 }, (_, i) => i - 32_768);
      const codes = new Uint8Array(65_536);
      const back = new Int16Array(65_536);
      encode(samples, codes);
      decode(codes, back);
      let below = 0;
      for (const [i, sample] of samples.entries()) {
        while (below < 254 && sorted[below + 1]! <= sample) below++;
        const nearest = Math.min(Math.abs(sorted[below]! - sample), Math.abs(sorted[below + 1]! - sample));
        // Truncating coders may miss the nearest level by rounding at a segment's border, never by a whole step.
        const step = Math.abs(sorted[below + 1]! - sorted[below]!);
        assert.ok(Math.abs(back[i]! - sample) <= Math.max(nearest, step), `${sample} became ${back[i]}`);
      }
    });

    it('is silent for silence', () => {
      const code = new Uint8Array(1);
      encode(new Int16Array(1), code);
      assert.equal(code[0], silence);
    });
  });
}

describe('known levels (ITU-T G.711 tables)', () => {
  it('has the ends of both scales', () => {
    const pcm = new Int16Array(2);
    decodePcmu(Uint8Array.of(0x80, 0x00), pcm);
    assert.deepEqual([...pcm], [32_124, -32_124]);
    decodePcma(Uint8Array.of(0xaa, 0x2a), pcm);
    assert.deepEqual([...pcm], [32_256, -32_256]);
  });
});
