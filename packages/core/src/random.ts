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

/** A string in one piece: one that is put together of small pieces takes twenty times its size while it lives. */
function hexOf(bytes: Uint8Array): string {
  const codes: number[] = [];
  for (const byte of bytes) codes.push(DIGITS[byte >> 4]!, DIGITS[byte & 15]!);
  return String.fromCharCode(...codes);
}

const DIGITS = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));

/** `length` random bytes as lower-case hex. */
export const hexId = (random: Random, length: number): string => hexOf(random.bytes(length));

/** A version 4 UUID (RFC 9562 §5.4). */
export function uuid(random: Random): string {
  const b = random.bytes(16);
  b[6] = (b[6]! & 0x0f) | 0x40;
  b[8] = (b[8]! & 0x3f) | 0x80;
  const hex = hexOf(b);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
