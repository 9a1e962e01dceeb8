import { uuid } from '@sidetone/core';
import type { ConferenceAsk, Refusal, SoundAsk, StayAsk } from '@sidetone/wire';
import type { Leg } from '../leg/leg.ts';
import { isOpen } from '../place/conference.ts';
import {
  type Conference,
  type ConferencePlace,
  LONGEST_MS,
  MOST_SOUNDS,
  stayOf,
} from '../place/conference-draft.ts';
import { programFor } from './commanded.ts';
import { type Desk, findLeg, isRefusal } from './desk.ts';
import { eventLegOf } from './event.ts';
import { moveLeg } from './moving.ts';

/* How legs come into conferences. */

export const NO_CONFERENCE: Refusal = {
  why: 'unknownConference',
  detail: 'There is no conference of this id.',
};
export const CONFERENCE_OVER: Refusal = {
  why: 'conferenceEnded',
  detail: 'This conference has ended and can no longer be commanded.',
};
const TOO_MANY_SOUNDS: Refusal = {
  why: 'badField',
  detail: `A conference has at most ${MOST_SOUNDS} different sounds for who is held.`,
};
const MOST_MEMBERS = 250;

/** Of the account, and not over. */
export function findOpen(desk: Desk, account: string, id: string): Conference | Refusal {
  const found = desk.conferences.find(account, id);
  if (found === undefined) return NO_CONFERENCE;
  return isOpen(found) ? found : CONFERENCE_OVER;
}

export function fullness({ registry }: Desk, { id, maxMembers }: Conference): Refusal | null {
  if (registry.inPlace(id).length < maxMembers) return null;
  return { why: 'conferenceFull', detail: `This conference has room for ${maxMembers} participants.` };
}

/** The sound of the conference that is this one: a new one where it has none. */
export function soundFor(desk: Desk, { id, sounds }: Conference, ask: SoundAsk): Sound | Refusal {
  const wanted = JSON.stringify(ask);
  const known = sounds.find((sound) => JSON.stringify(sound.ask) === wanted);
  if (known !== undefined) return { id: known.id, tell: () => {} };
  if (sounds.length >= MOST_SOUNDS) return TOO_MANY_SOUNDS;
  const sound = uuid(desk.options.random);
  return { id: sound, tell: () => desk.legs.toConference(id, { type: 'hold', id: sound, ask }) };
}

interface Sound {
  readonly id: string;
  /** The conference asks for it, if it has not. */
  readonly tell: () => void;
}

/** The legs of these `call_control_id`s. */
export function legsNamed(
  desk: Desk,
  account: string,
  controls: readonly string[],
  field: string,
): readonly string[] | Refusal {
  const found: string[] = [];
  for (const control of controls) {
    const leg = findLeg(desk, control, account, field);
    if (isRefusal(leg)) return leg;
    found.push(leg.id);
  }
  return found;
}

const nextTicket = ({ registry }: Desk, id: string): number =>
  registry.inPlace(id).reduce((most, leg) => Math.max(most, stayOf(leg)?.ticket ?? 0), 0) + 1;

/** Where a leg goes in; `tell`: what the conference hears of it first. Nothing has changed before. */
export interface Entry {
  readonly place: ConferencePlace;
  readonly tell: () => void;
}

/** How a leg is to be there; `hold`: what it hears while it is held. */
export function stayFor(
  desk: Desk,
  account: string,
  ask: StayAsk,
): ((conference: Conference, hold: string | null) => ConferencePlace) | Refusal {
  const to = legsNamed(desk, account, ask.whisperTo ?? [], 'whisper_call_control_ids');
  if (isRefusal(to)) return to;
  const { now } = desk;
  return ({ id }, hold) => ({
    in: 'conference',
    id,
    member: uuid(desk.options.random),
    ticket: nextTicket(desk, id),
    since: now,
    updatedAt: now,
    joined: false,
    muted: ask.muted === true,
    held: ask.held === true,
    hold,
    role: ask.role ?? 'none',
    to: to as readonly string[],
    beep: ask.beep ?? null,
    endOnExit: ask.endOnExit === true,
    softEndOnExit: ask.softEndOnExit === true,
    startOnEnter: ask.startOnEnter === true,
  });
}

/** A leg goes in: what is to be done, or why not. */
export function enter(desk: Desk, account: string, conference: Conference, ask: StayAsk): Entry | Refusal {
  const full = fullness(desk, conference);
  if (full !== null) return full;
  const stay = stayFor(desk, account, ask);
  if (isRefusal(stay)) return stay;
  const hold = ask.hold === undefined ? null : soundFor(desk, conference, ask.hold);
  if (hold !== null && isRefusal(hold)) return hold;
  return { place: stay(conference, hold?.id ?? null), tell: () => hold?.tell() };
}

export interface Making {
  readonly name: string;
  readonly start: boolean;
  readonly beep?: Conference['beep'];
  readonly maxMembers?: number;
  readonly durationMs?: number;
  readonly hold?: SoundAsk;
  readonly clientState?: string;
  readonly commandId?: string;
}

/** A conference, made with this leg. */
export function makeConference(desk: Desk, leg: Leg, account: string, ask: Making): Conference {
  const { now, options, conferences, legs } = desk;
  const program = programFor(desk, leg, account);
  const waitHears = ask.hold === undefined ? null : uuid(options.random);
  const conference: Conference = {
    id: uuid(options.random),
    name: ask.name,
    account,
    state: ask.start ? 'in-progress' : 'init',
    creator: eventLegOf(leg, program),
    clientState: ask.clientState ?? program.clientState,
    hook: program.hook,
    told: 0,
    beep: ask.beep ?? 'never',
    maxMembers: ask.maxMembers ?? MOST_MEMBERS,
    waitHears,
    sounds: [],
    renewAt: null,
    plays: [],
    recording: null,
    reported: 0,
    joined: false,
    emptyBy: null,
    endsAt: now + Math.min(ask.durationMs ?? LONGEST_MS, LONGEST_MS),
    ended: null,
    nextAt: null,
    createdAt: now,
    updatedAt: now,
    epochOffset: leg.epochOffset,
    madeBy: ask.commandId ?? null,
    done: [],
  };
  conferences.put(conference);
  legs.toConference(conference.id, { type: 'made' });
  if (waitHears !== null && ask.hold !== undefined)
    legs.toConference(conference.id, { type: 'hold', id: waitHears, ask: ask.hold });
  return conference;
}

interface Wanted {
  /** Absent: a name that is not taken. */
  readonly there?: Conference;
  readonly entry: (conference: Conference) => Entry;
}

/** The conference that a call is to go into. */
export function conferenceFor(desk: Desk, account: string, ask: ConferenceAsk): Wanted | Refusal {
  const there =
    'conference' in ask ? findOpen(desk, account, ask.conference) : desk.conferences.named(account, ask.name);
  const field = 'conference_config';
  if (there !== undefined && isRefusal(there)) return { ...there, field };
  if (there !== undefined) {
    const entry = enter(desk, account, there, ask);
    return isRefusal(entry) ? { ...entry, field } : { there, entry: () => entry };
  }
  const stay = stayFor(desk, account, ask);
  if (isRefusal(stay)) return { ...stay, field };
  return {
    entry: (conference) => {
      const hold = ask.hold === undefined ? null : soundFor(desk, conference, ask.hold);
      const sound = hold === null || isRefusal(hold) ? null : hold;
      return { place: stay(conference, sound?.id ?? null), tell: () => sound?.tell() };
    },
  };
}

/** It leaves where it is. */
export function goIn(desk: Desk, leg: Leg, { place, tell }: Entry): void {
  tell();
  moveLeg(desk, leg, place);
}

/** A leg that was called for a conference has answered. Whether it goes in. */
export function joinOnAnswer(desk: Desk, leg: Leg, ask: ConferenceAsk): boolean {
  const account = leg.program?.account;
  if (account === undefined) return false;
  const wanted = conferenceFor(desk, account, ask);
  if (isRefusal(wanted)) return false;
  const made = {
    name: 'name' in ask ? ask.name : '',
    start: !('name' in ask) || ask.startOnCreate !== false,
  };
  const conference = wanted.there ?? makeConference(desk, leg, account, made);
  goIn(desk, leg, wanted.entry(conference));
  return true;
}
