import type { CallEvent, Source } from '@sidetone/wire';
import { readEntry } from '../../packages/voice/src/journal/read.ts';
import { endingOf, type Leg, mainOf } from '../../packages/voice/src/leg/leg.ts';
import type { Acks } from './acks.ts';
import type { PretendClient } from './browser.ts';
import type { PretendCarrier } from './carrier.ts';
import { hallsOf, heardBySupervisor, heardInHall, places, supervisorsOf } from './halls.ts';
import type { House } from './house.ts';

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
    } else if (place === null) {
      if (source?.kind !== 'silence') problems.push(`${leg.id} is parked and hears ${source?.kind}`);
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

/** Lanes: numbered without gaps, each event once, `initiated` first, `hangup` last, answered once at most. */
export function lanes(events: readonly CallEvent[]): string[] {
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
    // What was dialled bears the id of its command: one leg an id.
    const state =
      told[0]?.what.type === 'initiated' && told[0].what.state === 'bridging' ? told[0].clientState : null;
    if (state === null) continue;
    if (asked.has(state)) problems.push(`one command has made two legs: ${asked.get(state)} and ${lane}`);
    asked.set(state, lane);
  }
  return problems;
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
