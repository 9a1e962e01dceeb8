import type { JournalEntry, Ms } from '@sidetone/core';
import type { UserAgent, UserAgentOut } from '@sidetone/sip';
import { CAUSE } from '@sidetone/wire';
import type { Call } from './call.ts';
import type { CallBook, CallRef } from './call-book.ts';
import type { Journal, SessionEntry } from './journal.ts';
import type { KeptSessions } from './kept-sessions.ts';
import { callAgain, readJournal } from './read-journal.ts';
import type { Session } from './session.ts';
import { endingHeaders } from './to-sip.ts';

/*
 * Sessions and calls in the process after the one that had them:
 *
 *   session   as if its socket had just been lost: its client may come back to it
 *   up        its dialog is adopted, and voice hears that the client is away
 *   early     ends: INVITE transactions do not outlive their process. Its client hears it when it is back; a 2xx that comes
 *             yet is ACKed and ended
 *   leaving   our BYE is sent again
 */

/** Counters go on far above what can have been used unwritten. */
const JUMP = 1000;
/** A peer repeats its 2xx for 64·T1. */
const STRAY_MS = 32_000;

/** Where the state of the service will lie. */
export interface Restorer {
  readonly agent: UserAgent;
  readonly calls: CallBook;
  readonly kept: KeptSessions;
  readonly journal: Journal;
}

/** What is to be done once all of it is there, in this order. */
export interface Restored {
  /** What the user agent gave. */
  readonly out: readonly UserAgentOut[];
  /** Calls whose clients are away. */
  readonly away: readonly CallRef[];
  /** Sessions that wait for their clients, from now on. */
  readonly lost: readonly Session[];
}

export function restore(
  { agent, calls, kept, journal }: Restorer,
  entries: readonly JournalEntry[],
  now: Ms,
): Restored {
  const { sessions, calls: left, unreadable } = readJournal(entries);
  journal.inherit(entries.map(({ key }) => key));
  for (const key of unreadable) journal.drop(key);
  const known = new Set(sessions.map(({ contact }) => contact));
  const out: UserAgentOut[] = [];
  const away: CallRef[] = [];
  for (const session of sessions) {
    kept.lose(sessionAgain(session, now), now);
    for (const end of session.unheard) kept.remember(session.contact, end);
  }
  for (const { key, ref, entry } of left) {
    if (entry.kind === 'early') {
      const headers = endingHeaders(CAUSE.temporaryFailure, 'restarted', []);
      if (entry.stray !== null)
        agent.expectStray(entry.stray.callId, entry.stray.fromTag, now + STRAY_MS, headers);
      tellEnd(kept, ref, callAgain(entry.call, 'early'));
      journal.drop(key);
      continue;
    }
    const leg = agent.adopt(entry.leg, now);
    if (!leg.ok) {
      if (entry.kind === 'up') tellEnd(kept, ref, callAgain(entry.call, 'active'));
      journal.drop(key);
      continue;
    }
    out.push(...leg.value.out);
    if (entry.kind === 'leaving' || !known.has(ref.contact)) {
      const headers =
        entry.kind === 'leaving' ? entry.headers : endingHeaders(CAUSE.temporaryFailure, 'restarted', []);
      const written = agent.snapshot(leg.value.leg);
      journal.over(ref, written === null ? null : { leg: written, headers });
      out.push(...agent.bye(leg.value.leg, headers, now));
      continue;
    }
    const call = callAgain(entry.call, 'active');
    calls.set(ref, call);
    calls.bind(ref, leg.value.leg);
    away.push(ref);
    // A hold or a new description was on its way: voice may not have it.
    if (entry.leg.open !== null && call.clientSdp !== null)
      out.push(...agent.reinvite(leg.value.leg, call.clientSdp, 'hold', now));
  }
  return { out, away, lost: kept.all() };
}

function tellEnd(kept: KeptSessions, ref: CallRef, call: Call): void {
  const cause = CAUSE.temporaryFailure;
  const end = { cause, sipCode: cause.sip, sipReason: 'Server restarted', customHeaders: [] };
  kept.remember(ref.contact, { call, bye: { type: 'bye', end } });
}

const sessionAgain = (entry: SessionEntry, now: Ms): Session => ({
  socket: '',
  address: '',
  voiceSdkId: entry.voiceSdkId,
  reportId: entry.reportId,
  contact: entry.contact,
  sessid: entry.sessid,
  owner: entry.owner,
  token: null,
  homecoming: 'no',
  openedAt: now,
  agent: entry.agent,
  login: { name: 'over' },
  failures: 0,
  told: 0,
  heardAt: now,
  pingAt: null,
  serno: 0,
  pings: [],
  nextId: entry.nextId + JUMP,
  sequence: entry.sequence + JUMP,
  registers: entry.registers + JUMP,
  speedTestAt: null,
});
