import type { Ms, Random } from '@sidetone/core';

/**
 * The numbers of the one RTP stream that a leg's peer hears: one SSRC, and sequence numbers and timestamps that run on
 * whatever feeds it (RFC 3550 §5.1). A feeder is the counterpart's stream, the player, or the digit sender; when it
 * changes, the stream is re-anchored: the next sequence number, the timestamp advanced by the time that passed, marker.
 *
 * Relayed packets keep their distance from the anchor, so that loss and reordering stay visible to the receiver. What is
 * older than the anchor is dropped: its number may already have been used, and an SRTP index must never be used twice
 * (RFC 3711 §9.1).
 */
export class StreamOut {
  readonly ssrc: number;
  /** Of the packet just numbered. */
  seq = 0;
  timestamp = 0;
  marker = false;
  packets = 0;
  octets = 0;

  #next: number;
  #lastTimestamp: number;
  #lastAt: Ms | undefined;
  #feeder = 0;
  #duration = 0;
  #highestIn = 0;
  #baseOut = 0;
  #offset = 0;
  #baseTimestamp = 0;
  #baseInTimestamp = 0;
  #eventTimestamp = 0;

  constructor(random: Random) {
    this.ssrc = random.int(2 ** 32);
    // Below 2^15, so that a receiver's guess of the rollover counter is right from the start (RFC 3711 §3.3.1).
    this.#next = random.int(0x8000);
    this.#lastTimestamp = random.int(2 ** 32);
  }

  /** When the last audio packet left. */
  get lastAt(): Ms | undefined {
    return this.#lastAt;
  }

  /** The timestamp that the media clock would show at `now`. */
  timestampAt(now: Ms, rate: number): number {
    if (this.#lastAt === undefined) return this.#lastTimestamp;
    return (this.#lastTimestamp + Math.round(((now - this.#lastAt) * rate) / 1000)) >>> 0;
  }

  /** Numbers a packet of `duration` timestamp units made here. `skipped`: units of silence before it. */
  generated(feeder: number, now: Ms, rate: number, duration: number, skipped = 0): void {
    if (feeder === this.#feeder) {
      this.timestamp = (this.#lastTimestamp + this.#duration + skipped) >>> 0;
      this.marker = skipped > 0;
    } else {
      this.#anchor(feeder, now, rate);
    }
    this.seq = this.#next++ & 0xffff;
    this.#duration = duration;
    this.#lastTimestamp = this.timestamp;
    this.#lastAt = now;
  }

  /** Numbers a relayed packet; `false`: it is older than this stream may still send. */
  relayed(feeder: number, seq: number, timestamp: number, marker: boolean, now: Ms, rate: number): boolean {
    const ahead = ((seq - this.#highestIn) << 16) >> 16;
    // A jump this far is another stream under the same name (RFC 3550 appendix A.1, MAX_DROPOUT).
    if (feeder !== this.#feeder || ahead > 3000 || ahead < -3000) {
      this.#anchor(feeder, now, rate);
      this.#baseTimestamp = this.timestamp;
      this.#baseInTimestamp = timestamp;
      this.#highestIn = seq;
      this.#baseOut = this.#next;
      this.#offset = this.#next;
      this.seq = this.#next++ & 0xffff;
      this.#lastTimestamp = this.timestamp;
      this.#lastAt = now;
      this.#duration = 0;
      return true;
    }
    const out = this.#offset + ahead;
    if (out < this.#baseOut) return false;
    this.timestamp = (this.#baseTimestamp + (timestamp - this.#baseInTimestamp)) >>> 0;
    this.marker = marker;
    this.seq = out & 0xffff;
    if (ahead > 0) {
      this.#highestIn = seq;
      this.#offset = out;
      this.#next = out + 1;
      this.#lastTimestamp = this.timestamp;
      this.#lastAt = now;
    }
    return true;
  }

  /**
   * Numbers a packet of a telephone-event; all of one event carry the time of its start (RFC 4733 §2.5.1.2), and those of a later
   * segment that of the segment, `offset` units behind it (§2.5.1.3).
   */
  event(first: boolean, now: Ms, rate: number, offset = 0): void {
    if (first) {
      this.#anchor(0, now, rate);
      this.#lastTimestamp = this.timestamp;
      this.#lastAt = now;
      this.#eventTimestamp = this.timestamp;
    } else {
      this.#feeder = 0;
      this.timestamp = (this.#eventTimestamp + offset) >>> 0;
      this.marker = false;
    }
    this.seq = this.#next++ & 0xffff;
  }

  #anchor(feeder: number, now: Ms, rate: number): void {
    const elapsed = this.#lastAt === undefined ? 0 : Math.round(((now - this.#lastAt) * rate) / 1000);
    // At least one 20 ms frame: two packets never share a timestamp.
    const least = this.#lastAt === undefined ? 0 : rate / 50;
    this.timestamp = (this.#lastTimestamp + Math.max(elapsed, least)) >>> 0;
    this.marker = true;
    this.#feeder = feeder;
  }
}
