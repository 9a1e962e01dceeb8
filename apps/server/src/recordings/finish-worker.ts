import { closeSync, fdatasyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { writeWavHead } from '@sidetone/media';
import { createMp3Encoder } from 'wasm-media-encoders';
import type { Finished, FinishJob } from './finisher.ts';
import { RecordedWav } from './recorded-wav.ts';
import { soundOf } from './trim.ts';

/** The thread of `finisher.ts`: one recording at a time is trimmed, converted and written. */
const port = parentPort!;
const NICE = 10;
/** Bits a second of each channel: more than speech at that rate needs. */
const MP3_KBITS = { 8000: 24, 16000: 32 } as const;

// Linux gives each thread a priority of its own: calls and packets come before recordings.
try {
  setPriority(0, NICE);
} catch {}

type Write = (bytes: Uint8Array) => void;

function writeWav(wav: RecordedWav, from: number, to: number, write: Write): void {
  write(writeWavHead(wav.rate, wav.channels, (to - from) * 2 * wav.channels));
  for (const piece of wav.pieces(from, to))
    write(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
}

async function writeMp3(wav: RecordedWav, from: number, to: number, write: Write): Promise<void> {
  const { rate, channels } = wav;
  const encoder = await createMp3Encoder();
  const kbits = MP3_KBITS[rate as 8000 | 16000] ?? 32;
  encoder.configure({ sampleRate: rate as 8000, channels, bitrate: (kbits * channels) as 64 });
  for (const piece of wav.pieces(from, to)) {
    const frames = piece.length / channels;
    const samples = Array.from({ length: channels }, (_, channel) =>
      Float32Array.from({ length: frames }, (_unused, i) => piece[i * channels + channel]! / 32_768),
    );
    write(encoder.encode(samples as [Float32Array, Float32Array]));
  }
  write(encoder.finalize());
}

/** `into` is there as a whole or not at all. */
async function finish({ file, into, format, trim }: FinishJob): Promise<Finished> {
  const source = openSync(file, 'r');
  const draft = `${into}.part`;
  let target: number | undefined;
  try {
    const wav = new RecordedWav(source);
    const { from, to } = trim ? soundOf(wav) : { from: 0, to: wav.frames };
    rmSync(draft, { force: true });
    target = openSync(draft, 'wx', 0o600);
    let bytes = 0;
    const write: Write = (some) => {
      for (let done = 0; done < some.length; ) done += writeSync(target!, some, done);
      bytes += some.length;
    };
    if (format === 'wav') writeWav(wav, from, to, write);
    else await writeMp3(wav, from, to, write);
    fdatasyncSync(target);
    renameSync(draft, into);
    return { ok: true, bytes, durationMs: Math.round(((to - from) * 1000) / wav.rate) };
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  } finally {
    closeSync(source);
    if (target !== undefined) closeSync(target);
  }
}

port.on('message', (job: FinishJob) => {
  void finish(job)
    .catch((error: NodeJS.ErrnoException): Finished => ({ ok: false, why: error.code ?? error.message }))
    .then((finished) => port.postMessage(finished));
});
