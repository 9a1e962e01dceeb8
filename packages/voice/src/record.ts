import type { EpochMs } from '@sidetone/core';
import type { CallRecord } from '@sidetone/wire';
import { type Call, sessionOf } from './call.ts';
import { CAUSE, type Ending } from './ending.ts';
import type { Leg } from './leg.ts';

/** The call detail record of an ended leg. */
export function recordOf(call: Call, leg: Leg): CallRecord {
  const stamp = (at: number): EpochMs => Math.round(call.epochOffset + at);
  const ending: Ending = leg.ending ??
    (call.state.name === 'ending' ? call.state.ending : null) ?? { ...CAUSE.normal, by: 'platform' };
  const codec = leg.codec ?? leg.stats?.codec;
  return {
    session_id: sessionOf(call, leg),
    leg_id: leg.id,
    direction: leg.role === 'caller' ? 'inbound' : 'outbound',
    kind: leg.kind,
    ...(leg.userName === undefined ? {} : { user_name: leg.userName }),
    ...(leg.trunk === undefined ? {} : { trunk: leg.trunk }),
    from: leg.from?.caller ?? call.caller.number,
    to: leg.from?.dialled ?? call.caller.dialled,
    started_at: stamp(leg.startedAt),
    ...(leg.answeredAt === null ? {} : { answered_at: stamp(leg.answeredAt) }),
    ended_at: stamp(leg.endedAt ?? leg.startedAt),
    cause: ending.cause,
    cause_code: ending.code,
    sip_code: leg.answeredAt === null ? ending.sip : 200,
    ended_by: ending.by,
    ...(codec === undefined || codec === null ? {} : { codec }),
    ...(leg.stats === null ? {} : { media: leg.stats }),
    ...(leg.transfer === null ? {} : { transfer: leg.transfer }),
    ...(leg.from?.joined === undefined ? {} : { joined_session_id: leg.from.joined }),
  };
}
