import type { Direction } from '@sidetone/wire';

/**
 * What a description states about the direction of its audio: the attribute of the first audio section, else of the
 * session, else `sendrecv` (RFC 8866 §6.7). `c=0.0.0.0` is the hold of RFC 2543 and reads as `sendonly`
 * (RFC 3264 §8.4). Text that is no description reads as `sendrecv`; media refuses it.
 */
export function sessionDirection(sdp: string): Direction {
  let session: Direction | undefined;
  let audio: Direction | undefined;
  let nowhere = false;
  let section: 'session' | 'audio' | 'other' = 'session';
  let seen = false;
  for (const line of sdp.slice(0, 65_536).split(/\r?\n/)) {
    if (line.startsWith('m=')) {
      section = !seen && line.startsWith('m=audio ') ? 'audio' : 'other';
      seen ||= section === 'audio';
    } else if (line.startsWith('c=IN IP4 ') && section !== 'other') {
      nowhere = line.slice(9).trim() === '0.0.0.0';
    } else {
      const word = /^a=(sendrecv|sendonly|recvonly|inactive)\s*$/.exec(line)?.[1] as Direction | undefined;
      if (word !== undefined && section === 'session') session = word;
      if (word !== undefined && section === 'audio') audio = word;
    }
  }
  const stated = audio ?? session ?? 'sendrecv';
  return nowhere && (stated === 'sendrecv' || stated === 'recvonly') ? 'sendonly' : stated;
}
