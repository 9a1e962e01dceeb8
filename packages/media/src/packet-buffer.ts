import { TAIL } from './transport.ts';

const SLAB = 256 * 1024;

/**
 * Where outgoing packets are built: pieces of a large buffer, cut off one after another and left to the garbage collector
 * with it. A piece is never used twice, since the operating system may still hold it when the next packet is built.
 */
export class PacketBuffers {
  #slab = Buffer.allocUnsafeSlow(SLAB);
  #at = 0;

  /** A piece with room for `length` octets and what encryption adds. */
  take(length: number): Uint8Array {
    const size = (length + TAIL + 7) & ~7;
    if (this.#at + size > SLAB) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB);
      this.#at = 0;
    }
    const piece = this.#slab.subarray(this.#at, this.#at + size);
    this.#at += size;
    return piece;
  }
}
