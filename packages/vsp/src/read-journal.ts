import type { JournalEntry } from '@sidetone/core';
import { type Call, newCall } from './call.ts';
import type { Place } from './call-book.ts';
import type { CallEntry, SessionEntry, WrittenCall } from './journal.ts';

/** What a process left behind, as far as it can be read; the keys of the rest. */
export interface Left {
  readonly sessions: readonly SessionEntry[];
  readonly calls: readonly { readonly key: string; readonly place: Place; readonly entry: CallEntry }[];
  readonly unreadable: readonly string[];
}

/** Reads the entries of the process before; checks what is relied on. A leg is checked by the user agent that adopts it. */
export function readJournal(entries: readonly JournalEntry[]): Left {
  const sessions: SessionEntry[] = [];
  const calls: { key: string; place: Place; entry: CallEntry }[] = [];
  const unreadable: string[] = [];
  for (const { key, value } of entries) {
    const [kind, contact = '', ...rest] = key.split(' ');
    const place = { contact, callId: rest.join(' ') };
    if (kind === 'session' && isSession(value) && value.contact === contact) sessions.push(value);
    else if (kind === 'call' && isCall(value)) calls.push({ key, place, entry: value });
    else unreadable.push(key);
  }
  return { sessions, calls, unreadable };
}

/** The call again, for a client that is away. */
export function callAgain(call: WrittenCall, phase: 'early' | 'active'): Call {
  const { described, clientState, held, mediaSent, ...facts } = call;
  const { headers: customHeaders } = call;
  return {
    ...newCall({ ...facts, phase }),
    held,
    mediaSent,
    ring: clientState === undefined ? null : { sdp: '', clientState },
    setUp: !described
      ? []
      : [
          { wish: { type: 'media', sdp: '' }, missed: false },
          { wish: { type: 'answer', customHeaders }, missed: false },
        ],
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const areTexts = (value: Record<string, unknown>, names: readonly string[]): boolean =>
  names.every((name) => typeof value[name] === 'string');

const areCounts = (value: Record<string, unknown>, names: readonly string[]): boolean =>
  names.every((name) => Number.isSafeInteger(value[name]));

const isAgent = (value: unknown): boolean => isRecord(value) && areTexts(value, ['family', 'text']);

function isSession(value: unknown): value is SessionEntry {
  if (!isRecord(value) || !Array.isArray(value['unheard'])) return false;
  return (
    areTexts(value, ['contact', 'voiceSdkId', 'reportId', 'sessid', 'owner']) &&
    areCounts(value, ['nextId', 'sequence', 'registers']) &&
    isAgent(value['agent']) &&
    value['unheard'].every(
      (end) => isRecord(end) && isRecord(end['call']) && isRecord(end['bye']) && isRecord(end['bye']['end']),
    )
  );
}

const isParty = (value: unknown): boolean => isRecord(value) && areTexts(value, ['name', 'number']);

function isWritten(call: unknown): boolean {
  if (!isRecord(call) || !areTexts(call, ['callId', 'sipCallId', 'agent'])) return false;
  const { direction, ids, clientSdp, clientState, headers } = call;
  return (
    (direction === 'inbound' || direction === 'outbound') &&
    isParty(call['caller']) &&
    isParty(call['callee']) &&
    isRecord(ids) &&
    areTexts(ids, ['session', 'leg']) &&
    (clientSdp === null || typeof clientSdp === 'string') &&
    (clientState === undefined || typeof clientState === 'string') &&
    ['held', 'mediaSent', 'described'].every((name) => typeof call[name] === 'boolean') &&
    Array.isArray(headers)
  );
}

function isCall(value: unknown): value is CallEntry {
  if (!isRecord(value)) return false;
  const { kind, call, leg, stray, headers } = value;
  switch (kind) {
    case 'early':
      return (
        isWritten(call) && (stray === null || (isRecord(stray) && areTexts(stray, ['callId', 'fromTag'])))
      );
    case 'up':
      return isWritten(call) && isRecord(leg);
    case 'leaving':
      return isRecord(leg) && Array.isArray(headers);
    default:
      return false;
  }
}
