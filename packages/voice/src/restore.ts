import type { JournalEntry, JournalLine, LogLine, Ms } from '@sidetone/core';
import type { LegId, UserAgent, UserAgentOut } from '@sidetone/sip';
import type { Call, CallSettings } from './call.ts';
import type { CallInput } from './call-events.ts';
import { CAUSE, type Ending } from './ending.ts';
import { type Bye, callOfKey } from './journal.ts';
import type { Leg } from './leg.ts';
import { type ReadEntry, readEntry } from './read-journal.ts';
import { reasonHeaders } from './reason.ts';
import { byeHeaders } from './to-sip.ts';

/** What the service does with what was written. */
export interface Restoring {
  readonly agent: UserAgent;
  readonly settings: CallSettings;
  begin(call: Call): void;
  /** The dialog of a leg is here again. */
  bind(call: Call, leg: string, dialog: LegId): void;
  hear(out: readonly UserAgentOut[]): void;
  post(call: Call, input: CallInput): void;
  /** BYEs of a call that was over are sent again. */
  leaving(call: string, byes: readonly Bye[]): void;
  tell(out: LogLine | JournalLine): void;
}

/** Reads what the process before wrote: calls with their dialogs, INVITEs that may still be answered, BYEs to send again. */
export function restoreCalls(entries: readonly JournalEntry[], to: Restoring, now: Ms): readonly Call[] {
  const calls: Call[] = [];
  for (const { key, value } of entries) {
    const id = callOfKey(key);
    if (id === null) continue;
    const read = readEntry(value, to.settings);
    if (!read.ok) {
      to.tell({
        type: 'log',
        level: 'error',
        event: 'journal unreadable',
        fields: { key, what: read.error },
      });
      to.tell({ type: 'journal', key, value: null });
    } else if (read.value.kind === 'byes') byeAgain(id, key, read.value.byes, to, now);
    else {
      calls.push(read.value.call);
      restoreCall(read.value, to, now);
    }
  }
  const up = calls.filter((call) => call.state.name === 'up').length;
  const fields = { calls: calls.length, up };
  to.tell({ type: 'log', level: 'info', event: 'calls restored', fields });
  return calls;
}

/** The legs that media may have of these calls. */
export const inheritedMedia = (calls: readonly Call[]): readonly string[] =>
  calls.flatMap((call) =>
    call.legs.filter((leg) => leg.media !== 'none' && leg.media !== 'closed').map((leg) => leg.id),
  );

function byeAgain(
  call: string,
  key: string,
  byes: Extract<ReadEntry, { kind: 'byes' }>['byes'],
  to: Restoring,
  now: Ms,
): void {
  const sent: Bye[] = [];
  for (const { dialog, headers } of byes) {
    const adopted = to.agent.adopt(dialog, now);
    if (!adopted.ok) continue;
    const { leg, out } = adopted.value;
    to.hear(out);
    to.hear(to.agent.bye(leg, headers, now));
    const snapshot = to.agent.snapshot(leg);
    if (snapshot !== null) sent.push({ dialog: snapshot, headers });
  }
  if (sent.length > 0) to.leaving(call, sent);
  else to.tell({ type: 'journal', key, value: null });
}

function restoreCall(
  { call, dialogs, early }: Extract<ReadEntry, { kind: 'call' }>,
  to: Restoring,
  now: Ms,
): void {
  to.begin(call);
  const here = new Set<string>();
  const unacked: string[] = [];
  for (const { leg, dialog } of dialogs) {
    const owner = call.legs.find(({ id }) => id === leg);
    if (here.has(leg) || owner === undefined) continue;
    const adopted = to.agent.adopt(dialog, now);
    if (!adopted.ok) {
      const fields = { session: call.id, leg, problem: adopted.error.problem };
      to.tell({ type: 'log', level: 'error', event: 'dialog unreadable', fields });
      continue;
    }
    here.add(leg);
    to.bind(call, leg, adopted.value.leg);
    if (to.agent.snapshot(adopted.value.leg)?.unacked != null) unacked.push(leg);
    to.hear(adopted.value.out);
    // A leg that is over and has a dialog yet: our BYE was on its way, or not even that.
    if (owner.phase === 'over')
      to.hear(to.agent.bye(adopted.value.leg, byeHeaders(endingOf(call, owner)), now));
  }
  const headers = reasonHeaders({ ...CAUSE.restarted, by: 'platform' });
  for (const { callId, fromTag } of early)
    to.agent.expectStray(callId, fromTag, now + call.settings.cancelMs, headers);
  const needed = call.legs.filter((leg) => leg.phase === 'up' && leg.kind !== 'service');
  to.post(call, { type: 'restored', adopted: needed.every((leg) => here.has(leg.id)), unacked });
}

const endingOf = (call: Call, leg: Leg): Ending =>
  leg.ending ?? (call.state.name === 'ending' ? call.state.ending : { ...CAUSE.restarted, by: 'platform' });
