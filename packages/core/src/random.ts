/**
 * The random source of a process or of a simulation. Machines receive ids in their inputs or draw them from here;
 * they never reach for a global one, so that a seed reproduces a run.
 */
export interface Random {
  /** A uniformly distributed integer in [0, bound), bound ≤ 2^32. */
  int(bound: number): number;
  /** `length` random bytes. */
  bytes(length: number): Uint8Array;
}

/** A seeded source (sfc32) for tests and simulations. Not for secrets. */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9 ^ seed;
  let b = 0x243f6a88;
  let c = 0xb7e15162;
  let d = 1;
  const next = (): number => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 15; i++) next();
  return {
    int: (bound) => Math.floor((next() / 4294967296) * bound),
    bytes: (length) => {
      const out = new Uint8Array(length);
      for (let i = 0; i < length; i++) out[i] = next() & 0xff;
      return out;
    },
  };
}

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

/** `length` random bytes as lower-case hex. */
export function hexId(random: Random, length: number): string {
  let out = '';
  for (const byte of random.bytes(length)) out += HEX[byte];
  return out;
}

/** A version 4 UUID (RFC 9562 §5.4). */
export function uuid(random: Random): string {
  const b = random.bytes(16);
  b[6] = (b[6]! & 0x0f) | 0x40;
  b[8] = (b[8]! & 0x3f) | 0x80;
  let out = '';
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) out += '-';
    out += HEX[b[i]!];
  }
  return out;
}
