/**
 * HMAC-SHA1 (RFC 2104) with the two key blocks hashed beforehand: per SRTP packet this is several times cheaper than a
 * `createHmac` object, which must be made anew for every tag. Checked against node:crypto by property test.
 */
export class HmacSha1 {
  readonly #inner = new Int32Array(5);
  readonly #outer = new Int32Array(5);
  readonly #state = new Int32Array(5);
  /** The last one or two blocks: rest of the message, appended word, padding, bit length. */
  readonly #tail = new Uint8Array(128);

  /** `key`: at most 64 bytes. */
  constructor(key: Uint8Array) {
    const block = new Uint8Array(64);
    start(this.#inner);
    for (let i = 0; i < 64; i++) block[i] = (key[i] ?? 0) ^ 0x36;
    compress(this.#inner, block, 0);
    start(this.#outer);
    for (let i = 0; i < 64; i++) block[i] = (key[i] ?? 0) ^ 0x5c;
    compress(this.#outer, block, 0);
    block.fill(0);
  }

  /** The tag over `bytes[0..length)` and, with `appended` ≥ 0, four more bytes (SRTP's ROC); at most 20 bytes to `out`. */
  sign(
    bytes: Uint8Array,
    length: number,
    appended: number,
    out: Uint8Array,
    at: number,
    tagLength: number,
  ): void {
    const state = this.#state;
    state.set(this.#inner);
    const whole = length - (length % 64);
    for (let i = 0; i < whole; i += 64) compress(state, bytes, i);
    const tail = this.#tail;
    tail.fill(0);
    let used = 0;
    for (let i = whole; i < length; i++) tail[used++] = bytes[i]!;
    let total = length;
    if (appended >= 0) {
      tail[used++] = appended >>> 24;
      tail[used++] = appended >>> 16;
      tail[used++] = appended >>> 8;
      tail[used++] = appended;
      total += 4;
    }
    this.#close(used, total);

    for (let i = 0; i < 5; i++) putWord(tail, i * 4, state[i]!);
    tail.fill(0, 20, 64);
    state.set(this.#outer);
    this.#close(20, 20);

    for (let i = 0; i < tagLength; i++) out[at + i] = state[i >> 2]! >>> (24 - 8 * (i & 3));
  }

  /** Padding after `used` bytes of the tail; `total` message bytes after the key block. */
  #close(used: number, total: number): void {
    const tail = this.#tail;
    tail[used] = 0x80;
    const end = used < 56 ? 64 : 128;
    putWord(tail, end - 4, (64 + total) * 8);
    compress(this.#state, tail, 0);
    if (end === 128) compress(this.#state, tail, 64);
  }
}

function start(state: Int32Array): void {
  state[0] = 0x67452301;
  state[1] = 0xefcdab89;
  state[2] = 0x98badcfe;
  state[3] = 0x10325476;
  state[4] = 0xc3d2e1f0;
}

function putWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24;
  bytes[at + 1] = word >>> 16;
  bytes[at + 2] = word >>> 8;
  bytes[at + 3] = word;
}

const W = new Int32Array(80);

/** One block of FIPS 180-4 §6.1.2; the four round functions in four loops. */
function compress(state: Int32Array, bytes: Uint8Array, at: number): void {
  for (let i = 0, p = at; i < 16; i++, p += 4) {
    W[i] = (bytes[p]! << 24) | (bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!;
  }
  for (let i = 16; i < 80; i++) {
    const x = W[i - 3]! ^ W[i - 8]! ^ W[i - 14]! ^ W[i - 16]!;
    W[i] = (x << 1) | (x >>> 31);
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  let t = 0;
  for (let i = 0; i < 20; i++) {
    t = (((a << 5) | (a >>> 27)) + (d ^ (b & (c ^ d))) + e + 0x5a827999 + W[i]!) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = t;
  }
  for (let i = 20; i < 40; i++) {
    t = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + 0x6ed9eba1 + W[i]!) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = t;
  }
  for (let i = 40; i < 60; i++) {
    t = (((a << 5) | (a >>> 27)) + ((b & c) | (d & (b | c))) + e + 0x8f1bbcdc + W[i]!) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = t;
  }
  for (let i = 60; i < 80; i++) {
    t = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + 0xca62c1d6 + W[i]!) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = t;
  }
  state[0] = (state[0]! + a) | 0;
  state[1] = (state[1]! + b) | 0;
  state[2] = (state[2]! + c) | 0;
  state[3] = (state[3]! + d) | 0;
  state[4] = (state[4]! + e) | 0;
}
