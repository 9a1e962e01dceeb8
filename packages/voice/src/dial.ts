import type { EpochMs, Ms } from '@sidetone/core';
import { type Identity, type SipUser, splitDestination } from '@sidetone/wire';
import type { Admitted } from './admission.ts';
import { type Call, type FreshLeg, legOf, type Plan } from './call.ts';
import type { CallOut } from './call-events.ts';
import { preferring } from './codecs.ts';
import { CAUSE } from './ending.ts';
import { originOf } from './join.ts';
import { newLeg } from './leg.ts';
import { callerNumbers, ownSpelling } from './outbound.ts';
import { planOf, refuse } from './plan.ts';

/** The target of a transfer rings this long at most: somebody waits in silence. */
const RING_MS = 60_000;

export interface DialFacts {
  readonly identity: Identity;
  /** One leg is the stand-in for the caller, the other for a target that needs no look-up. */
  readonly fresh: readonly [FreshLeg, FreshLeg];
  readonly admit: (plan: Plan, user: SipUser | undefined) => Admitted;
  readonly now: Ms;
  readonly epoch: EpochMs;
}

/**
 * The call that rings the target of a transfer in `of`: routed as a call of the transferring user, on its account, with the party that
 * stays as the caller that is shown. A stand-in takes the place of the caller's leg until that party is joined.
 */
export function dialCall(of: Call, wish: Extract<CallOut, { type: 'dial' }>, facts: DialFacts): Call {
  const { identity, now, epoch } = facts;
  const [seat, fresh] = facts.fresh;
  const by = legOf(of, wish.by)!;
  const far = legOf(of, wish.keeps)!;
  const user = identity.userByName(by.userName ?? '');
  const farUser = identity.userByName(far.userName ?? '');
  const trunk = identity.trunks.find((t) => t.name === far.trunk);
  const shown = originOf(of, far);
  const own = user === undefined ? [] : callerNumbers(identity, user, shown.number);
  // The party that stays may show its own number, when it is of the same account.
  const sameAccount = farUser !== undefined && farUser.accountId === user?.accountId;
  const farOwn = sameAccount ? callerNumbers(identity, farUser, shown.number) : [];
  const plan =
    user === undefined
      ? refuse(CAUSE.unproven)
      : planOf(identity, wish.dialled, user, own, trunk, fresh, epoch);
  const admitted = facts.admit(plan, user);
  const target = splitDestination(wish.dialled).user;
  const connection = identity.connection(user?.connectionId ?? '');
  return {
    id: wish.dial,
    program: 'route-and-bridge',
    state: { name: 'routing' },
    plan: admitted.plan,
    charges: admitted.charges,
    caller: {
      ...(shown.name === undefined ? {} : { name: shown.name }),
      number: shown.number,
      ...(user === undefined ? {} : { userName: user.name }),
      domain: identity.domain,
      numbers: [...farOwn, ...own],
      dialled: ownSpelling(identity, target, connection),
      headers: wish.headers,
      asserted: far.userName ?? shown.number,
      ...(user === undefined
        ? {}
        : { referredBy: { user: user.name, ...(own[0] === undefined ? {} : { number: own[0] }) } }),
    },
    legs: [
      {
        ...newLeg({
          id: seat.leg,
          control: seat.control,
          role: 'caller',
          kind: 'service',
          phase: 'up',
          codecs: far.codec === null ? far.codecs : preferring(far.codecs, [far.codec]),
          startedAt: now,
        }),
        connected: true,
        // There is nothing to record of it.
        recorded: true,
      },
    ],
    early: null,
    answerHeaders: [],
    heard: [],
    epochOffset: of.epochOffset,
    settings: { ...of.settings, ringMs: Math.min(of.settings.ringMs, RING_MS) },
    transfer: null,
    origin: of.id,
  };
}
