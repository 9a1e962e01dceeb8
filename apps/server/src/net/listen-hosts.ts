import { type Family, familyOf, isLoopbackAddress, isUnspecified } from '@sidetone/core';
import { machineAddresses } from './addresses.ts';
import { ListenError } from './listen-error.ts';

/** A configured host: one, or one for each family. */
export type Hosts = string | readonly string[];

export const hostsOf = (hosts: Hosts): readonly string[] => (typeof hosts === 'string' ? [hosts] : hosts);

/** `::` alone is every address of both families, as it is for most programs; with an IPv4 host beside it, it is those of IPv6. */
const isEverything = (hosts: readonly string[]): boolean => hosts.length === 1 && hosts[0] === '::';

/** The families that somebody listens in; names are looked up in IPv4. */
export const familiesOf = (hosts: Hosts): readonly Family[] => {
  const all = hostsOf(hosts);
  return isEverything(all) ? [4, 6] : [...new Set(all.map((host) => familyOf(host) ?? 4))];
};

/**
 * Opens something on each host, in order. When one cannot be opened, those before it are closed and its `ListenError` is thrown. A machine
 * without one of the families is well with `::` alone.
 */
export async function openEach<T extends { close(): void }>(
  hosts: Hosts,
  open: (host: string) => Promise<T>,
): Promise<readonly T[]> {
  const all = hostsOf(hosts);
  const lenient = isEverything(all);
  const opened: T[] = [];
  let missing: unknown;
  for (const host of lenient ? ['::', '0.0.0.0'] : all) {
    try {
      opened.push(await open(host));
    } catch (error) {
      missing = error;
      if (lenient && error instanceof ListenError && error.lacksFamily) continue;
      for (const one of opened) one.close();
      throw error;
    }
  }
  if (opened.length === 0) throw missing;
  return opened;
}

/**
 * What peers call us, one host for each family: as told, else where we listen, else (when that is everywhere) an address of the machine.
 * A name that is told stands for every family.
 */
export function publicHosts(
  sip: { readonly host: Hosts; readonly public_host?: Hosts | undefined },
  machine: readonly string[] = machineAddresses(),
): readonly [string, ...string[]] {
  const told = hostsOf(sip.public_host ?? []);
  const listened = hostsOf(sip.host);
  const families = familiesOf(sip.host);
  const found = families.map((family) => {
    const of = (hosts: readonly string[]) => hosts.filter((host) => (familyOf(host) ?? family) === family);
    const named = listened.filter((host) => !isUnspecified(host));
    const own = of(machine);
    return of(told)[0] ?? of(named)[0] ?? own.find((a) => !isLoopbackAddress(a)) ?? own[0];
  });
  const [first, ...rest] = [...new Set([...found, ...told])].filter((host) => host !== undefined);
  return [first ?? listened[0]!, ...rest];
}
