import { Deadlines, earliest, hexId, type Ms, uuid } from '@sidetone/core';
import {
  bodyText,
  createUserAgent,
  escapeUser,
  type Flow,
  type UserAgent,
  type UserAgentOut,
} from '@sidetone/sip';
import { type MediaEvent, type MediaReply, NODE_HOST } from '@sidetone/wire';
import type { Call, CallSettings, ContactFacts, FreshLeg } from './call.ts';
import type { CallInput, CallOut, MediaTag } from './call-events.ts';
import { CAUSE } from './ending.ts';
import { callInput, type LegEvent } from './from-sip.ts';
import { dtmfRelay, parseInfo } from './info-body.ts';
import { newLeg } from './leg.ts';
import { arrive } from './plan.ts';
import { callMachine } from './step.ts';
import { byeHeaders, inviteFor, lookupFor, responseFor } from './to-sip.ts';
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

interface Place {
  readonly call: string;
  readonly leg: string;
}

class CallService implements Voice {
  readonly name = 'voice';
  readonly #options: VoiceOptions;
  readonly #settings: CallSettings;
  readonly #mediaMs: Ms;
  readonly #limits: VoiceLimits;
  readonly #agent: UserAgent;
  readonly #calls = new Map<string, Call>();
  /** Our leg ids → their call and the user agent's leg; and back. */
  readonly #legs = new Map<string, string>();
  readonly #dialogOf = new Map<string, string>();
  readonly #placeOf = new Map<string, Place>();
  readonly #asked = new Map<number, Place & { readonly tag: MediaTag }>();
  readonly #lookups = new Map<string, string>();
  readonly #perUser = new Map<string, number>();
  readonly #callTimes = new Deadlines<string>();
  readonly #mediaTimes = new Deadlines<number>();
  #mediaId = 0;
  #lookupId = 0;
  #draining = false;
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
    this.#mediaMs = timers.mediaMs;
    this.#limits = { ...LIMITS, ...options.limits };
    const { host, port } = options.publicAddress;
    this.#agent = createUserAgent({
      random: options.random,
      sentBy: { host: NODE_HOST.voice },
      contact: (leg) => ({ scheme: 'sip', user: escapeUser(`v-${leg}`), host, port, params: {} }),
      resolve: (hop) => (hop.host === NODE_HOST.vsp ? VSP : PROXY),
      userAgent: 'Sidetone',
      allow: ['INVITE', 'ACK', 'CANCEL', 'BYE', 'INFO', 'UPDATE', 'OPTIONS'],
    });
  }

  get size(): Voice['size'] {
    return { calls: this.#calls.size, media: this.#asked.size, dialogs: this.#agent.size };
  }

  get early(): number {
    let count = 0;
    for (const { state } of this.#calls.values())
      if (state.name !== 'up' && state.name !== 'ending' && state.name !== 'over') count += 1;
    return count;
  }

  deadline(): Ms | null {
    return earliest(this.#agent.deadline(), earliest(this.#callTimes.next(), this.#mediaTimes.next()));
  }

  handle(input: VoiceInput, now: Ms): readonly VoiceOutput[] {
    this.#out = [];
    switch (input.type) {
      case 'sip':
        this.#hear(this.#agent.receive(input.message, input.flow, now), now);
        break;
      case 'media':
        this.#mediaReply(input.id, input.reply);
        break;
      case 'mediaEvent':
        this.#mediaEvent(input.event);
        break;
      case 'tick':
        this.#tick(now);
        break;
      case 'drain':
        this.#draining = true;
        for (const id of this.#calls.keys())
          this.#post(id, { type: 'end', ending: { ...CAUSE.drain, by: 'platform' } });
        break;
    }
    this.#run(now);
    const out = this.#out;
    this.#out = [];
    return out;
  }

  #post(call: string, input: CallInput): void {
    this.#queue.push({ call, input });
  }

  #run(now: Ms): void {
    for (let i = 0; i < this.#queue.length; i++) {
      const { call: id, input } = this.#queue[i]!;
      const call = this.#calls.get(id);
      if (call === undefined) continue;
      const { state, out } = callMachine.step(call, input, now);
      this.#calls.set(id, state);
      for (const leg of state.legs) this.#legs.set(leg.id, id);
      this.#callTimes.set(id, callMachine.deadline(state));
      for (const wish of out) this.#carry(state, wish, now);
      if (state.state.name === 'over') this.#forget(state);
    }
    this.#queue = [];
  }

  #tick(now: Ms): void {
    this.#hear(this.#agent.tick(now), now);
    for (let id = this.#mediaTimes.takeDue(now); id !== undefined; id = this.#mediaTimes.takeDue(now))
      this.#mediaReply(id, { ok: false, error: 'engine', message: 'no reply in time' });
    for (let id = this.#callTimes.takeDue(now); id !== undefined; id = this.#callTimes.takeDue(now))
      this.#post(id, { type: 'tick' });
  }

  #forget(call: Call): void {
    this.#calls.delete(call.id);
    this.#callTimes.delete(call.id);
    for (const leg of call.legs) {
      this.#legs.delete(leg.id);
      const dialog = this.#dialogOf.get(leg.id);
      this.#dialogOf.delete(leg.id);
      if (dialog !== undefined) this.#placeOf.delete(dialog);
    }
    const user = call.caller.userName;
    if (user !== undefined) {
      const left = (this.#perUser.get(user) ?? 1) - 1;
      if (left > 0) this.#perUser.set(user, left);
      else this.#perUser.delete(user);
    }
  }

  // ---- media

  #mediaReply(id: number, reply: MediaReply): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    this.#asked.delete(id);
    this.#mediaTimes.delete(id);
    this.#post(asked.call, { type: 'media', leg: asked.leg, tag: asked.tag, reply });
  }

  #mediaEvent(event: MediaEvent): void {
    if (event.event === 'engine') {
      // A second `up` without a `down` is a restart, too: its legs are gone.
      if (event.state === 'down' || this.#engineSeen) this.#engineLost();
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

  #engineLost(): void {
    const ids = [...this.#asked.keys()];
    for (const [id, call] of this.#calls)
      if (call.legs.some((leg) => leg.media !== 'none'))
        this.#post(id, { type: 'end', ending: { ...CAUSE.mediaEngine, by: 'platform' } });
    for (const id of ids) this.#mediaReply(id, { ok: false, error: 'engine', message: 'engine lost' });
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
          this.#hear(
            this.#agent.respondRequest(out.tx, out.request.method === 'OPTIONS' ? 200 : 405, {}, now),
            now,
          );
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
    const user = arrival.caller.userName;
    const full =
      this.#draining ||
      this.#calls.size >= this.#limits.calls ||
      (user !== undefined && (this.#perUser.get(user) ?? 0) >= this.#limits.callsPerUser);
    const own = this.#fresh();
    const call: Call = {
      id: uuid(random),
      program: 'route-and-bridge',
      state: { name: 'routing' },
      caller: arrival.caller,
      plan: full ? { to: 'refuse', ending: { ...CAUSE.congestion, by: 'platform' } } : arrival.plan,
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
    };
    this.#calls.set(call.id, call);
    if (user !== undefined) this.#perUser.set(user, (this.#perUser.get(user) ?? 0) + 1);
    this.#bind(call.id, own.leg, out.leg);
    this.#out.push({
      type: 'log',
      level: 'info',
      event: 'call started',
      fields: { session: call.id, leg: own.leg, kind: arrival.leg.kind, plan: call.plan.to },
    });
    this.#post(call.id, { type: 'start' });
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
      return;
    }
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
        this.#mediaId += 1;
        this.#asked.set(this.#mediaId, { call: call.id, leg: wish.leg, tag: wish.tag });
        this.#mediaTimes.set(this.#mediaId, now + this.#mediaMs);
        this.#out.push({ type: 'media', id: this.#mediaId, command: wish.command });
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
      default: {
        const dialog = this.#dialogOf.get(wish.leg);
        if (dialog !== undefined) this.#hear(this.#inDialog(call, dialog, wish, now), now);
      }
    }
  }

  #inDialog(
    call: Call,
    dialog: string,
    wish: Exclude<CallOut, { type: 'record' | 'log' | 'media' | 'lookup' | 'invite' }>,
    now: Ms,
  ): readonly UserAgentOut[] {
    const agent = this.#agent;
    switch (wish.type) {
      case 'respond':
        return agent.respond(dialog, wish.status, responseFor(call, wish), now);
      case 'cancel':
        return agent.cancel(dialog, byeHeaders(wish.ending), now);
      case 'bye':
        return agent.bye(dialog, byeHeaders(wish.ending), now);
      case 'reinvite':
        return agent.reinvite(dialog, wish.sdp, hexId(this.#options.random, 4), now);
      case 'respondReinvite':
        return agent.respondReinvite(
          dialog,
          wish.tx,
          wish.status,
          wish.sdp === undefined ? {} : { sdp: wish.sdp },
          now,
        );
      case 'sendDigit':
        return agent.requestInDialog(
          dialog,
          {
            method: 'INFO',
            contentType: 'application/dtmf-relay',
            body: dtmfRelay(wish.digit),
          },
          'digit',
          now,
        );
    }
  }
}
