import type { JournalEntry } from '@sidetone/core';

/*
 * The journal file: UTF-8, one JSON value a line, appended to.
 *
 *   {"sidetone":"journal","version":1,"boot":"…"}                the head
 *   {"room":"voice","key":"call 6f1c…","value":{…}}              the last value of a key counts
 *   {"room":"voice","key":"call 6f1c…","value":null}             the key is no more
 *
 * Times in values are of the machine's monotonic clock, so of a journal of another boot only the call records count: the media of its
 * calls is gone, too.
 */

const VERSION = 1;

/** Who keeps entries: the services, and the driver its call records until the store has them. */
export const JOURNAL_ROOMS = ['voice', 'vsp', 'proxy', 'records'] as const;
export type JournalRoom = (typeof JOURNAL_ROOMS)[number];

/** Longer lines and longer files are no journal of ours. A line holds a call with its descriptions: some 20 kB. */
export const MAX_LINE_BYTES = 4 * 1024 * 1024;
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

export const entryLine = (room: JournalRoom, key: string, value: unknown): string =>
  `${JSON.stringify({ room, key, value })}\n`;

/**
 * Reads the bytes of a journal. Total. A last line without its end is what a death in mid-write leaves, and does not count;
 * a line that is none of ours is passed over (`problem` says so), and what stands around it counts.
 */
export function readJournal(bytes: Buffer, boot: string): ReadJournal {
  const kept: Record<JournalRoom, Map<string, unknown>> = {
    voice: new Map(),
    vsp: new Map(),
    proxy: new Map(),
    records: new Map(),
  };
  const done = (problem?: string): ReadJournal => ({
    entries: {
      voice: listed(kept.voice),
      vsp: listed(kept.vsp),
      proxy: listed(kept.proxy),
      records: listed(kept.records),
    },
    ...(problem === undefined ? {} : { problem }),
  });
  if (bytes.length === 0) return done();
  const headEnd = bytes.indexOf(10);
  if (headEnd < 0 || headEnd > MAX_KEY_LENGTH) return done('it has no head');
  const head = object(bytes.toString('utf8', 0, headEnd));
  if (head?.['sidetone'] !== 'journal') return done('it is no journal');
  if (head['version'] !== VERSION) return done(`it is of version ${String(head['version']).slice(0, 20)}`);
  const another = head['boot'] !== boot;

  let foreign = 0;
  let count = 0;
  for (let at = headEnd + 1; at < bytes.length; ) {
    const end = bytes.indexOf(10, at);
    if (end < 0) break;
    const line = end - at > MAX_LINE_BYTES ? undefined : entryOf(bytes.toString('utf8', at, end));
    at = end + 1;
    if (line === undefined) foreign += 1;
    else if (another && line.room !== 'records') continue;
    else if (line.value === null) {
      if (kept[line.room].delete(line.key)) count -= 1;
    } else if (kept[line.room].has(line.key)) kept[line.room].set(line.key, line.value);
    else if (count === MAX_ENTRIES) foreign += 1;
    else {
      count += 1;
      kept[line.room].set(line.key, line.value);
    }
  }
  if (another) return done('the machine was started again since; only its call records count');
  return done(foreign === 0 ? undefined : `${foreign} of its lines make no sense`);
}

function entryOf(text: string): { room: JournalRoom; key: string; value: object | null } | undefined {
  const line = object(text);
  if (line === undefined) return undefined;
  const { room, key, value } = line;
  if (!JOURNAL_ROOMS.includes(room as JournalRoom)) return undefined;
  if (typeof key !== 'string' || key.length > MAX_KEY_LENGTH || typeof value !== 'object') return undefined;
  return { room: room as JournalRoom, key, value };
}

function object(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

const listed = (map: ReadonlyMap<string, unknown>): readonly JournalEntry[] =>
  [...map].map(([key, value]) => ({ key, value }));
