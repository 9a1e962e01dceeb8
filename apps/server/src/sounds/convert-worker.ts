import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { loadOpus, type OpusDecoder, type OpusFactory } from '@sidetone/media';
import type { ConvertJob, ConvertResult } from './converter.ts';
import { decode, formatOf } from './decode/decode.ts';
import { OPUS_RATE } from './decode/ogg-opus.ts';
import { refusalOf, SoundFault } from './limits.ts';
import { fileOf, readPrepared, writePrepared } from './prepared-file.ts';

/** The thread of `converter.ts`: one file at a time is read, decoded and written. */
const port = parentPort!;
const NICE = 10;
let opus: Promise<OpusFactory> | undefined;

// Linux gives each thread a priority of its own: calls and packets come before sounds.
try {
  setPriority(0, NICE);
} catch {}

function bytesOf(source: ConvertJob['source']): Uint8Array {
  if ('bytes' in source) return source.bytes;
  try {
    return readFileSync(source.file);
  } catch {
    throw new SoundFault('not-found', 'The stored file is gone.');
  }
}

async function opusDecoder(): Promise<OpusDecoder> {
  opus ??= loadOpus();
  const made = (await opus).decoder(OPUS_RATE);
  await setImmediate();
  return made;
}

async function convert({ source, folder, name, mostMs }: ConvertJob): Promise<ConvertResult> {
  let decoder: OpusDecoder | undefined;
  try {
    const bytes = bytesOf(source);
    const kept = name ?? createHash('sha256').update(bytes).digest('hex');
    const file = join(folder, fileOf(kept));
    const there = readPrepared(file);
    if (there !== undefined) return { ok: true, name: kept, ...there };
    if (formatOf(bytes) === 'ogg') decoder = await opusDecoder();
    return { ok: true, name: kept, ...writePrepared(file, decode(bytes, decoder), mostMs) };
  } catch (error) {
    return refusalOf(error);
  } finally {
    decoder?.free();
  }
}

port.on('message', (job: ConvertJob) => {
  void convert(job).then((result) => port.postMessage(result));
});
