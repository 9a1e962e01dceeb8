import { type LogLine, type Ms, sameHost, uuid } from '@sidetone/core';
import type { SipRequest } from '@sidetone/sip';
import { freshLeg } from '../ids.ts';
import { CAUSE, type Ending } from '../leg/ending.ts';
import type { Leg } from '../leg/leg.ts';
import type { Admission } from '../limits/admission.ts';
import type { Bridge } from '../place/bridge-draft.ts';
import type { Registry } from '../registry.ts';
import { type Beginning, dialFor, dialledLeg, offeredLeg, startedLine } from '../routing/arrival.ts';
import { arrive } from '../routing/plan.ts';
import { within } from '../sip/offer-profile.ts';
import type { DialWish, Transactions } from '../transaction.ts';
import type { VoiceOptions } from '../voice-options.ts';
import { transferPlan } from './dial.ts';

/** Nobody is called: a built-in service answers. */
const NOBODY = { to: 'trunk', number: '', trunks: [] } as const;
/** A transfer whose parties are gone. */
const GONE: Ending = { ...CAUSE.mediaEngine, by: 'platform' };

interface World {
  readonly options: VoiceOptions;
  readonly registry: Registry;
  readonly legs: Transactions;
  readonly admission: Admission;
  readonly log: (line: LogLine) => void;
}

/** Begins legs: that of an INVITE, that of its callee, and that of a transfer's target. */
export class Beginnings {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  readonly isOwnHost = (host: string): boolean =>
    this.#world.options.publicAddress.hosts.some((own) => sameHost(own, host));

  readonly #freshBranch = (): string => freshLeg(this.#world.options.random).leg;

  /** The leg of an INVITE and, where one is called, that of its callee. Returns the former's branch. */
  incoming(request: SipRequest, sdp: string | undefined, from: 'vsp' | 'proxy', now: Ms): string {
    const { legs, admission, options } = this.#world;
    const { families, identity, epoch, random, ringMs } = options;
    const arrival = arrive(request, from, identity(), this.isOwnHost, this.#freshBranch, epoch());
    const reached = within(arrival.plan, sdp, arrival.leg, families);
    const { plan, counts } = admission.admit(identity(), reached, arrival.user, arrival.leg.trunk, now);
    const session = uuid(random);
    const beginning: Beginning = { session, counts, now, epoch: epoch() };
    const own = freshLeg(random);
    switch (plan.to) {
      case 'refuse': {
        const leg = offeredLeg(arrival, own, sdp, null, beginning);
        this.#begin(leg, startedLine(leg, plan));
        legs.post(leg.id, { type: 'end', ending: plan.ending });
        break;
      }
      case 'service': {
        const { leg: id } = freshLeg(random);
        const place = { in: 'built-in', service: plan.service, id, since: now } as const;
        const leg = offeredLeg(arrival, own, sdp, place, beginning);
        this.#begin(leg, startedLine(leg, plan));
        // An echo gives the caller its own Opus back, so its own wishes count.
        const { opus, codecs } = dialFor(NOBODY, arrival.caller, leg, 0);
        legs.post(leg.id, { type: 'answer', codecs, opus, headers: [] });
        break;
      }
      default: {
        const id = uuid(random);
        const leg = offeredLeg(arrival, own, sdp, { in: 'bridge', id, side: 'a' }, beginning);
        this.openBridge(id, session);
        this.#begin(leg, startedLine(leg, plan));
        const dial = dialFor(plan, arrival.caller, leg, ringMs);
        const called = dialledLeg(dial, freshLeg(random), { in: 'bridge', id, side: 'b' }, beginning);
        legs.begin(called);
        legs.post(called.id, { type: 'dial' });
      }
    }
    return own.leg;
  }

  /** A leg for a transfer, on the account of the user who transfers. */
  transfer(wish: DialWish, now: Ms): void {
    const { legs, registry, admission, options } = this.#world;
    const { bridge } = wish;
    const by = registry.legs.get(wish.by);
    const keeps = registry.legs.get(wish.keeps);
    if (by === undefined || keeps === undefined)
      return legs.toBridge(bridge, { type: 'notFound', ending: GONE });
    const { identity, epoch, random, ringMs: most } = options;
    const transfer = { by, keeps, dialled: wish.dialled, headers: wish.headers ?? [] };
    const found = transferPlan(transfer, identity(), most, this.#freshBranch, epoch());
    const { plan, counts } = admission.admit(identity(), found.plan, found.user, undefined, now);
    if (plan.to === 'refuse') return legs.toBridge(bridge, { type: 'notFound', ending: plan.ending });
    const fresh = freshLeg(random);
    if (plan.to === 'service') {
      const place = { in: 'built-in', service: plan.service, id: fresh.leg, since: now } as const;
      return legs.toBridge(bridge, { type: 'found', place });
    }
    const session = registry.bridges.get(bridge)?.session ?? keeps.session;
    const { caller, codecs, ringMs } = found;
    const dial = { callee: plan, caller, codecs, opus: {}, ringMs };
    const beginning: Beginning = { session, counts, now, epoch: epoch() };
    const next = dialledLeg(dial, fresh, { in: 'bridge', id: bridge, side: 'next' }, beginning);
    legs.begin(next);
    legs.post(next.id, { type: 'dial' });
  }

  /** A bridge that legs may be in; one that is there stays as it is. */
  openBridge(id: string, session: string, state: Bridge['state'] = 'waiting'): void {
    const { registry, options } = this.#world;
    if (registry.bridges.has(id)) return;
    const heldHears = options.heldHears ?? 'music';
    registry.bridges.set(id, { id, session, state, heldHears, swap: null, swaps: 0 });
  }

  #begin(leg: Leg, line: LogLine): void {
    this.#world.log(line);
    this.#world.legs.begin(leg);
  }
}
