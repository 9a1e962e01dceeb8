import type { CodecName } from '@sidetone/wire';
import type { Leg } from './leg.ts';

/** Moves `first` to the front of `codecs` when it is one of them; the rest keeps its order. */
export function preferring(codecs: readonly CodecName[], first: readonly CodecName[]): readonly CodecName[] {
  const wanted = first.filter((name, i) => codecs.includes(name) && first.indexOf(name) === i);
  return [...wanted, ...codecs.filter((name) => !wanted.includes(name))];
}

/**
 * Codecs for the caller's leg once the callee's codec is known. Media takes the first that the caller offered, and
 * transcodes when the two sides differ.
 *
 * `capacity` (and any call between our own users): the callee's codec first, so that nothing is transcoded where the
 * caller speaks it too. `quality`: Opus first on a browser's leg, whatever the carrier has.
 */
export function callerCodecs(
  codecs: readonly CodecName[],
  policy: 'quality' | 'capacity',
  callee: CodecName | null,
  browser: boolean,
): readonly CodecName[] {
  if (policy === 'quality' && browser) return preferring(codecs, ['OPUS']);
  return callee === null ? codecs : preferring(codecs, [callee]);
}

/** Codecs for a client that a carrier calls: its own order, or under `capacity` the carrier's first. */
export function calleeCodecs(
  codecs: readonly CodecName[],
  policy: 'quality' | 'capacity',
  caller: readonly CodecName[],
): readonly CodecName[] {
  return policy === 'capacity' ? preferring(codecs, caller) : codecs;
}

/** What a re-offer on this leg may use: what it speaks already goes first. */
export const codecsOf = (leg: Pick<Leg, 'codec' | 'codecs'>): Leg['codecs'] =>
  leg.codec === null ? leg.codecs : preferring(leg.codecs, [leg.codec]);
