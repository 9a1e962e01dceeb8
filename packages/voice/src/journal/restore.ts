import type { JournalEntry, JournalLine, LogLine, Ms } from '@sidetone/core';
import type { LegId, UserAgent, UserAgentOut } from '@sidetone/sip';
import { CAUSE, type Ending } from '../leg/ending.ts';
import { endingOf, type Leg } from '../leg/leg.ts';
import type { Inherited } from '../media/media-desk.ts';
import type { LegInput } from '../message.ts';
import { isOpen } from '../place/conference.ts';
import type { Conference } from '../place/conference-draft.ts';
import { reasonHeaders } from '../sip/reason.ts';
import { byeHeaders } from '../sip/to-sip.ts';
import { askedKey, readAsked } from './asked.ts';
import { callOfKey, readCall } from './earlier.ts';
import { type Bye, legOfKey } from './journal.ts';
import { type ReadEntry, readEntry } from './read.ts';

/** What the service does with what was written. */
export interface Restoring {
  readonly agent: UserAgent;
  readonly cancelMs: Ms;
  /** `asked`: the names of what was asked of it. */
  begin(leg: Leg, asked: Iterable<string>): void;
  /** The dialog of a branch is here again. */
  bind(branch: string, dialog: LegId): void;
  hear(out: readonly UserAgentOut[]): void;
  post(leg: string, input: LegInput): void;
  /** BYEs of a leg that was over are sent again. */
  leaving(leg: string, byes: readonly Bye[]): void;
  tell(out: LogLine | JournalLine): void;
}

type LegEntry = Extract<ReadEntry, { kind: 'leg' }>;

/** Reads what the process before wrote: legs with their dialogs, INVITEs that may still be answered, BYEs to send again. */
export function restoreLegs(entries: readonly JournalEntry[], to: Restoring, now: Ms): readonly Leg[] {
  const legs: LegEntry[] = [];
  const asked = readAsked(entries);
  for (const { key, value } of entries) {
    const [id, call] = [legOfKey(key), callOfKey(key)];
    if (id === null && call === null) continue;
    const read = call === null ? one(readEntry(value, asked.get(id ?? ''))) : readCall(call, value);
    if (!read.ok) to.tell(unreadable({ key, what: read.error }));
    let kept = false;
    for (const entry of read.ok ? read.value : []) {
      if (entry.kind === 'leg') {
        legs.push(entry);
        kept ||= id === entry.leg.id;
        if (entry.lost > 0) to.tell(unreadable({ leg: entry.leg.id, what: 'asked', entries: entry.lost }));
      } else kept = byeAgain(id ?? call ?? '', entry.byes, to, now) && id !== null;
    }
    // Of a release before, or unreadable: what it said stands elsewhere now, or nowhere.
    if (!kept) to.tell({ type: 'journal', key, value: null });
  }
  // Of legs that are no more.
  for (const [leg, names] of asked)
    if (!legs.some((entry) => entry.leg.id === leg))
      for (const name of names.keys()) to.tell({ type: 'journal', key: askedKey(leg, name), value: null });
  for (const entry of legs) restoreLeg(entry, asked.get(entry.leg.id)?.keys() ?? [], to, now);
  const up = legs.filter(({ leg }) => leg.state.name === 'up').length;
  to.tell({ type: 'log', level: 'info', event: 'legs restored', fields: { legs: legs.length, up } });
  return legs.map(({ leg }) => leg);
}

const unreadable = (fields: LogLine['fields']): LogLine => ({
  type: 'log',
  level: 'error',
  event: 'journal unreadable',
  fields,
});

const one = (read: ReturnType<typeof readEntry>): ReturnType<typeof readCall> =>
  read.ok ? { ok: true, value: [read.value] } : read;

/** The branches that media may have of these legs; and which report was read last, where it may tell the later ones again. */
export function inheritedMedia(legs: readonly Leg[], conferences: readonly Conference[]): Inherited {
  const found: string[] = [];
  const seen: Record<string, number> = {};
  for (const { branches, program } of legs)
    for (const { id, media, reported } of branches) {
      if (media.phase === 'none' || media.phase === 'closed') continue;
      found.push(id);
      if (program !== null) seen[id] = reported;
    }
  for (const one of conferences) if (isOpen(one)) seen[one.id] = one.reported;
  return { legs: found, seen };
}

/** Whether some are on their way again. */
function byeAgain(
  leg: string,
  byes: Extract<ReadEntry, { kind: 'byes' }>['byes'],
  to: Restoring,
  now: Ms,
): boolean {
  const sent: Bye[] = [];
  for (const { dialog, headers } of byes) {
    const adopted = to.agent.adopt(dialog, now);
    if (!adopted.ok) continue;
    const { leg: id, out } = adopted.value;
    to.hear(out);
    to.hear(to.agent.bye(id, headers, now));
    const snapshot = to.agent.snapshot(id);
    if (snapshot !== null) sent.push({ dialog: snapshot, headers });
  }
  if (sent.length > 0) to.leaving(leg, sent);
  return sent.length > 0;
}

function restoreLeg(
  { leg, dialogs, early }: LegEntry,
  asked: Iterable<string>,
  to: Restoring,
  now: Ms,
): void {
  to.begin(leg, asked);
  const here = new Set<string>();
  let unacked = false;
  for (const { branch, dialog } of dialogs) {
    const owner = leg.branches.find(({ id }) => id === branch);
    if (here.has(branch) || owner === undefined) continue;
    const adopted = to.agent.adopt(dialog, now);
    if (!adopted.ok) {
      const fields = { session: leg.session, leg: leg.id, problem: adopted.error.problem };
      to.tell({ type: 'log', level: 'error', event: 'dialog unreadable', fields });
      continue;
    }
    here.add(branch);
    const { leg: id, out } = adopted.value;
    to.bind(branch, id);
    if (branch === leg.main && to.agent.snapshot(id)?.unacked != null) unacked = true;
    to.hear(out);
    // A branch that is over and has a dialog yet: our BYE was on its way, or not even that.
    if (owner.phase === 'over')
      to.hear(to.agent.bye(id, byeHeaders(owner.ending ?? endingOf(leg) ?? RESTARTED), now));
  }
  const headers = reasonHeaders(RESTARTED);
  for (const { callId, fromTag } of early) to.agent.expectStray(callId, fromTag, now + to.cancelMs, headers);
  const adopted = leg.main !== null && here.has(leg.main);
  to.post(leg.id, { type: 'restored', adopted, unacked });
}

const RESTARTED: Ending = { ...CAUSE.restarted, by: 'platform' };
