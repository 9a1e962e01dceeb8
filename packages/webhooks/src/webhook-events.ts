import type { EpochMs, JournalLine, LogLine, Ms, Restore } from '@sidetone/core';
import type { CallEvent } from '@sidetone/wire';

/** How one try ended, as the edge saw it. */
export interface Outcome {
  /** Of the answer; null: there was none. */
  readonly status: number | null;
  /** Why there was none; null: there was one. For people; without the URL. */
  readonly why: string | null;
  readonly startedAt: EpochMs;
  readonly ms: Ms;
  /** As they were sent and came, for the list of deliveries. */
  readonly requestHeaders: readonly (readonly [string, string])[];
  readonly responseHeaders: readonly (readonly [string, string])[];
  /** At most 4 KiB. */
  readonly responseBody: string;
}

/** A try, as the list of deliveries keeps it. */
export interface DeliveryAttempt extends Outcome {
  readonly event: string;
  /** `meta.attempt`. */
  readonly attempt: number;
  readonly url: string;
  readonly delivered: boolean;
}

/** What `webhooks` accepts. */
export type WebhooksInput =
  | { readonly type: 'tick' }
  | Restore
  /** One of voice; it is journalled in this turn. */
  | { readonly type: 'event'; readonly event: CallEvent }
  /** The answer to the `post` with this event and attempt. At most one. */
  | {
      readonly type: 'posted';
      readonly id: string;
      readonly attempt: number;
      readonly outcome: Outcome;
    }
  /** The event store has these events, or has given them up. */
  | { readonly type: 'stored'; readonly ids: readonly string[] }
  /** An event that was told, or given up, is told once more; `attempts`: how often it was tried. */
  | { readonly type: 'redeliver'; readonly event: CallEvent; readonly attempts: number }
  /** Posts nothing from now on: what is not delivered is left to the next process. */
  | { readonly type: 'drain' };

/** A request to be made; answered by one `posted`. */
export interface Post {
  readonly type: 'post';
  /** Of the event. */
  readonly id: string;
  readonly attempt: number;
  readonly url: string;
  readonly method: 'POST' | 'GET';
  /** The envelope; with GET it goes into the query. */
  readonly body: object;
  readonly timeoutMs: Ms;
}

/** For the event store. Events are answered by `stored`; the same event may come again, after a restart. */
export type StoreItem =
  | { readonly kind: 'event'; readonly event: CallEvent }
  | { readonly kind: 'attempt'; readonly attempt: DeliveryAttempt }
  /** Nothing more is tried. */
  | { readonly kind: 'settled'; readonly id: string; readonly delivered: boolean };

/** What `webhooks` asks of its driver. */
export type WebhooksOutput =
  | Post
  | { readonly type: 'store'; readonly item: StoreItem }
  | JournalLine
  | LogLine;
