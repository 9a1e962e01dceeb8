import type { Ms, Step } from '@sidetone/core';
import type { Beep, ConferenceEndReason } from '@sidetone/wire';
import { CAUSE, type Ending } from '../leg/ending.ts';
import type { Leg } from '../leg/leg.ts';
import { withDone } from '../leg/program.ts';
import {
  type Conference,
  ConferenceDraft,
  type ConferenceInput,
  type ConferenceOut,
  FRESH_MS,
  OVER_MS,
  SWEEP,
  stayOf,
} from './conference-draft.ts';
import {
  abandonRecording,
  onChangeRecord,
  onRecord,
  onRecorded,
  onRecordReply,
  resumeRecording,
  settleRecording,
} from './conference-recording.ts';
import {
  abandonPlays,
  onHold,
  onPlay,
  onPlayReply,
  onRoomPlayed,
  onSound,
  renew,
  resume,
  settlePlays,
  settleSounds,
  stopPlays,
} from './conference-sounds.ts';

/*
 * A conference, from the command that made it until nobody asks for it any more. It keeps no list: its legs say that they are in it.
 *
 *   init ──made so, or the first leg with `startOnEnter`──▶ in progress
 *     │                                                        │
 *     └──── all left, end, time, a leg with `endOnExit` ───────┴──▶ ending ──nobody left──▶ over ──10 min──▶ forgotten
 *                                                                     50 an input
 *
 *   a leg that is up and new here  → `joined`, a beep to the others
 *   nobody here, somebody was      → `all_left`; nobody ever: the same after a minute
 *   a leg left that ends it        → all others are hung up (`endOnExit`) or parked (`softEndOnExit`)
 */

export function stepConference(
  conference: Conference,
  input: ConferenceInput,
  members: readonly Leg[],
  now: Ms,
): Step<Conference, ConferenceOut> {
  const draft = new ConferenceDraft(conference, members, now);
  if ('n' in input && input.n !== undefined) {
    if (input.n <= conference.reported) return { state: conference, out: [] };
    draft.set({ reported: input.n });
  }
  switch (input.type) {
    case 'made':
      draft.news({ type: 'conferenceCreated', conference: conference.id });
      break;
    case 'look':
      look(draft);
      break;
    case 'left':
      onLeft(draft, input.leg);
      break;
    case 'tick':
      onTick(draft);
      break;
    case 'commanded':
      draft.set({
        done: withDone(conference.done, input.commandId, now),
        ...(input.clientState === undefined ? {} : { clientState: input.clientState }),
      });
      break;
    case 'end':
      end(draft, 'ended_via_api', null, false);
      break;
    case 'floor':
      if (isOpen(draft.conference) && input.leg !== null)
        draft.news({ type: 'floorChanged', conference: conference.id }, input.leg);
      break;
    case 'hold':
      onHold(draft, input);
      break;
    case 'play':
      onPlay(draft, input.play);
      break;
    case 'stopPlay':
      stopPlays(draft);
      break;
    case 'sound':
      onSound(draft, input);
      break;
    case 'playReply':
      onPlayReply(draft, input);
      break;
    case 'roomPlayed':
      onRoomPlayed(draft, input);
      break;
    case 'record':
      onRecord(draft, input);
      break;
    case 'changeRecord':
      onChangeRecord(draft, input);
      break;
    case 'recordReply':
      onRecordReply(draft, input);
      break;
    case 'recorded':
      onRecorded(draft, input);
      break;
    case 'saved':
      draft.news(input.news);
      break;
    case 'mediaLost':
      if (draft.conference.recording?.state !== 'waiting') abandonRecording(draft);
      break;
    case 'restored':
      resume(draft);
      resumeRecording(draft);
      // Who rang is gone, and of whom nothing could be read.
      look(draft);
      break;
  }
  settlePlays(draft);
  settleRecording(draft);
  return { state: draft.conference, out: draft.out };
}

/** Legs may come into it. */
export const isOpen = ({ state }: Conference): boolean => state === 'init' || state === 'in-progress';

const beeps = (set: Beep, at: 'on_enter' | 'on_exit'): boolean => set === 'always' || set === at;

function look(draft: ConferenceDraft): void {
  const { state } = draft.conference;
  if (state === 'over') return;
  if (state === 'ending') {
    if (draft.here.length === 0) complete(draft);
    return;
  }
  for (const leg of draft.here) {
    const stay = stayOf(leg);
    if (stay === null || stay.joined || leg.state.name !== 'up') continue;
    draft.set({ joined: true });
    if (stay.startOnEnter && draft.conference.state === 'init') start(draft);
    if (draft.conference.state === 'in-progress' && beeps(stay.beep ?? draft.conference.beep, 'on_enter'))
      beep(draft, 'enter', leg);
    draft.tell(leg.id, { type: 'joined' });
  }
  if (draft.here.length > 0) {
    if (draft.conference.emptyBy !== null) draft.set({ emptyBy: null });
  } else if (draft.conference.joined) end(draft, 'all_left', null, false);
  else if (draft.conference.emptyBy === null) draft.set({ emptyBy: draft.now + FRESH_MS });
  settleSounds(draft);
}

function start(draft: ConferenceDraft): void {
  draft.set({ state: 'in-progress', updatedAt: draft.now });
  draft.log('conference started');
}

function beep(draft: ConferenceDraft, kind: 'enter' | 'leave', { main }: Leg): void {
  const { id } = draft.conference;
  const except = main === null ? {} : { except: main };
  draft.emit({ type: 'room', command: { op: 'roomBeep', room: id, kind, ...except } });
}

function onLeft(draft: ConferenceDraft, leg: Leg): void {
  const stay = stayOf(leg);
  if (stay === null || !isOpen(draft.conference)) return;
  const { id: _, control, session } = leg;
  if (stay.endOnExit) return end(draft, 'host_left', { control, session }, false);
  if (stay.softEndOnExit) return end(draft, 'host_left', { control, session }, true);
  const { state, beep: set } = draft.conference;
  if (state === 'in-progress' && draft.here.length > 0 && beeps(stay.beep ?? set, 'on_exit'))
    beep(draft, 'leave', leg);
}

function onTick(draft: ConferenceDraft): void {
  const { state, nextAt, emptyBy, endsAt, renewAt } = draft.conference;
  const { now } = draft;
  const isDue = (at: Ms | null): boolean => at !== null && at <= now;
  if (state === 'over') {
    if (isDue(nextAt)) draft.emit({ type: 'forget' });
  } else if (state === 'ending') {
    if (isDue(nextAt)) sweep(draft);
  } else if (isDue(endsAt)) end(draft, 'time_exceeded', null, false);
  else if (isDue(emptyBy)) end(draft, 'all_left', null, false);
  else if (isDue(renewAt)) renew(draft);
}

function end(
  draft: ConferenceDraft,
  reason: ConferenceEndReason,
  by: { readonly control: string; readonly session: string } | null,
  parks: boolean,
): void {
  if (!isOpen(draft.conference)) return;
  abandonPlays(draft);
  abandonRecording(draft);
  draft.set({ state: 'ending', ended: { reason, by, parks }, emptyBy: null, updatedAt: draft.now });
  if (draft.here.length === 0) complete(draft);
  else sweep(draft);
}

/** Units stay small, and the loop free: so many an input. */
function sweep(draft: ConferenceDraft): void {
  const { here, now } = draft;
  const ending: Ending = { ...CAUSE.normal, by: 'platform' };
  const parks = draft.conference.ended?.parks === true;
  // Who rings was called for this conference alone.
  for (const { id, state } of here.slice(0, SWEEP))
    draft.tell(id, parks && state.name === 'up' ? { type: 'placed', place: null } : { type: 'end', ending });
  draft.set({ nextAt: here.length > SWEEP ? now : null });
}

function complete(draft: ConferenceDraft): void {
  const { id, ended } = draft.conference;
  const reason = ended?.reason ?? 'all_left';
  draft.news({ type: 'conferenceEnded', conference: id, reason });
  draft.set({
    state: 'over',
    nextAt: draft.now + OVER_MS,
    sounds: [],
    renewAt: null,
    plays: [],
    updatedAt: draft.now,
  });
  draft.emit({ type: 'over' });
  draft.log('conference ended', { reason });
}
