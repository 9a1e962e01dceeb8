import { BlockList } from 'node:net';
import { canonicalHost, familyOf, formatIp, parseIp } from '@sidetone/core';

/**
 * Which addresses the house connects to when somebody else names the place: those of the public Internet, and those that the operator
 * allows. Everything else (this machine, its networks, what has no owner) is refused: what answers there was not meant for strangers.
 */

/** IANA's registries of special-purpose addresses, and two places where clouds keep the secrets of a machine outside of them. */
const IPV4: readonly (readonly [network: string, what: string])[] = [
  ['0.0.0.0/8', 'unspecified'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'shared by a carrier (CGNAT)'],
  ['127.0.0.0/8', 'loopback'],
  ['168.63.129.16/32', 'a metadata service'],
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'reserved'],
  ['192.0.2.0/24', 'documentation'],
  ['192.88.99.0/24', 'reserved'],
  ['192.168.0.0/16', 'private'],
  ['198.18.0.0/15', 'reserved for benchmarks'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
];
/** Of IPv6 only 2000::/3 is given out; these parts of it are not, or stand for IPv4 addresses by a tunnel. */
const IPV6: readonly (readonly [network: string, what: string])[] = [
  ['2001::/23', 'reserved'],
  ['2001:db8::/32', 'documentation'],
  ['2002::/16', 'a tunnel (6to4)'],
  ['3fff::/20', 'documentation'],
];
/** The rest, so that a refusal can say what it is. */
const IPV6_OUTSIDE: readonly (readonly [network: string, what: string])[] = [
  ['::1/128', 'loopback'],
  ['::/128', 'unspecified'],
  ['fc00::/7', 'private'],
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'private'],
  ['ff00::/8', 'multicast'],
];

const list = (networks: readonly string[]): BlockList => {
  const found = new BlockList();
  for (const network of networks) add(found, network);
  return found;
};

/** @param entry an address, or a network by the length of its prefix */
function add(to: BlockList, entry: string): void {
  const [address, bits] = entry.split('/') as [string, string?];
  const family = familyOf(address) === 6 ? 'ipv6' : 'ipv4';
  if (bits === undefined) to.addAddress(canonicalHost(address), family);
  else to.addSubnet(address, Number(bits), family);
}

const compiled = (table: readonly (readonly [string, string])[]) =>
  table.map(([network, what]) => ({ networks: list([network]), what }));
const V4 = compiled(IPV4);
const V6 = compiled(IPV6);
const V6_OUTSIDE = compiled(IPV6_OUTSIDE);
const GIVEN_OUT = list(['2000::/3']);
const NAT64 = list(['64:ff9b::/96']);

/** What an address is, when it is none of the public Internet; `null`: it is. IPv4 inside IPv6, also of NAT64 (RFC 6052), counts as IPv4. */
export function specialUse(address: string): string | null {
  const plain = canonicalHost(address).split('%', 1)[0]!;
  const family = familyOf(plain);
  if (family === null) return 'no address';
  if (family === 4) return V4.find(({ networks }) => networks.check(plain, 'ipv4'))?.what ?? null;
  if (NAT64.check(plain, 'ipv6')) return specialUse(formatIp(parseIp(plain)!.subarray(12)));
  const what = V6.find(({ networks }) => networks.check(plain, 'ipv6'))?.what;
  if (what !== undefined) return what;
  if (GIVEN_OUT.check(plain, 'ipv6')) return null;
  return V6_OUTSIDE.find(({ networks }) => networks.check(plain, 'ipv6'))?.what ?? 'reserved';
}

export class AddressRules {
  readonly #names = new Set<string>();
  readonly #networks = new BlockList();

  /** @param allow host names, addresses and networks, valid as the configuration has them */
  constructor(allow: readonly string[]) {
    for (const entry of allow) {
      if (familyOf(entry.split('/', 1)[0]!) === null) this.#names.add(entry.toLowerCase());
      else add(this.#networks, entry);
    }
  }

  /** The operator trusts whatever this name leads to. */
  allowsName(host: string): boolean {
    return this.#names.has(host);
  }

  /** Why this address must not be reached under this name; `null`: it may be. */
  refusal(host: string, address: string): string | null {
    const what = specialUse(address);
    if (what === null || this.allowsName(host)) return null;
    const plain = canonicalHost(address).split('%', 1)[0]!;
    const family = familyOf(plain);
    if (family !== null && this.#networks.check(plain, family === 6 ? 'ipv6' : 'ipv4')) return null;
    return `${plain} is ${what}, and webhooks.allow does not name it`;
  }
}
