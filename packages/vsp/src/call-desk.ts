import { type Ms, uuid } from '@sidetone/core';
import { createUserAgent, type UserAgent, type UserAgentOut } from '@sidetone/sip';
import { type ClientFrame, createFrameWriter, NODE_HOST, REFER, RPC_ERROR, retryAfter } from '@sidetone/wire';
import { type Call, type CallInput, type ClientWish, callDeadline, isTold, type LegWish } from './call.ts';
import { CallBook, type Place } from './call-book.ts';
import { descriptionOf } from './call-media.ts';
import { stepCall } from './call-step.ts';
import { branchId, callIds, grantedMs, readHeard } from './from-sip.ts';
import { Journal } from './journal.ts';
import type { Unheard } from './kept-sessions.ts';
import { commandLeg } from './leg-commands.ts';
import { type LegEvent, legInput } from './leg-events.ts';
import { inboundCall, outboundCall } from './new-calls.ts';
import { readNotify, referToCall, referToDestination } from './refer.ts';
import type { Session, SessionInput } from './session.ts';
import { CALLS_PER_SESSION } from './settings.ts';
import { byeText, replyText, requestText } from './to-client.ts';
import { contactUri, endingHeaders, inviteFor, PROXY, REGISTER_SECONDS, VOICE } from './to-sip.ts';
import type { VspOptions, VspOutput } from './vsp-events.ts';

type Invite = Extract<ClientFrame, { kind: 'invite' }>;

/** What the desk needs of the sessions whose calls it has. */
export interface DeskHost {
  /** The session with a socket that has this contact. */
  session(contact: string): Session | undefined;
  keep(session: Session): void;
  put(out: VspOutput): void;
  say(socket: string, text: string): void;
  registered(socket: string, result: Extract<SessionInput, { type: 'registered' }>, now: Ms): void;
  /** The end of a call, for a client that may not hear it now. */
  remember(contact: string, end: Unheard): void;
  /** Calls of this contact came or went. */
  changed(contact: string): void;
  timer(place: Place, at: Ms | null): void;
  /** The client of this contact was heard so long ago. */
  heard(contact: string, msAgo: Ms, now: Ms): void;
  /** No new calls any more. */
  closed(): boolean;
}

/** The calls of all sessions: finds the machine (`call-step.ts`) that an event belongs to, and carries out what it wants in JSON and in SIP. */
export class CallDesk {
  readonly agent: UserAgent;
  readonly calls = new CallBook();
  readonly journal = new Journal();
  readonly #options: VspOptions;
  readonly #host: DeskHost;

  constructor(options: VspOptions, host: DeskHost) {
    this.#options = options;
    this.#host = host;
    this.agent = createUserAgent({
      random: options.random,
      sentBy: { host: NODE_HOST.vsp },
      contact: () => contactUri('call'),
      resolve: (hop) => (hop.host === NODE_HOST.proxy ? PROXY : VOICE),
      offer: (leg, given) => {
        const place = this.calls.placeOf(leg);
        return (place && descriptionOf(this.calls.get(place))) ?? given;
      },
      userAgent: 'Sidetone',
      allow: ['INVITE', 'ACK', 'CANCEL', 'BYE', 'INFO', 'UPDATE', 'OPTIONS', 'NOTIFY'],
    });
  }

  /** A client calls somebody. */
  invite(session: Session, frame: Invite, late: boolean, now: Ms): void {
    const { socket, login, contact } = session;
    if (login.name !== 'ready') return;
    const writer = createFrameWriter(session);
    const place = { contact, callId: frame.call.callId };
    const refuse = (why: string): void =>
      this.#host.say(socket, writer.error(frame.id, RPC_ERROR.callFailed, why));
    if (this.calls.get(place) !== undefined) return refuse('A call with this callID exists already');
    if (this.#full(contact)) return refuse('Too many calls on this connection');
    const away = this.#host.closed() ? 'restarting' : late ? 'busy' : null;
    if (away !== null) {
      const seconds = retryAfter(this.#options.random);
      const why = `The server is ${away}, try again in ${seconds} s`;
      return this.#host.say(socket, writer.error(frame.id, RPC_ERROR.callFailed, why, Number(seconds)));
    }
    // The reply goes before everything else about the call: a late one would drag an active call back.
    this.#host.say(socket, writer.callCreated(frame.id, place.callId));
    const { call } = frame;
    const { random, domain } = this.#options;
    const agent = frame.agent.text === '' ? session.agent : frame.agent;
    this.calls.set(
      place,
      outboundCall(frame, session.agent, login.user, { session: uuid(random), leg: uuid(random) }),
    );
    const { leg, out } = this.agent.invite(inviteFor(call, frame.sdp, login.user, domain, agent), now);
    this.calls.bind(place, leg);
    this.journal.touch(place);
    this.#host.changed(contact);
    this.hear(out, now);
  }

  #full(contact: string): boolean {
    return this.calls.count(contact) >= (this.#options.limits?.callsPerSession ?? CALLS_PER_SESSION);
  }

  // ---- calls

  /** Runs the call's machine and carries out what it wants. */
  call(place: Place, input: CallInput, now: Ms): void {
    const before = this.calls.get(place);
    if (before === undefined) return;
    const { state, out } = stepCall(before, input, now);
    const leg = this.calls.legOf(place);
    this.journal.touch(place);
    if (state.phase === 'over') {
      this.calls.delete(place);
      this.#host.timer(place, null);
      this.#host.changed(place.contact);
    } else {
      this.calls.set(place, state);
      this.#host.timer(place, callDeadline(state));
    }
    for (const wish of out) {
      if (wish.type === 'log') this.#host.put(wish);
      else if (isTold(wish)) this.tell(place, state, wish);
      else if (wish.type === 'refer') this.#refer(place, wish.to, now);
      else if (leg !== undefined) this.hear(commandLeg(this.agent, leg, wish, now), now);
    }
    if (state.phase !== 'over') return;
    const bye = out.find((wish) => wish.type === 'hangUp');
    const written = leg === undefined || bye === undefined ? null : this.agent.snapshot(leg);
    const headers = bye === undefined ? [] : endingHeaders(bye.cause, undefined, bye.customHeaders);
    this.journal.over(place, written === null ? null : { leg: written, headers });
  }

  /** Tells the client of a call. */
  tell(place: Place, call: Call, wish: ClientWish): void {
    // Also an end that is told now may go into a dead socket; a second one does no harm.
    if (wish.type === 'bye') this.#host.remember(place.contact, { call, bye: wish });
    if (wish.type === 'bye' && call.away) return;
    const session = this.#host.session(place.contact);
    if (session === undefined) return;
    if (wish.type === 'reply')
      return this.#host.say(session.socket, replyText(session, place.callId, wish.id, wish.reply));
    this.#ask(session, requestText(session, call, wish, session.nextId));
  }

  /** Tells the end of a call that its client may have missed. */
  tellEnd(contact: string, end: Unheard): void {
    const session = this.#host.session(contact);
    if (session !== undefined) this.#ask(session, byeText(session, end, session.nextId));
  }

  /** Sends a request of ours, numbered `nextId`. */
  #ask(session: Session, text: string): void {
    this.#host.keep({ ...session, nextId: session.nextId + 1 });
    this.#host.say(session.socket, text);
  }

  /** Sends what the user agent wants sent; the rest are inputs of calls. */
  hear(outs: readonly UserAgentOut[], now: Ms): void {
    for (const out of outs) {
      switch (out.type) {
        case 'sip':
          this.#host.put(out);
          break;
        // Not told: nobody outside meets these dialogs.
        case 'dialog':
          break;
        case 'incoming':
          this.#incoming(out, now);
          break;
        case 'request':
          this.#request(out, now);
          break;
        case 'info':
          this.#info(out, now);
          break;
        case 'result': {
          const [contact, number] = out.token.split(' ') as [string, string];
          const socket = this.#host.session(contact)?.socket;
          const expiresMs = grantedMs(out.response, contact, REGISTER_SECONDS);
          const calls = this.calls.of(contact).map((call) => call.callId);
          const result = { sequence: Number(number), status: out.status, expiresMs, calls };
          if (socket !== undefined) this.#host.registered(socket, { type: 'registered', ...result }, now);
          break;
        }
        default:
          this.#legEvent(out, now);
      }
    }
  }

  /** voice tells when it heard a client last. Nothing else that it sends in an INFO means anything to a client. */
  #info({ request, tx, leg }: Extract<UserAgentOut, { type: 'info' }>, now: Ms): void {
    const heard = readHeard(request);
    const place = this.calls.placeOf(leg);
    this.hear(this.agent.respondRequest(tx, heard === null ? 415 : 200, {}, now), now);
    if (heard !== null && place !== undefined) this.#host.heard(place.contact, heard, now);
  }

  /** voice tells how a transfer gets on. */
  #request({ request, tx, leg }: Extract<UserAgentOut, { type: 'request' }>, now: Ms): void {
    const news = request.method === 'NOTIFY' && leg !== undefined ? readNotify(request) : null;
    const status = news !== null || request.method === 'OPTIONS' ? 200 : 405;
    this.hear(this.agent.respondRequest(tx, status, {}, now), now);
    const place = leg === undefined ? undefined : this.calls.placeOf(leg);
    if (place !== undefined && news !== null) this.call(place, { type: 'transferred', ...news }, now);
  }

  #refer(place: Place, to: Extract<LegWish, { type: 'refer' }>['to'], now: Ms): void {
    const { domain } = this.#options;
    const leg = this.calls.legOf(place);
    const other =
      'otherCallId' in to ? this.calls.legOf({ contact: place.contact, callId: to.otherCallId }) : undefined;
    const dialog = other === undefined ? null : this.agent.dialogOf(other);
    const headers =
      'destination' in to
        ? referToDestination(to.destination, domain)
        : dialog === null
          ? null
          : referToCall(dialog, domain);
    if (leg === undefined || headers === null) this.call(place, { type: 'referred', status: 404 }, now);
    else this.hear(this.agent.requestInDialog(leg, { method: 'REFER', headers }, REFER.event, now), now);
  }

  #legEvent(out: LegEvent, now: Ms): void {
    const place = this.calls.placeOf(out.leg);
    if (place !== undefined) {
      this.journal.touch(place);
      const input = legInput(out);
      if (input !== null) this.call(place, input, now);
      return;
    }
    // An answer that crossed our CANCEL is hung up (RFC 3261 §9.1); a re-INVITE in a dialog we left is refused.
    if (out.type === 'bye' || out.type === 'ended') this.journal.gone(out.leg);
    else if (out.type === 'accepted') this.hear(this.agent.bye(out.leg, [], now), now);
    else if (out.type === 'reinvite')
      this.hear(this.agent.respondReinvite(out.leg, out.tx, 481, {}, now), now);
  }

  /** A call for a client: the user part of the request URI is the contact of its session. */
  #incoming(out: Extract<UserAgentOut, { type: 'incoming' }>, now: Ms): void {
    const { request, leg, sdp } = out;
    const refuse = (status: number): void => this.hear(this.agent.respond(leg, status, {}, now), now);
    const contact = request.uri.user ?? '';
    const session = this.#host.session(contact);
    if (session?.login.name !== 'ready') return refuse(480);
    if (this.#host.closed()) return refuse(503);
    if (sdp === undefined) return refuse(488);
    if (this.#full(contact)) return refuse(486);
    const { random } = this.#options;
    const stated = callIds(request);
    const ids = stated ?? { session: uuid(random), leg: uuid(random) };
    // A leg may ring in several places: its branch names the call here.
    const place = { contact, callId: branchId(request) ?? ids.leg };
    if (this.calls.get(place) !== undefined) return refuse(482);
    const call = inboundCall(request, place.callId, sdp, ids, session.agent);
    this.calls.set(place, call);
    this.calls.bind(place, leg);
    this.journal.touch(place);
    this.#host.changed(contact);
    if (call.ring !== null) this.tell(place, call, { type: 'invite', ring: call.ring });
    this.hear(this.agent.respond(leg, 180, {}, now), now);
  }
}
