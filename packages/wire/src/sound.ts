import type { Ms } from '@sidetone/core';

/** Something to be heard: fetched, or made, and converted before media plays it. */
export type SoundAsk =
  | { readonly kind: 'url'; readonly url: string }
  /** Stored by the account under this name. */
  | { readonly kind: 'media'; readonly name: string }
  /** Base64 of a file. */
  | { readonly kind: 'content'; readonly content: string }
  | {
      readonly kind: 'speech';
      readonly text: string;
      readonly ssml?: boolean;
      /** Free text: whatever it says, some voice speaks. */
      readonly voice: string;
      readonly language?: string;
    };

/**
 * `file`: a WAV of the data folder, 16-bit PCM, one channel; `ms`: how long it is.
 * `not-found`: 404, or no such name; `refused`: an address we do not fetch from; `not-audio`, `too-large`, `failed`.
 */
export type SoundResult =
  | { readonly ok: true; readonly file: string; readonly ms: Ms }
  | {
      readonly ok: false;
      readonly why: 'not-found' | 'refused' | 'not-audio' | 'too-large' | 'failed';
      readonly detail: string;
    };
