import { constants, type FileHandle, open, realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import type { Ms } from '@sidetone/core';
import { BROKEN, LATE, readWavHead, type SoundPort, type SoundReader, WAV_HEAD_LIMIT } from '@sidetone/media';

/** What is read at once: two seconds at 8000 samples a second, a third of one at 48,000. */
const PIECE = 32 * 1024;

/**
 * WAV files under a folder, for the engine to play. Each reader holds the beginning of its file, the piece that is being heard and the one
 * after it; nothing waits for the disk, and a file that is in memory as a whole is closed. What lies outside of the folder, also by a
 * link, does not exist.
 */
export function soundFiles(folder: string, log: (event: string, why: string) => void): SoundPort {
  return {
    async open(file, fromMs) {
      let handle: FileHandle | undefined;
      try {
        const path = await within(folder, file);
        if (path === undefined) throw new Error('outside of the data folder');
        handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
        const stat = await handle.stat();
        if (!stat.isFile()) throw new Error('no file');
        return await WavFile.open(handle, stat.size, fromMs);
      } catch (error) {
        await handle?.close().catch(() => {});
        // Without the path: names of files may come from customers.
        const { code, message } = error as NodeJS.ErrnoException;
        log('a sound cannot be played', code ?? message);
        return undefined;
      }
    },
  };
}

/** The true path of a file under the folder. */
async function within(folder: string, file: string): Promise<string | undefined> {
  const [base, path] = await Promise.all([realpath(folder), realpath(resolve(folder, file))]);
  const way = relative(base, path);
  return way === '' || way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way) ? undefined : path;
}

/** Octets of the file, from `at` on. */
interface Piece {
  readonly at: number;
  readonly bytes: Buffer;
}

class WavFile implements SoundReader {
  readonly rate: number;
  readonly samples: number;
  /** Where the samples begin and end. */
  readonly #first: number;
  readonly #end: number;
  readonly #start: Piece;
  #handle: FileHandle | undefined;
  #at: number;
  /** What has been read and not been heard; the start is always there. */
  #pieces: readonly Piece[] = [];
  #reading: Promise<void> | undefined;
  #broken = false;
  #closed = false;

  private constructor(
    handle: FileHandle,
    head: { readonly rate: number; readonly offset: number; readonly end: number },
    start: Piece,
    fromMs: Ms,
  ) {
    this.#handle = handle;
    this.rate = head.rate;
    this.#first = head.offset;
    this.#end = head.end;
    this.samples = (head.end - head.offset) >> 1;
    this.#start = start;
    this.#at = Math.min(head.end, head.offset + 2 * Math.floor((fromMs * head.rate) / 1000));
  }

  static async open(handle: FileHandle, size: number, fromMs: Ms): Promise<WavFile> {
    let bytes = await readAt(handle, 0, PIECE);
    let head = readWavHead(bytes);
    if (head === 'short' && bytes.length < size) {
      bytes = await readAt(handle, 0, WAV_HEAD_LIMIT);
      head = readWavHead(bytes);
    }
    if (typeof head === 'string') throw new Error(`no sound that can be played: ${head}`);
    const there = Math.max(head.offset, size);
    const stated = head.length === null ? there : Math.min(there, head.offset + head.length);
    const end = stated - ((stated - head.offset) & 1);
    // A head that fills what was read leaves nothing to begin a loop with.
    const start =
      bytes.length - head.offset >= PIECE / 2 || bytes.length >= end
        ? { at: 0, bytes }
        : { at: head.offset, bytes: await readAt(handle, head.offset, PIECE) };
    const file = new WavFile(handle, { rate: head.rate, offset: head.offset, end }, start, fromMs);
    if (start.at + start.bytes.length >= end) file.#closeHandle();
    else {
      // What is heard first is there when the file is.
      file.#readAhead();
      await file.#reading;
    }
    return file;
  }

  read(out: Int16Array): number {
    if (this.#at >= this.#end) return 0;
    const piece = this.#pieceAt(this.#at);
    if (piece === undefined) {
      if (this.#broken) return BROKEN;
      this.#readAhead();
      return LATE;
    }
    const offset = this.#at - piece.at;
    const most = Math.min(piece.bytes.length - offset, this.#end - this.#at) >> 1;
    const count = Math.min(out.length, most);
    for (let i = 0; i < count; i++) out[i] = piece.bytes.readInt16LE(offset + 2 * i);
    this.#at += 2 * count;
    this.#readAhead();
    return count;
  }

  rewind(): void {
    this.#at = this.#first;
    this.#readAhead();
  }

  close(): void {
    this.#closed = true;
    this.#pieces = [];
    // A file is not closed while it is being read.
    if (this.#reading === undefined) this.#closeHandle();
  }

  /** The piece that holds the two octets at `at`. */
  #pieceAt(at: number): Piece | undefined {
    const holds = (piece: Piece): boolean => at >= piece.at && at + 2 <= piece.at + piece.bytes.length;
    return holds(this.#start) ? this.#start : this.#pieces.find(holds);
  }

  /** Keeps the piece that is heard and the next; one read at a time. */
  #readAhead(): void {
    if (this.#reading !== undefined || this.#closed || this.#broken || this.#handle === undefined) return;
    const here = this.#pieceAt(this.#at);
    const at = here === undefined ? this.#at : here.at + (here.bytes.length & ~1);
    if (at >= this.#end || this.#pieceAt(at) !== undefined) return;
    this.#reading = readAt(this.#handle, at, PIECE).then(
      (bytes) => this.#arrived(bytes.length < 2 ? undefined : { at, bytes }),
      () => this.#arrived(undefined),
    );
  }

  #arrived(piece: Piece | undefined): void {
    this.#reading = undefined;
    if (this.#closed) return this.#closeHandle();
    // The file became shorter, or the disk fails.
    if (piece === undefined) this.#broken = true;
    else
      this.#pieces = [
        ...this.#pieces.filter((p) => this.#at < p.at + p.bytes.length && this.#at >= p.at),
        piece,
      ];
  }

  #closeHandle(): void {
    const handle = this.#handle;
    this.#handle = undefined;
    void handle?.close().catch(() => {});
  }
}

/** Up to `length` octets, fewer only at the end of the file. */
async function readAt(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, at + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
