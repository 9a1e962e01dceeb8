import { closeSync, constants, fdatasyncSync, openSync, realpathSync, writeSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { WAV_HEAD_BYTES, writeWavHead } from '@sidetone/media';

/**
 * The thread of `recording-files.ts`: it alone waits for the disk. The head of a file is written anew behind each block, so that the file
 * is a whole WAV whenever this thread, or the machine, ends.
 */
export type WriterAsk =
  | {
      readonly ask: 'open';
      readonly n: number;
      readonly file: string;
      readonly rate: number;
      readonly channels: number;
    }
  | { readonly ask: 'block'; readonly n: number; readonly block: Int16Array }
  | { readonly ask: 'close'; readonly n: number };

/** `bytes`: of sound in the file so far. `why`: the disk has refused; the file takes nothing more. */
export type WriterAnswer =
  | { readonly n: number; readonly told: 'written'; readonly size: number; readonly bytes: number }
  | { readonly n: number; readonly told: 'failed'; readonly why: string }
  | { readonly n: number; readonly told: 'closed' };

interface Open {
  readonly descriptor: number;
  readonly rate: number;
  readonly channels: number;
  bytes: number;
}

/** A WAV counts its octets in 32 bits. */
const MOST_BYTES = 0xffff_ff00;

const port = parentPort!;
const { folder } = workerData as { readonly folder: string };
const files = new Map<number, Open>();

const tell = (answer: WriterAnswer): void => port.postMessage(answer);

/** The true path of a file that is to be made under the folder. */
function within(file: string): string {
  const base = realpathSync(folder);
  const wanted = resolve(folder, file);
  const path = join(realpathSync(dirname(wanted)), basename(wanted));
  const way = relative(base, path);
  if (way === '' || way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way))
    throw new Error('outside of the data folder');
  return path;
}

/** All of it, or it throws. */
function writeAll(descriptor: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(descriptor, bytes, done, bytes.length - done, at + done);
}

function open({ n, file, rate, channels }: Extract<WriterAsk, { ask: 'open' }>): void {
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  const descriptor = openSync(within(file), O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0o600);
  files.set(n, { descriptor, rate, channels, bytes: 0 });
  writeAll(descriptor, writeWavHead(rate, channels, 0), 0);
}

function append({ n, block }: Extract<WriterAsk, { ask: 'block' }>): void {
  const file = files.get(n);
  if (file === undefined) return;
  const { descriptor, rate, channels } = file;
  if (file.bytes + block.byteLength > MOST_BYTES) throw new Error('the file is full');
  // WAV is little-endian, and so is every machine that Node runs on here.
  writeAll(
    descriptor,
    new Uint8Array(block.buffer, block.byteOffset, block.byteLength),
    WAV_HEAD_BYTES + file.bytes,
  );
  file.bytes += block.byteLength;
  writeAll(descriptor, writeWavHead(rate, channels, file.bytes), 0);
  tell({ n, told: 'written', size: block.byteLength, bytes: file.bytes });
}

function close(n: number): void {
  const file = files.get(n);
  if (file === undefined) return;
  files.delete(n);
  try {
    fdatasyncSync(file.descriptor);
  } finally {
    closeSync(file.descriptor);
  }
}

function handle(ask: WriterAsk): void {
  switch (ask.ask) {
    case 'open':
      return open(ask);
    case 'block':
      return append(ask);
    case 'close':
      close(ask.n);
      return tell({ n: ask.n, told: 'closed' });
  }
}

port.on('message', (ask: WriterAsk) => {
  try {
    handle(ask);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    tell({ n: ask.n, told: 'failed', why: code ?? message });
    // What is in it stays; its head says how much that is.
    try {
      close(ask.n);
    } catch {}
    if (ask.ask === 'close') tell({ n: ask.n, told: 'closed' });
  }
});
