import type { CallEvent, CallNews, Source } from '@sidetone/wire';
import { readEntry } from '../../packages/voice/src/journal/read.ts';
import { endingOf, type Leg, mainOf } from '../../packages/voice/src/leg/leg.ts';
import type { Acks } from './acks.ts';
import type { PretendClient } from './browser.ts';
import type { PretendCarrier } from './carrier.ts';
import { hallsOf, heardBySupervisor, heardInHall, places, supervisorsOf } from './halls.ts';
import type { House } from './house.ts';
import { queued } from './queues.ts';
import { EPOCH } from './world.ts';

/*
 * What must hold of calls that back ends command: places, who hears whom, events.
 */

/** The legs that voice has written down. */
export function legsOf(house: House): readonly Leg[] {
  return house.journal.flatMap(({ key, value }) => {
    const read = key.startsWith('leg ') ? readEntry(value) : null;
    return read?.ok === true && read.value.kind === 'leg' ? [read.value.leg] : [];
  });
}

/** Everybody has had time: do the ends, the platform and media agree on the legs there are, and on who hears whom? */
export function agreementOfLegs(
  users: readonly PretendClient[],
  carrier: PretendCarrier,
  house: House,
): string[] {
  const problems: string[] = [];
  const legs = legsOf(house);
  for (const { state } of legs) if (state.name !== 'up') problems.push(`a leg is ${state.name} for ever`);
  const states = users.flatMap((client) => [...client.calls.values()].filter((state) => state !== 'done'));
  for (const state of states)
    if (state !== 'active' && state !== 'held') problems.push(`a call is ${state} for ever`);
  const outside = [...carrier.legs.values()].filter((state) => state === 'active').length;
  if (states.length + outside !== legs.length)
    problems.push(`${states.length} clients and ${outside} at the carrier, but ${legs.length} legs`);
  if (house.engine.legs.size !== legs.length)
    problems.push(`media has ${house.engine.legs.size} legs, the platform ${legs.length}`);
  return [...problems, ...hearing(legs, house)];
}

/**
 * Who is parked hears silence and nobody hears it; who is bridged hears its peer, or the room of both while somebody supervises them, unless
 * one of the two holds; in a conference the room, or what who waits hears.
 */
export function hearing(legs: readonly Leg[], house: House): string[] {
  const halls = hallsOf(house);
  const problems: string[] = places(halls, legs);
  const sourceOf = (leg: Leg): Source | undefined => house.engine.sources.get(leg.main ?? '');
  const known = new Set(legs.flatMap(({ branches }) => branches.map(({ id }) => id)));
  for (const [leg, source] of house.engine.sources)
    if (source.kind === 'leg' && known.has(leg) && !known.has(source.leg))
      problems.push(`${leg} hears a ghost`);
  for (const leg of legs) {
    const main = mainOf(leg);
    if (leg.state.name !== 'up' || main?.media.phase !== 'open') continue;
    const source = sourceOf(leg);
    const { place } = leg;
    if (main.exchange.holding) {
      if (source?.kind !== 'silence') problems.push(`${leg.id} holds and hears ${source?.kind}`);
    } else if (place === null || place.in === 'queue') {
      if (source?.kind !== 'silence') problems.push(`${leg.id} waits and hears ${source?.kind}`);
    } else if (place.in === 'conference') {
      problems.push(...heardInHall(leg, source, halls.get(place.id), legs));
    } else if (place.in === 'bridge') {
      const others = legs.filter(
        (other) =>
          other !== leg &&
          other.place?.in === 'bridge' &&
          other.place.side !== 'supervisor' &&
          other.place.id === place.id &&
          !endingOf(other),
      );
      if (place.side === 'supervisor') {
        problems.push(...heardBySupervisor(leg, source, others));
        continue;
      }
      const theirs = others.length === 1 ? mainOf(others[0]!) : undefined;
      if (others.length !== 1) problems.push(`${leg.id} is bridged with ${others.length}`);
      else if (others[0]!.state.name !== 'up' || theirs === undefined) continue;
      else if (theirs.exchange.holding) {
        if (source?.kind !== 'music') problems.push(`${leg.id} is held and hears ${source?.kind}`);
      } else if (supervisorsOf(place.id, legs).length > 0) {
        if (source?.kind !== 'room' || source.room !== place.id || source.to !== 'all')
          problems.push(`${leg.id} is supervised and hears ${JSON.stringify(source)}`);
      } else if (source?.kind !== 'leg' || source.leg !== theirs.id)
        problems.push(`${leg.id} does not hear its peer but ${source?.kind}`);
    }
  }
  return problems;
}

/** `keeps`: legs that were to stay listed in a queue. Lanes: numbered without gaps, each event once, `initiated` first, `hangup` last, answered once at most. */
export function lanes(events: readonly CallEvent[], keeps: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  const byLane = new Map<string, CallEvent[]>();
  for (const event of events) byLane.set(event.lane, [...(byLane.get(event.lane) ?? []), event]);
  const asked = new Map<string, string>();
  for (const [lane, told] of byLane) {
    const types = told.map(({ what }) => what.type);
    const text = `${lane}: ${types.join(' ')}`;
    if (told.some(({ n }, i) => n !== i)) problems.push(`numbers of ${text}`);
    if (new Set(told.map(({ id }) => id)).size !== told.length) problems.push(`an event twice in ${text}`);
    if (types[0] === 'conferenceCreated') {
      if (types.at(-1) !== 'conferenceEnded' || types.indexOf('conferenceEnded') < types.length - 1)
        problems.push(`ends of ${text}`);
      continue;
    }
    problems.push(...queued(told, keeps));
    const stays = types.filter((type) => type === 'joined' || type === 'left');
    if (stays.length % 2 !== 0 || stays.some((type, i) => type !== (i % 2 === 0 ? 'joined' : 'left')))
      problems.push(`joined and left of ${text}`);
    if (types[0] !== 'initiated' || types.at(-1) !== 'hangup') problems.push(`ends of ${text}`);
    for (const [type, most] of [
      ['initiated', 1],
      ['answered', 1],
      ['hangup', 1],
    ] as const)
      if (types.filter((one) => one === type).length > most)
        problems.push(`${type} more than once in ${text}`);
    problems.push(...paired(told, text));
    // What was dialled bears the id of its command: one leg an id.
    const state =
      told[0]?.what.type === 'initiated' && told[0].what.state === 'bridging' ? told[0].clientState : null;
    if (state === null) continue;
    if (asked.has(state)) problems.push(`one command has made two legs: ${asked.get(state)} and ${lane}`);
    asked.set(state, lane);
  }
  return problems;
}

/** Where something begins or ends on a leg, and what it is; speech bears no name. */
interface Edge {
  readonly slot: 'queue' | 'overlay' | 'refer';
  readonly name: string;
  readonly begins: boolean;
  readonly failed: boolean;
}

function edgeOf(what: CallNews | undefined): Edge | null {
  switch (what?.type) {
    case 'playStarted':
    case 'playEnded': {
      const { media } = what;
      const begins = what.type === 'playStarted';
      const failed = !begins && (what.status === 'file_not_found' || what.status === 'failed');
      return { slot: media.overlay ? 'overlay' : 'queue', name: media.url ?? '', begins, failed };
    }
    case 'speakStarted':
    case 'speakEnded': {
      const begins = what.type === 'speakStarted';
      return { slot: 'queue', name: 'speech', begins, failed: !begins && what.status === 'failed' };
    }
    case 'referStarted':
    case 'referCompleted':
    case 'referFailed':
      return { slot: 'refer', name: 'referral', begins: what.type === 'referStarted', failed: false };
    default:
      return null;
  }
}

/**
 * What has begun ends, once and before its leg does, and in a queue one thing at a time. A sound that cannot be had is told as begun and
 * ended at once, whatever plays meanwhile. A referral may end with its leg.
 */
function paired(told: readonly CallEvent[], text: string): string[] {
  const problems: string[] = [];
  const open = new Map<Edge['slot'], string>();
  for (let i = 0; i < told.length; i++) {
    const edge = edgeOf(told[i]!.what);
    if (edge === null) continue;
    const { slot, name } = edge;
    if (!edge.begins) {
      if (open.get(slot) !== name) problems.push(`the end of ${name} behind ${open.get(slot)} in ${text}`);
      open.delete(slot);
    } else if (!open.has(slot)) open.set(slot, name);
    else {
      const next = edgeOf(told[i + 1]?.what);
      if (next?.failed === true && next.slot === slot && next.name === name) i += 1;
      else problems.push(`${name} beside ${open.get(slot)} in ${text}`);
    }
  }
  open.delete('refer');
  for (const name of open.values()) problems.push(`${name} without an end in ${text}`);
  return problems;
}

/** Each gather that was taken is told once, and nothing else is. */
export function gathers(events: readonly CallEvent[], said: ReadonlyMap<string, boolean>): string[] {
  const told = new Map<string, number>();
  for (const { what } of events)
    if (what.type === 'gathered') told.set(what.gatherId ?? '', (told.get(what.gatherId ?? '') ?? 0) + 1);
  const unknown = [...told.keys()].filter((id) => !said.has(id));
  return [
    ...unknown.map((id) => `gathered ${id}, which nobody has asked for`),
    ...[...said].flatMap(([id, taken]) => {
      const many = told.get(id) ?? 0;
      return many > 1 || (taken && many === 0) ? [`gather ${id} is told ${many} times`] : [];
    }),
  ];
}

/** Digits that only media tells: clients send others. */
export const PRESSED = 'ABCD';
/** By leg, when its peer pressed which digit. */
export type Pressed = ReadonlyMap<string, readonly { readonly at: number; readonly digit: string }[]>;

/** A leg that lives for so long behind a digit has told it, whoever died meanwhile. */
const TOLD_MS = 20_000;

/** Digits in media are told in their order, each once, and none is left out. */
export function digits(events: readonly CallEvent[], pressed: Pressed): string[] {
  return [...pressed].flatMap(([lane, keys]) => {
    const own = events.filter((event) => event.lane === lane);
    const told = own.flatMap(({ what }) =>
      what.type === 'digit' && PRESSED.includes(what.digit) ? [what.digit] : [],
    );
    const over = (own.find(({ what }) => what.type === 'hangup')?.at ?? Infinity) - EPOCH;
    const all = keys.map(({ digit }) => digit).join('');
    const least = keys.filter(({ at }) => at < over - TOLD_MS).length;
    return all.startsWith(told.join('')) && told.length >= least
      ? []
      : [`${lane} pressed ${all}, told is ${told.join('')}`];
  });
}

/** Back ends end calls in many ways. These are not theirs: a death of the process, media that nobody saw fail, ACKs that were not lost. */
const FAULTS = new Set(['restarted', 'NETWORK_OUT_OF_ORDER', 'ICE_FAILED', 'DTLS_FAILED', 'MEDIA_TIMEOUT']);

/** @param offerless the carrier calls without an offer: its answer, in the ACK, is lost with a process that dies while media reads it. */
export function lostLegs(
  users: readonly PretendClient[],
  house: House,
  acks: Acks,
  offerless: boolean,
): string[] {
  const stayedAway = users.some((client) => client.stayedAway);
  // One that has taken the call, but has no media yet, does not outlive the process.
  const answered = new Set(
    house.events.filter(({ what }) => what.type === 'answered').map(({ lane }) => lane),
  );
  return house.records.flatMap(({ cause, ended_by, leg_id }) => {
    if (!answered.has(leg_id) || house.engine.fails) return [];
    const lost =
      (FAULTS.has(cause) && ended_by === 'platform' && !(cause === 'restarted' && offerless)) ||
      (cause === 'NETWORK_LOST' && !stayedAway) ||
      (cause === 'RECOVERY_ON_TIMER_EXPIRE' && !acks.lost);
    return lost ? [`the answered leg ${leg_id} ended: ${cause} by ${ended_by}`] : [];
  });
}
