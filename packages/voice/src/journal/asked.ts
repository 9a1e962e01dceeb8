import { type Check, type Fields, isFields, type JournalEntry } from '@sidetone/core';
import type { Activities, Gather, Play } from '../activity/activity.ts';

/*
 * What a leg has been asked to play or to gather may be long (a sound in base64, a text), and its record is written whenever something of it
 * changes. So that is written once, under a key of its own, and gone with the play or the gather:
 *
 *   asked <leg> <play>     what is to be heard, how often, and how it is told
 *   asked <leg> <gather>   what is to be gathered, and its prompts
 *
 * The record of the leg has their names, in their order. What was made of a sound is asked for again, unless it plays already.
 */

/** `file`: it plays. */
export type WrittenPlay = Pick<Play, 'id'> & { readonly file?: string };

export interface WrittenActivities extends Omit<Activities, 'plays' | 'overlay' | 'gather'> {
  readonly plays: readonly WrittenPlay[];
  readonly overlay: WrittenPlay | null;
  readonly gather: Omit<Gather, 'ask'> | null;
}

/** What was asked of one leg, by name, as it was read. */
export type Asked = ReadonlyMap<string, unknown>;
export const NOTHING_ASKED: Asked = new Map();

const PREFIX = 'asked ';
export const askedKey = (leg: string, name: string): string => `${PREFIX}${leg} ${name}`;

const writtenPlay = ({ id, state, file }: Play): WrittenPlay =>
  state === 'playing' && file !== null ? { id, file } : { id };

export function writtenActivities({ plays, overlay, gather, ...others }: Activities): WrittenActivities {
  const { ask: _, ...collected } = gather ?? {};
  return {
    plays: plays.map(writtenPlay),
    overlay: overlay === null ? null : writtenPlay(overlay),
    gather: gather === null ? null : (collected as Omit<Gather, 'ask'>),
    ...others,
  };
}

/** By name, what stands under keys of its own. */
export function askedOfLeg({ plays, overlay, gather }: Activities): Map<string, object> {
  const asked = new Map<string, object>();
  for (const { id, ask, loop, told, media } of overlay === null ? plays : [...plays, overlay])
    asked.set(id, { ask, loop, told, media });
  if (gather !== null) asked.set(gather.id, gather.ask);
  return asked;
}

/** What was asked, by leg. */
export function readAsked(entries: readonly JournalEntry[]): Map<string, Map<string, unknown>> {
  const found = new Map<string, Map<string, unknown>>();
  for (const { key, value } of entries) {
    const [prefix, leg, ...name] = key.split(' ');
    if (`${prefix} ` !== PREFIX || leg === undefined || name.length === 0) continue;
    const asked = found.get(leg) ?? new Map<string, unknown>();
    found.set(leg, asked.set(name.join(' '), value));
  }
  return found;
}

/** What a play and a gather must be. */
export interface Joined {
  readonly isPlay: Check;
  readonly isGather: Check;
}

/** Activities as the machines have them. What was asked for and is not there, or makes no sense, is left out, and counted. */
export function joinActivities(
  written: Fields,
  asked: Asked,
  { isPlay, isGather }: Joined,
): { readonly activities: object; readonly lost: number } {
  const { plays, overlay, gather, ...others } = written;
  const listed = Array.isArray(plays) ? plays : [];
  const own = (play: unknown): object | null => {
    const about = joinedPlay(play, asked);
    return isPlay(about) ? about : null;
  };
  const ask = isFields(gather) ? asked.get(String(gather['id'])) : undefined;
  const collecting = { ...(isFields(gather) ? gather : {}), ask };
  const parts = {
    plays: listed.map(own).filter((play) => play !== null),
    overlay: own(overlay),
    gather: isGather(collecting) ? collecting : null,
  };
  const lost =
    listed.length -
    parts.plays.length +
    Number(overlay !== null && parts.overlay === null) +
    Number(gather !== null && parts.gather === null);
  return { activities: { ...others, ...parts }, lost };
}

function joinedPlay(play: unknown, asked: Asked): object | null {
  const about = isFields(play) ? asked.get(String(play['id'])) : undefined;
  if (!isFields(play) || !isFields(about)) return null;
  const { id, file } = play;
  if (file !== undefined) return { ...about, id, state: 'playing', file, ask: null };
  return about['ask'] === null ? null : { ...about, id, state: 'preparing', file: null };
}
