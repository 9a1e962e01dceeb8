import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Secrets of one deployment, made at the first start and kept in the data folder, readable by the owner only. */
export interface Secrets {
  /** Sign login tokens (HS512), 64 bytes each: the one that signs, and the one before it, whose tokens are still good. */
  readonly tokenKeys: readonly [Uint8Array, ...Uint8Array[]];
  /** Signs digest nonces, 32 bytes. */
  readonly nonceKey: Uint8Array;
}

interface SecretsFile {
  readonly token_key?: unknown;
  readonly previous_token_key?: unknown;
  readonly nonce_key?: unknown;
}

const FILE = 'secrets.json';
const TOKEN_KEY_BYTES = 64;
const NONCE_KEY_BYTES = 32;

/** Reads the secrets of `dataDir`, or makes them. Throws with a sentence when the file is damaged. */
export function loadSecrets(dataDir: string): Secrets {
  const file = join(dataDir, FILE);
  if (!existsSync(file)) {
    write(file, {
      token_key: randomBytes(TOKEN_KEY_BYTES).toString('base64'),
      nonce_key: randomBytes(NONCE_KEY_BYTES).toString('base64'),
    });
  }
  chmodSync(file, 0o600);
  const value = read(file);
  const previous =
    value.previous_token_key === undefined
      ? []
      : [key(value.previous_token_key, TOKEN_KEY_BYTES, file, 'previous_token_key')];
  return {
    tokenKeys: [key(value.token_key, TOKEN_KEY_BYTES, file, 'token_key'), ...previous],
    nonceKey: key(value.nonce_key, NONCE_KEY_BYTES, file, 'nonce_key'),
  };
}

/** A new key signs login tokens from the next start on; tokens of the present one stay good until the next rotation. */
export function rotateTokenKey(dataDir: string): void {
  const file = join(dataDir, FILE);
  loadSecrets(dataDir);
  const value = read(file);
  write(file, {
    ...value,
    token_key: randomBytes(TOKEN_KEY_BYTES).toString('base64'),
    previous_token_key: value.token_key,
  });
}

function write(file: string, value: SecretsFile): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}

function read(file: string): SecretsFile {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as SecretsFile;
  } catch {
    throw new Error(
      `${file} is damaged: it is not JSON; restore it from a backup, or remove it to make new secrets`,
    );
  }
}

function key(value: unknown, length: number, file: string, name: string): Uint8Array {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : Buffer.alloc(0);
  if (bytes.length < length) throw new Error(`${file}: ${name} must hold at least ${length} bytes`);
  return bytes;
}
