import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { epoch } from '../clock.ts';
import { loadConfig } from '../config/load.ts';
import { LoginTokens } from '../identity/login-token.ts';
import { isVisible, userName } from '../identity/objects.ts';
import { openDirectoryStore } from '../identity/open.ts';
import { Registry } from '../identity/registry.ts';
import { loadSecrets } from '../identity/secrets.ts';
import { dataFolder } from './data-folder.ts';
import { fail } from './fail.ts';

const MOST_NAMES = 20;

/** `sidetone token USER`: prints a login token for a user (of a connection or a credential), valid for 24 hours. */
export async function token(options: {
  readonly user: string;
  readonly config: string | undefined;
  readonly data: string;
}): Promise<void> {
  const loaded = loadConfig(options.config);
  if (!loaded.ok) return fail(loaded.error);
  const dataDir = dataFolder(options.data);
  if (dataDir === undefined) return;
  if (!existsSync(join(dataDir, 'secrets.json'))) {
    return fail(
      `${dataDir} has no secrets yet; start "sidetone serve --data ${options.data}" once, or name the right folder with --data`,
    );
  }
  const store = await openDirectoryStore(loaded.value, dataDir);
  try {
    const registry = await Registry.open(store);
    const user = registry.named(userName(options.user));
    if (user === undefined) {
      const names = [...registry.all()]
        .filter((object) => object.kind === 'connection' && isVisible(object))
        .map((object) => String(object.doc['user_name']));
      const shown = names.slice(0, MOST_NAMES).join(', ') + (names.length > MOST_NAMES ? ', …' : '');
      return fail(`there is no user ${options.user}; the users are ${shown || '(none)'}`);
    }
    const expires = user.doc['expires_at'];
    const tokens = new LoginTokens(loadSecrets(dataDir).tokenKeys);
    const subject = {
      id: user.id,
      accountId: user.account,
      ...(typeof expires === 'string' ? { expiresAt: Date.parse(expires) } : {}),
    };
    process.stdout.write(`${await tokens.mint(subject, epoch())}\n`);
  } finally {
    await store.close();
  }
}
