import { type Family, familyOf, isLoopbackAddress } from '@sidetone/core';
import { audioOf, reachable, reachOf, type SessionDescription } from '@sidetone/sdp';
import type { LegKind } from '@sidetone/wire';

/** The address of a plain peer, when its description names one. */
export function plainPeer(description: SessionDescription): string | undefined {
  const audio = audioOf(description, false);
  return reachOf(audio, false) === null ? undefined : (audio?.address ?? undefined);
}

/** What we can reach of a peer, by its description; `null`: nothing, and nobody waits half a minute for checks that cannot come. */
export function withinReach(
  description: SessionDescription,
  kind: LegKind,
  addresses: readonly string[],
): SessionDescription | null {
  const ours = addresses.map(familyOf).filter((family) => family !== null);
  return reachable(description, kind === 'webrtc', ours);
}

/**
 * Which of our addresses speaks to a plain peer: the first of its family, on loopback towards this machine; `undefined`: there is
 * none. Towards one that names no address (yet): the first of the family that is wanted, or of IPv4, which more peers have, or of all.
 */
export function addressTowards(
  addresses: readonly string[],
  peer: string | undefined,
  wanted: Family = 4,
): string | undefined {
  const own = addresses.filter((a) => familyOf(a) === (peer === undefined ? wanted : familyOf(peer)));
  if (peer === undefined) return own[0] ?? addresses[0];
  return (isLoopbackAddress(peer) ? own.find(isLoopbackAddress) : undefined) ?? own[0];
}

/**
 * The same towards a phone whose signalling comes from another place than it describes: the description tells the family, the
 * signalling the network.
 */
export function addressFor(
  addresses: readonly string[],
  peer: string | undefined,
  from: string | undefined,
): string | undefined {
  const apart = from === undefined || (peer !== undefined && familyOf(from) !== familyOf(peer));
  return addressTowards(addresses, apart ? peer : from) ?? addressTowards(addresses, peer);
}
