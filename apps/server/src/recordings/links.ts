import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { EpochMs, Ms } from '@sidetone/core';

/** So long a link is good. */
export const LINK_MS: Ms = 600_000;
/** Where the files of recordings are fetched from us. */
export const LINK_PATH = '/recordings/';

const TYPES = { wav: 'audio/wav', mp3: 'audio/mpeg' } as const;
export type FileFormat = keyof typeof TYPES;
export const typeOf = (format: FileFormat): string => TYPES[format];

/**
 * Links to recordings: whoever has one may fetch that file until it expires, with a plain GET. Its name, its format and the time are
 * signed, so none can be made or changed by others.
 */
export class Links {
  readonly #base: string;
  readonly #key: Uint8Array;

  /** `secret` is of this deployment; it signs other things under other names. */
  constructor(base: string, secret: Uint8Array) {
    this.#base = base.replace(/\/+$/, '');
    this.#key = new Uint8Array(hkdfSync('sha256', secret, '', 'sidetone recording links', 32));
  }

  make(id: string, format: FileFormat, now: EpochMs): string {
    const expires = Math.ceil((now + LINK_MS) / 1000);
    const signature = this.#sign(`${id}.${format}`, String(expires));
    return `${this.#base}${LINK_PATH}${id}.${format}?expires=${expires}&signature=${signature}`;
  }

  /** What a link names. `expired`: it was good. */
  read(
    file: string,
    expires: string | undefined,
    signature: string | undefined,
    now: EpochMs,
  ): { readonly id: string; readonly format: FileFormat } | 'expired' | null {
    const named = /^([0-9a-f-]{36})\.(wav|mp3)$/.exec(file);
    if (named === null || !/^[0-9]{1,12}$/.test(expires ?? '') || signature?.length !== 43) return null;
    const ours = Buffer.from(this.#sign(file, expires!));
    const theirs = Buffer.from(signature);
    if (theirs.length !== ours.length || !timingSafeEqual(ours, theirs)) return null;
    if (Number(expires) * 1000 < now) return 'expired';
    return { id: named[1]!, format: named[2] as FileFormat };
  }

  #sign(file: string, expires: string): string {
    return createHmac('sha256', this.#key).update(`${file}\n${expires}`).digest('base64url');
  }
}
