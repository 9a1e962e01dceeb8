import type { Ms } from '@sidetone/core';
import type {
  EventConference,
  ForkAsk,
  GatherAsk,
  MachineDetectionAsk,
  PlayedMedia,
  RecordAsk,
  RecordedBy,
  SoundAsk,
  StreamAsk,
  TranscribeAsk,
} from '@sidetone/wire';

/*
 * What a leg does beside talking: it plays what waits in its queue, and gathers digits. Both go on wherever it is, and die with it.
 *
 *   play     preparing ──file──▶ ready ──first in the queue, leg up──▶ playing ──played, stopped──▶ gone
 *                └── no file ──▶ gone, told as failed
 *
 *   gather   prompting ──digit, or the prompt's end──▶ collecting ──enough, terminating digit, time──▶ told once, gone
 *                ▲                                          │
 *                └──────────── wrong, and tries left ───────┘
 */

/** One thing to be heard. */
export interface Play {
  /** Unique on the leg; its name in media. */
  readonly id: string;
  readonly state: 'preparing' | 'ready' | 'playing';
  /** What is to be fetched or made; `null` once it is. */
  readonly ask: SoundAsk | null;
  readonly file: string | null;
  /** How often; null: until it is stopped. */
  readonly loop: number | null;
  /** How it is told: as speech, as media, or not at all (the prompt of a gather is told like any). */
  readonly told: 'speech' | 'media';
  readonly media: PlayedMedia;
  /** Played to a member of it, and told so. */
  readonly of?: EventConference;
}

export interface Gather {
  /** In front of the ids of its prompts. */
  readonly id: string;
  readonly ask: GatherAsk;
  readonly state: 'prompting' | 'collecting';
  readonly digits: string;
  /** Tries that have begun. */
  readonly tries: number;
  /** When it has waited for long enough: for the next digit, and for all of them. */
  readonly until: Ms | null;
  readonly allBy: Ms | null;
}

/** Listening who has answered: `detection.ts`. */
export interface Detection {
  readonly ask: MachineDetectionAsk;
  readonly state: 'listening' | 'greeting';
  /** When this state began. */
  readonly began: Ms;
  /** When the peer spoke first; since when it is silent; how often it began to speak. */
  readonly spokeAt: Ms | null;
  readonly quietAt: Ms | null;
  readonly words: number;
  /** When time by itself decides something. */
  readonly until: Ms;
}

/** Its sound by WebSocket: `stream.ts`. */
export interface Stream {
  readonly id: string;
  readonly ask: StreamAsk;
  readonly parameters: readonly (readonly [name: string, value: string])[];
  /** Whose media is streamed. */
  readonly branch: string | null;
  readonly state: 'asked' | 'connecting' | 'beginning' | 'open';
}

/** What is said on it, as text: `transcription.ts`. */
export interface Transcribing {
  readonly id: string;
  readonly ask: TranscribeAsk;
  readonly state: 'asked' | 'on' | 'stopping';
}

/** Copies of its RTP to somebody else: `fork.ts`. */
export interface Forking {
  readonly id: string;
  readonly ask: ForkAsk;
  readonly state: 'asked' | 'beginning' | 'on';
}

/** A file that grows, until media has closed it: `recording.ts`, `conference-recording.ts`. */
export interface Recording {
  /** Its name in media, too. */
  readonly id: string;
  readonly state: 'waiting' | 'starting' | 'running' | 'paused';
  readonly ask: RecordAsk;
  readonly by: RecordedBy;
  /** When media began. */
  readonly startedAt: Ms | null;
}

export interface Activities {
  /** The first one plays, as soon as it can. */
  readonly plays: readonly Play[];
  /** Mixed into what the leg hears. */
  readonly overlay: Play | null;
  readonly gather: Gather | null;
  readonly detection: Detection | null;
  readonly stream: Stream | null;
  readonly transcription: Transcribing | null;
  readonly fork: Forking | null;
  readonly recording: Recording | null;
}

export const IDLE: Activities = {
  plays: [],
  overlay: null,
  gather: null,
  detection: null,
  stream: null,
  transcription: null,
  fork: null,
  recording: null,
};

/** At most so many wait, */
export const MOST_PLAYS = 100;
/** with what is still to be fetched or made of them: characters of JSON. */
export const MOST_ASKED = 200_000;

export const askedOf = ({ ask, media }: Play): number => JSON.stringify([ask, media]).length;

/** What is asked for, as a play. */
export function newPlay(
  id: string,
  ask: SoundAsk,
  loop: number | null,
  overlay: boolean,
  of?: EventConference,
): Play {
  const url = ask.kind === 'url' ? { url: ask.url } : {};
  const name = ask.kind === 'media' ? { name: ask.name } : {};
  const told = ask.kind === 'speech' ? 'speech' : 'media';
  const media = { ...url, ...name, overlay };
  const by = of === undefined ? {} : { of };
  return { id, state: 'preparing', ask, file: null, loop, told, media, ...by };
}
