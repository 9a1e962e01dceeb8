import type { CodecName } from '@sidetone/wire';
import type { Branch } from './branch.ts';

/** Moves `first` to the front of `codecs` when it is one of them; the rest keeps its order. */
export function preferring(codecs: readonly CodecName[], first: readonly CodecName[]): readonly CodecName[] {
  const wanted = first.filter((name, i) => codecs.includes(name) && first.indexOf(name) === i);
  return [...wanted, ...codecs.filter((name) => !wanted.includes(name))];
}

/**
 * Codecs for a leg that calls us once the codec of `other`, who is called, is known. Media takes the first that was offered, and
 * transcodes when the two sides differ.
 *
 * `capacity` (and any call between our own users): the other's codec first, so that nothing is transcoded where both speak it.
 * `quality`: Opus first on a browser's leg, whatever the carrier has.
 */
export function answerCodecs(own: Branch, other: Branch | undefined): readonly CodecName[] {
  if (other === undefined) return own.codecs;
  if (other.policy === 'quality' && own.webrtc) return preferring(own.codecs, ['OPUS']);
  return other.media.codec === null ? own.codecs : preferring(own.codecs, [other.media.codec]);
}

/** Codecs for a client that a carrier calls: its own order, or under `capacity` the carrier's first. */
export function calleeCodecs(
  codecs: readonly CodecName[],
  policy: 'quality' | 'capacity',
  caller: readonly CodecName[],
): readonly CodecName[] {
  return policy === 'capacity' ? preferring(codecs, caller) : codecs;
}

/** What a re-offer on this branch may use: what it speaks already goes first. */
export const codecsOf = ({ codecs, media: { codec } }: Branch): readonly CodecName[] =>
  codec === null ? codecs : preferring(codecs, [codec]);
