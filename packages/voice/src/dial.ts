import type { Ms } from '@sidetone/core';
import { canonicalNumber, type Directory } from '@sidetone/wire';
import { type Call, type FreshLeg, legOf } from './call.ts';
import type { CallOut } from './call-events.ts';
import { preferring } from './codecs.ts';
import { CAUSE } from './ending.ts';
import { originOf } from './join.ts';
import { newLeg } from './leg.ts';
import { planOf, refuse } from './plan.ts';

/** The target of a transfer rings this long at most: somebody waits in silence. */
const RING_MS = 60_000;

export interface DialFacts {
  readonly directory: Directory;
  /** One leg is the stand-in for the caller, the other for a target that needs no look-up. */
  readonly fresh: readonly [FreshLeg, FreshLeg];
  /** The platform or the user has as many calls as it may have. */
  readonly full: boolean;
  readonly now: Ms;
}

/**
 * The call that rings the target of a transfer in `of`: routed as a call of the transferring user, on its account, with the party that
 * stays as the caller that is shown. A stand-in takes the place of the caller's leg until that party is joined.
 */
export function dialCall(of: Call, wish: Extract<CallOut, { type: 'dial' }>, facts: DialFacts): Call {
  const { directory, full, now } = facts;
  const [seat, fresh] = facts.fresh;
  const by = legOf(of, wish.by)!;
  const far = legOf(of, wish.keeps)!;
  const user = directory.connections.find((c) => c.user_name === by.userName);
  const farUser = directory.connections.find((c) => c.user_name === far.userName);
  const trunk = directory.trunks.find((t) => t.name === far.trunk);
  const shown = originOf(of, far);
  const own = user?.numbers.map(canonicalNumber) ?? [];
  const plan = full
    ? refuse(CAUSE.congestion)
    : user === undefined
      ? refuse(CAUSE.unproven)
      : planOf(directory, wish.dialled, trunk, fresh, 'user');
  const at = wish.dialled.lastIndexOf('@');
  return {
    id: wish.dial,
    program: 'route-and-bridge',
    state: { name: 'routing' },
    plan,
    caller: {
      ...(shown.name === undefined ? {} : { name: shown.name }),
      number: shown.number,
      ...(user === undefined ? {} : { userName: user.user_name }),
      domain: directory.domain,
      numbers: [...(farUser?.numbers.map(canonicalNumber) ?? []), ...own],
      dialled: at < 0 ? wish.dialled : wish.dialled.slice(0, at),
      headers: wish.headers,
      asserted: far.userName ?? shown.number,
      ...(user === undefined
        ? {}
        : { referredBy: { user: user.user_name, ...(own[0] === undefined ? {} : { number: own[0] }) } }),
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
