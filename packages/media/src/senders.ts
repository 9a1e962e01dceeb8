import type { Ms } from '@sidetone/core';

/** A stream that comes to a port. */
export interface Sender {
  readonly address: string;
  readonly port: number;
  /** `null`: not known, so any stream from there counts as this one. */
  readonly ssrc: number | null;
  readonly since: Ms;
  readonly at: Ms;
}

const MOST = 16;

/** The last few senders to a port, each with its last stream. */
export class Senders {
  readonly #byPlace = new Map<string, Sender>();

  note(address: string, port: number, ssrc: number | null, now: Ms): void {
    const place = placeOf(address, port);
    const before = this.#byPlace.get(place);
    const same = before !== undefined && (before.ssrc === null || before.ssrc === ssrc);
    this.#byPlace.delete(place);
    this.#byPlace.set(place, { address, port, ssrc, since: same ? before.since : now, at: now });
    if (this.#byPlace.size > MOST) this.#byPlace.delete(this.#byPlace.keys().next().value!);
  }

  take(sender: Sender): void {
    this.#byPlace.set(placeOf(sender.address, sender.port), sender);
  }

  find(address: string, port: number): Sender | undefined {
    return this.#byPlace.get(placeOf(address, port));
  }

  forget(address: string, port: number): void {
    this.#byPlace.delete(placeOf(address, port));
  }

  all(): Iterable<Sender> {
    return this.#byPlace.values();
  }

  /** Has anyone sent since? */
  heardSince(at: Ms): boolean {
    for (const sender of this.#byPlace.values()) if (sender.at >= at) return true;
    return false;
  }
}

const placeOf = (address: string, port: number): string => `${address} ${port}`;

/** The SSRC that an RTP or RTCP packet names first; `null` when it is neither. */
export function ssrcOf(packet: Uint8Array): number | null {
  if (packet.length < 8 || packet[0]! >> 6 !== 2) return null;
  const at = isRtcp(packet) ? 4 : 8;
  if (packet.length < at + 4) return null;
  return ((packet[at]! << 24) | (packet[at + 1]! << 16) | (packet[at + 2]! << 8) | packet[at + 3]!) >>> 0;
}

/** RFC 5761 §4: how RTCP is told from RTP on one port. */
export const isRtcp = (packet: Uint8Array): boolean => packet[1]! >= 192 && packet[1]! <= 223;
