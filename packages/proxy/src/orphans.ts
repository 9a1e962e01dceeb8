import { Deadlines, type JournalEntry, type Ms, type Random } from '@sidetone/core';
import {
  createResponse,
  type ExtraHeaders,
  type Flow,
  type SipResponse,
  type SipSend,
  type TransactionLayer,
  type TransactionOut,
} from '@sidetone/sip';
import { retryAfter } from '@sidetone/wire';
import { type EarlyInvite, readEarlyInvite } from './early-invites.ts';
import { forwardedResponse } from './forward.ts';
import { upToVoice } from './strays.ts';

/*
 * INVITEs that the process before left without a final response. Nobody can finish their calls any more, so they end:
 *
 *   from outside:  waiting ──a moment──▶ 503 with Retry-After, repeated until its ACK
 *                     ├── CANCEL ──────▶ 487
 *                     └── voice had answered already: its 2xx ──▶ passed up
 *   sent outside:  CANCEL, under the branch of the INVITE ──▶ refusal: ACK │ 2xx that crossed: to voice, which ends it
 */
type Orphan =
  | { readonly side: 'in'; readonly invite: Extract<EarlyInvite, { side: 'in' }> }
  | { readonly side: 'out'; readonly invite: Extract<EarlyInvite, { side: 'out' }> };

/** Why: in SIP words, as in the records of `voice`. */
const REASON = ['Reason', 'Q.850;cause=41;text="Server restarted"'] as const;
/** voice repeats an answer that its caller may not have got; the answer must win. */
const GRACE_MS = 500;

/** What comes of an orphan's event: transaction events to carry out, and messages that go out as they are. */
export interface OrphanStep {
  readonly events: readonly TransactionOut[];
  readonly sends: readonly SipSend[];
}

const NOTHING: OrphanStep = { events: [], sends: [] };

export class Orphans {
  readonly #layer: TransactionLayer;
  readonly #random: Random;
  readonly #toTag: () => string;
  /** By transaction. */
  readonly #orphans = new Map<string, Orphan>();
  readonly #due = new Deadlines<string>();

  constructor(layer: TransactionLayer, random: Random, toTag: () => string) {
    this.#layer = layer;
    this.#random = random;
    this.#toTag = toTag;
  }

  has(tx: string): boolean {
    return this.#orphans.has(tx);
  }

  deadline(): Ms | null {
    return this.#due.next();
  }

  /** Takes up one journalled INVITE under a transaction of its own; `null` when it is none, or two lines mean the same. */
  take(
    entry: JournalEntry,
    now: Ms,
  ): ({ readonly tx: string; readonly invite: EarlyInvite } & OrphanStep) | null {
    const invite = readEarlyInvite(entry.value);
    if (invite === null) return null;
    if (invite.side === 'out') {
      const tx = this.#layer.resume(invite.request, invite.flow, now);
      this.#orphans.set(tx, { side: 'out', invite });
      return { tx, invite, events: this.#layer.cancel(tx, [REASON], now), sends: [] };
    }
    const arrived = this.#layer.receive(invite.request, invite.flow, now)[0];
    if (arrived?.type !== 'request' || arrived.tx === null) return null;
    const { tx } = arrived;
    this.#orphans.set(tx, { side: 'in', invite: { ...invite, request: arrived.request } });
    this.#due.set(tx, now + GRACE_MS);
    return { tx, invite, ...NOTHING };
  }

  tick(now: Ms): readonly TransactionOut[] {
    const events: TransactionOut[] = [];
    for (let tx = this.#due.takeDue(now); tx !== undefined; tx = this.#due.takeDue(now))
      events.push(...this.#refuse(tx, 503, [REASON, ['Retry-After', retryAfter(this.#random)]], now));
    return events;
  }

  /** An event of the transaction of an orphan. */
  on(event: Extract<TransactionOut, { tx: string | null }>, now: Ms): OrphanStep {
    const tx = event.tx ?? '';
    const orphan = this.#orphans.get(tx);
    switch (event.type) {
      case 'cancelled':
        return { events: this.#refuse(tx, 487, [], now), sends: [] };
      case 'response':
        if (orphan?.side !== 'out' || event.response.status < 200 || event.response.status >= 300)
          return NOTHING;
        return { events: [], sends: [upToVoice(event.response, orphan.invite.back, event.flow)] };
      case 'terminated':
        this.#orphans.delete(tx);
        this.#due.delete(tx);
        return NOTHING;
      default:
        return NOTHING;
    }
  }

  /** voice repeats its 2xx for an INVITE from outside: the caller gets it after all. `null`: none of ours. */
  answered(response: SipResponse, from: Flow, now: Ms): readonly TransactionOut[] | null {
    const [, next] = response.headers.via;
    for (const [tx, { side, invite }] of this.#orphans) {
      const [top] = invite.request.headers.via;
      if (side !== 'in' || next === undefined || top === undefined) continue;
      if (top.params['branch'] !== next.params['branch'] || top.host !== next.host) continue;
      this.#due.delete(tx);
      const { via } = invite.request.headers;
      return this.#layer.respond(tx, forwardedResponse(response, via, invite.flow, from, undefined), now);
    }
    return null;
  }

  #refuse(tx: string, status: number, headers: ExtraHeaders, now: Ms): readonly TransactionOut[] {
    const orphan = this.#orphans.get(tx);
    this.#due.delete(tx);
    if (orphan?.side !== 'in') return [];
    const { request } = orphan.invite;
    return this.#layer.respond(tx, createResponse(request, status, { toTag: this.#toTag(), headers }), now);
  }
}
