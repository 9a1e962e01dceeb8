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
  const { described, clientState, held, mediaSent, agent: written, ...facts } = call;
  const { headers: customHeaders } = call;
  const agent = typeof written === 'string' ? { family: written, text: '' } : written;
  return {
    ...newCall({ ...facts, agent, phase }),
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

const isText = (value: unknown): boolean => typeof value === 'string';

const areTexts = (value: Record<string, unknown>, names: readonly string[]): boolean =>
  names.every((name) => isText(value[name]));

const areCounts = (value: Record<string, unknown>, names: readonly string[]): boolean =>
  names.every((name) => Number.isSafeInteger(value[name]));

const isAgent = (value: unknown): boolean => isRecord(value) && areTexts(value, ['family', 'text']);

/** The end of a call, as far as its client will be told of it. */
function isUnheard(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { call, bye } = value;
  const end = isRecord(bye) ? bye['end'] : null;
  const cause = isRecord(end) ? end['cause'] : null;
  return (
    isRecord(call) &&
    areTexts(call, ['callId', 'sipCallId']) &&
    isRecord(end) &&
    areTexts(end, ['sipReason']) &&
    areCounts(end, ['sipCode']) &&
    areHeaders(end['customHeaders']) &&
    isRecord(cause) &&
    areTexts(cause, ['name']) &&
    areCounts(cause, ['code', 'sip'])
  );
}

const areHeaders = (value: unknown): boolean =>
  Array.isArray(value) && value.every((header) => isRecord(header) && areTexts(header, ['name', 'value']));

function isSession(value: unknown): value is SessionEntry {
  if (!isRecord(value) || !Array.isArray(value['unheard'])) return false;
  return (
    areTexts(value, ['contact', 'voiceSdkId', 'reportId', 'sessid', 'owner']) &&
    areCounts(value, ['nextId', 'sequence', 'registers']) &&
    isAgent(value['agent']) &&
    value['unheard'].every(isUnheard)
  );
}

const isParty = (value: unknown): boolean => isRecord(value) && areTexts(value, ['name', 'number']);

function isWritten(call: unknown): boolean {
  if (!isRecord(call) || !areTexts(call, ['callId', 'sipCallId'])) return false;
  if (!isText(call['agent']) && !isAgent(call['agent'])) return false;
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
    areHeaders(headers)
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
      return (
        isRecord(leg) &&
        Array.isArray(headers) &&
        headers.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every(isText))
      );
    default:
      return false;
  }
}
