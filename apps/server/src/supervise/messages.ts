import type { Config } from '../config/schema.ts';

/** What the signalling process is started with. */
export interface SignallingStart {
  readonly config: Config;
  /** Absolute. */
  readonly dataDir: string;
  /** Unix socket of the media process. */
  readonly mediaSocket: string;
}

/** Supervisor → child. */
export type ToChild =
  | { readonly type: 'start-signalling'; readonly start: SignallingStart }
  | { readonly type: 'drain' };

/** Child → supervisor. */
export type FromChild =
  | {
      readonly type: 'ready';
      readonly users: readonly { readonly userName: string; readonly link?: string }[];
    }
  /** The child cannot start; the sentence is for the operator. */
  | { readonly type: 'failed'; readonly sentence: string };
