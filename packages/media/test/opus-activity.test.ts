import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadOpus } from '../src/index.ts';
import { isQuietOpus } from '../src/opus-activity.ts';
import { babbled, noise, spoken } from './tones.ts';

const opus = await loadOpus();

/** The share of packets that say that nobody speaks. */
async function quiet(pcm: Int16Array, rate: 8000 | 16000 | 24000): Promise<number> {
  const encoder = opus.encoder({ rate, bitrate: 24_000, fec: true });
  await new Promise(setImmediate);
  const frame = new Int16Array(rate / 50);
  let flagged = 0;
  let packets = 0;
  for (let k = 0; (k + 1) * 160 <= pcm.length; k++) {
    // Held samples are enough of a resampler here.
    for (let i = 0; i < frame.length; i++) frame[i] = pcm[k * 160 + Math.floor((i * 8000) / rate)]!;
    const packet = encoder.encode(frame)!;
    packets++;
    if (isQuietOpus(packet)) flagged++;
  }
  encoder.free();
  return flagged / packets;
}

describe('an Opus packet', () => {
  it('says whether somebody speaks in it', async () => {
    const speech = spoken('all the world is a stage and all the men and women merely players', 'en', 50);
    for (const rate of [8000, 16_000, 24_000] as const) {
      const line = await quiet(noise(24_000, -65), rate);
      assert.ok(line > 0.9, `${rate}: ${line}`);
      for (const voice of [speech ?? babbled(4, 140), babbled(4, 140)]) {
        const share = await quiet(voice, rate);
        assert.ok(share < 0.6, `${rate}: ${share}`);
      }
    }
  });

  it('without such a flag says nothing, and any bytes are read', () => {
    for (let toc = 0; toc < 256; toc++)
      for (const rest of [[], [0], [0, 0], [0xff, 0], new Array(100).fill(0)]) {
        const packet = Uint8Array.from([toc, ...rest]);
        const config = toc >> 3;
        const flagged = (toc & 3) === 0 && (config < 12 ? config % 4 < 2 : config < 16);
        if (packet.length > 2) assert.equal(isQuietOpus(packet), flagged && rest[0] !== 0xff);
        else assert.equal(isQuietOpus(packet), true);
      }
    assert.equal(isQuietOpus(new Uint8Array(0)), false);
  });
});
