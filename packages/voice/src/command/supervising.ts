import type { Refusal, SupervisorRole } from '@sidetone/wire';
import { isEnding, type Leg } from '../leg/leg.ts';
import { type Decision, type Desk, findLiveLeg, isRefusal, type Of } from './desk.ts';
import { moveLeg } from './moving.ts';

/* Supervisors of two who talk: they come with a call of their own, and the bridge is a room while they are there. */

const FIELD = 'supervise_call_control_id';
const ALONE: Refusal = {
  why: 'badField',
  field: FIELD,
  detail: 'This call talks with nobody: only a leg that is bridged can be supervised.',
};

const talks = ({ registry }: Desk, { place }: Leg): boolean =>
  place?.in === 'bridge' && place.side !== 'supervisor' && registry.bridges.get(place.id)?.state === 'up';

/** The leg that is to be supervised. */
export function supervisedBy(desk: Desk, account: string, control: string): Leg | Refusal {
  const leg = findLiveLeg(desk, control, account, FIELD);
  return isRefusal(leg) || talks(desk, leg) ? leg : ALONE;
}

/** A supervisor has answered. Whether there is still somebody to supervise. */
export function supervise(
  desk: Desk,
  leg: Leg,
  { leg: of, role }: { readonly leg: string; readonly role: SupervisorRole },
): boolean {
  const supervised = desk.registry.legs.get(of);
  if (supervised === undefined || isEnding(supervised) || !talks(desk, supervised)) return false;
  const { place } = supervised;
  if (place?.in !== 'bridge') return false;
  moveLeg(desk, leg, { in: 'bridge', id: place.id, side: 'supervisor', role, of });
  desk.legs.post(leg.id, { type: 'bridged' });
  return true;
}

export function switchRole({ legs }: Desk, { role }: Of<'switchRole'>, { id, place }: Leg): Decision {
  if (place?.in === 'conference') return () => legs.post(id, { type: 'member', change: { role } });
  if (place?.in !== 'bridge' || place.side !== 'supervisor')
    return { why: 'badField', detail: 'This call supervises no other.' };
  return () => legs.post(id, { type: 'role', role });
}
