import { type Fields, isFields, type JournalEntry } from '@sidetone/core';

/*
 * The journal file: UTF-8, one JSON value a line, appended to.
 *
 *   {"sidetone":"journal","version":2,"boot":"…"}                            the head
 *   {"unit":[["voice","call 6f1c…",{…}],["vsp","call 6f1c…",null]]}          a unit: what one input has changed, by room and key
 *
 * The last value of a key counts; `null`: the key is no more. A unit counts whole or not at all: a death in mid-write leaves a line
 * without its end. Version 1 had a line `{"room":…,"key":…,"value":…}` for each change, and is still read.
 *
 * Times in values are of the machine's monotonic clock, so of a journal of another boot only call records and the events of webhooks
 * count, whose times are of the day: the media of its calls is gone, too.
 */

const VERSION = 2;
/** What an earlier release wrote, and may have left to us. */
const EARLIER = 1;

/** Who keeps entries: the services, and the driver its call records until the store has them. */
export const JOURNAL_ROOMS = ['voice', 'vsp', 'proxy', 'webhooks', 'records'] as const;
export type JournalRoom = (typeof JOURNAL_ROOMS)[number];
/** What counts after the machine was started anew, and when the calls could not be taken over. */
export const LASTING_ROOMS: readonly JournalRoom[] = ['webhooks', 'records'];

/** What is kept; `null`: the key is no more. */
export interface JournalChange {
  readonly room: JournalRoom;
  readonly key: string;
  readonly value: object | null;
}

/** One key holds a call with its dialogs: some 20 kB. Characters of JSON. */
export const MAX_VALUE_LENGTH = 1024 * 1024;
/** Longer lines and longer files are no journal of ours. A unit may hold every call, when all of them end at once. */
export const MAX_LINE_BYTES = 256 * 1024 * 1024;
export const MAX_FILE_BYTES = 1024 * 1024 * 1024;
export const MAX_KEY_LENGTH = 1024;
const MAX_ENTRIES = 1_000_000;

export interface ReadJournal {
  /** In the order in which each key was first written after it was last deleted. */
  readonly entries: Readonly<Record<JournalRoom, readonly JournalEntry[]>>;
  /** Why nothing (or not everything) was taken over; for the log. */
  readonly problem?: string;
}

export const headLine = (boot: string): string =>
  `${JSON.stringify({ sidetone: 'journal', version: VERSION, boot })}\n`;

/** A change as it stands in a unit. */
export const changeText = ({ room, key, value }: JournalChange): string => JSON.stringify([room, key, value]);

/** A unit of changes, as `changeText` writes them. */
export const unitLine = (changes: readonly string[]): string => `{"unit":[${changes.join(',')}]}\n`;

/**
 * Reads the bytes of a journal. Total. A last line without its end is what a death in mid-write leaves, and does not count;
 * a line that is none of ours is passed over (`problem` says so), and what stands around it counts.
 */
export function readJournal(bytes: Buffer, boot: string): ReadJournal {
  const kept: Record<JournalRoom, Map<string, unknown>> = {
    voice: new Map(),
    vsp: new Map(),
    proxy: new Map(),
    webhooks: new Map(),
    records: new Map(),
  };
  const done = (problem?: string): ReadJournal => ({
    entries: {
      voice: listed(kept.voice),
      vsp: listed(kept.vsp),
      proxy: listed(kept.proxy),
      webhooks: listed(kept.webhooks),
      records: listed(kept.records),
    },
    ...(problem === undefined ? {} : { problem }),
  });
  if (bytes.length === 0) return done();
  const headEnd = bytes.indexOf(10);
  if (headEnd < 0 || headEnd > MAX_KEY_LENGTH) return done('it has no head');
  const head = object(bytes.toString('utf8', 0, headEnd));
  if (head?.['sidetone'] !== 'journal') return done('it is no journal');
  if (head['version'] !== VERSION && head['version'] !== EARLIER)
    return done(`it is of version ${String(head['version']).slice(0, 20)}`);
  const another = head['boot'] !== boot;

  let foreign = 0;
  let count = 0;
  for (let at = headEnd + 1; at < bytes.length; ) {
    const end = bytes.indexOf(10, at);
    if (end < 0) break;
    const unit = end - at > MAX_LINE_BYTES ? undefined : unitOf(bytes.toString('utf8', at, end));
    at = end + 1;
    if (unit === undefined) foreign += 1;
    for (const { room, key, value } of unit ?? []) {
      if (another && !LASTING_ROOMS.includes(room)) continue;
      if (value === null) {
        if (kept[room].delete(key)) count -= 1;
      } else if (kept[room].has(key)) kept[room].set(key, value);
      else if (count === MAX_ENTRIES) foreign += 1;
      else {
        count += 1;
        kept[room].set(key, value);
      }
    }
  }
  if (another) return done('the machine was started again since; only its call records and events count');
  return done(foreign === 0 ? undefined : `${foreign} of its lines make no sense`);
}

/** The changes of a line; nothing when one of them makes no sense. */
function unitOf(text: string): readonly JournalChange[] | undefined {
  const line = object(text);
  if (line === undefined) return undefined;
  const { unit } = line;
  const changes = Array.isArray(unit)
    ? unit.map((change) => (Array.isArray(change) ? changeOf(change[0], change[1], change[2]) : undefined))
    : [changeOf(line['room'], line['key'], line['value'])];
  return changes.every((change) => change !== undefined) ? changes : undefined;
}

function changeOf(room: unknown, key: unknown, value: unknown): JournalChange | undefined {
  if (!JOURNAL_ROOMS.includes(room as JournalRoom)) return undefined;
  if (typeof key !== 'string' || key.length > MAX_KEY_LENGTH || typeof value !== 'object') return undefined;
  return { room: room as JournalRoom, key, value };
}

function object(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const listed = (map: ReadonlyMap<string, unknown>): readonly JournalEntry[] =>
  [...map].map(([key, value]) => ({ key, value }));
