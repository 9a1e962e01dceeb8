import { readFileSync, writeFileSync } from 'node:fs';

/** One channel of 16-bit PCM as a RIFF file. */
export function wavOf(samples: Int16Array, rate: number): Buffer {
  const data = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(36 + data.length, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

export function writeWav(path: string, samples: Int16Array, rate: number): void {
  writeFileSync(path, wavOf(samples, rate));
}

/**
 * The first channel of a 16-bit PCM file. A file that is still being written has a data length of 0 or too large: what
 * is there is taken.
 */
export function readWav(path: string): { readonly samples: Int16Array; readonly rate: number } {
  const file = readFileSync(path);
  let rate = 0;
  let channels = 1;
  for (let at = 12; at + 8 <= file.length; ) {
    const name = file.toString('latin1', at, at + 4);
    const declared = file.readUInt32LE(at + 4);
    if (name === 'fmt ' && at + 24 <= file.length) {
      channels = file.readUInt16LE(at + 10);
      rate = file.readUInt32LE(at + 12);
    }
    if (name === 'data') {
      const available = file.length - at - 8;
      const length = declared === 0 || declared > available ? available : declared;
      const frames = Math.floor(length / (2 * channels));
      const samples = new Int16Array(frames);
      for (let i = 0; i < frames; i++) samples[i] = file.readInt16LE(at + 8 + i * 2 * channels);
      return { samples, rate };
    }
    at += 8 + declared + (declared & 1);
  }
  return { samples: new Int16Array(0), rate };
}
