import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Trunk } from '@sidetone/wire';

const REFRESH_MS = 60_000;

/**
 * Trunks by address: a carrier given by name is looked up at start and every minute, since calls from it are accepted by
 * source address. A name that cannot be resolved keeps its last address, or its name (and then matches nothing).
 */
export async function resolveTrunks(
  named: readonly Trunk[],
  unresolved: (host: string) => void,
): Promise<readonly Trunk[]> {
  return await Promise.all(
    named.map(async (trunk) => {
      if (isIP(trunk.host) !== 0) return trunk;
      try {
        const { address } = await lookup(trunk.host, { family: 4 });
        return { ...trunk, host: address, hostName: trunk.host };
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
  update: (resolved: readonly Trunk[]) => void,
  unresolved: (host: string) => void,
): () => void {
  if (named.every((trunk) => isIP(trunk.host) !== 0)) return () => {};
  const timer = setInterval(() => void resolveTrunks(named, unresolved).then(update), REFRESH_MS);
  timer.unref();
  return () => clearInterval(timer);
}
