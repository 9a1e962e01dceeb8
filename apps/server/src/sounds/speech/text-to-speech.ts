import type { Voice } from './voices.ts';

/** What is to be said. */
export interface Utterance {
  /** Without markup. */
  readonly text: string;
  /** The same as SSML, when it came so: only elements and attributes that `ssml.ts` lets through. */
  readonly ssml?: string;
  readonly voice: Voice;
}

/** The port that speech comes by. */
export interface TextToSpeech {
  /** A part of the cache's key: what else than the utterance decides how it sounds. */
  readonly name: string;
  /**
   * WAV, MP3 or Ogg/Opus.
   * @throws SoundFault
   */
  speak(utterance: Utterance): Promise<Uint8Array>;
}
