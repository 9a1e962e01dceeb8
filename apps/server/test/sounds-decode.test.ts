import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { loadOpus, type OpusDecoder } from '@sidetone/media';
import fc from 'fast-check';
import { decode, formatOf } from '../src/sounds/decode/decode.ts';
import { oggChecksum, oggPackets } from '../src/sounds/decode/ogg.ts';
import { Resampler } from '../src/sounds/decode/resample.ts';
import { SoundFault } from '../src/sounds/limits.ts';
import { readPrepared, writePrepared } from '../src/sounds/prepared-file.ts';
import { heardIn, type WavKind, wavOf } from './drive/sound-files.ts';
import { TONES, tone } from './fixtures/tones.ts';

describe('reading sounds', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidetone-sounds-'));
  let opus: OpusDecoder;
  let serial = 0;
  const file = (): string => join(folder, `${++serial}.wav`);
  before(async () => {
    opus = (await loadOpus()).decoder(16_000);
    await setImmediate();
  });
  after(() => {
    opus.free();
    rmSync(folder, { recursive: true });
  });

  /** Without `opus` a test with Ogg would not see its sound. */
  function made(bytes: Uint8Array) {
    const path = file();
    const prepared = writePrepared(path, decode(bytes, opus));
    const heard = heardIn(path);
    assert.deepEqual([heard.channels, heard.bits], [1, 16]);
    assert.equal(prepared.bytes, readFileSync(path).length);
    assert.equal(prepared.ms, Math.round(heard.seconds * 1000));
    assert.deepEqual(readPrepared(path), prepared);
    return heard;
  }

  const kinds: readonly WavKind[] = [
    'pcm8',
    'pcm16',
    'pcm24',
    'pcm32',
    'float32',
    'float64',
    'alaw',
    'mulaw',
  ];
  for (const kind of kinds)
    for (const [rate, channels] of [
      [8000, 1],
      [16_000, 2],
      [22_050, 1],
      [44_100, 2],
      [48_000, 6],
      [11_127, 1],
    ] as const)
      it(`WAV ${kind}, ${rate} Hz, ${channels} channels`, () => {
        const heard = made(wavOf({ kind, rate, channels, extensible: channels > 2 }));
        assert.equal(heard.rate, rate === 8000 ? 8000 : 16_000);
        assert.ok(Math.abs(heard.hz - 1000) < 2, `${heard.hz} Hz`);
        assert.ok(Math.abs(heard.level - 0.3536) < 0.01, `level ${heard.level}`);
        assert.ok(Math.abs(heard.seconds - 0.4) < 0.005, `${heard.seconds} s`);
      });

  for (const [name, rate] of [
    ['mp3_44100_stereo', 16_000],
    ['mp3_24000', 16_000],
    ['mp3_8000', 8000],
    ['opus_stereo', 16_000],
    ['opus_mono', 16_000],
  ] as const)
    it(`${name}, made by another program`, () => {
      const heard = made(tone(name));
      assert.equal(heard.rate, rate);
      assert.ok(Math.abs(heard.hz - 1000) < 5, `${heard.hz} Hz`);
      assert.ok(Math.abs(heard.level - 0.3536) < 0.05, `level ${heard.level}`);
      // MP3 has the delay of the encoder and the rest of a frame; Ogg/Opus says exactly where the sound ends.
      const most = name.startsWith('mp3') ? 0.75 : 0.4002;
      assert.ok(heard.seconds >= 0.3998 && heard.seconds <= most, `${heard.seconds} s`);
    });

  it('takes the mean of two channels that differ', () => {
    const left = wavOf({ kind: 'pcm16', rate: 16_000, channels: 2 });
    const view = new DataView(left.buffer);
    const start = left.length - 0.4 * 16_000 * 4;
    for (let at = start + 2; at < left.length; at += 4) view.setInt16(at, 0, true);
    assert.ok(Math.abs(made(left).level - 0.1768) < 0.005);
  });

  it('a length that the writer did not know means: to the end', () => {
    for (const claims of [0xffff_ffff, 0x7fff_f000])
      assert.equal(made(wavOf({ kind: 'pcm16', rate: 16_000, channels: 1, claims })).seconds, 0.4);
  });

  it('takes away what lies above the new half rate, and nothing below it', () => {
    const level = (hz: number): number =>
      made(wavOf({ kind: 'float32', rate: 48_000, channels: 1, hz })).level;
    for (const hz of [100, 1000, 3400, 6500]) assert.ok(Math.abs(level(hz) - 0.3536) < 0.01, `${hz} Hz`);
    for (const hz of [9000, 12_000, 20_000]) assert.ok(level(hz) < 0.0006, `${hz} Hz: ${level(hz)}`);
  });

  it('the blocks that a sound comes in do not change it', () => {
    const input = Float32Array.from({ length: 3000 }, (_, i) => Math.sin(i / 7));
    const whole = new Resampler(44_100, 16_000);
    const expected = [...whole.push(input), ...whole.flush()];
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 20 }), (cuts) => {
        const pieces = new Resampler(44_100, 16_000);
        const edges = [0, ...cuts.sort((a, b) => a - b), 3000];
        const out = edges.slice(1).flatMap((edge, i) => [...pieces.push(input.subarray(edges[i]!, edge))]);
        assert.deepEqual([...out, ...pieces.flush()], expected);
      }),
      { numRuns: 50 },
    );
  });

  it('is bounded in length, and leaves no half file', () => {
    const path = file();
    const long = decode(wavOf({ kind: 'alaw', rate: 8000, channels: 1, seconds: 3 }), undefined);
    assert.throws(() => writePrepared(path, long, 2000), { why: 'too-large' });
    // A rate that makes hours of some bytes is none that is read.
    assert.throws(() => made(wavOf({ kind: 'alaw', rate: 100, channels: 1, seconds: 100 })), {
      why: 'not-audio',
    });
    assert.equal(readPrepared(path), undefined);
    assert.equal(readdirSync(folder).filter((name) => name.includes('part')).length, 0);
  });

  it('refuses what is no sound, and says what it is', () => {
    const wav = wavOf({ kind: 'pcm16', rate: 16_000, channels: 1 });
    const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
      ['nothing', new Uint8Array(0), /neither WAV, MP3 nor Ogg/],
      ['a page', new TextEncoder().encode('<!doctype html><title>404</title>'), /neither/],
      ['the head of a WAV', wav.subarray(0, 12), /no sound/],
      ['a WAV without data', wav.subarray(0, 40), /no sound/],
      ['Vorbis', tone('vorbis'), /no Opus/],
      ['a tag alone', new TextEncoder().encode('ID3\x04\0\0\0\0\0\0'), /cannot be decoded/],
    ];
    for (const [what, bytes, words] of cases)
      assert.throws(
        () => writePrepared(file(), decode(bytes, opus)),
        (error) => error instanceof SoundFault && error.why === 'not-audio' && words.test(error.message),
        what,
      );
  });

  it('MP3: a tag in front, and garbage in the middle', () => {
    const mp3 = tone('mp3_44100_stereo');
    const tag = Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\0\x14', 'latin1'), Buffer.alloc(20, 0xff)]);
    assert.equal(formatOf(mp3), 'mp3');
    const tagged = made(Uint8Array.from(Buffer.concat([tag, mp3])));
    assert.ok(Math.abs(tagged.hz - 1000) < 5);
    const broken = Buffer.concat([mp3.subarray(0, 1600), Buffer.alloc(300, 7), mp3.subarray(1600)]);
    assert.ok(made(Uint8Array.from(broken)).seconds > 0.3);
  });

  it('Ogg: a damaged page is left out, a lost start of a packet too', () => {
    const ogg = tone('opus_mono');
    assert.equal([...oggPackets(ogg)].length > 20, true);
    const damaged = Uint8Array.from(ogg);
    damaged[damaged.length - 3]! ^= 1;
    assert.ok([...oggPackets(damaged)].length < [...oggPackets(ogg)].length);
    const page = ogg.subarray(0, 47);
    assert.equal(oggChecksum(page), new DataView(page.buffer, page.byteOffset).getUint32(22, true));
  });

  it('whatever the bytes, there is a sound or a reason, in bounded time', () => {
    const seeds = [
      ...Object.keys(TONES).map((name) => tone(name as keyof typeof TONES)),
      ...kinds.map((kind) => wavOf({ kind, rate: 8000, channels: 2, seconds: 0.05, extensible: true })),
    ];
    const mutation = fc.record({
      seed: fc.nat({ max: seeds.length - 1 }),
      edits: fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 40 }),
      cut: fc.option(fc.nat(), { nil: undefined }),
      repeat: fc.integer({ min: 1, max: 3 }),
      // The checksum of Ogg would keep mutations from everything behind it.
      mend: fc.boolean(),
    });
    let sounds = 0;
    fc.assert(
      fc.property(mutation, ({ seed, edits, cut, repeat, mend }) => {
        let bytes = Uint8Array.from(seeds[seed]!);
        for (const [at, value] of edits) bytes[at % bytes.length] = value;
        if (cut !== undefined) bytes = bytes.slice(0, cut % bytes.length);
        bytes = Uint8Array.from(Buffer.concat(Array.from({ length: repeat }, () => bytes)));
        if (mend) mendPages(bytes);
        try {
          writePrepared(join(folder, 'fuzz.wav'), decode(bytes, opus));
          sounds += 1;
          const { samples } = heardIn(join(folder, 'fuzz.wav'));
          assert.ok(samples.length > 0);
        } catch (error) {
          assert.ok(error instanceof SoundFault, String(error));
        }
      }),
      { numRuns: 1500 },
    );
    // It is not all refused at the door.
    assert.ok(sounds > 200, `${sounds}`);
  });
});

function mendPages(bytes: Uint8Array): void {
  for (let at = 0; at + 27 < bytes.length; at++) {
    if (Buffer.from(bytes.subarray(at, at + 4)).toString('latin1') !== 'OggS') continue;
    let length = 27 + bytes[at + 26]!;
    for (let i = 0; i < bytes[at + 26]!; i++) length += bytes[at + 27 + i] ?? 0;
    const page = bytes.subarray(at, at + length);
    new DataView(bytes.buffer, bytes.byteOffset + at).setUint32(22, oggChecksum(page), true);
  }
}
