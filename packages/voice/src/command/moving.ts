import { uuid } from '@sidetone/core';
import type { DequeueReason } from '@sidetone/wire';
import type { Leg } from '../leg/leg.ts';
import type { Bridge } from '../place/bridge-draft.ts';
import type { Place } from '../place/place.ts';
import type { Desk } from './desk.ts';

/** Takes a leg from where it is to another place, or to none, where it is parked. */
export function moveLeg(
  { legs }: Desk,
  { id, place: from }: Leg,
  place: Place | null,
  reason: DequeueReason = place === null ? 'leave' : 'bridged',
): void {
  if (from?.in === 'bridge' && from.side !== 'supervisor') legs.toBridge(from.id, { type: 'leaves' });
  legs.post(id, { type: 'placed', place, reason });
}

export function openBridge(desk: Desk, session: string, facts: Partial<Bridge>): string {
  const id = uuid(desk.options.random);
  desk.begin.openBridge({ id, session, ...facts });
  return id;
}

/** Two legs leave where they are and become, or are, a conversation. */
export function join(
  desk: Desk,
  leg: Leg,
  other: Leg,
  facts: Partial<Bridge> & { readonly mutes?: readonly [self: boolean, opposite: boolean] },
): void {
  const { mutes = [false, false], ...bridge } = facts;
  const id = openBridge(desk, leg.session, bridge);
  const reason = isTalking(leg) && isTalking(other) ? 'bridged' : 'bridging-in-process';
  for (const [side, one, mute] of [
    ['a', leg, mutes[0]],
    ['b', other, mutes[1]],
  ] as const)
    moveLeg(desk, one, { in: 'bridge', id, side, ...(mute ? { mutes: true as const } : {}) }, reason);
}

const isTalking = ({ state }: Leg): boolean => state.name === 'up';

export const areTogether = ({ place }: Leg, other: Leg): boolean =>
  place?.in === 'bridge' &&
  other.place?.in === 'bridge' &&
  place.id === other.place.id &&
  place.side !== 'supervisor' &&
  other.place.side !== 'supervisor';
