import type { Ms } from '@sidetone/core';
import type { DialogName, UserAgent, UserAgentOut } from '@sidetone/sip';
import type { Leg } from '../leg/leg.ts';
import type { Registry } from '../registry.ts';
import type { Transactions } from '../transaction.ts';
import type { Dialogs } from './dialogs.ts';
import { infoInput } from './from-sip.ts';
import { foreignInfo, readInfo } from './info-body.ts';
import { readReferNotify } from './refer.ts';
import { referTarget } from './refer-target.ts';

type Of<T extends UserAgentOut['type']> = Extract<UserAgentOut, { type: T }>;

interface World {
  readonly agent: UserAgent;
  readonly registry: Registry;
  readonly legs: Transactions;
  readonly dialogs: Dialogs;
  readonly isOwnHost: (host: string) => boolean;
}

/** Requests of peers in dialogs that do not change these: each is answered here, and becomes an input of its leg. */
export class InDialog {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  request(out: Of<'request'>, now: Ms): readonly UserAgentOut[] {
    const { method } = out.request;
    if (method === 'REFER') return this.#refer(out, now);
    if (method === 'NOTIFY') return this.#notify(out, now);
    return this.#respond(out.tx, method === 'OPTIONS' ? 200 : 405, now);
  }

  info(out: Of<'info'>, now: Ms): readonly UserAgentOut[] {
    const { registry, legs, dialogs } = this.#world;
    const { status, body } = readInfo(out.request);
    const branch = dialogs.branchOf(out.leg);
    const leg = branch === undefined ? undefined : registry.legOfBranch(branch);
    const foreign = status === 415 && leg?.program != null ? foreignInfo(out.request) : null;
    if (leg !== undefined && foreign !== null) legs.post(leg.id, { type: 'infoReceived', ...foreign });
    else if (leg !== undefined && branch !== undefined && body !== null && body.kind !== 'candidates')
      legs.post(leg.id, infoInput(body, branch));
    return this.#respond(out.tx, foreign === null ? status : 200, now);
  }

  /** How a REFER of ours gets on. */
  #notify(out: Of<'request'>, now: Ms): readonly UserAgentOut[] {
    const leg = this.#legOf(out.leg);
    const news = leg?.program?.referring === true ? readReferNotify(out.request) : null;
    if (leg === undefined || news === null) return this.#respond(out.tx, 481, now);
    this.#world.legs.post(leg.id, { type: 'referNotified', ...news });
    return this.#respond(out.tx, 200, now);
  }

  #refer(out: Of<'request'>, now: Ms): readonly UserAgentOut[] {
    const { agent, registry, legs, isOwnHost } = this.#world;
    const asks = this.#legOf(out.leg);
    const find = (name: DialogName): Leg | undefined => this.#legOf(agent.legWith(name));
    const to = asks === undefined ? 403 : referTarget(out.request, asks, { isOwnHost, registry, find });
    if (asks === undefined || typeof to === 'number')
      return this.#respond(out.tx, typeof to === 'number' ? to : 403, now);
    legs.post(asks.id, { type: 'refer', tx: out.tx, cseq: out.request.headers.cseq.seq, to });
    return [];
  }

  #legOf(dialog: Parameters<Dialogs['branchOf']>[0]): Leg | undefined {
    return this.#world.registry.legOfBranch(this.#world.dialogs.branchOf(dialog) ?? '');
  }

  #respond(tx: string, status: number, now: Ms): readonly UserAgentOut[] {
    return this.#world.agent.respondRequest(tx, status, {}, now);
  }
}
