import { lookup, Resolver } from 'node:dns/promises';

/** Addresses of a name, IPv4 first. Rejects, or is empty, when there is none. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/**
 * Names of others are asked from the name servers directly. The system's own resolver takes one of the process's few worker threads for
 * as long as a name server pleases, and files wait for the same threads; only names that the operator knows (`trusted`), and those
 * without a dot (`localhost`, a container's), go there.
 */
export function systemResolve(trusted: (name: string) => boolean): Resolve {
  const resolver = new Resolver({ timeout: 1000, tries: 2, maxTimeout: 2000 });
  return async (name) => {
    if (trusted(name) || !name.includes('.') || name.endsWith('.localhost'))
      return (await lookup(name, { all: true, order: 'ipv4first' })).map(({ address }) => address);
    const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    return found.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  };
}
