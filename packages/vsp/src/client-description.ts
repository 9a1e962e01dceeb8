import { withDirection } from '@sidetone/sdp';
import type { Direction } from '@sidetone/wire';

/** Directions as the other side states them (RFC 3264 §6.1). */
const MIRROR: Readonly<Record<Direction, Direction>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

/** The first direction that a description states; `sendrecv` by default (RFC 8866 §6.7). */
export function statedDirection(sdp: string): Direction {
  const word = /^a=(sendrecv|sendonly|recvonly|inactive)\r?$/m.exec(sdp)?.[1];
  return word === undefined ? 'sendrecv' : (word as Direction);
}

/**
 * The client's answer to an offer of the platform that the client never hears of: its last description, with the mirror of
 * the offered direction, narrowed while the client holds (a holding client sends and does not listen). `actpass` is no word for an
 * answer (RFC 8842 §5.3).
 */
export function answerFor(clientSdp: string, offered: Direction, held: boolean): string {
  const mirrored = MIRROR[offered];
  const direction = !held
    ? mirrored
    : mirrored === 'recvonly' || mirrored === 'inactive'
      ? 'inactive'
      : 'sendonly';
  return withDirection(clientSdp, direction).replace(/^a=setup:actpass/gm, 'a=setup:active');
}

const attribute = (sdp: string, name: string): readonly string[] => {
  const value = new RegExp(`^a=${name}:([^\\r\\n]{1,256})`, 'm').exec(sdp)?.[1];
  return value === undefined ? [] : [`a=${name}:${value}`];
};

/** Do both speak of the same transport: the same ICE credentials and the same certificate? */
export const sameTransport = (a: string, b: string): boolean =>
  ['ice-ufrag', 'fingerprint'].every((name) => attribute(a, name)[0] === attribute(b, name)[0]);
