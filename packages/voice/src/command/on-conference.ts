import { uuid } from '@sidetone/core';
import type {
  Command,
  CommandResult,
  ConferenceCommand,
  DialCommand,
  LegCommand,
  QueueCommand,
  Refusal,
} from '@sidetone/wire';
import { newPlay } from '../activity/activity.ts';
import { isEnding, type Leg } from '../leg/leg.ts';
import { DONE_MS, isDone } from '../leg/program.ts';
import type { MemberChange } from '../message.ts';
import { isOpen } from '../place/conference.ts';
import { type Conference, stayOf } from '../place/conference-draft.ts';
import { commanded } from './commanded.ts';
import { type Decision, type Desk, ended, findLeg, isRefusal, isUp, refused, UNANSWERED } from './desk.ts';
import {
  CONFERENCE_OVER,
  enter,
  goIn,
  legsNamed,
  makeConference,
  NO_CONFERENCE,
  soundFor,
} from './joining.ts';
import { moveLeg } from './moving.ts';
import { begunBefore, changeRecord, record } from './recording-conference.ts';

/* Commands that concern conferences, and legs in them. */

type Of<T extends ConferenceCommand['type']> = Extract<ConferenceCommand, { type: T }>;
type Named = Exclude<ConferenceCommand, { type: 'createConference' }>;

const TYPES: { readonly [T in ConferenceCommand['type']]: true } = {
  createConference: true,
  joinConference: true,
  leaveConference: true,
  muteMembers: true,
  holdMembers: true,
  playInto: true,
  stopInto: true,
  sendDigitsTo: true,
  gatherFrom: true,
  setRole: true,
  setMember: true,
  recordConference: true,
  changeConferenceRecord: true,
  endConference: true,
};

export const isLegCommand = (command: Exclude<Command, DialCommand | QueueCommand>): command is LegCommand =>
  !Object.hasOwn(TYPES, command.type);

export function onConference(desk: Desk, command: ConferenceCommand): CommandResult {
  if (command.type === 'createConference') return create(desk, command);
  const conference = desk.conferences.find(command.account, command.conference);
  if (conference === undefined) return refused(NO_CONFERENCE);
  const { commandId, clientState, account } = command;
  const said = {
    ...(commandId === undefined ? {} : { commandId }),
    ...(clientState === undefined ? {} : { clientState }),
  };
  if ('control' in command) {
    const leg = findLeg(desk, command.control, account, 'call_control_id');
    if (isRefusal(leg)) {
      const wasDone = leg.why === 'ended' && desk.remembered.wasDone(command.control, commandId, desk.now);
      return wasDone ? { ok: true } : refused(leg);
    }
    if (isDone(leg.program?.done ?? [], commandId, desk.now)) return { ok: true };
    const decision = isOpen(conference) ? decideOnLeg(desk, command, conference, leg) : CONFERENCE_OVER;
    if (isRefusal(decision)) return refused(decision);
    commanded(desk, leg, { account, ...said });
    decision();
  } else {
    if (isDone(conference.done, commandId, desk.now))
      return { ok: true, ...begunBefore(command, conference) };
    const decision = isOpen(conference) ? decide(desk, command, conference) : CONFERENCE_OVER;
    if (isRefusal(decision)) return refused(decision);
    if (commandId !== undefined || clientState !== undefined)
      desk.legs.toConference(conference.id, { type: 'commanded', ...said });
    decision();
  }
  return { ok: true, ...desk.begun };
}

function create(desk: Desk, command: Of<'createConference'>): CommandResult {
  const { account, control, name, commandId, clientState } = command;
  const before = commandId === undefined ? undefined : madeBefore(desk, account, control, commandId);
  if (before !== undefined) return { ok: true, conference: before.id };
  const leg = findLeg(desk, control, account, 'call_control_id');
  if (isRefusal(leg)) return refused(leg);
  if (isEnding(leg)) return refused(ended('call_control_id'));
  if (!isUp(leg)) return refused(UNANSWERED);
  if (desk.conferences.named(account, name) !== undefined)
    return refused({
      why: 'conferenceNameTaken',
      field: 'name',
      detail: 'An active conference of this account has this name.',
    });
  const said = {
    ...(commandId === undefined ? {} : { commandId }),
    ...(clientState === undefined ? {} : { clientState }),
  };
  const { startOnCreate, beep, maxMembers, durationMs, hold } = command;
  commanded(desk, leg, { account, ...said });
  const conference = makeConference(desk, leg, account, {
    name,
    start: startOnCreate,
    beep,
    maxMembers,
    ...(durationMs === undefined ? {} : { durationMs }),
    ...(hold === undefined ? {} : { hold }),
    ...said,
  });
  const entry = enter(desk, account, conference, {});
  if (isRefusal(entry)) throw new Error('a new conference takes nobody in');
  goIn(desk, leg, entry);
  return { ok: true, conference: conference.id };
}

/** The one that this command has made already. */
const madeBefore = (
  { conferences, now }: Desk,
  account: string,
  control: string,
  commandId: string,
): Conference | undefined =>
  conferences.all.find(
    ({ madeBy, creator, createdAt, account: of }) =>
      madeBy === commandId && of === account && creator.control === control && now - createdAt < DONE_MS,
  );

function decideOnLeg(
  desk: Desk,
  command: Extract<Named, { control: string }>,
  conference: Conference,
  leg: Leg,
): Decision {
  const { legs, options } = desk;
  if (isEnding(leg)) return ended('call_control_id');
  if (command.type === 'joinConference') return join(desk, command, conference, leg);
  if (stayOf(leg)?.id !== conference.id) return notHere('call_control_id');
  switch (command.type) {
    case 'leaveConference': {
      const { beep } = command;
      return () => {
        if (beep !== undefined) legs.post(leg.id, { type: 'member', change: { beep } });
        moveLeg(desk, leg, null);
      };
    }
    case 'gatherFrom': {
      const { ask } = command;
      return () => legs.post(leg.id, { type: 'gather', id: uuid(options.random), ask });
    }
    case 'setRole': {
      const { role, whisperTo } = command;
      const to = legsNamed(desk, command.account, whisperTo, 'whisper_call_control_ids');
      if (isRefusal(to)) return to;
      return () => legs.post(leg.id, { type: 'member', change: { role, to } });
    }
  }
}

function join(desk: Desk, command: Of<'joinConference'>, conference: Conference, leg: Leg): Decision {
  if (!isUp(leg)) return UNANSWERED;
  if (stayOf(leg)?.id === conference.id)
    return { why: 'conferenceTwice', detail: 'This call is in this conference already.' };
  const entry = enter(desk, command.account, conference, command);
  if (isRefusal(entry)) return entry;
  return () => {
    // Its owner speaks for it.
    if (command.clientState !== undefined && conference.creator.leg === leg.id)
      desk.legs.toConference(conference.id, { type: 'commanded', clientState: command.clientState });
    goIn(desk, leg, entry);
  };
}

const notHere = (field: string): Refusal => ({
  why: 'unknownLeg',
  field,
  detail: 'This call is not in this conference.',
});

/** Those who are named, or all. */
function membersOf(
  desk: Desk,
  { id }: Conference,
  account: string,
  controls: readonly string[],
): readonly Leg[] | Refusal {
  if (controls.length === 0) return desk.registry.inPlace(id);
  const found: Leg[] = [];
  for (const control of new Set(controls)) {
    const leg = findLeg(desk, control, account, 'call_control_ids');
    if (isRefusal(leg)) return leg;
    if (stayOf(leg)?.id !== id) return notHere('call_control_ids');
    found.push(leg);
  }
  return found;
}

function decide(desk: Desk, command: Exclude<Named, { control: string }>, conference: Conference): Decision {
  const { legs, options } = desk;
  const { id, creator } = conference;
  if (command.type === 'endConference') return () => legs.toConference(id, { type: 'end' });
  if (command.type === 'setMember') return setMember(desk, command, conference);
  if (command.type === 'recordConference') return record(desk, command, conference);
  if (command.type === 'changeConferenceRecord') return changeRecord(desk, command, conference);
  const members = membersOf(desk, conference, command.account, command.controls);
  if (isRefusal(members)) return members;
  const all = command.controls.length === 0;
  const each = (change: MemberChange) => (): void => {
    for (const leg of members) legs.post(leg.id, { type: 'member', change });
  };
  switch (command.type) {
    case 'muteMembers':
      return each({ muted: command.muted });
    case 'holdMembers': {
      const sound = command.hold === undefined ? null : soundFor(desk, conference, command.hold);
      if (sound !== null && isRefusal(sound)) return sound;
      return () => {
        sound?.tell();
        each({ held: command.held, hold: sound?.id ?? null })();
      };
    }
    case 'playInto': {
      const { sound, loop = 1 } = command;
      const of = { conference: id, creator: creator.session };
      return () => {
        if (all)
          legs.toConference(id, { type: 'play', play: newPlay(uuid(options.random), sound, loop, false) });
        for (const leg of all ? [] : members)
          legs.post(leg.id, {
            type: 'play',
            play: newPlay(uuid(options.random), sound, loop, false, of),
          });
      };
    }
    case 'stopInto':
      return () => {
        if (all) legs.toConference(id, { type: 'stopPlay' });
        for (const leg of members)
          if (!all || leg.activities.plays.some(({ of }) => of?.conference === id))
            legs.post(leg.id, { type: 'stopPlay', stop: 'all', overlay: false });
      };
    case 'sendDigitsTo': {
      const { digits, durationMs } = command;
      const about = durationMs === undefined ? {} : { durationMs };
      return () => {
        for (const leg of members) legs.post(leg.id, { type: 'send', digits, ...about });
      };
    }
  }
}

function setMember(desk: Desk, command: Of<'setMember'>, { id }: Conference): Decision {
  const leg = desk.registry
    .inPlace(id)
    .find((one) => one.control === command.member || stayOf(one)?.member === command.member);
  if (leg === undefined)
    return { why: 'notFound', detail: 'There is no participant of this id in this conference.' };
  const { beep, endOnExit, softEndOnExit } = command;
  const change: MemberChange = {
    ...(beep === undefined ? {} : { beep }),
    ...(endOnExit === undefined ? {} : { endOnExit }),
    ...(softEndOnExit === undefined ? {} : { softEndOnExit }),
  };
  return () => desk.legs.post(leg.id, { type: 'member', change });
}
