import { Deadlines, earliest, type JournalEntry, type LogLine, type Ms } from '@sidetone/core';
import { type Cause, traitsOf } from '@sidetone/wire';
import type { CallInput } from './call.ts';
import type { Place } from './call-book.ts';
import { CallDesk } from './call-desk.ts';
import type { Written } from './journal.ts';
import { KeptSessions } from './kept-sessions.ts';
import { LostClients } from './lost-clients.ts';
import { type Heard, readFrame } from './read-frame.ts';
import { ReportIds } from './report-ids.ts';
import { restore } from './restore.ts';
import { Returns } from './returns.ts';
import { type Session, type SessionInput, type SessionSettings, sessionDeadline } from './session.ts';
import { SessionBook } from './session-book.ts';
import { SessionIds } from './session-ids.ts';
import { stepSession } from './session-step.ts';
import { ENDING, newSession, RESTARTING, resumedSession, settingsOf } from './settings.ts';
import { attachCallsText, unknownCallText } from './to-client.ts';
import { REGISTER_SECONDS, registerFor } from './to-sip.ts';
import { turnOf } from './turn.ts';
import type { Vsp, VspInput, VspOptions, VspOutput } from './vsp-events.ts';
import { WokenSockets } from './woken-sockets.ts';

/**
 * The Voice SDK Proxy: JSON-RPC sessions on one side, SIP dialogs on the other. Sessions and calls are machines
 * (`session-step.ts`, `call-step.ts`). This service owns the sessions, their sockets and those who come back; `call-desk.ts` their calls.
 */
export function createVsp(options: VspOptions): Vsp {
  return new ClientGate(options);
}

class ClientGate implements Vsp {
  readonly name = 'vsp';
  readonly #options: VspOptions;
  readonly #settings: SessionSettings;
  readonly #desk: CallDesk;
  readonly #sessions = new SessionBook();
  readonly #kept = new KeptSessions();
  readonly #ids = new SessionIds();
  /** Sockets with calls. */
  readonly #watched = new Set<string>();
  readonly #woken = new WokenSockets((token) => {
    const contact = this.#kept.named(token);
    return contact !== undefined && this.#desk.calls.of(contact).some(({ phase }) => phase === 'ringing');
  });
  readonly #lost: LostClients;
  readonly #returns: Returns;
  readonly #reports = new ReportIds();
  readonly #times = new Deadlines<`${'session' | 'kept' | 'return' | 'call'} ${string}`>();
  readonly #written: Written;
  #draining = false;
  /** Another process takes over; nothing new begins here. */
  #handingOver = false;
  #out: VspOutput[] = [];

  constructor(options: VspOptions) {
    this.#options = options;
    this.#settings = settingsOf(options);
    this.#desk = new CallDesk(options, {
      session: (contact) => this.#sessions.at(contact),
      keep: (session) => this.#keep(session),
      put: (out) => this.#out.push(out),
      say: (socket, text) => this.#say(socket, text),
      registered: (socket, result, now) => this.#session(socket, result, now),
      remember: (contact, end) => this.#kept.remember(contact, end),
      changed: (contact) => this.#watch(contact),
      heard: (contact, msAgo, now) => this.#lost.heard(contact, msAgo, now),
      timer: ({ contact, callId }, at) => {
        this.#times.set(`call ${contact} ${callId}`, at);
        this.#returns.moved(contact);
      },
      closed: () => this.#handingOver,
    });
    this.#lost = new LostClients({
      kept: this.#kept,
      keepMs: this.#settings.keepMs,
      timer: (contact, at) => this.#times.set(`kept ${contact}`, at),
      ask: (contact, now) => this.#eachCall(contact, { type: 'heard' }, now),
      giveUp: (contact, now) => this.#giveUp(contact, now),
    });
    this.#returns = new Returns({
      call: (place) => this.#desk.calls.get(place),
      back: (place, now) => this.#desk.call(place, { type: 'back' }, now),
      told: (contact, now) => this.#session(this.#sessions.at(contact)?.socket ?? '', { type: 'told' }, now),
      timer: (contact, at) => this.#times.set(`return ${contact}`, at),
    });
    const legOf = (place: Place): string => this.#desk.calls.legOf(place) ?? '';
    this.#written = {
      session: (contact) => this.#sessions.at(contact) ?? this.#kept.get(contact),
      matters: (contact) => this.#desk.calls.count(contact) > 0 || this.#kept.get(contact) !== undefined,
      unheard: (contact) => this.#kept.pending(contact),
      call: (place) => this.#desk.calls.get(place),
      snapshot: (place) => this.#desk.agent.snapshot(legOf(place)),
      early: (place) => this.#desk.agent.early(legOf(place)),
    };
  }

  get size(): number {
    const { calls, agent } = this.#desk;
    return this.#sessions.size + this.#kept.size + calls.size + agent.size + this.#ids.size;
  }

  turnOf(socket: string, text: string): string | null {
    return turnOf(this.#sessions.get(socket), text);
  }

  hasReportId(id: string): boolean {
    return this.#reports.has(id);
  }

  deadline(): Ms | null {
    return earliest(this.#desk.agent.deadline(), this.#times.next());
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
          this.#desk.hear(this.#desk.agent.receive(input.message, input.flow, now), now);
        break;
      case 'open':
        this.#open(input, now);
        break;
      case 'frame':
        this.#frame(input.socket, input.text, input.late === true, now);
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
      case 'revoked':
        for (const session of this.#sessions.of(input.users)) {
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
    this.#returns.run(now);
    const { before, after } = this.#desk.journal.take(this.#written);
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
    this.#ids.hold(session);
    this.#times.set(`session ${session.socket}`, sessionDeadline(session, this.#settings));
  }

  #tick(now: Ms): void {
    this.#desk.hear(this.#desk.agent.tick(now), now);
    for (let key = this.#times.takeDue(now); key !== undefined; key = this.#times.takeDue(now)) {
      const [kind, first, second] = key.split(' ') as [string, string, string | undefined];
      if (kind === 'session') this.#tickSession(first, now);
      else if (kind === 'kept') this.#lost.due(first, now);
      else if (kind === 'return') this.#returns.moved(first);
      else this.#desk.call({ contact: first, callId: second! }, { type: 'tick' }, now);
    }
  }

  #tickSession(socket: string, now: Ms): void {
    const session = this.#sessions.get(socket);
    const woken = session !== undefined && this.#woken.mayWait(session);
    this.#session(socket, { type: 'tick', woken }, now);
  }

  /** Runs the session's machine and carries out what it wants. */
  #session(socket: string, input: SessionInput, now: Ms): void {
    const before = this.#sessions.get(socket);
    if (before === undefined) return;
    const { state, out } = stepSession(before, input, now, this.#settings);
    this.#keep(state);
    if (state.login.name !== 'connected') this.#woken.delete(state);
    if (state.login.name === 'ready' && (before.login.name !== 'ready' || before.sessid !== state.sessid)) {
      this.#reports.add(state.reportId);
      if (before.login.name === 'ready') this.#kept.forget(before);
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
          this.#out.push({ type: 'close', socket, code: wish.code, reason: wish.reason });
          break;
        case 'log':
          this.#out.push(wish);
          break;
      }
    }
  }

  #register(session: Session, user: string, seconds: number, sequence: number, now: Ms): void {
    const request = registerFor(session, user, this.#options.domain, seconds, sequence);
    this.#desk.hear(this.#desk.agent.send(request, `${session.contact} ${sequence}`, now), now);
  }

  // ---- sockets lost, and clients that come back

  /** The socket is gone: the session's calls wait for its client, which cannot be rung meanwhile. */
  #lose(session: Session, now: Ms): void {
    const { contact, owner } = session;
    const waits = owner !== null && this.#settings.keepMs > 0 && this.#desk.calls.count(contact) > 0;
    if (!waits || this.#draining) return this.#end(session, ENDING.socketGone, false, now);
    const latest = this.#sessions.get(session.socket) ?? session;
    const registers = latest.registers + 1;
    this.#leave(session, now);
    this.#lost.keep({ ...latest, registers }, now);
    this.#desk.journal.touchSession(contact);
    this.#register(session, owner, 0, registers, now);
    this.#eachCall(contact, { type: 'away' }, now);
    this.#log('client lost', session, { user: owner, calls: this.#desk.calls.count(contact) });
  }

  /** Parts a session from its socket. */
  #leave(session: Session, now: Ms): void {
    this.#sessions.delete(session);
    this.#returns.forget(session.contact);
    this.#woken.delete(session);
    this.#watched.delete(session.socket);
    this.#times.delete(`session ${session.socket}`);
    this.#reports.leave(session.reportId, now);
  }

  /**
   * A login that names an earlier session of the same user goes on with it: with one whose socket is gone, or with one that has
   * calls on a socket that is open still, which then is closed: the client knows better that it is dead.
   */
  #adopt(session: Session, user: string, now: Ms): void {
    const fresh = this.#withoutIdOfAnother(session, user);
    const { login } = fresh;
    if (login.name !== 'authenticating' || fresh.owner !== null) return;
    const contact = this.#kept.find(user, fresh.token, login.sessid);
    const before =
      contact === undefined ? undefined : (this.#kept.take(contact) ?? this.#supersede(contact, now));
    if (before === undefined) return;
    this.#times.delete(`kept ${before.contact}`);
    this.#keep(resumedSession(fresh, before));
    this.#desk.journal.touchSession(before.contact);
    this.#watch(before.contact);
    this.#log('client back', fresh, { user, calls: this.#desk.calls.count(before.contact) });
  }

  /** A `sessid` that is borne by a session of another user is as good as none: this one gets its own. */
  #withoutIdOfAnother(session: Session, user: string): Session {
    const { login } = session;
    if (login.name !== 'authenticating' || login.sessid === null) return session;
    if (!this.#ids.isOfAnother(user, login.sessid)) return session;
    const bare = { ...session, login: { ...login, sessid: null } };
    this.#keep(bare);
    return bare;
  }

  #supersede(contact: string, now: Ms): Session | undefined {
    const session = this.#sessions.at(contact);
    if (session === undefined || this.#desk.calls.count(contact) === 0) return undefined;
    this.#leave(session, now);
    this.#kept.forget(session);
    this.#eachCall(contact, { type: 'away' }, now);
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
    for (const end of this.#kept.unheard(contact)) this.#desk.tellEnd(contact, end);
    this.#desk.journal.touchSession(contact);
    this.#returns.begin(contact, this.#desk.calls.of(contact), now);
  }

  /** Nobody came back in time. */
  #giveUp(contact: string, now: Ms): void {
    if (this.#kept.take(contact) !== undefined) this.#endCalls(contact, ENDING.socketGone, false, now);
    this.#ids.release(contact);
    this.#desk.journal.touchSession(contact);
  }

  #eachCall(contact: string, input: CallInput, now: Ms): void {
    for (const { callId } of this.#desk.calls.of(contact)) this.#desk.call({ contact, callId }, input, now);
  }

  #endCalls(contact: string, cause: Cause, tell: boolean, now: Ms): void {
    this.#eachCall(contact, { type: 'end', cause, tell }, now);
    this.#kept.unheard(contact);
  }

  /** Has the socket of this contact calls? The edge asks such clients often whether they are there. */
  #watch(contact: string): void {
    const socket = this.#sessions.at(contact)?.socket;
    const on = this.#desk.calls.count(contact) > 0;
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
    this.#ids.release(session.contact);
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
    restore(
      {
        agent: this.#desk.agent,
        calls: this.#desk.calls,
        kept: this.#kept,
        journal: this.#desk.journal,
        hear: (outs) => this.#desk.hear(outs, now),
        away: (place) => this.#desk.call(place, { type: 'away' }, now),
        lost: (session) => {
          const { contact, reportId } = session;
          this.#ids.hold(session);
          this.#lost.keep(session, now);
          this.#reports.add(reportId);
          this.#reports.leave(reportId, now);
          this.#desk.journal.touchSession(contact);
          const calls = this.#desk.calls.count(contact);
          this.#log('client lost', session, { user: session.owner ?? '', calls });
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
      if (sockets === 'browsers' && traitsOf(session.agent).comesBack !== 'always') continue;
      this.#lose(session, now);
      this.#out.push({ type: 'close', socket: session.socket, ...RESTARTING });
    }
  }

  #drain(now: Ms): void {
    this.#draining = true;
    for (const { contact } of this.#kept.all()) {
      this.#times.delete(`kept ${contact}`);
      this.#giveUp(contact, now);
    }
    for (const session of this.#sessions.all()) {
      this.#end(session, ENDING.drain, true, now);
      this.#out.push({ type: 'close', socket: session.socket, code: 1001, reason: 'server is stopping' });
    }
  }

  #frame(socket: string, text: string, late: boolean, now: Ms): void {
    const session = this.#sessions.get(socket);
    if (session === undefined) return;
    const heard: Heard = readFrame(text, session.login.name === 'ready');
    if (heard.to === 'session') return this.#session(socket, { type: 'frame', frame: heard.frame }, now);
    // Logged in: any frame is a sign of life.
    this.#keep({ ...session, heardAt: now });
    if (heard.to === 'nobody') return;
    const { frame } = heard;
    if (frame.kind === 'invite') return this.#desk.invite(session, frame, late, now);
    if (frame.kind === 'attachCalls')
      return this.#say(socket, attachCallsText(session, frame.id, this.#desk.calls.of(session.contact)));
    const place = { contact: session.contact, callId: frame.callId };
    if (this.#desk.calls.get(place) === undefined) return this.#say(socket, unknownCallText(session, frame));
    this.#desk.call(place, { type: 'frame', frame }, now);
  }

  #say(socket: string, text: string): void {
    this.#out.push({ type: 'frame', socket, text });
  }
}
