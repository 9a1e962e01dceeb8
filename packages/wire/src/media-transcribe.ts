/*
 * What is said on a leg, as text: media gives the sound to an engine by WebSocket, one for each track, and tells what it recognises
 * (docs/transcription.md).
 */

/** What is asked for, whatever engine there is. */
export interface TranscribeAsk {
  /** `inbound`: what the peer says; `outbound`: what it hears. */
  readonly tracks: 'inbound' | 'outbound' | 'both';
  /** As the back end wrote it; the engine knows what it makes of it. */
  readonly language?: string;
  /** Also what may yet change. */
  readonly interim?: true;
}

/** Of the operator's choice, so it may lie anywhere. */
export interface SpeechToText {
  /** `ws:` or `wss:`. */
  readonly url: string;
  /** Bearer token of the opening request. */
  readonly token?: string;
}

export type TranscribeCommand =
  /** Begins, or, of an `id` that is there or has ended, changes nothing. At most one a leg. */
  | (TranscribeAsk & {
      readonly op: 'transcribe';
      readonly leg: string;
      readonly id: string;
      readonly engine: SpeechToText;
    })
  /** Ends it, when the engine has told what is still to come; `ok` also when there is none of that id. */
  | { readonly op: 'transcribeStop'; readonly leg: string; readonly id: string };

export type TranscribeEvent =
  /** Only what is final has a number, and is told again after a claim. */
  | {
      readonly event: 'transcript';
      readonly leg: string;
      readonly n?: number;
      readonly id: string;
      readonly track: 'inbound' | 'outbound';
      readonly text: string;
      readonly final: boolean;
      /** 0 to 1; null: the engine does not say. */
      readonly confidence: number | null;
    }
  /** Its end; `reason`: the engine failed. */
  | {
      readonly event: 'transcribed';
      readonly leg: string;
      readonly n?: number;
      readonly id: string;
      readonly reason?: string;
    };
