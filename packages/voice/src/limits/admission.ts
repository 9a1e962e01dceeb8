import { type EpochMs, type Ms, mayTake } from '@sidetone/core';
import type { ApplicationEntry, Identity, SipUser } from '@sidetone/wire';
import { CAUSE, type Ending, type Why } from '../leg/ending.ts';
import type { Registry } from '../registry.ts';
import type { Asker } from '../routing/asker.ts';
import { FULL, HANDING_OVER, type Plan, refuse } from '../routing/plan.ts';
import type { VoiceLimits } from '../voice-options.ts';
import { accountCount, CallRate, holderCount, STRANGERS, userCount } from './counters.ts';

/** What a call may do, and what it counts against meanwhile. */
export interface Admitted<P extends Plan = Plan> {
  readonly plan: P | Extract<Plan, { to: 'refuse' }>;
  readonly counts: readonly string[];
}

/** On whose behalf a leg begins. */
export interface Claimant {
  /** On whose account it is; nobody for the call of a trunk or a stranger. */
  readonly caller?: Asker | undefined;
  /** By which it comes. */
  readonly trunk?: string | undefined;
  /** That is called. */
  readonly application?: ApplicationEntry | undefined;
  /** The session that it joins, which is counted already. */
  readonly session?: string;
}

/** More legs of one session at a time are calls of their own, or a limit of calls would be none. */
const MOST_SHARED = 8;

/** Of what the platform has. They call open subdomains without a proof, and a datagram says what it likes of its source. */
const STRANGERS_PART = 1 / 4;
const TOO_FAST = refuse({ ...CAUSE.tooFast, headers: [['Retry-After', '1']] });

interface Limit {
  readonly count: string;
  readonly most: number | null;
  readonly refusal: Why;
}

/**
 * Whether one more call may be:
 *
 *   the platform and the user          503; of its calls and media ports one account or trunk has nine tenths at most, strangers a quarter
 *   calls a second of an account       503, Retry-After
 *   calls at a time of the accounts    403 D1
 *   of the outbound voice profile      403 D2
 *   of the connections, in and out     403 D3
 *
 * A call within an account is one call of it, and so is one with whom it is transferred or bridged to in its session. What is refused counts
 * against nobody.
 */
export class Admission {
  readonly #registry: Registry;
  readonly #limits: VoiceLimits;
  readonly #rate = new CallRate();
  /** No new calls: another process takes over, or all is ending. */
  closed: 'handover' | 'drain' | null = null;

  constructor(registry: Registry, limits: VoiceLimits) {
    this.#registry = registry;
    this.#limits = limits;
  }

  admit<P extends Plan>(identity: Identity, plan: P, by: Claimant, now: Ms): Admitted<P> {
    const { caller, trunk, application, session = '' } = by;
    if (this.closed !== null) return { plan: this.closed === 'drain' ? FULL : HANDING_OVER, counts: [] };
    if (plan.to === 'refuse') return { plan, counts: [] };
    const { calls, callsPerUser, mediaPorts } = this.#limits;
    const { counters, ports, sessions } = this.#registry;
    const holder = holderCount(caller?.accountId, trunk);
    const shares = (count: string): boolean => {
      const legs = counters.legs(count, session);
      return legs > 0 && legs < MOST_SHARED;
    };
    const part = holder === STRANGERS ? STRANGERS_PART : 1;
    const has = (taken: number, most: number, all: number): boolean =>
      taken < most * part && mayTake(taken, most - all);
    const hasCall = shares(holder) || has(counters.of(holder), calls, sessions);
    const hasPort = has(ports.of(holder), mediaPorts, ports.taken);
    if (!hasCall || !hasPort) return { plan: FULL, counts: [] };
    const callee = plan.to === 'user' ? identity.userByName(plan.userName) : undefined;
    const limits = [
      ...(caller?.user === undefined
        ? []
        : [{ count: userCount(caller.user.name), most: callsPerUser, refusal: CAUSE.congestion }]),
      ...limitsOf(identity, plan, caller, callee, application),
    ];
    const account = (caller ?? callee ?? application)?.accountId;
    if (this.#isTooFast(identity, account, now)) return { plan: TOO_FAST, counts: [] };
    const over = limits.find(
      ({ count, most }) => most !== null && !shares(count) && counters.of(count) >= most,
    );
    if (over !== undefined) return { plan: refuse(over.refusal), counts: [] };
    this.#began(identity, account, now);
    return { plan, counts: [holder, ...limits.map(({ count }) => count)] };
  }

  /** A leg that a command makes and that rings nobody costs what others cost to begin: it counts among the calls of this second. */
  beginsNothing(identity: Identity, account: string, now: Ms): Ending | null {
    if (this.#isTooFast(identity, account, now)) return TOO_FAST.ending;
    this.#began(identity, account, now);
    return null;
  }

  #isTooFast(identity: Identity, account: string | undefined, now: Ms): boolean {
    const most = identity.account(account ?? '')?.callsPerSecond ?? null;
    return most !== null && this.#rate.of(account ?? '', now) >= most;
  }

  #began(identity: Identity, account: string | undefined, now: Ms): void {
    if (account !== undefined && identity.account(account)?.callsPerSecond != null)
      this.#rate.began(account, now);
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
  caller: Asker | undefined,
  callee: SipUser | undefined,
  application: ApplicationEntry | undefined,
): readonly Limit[] {
  const limits: Limit[] = [];
  for (const id of new Set([caller?.accountId, callee?.accountId, application?.accountId])) {
    const account = identity.account(id ?? '');
    if (account === undefined) continue;
    limits.push({
      count: accountCount(account.id),
      most: account.concurrentCalls,
      refusal: CAUSE.accountFull,
    });
  }
  const from = caller?.via;
  const profile = plan.to === 'trunk' ? identity.profile(from?.profileId ?? '') : undefined;
  if (profile !== undefined)
    limits.push({
      count: `profile ${profile.id}`,
      most: profile.concurrentCalls,
      refusal: CAUSE.profileFull,
    });
  if (from !== undefined)
    limits.push({
      count: `out ${from.id}`,
      most: from.channelLimit,
      refusal: CAUSE.connectionFull,
    });
  const to = application ?? identity.connection(callee?.connectionId ?? '');
  if (to !== undefined)
    limits.push({ count: `in ${to.id}`, most: to.inboundChannelLimit, refusal: CAUSE.connectionFull });
  return limits;
}
