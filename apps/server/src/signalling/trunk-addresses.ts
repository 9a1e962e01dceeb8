import { lookup } from 'node:dns/promises';
import { canonicalHost, type Family, familyOf } from '@sidetone/core';
import type { Trunk } from '@sidetone/wire';

const REFRESH_MS = 60_000;

/**
 * Trunks by address: a carrier given by name is looked up at start and every minute, since calls from it are accepted by
 * source address, of any that the name has. We call the first of a family in which SIP is spoken, an IPv4 one before others: that is what
 * carriers know their customers by. A name that cannot be resolved keeps its last address, or its name (and then matches nothing).
 */
export async function resolveTrunks(
  named: readonly Trunk[],
  families: readonly Family[],
  unresolved: (host: string) => void,
): Promise<readonly Trunk[]> {
  return await Promise.all(
    named.map(async (trunk) => {
      if (familyOf(trunk.host) !== null) return trunk;
      try {
        const found = (await lookup(trunk.host, { all: true })).map(({ address }) => canonicalHost(address));
        const ofFamily = (family: Family) =>
          families.includes(family) ? found.find((address) => familyOf(address) === family) : undefined;
        const host = ofFamily(4) ?? ofFamily(6);
        if (host === undefined) throw new Error('no address of a family in which SIP is spoken');
        return { ...trunk, host, hostName: trunk.host, addresses: found };
      } catch {
        unresolved(trunk.host);
        return trunk;
      }
    }),
  );
}

/** Keeps the addresses fresh; returns the function that stops it. Nothing to do when all trunks are addresses. */
export function keepTrunksResolved(
  named: readonly Trunk[],
  families: readonly Family[],
  update: (resolved: readonly Trunk[]) => void,
  unresolved: (host: string) => void,
): () => void {
  if (named.every((trunk) => familyOf(trunk.host) !== null)) return () => {};
  const timer = setInterval(() => void resolveTrunks(named, families, unresolved).then(update), REFRESH_MS);
  timer.unref();
  return () => clearInterval(timer);
}
