import { Buffer } from 'node:buffer';
import { timingSafeEqual } from 'node:crypto';
import type { Ms } from '@sidetone/core';
import { type Flow, hostOf, keyedMac, type NameAddr, type Uri } from '@sidetone/sip';
import { applicationAt, type Identity } from '@sidetone/wire';

/*
 * Who has no login and calls an application that takes calls from anyone. A datagram says what it likes of its source, and a call has
 * sound sent to somebody: so by UDP a stranger is told once, statelessly, to come again (302), by a Contact that only its address has got.
 */

/** Nothing; come in; or come again by this Contact. */
export type Welcome = 'no' | 'in' | NameAddr;

/** Of the Contact. */
const PARAM = 'came';
const WINDOW_MS: Ms = 60_000;

/** What a stranger at the end of this flow gets who calls `uri`. */
export function welcome(
  uri: Uri,
  flow: Flow,
  identity: Identity,
  isOurHost: (host: string) => boolean,
  secret: Uint8Array,
  now: Ms,
): Welcome {
  const there = isOurHost(uri.host) ? undefined : applicationAt(identity, uri.host);
  if (there?.subdomain?.from !== 'anyone') return 'no';
  if (flow.transport !== 'udp') return 'in';
  const window = Math.floor(now / WINDOW_MS);
  const shown = Buffer.from(uri.params[PARAM] ?? '');
  const isDue = (due: Buffer): boolean => due.length === shown.length && timingSafeEqual(due, shown);
  if ([window, window - 1].some((one) => isDue(proof(secret, flow, one)))) return 'in';
  const params = { ...uri.params, [PARAM]: proof(secret, flow, window).toString() };
  return { uri: { ...uri, params }, params: {} };
}

const proof = (secret: Uint8Array, flow: Flow, window: number): Buffer =>
  Buffer.from(
    keyedMac(secret)
      .update(`stranger\0${hostOf(flow)}\0${window}`)
      .digest()
      .subarray(0, 12)
      .toString('hex'),
  );
