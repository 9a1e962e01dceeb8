import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { HmacSha1 } from './sha1.ts';
import type { SessionKeys } from './srtp-keys.ts';

/**
 * Encryption and authentication of one direction and one of RTP/RTCP, in place. `clear` bytes stay readable (the header),
 * the packet ends at `length`. `index` is the 48-bit packet index (RTCP: the 31-bit one). `trailer` is the word that is
 * authenticated behind the packet: RTP's ROC, RTCP's E flag and index.
 */
export interface Transform {
  /** Bytes that `seal` adds. RTCP's index word is not among them. */
  readonly tagLength: number;
  seal(packet: Uint8Array, clear: number, length: number, ssrc: number, index: number): void;
  /** `false`: the tag is wrong; then the bytes may hold anything. `length` excludes tag and index word. */
  open(packet: Uint8Array, clear: number, length: number, ssrc: number, index: number): boolean;
}

const CM_TAG = 10;
const GCM_TAG = 16;
/** Counter blocks of one call: 1,600 bytes, more than a datagram carries. */
const MAX_BLOCKS = 100;
/** Keystream made ahead: so many packets of up to so many blocks (192 bytes: 20 ms of G.711, or of Opus below 76 kbit/s). */
const AHEAD = 8;
const AHEAD_BLOCKS = 12;

/** The longest packet that a transform takes. */
export const MAX_PACKET = 1500;

/**
 * AES_CM_128_HMAC_SHA1_80 (RFC 3711 §4.1.1, §4.2.1). Counter mode as one ECB call on a persistent object over the
 * counter blocks: a cipher object per packet costs several times more. The call itself costs more than the AES in it, and
 * the next indices are known, so the keystream of the next packets of a stream is made along.
 */
export class CounterMode implements Transform {
  readonly tagLength = CM_TAG;
  readonly #ecb: { update(data: Uint8Array): Buffer };
  readonly #hmac: HmacSha1;
  readonly #rtcp: boolean;
  readonly #salt: DataView;
  readonly #counters = new Uint8Array(MAX_BLOCKS * 16);
  readonly #view = new DataView(this.#counters.buffer);
  readonly #slices: Uint8Array[] = [];
  readonly #tag = new Uint8Array(CM_TAG);
  /** Keystream for packets `#base`, `#base` + 1, … of `#ssrc`; -1: none. */
  #stream: Uint8Array = new Uint8Array(0);
  #ssrc = 0;
  #base = -1;

  constructor(keys: SessionKeys, rtcp: boolean) {
    const cipher = createCipheriv('aes-128-ecb', createSecretKey(keys.key), null);
    cipher.setAutoPadding(false);
    this.#ecb = cipher;
    this.#hmac = new HmacSha1(keys.auth);
    this.#rtcp = rtcp;
    const salt = new Uint8Array(16);
    salt.set(keys.salt);
    this.#salt = new DataView(salt.buffer);
    for (let n = 0; n <= MAX_BLOCKS; n++) this.#slices.push(this.#counters.subarray(0, n * 16));
  }

  seal(packet: Uint8Array, clear: number, length: number, ssrc: number, index: number): void {
    this.#crypt(packet, clear, length, ssrc, index);
    if (this.#rtcp) {
      putIndex(packet, length, index);
      this.#hmac.sign(packet, length + 4, -1, packet, length + 4, CM_TAG);
    } else {
      this.#hmac.sign(packet, length, Math.floor(index / 65_536), packet, length, CM_TAG);
    }
  }

  open(packet: Uint8Array, clear: number, length: number, ssrc: number, index: number): boolean {
    const tag = this.#tag;
    let at = length;
    if (this.#rtcp) {
      at += 4;
      this.#hmac.sign(packet, at, -1, tag, 0, CM_TAG);
    } else {
      this.#hmac.sign(packet, at, Math.floor(index / 65_536), tag, 0, CM_TAG);
    }
    let difference = 0;
    for (let i = 0; i < CM_TAG; i++) difference |= tag[i]! ^ packet[at + i]!;
    if (difference !== 0) return false;
    this.#crypt(packet, clear, length, ssrc, index);
    return true;
  }

  #crypt(packet: Uint8Array, from: number, to: number, ssrc: number, index: number): void {
    const blocks = (to - from + 15) >> 4;
    let stream = this.#stream;
    let k = 0;
    const slot = ssrc === this.#ssrc && this.#base >= 0 ? index - this.#base : AHEAD;
    if (this.#rtcp || blocks > AHEAD_BLOCKS || slot < 0) {
      this.#count(0, blocks, ssrc, index);
      stream = this.#ecb.update(this.#slices[blocks]!);
    } else if (slot < AHEAD) {
      k = slot * AHEAD_BLOCKS * 16;
    } else {
      for (let i = 0; i < AHEAD; i++) this.#count(i * AHEAD_BLOCKS, AHEAD_BLOCKS, ssrc, index + i);
      stream = this.#ecb.update(this.#slices[AHEAD * AHEAD_BLOCKS]!);
      this.#stream = stream;
      this.#ssrc = ssrc;
      this.#base = index;
    }
    for (let i = from; i < to; i++, k++) packet[i]! ^= stream[k]!;
  }

  /** Counter blocks of one packet: IV = salt·2^16 ⊕ ssrc·2^64 ⊕ index·2^16; the low 16 bits count blocks. */
  #count(first: number, blocks: number, ssrc: number, index: number): void {
    const view = this.#view;
    const salt = this.#salt;
    const w0 = salt.getInt32(0);
    const w1 = salt.getInt32(4) ^ ssrc;
    const w2 = salt.getInt32(8) ^ Math.floor(index / 65_536);
    const w3 = salt.getInt32(12) ^ ((index % 65_536) << 16);
    for (let i = 0, p = first * 16; i < blocks; i++, p += 16) {
      view.setInt32(p, w0);
      view.setInt32(p + 4, w1);
      view.setInt32(p + 8, w2);
      view.setInt32(p + 12, w3 | i);
    }
  }
}

/** AEAD_AES_128_GCM (RFC 7714). A `KeyObject`, since raw keys are several times dearer per packet. */
export class Gcm implements Transform {
  readonly tagLength = GCM_TAG;
  readonly #key: KeyObject;
  readonly #rtcp: boolean;
  readonly #salt: DataView;
  readonly #iv = new Uint8Array(12);
  readonly #ivView = new DataView(this.#iv.buffer);
  /** RTCP's associated data: header and index word. */
  readonly #aad = new Uint8Array(12);

  constructor(keys: SessionKeys, rtcp: boolean) {
    this.#key = createSecretKey(keys.key);
    this.#rtcp = rtcp;
    const salt = new Uint8Array(12);
    salt.set(keys.salt);
    this.#salt = new DataView(salt.buffer);
  }

  seal(packet: Uint8Array, clear: number, length: number, ssrc: number, index: number): void {
    this.#prepare(ssrc, index);
    const cipher = createCipheriv('aes-128-gcm', this.#key, this.#iv);
    cipher.setAAD(this.#associated(packet, clear, index));
    if (length > clear) packet.set(cipher.update(packet.subarray(clear, length)), clear);
    cipher.final();
    packet.set(cipher.getAuthTag(), length);
    if (this.#rtcp) putIndex(packet, length + GCM_TAG, index);
  }

  open(packet: Uint8Array, clear: number, length: number, ssrc: number, index: number): boolean {
    this.#prepare(ssrc, index);
    const decipher = createDecipheriv('aes-128-gcm', this.#key, this.#iv);
    decipher.setAAD(this.#associated(packet, clear, index));
    decipher.setAuthTag(packet.subarray(length, length + GCM_TAG));
    const plain = length > clear ? decipher.update(packet.subarray(clear, length)) : null;
    try {
      decipher.final();
    } catch {
      return false;
    }
    if (plain !== null) packet.set(plain, clear);
    return true;
  }

  /** §8.1, §9.1: IV = salt ⊕ (0·2^80 | ssrc·2^48 | index). */
  #prepare(ssrc: number, index: number): void {
    const salt = this.#salt;
    const iv = this.#ivView;
    const high = Math.floor(index / 65_536);
    iv.setUint16(0, salt.getUint16(0));
    iv.setInt32(2, salt.getInt32(2) ^ ssrc);
    iv.setInt32(6, salt.getInt32(6) ^ high);
    iv.setUint16(10, salt.getUint16(10) ^ (index % 65_536));
  }

  #associated(packet: Uint8Array, clear: number, index: number): Uint8Array {
    if (!this.#rtcp) return packet.subarray(0, clear);
    this.#aad.set(packet.subarray(0, 8));
    putIndex(this.#aad, 8, index);
    return this.#aad;
  }
}

/** The SRTCP word: E = 1 (encrypted) and the index. */
function putIndex(bytes: Uint8Array, at: number, index: number): void {
  bytes[at] = 0x80 | (index >>> 24);
  bytes[at + 1] = index >>> 16;
  bytes[at + 2] = index >>> 8;
  bytes[at + 3] = index;
}
