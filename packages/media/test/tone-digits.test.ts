import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DtmfDetected } from '@sidetone/rtc';
import fc from 'fast-check';
import { ToneDigits } from '../src/tone-digits.ts';
import { babbled, type Dial, dialled, KEYS, louder, mixed, noise, spoken, through } from './tones.ts';

function detect(pcm: Int16Array, piece = 160): DtmfDetected[] {
  const digits = new ToneDigits();
  const found: DtmfDetected[] = [];
  for (let i = 0; i < pcm.length; i += piece)
    digits.push(pcm.subarray(i, i + piece), (digit) => found.push(digit));
  const last = digits.flush();
  return last === undefined ? found : [...found, last];
}

const keys = (found: readonly DtmfDetected[]): string => found.map(({ digit }) => digit).join('');

/** What Q.24 asks to be taken: levels in dB of a sine of full scale (0 dBm0 is -3). */
const TAKEN: readonly Dial[] = [
  ...[-9, -12, -20, -28, -32].map((db) => ({ onMs: 40, offMs: 40, low: db, high: db })),
  { onMs: 40, offMs: 40, low: -16, high: -12 },
  { onMs: 40, offMs: 40, low: -10, high: -18 },
  { onMs: 50, offMs: 50, low: -16, high: -12 },
  { onMs: 50, offMs: 50, low: -10, high: -18 },
  { onMs: 100, offMs: 80 },
  { onMs: 700, offMs: 60 },
];

describe('digits in the sound', () => {
  it('are each found once, with their length: level, twist, and frequencies up to 1.5 % off', () => {
    for (const dial of TAKEN) {
      for (const off of [0, 0.015, -0.015]) {
        const found = detect(dialled(KEYS + KEYS, { ...dial, off }));
        assert.equal(keys(found), KEYS + KEYS, JSON.stringify({ ...dial, off }));
        if (off !== 0) continue;
        for (const { durationMs } of found)
          assert.ok(Math.abs(durationMs - dial.onMs) <= 10, `${durationMs} of ${dial.onMs}`);
      }
    }
  });

  it('are found behind every codec that we carry', async () => {
    for (const codec of ['PCMU', 'PCMA', 'G722', 'OPUS'] as const) {
      for (const dial of TAKEN) {
        const found = detect(await through(codec, dialled(KEYS + KEYS, dial)));
        assert.equal(keys(found), KEYS + KEYS, `${codec} ${JSON.stringify(dial)}`);
      }
    }
  });

  it('are found in noise 15 dB below them, and in none of it alone, however loud', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const pcm = dialled(KEYS, { onMs: 50, offMs: 50, low: -13, high: -13 });
      assert.equal(keys(detect(mixed(pcm, noise(pcm.length, -25, seed)))), KEYS, `seed ${seed}`);
    }
    for (const db of [-40, -20, -6]) assert.equal(keys(detect(noise(8000 * 120, db))), '');
  });

  it('are none when too short, too far off, too unlike in level, or only half of a pair', () => {
    const refused: readonly [string, Dial][] = [
      ['20 ms', { onMs: 20, offMs: 60 }],
      ['23 ms', { onMs: 23, offMs: 60 }],
      ['3.5 % high', { onMs: 100, offMs: 60, off: 0.035 }],
      ['3.5 % low', { onMs: 100, offMs: 60, off: -0.035 }],
      ['the low tone alone', { onMs: 100, offMs: 60, high: -90 }],
      ['the high tone alone', { onMs: 100, offMs: 60, low: -90 }],
      ['15 dB of twist', { onMs: 100, offMs: 60, low: -8, high: -23 }],
      ['11 dB of twist the other way', { onMs: 100, offMs: 60, low: -20, high: -9 }],
      ['hardly there', { onMs: 100, offMs: 60, low: -45, high: -45 }],
    ];
    for (const [what, dial] of refused) assert.equal(keys(detect(dialled(KEYS, dial))), '', what);
  });

  it('are one over an interruption of 10 ms, and two over a pause of 40 ms', () => {
    const once = dialled('5', { onMs: 120, offMs: 60 });
    once.fill(0, 800 + 480, 800 + 560);
    assert.equal(keys(detect(once)), '5');
    assert.equal(keys(detect(dialled('55555', { onMs: 40, offMs: 40 }))), '55555');
    // Without any pause another digit is another digit.
    assert.equal(keys(detect(dialled('1212', { onMs: 60, offMs: 0 }))), '1212');
  });

  it('are not found in speech', (t) => {
    const text =
      'Please leave a message after the tone. Nine eight seven six five four three two one zero. Do re mi fa so la ti do, how are you.';
    const voices = ['en', 'en+f3', 'en+m3', 'en-us+f2', 'de', 'es'];
    let seconds = 0;
    for (const voice of voices) {
      for (const pitch of [30, 70]) {
        const pcm = spoken(text, voice, pitch);
        if (pcm === undefined) continue;
        seconds += pcm.length / 8000;
        for (const db of [0, -12]) assert.equal(keys(detect(louder(pcm, db))), '', `${voice} ${pitch}`);
      }
    }
    t.diagnostic(`${Math.round(seconds)} s of espeak-ng`);
    for (const base of [90, 120, 165, 210, 290]) assert.equal(keys(detect(babbled(60, base))), '', `${base}`);
  });

  it('do not depend on how the sound is cut, and any sound is taken', () => {
    const pcm = dialled(KEYS, { onMs: 45, offMs: 50 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), (piece) => {
        assert.deepEqual(detect(pcm, piece), detect(pcm));
      }),
      { numRuns: 20 },
    );
    fc.assert(
      fc.property(fc.int16Array({ maxLength: 3000 }), (any) => {
        for (const { digit } of detect(any)) assert.ok(KEYS.includes(digit));
      }),
    );
  });
});
