import { BRIDGE_ROWS } from './rows-bridges.ts';
import { COMMAND_ROWS } from './rows-commands.ts';
import { CONFERENCE_ROWS } from './rows-conferences.ts';
import { PATTERN_ROWS } from './rows-pattern1.ts';
import { QUEUE_ROWS } from './rows-queues.ts';
import { RECORDING_ROWS } from './rows-recording.ts';
import { SOUND_ROWS } from './rows-sounds.ts';
import { STREAM_ROWS } from './rows-streams.ts';
import type { VoiceRow } from './scene.ts';

/** What every generation of the official package must be able to do with calls, on a real server with real media ends. */
export const ROWS: readonly VoiceRow[] = [
  ...PATTERN_ROWS,
  ...COMMAND_ROWS,
  ...BRIDGE_ROWS,
  ...SOUND_ROWS,
  ...RECORDING_ROWS,
  ...CONFERENCE_ROWS,
  ...QUEUE_ROWS,
  ...STREAM_ROWS,
];
