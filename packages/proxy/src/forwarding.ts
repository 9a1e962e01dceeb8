import { Deadlines, earliest, hexId, type JournalEntry, type Ms, type Random } from '@sidetone/core';
import {
  createResponse,
  createTransactionLayer,
  type Flow,
  headersNamed,
  type SipRequest,
  type SipResponse,
  type TransactionLayer,
  type TransactionOut,
} from '@sidetone/sip';
import type { FinalResponse } from './best-response.ts';
import type { Sender } from './border.ts';
import { answeredBy, pathOf } from './dialog-path.ts';
import { EarlyLines } from './early-invites.ts';
import { forwardedRequest, forwardedResponse } from './forward.ts';
import {
  type Arrived,
  type Forwarded,
  type ForwardingOptions,
  type ForwardingOut,
  finalResponse,
  mayStillPass,
  shrink,
} from './forwarded.ts';
import { LargeRequests } from './large-requests.ts';
import { Orphans } from './orphans.ts';
import { isReachable, presented, recordRoute, sentBy } from './own-address.ts';
import { Counts, loopKey, PassedRequests } from './passed-requests.ts';
import { type Place, Places, sourceOf } from './places.ts';
import { type ContextInput, newContext, responseContextMachine } from './response-context.ts';
import { STRAYS_MS, strayOnward } from './strays.ts';
import type { Target } from './target.ts';
import { TrunkCredentials } from './trunk-credentials.ts';

/**
 * Carries requests and responses between transactions: the stateful half of the proxy (RFC 3261 §16.6 to §16.10). It
 * runs the response contexts over the transaction layer and knows which transactions live.
 */
export class Forwarding {
  readonly #options: ForwardingOptions;
  readonly #random: Random;
  readonly #layer: TransactionLayer;
  readonly #contexts = new Map<string, Forwarded>();
  readonly #clients = new Map<string, { readonly context: string; readonly branch: number }>();
  readonly #passed: PassedRequests;
  readonly #places: Places;
  /** Where the request that is coming in has its place. */
  #arriving: Place | null = null;
  readonly #loops = new Counts();
  readonly #due = new Deadlines<string>();
  readonly #large: LargeRequests;
  readonly #early: EarlyLines;
  readonly #trunks: TrunkCredentials;
  readonly #orphans: Orphans;
  /** Until then a 2xx from outside may be for the process before. */
  #straysUntil: Ms = 0;
  #out: ForwardingOut[] = [];

  constructor(options: ForwardingOptions) {
    this.#options = options;
    const { address, random } = options;
    this.#random = random;
    this.#layer = createTransactionLayer({
      sentBy: (flow) => sentBy(address, flow),
      random,
      finished: options.limits.finished,
    });
    this.#large = new LargeRequests(address);
    this.#places = new Places(options.limits);
    this.#passed = new PassedRequests((flow) => sourceOf(flow, options.identity().trunks));
    this.#early = new EarlyLines(random);
    this.#trunks = new TrunkCredentials(random, options.identity);
    this.#orphans = new Orphans(this.#layer, random, () => hexId(random, 8));
  }

  /** Everything that must come to an end by itself. */
  get size(): number {
    return this.#layer.size + this.#contexts.size + this.#passed.size + this.#places.size;
  }

  /** Whether there is a place for one more request. */
  hasRoom(place: Place): boolean {
    return this.#places.has(place);
  }

  deadline(): Ms | null {
    return earliest(this.#layer.deadline(), earliest(this.#due.next(), this.#orphans.deadline()));
  }

  /** Everything to do since the last call. */
  takeOut(): readonly ForwardingOut[] {
    const out = this.#out;
    this.#out = [];
    return out;
  }

  /** A message whose sender may pass, or any response. A request that begins takes `place`. */
  receive(message: SipRequest | SipResponse, flow: Flow, place: Place | null, now: Ms): void {
    this.#arriving = place;
    this.#take(this.#layer.receive(message, flow, now, place?.holder), now);
    this.#arriving = null;
  }

  /** Takes a place for a request that is here already; `false`: there is none. */
  takePlace(tx: string, place: Place): boolean {
    if (!this.#places.has(place)) return false;
    this.#places.take(tx, place);
    return true;
  }

  transportFailed(flow: Flow, now: Ms): void {
    this.#take(this.#layer.transportFailed(flow, now), now);
  }

  tick(now: Ms): void {
    this.#take(this.#layer.tick(now), now);
    for (let id = this.#due.takeDue(now); id !== undefined; id = this.#due.takeDue(now))
      this.#step(id, { type: 'tick' }, now);
    this.#take(this.#orphans.tick(now), now);
  }

  /** What the process before has learned of trunks. */
  restoreTrunks(entries: readonly JournalEntry[]): void {
    this.#out.push(...this.#trunks.restore(entries));
  }

  /** Ends the INVITEs that the process before left without a final response (`orphans.ts`). */
  restore(entries: readonly JournalEntry[], now: Ms): void {
    this.#straysUntil = now + STRAYS_MS;
    for (const entry of entries) {
      const taken = this.#orphans.take(entry, now);
      if (taken === null) this.#out.push({ type: 'journal', key: entry.key, value: null });
      if (taken === null) continue;
      const { tx, invite, events } = taken;
      this.#early.keep(tx, entry.key);
      if (invite.side === 'in') this.#passed.add(tx, invite.request, invite.flow);
      const { callId } = invite.request.headers;
      this.#out.push({ type: 'log', level: 'warn', event: 'call ended by a restart', fields: { callId } });
      this.#take(events, now);
    }
  }

  /** Whether a request belongs to a transaction that passed before: a copy, its CANCEL, or the ACK of a refusal. */
  knows(request: SipRequest, flow: Flow): boolean {
    return this.#passed.knows(request, flow);
  }

  /** Whether this request passed already, by another way. */
  isMerged(request: SipRequest): boolean {
    return this.#passed.isMerged(request);
  }

  /** Whether an INVITE of this call came from this source and is still under way. */
  isCaller(request: SipRequest, flow: Flow): boolean {
    return this.#passed.isCaller(request, flow);
  }

  /** Whether this very request, unchanged, is already being forwarded (RFC 3261 §16.3 item 4: a loop, no spiral). */
  isLoop(request: SipRequest): boolean {
    return this.#loops.has(loopKey(request));
  }

  respond(tx: string, response: SipResponse, now: Ms): void {
    if (response.status === 503) this.#passed.sentAway(tx);
    this.#take(this.#layer.respond(tx, response, now), now);
  }

  /** Forwards a request to groups of targets, and answers it with what comes of them. */
  forward(
    arrived: Arrived,
    groups: readonly (readonly Target[])[],
    sender: Sender | null,
    holder: string,
    now: Ms,
  ): void {
    const { tx, request, flow } = arrived;
    if (tx === null) {
      const target = groups[0]?.[0];
      if (target === undefined || !isReachable(target.flow)) return;
      const ack = forwardedRequest(request, flow, target, sender, null);
      this.#take(this.#layer.ack(ack, this.#flowFor(ack, target, now)), now);
      return;
    }
    const invite = request.method === 'INVITE';
    if (invite && flow.transport !== 'local')
      this.#out.push(this.#early.started(tx, { side: 'in', request, flow }));
    if (invite) this.respond(tx, createResponse(request, 100), now);
    const key = loopKey(request);
    this.#contexts.set(tx, {
      state: newContext(invite, groups, this.#options.limits),
      server: tx,
      request,
      source: flow,
      sender,
      holder,
      branches: [],
      open: new Set([tx]),
      kept: new Set([tx]),
      loopKey: key,
    });
    this.#loops.add(key);
    this.#step(tx, { type: 'start' }, now);
  }

  #take(events: readonly TransactionOut[], now: Ms): void {
    for (const event of events) {
      if ('tx' in event && event.tx !== null && this.#orphans.has(event.tx)) {
        this.#orphan(event, event.tx, now);
        continue;
      }
      switch (event.type) {
        case 'sip':
          if (isReachable(event.flow)) this.#out.push(presented(event, this.#options.address));
          break;
        case 'request':
          this.#arrived(event);
          break;
        case 'response':
          this.#response(event.tx, event.response, event.flow, now);
          if (event.response.status >= 200) this.#out.push(...this.#early.settled(event.tx));
          break;
        case 'stray':
          this.#stray(event.response, event.flow, now);
          break;
        case 'cancelled':
          this.#step(event.tx, { type: 'cancel', headers: reasons(event.request) }, now);
          break;
        case 'timeout':
          this.#failed(event.tx, 408, now);
          break;
        case 'transportError':
          this.#failed(event.tx, 503, now);
          break;
        case 'over':
          this.#over(event.tx);
          break;
        case 'terminated':
          this.#terminated(event.tx);
          break;
      }
    }
  }

  #orphan(event: Extract<TransactionOut, { tx: string | null }>, tx: string, now: Ms): void {
    const { events, sends } = this.#orphans.on(event, now);
    this.#out.push(...sends);
    this.#take(events, now);
    if (event.type === 'terminated') this.#terminated(tx);
    else if (event.type === 'response' && event.response.status >= 200)
      this.#out.push(...this.#early.settled(tx));
  }

  #arrived(event: Extract<TransactionOut, { type: 'request' }>): void {
    const { tx, request, flow } = event;
    if (tx !== null && flow.transport !== 'local') this.#passed.add(tx, request, flow);
    if (tx !== null && this.#arriving !== null) this.#places.take(tx, this.#arriving);
    this.#out.push({ type: 'arrived', tx, request, flow });
  }

  #response(tx: string, response: SipResponse, from: Flow, now: Ms): void {
    const place = this.#clients.get(tx);
    const context = place === undefined ? undefined : this.#contexts.get(place.context);
    const branch = place === undefined ? undefined : context?.branches[place.branch];
    if (place === undefined || context === undefined || branch === undefined) return;
    // A copy of the branch that was sent again with credentials speaks for it now.
    if (branch.tx !== tx) return;
    const isChallenge = response.status === 401 || response.status === 407;
    if (isChallenge && this.#prove(context, place.branch, response, from, now)) return;
    const { trunk } = context.state.branches[place.branch]!.target;
    if (
      trunk !== undefined &&
      branch.sent !== null &&
      branch.tries > 0 &&
      response.status > 100 &&
      response.status < 300
    )
      this.#out.push(...this.#trunks.passed(trunk, branch.sent));
    this.#step(place.context, { type: 'response', branch: place.branch, response }, now);
  }

  /** A carrier that challenges our requests gets its credentials (`trunk-credentials.ts`). */
  #prove(context: Forwarded, index: number, response: SipResponse, from: Flow, now: Ms): boolean {
    const branch = context.branches[index]!;
    const b = context.state.branches[index];
    const trunk = b?.target.trunk;
    if (b === undefined || trunk === undefined || context.state.cancelled !== null) return false;
    const { sent, tries } = branch;
    if (b.phase === 'leaving' || sent === null) return false;
    const hop = b.target.flow;
    const answer = this.#trunks.answer({ trunk, sent, hop, response, from, tries, rang: b.rang });
    if (answer.type === 'withheld') {
      const fields = { trunk, why: answer.why, realm: answer.realm.slice(0, 64) };
      this.#out.push({ type: 'log', level: 'warn', event: 'challenge not answered', fields });
    }
    if (answer.type !== 'again') return false;
    branch.sent = answer.request;
    branch.tries += 1;
    this.#send(context, index, this.#flowFor(answer.request, b.target, now), now);
    return true;
  }

  #failed(tx: string, status: 408 | 503, now: Ms): void {
    const place = this.#clients.get(tx);
    if (place !== undefined) {
      const branch = this.#contexts.get(place.context)?.branches[place.branch];
      if (branch?.tx === tx && !(status === 503 && this.#byUdpAfterAll(place, now)))
        this.#step(place.context, { type: 'failed', branch: place.branch, status }, now);
      return;
    }
    // The caller cannot be reached any more: nobody waits for an answer.
    if (this.#contexts.has(tx)) this.#step(tx, { type: 'cancel', headers: [] }, now);
  }

  #flowFor(request: SipRequest, target: Target, now: Ms): Flow {
    return this.#large.flowFor(request, target, this.#options.identity().trunks, now);
  }

  /** RFC 3261 §18.1.1: a request that went by TCP for its size alone, and found no connection, goes by UDP: a transaction of its own. */
  #byUdpAfterAll(place: { readonly context: string; readonly branch: number }, now: Ms): boolean {
    const context = this.#contexts.get(place.context);
    const b = context?.state.branches[place.branch];
    const branch = context?.branches[place.branch];
    if (context === undefined || b === undefined || branch === undefined) return false;
    const { flow } = b.target;
    if (branch.flow === flow) return false;
    this.#large.refused(branch.flow, now);
    // Cancelled meanwhile, or given up: nobody waits for it.
    if (b.phase !== 'calling') return false;
    this.#step(place.context, { type: 'again', branch: place.branch }, now);
    this.#send(context, place.branch, flow, now);
    return true;
  }

  /** A transaction only waits for copies now: it holds no place, and its request keeps what those need. */
  #over(tx: string): void {
    this.#places.give(tx);
    const id = this.#clients.get(tx)?.context ?? tx;
    const context = this.#contexts.get(id);
    if (context === undefined || !context.open.delete(tx) || context.open.size > 0) return;
    this.#due.delete(id);
    this.#loops.remove(context.loopKey);
    if (mayStillPass(context)) shrink(context);
    else this.#drop(id, context);
  }

  #terminated(tx: string): void {
    this.#over(tx);
    this.#passed.remove(tx);
    this.#out.push(...this.#early.settled(tx));
    const id = this.#clients.get(tx)?.context ?? tx;
    this.#clients.delete(tx);
    const context = this.#contexts.get(id);
    if (context === undefined) return;
    context.kept.delete(tx);
    if (context.kept.size === 0) this.#drop(id, context);
  }

  #drop(id: string, context: Forwarded): void {
    this.#contexts.delete(id);
    for (const tx of context.kept) this.#clients.delete(tx);
  }

  #step(id: string, input: ContextInput, now: Ms): void {
    const context = this.#contexts.get(id);
    if (context === undefined) return;
    const { state, out } = responseContextMachine.step(context.state, input, now);
    context.state = state;
    this.#due.set(id, responseContextMachine.deadline(state));
    for (const event of out) {
      switch (event.type) {
        case 'send':
          this.#start(context, event.branch, event.target, now);
          break;
        case 'cancel': {
          const tx = context.branches[event.branch]?.tx;
          if (tx !== undefined) this.#take(this.#layer.cancel(tx, event.headers, now), now);
          break;
        }
        case 'pass':
          this.#pass(context, event.branch, event.response, now);
          break;
        case 'answer':
          this.#answer(context, event.endings, event.cancelled, now);
          break;
      }
    }
  }

  #start(context: Forwarded, branch: number, target: Target, now: Ms): void {
    const { request, source, sender } = context;
    if (branch > 0 && target.trunk !== undefined)
      this.#out.push({ type: 'log', level: 'warn', event: 'next trunk', fields: { trunk: target.trunk } });
    const { address, secret } = this.#options;
    const path = pathOf(request, source, target, sender, secret, now);
    const route = path === null ? null : recordRoute(address, path.peer, path.token);
    const sent = forwardedRequest(request, source, target, sender, route);
    const flow = this.#flowFor(sent, target, now);
    context.branches[branch] = { sent, flow, tx: '', tries: 0 };
    if (isReachable(target.flow)) this.#send(context, branch, flow, now);
    else this.#step(context.server, { type: 'failed', branch, status: 503 }, now);
  }

  #send(context: Forwarded, branch: number, flow: Flow, now: Ms): void {
    const entry = context.branches[branch]!;
    if (entry.sent === null) return;
    const { tx, out } = this.#layer.request(entry.sent, flow, now, context.holder);
    entry.tx = tx;
    entry.flow = flow;
    context.open.add(tx);
    context.kept.add(tx);
    this.#clients.set(tx, { context: context.server, branch });
    const [first] = out;
    if (flow.transport !== 'local' && first?.type === 'sip' && first.message.kind === 'request') {
      const back = context.request.headers.via;
      if (first.message.method === 'INVITE')
        this.#out.push(this.#early.started(tx, { side: 'out', request: first.message, flow, back }));
    }
    this.#take(out, now);
  }

  #pass(context: Forwarded, branch: number, response: SipResponse, now: Ms): void {
    const target = context.state.branches[branch]!.target;
    const { request, source, server } = context;
    const told = answeredBy(response, target, this.#options.secret, now);
    this.respond(
      server,
      forwardedResponse(told, request.headers.via, source, target.flow, target.trunk),
      now,
    );
    if (response.status >= 200) this.#out.push(...this.#early.settled(server));
  }

  #answer(context: Forwarded, endings: readonly FinalResponse[], cancelled: boolean, now: Ms): void {
    this.respond(context.server, finalResponse(context, endings, cancelled, this.#random), now);
  }

  #stray(response: SipResponse, flow: Flow, now: Ms): void {
    const events = this.#orphans.answered(response, flow, now);
    if (events !== null) return this.#take(events, now);
    if (flow.transport !== 'local' && now >= this.#straysUntil) return;
    const send = strayOnward(response, flow, this.#options.address);
    if (send !== null) this.#out.push(presented(send, this.#options.address));
  }
}

/** RFC 3326: the Reason of a CANCEL goes along. */
const reasons = (request: SipRequest) =>
  headersNamed(request, 'Reason').map((value): readonly [string, string] => ['Reason', value]);
