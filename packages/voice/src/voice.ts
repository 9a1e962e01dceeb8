import { Deadlines, earliest, type JournalEntry, type Ms, uuid } from '@sidetone/core';
import {
  bodyText,
  createUserAgent,
  type DialogName,
  escapeUser,
  type Flow,
  type UserAgent,
  type UserAgentOut,
} from '@sidetone/sip';
import { type MediaEvent, type MediaReply, NODE_HOST } from '@sidetone/wire';
import { type Call, type CallSettings, type ContactFacts, type FreshLeg, legOf, type Plan } from './call.ts';
import type { CallInput, CallOut } from './call-events.ts';
import { dialCall } from './dial.ts';
import { CAUSE, type Ending } from './ending.ts';
import { callInput, type LegEvent } from './from-sip.ts';
import { parseInfo } from './info-body.ts';
import { joinCalls } from './join.ts';
import { type Bye, CallJournal, dialogsOf } from './journal.ts';
import { newLeg } from './leg.ts';
import { commandLeg, DIGIT } from './leg-commands.ts';
import { MediaDesk } from './media-desk.ts';
import { arrive } from './plan.ts';
import { type Found, found, referTarget } from './refer-target.ts';
import { inheritedMedia, restoreCalls } from './restore.ts';
import { callMachine } from './step.ts';
import { byeHeaders, inviteFor, lookupFor } from './to-sip.ts';
import type { VoiceInput, VoiceOutput } from './voice-events.ts';
import { LIMITS, TIMERS, type Voice, type VoiceLimits, type VoiceOptions } from './voice-options.ts';

const PROXY: Flow = { transport: 'local', node: 'proxy' };
const VSP: Flow = { transport: 'local', node: 'vsp' };

/**
 * The call brain: a B2BUA (RFC 7092) between `vsp` and `proxy` that owns every media leg. Calls are machines
 * (`step.ts`); this service finds the call that an event belongs to and spells what the call wants.
 */
export function createVoice(options: VoiceOptions): Voice {
  return new CallService(options);
}

const CLEARED: Ending = { ...CAUSE.normal, by: 'platform' };
const NO_ENGINE: Ending = { ...CAUSE.mediaEngine, by: 'platform' };
const FULL: Plan = { to: 'refuse', ending: { ...CAUSE.congestion, by: 'platform' } };
/** Another process takes over in a moment (RFC 3261 §21.5.4). */
const HANDING_OVER: Plan = {
  to: 'refuse',
  ending: { ...CAUSE.drain, by: 'platform', headers: [['Retry-After', '2']] },
};

interface Place {
  readonly call: string;
  readonly leg: string;
}

class CallService implements Voice {
  readonly name = 'voice';
  readonly #options: VoiceOptions;
  readonly #settings: CallSettings;
  readonly #limits: VoiceLimits;
  readonly #agent: UserAgent;
  readonly #calls = new Map<string, Call>();
  /** Our leg ids → their call and the user agent's leg; and back. */
  readonly #legs = new Map<string, string>();
  readonly #dialogOf = new Map<string, string>();
  readonly #placeOf = new Map<string, Place>();
  readonly #media: MediaDesk;
  readonly #journal: CallJournal;
  readonly #lookups = new Map<string, string>();
  readonly #perUser = new Map<string, number>();
  readonly #callTimes = new Deadlines<string>();
  #lookupId = 0;
  #draining = false;
  #refusing = false;
  #engineSeen = false;
  /** Inputs for calls that wait their turn: one step's outputs are carried out before the next step. */
  #queue: { readonly call: string; readonly input: CallInput }[] = [];
  #out: VoiceOutput[] = [];

  constructor(options: VoiceOptions) {
    const timers = { ...TIMERS, ...options.timers };
    this.#options = options;
    this.#settings = {
      ringMs: timers.ringMs,
      callMs: timers.callMs,
      cancelMs: timers.cancelMs,
      heldHears: options.heldHears ?? 'music',
    };
    this.#media = new MediaDesk(timers.mediaMs);
    this.#limits = { ...LIMITS, ...options.limits };
    const { host, port } = options.publicAddress;
    this.#agent = createUserAgent({
      random: options.random,
      sentBy: { host: NODE_HOST.voice },
      contact: (leg) => ({ scheme: 'sip', user: escapeUser(`v-${leg}`), host, port, params: {} }),
      resolve: (hop) => (hop.host === NODE_HOST.vsp ? VSP : PROXY),
      userAgent: 'Sidetone',
      allow: ['INVITE', 'ACK', 'CANCEL', 'BYE', 'INFO', 'UPDATE', 'OPTIONS', 'REFER'],
    });
    this.#journal = new CallJournal(dialogsOf(this.#agent, this.#dialogOf));
  }

  get size(): Voice['size'] {
    return { calls: this.#calls.size, media: this.#media.size, dialogs: this.#agent.size };
  }

  get early(): number {
    let count = 0;
    for (const { state } of this.#calls.values())
      if (state.name !== 'up' && state.name !== 'ending' && state.name !== 'over') count += 1;
    return count;
  }

  deadline(): Ms | null {
    return earliest(this.#agent.deadline(), earliest(this.#callTimes.next(), this.#media.deadline()));
  }

  handle(input: VoiceInput, now: Ms): readonly VoiceOutput[] {
    this.#out = [];
    switch (input.type) {
      case 'sip':
        this.#hear(this.#agent.receive(input.message, input.flow, now), now);
        break;
      case 'media':
        this.#mediaReply(input.id, input.reply, now);
        break;
      case 'mediaEvent':
        this.#mediaEvent(input.event, now);
        break;
      case 'tick':
        this.#tick(now);
        break;
      case 'restore':
        this.#restore(input.entries, now);
        break;
      case 'refuse':
        this.#refusing = true;
        break;
      case 'drain':
        this.#draining = true;
        for (const id of this.#calls.keys())
          this.#post(id, { type: 'end', ending: { ...CAUSE.drain, by: 'platform' } });
        break;
    }
    this.#run(now);
    // What a peer is told is known afterwards, whatever happens to this process.
    const lines = this.#journal.take((id) => this.#calls.get(id));
    const out = lines.length === 0 ? this.#out : [...lines, ...this.#out];
    this.#out = [];
    return out;
  }

  #post(call: string, input: CallInput): void {
    this.#queue.push({ call, input });
  }

  #run(now: Ms): void {
    for (let i = 0; i < this.#queue.length; i++) {
      const { call: named, input } = this.#queue[i]!;
      // The leg may have moved to another call meanwhile.
      const id = 'leg' in input ? (this.#legs.get(input.leg) ?? named) : named;
      const call = this.#calls.get(id);
      if (call === undefined) continue;
      const { state, out } = callMachine.step(call, input, now);
      this.#calls.set(id, state);
      if (state !== call) this.#journal.touch(id);
      for (const leg of state.legs) this.#legs.set(leg.id, id);
      this.#callTimes.set(id, callMachine.deadline(state));
      for (const wish of out) this.#carry(state, wish, now);
      if (state.state.name === 'over') this.#forget(state);
    }
    this.#queue = [];
  }

  #tick(now: Ms): void {
    this.#hear(this.#agent.tick(now), now);
    for (let id = this.#media.takeOverdue(now); id !== undefined; id = this.#media.takeOverdue(now))
      this.#mediaReply(id, { ok: false, error: 'engine', message: 'no reply in time' }, now);
    this.#media.tick(now, this.#out);
    for (let id = this.#callTimes.takeDue(now); id !== undefined; id = this.#callTimes.takeDue(now))
      this.#post(id, { type: 'tick' });
  }

  #forget(call: Call): void {
    this.#calls.delete(call.id);
    this.#callTimes.delete(call.id);
    const byes: Bye[] = [];
    for (const leg of call.legs) {
      this.#legs.delete(leg.id);
      const dialog = this.#dialogOf.get(leg.id);
      this.#dialogOf.delete(leg.id);
      if (dialog === undefined) continue;
      this.#placeOf.delete(dialog);
      const snapshot = this.#agent.snapshot(dialog);
      if (snapshot !== null) byes.push({ dialog: snapshot, headers: byeHeaders(leg.ending ?? CLEARED) });
    }
    this.#journal.over(call.id, byes);
    const user = call.caller.userName;
    if (user !== undefined) {
      const left = (this.#perUser.get(user) ?? 1) - 1;
      if (left > 0) this.#perUser.set(user, left);
      else this.#perUser.delete(user);
    }
  }

  // ---- media

  #mediaReply(id: number, reply: MediaReply, now: Ms): void {
    const asked = this.#media.answered(id);
    if (asked === undefined) {
      for (const leg of this.#media.claimed(id, reply, now, this.#out))
        this.#post(this.#legs.get(leg) ?? '', { type: 'end', ending: NO_ENGINE });
      return;
    }
    this.#post(asked.call, { type: 'media', leg: asked.leg, tag: asked.tag, reply });
  }

  #mediaEvent(event: MediaEvent, now: Ms): void {
    if (event.event === 'engine') {
      // A second `up` without a `down` is a restart, too: its legs are gone.
      if (event.state === 'down' || this.#engineSeen) this.#engineLost(now);
      this.#engineSeen = event.state === 'up';
      return;
    }
    const call = this.#legs.get(event.leg);
    if (call === undefined) return;
    if (event.event === 'failed') this.#post(call, { type: 'mediaFailed', leg: event.leg, why: event.why });
    else
      this.#post(call, {
        type: 'mediaFlag',
        leg: event.leg,
        flag: event.event === 'dtmf' ? 'digit' : event.event,
      });
  }

  #engineLost(now: Ms): void {
    const ids = this.#media.open;
    for (const [id, call] of this.#calls)
      if (call.legs.some((leg) => leg.media !== 'none')) this.#post(id, { type: 'end', ending: NO_ENGINE });
    for (const id of ids) this.#mediaReply(id, { ok: false, error: 'engine', message: 'engine lost' }, now);
  }

  // ---- the process before

  #restore(entries: readonly JournalEntry[], now: Ms): void {
    const calls = restoreCalls(
      entries,
      {
        agent: this.#agent,
        settings: this.#settings,
        begin: (call) => {
          this.#keep(call);
          this.#journal.inherited(call.id);
          for (const leg of call.legs) this.#legs.set(leg.id, call.id);
        },
        bind: (call, leg, dialog) => this.#bind(call.id, leg, dialog),
        hear: (out) => this.#hear(out, now),
        post: (call, input) => this.#post(call.id, input),
        leaving: (call, byes) => this.#journal.over(call, byes),
        tell: (out) => this.#out.push(out),
      },
      now,
    );
    this.#media.claim(inheritedMedia(calls), now, this.#out);
  }

  // ---- SIP in

  /** Sends what the user agent wants sent, and turns the rest into inputs of calls. */
  #hear(outs: readonly UserAgentOut[], now: Ms): void {
    for (const out of outs) {
      switch (out.type) {
        case 'sip':
          this.#out.push(out);
          break;
        case 'incoming':
          this.#incoming(out, now);
          break;
        case 'request':
          if (out.request.method === 'REFER') this.#refer(out, now);
          else {
            const status = out.request.method === 'OPTIONS' ? 200 : 405;
            this.#hear(this.#agent.respondRequest(out.tx, status, {}, now), now);
          }
          break;
        case 'result':
          this.#lookedUp(out);
          break;
        case 'info':
          this.#info(out, now);
          break;
        default:
          this.#legEvent(out, now);
      }
    }
  }

  #fresh(): FreshLeg {
    const { random } = this.#options;
    return { leg: uuid(random), control: `v3:${Buffer.from(random.bytes(24)).toString('base64url')}` };
  }

  #incoming(out: Extract<UserAgentOut, { type: 'incoming' }>, now: Ms): void {
    const node = out.flow.transport === 'local' ? out.flow.node : undefined;
    if (node !== 'vsp' && node !== 'proxy') {
      this.#hear(this.#agent.respond(out.leg, 403, {}, now), now);
      return;
    }
    const { publicAddress, directory, epoch, random } = this.#options;
    const arrival = arrive(out.request, node, directory(), publicAddress.host, this.#fresh());
    const full = this.#refusing ? HANDING_OVER : this.#isFull(arrival.caller.userName) ? FULL : null;
    const own = this.#fresh();
    const call: Call = {
      id: uuid(random),
      program: 'route-and-bridge',
      state: { name: 'routing' },
      caller: arrival.caller,
      plan: full ?? arrival.plan,
      legs: [
        newLeg({
          ...arrival.leg,
          id: own.leg,
          control: own.control,
          role: 'caller',
          phase: 'invited',
          offer: out.sdp ?? null,
          startedAt: now,
        }),
      ],
      early: null,
      answerHeaders: [],
      heard: [],
      epochOffset: epoch() - now,
      settings: this.#settings,
      transfer: null,
      origin: null,
    };
    this.#bind(call.id, own.leg, out.leg);
    this.#out.push({
      type: 'log',
      level: 'info',
      event: 'call started',
      fields: { session: call.id, leg: own.leg, kind: arrival.leg.kind, plan: call.plan.to },
    });
    this.#open(call);
  }

  #open(call: Call): void {
    this.#keep(call);
    this.#post(call.id, { type: 'start' });
  }

  #keep(call: Call): void {
    this.#calls.set(call.id, call);
    const user = call.caller.userName;
    if (user !== undefined) this.#perUser.set(user, (this.#perUser.get(user) ?? 0) + 1);
  }

  #isFull(user: string | undefined): boolean {
    if (this.#draining || this.#refusing || this.#calls.size >= this.#limits.calls) return true;
    return user !== undefined && (this.#perUser.get(user) ?? 0) >= this.#limits.callsPerUser;
  }

  #bind(call: string, leg: string, dialog: string): void {
    this.#dialogOf.set(leg, dialog);
    this.#placeOf.set(dialog, { call, leg });
  }

  #lookedUp(out: Extract<UserAgentOut, { type: 'result' }>): void {
    const call = this.#lookups.get(out.token);
    if (call === undefined) return;
    this.#lookups.delete(out.token);
    const bound = out.status < 300 ? out.response?.headers.contact : undefined;
    const contacts: ContactFacts[] = (bound === undefined || bound === '*' ? [] : bound).map((contact) => ({
      ...this.#fresh(),
      uri: contact.uri,
      client: contact.uri.host === NODE_HOST.vsp,
    }));
    this.#post(call, { type: 'bindings', status: out.status, contacts });
  }

  #info(out: Extract<UserAgentOut, { type: 'info' }>, now: Ms): void {
    const body = parseInfo(out.request.headers.contentType, bodyText(out.request));
    // An empty INFO is a keep-alive of some peers (RFC 6086 §4.2.1): 200.
    const known = body !== null || out.request.body.length === 0;
    this.#hear(this.#agent.respondRequest(out.tx, known ? 200 : 415, {}, now), now);
    const place = this.#placeOf.get(out.leg);
    if (place === undefined || body === null) return;
    if (body.kind === 'digits')
      this.#post(place.call, { type: 'digits', leg: place.leg, digits: body.digits });
    else if (body.kind === 'candidates')
      this.#post(place.call, { type: 'candidates', leg: place.leg, candidates: body.candidates });
    else this.#post(place.call, { type: 'presence', leg: place.leg, here: body.here });
  }

  #legEvent(out: LegEvent, now: Ms): void {
    const place = this.#placeOf.get(out.leg);
    if (place === undefined) {
      // The call is over; a late 2xx must not leave a peer talking to nobody.
      if (out.type === 'accepted') this.#hear(this.#agent.bye(out.leg, [], now), now);
      else if (this.#agent.snapshot(out.leg) === null) this.#journal.gone(out.leg);
      return;
    }
    this.#journal.touch(place.call);
    // Only digits wait for the answer to a request of ours.
    if (out.type === 'inDialogResult' && out.token !== DIGIT) return;
    this.#post(place.call, callInput(out, place.leg));
  }

  // ---- what calls want

  #carry(call: Call, wish: CallOut, now: Ms): void {
    switch (wish.type) {
      case 'record':
      case 'log':
        this.#out.push(wish);
        return;
      case 'media':
        this.#media.ask({ call: call.id, leg: wish.leg, tag: wish.tag }, wish.command, now, this.#out);
        return;
      case 'lookup': {
        const token = `lookup-${++this.#lookupId}`;
        this.#lookups.set(token, call.id);
        this.#hear(this.#agent.send(lookupFor(call, wish.user, PROXY), token, now), now);
        return;
      }
      case 'invite': {
        const { leg, out } = this.#agent.invite(inviteFor(call, wish, PROXY), now);
        this.#bind(call.id, wish.leg, leg);
        this.#hear(out, now);
        return;
      }
      case 'dial':
        this.#dial(call, wish, now);
        return;
      case 'hangUpDial':
        this.#post(wish.dial, { type: 'end', ending: wish.ending });
        return;
      case 'news':
        this.#post(wish.call, { type: 'dialled', dial: call.id, news: wish.news });
        // The call it was made for is gone.
        if (!this.#calls.has(wish.call) && wish.news.kind === 'answered')
          this.#post(call.id, { type: 'end', ending: { ...CAUSE.cancelled, by: 'platform' } });
        return;
      case 'join':
        this.#join(call, wish);
        return;
      default: {
        const dialog = this.#dialogOf.get(wish.leg);
        if (dialog === undefined) return;
        this.#hear(commandLeg(this.#agent, call, dialog, wish, this.#options.random, now), now);
      }
    }
  }

  // ---- transfers

  #refer(out: Extract<UserAgentOut, { type: 'request' }>, now: Ms): void {
    const { random, publicAddress } = this.#options;
    const at = (dialog: string | undefined): Found | undefined => {
      const place = dialog === undefined ? undefined : this.#placeOf.get(dialog);
      return found(this.#calls.get(place?.call ?? ''), place?.leg);
    };
    const asks = at(out.leg);
    const find = (name: DialogName) => at(this.#agent.legWith(name));
    const facts = { random, ownHost: publicAddress.host, find };
    const to = asks === undefined ? 403 : referTarget(out.request, asks, facts);
    if (asks === undefined || typeof to === 'number')
      this.#hear(this.#agent.respondRequest(out.tx, typeof to === 'number' ? to : 403, {}, now), now);
    else {
      const cseq = out.request.headers.cseq.seq;
      this.#post(asks.call.id, { type: 'refer', leg: asks.leg.id, tx: out.tx, cseq, to });
    }
  }

  /** A call of the platform, on the account of a user who transfers to its target. */
  #dial(of: Call, wish: Extract<CallOut, { type: 'dial' }>, now: Ms): void {
    const full = this.#isFull(legOf(of, wish.by)?.userName);
    const facts = { directory: this.#options.directory(), full, now };
    this.#open(dialCall(of, wish, { ...facts, fresh: [this.#fresh(), this.#fresh()] }));
  }

  /** Moves a side of one call into another: see `join.ts`. */
  #join(into: Call, wish: Extract<CallOut, { type: 'join' }>): void {
    const from = this.#calls.get(wish.call);
    const joined = from === undefined ? null : joinCalls(into, wish.keeps, from, wish.leg);
    if (joined === null) {
      this.#post(into.id, { type: 'joinFailed' });
      return;
    }
    this.#calls.set(into.id, joined.into);
    this.#calls.set(wish.call, joined.from);
    this.#journal.touch(into.id);
    this.#journal.touch(wish.call);
    this.#legs.set(wish.leg, into.id);
    const dialog = this.#dialogOf.get(wish.leg);
    if (dialog !== undefined) this.#placeOf.set(dialog, { call: into.id, leg: wish.leg });
    this.#post(into.id, { type: 'joined', leg: wish.leg });
    this.#post(wish.call, { type: 'left' });
  }
}
