import type { Ms, Random, Step } from '@sidetone/core';
import type { Call, ClientWish } from './call.ts';
import type { CallRef } from './call-book.ts';
import { KeptSessions, type Unheard } from './kept-sessions.ts';
import { LostClients } from './lost-clients.ts';
import { ReportIds } from './report-ids.ts';
import {
  type Session,
  type SessionInput,
  type SessionOut,
  type SessionSettings,
  sessionDeadline,
} from './session.ts';
import { SessionBook } from './session-book.ts';
import { SessionIds } from './session-ids.ts';
import { stepSession } from './session-step.ts';
import { newSession } from './settings.ts';
import type { Times } from './times.ts';
import { byeText, replyText, requestText } from './to-client.ts';
import type { VspOutput } from './vsp-events.ts';
import { WokenSockets } from './woken-sockets.ts';

type Frame = Extract<VspOutput, { type: 'frame' }>;

/**
 * All that is kept of sessions, with a socket or without. It runs their machines and numbers what is told to their clients; what these
 * machines want, and calls, are left to the service.
 */
export class SessionDesk {
  readonly live = new SessionBook();
  readonly kept = new KeptSessions();
  readonly lost: LostClients;
  readonly #ids = new SessionIds();
  readonly #woken = new WokenSockets();
  readonly #reports = new ReportIds();
  readonly #times: Times;
  readonly #settings: SessionSettings;

  constructor(times: Times, settings: SessionSettings) {
    this.#times = times;
    this.#settings = settings;
    this.lost = new LostClients(this.kept, times, settings.keepMs);
  }

  get size(): number {
    return this.live.size + this.kept.size + this.#ids.size;
  }

  hasReportId(id: string): boolean {
    return this.#reports.has(id);
  }

  open(socket: string, address: string, token: string | undefined, random: Random, now: Ms): void {
    this.keep(newSession(socket, address, token, random, now, this.#settings));
  }

  keep(session: Session): void {
    this.live.set(session);
    this.#ids.hold(session);
    this.#times.set(`session ${session.socket}`, sessionDeadline(session, this.#settings));
  }

  /** Runs the machine of a session and keeps what it is now. */
  step(before: Session, input: SessionInput, now: Ms): Step<Session, SessionOut> {
    const step = stepSession(before, input, now, this.#settings);
    const { state } = step;
    this.keep(state);
    if (state.login.name !== 'connected') this.#woken.delete(state);
    if (state.login.name === 'ready' && (before.login.name !== 'ready' || before.sessid !== state.sessid)) {
      this.#reports.add(state.reportId);
      if (before.login.name === 'ready') this.kept.forget(before);
      this.kept.add(state);
    }
    return step;
  }

  /** What a client hears of a call; what ends is kept for one that may not hear it. */
  tell({ contact, callId }: CallRef, call: Call, wish: ClientWish): readonly Frame[] {
    // Also an end that is told now may go into a dead socket; a second one does no harm.
    if (wish.type === 'bye') this.kept.remember(contact, { call, bye: wish });
    if (wish.type === 'bye' && call.away) return [];
    const session = this.live.at(contact);
    if (session === undefined) return [];
    const { socket, nextId } = session;
    if (wish.type === 'reply')
      return [{ type: 'frame', socket, text: replyText(session, callId, wish.id, wish.reply) }];
    return [this.#ask(session, requestText(session, call, wish, nextId))];
  }

  /** What ended without its client. */
  tellUnheard(contact: string): readonly Frame[] {
    return this.kept.unheard(contact).flatMap((end: Unheard) => {
      const session = this.live.at(contact);
      return session === undefined ? [] : [this.#ask(session, byeText(session, end, session.nextId))];
    });
  }

  /** A request of ours, which has the number `nextId`. */
  #ask(session: Session, text: string): Frame {
    this.keep({ ...session, nextId: session.nextId + 1 });
    return { type: 'frame', socket: session.socket, text };
  }

  /** May this socket be silent? `rings`: a call rings for the session that it names. */
  mayWait(session: Session, rings: boolean): boolean {
    return this.#woken.mayWait(session, rings);
  }

  /** The session that is being logged in as `user`. A `sessid` that is borne by one of another user is as good as none: it gets its own. */
  claimed(session: Session, user: string): Session {
    const { login } = session;
    if (login.name !== 'authenticating' || login.sessid === null) return session;
    if (!this.#ids.isOfAnother(user, login.sessid)) return session;
    const bare = { ...session, login: { ...login, sessid: null } };
    this.keep(bare);
    return bare;
  }

  /** Parts a session from its socket. */
  leave(session: Session, now: Ms): void {
    this.live.delete(session);
    this.#woken.delete(session);
    this.#times.delete(`session ${session.socket}`);
    this.#reports.leave(session.reportId, now);
  }

  /** It is over: its `sessid` is free. */
  release(contact: string): void {
    this.#ids.release(contact);
  }

  /** The process before had it: it waits for its client from now on. */
  inherit(session: Session, now: Ms): void {
    this.#ids.hold(session);
    this.lost.keep(session, now);
    this.#reports.add(session.reportId);
    this.#reports.leave(session.reportId, now);
  }
}
