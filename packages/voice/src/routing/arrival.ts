import type { EpochMs, LogLine, Ms } from '@sidetone/core';
import { opusWishes } from '@sidetone/sdp';
import type { FreshLeg } from '../ids.ts';
import { newBranch } from '../leg/branch.ts';
import { type Callee, type Caller, type Dial, type Leg, mainOf, newLeg } from '../leg/leg.ts';
import type { Program } from '../leg/program.ts';
import type { Place } from '../place/place.ts';
import { isWebRtcOffer } from '../sip/offer-profile.ts';
import type { Arrival, Plan } from './plan.ts';

/** What every leg that begins now shares. */
export interface Beginning {
  readonly session: string;
  readonly counts: readonly string[];
  readonly program?: Program | null;
  readonly now: Ms;
  readonly epoch: EpochMs;
}

/** The leg that an INVITE begins. */
export function offeredLeg(
  arrival: Arrival,
  own: FreshLeg,
  offer: string | undefined,
  place: Place | null,
  { session, counts, program = null, now, epoch }: Beginning,
): Leg {
  const { caller, leg } = arrival;
  const { kind, codecs, dtmf, userName, trunk, family = null, signalledFrom = null } = leg;
  return newLeg({
    id: own.leg,
    control: own.control,
    session,
    direction: 'theirs',
    ...(userName === undefined ? {} : { userName }),
    from: caller.number,
    to: caller.dialled,
    party: { ...(caller.name === undefined ? {} : { name: caller.name }), number: caller.number },
    state: { name: 'offered' },
    branches: [
      newBranch({
        id: own.leg,
        kind,
        phase: 'invited',
        codecs,
        dtmf,
        ...(isWebRtcOffer(offer) ? { webrtc: true } : {}),
        ...(trunk === undefined ? {} : { trunk }),
        family,
        signalledFrom,
        offer: offer ?? null,
      }),
    ],
    main: own.leg,
    place,
    program,
    counts,
    epochOffset: epoch - now,
    startedAt: now,
  });
}

/** A leg that is to be called. */
export function dialledLeg(
  dial: Dial,
  fresh: FreshLeg,
  place: Place | null,
  { session, counts, program = null, now, epoch }: Beginning,
): Leg {
  const { targets, caller } = dial;
  const { callee, dialled } = targets[0];
  const isOne = targets.length === 1;
  const userName = isOne && callee.to === 'user' ? callee.userName : undefined;
  return newLeg({
    id: fresh.leg,
    control: fresh.control,
    session,
    direction: 'ours',
    ...(userName === undefined ? {} : { userName }),
    from: caller.number,
    to: dialled,
    party: { number: userName ?? (callee.to === 'trunk' ? callee.number : dialled) },
    state: { name: 'dialling', until: now + dial.ringMs, looking: 0 },
    place,
    program,
    dial,
    counts,
    epochOffset: epoch - now,
    startedAt: now,
  });
}

/** How the callee of a leg that called us is called. */
export function dialFor(callee: Callee, caller: Caller, branch: string, offered: Leg, ringMs: Ms): Dial {
  const own = mainOf(offered);
  return {
    targets: [{ callee, dialled: caller.dialled, branch }],
    caller,
    codecs: own?.codecs ?? [],
    opus: opusWishes(own?.exchange.offer ?? ''),
    ringMs,
  };
}

/** For the log: a call begins, or why it does not. */
export function startedLine(leg: Leg, plan: Plan): LogLine {
  const fields = { session: leg.session, leg: leg.id, kind: mainOf(leg)?.kind, plan: plan.to };
  if (plan.to !== 'refuse') return { type: 'log', level: 'info', event: 'call started', fields };
  const { cause, sip, phrase } = plan.ending;
  const why = { user: leg.userName, cause, status: sip, ...(phrase === undefined ? {} : { phrase }) };
  return { type: 'log', level: 'info', event: 'call refused', fields: { ...fields, ...why } };
}
