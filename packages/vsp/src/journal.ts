import type { JournalLine } from '@sidetone/core';
import type { ExtraHeaders, LegId, LegSnapshot, UserAgent } from '@sidetone/sip';
import type { ClientAgent } from '@sidetone/wire';
import type { Call, Ring } from './call.ts';
import { type CallBook, type CallRef, keyOf } from './call-book.ts';
import type { KeptSessions, Unheard } from './kept-sessions.ts';
import type { Session } from './session.ts';
import type { SessionBook } from './session-book.ts';

/*
 * What vsp writes down (`JournalLine`), and only when a process that follows would do something else for it:
 *
 *   session <contact>        while it has calls, or waits for its client; those without calls log in again by themselves
 *   call <contact> <callID>  early: its end is told │ up: adopted │ leaving: our BYE is unanswered │ null
 *
 * Passwords and login tokens are never here; what names a session to its client opens it to its own user only.
 */
export interface SessionEntry
  extends Pick<
    Session,
    'contact' | 'voiceSdkId' | 'reportId' | 'sessid' | 'owner' | 'agent' | 'nextId' | 'sequence' | 'registers'
  > {
  readonly unheard: readonly Unheard[];
}

export type CallEntry =
  | { readonly kind: 'early'; readonly call: WrittenCall; readonly stray: Early | null }
  | { readonly kind: 'up'; readonly call: WrittenCall; readonly leg: LegSnapshot }
  | { readonly kind: 'leaving'; readonly leg: LegSnapshot; readonly headers: ExtraHeaders };

type Early = { readonly callId: string; readonly fromTag: string };

/** A call without what only its set-up needs, or what went with its client's socket. */
export interface WrittenCall
  extends Pick<
    Call,
    | 'callId'
    | 'direction'
    | 'caller'
    | 'callee'
    | 'ids'
    | 'sipCallId'
    | 'clientSdp'
    | 'held'
    | 'headers'
    | 'mediaSent'
  > {
  readonly clientState?: NonNullable<Ring['clientState']>;
  /** Earlier releases wrote the family alone. */
  readonly agent: ClientAgent | ClientAgent['family'];
  /** A description went to the client before the answer did: the answer alone may be told again. */
  readonly described: boolean;
}

function written(call: Call): WrittenCall {
  const { callId, direction, caller, callee, ids, sipCallId, agent, held, headers, mediaSent } = call;
  const media = call.setUp.find(({ wish }) => wish.type === 'media');
  return {
    ...{ callId, direction, caller, callee, ids, sipCallId, agent, held, headers, mediaSent },
    // An offer under way may have been taken; the answer to it reaches nobody any more.
    clientSdp: call.update?.sdp ?? call.clientSdp,
    ...(call.ring?.clientState === undefined ? {} : { clientState: call.ring.clientState }),
    described: media !== undefined && !media.missed,
  };
}

const sameCall = (a: Call, b: Call): boolean =>
  a === b ||
  (a.phase === b.phase &&
    (b.phase !== 'active' ||
      (a.clientSdp === b.clientSdp &&
        a.held === b.held &&
        a.ids === b.ids &&
        a.headers === b.headers &&
        a.setUp === b.setUp &&
        a.update?.sdp === b.update?.sdp)));

/** Our CSeq jumps far on adoption, so that not every request needs a line. */
const sameLeg = (a: LegSnapshot | null, b: LegSnapshot | null): boolean =>
  a === b ||
  (a !== null &&
    b !== null &&
    a.localSeq >> 8 === b.localSeq >> 8 &&
    a.acked === b.acked &&
    a.open === b.open &&
    a.target === b.target &&
    a.unacked?.seq === b.unacked?.seq);

/** What the journal reads: where the state of the service lies. */
export interface Books {
  readonly sessions: SessionBook;
  readonly kept: KeptSessions;
  readonly calls: CallBook;
  readonly agent: Pick<UserAgent, 'snapshot' | 'early'>;
}

type Last = { readonly call: Call; readonly leg: LegSnapshot | null };

/** Notes what was touched in the course of one input, and tells what has to be written for it. */
export class Journal {
  readonly #calls = new Map<string, CallRef>();
  readonly #sessions = new Set<string>();
  readonly #lastCalls = new Map<string, Last>();
  readonly #lastSessions = new Map<
    string,
    { readonly session: string; readonly unheard: readonly Unheard[] }
  >();
  /** Keys of calls whose BYE is unanswered. */
  readonly #leaving = new Map<LegId, string>();
  #before: JournalLine[] = [];
  #after: JournalLine[] = [];

  touch(ref: CallRef): void {
    this.#calls.set(keyOf(ref), ref);
    this.#sessions.add(ref.contact);
  }

  touchSession(contact: string): void {
    this.#sessions.add(contact);
  }

  /** The process before wrote these lines. */
  inherit(keys: readonly string[]): void {
    for (const key of keys) {
      if (key.startsWith('session ')) this.#lastSessions.set(key.slice(8), { session: '', unheard: [] });
    }
  }

  /** A call is over. `bye`: what it takes to send our BYE again, until it is answered. */
  over(ref: CallRef, bye: { readonly leg: LegSnapshot; readonly headers: ExtraHeaders } | null): void {
    const name = keyOf(ref);
    this.#calls.delete(name);
    this.#sessions.add(ref.contact);
    this.#lastCalls.delete(name);
    const key = `call ${name}`;
    if (bye === null) return void this.#after.push({ type: 'journal', key, value: null });
    this.#leaving.set(bye.leg.leg, key);
    this.#before.push({ type: 'journal', key, value: { kind: 'leaving', ...bye } satisfies CallEntry });
  }

  /** A line of the process before that means nothing any more. */
  drop(key: string): void {
    this.#after.push({ type: 'journal', key, value: null });
  }

  /** A leg without a call is gone. */
  gone(leg: LegId): void {
    const key = this.#leaving.get(leg);
    this.#leaving.delete(leg);
    if (key !== undefined) this.drop(key);
  }

  /** The lines of this input: those that must be written before any peer hears of it, and the ends of others. */
  take(books: Books): { readonly before: readonly JournalLine[]; readonly after: readonly JournalLine[] } {
    for (const contact of this.#sessions) this.#session(contact, books);
    for (const [name, ref] of this.#calls) this.#call(name, ref, books);
    this.#sessions.clear();
    this.#calls.clear();
    const lines = { before: this.#before, after: this.#after };
    this.#before = [];
    this.#after = [];
    return lines;
  }

  /** Sessions that have calls, or wait for their client. */
  #session(contact: string, { sessions, kept, calls }: Books): void {
    const lost = kept.get(contact);
    const session = sessions.at(contact) ?? lost;
    const key = `session ${contact}`;
    if (session === undefined || (lost === undefined && calls.count(contact) === 0)) {
      if (this.#lastSessions.delete(contact)) this.drop(key);
      return;
    }
    const unheard = kept.pending(contact);
    const { voiceSdkId, reportId, sessid, owner, agent, nextId, sequence, registers } = session;
    const name = `${owner} ${voiceSdkId} ${reportId} ${sessid}`;
    const last = this.#lastSessions.get(contact);
    if (last?.session === name && last.unheard === unheard) return;
    this.#lastSessions.set(contact, { session: name, unheard });
    const names = { contact, voiceSdkId, reportId, sessid, owner, agent };
    const value: SessionEntry = { ...names, nextId, sequence, registers, unheard };
    this.#before.push({ type: 'journal', key, value });
  }

  #call(name: string, ref: CallRef, { calls, agent }: Books): void {
    const call = calls.get(ref);
    if (call === undefined) return;
    const legId = calls.legOf(ref) ?? '';
    const leg = call.phase === 'active' ? agent.snapshot(legId) : null;
    const last = this.#lastCalls.get(name);
    if (last !== undefined && sameCall(last.call, call) && sameLeg(last.leg, leg)) return;
    const early = call.phase === 'calling' || call.phase === 'early';
    if (last !== undefined && early && last.call.phase !== 'active') return;
    this.#lastCalls.set(name, { call, leg });
    const value: CallEntry =
      leg === null
        ? { kind: 'early', call: { ...written(call), clientSdp: null }, stray: agent.early(legId) }
        : { kind: 'up', call: written(call), leg };
    this.#before.push({ type: 'journal', key: `call ${name}`, value });
  }
}
