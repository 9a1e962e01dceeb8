import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { chmodSync, existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'store.key';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** One block of AES, which is a permutation: a mark of the place, and the number. */
const MASK_BYTES = 16;

const placeMark = (place: string): Buffer =>
  createHash('sha256')
    .update(place)
    .digest()
    .subarray(0, MASK_BYTES / 2);
const MARK = 'v1.';

/**
 * Seals what must be readable again (SIP passwords: digest needs them, the API returns them) with AES-256-GCM before it reaches
 * the store. Bound to its place (`id field`), so that a sealed value copied elsewhere does not open.
 */
export class Vault {
  /** Key objects: made of bytes for each use, they take three times as long as the work. */
  readonly #key: KeyObject;
  readonly #maskKey: KeyObject;

  /** @param key 32 bytes */
  constructor(key: Uint8Array) {
    if (key.length !== KEY_BYTES) throw new Error(`${FILE} must hold ${KEY_BYTES} bytes`);
    this.#key = createSecretKey(key);
    this.#maskKey = createSecretKey(createHmac('sha256', key).update('mask').digest());
  }

  seal(text: string, place: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(place));
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return MARK + sealed.toString('base64url');
  }

  /** A number as opaque text, always the same: what counts for all accounts together tells none of them about the others. */
  mask(value: number, place: string): string {
    const block = Buffer.alloc(MASK_BYTES);
    placeMark(place).copy(block);
    block.writeBigUInt64BE(BigInt(value), MASK_BYTES / 2);
    const cipher = createCipheriv('aes-256-ecb', this.#maskKey, null).setAutoPadding(false);
    return Buffer.concat([cipher.update(block), cipher.final()]).toString('hex');
  }

  /** The number behind the text; `undefined` when it is none of ours, or of another place. */
  unmask(text: string, place: string): number | undefined {
    if (!/^[0-9a-f]{32}$/.test(text)) return undefined;
    const cipher = createDecipheriv('aes-256-ecb', this.#maskKey, null).setAutoPadding(false);
    const block = Buffer.concat([cipher.update(Buffer.from(text, 'hex')), cipher.final()]);
    if (!block.subarray(0, MASK_BYTES / 2).equals(placeMark(place))) return undefined;
    return Number(block.readBigUInt64BE(MASK_BYTES / 2));
  }

  /** Throws when the key or the place is another one, or the value was changed. */
  open(sealed: string, place: string): string {
    try {
      if (!sealed.startsWith(MARK)) throw new Error('unknown form');
      const bytes = Buffer.from(sealed.slice(MARK.length), 'base64url');
      const body = bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES);
      const cipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      })
        .setAAD(Buffer.from(place))
        .setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
      return Buffer.concat([cipher.update(body), cipher.final()]).toString('utf8');
    } catch {
      throw new Error(
        `${FILE} does not open the secrets of this database; restore the key that belongs to it`,
      );
    }
  }
}

/** The vault of a data folder; its key is made at the first start. Throws with a sentence when the key is damaged. */
export function loadVault(dataDir: string): Vault {
  const file = join(dataDir, FILE);
  if (!existsSync(file)) {
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, `${randomBytes(KEY_BYTES).toString('base64')}\n`, { mode: 0o600 });
    try {
      // Unlike a rename, a link does not replace the key that another process made at the same moment.
      linkSync(draft, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(draft);
    }
  }
  chmodSync(file, 0o600);
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64');
  if (key.length !== KEY_BYTES)
    throw new Error(`${file} is damaged: it must hold ${KEY_BYTES} bytes in base64`);
  return new Vault(key);
}
