import type { EpochMs, Ms } from '@sidetone/core';
import type { RecordEvent } from './media-record.ts';

/*
 * Recordings, as back ends ask for them and hear of them. Media makes the file (`media-record.ts`); once it is closed the signalling side
 * saves it: trims it, converts it, puts it where it is kept, and makes links to it.
 */

export interface RecordAsk {
  readonly format: 'wav' | 'mp3';
  /** 2: what the peer says, and what it hears; of a conference who made it, and everybody else. */
  readonly channels: 1 | 2;
  readonly track: 'both' | 'inbound' | 'outbound';
  readonly beep?: true;
  /** Of sound, pauses not counted. */
  readonly maxMs?: Ms;
  /** Behind speech nothing is said for so long: it ends. */
  readonly silenceMs?: Ms;
  /** Without the silence at its beginning and end. */
  readonly trim?: true;
  /** Instead of the id of the leg or conference; the time is added. */
  readonly fileName?: string;
}

/** What began it, as the API names it. */
export type RecordedBy = 'StartCallRecordingAPI' | 'OutboundAPI' | 'StartConferenceRecordingAPI';

/** A file that media has closed, with all that is known of it. Times are epoch milliseconds. */
export interface RecordingToSave extends Pick<RecordAsk, 'format' | 'channels' | 'trim'> {
  readonly account: string;
  readonly by: RecordedBy;
  readonly control: string | null;
  readonly leg: string | null;
  readonly session: string | null;
  readonly conference: string | null;
  readonly connection: string | null;
  readonly from: string;
  readonly to: string;
  /** In the data folder. */
  readonly file: string;
  /** What it is called where it is kept, without the ending. */
  readonly name: string;
  readonly startedAt: EpochMs;
  readonly endedAt: EpochMs;
  /** null: media died over it. */
  readonly why: RecordEvent['why'] | null;
  readonly lostMs: number;
}

/** As the API has them. */
export type RecordingProblem =
  | 'Failed to authorize with storage using custom credentials'
  | 'Invalid credentials json'
  | 'Unsupported backend'
  | 'Internal server error';

export type RecordingResult =
  /** `url`: a link that expires. */
  | { readonly ok: true; readonly url: string; readonly durationMs: Ms }
  | { readonly ok: false; readonly problem: RecordingProblem };

/** A recording that can be fetched. */
export interface SavedRecording {
  readonly id: string;
  readonly format: RecordAsk['format'];
  readonly channels: RecordAsk['channels'];
  readonly startedAt: EpochMs;
  readonly endedAt: EpochMs;
  readonly url: string;
}
