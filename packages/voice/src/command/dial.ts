import type { EpochMs, Ms } from '@sidetone/core';
import { type Identity, splitDestination } from '@sidetone/wire';
import { preferring } from '../leg/codecs.ts';
import { CAUSE } from '../leg/ending.ts';
import type { Extra } from '../leg/headers.ts';
import { type Caller, type Leg, mainOf } from '../leg/leg.ts';
import { type Asker, userAsks } from '../routing/asker.ts';
import { callerNumbers, ownSpelling } from '../routing/outbound.ts';
import { planOf, type Routed, refuse } from '../routing/plan.ts';

/** The target of a transfer rings this long at most: somebody waits in silence. */
export const TRANSFER_RING_MS = 60_000;

/** What a transfer in a bridge asks for. */
export interface TransferDial {
  /** Who transfers: the call is on its account and routes. */
  readonly by: Leg;
  /** The party that stays: it is shown as the caller. */
  readonly keeps: Leg;
  readonly dialled: string;
  readonly headers: Extra;
}

export interface TransferPlan {
  readonly plan: Routed;
  readonly asker: Asker | undefined;
  readonly caller: Caller;
  readonly codecs: Leg['branches'][0]['codecs'];
  readonly ringMs: Ms;
}

/** Where a transfer leads, as a call of the transferring user with the party that stays as the caller that is shown. */
export function transferPlan(
  { by, keeps, dialled, headers }: TransferDial,
  identity: Identity,
  ringMs: Ms,
  fresh: () => string,
  epoch: EpochMs,
): TransferPlan {
  const user = identity.userByName(by.userName ?? '');
  const farUser = identity.userByName(keeps.userName ?? '');
  const far = mainOf(keeps);
  const trunk = identity.trunks.find((t) => t.name === far?.trunk);
  const { name, number } = keeps.party;
  const asker = user && userAsks(identity, user);
  const own = asker === undefined ? [] : callerNumbers(identity, asker, number);
  // The party that stays may show its own number, when it is of the same account.
  const sameAccount = farUser !== undefined && farUser.accountId === user?.accountId;
  const farOwn = sameAccount ? callerNumbers(identity, userAsks(identity, farUser), number) : [];
  const plan =
    asker === undefined ? refuse(CAUSE.unproven) : planOf(identity, dialled, asker, own, trunk, fresh, epoch);
  return {
    plan,
    asker,
    caller: {
      ...(name === undefined ? {} : { name }),
      number,
      ...(user === undefined ? {} : { userName: user.name }),
      domain: identity.domain,
      numbers: [...farOwn, ...own],
      dialled: ownSpelling(identity, splitDestination(dialled).user, asker?.via),
      headers,
      asserted: keeps.userName ?? number,
      ...(user === undefined
        ? {}
        : { referredBy: { user: user.name, ...(own[0] === undefined ? {} : { number: own[0] }) } }),
    },
    codecs:
      far === undefined
        ? []
        : far.media.codec === null
          ? far.codecs
          : preferring(far.codecs, [far.media.codec]),
    ringMs: Math.min(ringMs, TRANSFER_RING_MS),
  };
}
