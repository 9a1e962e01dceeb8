import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loopFrames, render, renderDigit, type Sound } from '../src/synth.ts';

/** Energy share at `hz` (Goertzel). */
function share(pcm: Int16Array, rate: number, hz: number): number {
  const k = 2 * Math.cos((2 * Math.PI * hz) / rate);
  let a = 0;
  let b = 0;
  let energy = 0;
  for (const s of pcm) {
    [a, b] = [s + k * a - b, a];
    energy += s * s;
  }
  return (2 * (a * a + b * b - k * a * b)) / (pcm.length * energy);
}

function second(sound: Sound, rate: number, from: number): Int16Array {
  const out = new Int16Array(rate);
  for (let i = 0; i < 50; i++) render(sound, from + i, out.subarray((i * rate) / 50, ((i + 1) * rate) / 50));
  return out;
}

describe('synth', () => {
  it('makes a pure tone at any rate', () => {
    assert.ok(share(second({ kind: 'tone', hz: 1000 }, 8000, 0), 8000, 1000) > 0.99);
    assert.ok(share(second({ kind: 'tone', hz: 440 }, 24_000, 7), 24_000, 440) > 0.99);
  });

  it('makes comfort noise near -60 dBFS, with no tone in it', () => {
    const pcm = second({ kind: 'comfort' }, 8000, 0);
    const level = 20 * Math.log10(Math.sqrt(pcm.reduce((sum, s) => sum + s * s, 0) / pcm.length) / 32_768);
    assert.ok(level > -66 && level < -56, `${level}`);
    for (const hz of [50, 200, 440, 1000, 2000, 3000]) assert.ok(share(pcm, 8000, hz) < 0.01, `${hz}`);
  });

  it('rings two seconds of six with 440 and 480 Hz', () => {
    const on = second({ kind: 'ringback' }, 8000, 0);
    assert.ok(share(on, 8000, 440) + share(on, 8000, 480) > 0.95);
    assert.ok(second({ kind: 'ringback' }, 8000, 120).every((s) => s === 0));
  });

  it('plays music near -20 dBFS that never clips and loops without a step', () => {
    const frames = loopFrames({ kind: 'music' });
    const rate = 8000;
    let squares = 0;
    let peak = 0;
    const all = new Int16Array((frames * rate) / 50);
    for (let i = 0; i < frames; i++) render({ kind: 'music' }, i, all.subarray(i * 160, (i + 1) * 160));
    for (const s of all) {
      squares += s * s;
      peak = Math.max(peak, Math.abs(s));
    }
    const dbfs = 20 * Math.log10(Math.sqrt(squares / all.length) / 32_768);
    assert.ok(dbfs > -23 && dbfs < -17, `${dbfs} dBFS`);
    assert.ok(peak < 30_000, `peak ${peak}`);
    assert.ok(Math.abs(all[0]! - all.at(-1)!) < 2500);
  });

  it('makes the two tones of a digit', () => {
    const pcm = new Int16Array(800);
    renderDigit('5', 0, pcm);
    assert.ok(share(pcm, 40_000, 770) > 0.3);
    assert.ok(share(pcm, 40_000, 1336) > 0.3);
  });
});
