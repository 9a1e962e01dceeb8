import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { sameHost } from '@sidetone/core';
import type { Trunk } from '@sidetone/wire';

interface Log {
  warn(fields: object, message: string): void;
}

/** What a trunk's name was resolved to. */
interface Known {
  readonly hostName: string;
  readonly host: string;
  readonly addresses: readonly string[];
}

/**
 * Trunks whose name cannot be resolved for a while: they keep the address they had, also in the process that follows. Of several
 * addresses the one that we call stays, as long as it is one of them: calls that are up go there.
 */
export class KeptTrunks {
  readonly #file: string | null;
  readonly #log: Log;
  #known: Readonly<Record<string, Known>>;
  #unresolved: readonly string[] = [];

  /** @param file where they are kept; without it they last as long as this process */
  constructor(file: string | null, log: Log) {
    this.#file = file;
    this.#log = log;
    this.#known = file === null ? {} : read(file);
  }

  /** What was looked up, with the last address in place of a name. */
  kept(resolved: readonly Trunk[]): readonly Trunk[] {
    const before = JSON.stringify(this.#known);
    const trunks = resolved.map((trunk) => this.#kept(trunk));
    this.#unresolved = resolved.filter(({ host }) => isIP(host) === 0).map(({ name }) => name);
    if (JSON.stringify(this.#known) !== before) this.#write();
    return trunks;
  }

  get trouble(): string | undefined {
    const names = this.#unresolved.map((name) => (name in this.#known ? name : `${name} (no address yet)`));
    return names.length === 0 ? undefined : `not resolved: ${names.join(', ')}`;
  }

  #kept(trunk: Trunk): Trunk {
    const known = Object.hasOwn(this.#known, trunk.name) ? this.#known[trunk.name] : undefined;
    const { hostName } = trunk;
    if (isIP(trunk.host) === 0) {
      // Not resolved: `host` is the name.
      return known?.hostName === trunk.host ? { ...trunk, ...known } : trunk;
    }
    if (hostName === undefined) return trunk;
    const addresses = trunk.addresses ?? [trunk.host];
    const stays = known?.hostName === hostName && addresses.some((address) => sameHost(address, known.host));
    const host = stays ? known.host : trunk.host;
    this.#known = { ...this.#known, [trunk.name]: { hostName, host, addresses } };
    return { ...trunk, host };
  }

  #write(): void {
    if (this.#file === null) return;
    try {
      writeFileSync(`${this.#file}.new`, JSON.stringify(this.#known), { mode: 0o600 });
      renameSync(`${this.#file}.new`, this.#file);
    } catch (error) {
      this.#log.warn({ err: error }, 'addresses of trunks cannot be kept');
    }
  }
}

/** What the process before has kept; nothing where it cannot be read, or says something else. */
function read(file: string): Readonly<Record<string, Known>> {
  try {
    const found: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof found !== 'object' || found === null) return {};
    return Object.fromEntries(Object.entries(found).filter(([, value]) => isKnown(value)));
  } catch {
    return {};
  }
}

function isKnown(value: unknown): value is Known {
  if (typeof value !== 'object' || value === null) return false;
  const { hostName, host, addresses } = value as Record<string, unknown>;
  return (
    typeof hostName === 'string' &&
    typeof host === 'string' &&
    isIP(host) !== 0 &&
    Array.isArray(addresses) &&
    addresses.every((address) => typeof address === 'string' && isIP(address) !== 0)
  );
}
