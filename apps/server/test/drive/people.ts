import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IdentityChange } from '@sidetone/wire';
import { checkConfig } from '../../src/config/load.ts';
import { type IdentityService, openIdentity } from '../../src/identity/open.ts';
import { loadSecrets } from '../../src/identity/secrets.ts';
import { createLog } from '../../src/log.ts';

/** A data folder with the identity of a configuration, opened again as often as a test wants. */
export class People {
  readonly dir = mkdtempSync(join(tmpdir(), 'sidetone-people-'));
  /** What the clock says. */
  now = Date.UTC(2026, 0, 1);
  #open: IdentityService | undefined;

  async open(config: object = {}): Promise<IdentityService> {
    await this.#open?.close();
    const checked = checkConfig(config, 'test');
    if (!checked.ok) throw new Error(checked.error);
    const log = createLog('test', 'silent');
    this.#open = await openIdentity(checked.value, this.dir, loadSecrets(this.dir), log, () => this.now);
    await this.#open.enter();
    return this.#open;
  }

  async close(): Promise<void> {
    await this.#open?.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Gathers the changes that are told. */
export function changesOf(people: IdentityService): IdentityChange[] {
  const told: IdentityChange[] = [];
  people.identity.listen((change) => told.push(change));
  return told;
}
