import {
  earliest,
  hexId,
  type JournalEntry,
  type LogLine,
  type Ms,
  type Restore,
  sameHost,
} from '@sidetone/core';
import {
  createResponse,
  type Flow,
  hostOf,
  type ResponseParts,
  type SipRequest,
  unescapeUser,
  validateRequest,
} from '@sidetone/sip';
import type { IdentityRefusal } from '@sidetone/wire';
import { ALLOW, CAPABILITIES, errandOf, identify, type Sender } from './border.ts';
import { contactFrom } from './dialog-path.ts';
import { DigestGate, sourceOf } from './digest-gate.ts';
import type { Arrived } from './forwarded.ts';
import { Forwarding } from './forwarding.ts';
import type { Binding } from './location.ts';
import { LocationTable } from './location-table.ts';
import { Lookups } from './lookups.ts';
import { isOwnVia, isReachable } from './own-address.ts';
import { holderOf, LiveDialogs, type Place, sourceOf as sentFrom } from './places.ts';
import type { ProxyInput, ProxyLimits, ProxyOptions, ProxyOutput, SipProxy, Turns } from './proxy-events.ts';
import { LIMITS } from './proxy-limits.ts';
import { register } from './registrar.ts';
import { SentAway } from './sent-away.ts';
import { answerStatelessly } from './stateless.ts';
import { welcome } from './strangers.ts';
import { preprocess, type RoutingFacts, routeFromRoom, toVoice } from './targets.ts';
import { createTurns, saysWhen } from './turn.ts';

/**
 * The SIP proxy and registrar of the house (RFC 3261 §10, §16): who is registered where, who may send, which trunk.
 * Requests from outside pass the border (`border.ts`) before anything is kept for them.
 */
export function createProxy(options: ProxyOptions): SipProxy {
  return new ProxyService(options);
}

class ProxyService implements SipProxy {
  readonly name = 'proxy';
  readonly #options: ProxyOptions;
  readonly #limits: ProxyLimits;
  readonly #locations = new LocationTable();
  readonly #dialogs = new LiveDialogs();
  readonly #sentAway = new SentAway((flow) => sentFrom(flow, this.#options.identity().trunks));
  readonly #lookups: Lookups;
  readonly #gate: DigestGate;
  readonly #forwarding: Forwarding;
  readonly turns: Turns;
  /** Who sent the request that is being handled. */
  #sender: Sender | null = null;
  #out: ProxyOutput[] = [];

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#lookups = new Lookups(this.#limits.lookups, this.#limits.lookupMs);
    const { address, random, identity, nonceSecret } = options;
    this.#gate = new DigestGate({
      secret: nonceSecret,
      random,
      realm: () => this.#realm(),
      algorithms: options.digest,
      nonceMs: this.#limits.nonceMs,
      nonces: this.#limits.nonces,
    });
    this.#forwarding = new Forwarding({
      address,
      random,
      identity,
      secret: nonceSecret,
      limits: this.#limits,
    });
    this.turns = createTurns({
      trunks: () => identity().trunks,
      isLive: (request, flow) => this.#forwarding.knows(request, flow) || this.#dialogs.of(request) !== null,
      isPhone: (flow, now) => this.#locations.isSource(flow, now),
      sentAway: this.#sentAway,
      secret: nonceSecret,
      random,
    });
  }

  get size(): number {
    return this.#forwarding.size + this.#lookups.size;
  }

  get bindings(): number {
    return this.#locations.size;
  }

  bindingsOf(user: string, now: Ms): readonly Binding[] {
    return this.#locations.of(user, now);
  }

  deadline(): Ms | null {
    const own = earliest(this.#lookups.deadline(), this.#locations.deadline());
    return earliest(own, this.#forwarding.deadline());
  }

  handle(input: ProxyInput, now: Ms): readonly ProxyOutput[] {
    this.#out = [];
    switch (input.type) {
      case 'restore':
        this.#gate.restored(now);
        this.#locations.restore(entriesOf(input, 'binding '), now);
        this.#dropRefused(now);
        this.#forwarding.restoreTrunks(entriesOf(input, 'realms '));
        this.#forwarding.restore(entriesOf(input, 'early '), now);
        break;
      case 'tick':
        this.#lookups.tick(now);
        this.#locations.tick(now);
        this.#forwarding.tick(now);
        break;
      case 'sip':
        if (input.message.kind === 'response' || input.flow.transport === 'local')
          this.#admit(input.message, input.flow, null, null, now);
        else this.#border(input.message, input.flow, input.late === true, now);
        break;
      case 'dialog':
        this.#dialogs.set(input.callId, input.tag, input.live);
        break;
      case 'transportFailed':
        this.#locations.flowLost(input.flow, now);
        this.#forwarding.transportFailed(input.flow, now);
        break;
      case 'revoked':
        for (const user of input.users) this.#locations.step(user, { type: 'revoked' }, now);
        break;
      case 'credentials':
        this.#credentials(input.request, input.result, now);
        break;
    }
    this.#collect(now);
    this.#out.push(...this.#locations.takeLines());
    const out = this.#out.map((event) => saysWhen(event, this.#options.random));
    this.#out = [];
    return out;
  }

  /** Hands a message to its transaction, and the request that comes of it to its errand. */
  #admit(
    message: Parameters<Forwarding['receive']>[0],
    flow: Flow,
    sender: Sender | null,
    place: Place | null,
    now: Ms,
  ): void {
    this.#sender = sender;
    this.#forwarding.receive(message, flow, place, now);
    this.#collect(now);
    this.#sender = null;
  }

  #collect(now: Ms): void {
    for (let out = this.#forwarding.takeOut(); out.length > 0; out = this.#forwarding.takeOut()) {
      for (const event of out) {
        if (event.type !== 'arrived') this.#out.push(event);
        else if (event.flow.transport === 'local') this.#fromRoom(event, now);
        else this.#fromOutside(event, now);
      }
    }
  }

  // ---- the border: nothing is kept for whom it does not pass

  #border(request: SipRequest, flow: Flow, late: boolean, now: Ms): void {
    if (request.headers.via.length === 0) return;
    if (this.#forwarding.knows(request, flow)) return this.#admit(request, flow, null, null, now);
    if (this.#sentAway.has(request, flow, now)) return this.#refuse(request, flow, 503);
    // A CANCEL cannot be challenged (RFC 3261 §22.1); without its INVITE there is nothing to cancel.
    if (request.method === 'CANCEL') return this.#refuse(request, flow, 481);
    // Who only writes a To tag is in no dialog (RFC 3261 §12.2.2), whoever it is: that costs nobody a place or a look-up.
    if (this.#isStray(request)) return this.#refuse(request, flow, 481);
    const { uri, route, peer } = preprocess(request, this.#preprocessFacts());
    const addressed = route.length === 0 && this.#isOurHost(uri.host);
    const bad = validateRequest(request, { role: 'proxy', supported: [], addressed });
    if (bad !== null)
      return this.#refuse(request, flow, bad.status, { reason: bad.reason, headers: bad.headers });
    // A ping that goes no further: of whomever, for it tells and keeps nothing.
    const { maxForwards, to } = request.headers;
    if (request.method === 'OPTIONS' && maxForwards === 0 && to.params['tag'] === undefined)
      return this.#refuse(request, flow, 200, { headers: CAPABILITIES });
    // Before the proof: both ways bring the same credentials, which are good once.
    if (this.#isMerged(request)) return this.#refuse(request, flow, 482);
    const named = unescapeUser(request.headers.from.uri.user ?? '');
    const contactOf = this.#locations.isSourceOf(named, flow, now) ? named : undefined;
    const identity = this.#options.identity();
    const verdict = identify(request, flow, {
      identity,
      isOurHost: this.#isOurHost,
      holdsToken: peer !== null,
      isContact: contactOf !== undefined || this.#locations.isSource(flow, now),
      user: peer !== null && 'phone' in peer ? peer.user : contactOf,
      isCaller: this.#forwarding.isCaller(request, flow),
      welcome: welcome(uri, flow, identity, this.#isOurHost, this.#options.nonceSecret, now),
    });
    // Carriers take a 503 to OPTIONS for the end of us (and it costs as little as the 200). What is in a dialog is never refused for it.
    const spared = request.method === 'ACK' || request.method === 'OPTIONS';
    const refused = late && !spared && this.#dialogs.of(request) === null;
    switch (verdict.type) {
      case 'drop':
        return;
      case 'again':
        return this.#refuse(request, flow, 302, { contact: [verdict.contact] });
      case 'challenge':
        return this.#challenge(request, flow, verdict.status, false, now);
      case 'check':
        if (refused) return this.#sendAway(request, flow, now);
        return this.#check(request, flow, verdict.status, verdict.authorization, now);
      case 'pass':
        if (refused) return this.#sendAway(request, flow, now);
        return this.#pass(request, flow, verdict.sender, now);
    }
  }

  /** §8.2.2.2. What we have sent on ourselves and comes back is a loop or a spiral (§16.3 item 4). */
  #isMerged(request: SipRequest): boolean {
    return this.#forwarding.isMerged(request) && !this.#wasHere(request);
  }

  #wasHere({ headers }: SipRequest): boolean {
    return headers.via.some((via) => isOwnVia(this.#options.address, via));
  }

  #pass(request: SipRequest, flow: Flow, sender: Sender, now: Ms): void {
    if (this.#wasHere(request) && this.#forwarding.isLoop(request)) return this.#refuse(request, flow, 482);
    const { uri } = preprocess(request, this.#preprocessFacts());
    const errand = errandOf({ ...request, uri }, this.#isOurHost);
    if (errand.to === 'self') return this.#refuse(request, flow, 200, { headers: CAPABILITIES });
    if (errand.to === 'nowhere') {
      const { status } = errand;
      const headers = status === 405 || status === 501 ? [['Allow', ALLOW] as const] : [];
      return this.#refuse(request, flow, status, { headers });
    }
    const name = this.#dialogs.of(request);
    const holder = holderOf(sender, flow);
    // ACK and BYE take no place: they are what makes room.
    const free = request.method === 'ACK' || (request.method === 'BYE' && name !== null);
    const place: Place | null = free
      ? null
      : name === null
        ? { kind: 'new', holder }
        : { kind: 'dialog', holder, name };
    if (place !== null && !this.#forwarding.hasRoom(place)) return this.#sendAway(request, flow, now);
    this.#admit(request, flow, sender, place, now);
  }

  /** A request that names a dialog which `voice` does not have. */
  #isStray(request: SipRequest): boolean {
    const tag = request.headers.to.params['tag'];
    return tag !== undefined && request.method !== 'REGISTER' && this.#dialogs.of(request) === null;
  }

  /** Asks for the password, unless the credentials are worthless whatever it is. */
  #check(
    request: SipRequest,
    flow: Flow,
    status: 401 | 407,
    authorization: readonly string[],
    now: Ms,
  ): void {
    const first = this.#gate.verify(request, flow, authorization, null, now);
    if (!first.ok && first.error !== 'unknown-user')
      return this.#unproven(request, flow, status, first.error, now);
    const user = this.#gate.claimedUser(authorization);
    const top = request.headers.via[0];
    const key = `${top?.params['branch'] ?? ''} ${request.method} ${request.headers.callId} ${request.headers.cseq.seq} ${placeOf(flow)}`;
    const asked = this.#lookups.start({ request, flow, user, status, authorization, key }, now);
    if (asked === 'full') return this.#sendAway(request, flow, now);
    if (asked !== 'copy') {
      this.#out.push({ type: 'lookup', request: asked.id, user, address: sourceOf(flow) });
    }
  }

  #credentials(id: string, result: { readonly password: string } | null, now: Ms): void {
    const lookup = this.#lookups.take(id);
    if (lookup === undefined) return;
    const { request, flow, status, authorization, user } = lookup;
    // The other way was proven while this one waited.
    if (this.#isMerged(request)) return this.#refuse(request, flow, 482);
    const known = result === null ? null : { user, ...result };
    const verified = this.#gate.verify(request, flow, authorization, known, now);
    if (!verified.ok) {
      if (verified.error === 'wrong' || verified.error === 'unknown-user')
        this.#out.push({ type: 'refused', user, address: sourceOf(flow) });
      return this.#unproven(request, flow, status, verified.error, now);
    }
    const why = this.#refusal(user);
    // Removed meanwhile: as if never known.
    if (why === 'unknown') return this.#unproven(request, flow, status, 'unknown-user', now);
    if (why !== undefined) {
      this.#log('warn', 'user refused', { user, why, method: request.method, address: sourceOf(flow) });
      return this.#refuse(request, flow, 403, { reason: `Forbidden (${why})` });
    }
    const binding = this.#locations.instanceBy(user, flow, now)?.id;
    this.#pass(request, flow, { kind: 'phone', user, ...(binding === undefined ? {} : { binding }) }, now);
  }

  /** Who was registered with the process before, and may not be any more. */
  #dropRefused(now: Ms): void {
    for (const user of [...this.#locations.users()])
      if (this.#refusal(user) !== undefined) this.#locations.step(user, { type: 'revoked' }, now);
  }

  /** Why this user may do nothing now. */
  #refusal(name: string): IdentityRefusal | 'unknown' | undefined {
    const identity = this.#options.identity();
    const user = identity.userByName(name);
    return user === undefined ? 'unknown' : identity.refusal(user, this.#options.epoch());
  }

  /** A wrong password and an unknown user look the same from outside. */
  #unproven(request: SipRequest, flow: Flow, status: 401 | 407, why: string, now: Ms): void {
    if (why === 'malformed') return this.#refuse(request, flow, 400);
    if (why === 'wrong' || why === 'unknown-user')
      this.#log('warn', 'credentials refused', { method: request.method, address: sourceOf(flow) });
    this.#challenge(request, flow, status, why === 'stale', now);
  }

  #challenge(request: SipRequest, flow: Flow, status: 401 | 407, stale: boolean, now: Ms): void {
    const values = this.#gate.challenge(flow, stale, now);
    const name = status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate';
    this.#refuse(request, flow, status, { headers: values.map((value) => [name, value] as const) });
  }

  /** Nothing is kept but that it was refused. */
  #sendAway(request: SipRequest, flow: Flow, now: Ms): void {
    this.#sentAway.add(request, flow, now);
    this.#refuse(request, flow, 503);
  }

  #refuse(request: SipRequest, flow: Flow, status: number, parts: ResponseParts = {}): void {
    const send = answerStatelessly(this.#options.nonceSecret, request, flow, status, parts);
    if (send !== null && isReachable(send.flow)) this.#out.push(send);
  }

  // ---- behind the border

  #fromOutside(arrived: Arrived, now: Ms): void {
    const { tx, request, flow } = arrived;
    const sender = this.#sender;
    if (request.method === 'REGISTER')
      return this.#register(tx, request, flow, sender?.kind === 'phone' ? sender.user : '', now);
    const { uri, peer } = preprocess(request, this.#preprocessFacts());
    const contact = contactFrom(request, flow, sender, peer, this.#options.nonceSecret, now);
    const target = { ...toVoice(uri, this.#options.identity().domain), contact };
    this.#forwarding.forward(arrived, [[target]], sender, holderOf(sender, flow), now);
  }

  #fromRoom(arrived: Arrived, now: Ms): void {
    const { tx, request, flow } = arrived;
    if (request.method === 'CANCEL') return this.#respond(tx, request, 481, {}, now);
    const bad = validateRequest(request, { role: 'proxy', supported: [] });
    if (bad !== null) return this.#respond(tx, request, bad.status, { headers: bad.headers }, now);
    if (request.method === 'REGISTER') return this.#register(tx, request, flow, null, now);
    const holder = hostOf(flow);
    if (tx !== null && isNew(request) && !this.#forwarding.takePlace(tx, { kind: 'new', holder }))
      return this.#respond(tx, request, 503, {}, now);
    const routing = routeFromRoom(request, this.#routingFacts(now));
    if (routing.kind === 'forward') this.#forwarding.forward(arrived, routing.groups, null, holder, now);
    else this.#respond(tx, request, routing.status, { contact: routing.contacts ?? [] }, now);
  }

  #register(tx: string | null, request: SipRequest, flow: Flow, proven: string | null, now: Ms): void {
    const { identity, random, epoch } = this.#options;
    const facts = {
      identity: identity(),
      isOurHost: this.#isOurHost,
      limits: this.#limits,
      random,
      epoch: epoch(),
    };
    const { status, reason, headers, contact, dropped } = register(
      request,
      flow,
      proven,
      this.#locations,
      facts,
      now,
    );
    this.#out.push(...this.#locations.takeLines());
    const user = request.headers.to.uri.user;
    this.#log('info', 'register', {
      user,
      status,
      ...(reason && { reason }),
      contacts: contact.length,
      ...(dropped ? { dropped } : {}),
      address: sourceOf(flow),
    });
    this.#respond(tx, request, status, { headers, contact, ...(reason && { reason }) }, now);
  }

  #respond(tx: string | null, request: SipRequest, status: number, parts: ResponseParts, now: Ms): void {
    if (tx === null) return;
    const toTag = hexId(this.#options.random, 8);
    this.#forwarding.respond(tx, createResponse(request, status, { ...parts, toTag }), now);
  }

  #realm(): string {
    return this.#options.identity().domain;
  }

  readonly #isOurHost = (host: string): boolean => {
    const { hosts } = this.#options.address;
    return sameHost(host, this.#realm()) || hosts.some((own) => sameHost(own, host));
  };

  #preprocessFacts(): Pick<RoutingFacts, 'address' | 'secret'> {
    return { address: this.#options.address, secret: this.#options.nonceSecret };
  }

  #routingFacts(now: Ms): RoutingFacts {
    return {
      ...this.#preprocessFacts(),
      identity: this.#options.identity(),
      isOurHost: this.#isOurHost,
      bindingsOf: (user) => this.#locations.of(user, now),
      bindingById: (id) => this.#locations.byId(id, now),
      userOf: (binding) => this.#locations.userOf(binding),
      waysTo: (binding) => this.#locations.waysTo(binding, now),
      bindingByContact: (uri) => this.#locations.byContact(uri, now),
    };
  }

  #log(level: LogLine['level'], event: string, fields: LogLine['fields']): void {
    this.#out.push({ type: 'log', level, event, fields });
  }
}

const entriesOf = ({ entries }: Restore, kind: string): readonly JournalEntry[] =>
  entries.filter(({ key }) => key.startsWith(kind));

/** A request of a room that begins something; what it sends in its dialogs is its own. */
const isNew = ({ method, headers }: SipRequest): boolean =>
  headers.to.params['tag'] === undefined && method !== 'ACK' && method !== 'CANCEL';

const placeOf = (flow: Flow): string =>
  flow.transport === 'local' ? flow.node : `${flow.host} ${flow.port}`;
