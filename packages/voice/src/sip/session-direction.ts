import { isUnspecified } from '@sidetone/core';
import { parseSdp } from '@sidetone/sdp';
import type { Direction } from '@sidetone/wire';

/**
 * What a description states about the direction of its audio. Without ICE, `c=0.0.0.0` (or `::`) is the hold of RFC 2543 and reads
 * as `sendonly` (RFC 3264 §8.4); with ICE it is a browser that has no candidate yet. A text that is no description
 * reads as `sendrecv`: media refuses it.
 */
export function sessionDirection(sdp: string): Direction {
  const parsed = parseSdp(sdp);
  const audio = parsed.ok
    ? parsed.value.media.find(({ kind, port }) => kind === 'audio' && port !== 0)
    : undefined;
  if (audio === undefined) return 'sendrecv';
  const nowhere = audio.ice === null && audio.address !== null && isUnspecified(audio.address);
  return nowhere && (audio.direction === 'sendrecv' || audio.direction === 'recvonly')
    ? 'sendonly'
    : audio.direction;
}
