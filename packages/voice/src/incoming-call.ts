import type { EpochMs, LogLine, Ms } from '@sidetone/core';
import type { Admitted } from './admission.ts';
import type { Call, CallSettings, FreshLeg } from './call.ts';
import { CAUSE } from './ending.ts';
import { type Leg, newLeg } from './leg.ts';
import { isHopeless, isWebRtcOffer } from './offer-profile.ts';
import { type Arrival, refuse } from './plan.ts';

/** The call that an INVITE begins. */
export function incomingCall(
  arrival: Arrival,
  facts: {
    readonly id: string;
    readonly own: FreshLeg;
    readonly offer: string | undefined;
    /** Where the INVITE came from, if a phone sent it. */
    readonly from?: string;
    readonly admitted: Admitted;
    readonly now: Ms;
    readonly epoch: EpochMs;
    readonly settings: CallSettings;
  },
): Call {
  const { id, own, offer, now, epoch, settings } = facts;
  const hopeless = facts.admitted.plan.to !== 'refuse' && isHopeless(offer, arrival.leg);
  const admitted = hopeless ? { plan: refuse(CAUSE.noCodec), charges: [] } : facts.admitted;
  return {
    id,
    program: 'route-and-bridge',
    state: { name: 'routing' },
    caller: arrival.caller,
    plan: admitted.plan,
    legs: [
      newLeg({
        ...arrival.leg,
        ...(isWebRtcOffer(offer) ? { webrtc: true } : {}),
        ...(facts.from === undefined || arrival.leg.kind !== 'phone' ? {} : { signalledFrom: facts.from }),
        id: own.leg,
        control: own.control,
        role: 'caller',
        phase: 'invited',
        offer: offer ?? null,
        startedAt: now,
      }),
    ],
    early: null,
    answerHeaders: [],
    heard: [],
    epochOffset: epoch - now,
    settings,
    transfer: null,
    origin: null,
    charges: admitted.charges,
  };
}

/** For the log: a call begins, or why it does not. */
export function startedLine({ id, legs, plan, caller }: Call): LogLine {
  const [{ id: leg, kind }] = legs as readonly [Leg];
  const fields = { session: id, leg, kind, plan: plan.to };
  if (plan.to !== 'refuse') return { type: 'log', level: 'info', event: 'call started', fields };
  const { cause, sip, phrase } = plan.ending;
  const why = { user: caller.userName, cause, status: sip, ...(phrase === undefined ? {} : { phrase }) };
  return { type: 'log', level: 'info', event: 'call refused', fields: { ...fields, ...why } };
}
