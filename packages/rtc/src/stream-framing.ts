import { ATTRIBUTE, parseStun } from './stun.ts';

/*
 * Packets on a TCP connection (RFC 4571 §2, used by ICE for every kind of packet: RFC 6544 §3):
 *
 *   ┌─────────┬────────────────┬─────────┬───
 *   │ LENGTH  │ LENGTH octets  │ LENGTH  │ …      LENGTH: 16 bits, network order
 *   └─────────┴────────────────┴─────────┴───
 */

/** The longest packet taken: beyond any MTU that media or DTLS uses. A longer one ends the stream. */
export const MAX_STREAM_PACKET = 2048;

/** Cuts a stream into packets. Keeps at most one unfinished packet. */
export interface StreamFramer {
  /**
   * Takes the next bytes and gives each whole packet to `packet`: a view into `chunk`, or a buffer of its own when it came in
   * pieces. `false`: the peer says that a packet is longer than `MAX_STREAM_PACKET`; where the next begins is unknown, and
   * nothing may be pushed any more.
   */
  push(chunk: Uint8Array, packet: (bytes: Uint8Array) => void): boolean;
  /** Octets of an unfinished packet, its length included. */
  readonly pending: number;
}

/** A framer at the start of a stream. */
export function createStreamFramer(): StreamFramer {
  return new Framer();
}

class Framer implements StreamFramer {
  pending = 0;
  #first = 0;
  #size = -1;
  #part: Uint8Array | undefined;

  push(chunk: Uint8Array, packet: (bytes: Uint8Array) => void): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#size < 0) {
        if (this.pending === 0) {
          this.#first = chunk[at++]!;
          this.pending = 1;
          continue;
        }
        const size = (this.#first << 8) | chunk[at++]!;
        if (size > MAX_STREAM_PACKET) return false;
        // A packet of no octets is allowed and says nothing.
        this.pending = size === 0 ? 0 : 2;
        this.#size = size === 0 ? -1 : size;
        continue;
      }
      const missing = this.#size - (this.pending - 2);
      const taken = Math.min(missing, chunk.length - at);
      if (this.pending === 2 && taken === missing) {
        this.#done();
        packet(chunk.subarray(at, at + taken));
      } else {
        this.#part ??= new Uint8Array(this.#size);
        this.#part.set(chunk.subarray(at, at + taken), this.pending - 2);
        this.pending += taken;
        if (taken === missing) {
          const whole = this.#part;
          this.#done();
          packet(whole);
        }
      }
      at += taken;
    }
    return true;
  }

  #done(): void {
    this.pending = 0;
    this.#size = -1;
    this.#part = undefined;
  }
}

/** Writes the length of a packet into `bytes[0..2)`; the packet, at most 65,535 octets, follows. */
export function writeStreamLength(bytes: Uint8Array, length: number): void {
  bytes[0] = length >> 8;
  bytes[1] = length;
}

/**
 * Whom a connectivity check is for: the first half of its USERNAME, which is the ufrag of the agent that is checked
 * (RFC 8445 §7.2.2). `null`: no Binding request with a USERNAME. Nothing is proven by it.
 */
export function checkedUfrag(packet: Uint8Array): string | null {
  const parsed = parseStun(packet);
  if (!parsed.ok || parsed.value.class !== 'request' || parsed.value.method !== 1) return null;
  const username = parsed.value.attributes.get(ATTRIBUTE.username);
  if (username === undefined || username.length > 513) return null;
  const colon = username.indexOf(0x3a);
  return colon <= 0 ? null : new TextDecoder().decode(username.subarray(0, colon));
}
