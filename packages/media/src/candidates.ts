import { familyOf, isLoopbackAddress, isUnspecified } from '@sidetone/core';
import { audioOf, type Candidate, type SessionDescription } from '@sidetone/sdp';
import type { Datagrams, MediaEngineOptions } from './ports.ts';

type Where = Pick<MediaEngineOptions, 'addresses' | 'publicAddress'>;

/** RFC 8445 §5.1.2.1: type preference of host candidates, and RFC 6544 §4.2 of those on TCP. */
const UDP_HOST = 126;
const TCP_HOST = 90;
/** RFC 6544 §4.2: direction preference of a passive host candidate, above 13 bits of our own. */
const PASSIVE = 4 << 13;

/** The name by which peers know one of our addresses: behind a one-to-one NAT it is another. */
export function advertised(address: string, { addresses, publicAddress }: Where): string {
  if (publicAddress === undefined) return address;
  const family = familyOf(publicAddress);
  const translated = addresses.find((a) => !isLoopbackAddress(a) && familyOf(a) === family);
  return address === translated ? publicAddress : address;
}

/**
 * What a WebRTC leg offers: each UDP socket in the order of configuration, then the TCP port of all legs. The translated
 * address is told under both its names, the public one first, for peers on our side of the NAT.
 */
export function hostCandidates(
  sockets: readonly Datagrams[],
  streams: MediaEngineOptions['streams'],
  where: Where,
): readonly Candidate[] {
  const udp = sockets.flatMap(({ address, port }) =>
    names(address, where).map((name) => ({ address: name, port })),
  );
  const tcp = (streams?.addresses ?? []).flatMap((address) =>
    names(address, where).map((name) => ({ address: name, port: streams!.port })),
  );
  return [
    ...udp.map(
      (at, i): Candidate => ({
        foundation: String(i + 1),
        component: 1,
        transport: 'udp',
        priority: UDP_HOST * 2 ** 24 + (65_535 - i) * 256 + 255,
        ...at,
        type: 'host',
      }),
    ),
    ...tcp.map(
      (at, i): Candidate => ({
        foundation: String(udp.length + i + 1),
        component: 1,
        transport: 'tcp',
        priority: TCP_HOST * 2 ** 24 + (PASSIVE + 8191 - i) * 256 + 255,
        ...at,
        type: 'host',
        tcpType: 'passive',
      }),
    ),
  ];
}

/** The default candidate (RFC 8839 §4.2.1.2): of the family of the peer's own default, or of IPv4, which more peers know. */
export function defaultOf(candidates: readonly Candidate[], peer?: SessionDescription): string {
  const theirs = audioOf(peer, true)?.address ?? '';
  const family = isUnspecified(theirs) ? 4 : (familyOf(theirs) ?? 4);
  return (candidates.find(({ address }) => familyOf(address) === family) ?? candidates[0]!).address;
}

function names(address: string, where: Where): readonly string[] {
  const name = advertised(address, where);
  return name === address ? [address] : [name, address];
}
