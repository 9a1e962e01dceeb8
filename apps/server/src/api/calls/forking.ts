import { familyOf } from '@sidetone/core';
import type { ForkAsk, ForkTarget } from '@sidetone/wire';
import { z } from 'zod';
import { badField, CODE } from '../errors.ts';
import { present } from './fields.ts';

/** `udp:address:port`, an IPv6 address in brackets. */
function targetIn(value: string): ForkTarget | undefined {
  const [, host = '', digits = ''] = /^udp:(?:\/\/)?(\[[^\]]*\]|[^:[\]]*):(\d{1,5})$/.exec(value) ?? [];
  const address = host.replace(/^\[|\]$/g, '');
  const port = Number(digits);
  return familyOf(address) === null || port < 1 || port > 65_535 ? undefined : { address, port };
}

const target = z
  .string()
  .max(128)
  .transform((value, context) => {
    const read = targetIn(value);
    if (read !== undefined) return read;
    context.addIssue({ code: 'custom', message: 'must be udp:, an IP address, a colon and a port' });
    return z.NEVER;
  });

export const FORK = {
  rx: target.optional().describe('udp:address:port; gets what the party sends, as RTP.'),
  tx: target.optional().describe('udp:address:port; gets what the party is sent, as RTP.'),
  target: target.optional().describe('Gets both.'),
  stream_type: z
    .enum(['raw', 'decrypted'])
    .optional()
    .describe('Without effect: what is copied is never encrypted.'),
};
export const FORK_STOP = { stream_type: FORK.stream_type };

export function forkOf(body: {
  readonly rx?: ForkTarget | undefined;
  readonly tx?: ForkTarget | undefined;
  readonly target?: ForkTarget | undefined;
}): ForkAsk {
  const ask = present({ rx: body.rx ?? body.target, tx: body.tx ?? body.target });
  if (ask.rx === undefined && ask.tx === undefined)
    throw badField('/rx', 'One of rx, tx, target is required.', CODE.missing);
  return ask;
}
