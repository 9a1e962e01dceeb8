import type { Source } from '@sidetone/wire';
import { endingOf, type Leg, mainOf } from '../../packages/voice/src/leg/leg.ts';
import type { Conference } from '../../packages/voice/src/place/conference-draft.ts';
import type { House } from './house.ts';

/*
 * What must hold of conferences and of supervised bridges: who is there, and who hears whom, by the sources that media has.
 */

/** The conferences that voice has written down. */
export const hallsOf = (house: House): ReadonlyMap<string, Conference> =>
  new Map(
    house.journal.flatMap(({ key, value }) =>
      key.startsWith('conference ') && value !== null
        ? [[key.slice('conference '.length), value as unknown as Conference] as const]
        : [],
    ),
  );

/** No conference without a leg lives on, but a fresh one; each name is of one that is active; nobody is in one that is over. */
export function places(halls: ReadonlyMap<string, Conference>, legs: readonly Leg[]): string[] {
  const problems: string[] = [];
  const names = new Set<string>();
  for (const { id, name, state, joined, maxMembers } of halls.values()) {
    const here = legs.filter(({ place }) => place?.in === 'conference' && place.id === id);
    if (here.length > maxMembers) problems.push(`${here.length} are in a conference of ${maxMembers}`);
    if (state === 'over' && here.length > 0) problems.push('somebody is in a conference that is over');
    if (state !== 'init' && state !== 'in-progress') continue;
    if (joined && here.length === 0) problems.push('a conference without a leg lives on');
    if (names.has(name)) problems.push(`two conferences are called ${name}`);
    names.add(name);
  }
  for (const { id, place } of legs)
    if (place?.in === 'conference' && !halls.has(place.id)) problems.push(`${id} is in no conference`);
  return problems;
}

const isIn = (leg: Leg, room: string): boolean =>
  leg.place?.in === 'conference' && leg.place.id === room && !endingOf(leg);

/** What a leg in a conference hears, and whom its voice reaches. */
export function heardInHall(
  leg: Leg,
  source: Source | undefined,
  hall: Conference | undefined,
  legs: readonly Leg[],
): string[] {
  const { place } = leg;
  if (place?.in !== 'conference' || hall === undefined || hall.state === 'ending') return [];
  if (hall.state === 'init' || place.held)
    return source === undefined || source.kind === 'room' || source.kind === 'leg'
      ? [`${leg.id} waits and hears ${source?.kind}`]
      : [];
  const whispers = place.to.flatMap((id) => legs.filter((one) => one.id === id && isIn(one, place.id)));
  const whispered = whispers.flatMap(({ main }) => main ?? []);
  const isSilent = place.muted || place.role === 'monitor';
  const isWhisper = place.role === 'whisper';
  const to = isSilent || (isWhisper && whispered.length === 0) ? 'none' : isWhisper ? whispered : 'all';
  const wanted = JSON.stringify({ kind: 'room', room: place.id, to });
  return sameSource(source, wanted)
    ? []
    : [`${leg.id} is in a room: ${JSON.stringify(source)}, not ${wanted}`];
}

const sameSource = (source: Source | undefined, wanted: string): boolean =>
  source?.kind === 'room' &&
  JSON.stringify({ kind: source.kind, room: source.room, to: source.to }) === wanted;

/** The supervisors of a bridge that are up. */
export const supervisorsOf = (bridge: string, legs: readonly Leg[]): readonly Leg[] =>
  legs.filter(
    ({ place, state }) =>
      place?.in === 'bridge' && place.id === bridge && place.side === 'supervisor' && state.name === 'up',
  );

export function heardBySupervisor(leg: Leg, source: Source | undefined, two: readonly Leg[]): string[] {
  const { place } = leg;
  if (place?.in !== 'bridge' || place.side !== 'supervisor') return [];
  if (two.length !== 2) return [`${leg.id} supervises ${two.length}`];
  if (two.some(({ state }) => state.name !== 'up')) return [`${leg.id} supervises one that is not up`];
  const of = mainOf(two.find(({ id }) => id === place.of) ?? leg);
  const isThere = two.some(({ id }) => id === place.of) && of !== undefined;
  const to = place.role === 'barge' ? 'all' : place.role === 'whisper' && isThere ? [of.id] : 'none';
  const wanted = JSON.stringify({ kind: 'room', room: place.id, to });
  return sameSource(source, wanted) ? [] : [`${leg.id} supervises by ${JSON.stringify(source)}`];
}
