import { isIP } from 'node:net';
import type { Trunk } from '@sidetone/wire';

/** Trunks whose name cannot be resolved for a while: they keep the address they had. */
export class KeptTrunks {
  readonly #last = new Map<string, Trunk>();
  #unresolved: readonly string[] = [];

  /** What was looked up, with the last address in place of a name. */
  kept(resolved: readonly Trunk[]): readonly Trunk[] {
    const isResolved = ({ host }: Trunk): boolean => isIP(host) !== 0;
    for (const trunk of resolved) if (isResolved(trunk)) this.#last.set(trunk.name, trunk);
    this.#unresolved = resolved.filter((trunk) => !isResolved(trunk)).map(({ name }) => name);
    return resolved.map((trunk) => (isResolved(trunk) ? trunk : (this.#last.get(trunk.name) ?? trunk)));
  }

  get trouble(): string | undefined {
    const names = this.#unresolved.map((name) => (this.#last.has(name) ? name : `${name} (no address yet)`));
    return names.length === 0 ? undefined : `not resolved: ${names.join(', ')}`;
  }
}
