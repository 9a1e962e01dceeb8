import { type LogLine, type Ms, sameHost, uuid } from '@sidetone/core';
import type { SipRequest } from '@sidetone/sip';
import type { Identity } from '@sidetone/wire';
import { type FreshLeg, freshLeg } from '../ids.ts';
import { CAUSE, type Ending } from '../leg/ending.ts';
import type { Extra } from '../leg/headers.ts';
import { type Callee, type Dial, type Leg, mainOf } from '../leg/leg.ts';
import { hookSettings, newProgram, type Program } from '../leg/program.ts';
import type { Admission } from '../limits/admission.ts';
import { type Bridge, newBridge } from '../place/bridge-draft.ts';
import type { Place } from '../place/place.ts';
import type { Registry } from '../registry.ts';
import { type Beginning, dialFor, dialledLeg, offeredLeg, startedLine } from '../routing/arrival.ts';
import { type Arrival, arrive } from '../routing/plan.ts';
import { within } from '../sip/offer-profile.ts';
import type { DialWish, Transactions } from '../transaction.ts';
import type { VoiceOptions } from '../voice-options.ts';
import { transferPlan } from './dial.ts';
import { initiated, programOfUser } from './initiated.ts';

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
    const by = { caller: arrival.asker, trunk: arrival.leg.trunk, application: arrival.application };
    const { plan, counts } = admission.admit(identity(), reached, by, now);
    const session = uuid(random);
    const beginning: Beginning = { session, counts, now, epoch: epoch() };
    const own = freshLeg(random);
    const program = programOf(identity(), arrival, now);
    switch (plan.to) {
      case 'refuse': {
        const leg = offeredLeg(arrival, own, sdp, null, beginning);
        this.#begin(leg, startedLine(leg, plan));
        legs.post(leg.id, { type: 'end', ending: plan.ending });
        break;
      }
      case 'park': {
        const leg = offeredLeg(arrival, own, sdp, null, { ...beginning, program });
        this.#begin(leg, startedLine(leg, plan));
        this.#tell(leg, 'parked', arrival.caller.headers);
        legs.post(leg.id, { type: 'placed', place: null });
        this.#ringParked(leg, arrival);
        break;
      }
      case 'service': {
        const { leg: id } = freshLeg(random);
        const place = { in: 'built-in', service: plan.service, id, since: now } as const;
        const leg = offeredLeg(arrival, own, sdp, place, { ...beginning, program });
        this.#begin(leg, startedLine(leg, plan));
        this.#tell(leg, 'bridging', arrival.caller.headers);
        // An echo gives the caller its own Opus back, so its own wishes count.
        const { opus, codecs } = dialFor(NOBODY, arrival.caller, id, leg, 0);
        legs.post(leg.id, { type: 'answer', codecs, opus, headers: [] });
        break;
      }
      default: {
        const id = uuid(random);
        const place = { in: 'bridge', id, side: 'a', routed: true } as const;
        const leg = offeredLeg(arrival, own, sdp, place, { ...beginning, program });
        this.openBridge({ id, session });
        this.#begin(leg, startedLine(leg, plan));
        this.#tell(leg, 'bridging', arrival.caller.headers);
        const fresh = freshLeg(random);
        const dial = dialFor(plan, arrival.caller, fresh.leg, leg, ringMs);
        this.dialled(
          dial,
          { ...place, side: 'b' },
          { ...beginning, program: calleeProgram(identity(), plan) },
          fresh,
        );
      }
    }
    return own.leg;
  }

  /** A leg that is called from now on; `ending`: it cannot be, and ends so. */
  dialled(
    dial: Dial,
    place: Place | null,
    beginning: Beginning,
    fresh: FreshLeg,
    ending: Ending | null = null,
  ): Leg {
    const { legs } = this.#world;
    const leg = dialledLeg(dial, fresh, place, beginning);
    legs.begin(leg);
    this.#tell(leg, 'bridging', dial.caller.headers);
    legs.post(leg.id, ending === null ? { type: 'dial' } : { type: 'end', ending });
    return leg;
  }

  #tell(leg: Leg, state: 'parked' | 'bridging', headers: Extra): void {
    if (leg.program === null) return;
    const { domain } = this.#world.options.identity();
    this.#world.legs.post(leg.id, { type: 'begun', news: initiated(leg, state, domain, headers) });
  }

  /** A parked caller hears that it rings: by 180, or by a tone of ours. */
  #ringParked(leg: Leg, { asker, application }: Arrival): void {
    const { legs, options } = this.#world;
    const via = application === undefined ? asker?.via?.id : undefined;
    const connection = options.identity().connection(via ?? '');
    const codecs = mainOf(leg)?.codecs ?? [];
    if (connection?.ringback === 'tone') legs.post(leg.id, { type: 'open', codecs, opus: {} });
    legs.post(leg.id, { type: 'ring', status: 180, headers: [] });
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
    const session = registry.bridges.get(bridge)?.session ?? keeps.session;
    const { plan, counts } = admission.admit(identity(), found.plan, { caller: found.asker, session }, now);
    if (plan.to === 'refuse') return legs.toBridge(bridge, { type: 'notFound', ending: plan.ending });
    const fresh = freshLeg(random);
    if (plan.to === 'service') {
      const place = { in: 'built-in', service: plan.service, id: fresh.leg, since: now } as const;
      return legs.toBridge(bridge, { type: 'found', place });
    }
    const { caller, codecs, ringMs } = found;
    const { dialled } = caller;
    const target = { callee: plan, dialled, branch: fresh.leg };
    const dial: Dial = { targets: [target], caller, codecs, opus: {}, ringMs };
    const beginning: Beginning = { session, counts, now, epoch: epoch() };
    this.dialled(dial, { in: 'bridge', id: bridge, side: 'next' }, beginning, fresh);
  }

  /** A bridge that legs may be in; one that is there stays as it is. */
  openBridge(facts: Pick<Bridge, 'id' | 'session'> & Partial<Bridge>): void {
    const { registry, options } = this.#world;
    if (!registry.bridges.has(facts.id))
      registry.bridges.set(facts.id, newBridge({ heldHears: options.heldHears ?? 'music', ...facts }));
  }

  #begin(leg: Leg, line: LogLine): void {
    this.#world.log(line);
    this.#world.legs.begin(leg);
  }
}

/** What a back end is told of a leg that calls us: that of the application, or of the caller's connection. */
function programOf(
  identity: Identity,
  { application, asker, clientState, leg }: Arrival,
  now: Ms,
): Program | null {
  if (application !== undefined) {
    const { id, accountId, webhook, firstCommandSecs } = application;
    const firstCommandBy = firstCommandSecs === null ? null : now + firstCommandSecs * 1000;
    const hook = hookSettings(webhook);
    const party = leg.kind === 'trunk' ? 'pstn' : 'sip';
    return newProgram({ account: accountId, connection: id, party, incoming: true, hook, firstCommandBy });
  }
  const program = programOfUser(identity, asker?.user);
  return program === null || clientState === undefined ? program : { ...program, clientState };
}

const calleeProgram = (identity: Identity, callee: Callee): Program | null =>
  callee.to === 'user' ? programOfUser(identity, identity.userByName(callee.userName)) : null;
