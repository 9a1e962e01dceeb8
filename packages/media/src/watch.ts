import type { Ms } from '@sidetone/core';
import type { CodecName, Direction, MediaEvent } from '@sidetone/wire';
import type { LegWorld } from './leg-world.ts';
import type { MediaLimits } from './ports.ts';
import type { Report } from './report-log.ts';
import type { Failure } from './transport.ts';

/**
 * What becomes of a leg, told once each (a failure once more to a new owner):
 *
 *   negotiated ─▶ connected ─▶ media (first packet of the peer)
 *                     │            └─ nothing of it at all for the limit ─▶ failed rtp
 *                     ├─ nothing ever, while the counterpart speaks ─▶ one-way (a flag)
 *                     └─ ICE, DTLS ─▶ failed ice | dtls
 *
 * New signalling gives a failed leg another chance.
 */
export class Watch {
  readonly #leg: string;
  readonly #limits: MediaLimits;
  readonly #emit: (event: MediaEvent) => void;
  readonly #report: (report: Report) => Report;
  #since: Ms;
  #connectedAt: Ms | undefined;
  #heard = false;
  /** How it failed, as it was told. */
  #failed: Report | undefined;
  #flagged = false;

  constructor(leg: string, { limits, emit, report }: Pick<LegWorld, 'limits' | 'emit' | 'report'>, now: Ms) {
    this.#leg = leg;
    this.#limits = limits;
    this.#emit = emit;
    this.#report = report;
    this.#since = now;
  }

  negotiated(now: Ms): void {
    this.#since = now;
    this.#failed = undefined;
  }

  connected(now: Ms): void {
    this.#since = now;
    if (this.#connectedAt !== undefined) return;
    this.#connectedAt = now;
    this.#emit({ event: 'connected', leg: this.#leg });
  }

  /** A packet of the peer came; `codec` of the first. */
  heard(codec: CodecName): void {
    if (this.#heard) return;
    this.#heard = true;
    this.#emit({ event: 'media', leg: this.#leg, codec });
  }

  failed(why: Failure): void {
    if (this.#failed !== undefined) return;
    this.#failed = this.#report({ event: 'failed', leg: this.#leg, why });
  }

  /** A new owner, which does not say what it has read, has not heard how it failed. */
  tellAgain(): void {
    if (this.#failed !== undefined) this.#emit(this.#failed);
  }

  /**
   * `aliveAt`: the last packet of the peer of any kind; `spokenTo`: its counterpart is sending. RFC 3550 §6.3.5: whoever sends neither
   * RTP nor RTCP is gone.
   */
  check(now: Ms, direction: Direction, aliveAt: Ms | undefined, spokenTo: boolean): void {
    if (this.#failed !== undefined || this.#connectedAt === undefined) return;
    const limit = direction === 'sendrecv' ? this.#limits.rtpTimeoutMs : this.#limits.heldTimeoutMs;
    if (now - Math.max(this.#since, aliveAt ?? 0) > limit) return this.failed('rtp');
    const ms = now - this.#connectedAt;
    const expected = direction === 'sendrecv' || direction === 'recvonly';
    if (this.#flagged || this.#heard || !expected || !spokenTo || ms <= this.#limits.oneWayMs) return;
    this.#flagged = true;
    this.#emit({ event: 'one-way', leg: this.#leg, ms: Math.round(ms) });
  }
}
