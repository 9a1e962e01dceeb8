import { Deadlines, earliest, type JournalEntry, type LogLine, type Ms } from '@sidetone/core';
import type { UserAgent, UserAgentOut } from '@sidetone/sip';
import { type Cause, traitsOf } from '@sidetone/wire';
import { createAgent } from './agent.ts';
import type { CallInput } from './call.ts';
import { CallBook, type CallRef } from './call-book.ts';
import { CallDesk, type DeskOut } from './call-desk.ts';
import { grantedMs } from './from-sip.ts';
import { type Books, Journal } from './journal.ts';
import { type Heard, readFrame } from './read-frame.ts';
import { restore } from './restore.ts';
import { Returns } from './returns.ts';
import type { Session, SessionInput, SessionSettings } from './session.ts';
import { SessionDesk } from './session-desk.ts';
import { ENDING, RESTARTING, resumedSession, STOPPING, settingsOf } from './settings.ts';
import type { Times } from './times.ts';
import { attachCallsText, unknownCallText } from './to-client.ts';
import { REGISTER_SECONDS, registerFor } from './to-sip.ts';
import { createTurns } from './turn.ts';
import type { Turns, Vsp, VspInput, VspOptions, VspOutput } from './vsp-events.ts';

/**
 * The Voice SDK Proxy: JSON-RPC sessions on one side, SIP dialogs on the other. Sessions and calls are machines
 * (`session-step.ts`, `call-step.ts`). This service owns the sessions, their sockets and those
 * who come back, and the user agent; `call-desk.ts` runs the calls, and tells what they want.
 */
export function createVsp(options: VspOptions): Vsp {
  return new ClientGate(options);
}

class ClientGate implements Vsp {
  readonly name = 'vsp';
  readonly turns: Turns;
  readonly #options: VspOptions;
  readonly #settings: SessionSettings;
  readonly #times: Times = new Deadlines();
  readonly #calls = new CallBook();
  readonly #journal = new Journal();
  readonly #agent: UserAgent;
  readonly #desk: CallDesk;
  readonly #sessions: SessionDesk;
  /** Sockets with calls. */
  readonly #watched = new Set<string>();
  readonly #returns: Returns;
  readonly #books: Books;
  #draining = false;
  /** Another process takes over; nothing new begins here. */
  #handingOver = false;
  #out: VspOutput[] = [];

  constructor(options: VspOptions) {
    this.#options = options;
    this.#settings = settingsOf(options);
    const calls = this.#calls;
    const agent = createAgent(options, calls);
    this.#agent = agent;
    this.#desk = new CallDesk(options, { agent, calls, journal: this.#journal, times: this.#times });
    this.#sessions = new SessionDesk(this.#times, this.#settings);
    this.turns = createTurns((socket) => this.#sessions.live.get(socket), options.random);
    this.#returns = new Returns(calls, this.#times);
    this.#books = { sessions: this.#sessions.live, kept: this.#sessions.kept, calls, agent };
  }

  get size(): number {
    return this.#sessions.size + this.#calls.size + this.#agent.size;
  }

  hasReportId(id: string): boolean {
    return this.#sessions.hasReportId(id);
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
          this.#carry(this.#agent.receive(input.message, input.flow, now), now);
        break;
      case 'open':
        this.#open(input, now);
        break;
      case 'frame':
        this.#frame(input.socket, input.text, now);
        break;
      case 'closed': {
        const session = this.#sessions.live.get(input.socket);
        if (session !== undefined) this.#lose(session, now);
        break;
      }
      case 'authenticated': {
        // The request is named after the contact of the session that asked.
        const session = this.#sessions.live.at(input.request.split(':', 1)[0]!);
        if (session === undefined) break;
        if (input.result.ok) this.#adopt(session, input.result.user, now);
        this.#session(session.socket, input, now);
        break;
      }
      case 'revoked':
        for (const session of this.#sessions.live.of(input.users)) {
          this.#log('login revoked', session, {});
          this.#session(session.socket, input, now);
        }
        break;
      case 'drain':
        this.#drain(now);
        break;
      case 'handover':
        this.#handOver(input.sockets, now);
        break;
    }
    this.#tellReturned(now);
    const { before, after } = this.#journal.take(this.#books);
    const out = before.length + after.length === 0 ? this.#out : [...before, ...this.#out, ...after];
    this.#out = [];
    return out;
  }

  // ---- sockets

  #open({ socket, address, query }: Extract<VspInput, { type: 'open' }>, now: Ms): void {
    if (this.#sessions.live.get(socket) !== undefined) return;
    if (this.#draining) return this.#close(socket, STOPPING);
    if (this.#handingOver) return this.#close(socket, RESTARTING);
    const token = query['voice_sdk_id'];
    this.#sessions.open(socket, address, token, this.#options.random, now);
  }

  #tick(now: Ms): void {
    this.#carry(this.#agent.tick(now), now);
    for (let key = this.#times.takeDue(now); key !== undefined; key = this.#times.takeDue(now)) {
      const [kind, first, second] = key.split(' ') as [string, string, string | undefined];
      if (kind === 'session') this.#tickSession(first, now);
      else if (kind === 'kept') this.#tickLost(first, now);
      else if (kind === 'return') this.#returns.moved(first);
      else this.#call({ contact: first, callId: second! }, { type: 'tick' }, now);
    }
  }

  #tickSession(socket: string, now: Ms): void {
    const session = this.#sessions.live.get(socket);
    const named = this.#sessions.kept.named(session?.token ?? '') ?? '';
    const rings = this.#calls.of(named).some(({ phase }) => phase === 'ringing');
    const woken = session !== undefined && this.#sessions.mayWait(session, rings);
    this.#session(socket, { type: 'tick', woken }, now);
  }

  /** Runs the session's machine and carries out what it wants. */
  #session(socket: string, input: SessionInput, now: Ms): void {
    const before = this.#sessions.live.get(socket);
    if (before === undefined) return;
    const { state, out } = this.#sessions.step(before, input, now);
    for (const wish of out) {
      switch (wish.type) {
        case 'send':
          this.#out.push({ type: 'frame', socket, text: wish.text });
          break;
        case 'authenticate':
          this.#out.push({ ...wish, address: state.address });
          break;
        case 'register':
          this.#register(state, wish.user, REGISTER_SECONDS, wish.sequence, now);
          break;
        case 'unregister':
          this.#register(state, wish.user, 0, wish.sequence, now);
          break;
        case 'resumed':
          this.#resumed(state.contact, now);
          break;
        case 'listens':
        case 'declined':
          this.#eachCall(state.contact, wish, now);
          break;
        case 'close':
          if (wish.keep) this.#lose(before, now);
          else this.#end(before, ENDING.socketGone, false, now);
          this.#close(socket, wish);
          break;
        case 'log':
          this.#out.push(wish);
          break;
      }
    }
  }

  #register(session: Session, user: string, seconds: number, sequence: number, now: Ms): void {
    const request = registerFor(session, user, this.#options.domain, seconds, sequence);
    this.#carry(this.#agent.send(request, `${session.contact} ${sequence}`, now), now);
  }

  /** The end of a REGISTER. Its token says whose it was. */
  #registered({ token, status, response }: Extract<UserAgentOut, { type: 'result' }>, now: Ms): void {
    const [contact, number] = token.split(' ') as [string, string];
    const session = this.#sessions.live.at(contact);
    if (session === undefined) return;
    const expiresMs = grantedMs(response, contact, REGISTER_SECONDS);
    const calls = this.#calls.of(contact).map(({ callId }) => callId);
    const result = { sequence: Number(number), status, expiresMs, calls };
    this.#session(session.socket, { type: 'registered', ...result }, now);
  }

  // ---- calls

  #call(ref: CallRef, input: CallInput, now: Ms): void {
    this.#carry(this.#desk.call(ref, input, now), now);
  }

  /** Carries out, in order, what calls and the user agent want; what the user agent tells of a call goes to the desk. */
  #carry(outs: readonly DeskOut[], now: Ms): void {
    for (const out of outs) {
      switch (out.type) {
        case 'sip':
        case 'frame':
        case 'log':
          this.#out.push(out);
          break;
        case 'tell':
          this.#out.push(...this.#sessions.tell(out.ref, out.call, out.wish));
          break;
        case 'changed':
          this.#watch(out.contact);
          this.#returns.moved(out.contact);
          break;
        case 'heard':
          this.#sessions.lost.heard(out.contact, out.msAgo, now);
          break;
        // Not told: nobody outside meets these dialogs.
        case 'dialog':
          break;
        case 'result':
          this.#registered(out, now);
          break;
        case 'incoming':
          this.#carry(this.#desk.incoming(out, this.#sessions.live.at(out.request.uri.user ?? ''), now), now);
          break;
        default:
          this.#carry(this.#desk.hear(out, now), now);
      }
    }
  }

  // ---- sockets lost, and clients that come back

  /** The socket is gone: the session's calls wait for its client, which cannot be rung meanwhile. */
  #lose(session: Session, now: Ms): void {
    const { contact, owner } = session;
    const waits = owner !== null && this.#settings.keepMs > 0 && this.#calls.count(contact) > 0;
    if (!waits || this.#draining) return this.#end(session, ENDING.socketGone, false, now);
    const latest = this.#sessions.live.get(session.socket) ?? session;
    const registers = latest.registers + 1;
    this.#leave(session, now);
    this.#sessions.lost.keep({ ...latest, registers }, now);
    this.#journal.touchSession(contact);
    this.#register(session, owner, 0, registers, now);
    this.#eachCall(contact, { type: 'away' }, now);
    this.#logLost(session);
  }

  #logLost(session: Session): void {
    const { contact, owner } = session;
    this.#log('client lost', session, { user: owner ?? '', calls: this.#calls.count(contact) });
  }

  /** Parts a session from its socket. */
  #leave(session: Session, now: Ms): void {
    this.#sessions.leave(session, now);
    this.#returns.forget(session.contact);
    this.#watched.delete(session.socket);
  }

  /**
   * A login that names an earlier session of the same user goes on with it: with one whose socket is gone, or with one that has
   * calls on a socket that is open still, which then is closed: the client knows better that it is dead.
   */
  #adopt(session: Session, user: string, now: Ms): void {
    const fresh = this.#sessions.claimed(session, user);
    const { login } = fresh;
    if (login.name !== 'authenticating' || fresh.owner !== null) return;
    const contact = this.#sessions.kept.find(user, fresh.token, login.sessid);
    const before =
      contact === undefined
        ? undefined
        : (this.#sessions.kept.take(contact) ?? this.#supersede(contact, now));
    if (before === undefined) return;
    this.#times.delete(`kept ${before.contact}`);
    this.#sessions.keep(resumedSession(fresh, before));
    this.#journal.touchSession(before.contact);
    this.#watch(before.contact);
    this.#log('client back', fresh, { user, calls: this.#calls.count(before.contact) });
  }

  #supersede(contact: string, now: Ms): Session | undefined {
    const session = this.#sessions.live.at(contact);
    if (session === undefined || this.#calls.count(contact) === 0) return undefined;
    this.#leave(session, now);
    this.#sessions.kept.forget(session);
    this.#eachCall(contact, { type: 'away' }, now);
    this.#close(session.socket, { code: 1001, reason: 'resumed on another connection' });
    return session;
  }

  /** The client is registered and knows its calls: what ended without it, and what goes on. */
  #resumed(contact: string, now: Ms): void {
    this.#out.push(...this.#sessions.tellUnheard(contact));
    this.#journal.touchSession(contact);
    this.#returns.begin(contact, now);
  }

  #tellReturned(now: Ms): void {
    for (let step = this.#returns.next(now); step !== null; step = this.#returns.next(now)) {
      const { contact } = step;
      if (step.type === 'told')
        this.#session(this.#sessions.live.at(contact)?.socket ?? '', { type: 'told' }, now);
      else for (const callId of step.callIds) this.#call({ contact, callId }, { type: 'back' }, now);
    }
  }

  /** Its time is nearly over: it may talk still, which voice is asked. */
  #tickLost(contact: string, now: Ms): void {
    if (this.#sessions.lost.due(contact, now) === 'ask') this.#eachCall(contact, { type: 'heard' }, now);
    else this.#giveUp(contact, now);
  }

  /** Nobody came back in time. */
  #giveUp(contact: string, now: Ms): void {
    if (this.#sessions.kept.take(contact) !== undefined)
      this.#endCalls(contact, ENDING.socketGone, false, now);
    this.#sessions.release(contact);
    this.#journal.touchSession(contact);
  }

  #eachCall(contact: string, input: CallInput, now: Ms): void {
    for (const { callId } of this.#calls.of(contact)) this.#call({ contact, callId }, input, now);
  }

  #endCalls(contact: string, cause: Cause, tell: boolean, now: Ms): void {
    this.#eachCall(contact, { type: 'end', cause, tell }, now);
    this.#sessions.kept.unheard(contact);
  }

  /** Has the socket of this contact calls? The edge asks such clients often whether they are there. */
  #watch(contact: string): void {
    const socket = this.#sessions.live.at(contact)?.socket;
    const on = this.#calls.count(contact) > 0;
    if (socket === undefined || on === this.#watched.has(socket)) return;
    this.#watched[on ? 'add' : 'delete'](socket);
    this.#out.push({ type: 'watch', socket, on });
  }

  /** Ends whatever a session owns: its calls, its registration, itself. */
  #end(session: Session, cause: Cause, tell: boolean, now: Ms): void {
    this.#endCalls(session.contact, cause, tell, now);
    const latest = this.#sessions.live.get(session.socket) ?? session;
    this.#leave(session, now);
    this.#sessions.kept.forget(latest);
    this.#sessions.release(session.contact);
    const { login } = session;
    // Also while the REGISTER is under way: it may have bound the contact already.
    if (login.name === 'ready' || login.name === 'registering')
      this.#register(session, login.user, 0, latest.registers + 1, now);
    if (login.name === 'ready') this.#log('client gone', session, { user: login.user, cause: cause.name });
  }

  #log(event: string, session: Session, fields: LogLine['fields']): void {
    this.#out.push({ type: 'log', level: 'info', event, fields: { address: session.address, ...fields } });
  }

  // ---- one process after another

  /** What the process before left: see `restore.ts`. */
  #restore(entries: readonly JournalEntry[], now: Ms): void {
    const books = {
      agent: this.#agent,
      calls: this.#calls,
      kept: this.#sessions.kept,
      journal: this.#journal,
    };
    const restored = restore(books, entries, now);
    this.#carry(restored.out, now);
    for (const ref of restored.away) this.#call(ref, { type: 'away' }, now);
    for (const session of restored.lost) {
      this.#sessions.inherit(session, now);
      this.#journal.touchSession(session.contact);
      this.#logLost(session);
    }
  }

  /** Closes sockets and ends no call: their clients find them at the process that follows. */
  #handOver(sockets: 'browsers' | 'all', now: Ms): void {
    this.#handingOver = true;
    this.#desk.close();
    for (const session of this.#sessions.live.all()) {
      if (sockets === 'browsers' && traitsOf(session.agent).comesBack !== 'always') continue;
      this.#lose(session, now);
      this.#close(session.socket, RESTARTING);
    }
  }

  #drain(now: Ms): void {
    this.#draining = true;
    for (const { contact } of this.#sessions.kept.all()) {
      this.#times.delete(`kept ${contact}`);
      this.#giveUp(contact, now);
    }
    for (const session of this.#sessions.live.all()) {
      this.#end(session, ENDING.drain, true, now);
      this.#close(session.socket, STOPPING);
    }
  }

  #frame(socket: string, text: string, now: Ms): void {
    const session = this.#sessions.live.get(socket);
    if (session === undefined) return;
    const heard: Heard = readFrame(text, session.login.name === 'ready');
    if (heard.to === 'session') return this.#session(socket, { type: 'frame', frame: heard.frame }, now);
    // Logged in: any frame is a sign of life.
    this.#sessions.keep({ ...session, heardAt: now });
    if (heard.to === 'nobody') return;
    const { frame } = heard;
    if (frame.kind === 'invite') return this.#carry(this.#desk.invite(session, frame, now), now);
    if (frame.kind === 'attachCalls')
      return this.#say(socket, attachCallsText(session, frame.id, this.#calls.of(session.contact)));
    const ref = { contact: session.contact, callId: frame.callId };
    if (this.#calls.get(ref) === undefined) return this.#say(socket, unknownCallText(session, frame));
    this.#call(ref, { type: 'frame', frame }, now);
  }

  #close(socket: string, { code, reason }: { readonly code: number; readonly reason: string }): void {
    this.#out.push({ type: 'close', socket, code, reason });
  }

  #say(socket: string, text: string): void {
    this.#out.push({ type: 'frame', socket, text });
  }
}
