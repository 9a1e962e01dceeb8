import { type EpochMs, type Ms, mayTake } from '@sidetone/core';
import type { Identity, SipUser } from '@sidetone/wire';
import type { Plan } from './call.ts';
import type { CallBook } from './call-book.ts';
import { CallRate, holderCharge, userCharge } from './charges.ts';
import { CAUSE, type Why } from './ending.ts';
import { FULL, HANDING_OVER, refuse } from './plan.ts';
import type { VoiceLimits } from './voice-options.ts';

/** What a call may do, and what it is charged to meanwhile. */
export interface Admitted {
  readonly plan: Plan;
  readonly charges: readonly string[];
}

interface Limit {
  readonly charge: string;
  readonly most: number | null;
  readonly refusal: Why;
}

/**
 * Whether one more call may be:
 *
 *   the platform and the user          503; of its calls and media ports one account or trunk has nine tenths at most
 *   calls a second of an account       503, Retry-After
 *   calls at a time of the accounts    403 D1
 *   of the outbound voice profile      403 D2
 *   of the connections, in and out     403 D3
 *
 * A call within an account is one call of it. What is refused is charged to nobody.
 */
export class Admission {
  readonly #book: CallBook;
  readonly #limits: VoiceLimits;
  readonly #rate = new CallRate();
  /** No new calls: another process takes over, or all is ending. */
  closed: 'handover' | 'drain' | null = null;

  constructor(book: CallBook, limits: VoiceLimits) {
    this.#book = book;
    this.#limits = limits;
  }

  /**
   * @param caller on whose account the call is; nobody for a trunk's
   * @param trunk by which it comes
   */
  admit(
    identity: Identity,
    plan: Plan,
    caller: SipUser | undefined,
    trunk: string | undefined,
    now: Ms,
  ): Admitted {
    if (this.closed !== null) return { plan: this.closed === 'drain' ? FULL : HANDING_OVER, charges: [] };
    if (plan.to === 'refuse') return { plan, charges: [] };
    const { calls, callsPerUser } = this.#limits;
    const { charges, ports } = this.#book;
    const holder = holderCharge(caller?.accountId, trunk);
    const hasCall = mayTake(charges.of(holder), calls - this.#book.calls.size);
    const hasPort = mayTake(ports.of(holder), this.#limits.mediaPorts - ports.taken);
    if (!hasCall || !hasPort) return { plan: FULL, charges: [] };
    const callee = plan.to === 'user' ? identity.userByName(plan.userName) : undefined;
    const limits = [
      ...(caller === undefined
        ? []
        : [{ charge: userCharge(caller.name), most: callsPerUser, refusal: CAUSE.congestion }]),
      ...limitsOf(identity, plan, caller, callee),
    ];
    const account = identity.account((caller ?? callee)?.accountId ?? '');
    if (account?.callsPerSecond != null && this.#rate.of(account.id, now) >= account.callsPerSecond)
      return { plan: refuse({ ...CAUSE.tooFast, headers: [['Retry-After', '1']] }), charges: [] };
    const over = limits.find(({ charge, most }) => most !== null && this.#book.charges.of(charge) >= most);
    if (over !== undefined) return { plan: refuse(over.refusal), charges: [] };
    if (account?.callsPerSecond != null) this.#rate.began(account.id, now);
    return { plan, charges: [holder, ...limits.map(({ charge }) => charge)] };
  }
}

/** May a user of this name do nothing (any more)? */
export function isRefused(identity: Identity, name: string, now: EpochMs): boolean {
  const user = identity.userByName(name);
  return user === undefined || identity.refusal(user, now) !== undefined;
}

function limitsOf(
  identity: Identity,
  plan: Plan,
  caller: SipUser | undefined,
  callee: SipUser | undefined,
): readonly Limit[] {
  const limits: Limit[] = [];
  for (const id of new Set([caller?.accountId, callee?.accountId])) {
    const account = identity.account(id ?? '');
    if (account === undefined) continue;
    limits.push({
      charge: `account ${account.id}`,
      most: account.concurrentCalls,
      refusal: CAUSE.accountFull,
    });
  }
  const from = identity.connection(caller?.connectionId ?? '');
  const profile = plan.to === 'trunk' ? identity.profile(from?.profileId ?? '') : undefined;
  if (profile !== undefined)
    limits.push({
      charge: `profile ${profile.id}`,
      most: profile.concurrentCalls,
      refusal: CAUSE.profileFull,
    });
  if (from !== undefined)
    limits.push({
      charge: `out ${from.id}`,
      most: from.outboundChannelLimit,
      refusal: CAUSE.connectionFull,
    });
  const to = identity.connection(callee?.connectionId ?? '');
  if (to !== undefined)
    limits.push({ charge: `in ${to.id}`, most: to.inboundChannelLimit, refusal: CAUSE.connectionFull });
  return limits;
}
