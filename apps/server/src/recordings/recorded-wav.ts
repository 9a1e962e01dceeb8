import { fstatSync, readSync } from 'node:fs';
import { WAV_HEAD_BYTES } from '@sidetone/media';

/** The sound of a file that media has written, piece by piece: interleaved samples of 16 bits. */
export class RecordedWav {
  readonly rate: number;
  readonly channels: 1 | 2;
  /** Samples of each channel. */
  readonly frames: number;
  readonly #descriptor: number;

  /** Throws when it is none. Octets behind what the head says are a block that was not finished. */
  constructor(descriptor: number) {
    const head = Buffer.alloc(WAV_HEAD_BYTES);
    if (readSync(descriptor, head, 0, WAV_HEAD_BYTES, 0) < WAV_HEAD_BYTES) throw new Error('no head');
    if (head.toString('latin1', 0, 4) !== 'RIFF' || head.toString('latin1', 36, 40) !== 'data')
      throw new Error('not a recording');
    const [channels, rate] = [head.readUInt16LE(22), head.readUInt32LE(24)];
    if ((channels !== 1 && channels !== 2) || rate < 8000 || rate > 48_000)
      throw new Error('not a recording');
    const there = Math.max(0, fstatSync(descriptor).size - WAV_HEAD_BYTES);
    this.rate = rate;
    this.channels = channels;
    this.frames = Math.floor(Math.min(there, head.readUInt32LE(40)) / (2 * channels));
    this.#descriptor = descriptor;
  }

  /** The samples of all channels from one frame to another. */
  *pieces(from: number, to: number, framesOfPiece = 16_384): Generator<Int16Array> {
    const width = 2 * this.channels;
    for (let at = from; at < to; at += framesOfPiece) {
      const bytes = Buffer.alloc(Math.min(framesOfPiece, to - at) * width);
      const got = readSync(this.#descriptor, bytes, 0, bytes.length, WAV_HEAD_BYTES + at * width);
      if (got < bytes.length) throw new Error('the file is shorter than it was');
      yield new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
    }
  }
}
