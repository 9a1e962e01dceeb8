import type { MediaCommand, MediaReply } from '@sidetone/wire';
import { refuse } from './refusal.ts';

/* What an owner asks for, looked at before it is done: the owner is ours, and may be of another release. */

type Of<Op extends MediaCommand['op']> = Extract<MediaCommand, { op: Op }>;

const MAX_ID = 256;
const MAX_FILE = 4096;

/** Why it can be no such thing; `undefined`: it can. */
export function badPlay(wish: Of<'play' | 'roomPlay'>): MediaReply | undefined {
  const { loop } = wish;
  if (loop !== null && !(Number.isInteger(loop) && loop > 0))
    return refuse('wrong-state', 'loop is a whole number from 1 on, or null');
  return badName('a play', wish);
}

export function badRecording(wish: Of<'record'>): MediaReply | undefined {
  const { channels, track, maxMs, silenceMs } = wish;
  if (channels !== 1 && channels !== 2) return refuse('wrong-state', 'a recording has 1 or 2 channels');
  if (!['both', 'inbound', 'outbound'].includes(track))
    return refuse('wrong-state', 'track is both, inbound or outbound');
  if (!isCount(maxMs) || !isCount(silenceMs)) return refuse('wrong-state', 'a limit is a number above 0');
  return badName('a recording', wish);
}

const isCount = (value: number | undefined): boolean =>
  value === undefined || (Number.isFinite(value) && value > 0);

function badName(
  what: string,
  { id, file }: { readonly id: string; readonly file: string },
): MediaReply | undefined {
  if (typeof id !== 'string' || id === '' || id.length > MAX_ID)
    return refuse('wrong-state', `the id of ${what} has 1 to ${MAX_ID} characters`);
  if (typeof file !== 'string' || file === '' || file.length > MAX_FILE)
    return refuse('wrong-state', `the name of a file has 1 to ${MAX_FILE} characters`);
  return undefined;
}
