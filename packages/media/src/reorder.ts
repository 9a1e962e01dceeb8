/**
 * Puts packets of one stream back in order for a decoder, with no delay while none is missing: a packet that is next goes
 * straight through; one that came too early waits for at most `DEPTH` others. Relayed streams do not pass here.
 */

/** Packets that may wait for a missing one: 40 ms of 20 ms frames. */
const DEPTH = 2;
/** A gap wider than this is a new start, not a loss. */
const MAX_GAP = 100;

interface Held {
  readonly seq: number;
  readonly timestamp: number;
  readonly payload: Uint8Array;
}

/** `lost`: how many packets are missing right before this one. */
export type Deliver = (payload: Uint8Array, timestamp: number, lost: number) => void;

export class Reorder {
  #expected: number | undefined;
  #held: Held[] = [];

  /** The payload is copied only if it has to wait. */
  push(seq: number, timestamp: number, payload: Uint8Array, deliver: Deliver): void {
    const ahead = this.#expected === undefined ? 0 : distance(this.#expected, seq);
    if (ahead > MAX_GAP || ahead < -MAX_GAP) {
      this.reset();
      this.#through(seq, timestamp, payload, 0, deliver);
      return;
    }
    if (ahead < 0) return;
    if (ahead === 0) {
      this.#through(seq, timestamp, payload, 0, deliver);
      this.#drain(deliver);
      return;
    }
    this.#held.push({ seq, timestamp, payload: payload.slice() });
    while (this.#held.length >= DEPTH) this.flush(deliver);
  }

  /** What is missing is waited for no longer: the first that waits goes through, and what follows it. */
  flush(deliver: Deliver): void {
    if (this.#held.length === 0) return;
    const { seq, timestamp, payload } = this.#takeFirst();
    this.#through(seq, timestamp, payload, distance(this.#expected ?? seq, seq), deliver);
    this.#drain(deliver);
  }

  reset(): void {
    this.#expected = undefined;
    this.#held = [];
  }

  #through(seq: number, timestamp: number, payload: Uint8Array, lost: number, deliver: Deliver): void {
    this.#expected = (seq + 1) & 0xffff;
    deliver(payload, timestamp, lost);
  }

  #drain(deliver: Deliver): void {
    for (let i = this.#held.findIndex((h) => h.seq === this.#expected); i >= 0; ) {
      const next = this.#held.splice(i, 1)[0]!;
      this.#through(next.seq, next.timestamp, next.payload, 0, deliver);
      i = this.#held.findIndex((h) => h.seq === this.#expected);
    }
  }

  #takeFirst(): Held {
    let first = 0;
    for (let i = 1; i < this.#held.length; i++) {
      if (distance(this.#held[first]!.seq, this.#held[i]!.seq) < 0) first = i;
    }
    return this.#held.splice(first, 1)[0]!;
  }
}

/** How far `to` lies after `from` on the 16-bit circle; negative: before. */
function distance(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}
