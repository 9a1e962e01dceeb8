import { Deadlines, earliest, type JournalEntry, type Ms, uuid } from '@sidetone/core';
import { bodyText, type DialogName, type UserAgent, type UserAgentOut } from '@sidetone/sip';
import type { MediaEvent, MediaReply } from '@sidetone/wire';
import { Admission, isRefused } from './admission.ts';
import { type Call, type CallSettings, type FreshLeg, isEarly } from './call.ts';
import { CallBook } from './call-book.ts';
import type { CallInput, CallOut } from './call-events.ts';
import { type DialFacts, dialCall } from './dial.ts';
import { CAUSE, type Ending, type Why } from './ending.ts';
import { mediaInput } from './from-media.ts';
import { boundContacts, callInput, infoInput, type LegEvent, sourceOf } from './from-sip.ts';
import { incomingCall, startedLine } from './incoming-call.ts';
import { parseInfo } from './info-body.ts';
import { joinCalls } from './join.ts';
import { CallJournal } from './journal.ts';
import { commandLeg, DIGIT } from './leg-commands.ts';
import { MediaDesk } from './media-desk.ts';
import { arrive } from './plan.ts';
import { type Found, found, referTarget } from './refer-target.ts';
import { inheritedMedia, restoreCalls } from './restore.ts';
import { callMachine } from './step.ts';
import { inviteFor, lookupFor } from './to-sip.ts';
import { createVoiceAgent, PROXY } from './voice-agent.ts';
import type { VoiceInput, VoiceOutput } from './voice-events.ts';
import { LIMITS, TIMERS, type Voice, type VoiceOptions } from './voice-options.ts';

/**
 * The call brain: a B2BUA (RFC 7092) between `vsp` and `proxy` that owns every media leg. Calls are machines
 * (`step.ts`); this service finds the call that an event belongs to and spells what the call wants.
 */
export function createVoice(options: VoiceOptions): Voice {
  return new CallService(options);
}

const NO_ENGINE: Ending = { ...CAUSE.mediaEngine, by: 'platform' };
class CallService implements Voice {
  readonly name = 'voice';
  readonly #options: VoiceOptions;
  readonly #settings: CallSettings;
  readonly #agent: UserAgent;
  readonly #book: CallBook;
  readonly #admission: Admission;
  readonly #media: MediaDesk;
  readonly #journal: CallJournal;
  readonly #lookups = new Map<string, string>();
  readonly #callTimes = new Deadlines<string>();
  #lookupId = 0;
  #engineSeen = false;
  /** Inputs for calls that wait their turn: one step's outputs are carried out before the next step. */
  #queue: { readonly call: string; readonly input: CallInput }[] = [];
  #out: VoiceOutput[] = [];

  constructor(options: VoiceOptions) {
    const timers = { ...TIMERS, ...options.timers };
    this.#options = options;
    const { ringMs, callMs, cancelMs } = timers;
    this.#settings = { ringMs, callMs, cancelMs, heldHears: options.heldHears ?? 'music' };
    this.#media = new MediaDesk(timers.mediaMs);
    this.#agent = createVoiceAgent(options);
    this.#book = new CallBook(this.#agent);
    this.#admission = new Admission(this.#book, { ...LIMITS, ...options.limits });
    this.#journal = new CallJournal(this.#book.dialogs);
  }

  get size(): Voice['size'] {
    return { calls: this.#book.calls.size, media: this.#media.size, dialogs: this.#agent.size };
  }

  get early(): number {
    return [...this.#book.calls.values()].filter(isEarly).length;
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
        this.#admission.closed ??= 'handover';
        break;
      case 'revoked':
        this.#endCalls(
          this.#book.callsOf((user) => input.users.has(user)),
          CAUSE.revoked,
        );
        break;
      case 'drain':
        this.#admission.closed = 'drain';
        this.#endCalls(this.#book.calls.keys(), CAUSE.drain);
        break;
    }
    this.#run(now);
    // What a peer is told is known afterwards, whatever happens to this process.
    const lines = this.#journal.take((id) => this.#book.calls.get(id));
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
      const id = 'leg' in input ? (this.#book.callOf(input.leg) ?? named) : named;
      const call = this.#book.calls.get(id);
      if (call === undefined) continue;
      const { state, out } = callMachine.step(call, input, now);
      this.#book.update(state);
      if (state !== call) this.#journal.touch(id);
      this.#callTimes.set(id, callMachine.deadline(state));
      for (const wish of out) this.#carry(state, wish, now);
      if (state.state.name === 'over') this.#forget(state);
    }
    this.#queue = [];
  }

  #endCalls(calls: Iterable<string>, cause: Why): void {
    for (const id of calls) this.#post(id, { type: 'end', ending: { ...cause, by: 'platform' } });
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
    this.#callTimes.delete(call.id);
    this.#journal.over(call.id, this.#book.remove(call));
  }

  // ---- media

  #mediaReply(id: number, reply: MediaReply, now: Ms): void {
    const asked = this.#media.answered(id);
    if (asked === undefined) {
      for (const leg of this.#media.claimed(id, reply, now, this.#out))
        this.#post(this.#book.callOf(leg) ?? '', { type: 'end', ending: NO_ENGINE });
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
    const call = this.#book.callOf(event.leg);
    if (call === undefined) return;
    this.#post(call, mediaInput(event));
  }

  #engineLost(now: Ms): void {
    const ids = this.#media.open;
    for (const [id, call] of this.#book.calls)
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
          this.#book.add(call);
          this.#journal.inherited(call.id);
        },
        bind: (call, leg, dialog) => this.#book.bind(call.id, leg, dialog),
        hear: (out) => this.#hear(out, now),
        post: (call, input) => this.#post(call.id, input),
        leaving: (call, byes) => this.#journal.over(call, byes),
        tell: (out) => this.#out.push(out),
      },
      now,
    );
    const { identity, epoch } = this.#options;
    const refused = this.#book.callsOf((user) => isRefused(identity(), user, epoch()));
    this.#endCalls(refused, CAUSE.revoked);
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
    const { publicAddress, identity, epoch, random } = this.#options;
    const arrival = arrive(out.request, node, identity(), publicAddress.host, this.#fresh(), epoch());
    const admitted = this.#admission.admit(identity(), arrival.plan, arrival.user, now);
    const own = this.#fresh();
    const call = incomingCall(arrival, {
      id: uuid(random),
      own,
      offer: out.sdp,
      ...sourceOf(out.request),
      admitted,
      now,
      epoch: epoch(),
      settings: this.#settings,
    });
    this.#book.bind(call.id, own.leg, out.leg);
    this.#out.push(startedLine(call));
    this.#open(call);
  }

  #open(call: Call): void {
    this.#book.add(call);
    this.#post(call.id, { type: 'start' });
  }

  #lookedUp(out: Extract<UserAgentOut, { type: 'result' }>): void {
    const call = this.#lookups.get(out.token);
    if (call === undefined) return;
    this.#lookups.delete(out.token);
    const contacts = boundContacts(out).map((contact) => ({ ...this.#fresh(), ...contact }));
    this.#post(call, { type: 'bindings', status: out.status, contacts });
  }

  #info(out: Extract<UserAgentOut, { type: 'info' }>, now: Ms): void {
    const body = parseInfo(out.request.headers.contentType, bodyText(out.request));
    // An empty INFO is a keep-alive of some peers (RFC 6086 §4.2.1): 200.
    const known = body !== null || out.request.body.length === 0;
    this.#hear(this.#agent.respondRequest(out.tx, known ? 200 : 415, {}, now), now);
    const place = this.#book.placeOf(out.leg);
    if (place === undefined || body === null) return;
    this.#post(place.call, infoInput(body, place.leg));
  }

  #legEvent(out: LegEvent, now: Ms): void {
    const place = this.#book.placeOf(out.leg);
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
        this.#book.bind(call.id, wish.leg, leg);
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
        if (!this.#book.calls.has(wish.call) && wish.news.kind === 'answered')
          this.#post(call.id, { type: 'end', ending: { ...CAUSE.cancelled, by: 'platform' } });
        return;
      case 'join':
        this.#join(call, wish);
        return;
      default: {
        const dialog = this.#book.dialogOf(wish.leg);
        if (dialog === undefined) return;
        this.#hear(commandLeg(this.#agent, call, dialog, wish, this.#options.random, now), now);
      }
    }
  }

  // ---- transfers

  #refer(out: Extract<UserAgentOut, { type: 'request' }>, now: Ms): void {
    const { random, publicAddress } = this.#options;
    const at = (dialog: string | undefined): Found | undefined => {
      const place = dialog === undefined ? undefined : this.#book.placeOf(dialog);
      return found(this.#book.calls.get(place?.call ?? ''), place?.leg);
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
    const admit: DialFacts['admit'] = (plan, user) => this.#admission.admit(identity(), plan, user, now);
    const { identity, epoch } = this.#options;
    const facts = { identity: identity(), admit, now, epoch: epoch() };
    this.#open(dialCall(of, wish, { ...facts, fresh: [this.#fresh(), this.#fresh()] }));
  }

  /** Moves a side of one call into another: see `join.ts`. */
  #join(into: Call, wish: Extract<CallOut, { type: 'join' }>): void {
    const from = this.#book.calls.get(wish.call);
    const joined = from === undefined ? null : joinCalls(into, wish.keeps, from, wish.leg);
    if (joined === null) {
      this.#post(into.id, { type: 'joinFailed' });
      return;
    }
    this.#book.update(joined.from);
    this.#book.update(joined.into);
    this.#journal.touch(into.id);
    this.#journal.touch(wish.call);
    this.#book.move(wish.leg, into.id);
    this.#post(into.id, { type: 'joined', leg: wish.leg });
    this.#post(wish.call, { type: 'left' });
  }
}
