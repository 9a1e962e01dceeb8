import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Secrets of one deployment, made at the first start and kept in the data folder, readable by the owner only. */
export interface Secrets {
  /** Signs login tokens (HS512), 64 bytes. */
  readonly tokenKey: Uint8Array;
  /** Signs digest nonces, 32 bytes. */
  readonly nonceKey: Uint8Array;
}

const FILE = 'secrets.json';

/** Reads the secrets of `dataDir`, or makes them. Throws with a sentence when the file is damaged. */
export function loadSecrets(dataDir: string): Secrets {
  const file = join(dataDir, FILE);
  if (!existsSync(file)) {
    const made = {
      token_key: randomBytes(64).toString('base64'),
      nonce_key: randomBytes(32).toString('base64'),
    };
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
    renameSync(draft, file);
  }
  chmodSync(file, 0o600);
  let value: { token_key?: unknown; nonce_key?: unknown };
  try {
    value = JSON.parse(readFileSync(file, 'utf8')) as typeof value;
  } catch {
    throw new Error(
      `${file} is damaged: it is not JSON; restore it from a backup, or remove it to make new secrets`,
    );
  }
  return {
    tokenKey: key(value.token_key, 64, file, 'token_key'),
    nonceKey: key(value.nonce_key, 32, file, 'nonce_key'),
  };
}

function key(value: unknown, length: number, file: string, name: string): Uint8Array {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : Buffer.alloc(0);
  if (bytes.length < length) throw new Error(`${file}: ${name} must hold at least ${length} bytes`);
  return bytes;
}
