import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Ms } from '@sidetone/core';
import type { Block } from './decode/block.ts';
import { Resampler } from './decode/resample.ts';
import { LIMITS, notAudio, tooLarge } from './limits.ts';

/** The file that media plays: WAV, 16-bit PCM, one channel, 16 kHz (8 kHz where the source has no more). */

export interface Prepared {
  readonly ms: Ms;
  readonly bytes: number;
}

const HEADER_BYTES = 44;
export const WIDE = 16_000;
export const NARROW = 8000;

function header(rate: number, dataBytes: number): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(dataBytes + HEADER_BYTES - 8, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(dataBytes, 40);
  return head;
}

/**
 * Writes `blocks` to `file`, which is there as a whole or not at all.
 * @param mostMs of the result
 * @throws SoundFault, also of `blocks`
 */
export function writePrepared(file: string, blocks: Iterable<Block>, mostMs: Ms = LIMITS.playedMs): Prepared {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.part`;
  const descriptor = openSync(draft, 'w', 0o600);
  try {
    let rate: number | undefined;
    let resampler: { readonly from: number; readonly it: Resampler } | undefined;
    let samples = 0;
    const append = (part: Float32Array): void => {
      samples += part.length;
      if ((samples / rate!) * 1000 > mostMs)
        throw tooLarge(`The sound is longer than ${mostMs / 60_000} minutes.`);
      // WAV is little-endian, and so is every machine that Node runs on here.
      const pcm = new Int16Array(part.length);
      for (let i = 0; i < part.length; i++)
        pcm[i] = Math.max(-32_768, Math.min(32_767, Math.round(part[i]! * 32_768)));
      writeSync(descriptor, pcm);
    };
    writeSync(descriptor, Buffer.alloc(HEADER_BYTES));
    for (const block of blocks) {
      rate ??= block.rate <= NARROW ? NARROW : WIDE;
      if (resampler !== undefined && resampler.from !== block.rate) {
        append(resampler.it.flush());
        resampler = undefined;
      }
      if (block.rate === rate) append(block.samples);
      else {
        resampler ??= { from: block.rate, it: new Resampler(block.rate, rate) };
        append(resampler.it.push(block.samples));
      }
    }
    if (resampler !== undefined) append(resampler.it.flush());
    if (rate === undefined || samples === 0) throw notAudio('The file holds no sound.');
    writeSync(descriptor, header(rate, samples * 2), 0, HEADER_BYTES, 0);
    renameSync(draft, file);
    return { ms: Math.round((samples / rate) * 1000), bytes: samples * 2 + HEADER_BYTES };
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** What a header says, or `undefined`: it is none of ours. */
function readHeader(head: Buffer): Prepared | undefined {
  const [rate, bytes] = [head.readUInt32LE(24), head.readUInt32LE(40)];
  if (head.toString('latin1', 0, 4) !== 'RIFF' || (rate !== WIDE && rate !== NARROW)) return undefined;
  return { ms: Math.round((bytes / 2 / rate) * 1000), bytes: bytes + HEADER_BYTES };
}

/** What `writePrepared` has written, or `undefined`: there is nothing, or nothing whole. For threads that may wait. */
export function readPrepared(file: string): Prepared | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    const head = Buffer.alloc(HEADER_BYTES);
    if (readSync(descriptor, head, 0, HEADER_BYTES, 0) < HEADER_BYTES) return undefined;
    const prepared = readHeader(head);
    return prepared?.bytes === fstatSync(descriptor).size ? prepared : undefined;
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** The same, for the thread of the calls. */
export async function lookPrepared(file: string): Promise<Prepared | undefined> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    return bytesRead < HEADER_BYTES ? undefined : readHeader(buffer);
  } finally {
    await handle.close();
  }
}

/** Raised when the same source becomes another file. */
const MAKE = 1;
export const NAME = new RegExp(`^${MAKE}-[0-9a-f]{64}\\.wav$`);

/** @param name 64 hexadecimal digits */
export const fileOf = (name: string): string => `${MAKE}-${name}.wav`;
