import type { EpochMs, Ms } from '@sidetone/core';
import type { CallRecord } from '@sidetone/wire';
import type { Branch } from './branch.ts';
import { CAUSE, type Ending, rank } from './ending.ts';
import { endingOf, type Leg, mainOf } from './leg.ts';

/** Of the branches of a leg that nobody answered, the one whose refusal counts (RFC 3261 §16.7). */
function foremost({ branches }: Leg): Branch | undefined {
  return branches.reduce<Branch | undefined>((best, branch) => {
    if (best === undefined) return branch;
    if (branch.ending === null) return best;
    return best.ending === null || rank(branch.ending) < rank(best.ending) ? branch : best;
  }, undefined);
}

/**
 * The call detail records of an ended leg: its own, and that of the built-in service it was connected to. A leg that never had a way to
 * its party has none.
 */
export function recordsOf(leg: Leg): readonly CallRecord[] {
  const branch = mainOf(leg) ?? foremost(leg);
  if (branch === undefined) return [];
  const stamp = (at: number): EpochMs => Math.round(leg.epochOffset + at);
  const ending: Ending = endingOf(leg) ?? { ...CAUSE.normal, by: 'platform' };
  const { media, trunk, kind } = branch;
  const codec = media.codec ?? media.stats?.codec;
  const answered = leg.answeredAt === null ? {} : { answered_at: stamp(leg.answeredAt) };
  const end = endOf(leg, leg.endedAt ?? leg.startedAt, ending);
  const own: CallRecord = {
    session_id: leg.session,
    leg_id: leg.id,
    direction: leg.direction === 'theirs' ? 'inbound' : 'outbound',
    kind,
    ...(leg.userName === undefined ? {} : { user_name: leg.userName }),
    ...(trunk === undefined ? {} : { trunk }),
    from: leg.from,
    to: leg.to,
    started_at: stamp(leg.startedAt),
    ...answered,
    ...end,
    ...(codec === undefined || codec === null ? {} : { codec }),
    ...(media.stats === null ? {} : { media: media.stats }),
    ...(leg.transfer === null ? {} : { transfer: leg.transfer }),
    ...(leg.joined === undefined ? {} : { joined_session_id: leg.joined }),
  };
  const service = serviceRecord(leg, leg.endedAt ?? leg.startedAt, ending);
  return service === null ? [own] : [service, own];
}

/** The record of the built-in service that it is connected to; `null`: it is not. */
export function serviceRecord(leg: Leg, endedAt: Ms, ending: Ending): CallRecord | null {
  const { place } = leg;
  if (place?.in !== 'built-in') return null;
  const stamp = (at: number): EpochMs => Math.round(leg.epochOffset + at);
  return {
    session_id: leg.session,
    leg_id: place.id,
    direction: 'outbound',
    kind: 'service',
    from: leg.party.number,
    to: leg.to,
    started_at: stamp(place.since),
    ...(leg.answeredAt === null ? {} : { answered_at: stamp(Math.max(place.since, leg.answeredAt)) }),
    ...endOf(leg, endedAt, ending),
    ...(place.transfer === undefined ? {} : { transfer: place.transfer }),
  };
}

const endOf = (leg: Leg, endedAt: Ms, { cause, code, sip, by }: Ending) => ({
  ended_at: Math.round(leg.epochOffset + endedAt),
  cause,
  cause_code: code,
  sip_code: leg.answeredAt === null ? sip : 200,
  ended_by: by,
});
