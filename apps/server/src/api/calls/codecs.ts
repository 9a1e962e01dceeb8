import type { CodecName } from '@sidetone/wire';
import { z } from 'zod';

const CODECS: Readonly<Record<string, CodecName>> = {
  OPUS: 'OPUS',
  PCMU: 'PCMU',
  G711U: 'PCMU',
  PCMA: 'PCMA',
  G711A: 'PCMA',
  G722: 'G722',
};

/** `preferred_codecs`: names between commas, most wanted first. Those we do not carry are passed over. */
export const codecs = z
  .string()
  .max(256)
  .describe('Names between commas, most wanted first: OPUS, PCMU, PCMA, G722. Others are passed over.');

/** `undefined`: none that we know, so our own order. */
export function codecsOf(list: string | undefined): readonly CodecName[] | undefined {
  const names = (list ?? '').split(',').map((name) => CODECS[name.trim().toUpperCase()]);
  const known = [...new Set(names.filter((name) => name !== undefined))];
  return known.length === 0 ? undefined : known;
}
