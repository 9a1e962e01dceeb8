import { askedOf, MOST_ASKED, MOST_PLAYS, type Play } from '../activity/activity.ts';
import {
  type ConferenceDraft,
  type ConferenceInput,
  isInRoom,
  RENEW_MS,
  stayOf,
} from './conference-draft.ts';

/* What a conference plays: to all in its room, one at a time; and to who waits for its start, or is held. */

type Of<T extends ConferenceInput['type']> = Extract<ConferenceInput, { type: T }>;
type Status = 'completed' | 'cancelled' | 'file_not_found' | 'failed';

export function onPlay(draft: ConferenceDraft, play: Play): void {
  const { plays, state } = draft.conference;
  if (state !== 'init' && state !== 'in-progress') return;
  const asked = plays.reduce((sum, other) => sum + askedOf(other), askedOf(play));
  if (asked > MOST_ASKED || plays.length >= MOST_PLAYS) {
    tellBegin(draft, play);
    return tellEnd(draft, play, 'failed');
  }
  draft.set({ plays: [...plays, play] });
  if (play.ask !== null) draft.emit({ type: 'sound', id: play.id, ask: play.ask });
}

export function onSound(draft: ConferenceDraft, { id, result }: Of<'sound'>): void {
  const { sounds, renewAt } = draft.conference;
  const known = sounds.find((sound) => sound.id === id);
  if (known !== undefined) {
    // One that was there stays as it is, when it cannot be had again.
    if (known.state === 'there' && !result.ok) return;
    const heard = result.ok ? { state: 'there', file: result.file } : { state: 'failed' };
    draft.set({ sounds: sounds.map((s) => (s.id === id ? { ...s, ...(heard as typeof s) } : s)) });
    if (result.ok && renewAt === null) draft.set({ renewAt: draft.now + RENEW_MS });
    return;
  }
  const play = playOf(draft, id);
  if (play?.state !== 'preparing') return;
  if (result.ok) return change(draft, { ...play, state: 'ready', ask: null, file: result.file });
  tellBegin(draft, play);
  tellEnd(draft, play, result.why === 'not-found' ? 'file_not_found' : 'failed');
  remove(draft, play);
}

/** The first one is played once there is a room to hear it. */
export function settlePlays(draft: ConferenceDraft): void {
  const { id, plays, state } = draft.conference;
  const play = plays[0];
  if (state !== 'in-progress' || play?.state !== 'ready') return;
  if (!draft.here.some((leg) => isInRoom(leg, id))) return;
  change(draft, { ...play, state: 'playing' });
  command(draft, play);
  tellBegin(draft, play);
}

function command(draft: ConferenceDraft, { id, file, loop }: Play): void {
  const { id: room } = draft.conference;
  if (file !== null)
    draft.emit({ type: 'room', play: id, command: { op: 'roomPlay', room, id, file, loop } });
}

export function onPlayReply(draft: ConferenceDraft, { id, reply }: Of<'playReply'>): void {
  if (!reply.ok) ended(draft, id, 'failed');
}

export function onRoomPlayed(draft: ConferenceDraft, { id, status }: Of<'roomPlayed'>): void {
  ended(draft, id, status === 'stopped' ? 'cancelled' : status);
}

function ended(draft: ConferenceDraft, id: string, status: Status): void {
  const play = playOf(draft, id);
  if (play?.state !== 'playing') return;
  tellEnd(draft, play, status);
  remove(draft, play);
}

export function stopPlays(draft: ConferenceDraft): void {
  const { id: room, plays } = draft.conference;
  for (const play of plays) {
    if (play.state === 'playing') {
      draft.emit({ type: 'room', command: { op: 'roomStop', room, id: play.id } });
      tellEnd(draft, play, 'cancelled');
    }
    remove(draft, play);
  }
}

/** It ends: what was told as begun is told as ended. */
export function abandonPlays(draft: ConferenceDraft): void {
  stopPlays(draft);
}

export function onHold(draft: ConferenceDraft, { id, ask }: Of<'hold'>): void {
  draft.set({ sounds: [...draft.conference.sounds, { id, ask, state: 'asked', file: null }] });
  draft.emit({ type: 'sound', id, ask });
}

/** They are asked for again. */
export function renew(draft: ConferenceDraft): void {
  const there = draft.conference.sounds.filter(({ state }) => state === 'there');
  for (const { id, ask } of there) draft.emit({ type: 'sound', id, ask });
  draft.set({ renewAt: there.length === 0 ? null : draft.now + RENEW_MS });
}

/** A sound that nobody is to hear any more goes. */
export function settleSounds(draft: ConferenceDraft): void {
  const { sounds, waitHears, state } = draft.conference;
  if (sounds.length === 0) return;
  const heard = new Set(draft.here.map((leg) => stayOf(leg)?.hold));
  if (state === 'init') heard.add(waitHears);
  if (sounds.every(({ id }) => heard.has(id))) return;
  draft.set({ sounds: sounds.filter(({ id }) => heard.has(id)) });
}

/** The process before asked for sounds, and told media to play: it is asked and told again. */
export function resume(draft: ConferenceDraft): void {
  const { id, plays, sounds, state } = draft.conference;
  for (const sound of sounds)
    if (sound.state === 'asked') draft.emit({ type: 'sound', id: sound.id, ask: sound.ask });
  for (const play of plays) {
    if (play.ask !== null) draft.emit({ type: 'sound', id: play.id, ask: play.ask });
    if (play.state === 'playing') command(draft, play);
  }
  // What was stopped may play on in media.
  if (state !== 'over' && plays[0]?.state !== 'playing')
    draft.emit({ type: 'room', command: { op: 'roomStop', room: id } });
}

const playOf = ({ conference }: ConferenceDraft, id: string): Play | undefined =>
  conference.plays.find((play) => play.id === id);

function change(draft: ConferenceDraft, play: Play): void {
  draft.set({ plays: draft.conference.plays.map((one) => (one.id === play.id ? play : one)) });
}

function remove(draft: ConferenceDraft, { id }: Play): void {
  draft.set({ plays: draft.conference.plays.filter((play) => play.id !== id) });
}

function tellBegin(draft: ConferenceDraft, { told, media }: Play): void {
  const by = aboutOf(draft);
  draft.news(
    told === 'speech'
      ? { type: 'conferenceSpeakStarted', ...by }
      : { type: 'conferencePlayStarted', ...by, media },
  );
}

function tellEnd(draft: ConferenceDraft, { told, media }: Play, status: Status): void {
  const by = aboutOf(draft);
  draft.news(
    told === 'speech'
      ? { type: 'conferenceSpeakEnded', ...by, status }
      : { type: 'conferencePlayEnded', ...by, media, status },
  );
}

const aboutOf = ({ conference: { id, creator } }: ConferenceDraft) => ({
  conference: id,
  creator: creator.session,
});
