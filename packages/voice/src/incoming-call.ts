import type { EpochMs, Ms } from '@sidetone/core';
import type { Call, CallSettings, FreshLeg, Plan } from './call.ts';
import { newLeg } from './leg.ts';
import { isWebRtcOffer } from './offer-profile.ts';
import type { Arrival } from './plan.ts';

/** The call that an INVITE begins. */
export function incomingCall(
  arrival: Arrival,
  facts: {
    readonly id: string;
    readonly own: FreshLeg;
    readonly offer: string | undefined;
    readonly plan: Plan;
    readonly now: Ms;
    readonly epoch: EpochMs;
    readonly settings: CallSettings;
  },
): Call {
  const { id, own, offer, plan, now, epoch, settings } = facts;
  return {
    id,
    program: 'route-and-bridge',
    state: { name: 'routing' },
    caller: arrival.caller,
    plan,
    legs: [
      newLeg({
        ...arrival.leg,
        ...(isWebRtcOffer(offer) ? { webrtc: true } : {}),
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
  };
}
