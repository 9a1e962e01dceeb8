/** A WAV of one channel, 16-bit PCM; `junk`: octets of a chunk before the sound. */
export function wav(rate: number, pcm: Int16Array, junk = 0): Buffer {
  const extra = junk === 0 ? 0 : 8 + junk;
  const bytes = Buffer.alloc(44 + extra + 2 * pcm.length);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(2 * rate, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  if (junk > 0) {
    bytes.write('LIST', 36, 'latin1');
    bytes.writeUInt32LE(junk, 40);
  }
  bytes.write('data', 36 + extra, 'latin1');
  bytes.writeUInt32LE(2 * pcm.length, 40 + extra);
  for (const [i, sample] of pcm.entries()) bytes.writeInt16LE(sample, 44 + extra + 2 * i);
  return bytes;
}

export const sine = (hz: number, rate: number, ms: number, level = 0.3): Int16Array =>
  Int16Array.from({ length: (rate * ms) / 1000 }, (_, i) =>
    Math.round(32767 * level * Math.sin((2 * Math.PI * hz * i) / rate)),
  );
