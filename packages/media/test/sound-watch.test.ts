import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SoundWatch } from '../src/sound-watch.ts';
import { sine } from './fake-sounds.ts';
import { amplitude, babbled, dialled, louder, mixed, noise, spoken, through } from './tones.ts';

/** What is told of a sound, with the time in ms. */
function watch(pcm: Int16Array): [string, number][] {
  const told: [string, number][] = [];
  const sound = new SoundWatch((what, at) => told.push([what, Math.round(at)]));
  for (let i = 0; i + 160 <= pcm.length; i += 160) sound.push(pcm.subarray(i, i + 160), i / 8 + 20);
  return told;
}

const kinds = (told: readonly [string, number][]): string => told.map(([what]) => what).join(' ');
const join = (...parts: readonly Int16Array[]): Int16Array =>
  Int16Array.from(parts.flatMap((part) => [...part]));
const still = (ms: number): Int16Array => new Int16Array(ms * 8);
const near = (told: readonly [string, number][], at: readonly number[], within: number): void => {
  assert.equal(told.length, at.length, JSON.stringify(told));
  for (const [i, ms] of at.entries())
    assert.ok(Math.abs(told[i]![1] - ms) <= within, `${JSON.stringify(told)}, not ${at}`);
};

describe('what a sound is', () => {
  it('is silence when nothing is heard, told as of its beginning', () => {
    near(watch(still(1000)), [0], 0);
    assert.equal(kinds(watch(noise(8000 * 5, -55))), 'silence');
  });

  it('is speech and silence, with the times of each, at every level', () => {
    const talk = babbled(2, 130).subarray(0, 8000 * 2 - 1600);
    for (const db of [0, -10, -20, -25]) {
      const told = watch(join(still(600), louder(talk, db), still(1000)));
      assert.equal(told[0]![0], 'silence');
      const [first, last] = [told[1]!, told.at(-1)!];
      assert.equal(first[0], 'speech');
      assert.ok(Math.abs(first[1] - 600) <= 100, `${db}: ${first}`);
      assert.equal(last[0], 'silence');
      assert.ok(Math.abs(last[1] - 2400) <= 150, `${db}: ${last}`);
      assert.ok(told.every(([what]) => what !== 'beep'));
    }
  });

  it('is speech over the noise of a line, which is itself silence after a while', () => {
    const line = noise(8000 * 8, -42);
    const talk = join(still(4000), louder(babbled(2, 130), -4), still(2000));
    const told = watch(mixed(line, talk));
    const before = told.filter(([, at]) => at < 3900);
    assert.equal(before.at(-1)?.[0], 'silence', JSON.stringify(told));
    assert.ok(before.at(-1)![1] < 2500);
    assert.ok(
      told.some(([what, at]) => what === 'speech' && Math.abs(at - 4000) < 150),
      JSON.stringify(told),
    );
    assert.equal(told.at(-1)![0], 'silence');
  });

  it('is a beep, once, for a steady tone of 400 to 2000 Hz and 150 ms; silence afterwards', async () => {
    for (const hz of [400, 425, 800, 1000, 1400, 2000]) {
      for (const [ms, db] of [
        [150, -10],
        [500, -20],
        [2000, -35],
      ] as const) {
        const tone = Int16Array.from({ length: ms * 8 }, (_, i) =>
          Math.round(amplitude(db) * Math.sin((2 * Math.PI * hz * i) / 8000)),
        );
        const told = watch(join(still(503), tone, still(500)));
        assert.equal(kinds(told), 'silence beep silence', `${hz} Hz, ${ms} ms, ${db} dB`);
        near(told, [0, 503, 503 + ms], 25);
      }
    }
    for (const codec of ['PCMU', 'PCMA', 'G722', 'OPUS'] as const) {
      for (const hz of [440, 1000, 1850]) {
        const told = watch(await through(codec, join(still(500), sine(hz, 8000, 400, 0.1), still(500))));
        assert.equal(kinds(told), 'silence beep silence', `${codec} ${hz}`);
      }
    }
  });

  it('is a beep after speech, and in noise', () => {
    const beep = join(still(3000), sine(1000, 8000, 300, 0.2), still(800));
    const talk = mixed(beep, join(babbled(2, 130), still(2100)));
    const told = watch(mixed(talk, noise(talk.length, -45)));
    const beeps = told.filter(([what]) => what === 'beep');
    assert.equal(beeps.length, 1, JSON.stringify(told));
    assert.ok(Math.abs(beeps[0]![1] - 3000) <= 30);
    assert.equal(told.at(-1)![0], 'silence');
  });

  it('is no beep when it is short, out of the band, of two tones, or gliding', () => {
    const glide = Int16Array.from(
      { length: 4000 },
      (_, i) => 9000 * Math.sin(2 * Math.PI * (500 * (i / 8000) + 1500 * (i / 8000) ** 2)),
    );
    const rows: readonly [string, Int16Array][] = [
      ['100 ms', sine(1000, 8000, 100)],
      ['300 Hz', sine(300, 8000, 500)],
      ['2300 Hz', sine(2300, 8000, 500)],
      ['a digit', dialled('5', { onMs: 500, offMs: 60 })],
      ['ringback', mixed(sine(440, 8000, 2000, 0.1), sine(480, 8000, 2000, 0.1))],
      ['a glide', glide],
      ['noise', noise(8000 * 20, -12)],
    ];
    for (const [what, pcm] of rows) {
      const told = watch(join(still(300), pcm, still(300)));
      assert.ok(
        told.every(([kind]) => kind !== 'beep'),
        `${what}: ${JSON.stringify(told)}`,
      );
    }
  });

  it('is never a beep in speech, which goes on over its own pauses of less than 200 ms', (t) => {
    let seconds = 0;
    for (const voice of ['en', 'en+f3', 'en-us+f2', 'de', 'fr', 'es']) {
      for (const pitch of [30, 60]) {
        const pcm = spoken(
          'You have reached Alice. I cannot come to the phone now. Please leave a message.',
          voice,
          pitch,
        );
        if (pcm === undefined) continue;
        seconds += pcm.length / 8000;
        const told = watch(join(still(400), pcm, still(1500)));
        assert.ok(
          told.every(([what]) => what !== 'beep'),
          `${voice} ${pitch} ${JSON.stringify(told)}`,
        );
        assert.equal(kinds(told.slice(0, 2)), 'silence speech');
        assert.ok(told[1]![1] < 600, JSON.stringify(told));
        assert.equal(told.at(-1)![0], 'silence');
        assert.ok(told.length <= 16, JSON.stringify(told));
      }
    }
    t.diagnostic(`${Math.round(seconds)} s of espeak-ng`);
  });
});
