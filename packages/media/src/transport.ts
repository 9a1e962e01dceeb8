import type { Ms } from '@sidetone/core';
import type { MediaEvent } from '@sidetone/wire';

/** Room that a packet buffer must have after the packet, for an SRTP tag (16 octets) and an SRTCP index (4). */
export const TAIL = 24;

/** Why a leg fails, as the contract spells it. */
export type Failure = Extract<MediaEvent, { event: 'failed' }>['why'];

/** What a transport tells its leg. Packets come opened, from the approved source only. */
export interface TransportEvents {
  /** `packet[0..length)` is one RTP packet. The buffer may be changed in place. */
  rtp(packet: Uint8Array, length: number, now: Ms): void;
  rtcp(packet: Uint8Array, length: number, now: Ms): void;
  /** Something else of the peer came that proves it alive: a keep-alive (RFC 6263), a connectivity check (RFC 7675). */
  alive(now: Ms): void;
  /** Media may flow now. Once for each negotiated path. */
  connected(now: Ms): void;
  failed(why: Failure): void;
}

/** How a leg's packets travel. One implementation for browsers, one for carriers. */
export interface Transport {
  /** May something be sent? */
  readonly ready: boolean;
  /** Packets refused: unauthenticated, replayed, or from a foreign source. */
  readonly dropped: number;
  /** Sends `packet[0..length)`; the buffer has `TAIL` octets more and is the transport's from now on. */
  sendRtp(packet: Uint8Array, length: number): void;
  sendRtcp(packet: Uint8Array, length: number): void;
  /** Time passes; called at least every 100 ms. */
  tick(now: Ms): void;
  close(): void;
}
