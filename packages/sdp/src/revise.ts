import type { Direction } from './description.ts';

/**
 * The text with the direction of every media section replaced and the origin version raised by one: turns the last
 * description of a client into a hold or resume offer. Everything else stays byte for byte; a text without `o=` or `m=`
 * comes back unchanged.
 */
export function withDirection(sdp: string, direction: Direction): string {
  throw new Error(sdp + direction);
}

/** Do two descriptions of one peer speak of the same transport: same ICE ufrag and fingerprint (plain RTP: same address and port)? */
export function sameTransport(a: string, b: string): boolean {
  throw new Error(a + b);
}
