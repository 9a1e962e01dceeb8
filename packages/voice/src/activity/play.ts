import type { MediaReply, PlayStatus, SoundResult } from '@sidetone/wire';
import type { LegDraft } from '../leg/leg-draft.ts';
import type { LegInput } from '../message.ts';
import { askedOf, IDLE, MOST_ASKED, MOST_PLAYS, type Play } from './activity.ts';

/* The queue of what a leg plays: one at a time, and one more mixed in. */

type Of<T extends LegInput['type']> = Extract<LegInput, { type: T }>;

export function onPlay(draft: LegDraft, { play, stop }: Of<'play'>): void {
  if (stop !== undefined) stopPlays(draft, stop);
  addPlay(draft, play);
}

/** Asks for its sound at once, so that it is there when its turn comes. */
export function addPlay(draft: LegDraft, play: Play): void {
  const { plays, overlay } = draft.leg.activities;
  const { overlay: over } = play.media;
  const others = over || overlay === null ? plays : [...plays, overlay];
  const asked = others.reduce((sum, other) => sum + askedOf(other), askedOf(play));
  if (asked > MOST_ASKED || (!over && plays.length >= MOST_PLAYS)) {
    tellBegin(draft, play);
    tellEnd(draft, play, 'failed', 'too much waits to be played');
    return;
  }
  if (over) {
    if (overlay !== null) endPlay(draft, overlay, 'cancelled', true);
    draft.act({ overlay: play });
  } else draft.act({ plays: [...plays, play] });
  if (play.ask !== null) draft.emit({ type: 'sound', leg: draft.leg.id, id: play.id, ask: play.ask });
}

/** What was asked for is there, or cannot be had. */
export function onSound(draft: LegDraft, { id, result }: Of<'sound'>): void {
  const play = playOf(draft, id);
  if (play?.state !== 'preparing') return;
  if (result.ok) return change(draft, { ...play, state: 'ready', ask: null, file: result.file });
  tellBegin(draft, play);
  tellEnd(draft, play, statusOf(result), result.detail);
  remove(draft, play);
}

const statusOf = ({ why }: Exclude<SoundResult, { ok: true }>): PlayStatus =>
  why === 'not-found' ? 'file_not_found' : 'failed';

export function stopPlays(draft: LegDraft, stop: 'current' | 'all', overlay = true): void {
  const { plays, overlay: over } = draft.leg.activities;
  for (const play of stop === 'all' ? [...plays] : plays.slice(0, 1)) endPlay(draft, play, 'cancelled', true);
  if (overlay && over !== null) endPlay(draft, over, 'cancelled', true);
}

/** Media has come to the end of it, or could not read it. */
export function onPlayed(draft: LegDraft, { id, status }: Of<'played'>): void {
  const play = playOf(draft, id);
  if (play?.state !== 'playing') return;
  endPlay(
    draft,
    play,
    status === 'completed' ? 'completed' : status === 'failed' ? 'failed' : 'cancelled',
    false,
  );
}

/** Media's answer to the command. */
export function onPlayReply(draft: LegDraft, overlay: boolean, reply: MediaReply): void {
  if (reply.ok) return;
  const { plays, overlay: over } = draft.leg.activities;
  const play = overlay ? over : plays[0];
  draft.log('warn', 'media does not play', { error: reply.error });
  if (play?.state === 'playing') endPlay(draft, play, 'failed', false);
}

/** The leg is over: what was told as begun is told as ended. */
export function abandonPlays(draft: LegDraft): void {
  const { plays, overlay } = draft.leg.activities;
  if (draft.leg.activities === IDLE) return;
  for (const play of overlay === null ? plays : [...plays, overlay])
    if (play.state === 'playing') tellEnd(draft, play, 'call_hangup', '');
  draft.act(IDLE);
}

/** What is first in the queue and ready is played, once the leg is up. */
export function settlePlays(draft: LegDraft): void {
  const { main, leg } = draft;
  if (leg.state.name !== 'up' || main?.media.phase !== 'open') return;
  const { plays, overlay } = leg.activities;
  for (const play of [plays[0], overlay]) {
    if (play?.state !== 'ready' || play.file === null) continue;
    change(draft, { ...play, state: 'playing' });
    command(draft, play, main.id);
    tellBegin(draft, play);
  }
}

function command(draft: LegDraft, { id, file, loop, media }: Play, branch: string): void {
  if (file === null) return;
  const about = { op: 'play', leg: branch, id, file, loop } as const;
  draft.media(media.overlay ? 'overlay' : 'play', media.overlay ? { ...about, overlay: true } : about);
}

/** The process before asked for sounds, and told media to play: it is asked and told again. */
export function resumePlays(draft: LegDraft): void {
  const { plays, overlay } = draft.leg.activities;
  const { main } = draft;
  for (const play of overlay === null ? plays : [...plays, overlay]) {
    if (play.ask !== null) draft.emit({ type: 'sound', leg: draft.leg.id, id: play.id, ask: play.ask });
    if (play.state === 'playing' && main !== undefined) command(draft, play, main.id);
  }
}

export const playOf = ({ leg: { activities } }: LegDraft, id: string): Play | undefined =>
  activities.overlay?.id === id ? activities.overlay : activities.plays.find((play) => play.id === id);

/** Takes it out of the queue, and out of media where that still plays it. */
export function endPlay(draft: LegDraft, play: Play, status: PlayStatus, stops: boolean): void {
  const { main } = draft;
  if (play.state === 'playing') {
    if (stops && main?.media.phase === 'open')
      draft.media('aside', { op: 'stop', leg: main.id, id: play.id });
    tellEnd(draft, play, status, '');
  }
  remove(draft, play);
}

function tellBegin(draft: LegDraft, { told, media, of }: Play): void {
  if (of === undefined)
    draft.news(told === 'speech' ? { type: 'speakStarted' } : { type: 'playStarted', media });
  else if (told === 'speech') draft.news({ type: 'memberSpeakStarted', ...of });
  else draft.news({ type: 'memberPlayStarted', ...of, media });
}

function tellEnd(draft: LegDraft, { told, media, of }: Play, status: PlayStatus, detail: string): void {
  if (of !== undefined && told === 'speech') draft.news({ type: 'memberSpeakEnded', ...of, status });
  else if (of !== undefined) draft.news({ type: 'memberPlayEnded', ...of, media, status });
  else if (told === 'media') draft.news({ type: 'playEnded', media, status, detail });
  else draft.news({ type: 'speakEnded', status: status === 'file_not_found' ? 'failed' : status });
}

function change(draft: LegDraft, play: Play): void {
  if (play.media.overlay) return draft.act({ overlay: play });
  draft.act({ plays: draft.leg.activities.plays.map((one) => (one.id === play.id ? play : one)) });
}

function remove(draft: LegDraft, play: Play): void {
  if (play.media.overlay) return draft.act({ overlay: null });
  draft.act({ plays: draft.leg.activities.plays.filter(({ id }) => id !== play.id) });
}
