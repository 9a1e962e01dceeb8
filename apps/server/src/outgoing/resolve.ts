import { lookup, Resolver } from 'node:dns/promises';

/** Addresses of a name, IPv4 first. Rejects, or is empty, when there is none. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/**
 * Names without a dot that wait for the system's resolver, at most. One is asked at a time: it takes one of the process's four worker
 * threads for as long as a name server pleases, and files wait for the same threads.
 */
const MOST_WAITING = 50;

/**
 * Names of others are asked from the name servers directly; only names that the operator knows (`trusted`), and those without a dot
 * (`localhost`, a container's), go to the system's own resolver, the latter one after the other.
 */
export function systemResolve(trusted: (name: string) => boolean, ask: Resolve = bySystem): Resolve {
  const resolver = new Resolver({ timeout: 1000, tries: 2, maxTimeout: 2000 });
  let waiting = 0;
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn: Resolve = async (name) => {
    if (waiting >= MOST_WAITING) return [];
    waiting += 1;
    const asked = turn.then(() => ask(name)).finally(() => (waiting -= 1));
    turn = asked.catch(() => {});
    return await asked;
  };
  return async (name) => {
    if (trusted(name)) return await ask(name);
    if (!name.includes('.') || name.endsWith('.localhost')) return await inTurn(name);
    const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    return found.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  };
}

const bySystem: Resolve = async (name) =>
  (await lookup(name, { all: true, order: 'ipv4first' })).map(({ address }) => address);
