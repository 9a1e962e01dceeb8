import {
  type Check,
  type Checks,
  isFields,
  isFlag,
  isString,
  type JournalEntry,
  listOf,
  maybe,
  oneOf,
  orNull,
  readRecord,
  recordOf,
} from '@sidetone/core';
import type { CallIds, Cause, ClientAgent, CustomHeader, Party } from '@sidetone/wire';
import { type Call, type LegEnd, newCall } from './call.ts';
import type { CallRef } from './call-book.ts';
import type { CallEntry, SessionEntry, WrittenCall } from './journal.ts';
import type { Unheard } from './kept-sessions.ts';

/** What a process left behind, as far as it can be read; the keys of the rest. */
export interface Left {
  readonly sessions: readonly SessionEntry[];
  readonly calls: readonly { readonly key: string; readonly ref: CallRef; readonly entry: CallEntry }[];
  readonly unreadable: readonly string[];
}

/** Reads the entries of the process before; checks what is relied on. A leg is checked by the user agent that adopts it. */
export function readJournal(entries: readonly JournalEntry[]): Left {
  const sessions: SessionEntry[] = [];
  const calls: { key: string; ref: CallRef; entry: CallEntry }[] = [];
  const unreadable: string[] = [];
  for (const { key, value } of entries) {
    const [kind, contact = '', ...rest] = key.split(' ');
    const ref = { contact, callId: rest.join(' ') };
    const session = kind === 'session' ? readRecord(SESSION, value) : null;
    const entry = kind === 'call' ? readCall(value) : null;
    if (session?.contact === contact) sessions.push(session);
    else if (entry !== null) calls.push({ key, ref, entry });
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

const isCount: Check = (value) => Number.isSafeInteger(value);
const HEADERS = listOf(recordOf<CustomHeader>({ name: isString, value: isString }));
const AGENT = recordOf<ClientAgent>({ family: isString, text: isString });
const PARTY = recordOf<Party>({ name: isString, number: isString });

const UNHEARD = recordOf<Unheard>({
  call: recordOf<Unheard['call']>({ callId: isString, sipCallId: isString }),
  bye: recordOf<Unheard['bye']>({
    type: oneOf('bye'),
    end: recordOf<LegEnd>({
      cause: recordOf<Cause>({ name: isString, code: isCount, sip: isCount }),
      sipCode: isCount,
      sipReason: isString,
      customHeaders: HEADERS,
    }),
  }),
});

const SESSION: Checks<SessionEntry> = {
  contact: isString,
  voiceSdkId: isString,
  reportId: isString,
  sessid: isString,
  owner: isString,
  agent: AGENT,
  nextId: isCount,
  sequence: isCount,
  registers: isCount,
  unheard: listOf(UNHEARD),
};

const CALL = recordOf<WrittenCall>({
  callId: isString,
  direction: oneOf('inbound', 'outbound'),
  caller: PARTY,
  callee: PARTY,
  ids: recordOf<CallIds>({ session: isString, leg: isString, control: maybe(isString) }),
  sipCallId: isString,
  clientSdp: orNull(isString),
  held: isFlag,
  headers: HEADERS,
  mediaSent: isFlag,
  clientState: maybe(isString),
  agent: (value) => isString(value) || AGENT(value),
  described: isFlag,
});

const EARLY_DIALOG = recordOf<NonNullable<Of<'early'>['stray']>>({ callId: isString, fromTag: isString });
const EXTRA_HEADERS = listOf(
  (pair) => Array.isArray(pair) && pair.length === 2 && pair.every((part) => isString(part)),
);

type Of<K extends CallEntry['kind']> = Extract<CallEntry, { kind: K }>;
const ENTRY: { readonly [K in CallEntry['kind']]: Checks<Of<K>> } = {
  early: { kind: oneOf('early'), call: CALL, stray: orNull(EARLY_DIALOG) },
  up: { kind: oneOf('up'), call: CALL, leg: isFields },
  leaving: { kind: oneOf('leaving'), leg: isFields, headers: EXTRA_HEADERS },
};

function readCall(value: unknown): CallEntry | null {
  const kind = isFields(value) ? value['kind'] : undefined;
  return kind === 'early' || kind === 'up' || kind === 'leaving'
    ? readRecord<CallEntry>(ENTRY[kind], value)
    : null;
}
