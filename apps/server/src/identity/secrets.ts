import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Secrets of one deployment, made at the first start and kept in the data folder, readable by the owner only. */
export interface Secrets {
  /** Sign login tokens (HS512), 64 bytes each: the one that signs, and the one before it, whose tokens are still good. */
  readonly tokenKeys: readonly [Uint8Array, ...Uint8Array[]];
  /** Signs digest nonces, 32 bytes. */
  readonly nonceKey: Uint8Array;
  /** Sign webhooks (Ed25519, seeds of 32 bytes): the one that signs; the one that will, once it is activated; the one that did. */
  readonly webhookKeys: {
    readonly signing: Uint8Array;
    readonly next?: Uint8Array;
    readonly previous?: Uint8Array;
  };
}

interface SecretsFile {
  readonly token_key?: unknown;
  readonly previous_token_key?: unknown;
  readonly nonce_key?: unknown;
  readonly webhook_key?: unknown;
  readonly next_webhook_key?: unknown;
  readonly previous_webhook_key?: unknown;
}

const FILE = 'secrets.json';
const TOKEN_KEY_BYTES = 64;
const NONCE_KEY_BYTES = 32;
const WEBHOOK_KEY_BYTES = 32;

/** Reads the secrets of `dataDir`, or makes them. Throws with a sentence when the file is damaged. */
export function loadSecrets(dataDir: string): Secrets {
  const file = join(dataDir, FILE);
  if (!existsSync(file)) {
    write(file, {
      token_key: randomBytes(TOKEN_KEY_BYTES).toString('base64'),
      nonce_key: randomBytes(NONCE_KEY_BYTES).toString('base64'),
      webhook_key: newWebhookKey(),
    });
  }
  chmodSync(file, 0o600);
  let value = read(file);
  // Of a release before webhooks.
  if (value.webhook_key === undefined) write(file, (value = { ...value, webhook_key: newWebhookKey() }));
  const previous =
    value.previous_token_key === undefined
      ? []
      : [key(value.previous_token_key, TOKEN_KEY_BYTES, file, 'previous_token_key')];
  return {
    tokenKeys: [key(value.token_key, TOKEN_KEY_BYTES, file, 'token_key'), ...previous],
    nonceKey: key(value.nonce_key, NONCE_KEY_BYTES, file, 'nonce_key'),
    webhookKeys: {
      signing: seed(value, 'webhook_key', file)!,
      ...present('next', seed(value, 'next_webhook_key', file)),
      ...present('previous', seed(value, 'previous_webhook_key', file)),
    },
  };
}

const newWebhookKey = (): string => randomBytes(WEBHOOK_KEY_BYTES).toString('base64');

function seed(
  value: SecretsFile,
  name: 'webhook_key' | 'next_webhook_key' | 'previous_webhook_key',
  file: string,
): Uint8Array | undefined {
  if (value[name] === undefined) return undefined;
  const bytes = key(value[name], WEBHOOK_KEY_BYTES, file, name);
  if (bytes.length === WEBHOOK_KEY_BYTES) return bytes;
  throw new Error(`${file}: ${name} must hold ${WEBHOOK_KEY_BYTES} bytes`);
}

const present = <N extends string>(name: N, bytes: Uint8Array | undefined) =>
  (bytes === undefined ? {} : { [name]: bytes }) as { [K in N]?: Uint8Array };

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

/** A key that will sign webhooks once it is activated, so that receivers can know it before; one that waits already stays. */
export function prepareWebhookKey(dataDir: string): void {
  const file = join(dataDir, FILE);
  if (loadSecrets(dataDir).webhookKeys.next !== undefined) return;
  write(file, { ...read(file), next_webhook_key: newWebhookKey() });
}

/** The key that waits signs webhooks from the next start on. `false`: none waits. */
export function activateWebhookKey(dataDir: string): boolean {
  const file = join(dataDir, FILE);
  if (loadSecrets(dataDir).webhookKeys.next === undefined) return false;
  const { next_webhook_key, ...value } = read(file);
  write(file, { ...value, webhook_key: next_webhook_key, previous_webhook_key: value.webhook_key });
  return true;
}

function write(file: string, value: SecretsFile): void {
  const draft = `${file}.${process.pid}`;
  try {
    // Nothing could make them again: on the disk before they take the place of those before.
    writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flush: true });
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
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
