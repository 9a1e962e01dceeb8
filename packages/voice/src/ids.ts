import { Buffer } from 'node:buffer';
import { type Random, uuid } from '@sidetone/core';

/** The machine that has a leg; there is one. Four bytes in front of every id that leaves the house, read by our own edge alone. */
const SHARD = new Uint8Array(4);

/** A `call_control_id`: `v3:` and base64url of the shard and 20 random bytes. */
export const controlId = (random: Random): string =>
  `v3:${Buffer.from([...SHARD, ...random.bytes(20)]).toString('base64url')}`;

/** Ids drawn for a leg to come. */
export interface FreshLeg {
  readonly leg: string;
  readonly control: string;
}

export const freshLeg = (random: Random): FreshLeg => ({ leg: uuid(random), control: controlId(random) });
