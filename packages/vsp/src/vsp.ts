import { Deadlines, earliest, type JournalEntry, type LogLine, type Ms, uuid } from '@sidetone/core';
import { createUserAgent, type UserAgent, type UserAgentOut } from '@sidetone/sip';
import { type Cause, type ClientFrame, createFrameWriter, NODE_HOST, REFER, RPC_ERROR } from '@sidetone/wire';
import { type Call, type CallInput, type ClientWish, callDeadline, isTold, type LegWish } from './call.ts';
import { CallBook, type Place } from './call-book.ts';
import { stepCall } from './call-step.ts';
import { callIds, grantedMs } from './from-sip.ts';
import { Journal, type Written } from './journal.ts';
import { KeptSessions } from './kept-sessions.ts';
import { commandLeg } from './leg-commands.ts';
import { type LegEvent, legInput } from './leg-events.ts';
import { inboundCall, outboundCall } from './new-calls.ts';
import { type Heard, readFrame } from './read-frame.ts';
import { readNotify, referToCall, referToDestination } from './refer.ts';
import { ReportIds } from './report-ids.ts';
import { restore } from './restore.ts';
import {
  isNative,
  type Session,
  type SessionInput,
  type SessionSettings,
  sessionDeadline,
} from './session.ts';
import { SessionBook } from './session-book.ts';
import { stepSession } from './session-step.ts';
import { CALLS_PER_SESSION, ENDING, newSession, RESTARTING, resumedSession, settingsOf } from './settings.ts';
import { attachCallsText, replyText, requestText, unknownCallText } from './to-client.ts';
import {
  contactUri,
  endingHeaders,
  inviteFor,
  PROXY,
  REGISTER_SECONDS,
  registerFor,
  VOICE,
} from './to-sip.ts';
import type { Vsp, VspInput, VspOptions, VspOutput } from './vsp-events.ts';

/**
 * The Voice SDK Proxy: JSON-RPC sessions on one side, SIP dialogs on the other. Sessions and calls are machines
 * (`session-step.ts`, `call-step.ts`); this service finds the one that an event belongs to and carries out what it wants.
 */
export function createVsp(options: VspOptions): Vsp {
  return new ClientGate(options);
}

type Invite = Extract<ClientFrame, { kind: 'invite' }>;
type TimerKey = `session ${string}` | `kept ${string}` | `call ${string} ${string}`;

class ClientGate implements Vsp {
  readonly name = 'vsp';
  readonly #options: VspOptions;
  readonly #settings: SessionSettings;
  readonly #agent: UserAgent;
  readonly #sessions = new SessionBook();
  readonly #calls = new CallBook();
  readonly #kept = new KeptSessions();
  /** Sockets with calls. */
  readonly #watched = new Set<string>();
  readonly #reports = new ReportIds();
  readonly #times = new Deadlines<TimerKey>();
  readonly #journal = new Journal();
  readonly #written: Written;
  #draining = false;
  /** Another process takes over; nothing new begins here. */
  #handingOver = false;
  #out: VspOutput[] = [];

  constructor(options: VspOptions) {
    this.#options = options;
    this.#settings = settingsOf(options);
    this.#agent = createUserAgent({
      random: options.random,
      sentBy: { host: NODE_HOST.vsp },
      contact: () => contactUri('call'),
      resolve: (hop) => (hop.host === NODE_HOST.proxy ? PROXY : VOICE),
      userAgent: 'Sidetone',
      allow: ['INVITE', 'ACK', 'CANCEL', 'BYE', 'INFO', 'UPDATE', 'OPTIONS', 'NOTIFY'],
    });
    const legOf = (place: Place): string => this.#calls.legOf(place) ?? '';
    this.#written = {
      session: (contact) => this.#sessions.at(contact) ?? this.#kept.get(contact),
      matters: (contact) => this.#calls.count(contact) > 0 || this.#kept.get(contact) !== undefined,
      unheard: (contact) => this.#kept.pending(contact),
      call: (place) => this.#calls.get(place),
      snapshot: (place) => this.#agent.snapshot(legOf(place)),
      early: (place) => this.#agent.early(legOf(place)),
    };
  }

  get size(): number {
    return this.#sessions.size + this.#kept.size + this.#calls.size + this.#agent.size;
  }

  hasReportId(id: string): boolean {
    return this.#reports.has(id);
  }

  deadline(): Ms | null {
    return earliest(this.#agent.deadline(), this.#times.next());
  }

  handle(input: VspInput, now: Ms): readonly VspOutput[] {
    this.#out = [];
    switch (input.type) {
      case 'restore':
        this.#restore(input.entries, now);
        break;
      case 'tick':
        this.#tick(now);
        break;
      case 'sip':
        if (input.flow.transport === 'local')
          this.#hear(this.#agent.receive(input.message, input.flow, now), now);
        break;
      case 'open':
        this.#open(input, now);
        break;
      case 'frame':
        this.#frame(input.socket, input.text, now);
        break;
      case 'closed': {
        const session = this.#sessions.get(input.socket);
        if (session !== undefined) this.#lose(session, now);
        break;
      }
      case 'authenticated': {
        // The request is named after the contact of the session that asked.
        const session = this.#sessions.at(input.request.split(':', 1)[0]!);
        if (session === undefined) break;
        if (input.result.ok) this.#adopt(session, input.result.user, now);
        this.#session(session.socket, input, now);
        break;
      }
      case 'drain':
        this.#drain(now);
        break;
      case 'handover':
        this.#handOver(input.sockets, now);
        break;
    }
    const { before, after } = this.#journal.take(this.#written);
    const out = before.length + after.length === 0 ? this.#out : [...before, ...this.#out, ...after];
    this.#out = [];
    return out;
  }

  // ---- sockets

  #open({ socket, address, query }: Extract<VspInput, { type: 'open' }>, now: Ms): void {
    if (this.#sessions.get(socket) !== undefined) return;
    if (this.#draining) {
      this.#out.push({ type: 'close', socket, code: 1001, reason: 'server is stopping' });
      return;
    }
    if (this.#handingOver) {
      this.#out.push({ type: 'close', socket, ...RESTARTING });
      return;
    }
    const token = query['voice_sdk_id'];
    const session = newSession(socket, address, token, this.#options.random, now, this.#settings);
    this.#keep(session);
  }

  #keep(session: Session): void {
    this.#sessions.set(session);
    this.#times.set(`session ${session.socket}`, sessionDeadline(session, this.#settings));
  }

  #tick(now: Ms): void {
    this.#hear(this.#agent.tick(now), now);
    for (let key = this.#times.takeDue(now); key !== undefined; key = this.#times.takeDue(now)) {
      const [kind, first, second] = key.split(' ') as [string, string, string | undefined];
      if (kind === 'session') this.#session(first, { type: 'tick' }, now);
      else if (kind === 'kept') this.#expire(first, now);
      else this.#call({ contact: first, callId: second! }, { type: 'tick' }, now);
    }
  }

  /** Runs the session's machine and carries out what it wants. */
  #session(socket: string, input: SessionInput, now: Ms): void {
    const before = this.#sessions.get(socket);
    if (before === undefined) return;
    const { state, out } = stepSession(before, input, now, this.#settings);
    this.#keep(state);
    if (before.login.name !== 'ready' && state.login.name === 'ready') {
      this.#reports.add(state.reportId);
      this.#kept.add(state);
    }
    for (const wish of out) {
      switch (wish.type) {
        case 'send':
          this.#out.push({ type: 'frame', socket, text: wish.text });
          break;
        case 'authenticate':
          this.#out.push({ ...wish, address: state.address });
          break;
        case 'register':
          this.#register(state.contact, wish.user, REGISTER_SECONDS, wish.sequence, now);
          break;
        case 'unregister':
          this.#register(state.contact, wish.user, 0, wish.sequence, now);
          break;
        case 'resumed':
          this.#resumed(state.contact, now);
          break;
        case 'close':
          if (wish.keep) this.#lose(before, now);
          else this.#end(before, ENDING.socketGone, false, now);
          this.#out.push({ type: 'close', socket, code: wish.code, reason: wish.reason });
          break;
        case 'log':
          this.#out.push(wish);
          break;
      }
    }
  }

  #register(contact: string, user: string, seconds: number, sequence: number, now: Ms): void {
    const request = registerFor(contact, user, this.#options.domain, seconds, sequence);
    this.#hear(this.#agent.send(request, `${contact} ${sequence}`, now), now);
  }

  // ---- sockets lost, and clients that come back

  /** The socket is gone: the session's calls wait for its client, which cannot be rung meanwhile. */
  #lose(session: Session, now: Ms): void {
    const { contact, owner } = session;
    const waits = owner !== null && this.#settings.keepMs > 0 && this.#calls.count(contact) > 0;
    if (!waits || this.#draining) return this.#end(session, ENDING.socketGone, false, now);
    const latest = this.#sessions.get(session.socket) ?? session;
    const registers = latest.registers + 1;
    this.#leave(session, now);
    this.#kept.lose({ ...latest, registers });
    this.#times.set(`kept ${contact}`, now + this.#settings.keepMs);
    this.#journal.touchSession(contact);
    this.#register(contact, owner, 0, registers, now);
    for (const { callId } of this.#calls.of(contact)) this.#call({ contact, callId }, { type: 'away' }, now);
    this.#log('client lost', session, { user: owner, calls: this.#calls.count(contact) });
  }

  /** Parts a session from its socket. */
  #leave(session: Session, now: Ms): void {
    this.#sessions.delete(session);
    this.#watched.delete(session.socket);
    this.#times.delete(`session ${session.socket}`);
    this.#reports.leave(session.reportId, now);
  }

  /**
   * A login that names an earlier session of the same user goes on with it: with one whose socket is gone, or with one that has
   * calls on a socket that is open still, which then is closed: the client knows better that it is dead.
   */
  #adopt(fresh: Session, user: string, now: Ms): void {
    const { login } = fresh;
    if (login.name !== 'authenticating' || fresh.owner !== null) return;
    const contact = this.#kept.find(user, fresh.token, login.sessid);
    const before =
      contact === undefined ? undefined : (this.#kept.take(contact) ?? this.#supersede(contact, now));
    if (before === undefined) return;
    this.#times.delete(`kept ${before.contact}`);
    this.#keep(resumedSession(fresh, before));
    this.#journal.touchSession(before.contact);
    this.#watch(before.contact);
    this.#log('client back', fresh, { user, calls: this.#calls.count(before.contact) });
  }

  #supersede(contact: string, now: Ms): Session | undefined {
    const session = this.#sessions.at(contact);
    if (session === undefined || this.#calls.count(contact) === 0) return undefined;
    this.#leave(session, now);
    this.#kept.forget(session);
    for (const { callId } of this.#calls.of(contact)) this.#call({ contact, callId }, { type: 'away' }, now);
    this.#out.push({
      type: 'close',
      socket: session.socket,
      code: 1001,
      reason: 'resumed on another connection',
    });
    return session;
  }

  /** The client is registered and knows its calls: what ended without it, and what goes on. */
  #resumed(contact: string, now: Ms): void {
    for (const { call, bye } of this.#kept.unheard(contact))
      this.#tell({ contact, callId: call.callId }, call, bye, true);
    this.#journal.touchSession(contact);
    for (const { callId } of this.#calls.of(contact)) this.#call({ contact, callId }, { type: 'back' }, now);
  }

  /** Nobody came back in time. */
  #expire(contact: string, now: Ms): void {
    if (this.#kept.take(contact) !== undefined) this.#endCalls(contact, ENDING.socketGone, false, now);
    this.#journal.touchSession(contact);
  }

  #endCalls(contact: string, cause: Cause, tell: boolean, now: Ms): void {
    for (const { callId } of this.#calls.of(contact))
      this.#call({ contact, callId }, { type: 'end', cause, tell }, now);
    this.#kept.unheard(contact);
  }

  /** Has the socket of this contact calls? The edge asks such clients often whether they are there. */
  #watch(contact: string): void {
    const socket = this.#sessions.at(contact)?.socket;
    const on = this.#calls.count(contact) > 0;
    if (socket === undefined || on === this.#watched.has(socket)) return;
    this.#watched[on ? 'add' : 'delete'](socket);
    this.#out.push({ type: 'watch', socket, on });
  }

  /** Ends whatever a session owns: its calls, its registration, itself. */
  #end(session: Session, cause: Cause, tell: boolean, now: Ms): void {
    this.#endCalls(session.contact, cause, tell, now);
    const latest = this.#sessions.get(session.socket) ?? session;
    this.#leave(session, now);
    this.#kept.forget(latest);
    const { login } = session;
    // Also while the REGISTER is under way: it may have bound the contact already.
    if (login.name === 'ready' || login.name === 'registering')
      this.#register(session.contact, login.user, 0, latest.registers + 1, now);
    if (login.name === 'ready') this.#log('client gone', session, { user: login.user, cause: cause.name });
  }

  #log(event: string, session: Session, fields: LogLine['fields']): void {
    this.#out.push({ type: 'log', level: 'info', event, fields: { address: session.address, ...fields } });
  }

  // ---- one process after another

  /** What the process before left: see `restore.ts`. */
  #restore(entries: readonly JournalEntry[], now: Ms): void {
    restore(
      {
        agent: this.#agent,
        calls: this.#calls,
        kept: this.#kept,
        journal: this.#journal,
        hear: (outs) => this.#hear(outs, now),
        away: (place) => this.#call(place, { type: 'away' }, now),
        lost: (session) => {
          const { contact, reportId } = session;
          this.#times.set(`kept ${contact}`, now + this.#settings.keepMs);
          this.#reports.add(reportId);
          this.#reports.leave(reportId, now);
          this.#journal.touchSession(contact);
          this.#log('client lost', session, { user: session.owner ?? '', calls: this.#calls.count(contact) });
        },
      },
      entries,
      now,
    );
  }

  /** Closes sockets and ends no call: their clients find them at the process that follows. */
  #handOver(sockets: 'browsers' | 'all', now: Ms): void {
    this.#handingOver = true;
    for (const session of this.#sessions.all()) {
      if (sockets === 'browsers' && isNative(session.agent)) continue;
      this.#lose(session, now);
      this.#out.push({ type: 'close', socket: session.socket, ...RESTARTING });
    }
  }

  #drain(now: Ms): void {
    this.#draining = true;
    for (const { contact } of this.#kept.all()) {
      this.#times.delete(`kept ${contact}`);
      this.#expire(contact, now);
    }
    for (const session of this.#sessions.all()) {
      this.#end(session, ENDING.drain, true, now);
      this.#out.push({ type: 'close', socket: session.socket, code: 1001, reason: 'server is stopping' });
    }
  }

  #frame(socket: string, text: string, now: Ms): void {
    const session = this.#sessions.get(socket);
    if (session === undefined) return;
    const heard: Heard = readFrame(text, session.login.name === 'ready');
    if (heard.to === 'session') return this.#session(socket, { type: 'frame', frame: heard.frame }, now);
    // Logged in: any frame is a sign of life.
    this.#keep({ ...session, heardAt: now });
    if (heard.to === 'nobody') return;
    const { frame } = heard;
    if (frame.kind === 'invite') return this.#invite(socket, frame, now);
    if (frame.kind === 'attachCalls')
      return this.#say(socket, attachCallsText(session, frame.id, this.#calls.of(session.contact)));
    const place = { contact: session.contact, callId: frame.callId };
    if (this.#calls.get(place) === undefined) return this.#say(socket, unknownCallText(session, frame));
    this.#call(place, { type: 'frame', frame }, now);
  }

  #say(socket: string, text: string): void {
    this.#out.push({ type: 'frame', socket, text });
  }

  #invite(socket: string, frame: Invite, now: Ms): void {
    const session = this.#sessions.get(socket)!;
    const { login, contact } = session;
    if (login.name !== 'ready') return;
    const writer = createFrameWriter(session);
    const place = { contact, callId: frame.call.callId };
    const refuse = (why: string): void =>
      this.#say(socket, writer.error(frame.id, RPC_ERROR.callFailed, why));
    if (this.#calls.get(place) !== undefined) return refuse('A call with this callID exists already');
    if (this.#full(contact)) return refuse('Too many calls on this connection');
    if (this.#handingOver) return refuse('The server is restarting, try again in a moment');
    // The reply goes before everything else about the call: a late one would drag an active call back.
    this.#say(socket, writer.callCreated(frame.id, place.callId));
    const { call } = frame;
    const { random, domain } = this.#options;
    const agent = frame.agent.text === '' ? session.agent : frame.agent;
    this.#calls.set(
      place,
      outboundCall(frame, session.agent, login.user, { session: uuid(random), leg: uuid(random) }),
    );
    const { leg, out } = this.#agent.invite(inviteFor(call, frame.sdp, login.user, domain, agent), now);
    this.#calls.bind(place, leg);
    this.#journal.touch(place);
    this.#watch(contact);
    this.#hear(out, now);
  }

  #full(contact: string): boolean {
    return this.#calls.count(contact) >= (this.#options.limits?.callsPerSession ?? CALLS_PER_SESSION);
  }

  // ---- calls

  /** Runs the call's machine and carries out what it wants. */
  #call(place: Place, input: CallInput, now: Ms): void {
    const before = this.#calls.get(place);
    if (before === undefined) return;
    const { state, out } = stepCall(before, input, now);
    const leg = this.#calls.legOf(place);
    const key: TimerKey = `call ${place.contact} ${place.callId}`;
    this.#journal.touch(place);
    if (state.phase === 'over') {
      this.#calls.delete(place);
      this.#times.delete(key);
      this.#watch(place.contact);
    } else {
      this.#calls.set(place, state);
      this.#times.set(key, callDeadline(state));
    }
    for (const wish of out) {
      if (wish.type === 'log') this.#out.push(wish);
      else if (isTold(wish)) this.#tell(place, state, wish);
      else if (wish.type === 'refer') this.#refer(place, wish.to, now);
      else if (leg !== undefined) this.#hear(commandLeg(this.#agent, leg, wish, now), now);
    }
    if (state.phase !== 'over') return;
    const bye = out.find((wish) => wish.type === 'hangUp');
    const written = leg === undefined || bye === undefined ? null : this.#agent.snapshot(leg);
    const headers = bye === undefined ? [] : endingHeaders(bye.cause, undefined, bye.customHeaders);
    this.#journal.over(place, written === null ? null : { leg: written, headers });
  }

  #tell(place: Place, call: Call, wish: ClientWish, again = false): void {
    // Also one that is told now may go into a dead socket; a second one does no harm.
    if (wish.type === 'bye' && !again) this.#kept.remember(place.contact, { call, bye: wish });
    if (wish.type === 'bye' && call.away && !again) return;
    const session = this.#sessions.at(place.contact);
    if (session === undefined) return;
    const { socket } = session;
    if (wish.type === 'reply')
      return this.#say(socket, replyText(session, place.callId, wish.id, wish.reply));
    this.#keep({ ...session, nextId: session.nextId + 1 });
    this.#say(socket, requestText(session, call, wish, session.nextId));
  }

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
          this.#request(out, now);
          break;
        // Nothing that voice sends in an INFO means anything to a client.
        case 'info':
          this.#hear(this.#agent.respondRequest(out.tx, 415, {}, now), now);
          break;
        case 'result': {
          const [contact, number] = out.token.split(' ') as [string, string];
          const socket = this.#sessions.at(contact)?.socket;
          const expiresMs = grantedMs(out.response, contact, REGISTER_SECONDS);
          const calls = this.#calls.of(contact).map((call) => call.callId);
          const result = { sequence: Number(number), status: out.status, expiresMs, calls };
          if (socket !== undefined) this.#session(socket, { type: 'registered', ...result }, now);
          break;
        }
        default:
          this.#legEvent(out, now);
      }
    }
  }

  /** voice tells how a transfer gets on. */
  #request({ request, tx, leg }: Extract<UserAgentOut, { type: 'request' }>, now: Ms): void {
    const news = request.method === 'NOTIFY' && leg !== undefined ? readNotify(request) : null;
    const status = news !== null || request.method === 'OPTIONS' ? 200 : 405;
    this.#hear(this.#agent.respondRequest(tx, status, {}, now), now);
    const place = leg === undefined ? undefined : this.#calls.placeOf(leg);
    if (place !== undefined && news !== null) this.#call(place, { type: 'transferred', ...news }, now);
  }

  #refer(place: Place, to: Extract<LegWish, { type: 'refer' }>['to'], now: Ms): void {
    const { domain } = this.#options;
    const leg = this.#calls.legOf(place);
    const other =
      'otherCallId' in to ? this.#calls.legOf({ contact: place.contact, callId: to.otherCallId }) : undefined;
    const dialog = other === undefined ? null : this.#agent.dialogOf(other);
    const headers =
      'destination' in to
        ? referToDestination(to.destination, domain)
        : dialog === null
          ? null
          : referToCall(dialog, domain);
    if (leg === undefined || headers === null) this.#call(place, { type: 'referred', status: 404 }, now);
    else this.#hear(this.#agent.requestInDialog(leg, { method: 'REFER', headers }, REFER.event, now), now);
  }

  #legEvent(out: LegEvent, now: Ms): void {
    const place = this.#calls.placeOf(out.leg);
    if (place !== undefined) {
      this.#journal.touch(place);
      const input = legInput(out);
      if (input !== null) this.#call(place, input, now);
      return;
    }
    // An answer that crossed our CANCEL is hung up (RFC 3261 §9.1); a re-INVITE in a dialog we left is refused.
    if (out.type === 'bye' || out.type === 'ended') this.#journal.gone(out.leg);
    else if (out.type === 'accepted') this.#hear(this.#agent.bye(out.leg, [], now), now);
    else if (out.type === 'reinvite')
      this.#hear(this.#agent.respondReinvite(out.leg, out.tx, 481, {}, now), now);
  }

  /** A call for a client: the user part of the request URI is the contact of its session. */
  #incoming(out: Extract<UserAgentOut, { type: 'incoming' }>, now: Ms): void {
    const { request, leg, sdp } = out;
    const refuse = (status: number): void => this.#hear(this.#agent.respond(leg, status, {}, now), now);
    const contact = request.uri.user ?? '';
    const session = this.#sessions.at(contact);
    if (session?.login.name !== 'ready') return refuse(480);
    if (this.#handingOver) return refuse(503);
    if (sdp === undefined) return refuse(488);
    if (this.#full(contact)) return refuse(486);
    const { random } = this.#options;
    const stated = callIds(request);
    const ids = stated ?? { session: uuid(random), leg: uuid(random) };
    const place = { contact, callId: ids.leg };
    if (this.#calls.get(place) !== undefined) return refuse(482);
    const call = inboundCall(request, sdp, ids, session.agent.family);
    this.#calls.set(place, call);
    this.#calls.bind(place, leg);
    this.#journal.touch(place);
    this.#watch(contact);
    if (call.ring !== null) this.#tell(place, call, { type: 'invite', ring: call.ring });
    this.#hear(this.#agent.respond(leg, 180, {}, now), now);
  }
}
