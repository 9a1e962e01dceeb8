import type { Config } from '../config/schema.ts';

/** How a child ends that met an error nobody caught. */
export const FAULT = 70;

/** What the signalling process is started with. */
export interface SignallingStart {
  readonly config: Config;
  /** Absolute. */
  readonly dataDir: string;
  /** Unix socket of the media process. */
  readonly mediaSocket: string;
  /** Those that media uses; a supervisor of an older release does not say. */
  readonly mediaAddresses?: readonly string[];
  /** The journal is put aside: processes that took it over kept failing. */
  readonly afresh?: boolean;
}

/** Supervisor → child. */
export type ToChild =
  | { readonly type: 'start-signalling'; readonly start: SignallingStart }
  /** All that can be done beside the process in service; then `standing-by`, and nothing until `take-over`. */
  | { readonly type: 'stand-by'; readonly start: SignallingStart }
  /** The process in service has ended: go on with its calls. */
  | { readonly type: 'take-over' }
  /** Leave the calls to the one that stands by, and end. */
  | { readonly type: 'hand-over' }
  | { readonly type: 'drain' };

/** Child → supervisor. */
export type FromChild =
  | {
      readonly type: 'ready';
      readonly users: readonly { readonly userName: string; readonly link?: string }[];
      /** Calls alive: those of the process before. */
      readonly calls?: number;
    }
  /** The child cannot start; the sentence is for the operator. */
  | { readonly type: 'failed'; readonly sentence: string }
  | { readonly type: 'standing-by' }
  /** It does not hand over: calls would be lost. Nothing has changed. */
  | { readonly type: 'staying'; readonly why: string }
  /** No new calls from here on; `early` ones have a moment to be answered. */
  | { readonly type: 'handing-over'; readonly early: number }
  /** Signalling is away from here on, and `calls` go on in media. `ended`: early ones that were not answered in time. */
  | { readonly type: 'leaving'; readonly calls: number; readonly ended: number };
