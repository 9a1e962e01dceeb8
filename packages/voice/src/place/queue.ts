import type { EpochMs, Ms } from '@sidetone/core';
import type { DequeueReason, QueuedView, QueueView } from '@sidetone/wire';
import type { Place } from './place.ts';

/*
 * Where answered legs wait for somebody, the first in the first out. A queue keeps no list of its legs: the place of a leg has its ticket,
 * and a leg's position is the rank of that among those who wait.
 *
 *   enqueue ──▶ waiting ──bridge {queue}, bridge, join, …──▶ there, `dequeued`: bridged
 *                  ├── leave_queue, DELETE ──▶ parked: leave
 *                  ├── `until` ──────────────▶ parked: timeout
 *                  └── hangs up ─────────────▶ gone: hangup; or, if it was asked to stay, listed until it is taken
 */

export type QueuePlace = Extract<Place, { in: 'queue' }>;

/** A plain record, journalled. */
export interface Queue {
  /** UUID. */
  readonly id: string;
  readonly account: string;
  /** One of the account. */
  readonly name: string;
  readonly maxSize: number;
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
  /** Nobody has been in it since. */
  readonly idleSince: Ms | null;
  /** How long those waited that left it last. */
  readonly waits: readonly Ms[];
  readonly kept: readonly KeptCall[];
}

/** A leg that is over and was asked to stay in its queue. */
export interface KeptCall {
  readonly control: string;
  readonly leg: string;
  readonly session: string;
  readonly connection: string | null;
  readonly from: string;
  readonly to: string;
  readonly ticket: number;
  readonly enqueuedAt: EpochMs;
  /** Until it hung up. */
  readonly waitedMs: Ms;
}

/** What is read of queues. */
export interface QueueReads {
  /** The queues of an account. */
  viewsOf(account: string): readonly QueueView[];
  viewOf(account: string, name: string): QueueView | undefined;
  /** Who is in a queue, the first one first; `undefined`: there is no such queue. */
  queued(account: string, name: string): readonly QueuedView[] | undefined;
}

/** What a leg tells of its queue; where it stood there is known to the queue. */
export type QueueNews =
  | { readonly type: 'enqueued'; readonly place: QueuePlace }
  | { readonly type: 'dequeued'; readonly place: QueuePlace; readonly reason: DequeueReason };

/** Of so many the average is made. */
export const MOST_WAITS = 50;
/** Of an account, in all of its queues; the oldest makes room. They are journalled with their queue. */
export const MOST_KEPT = 250;
/** A queue that nobody was in for so long is forgotten. */
export const IDLE_MS: Ms = 3_600_000;
/** Of an account. */
export const MOST_QUEUES = 1000;
/** Of a queue that an `enqueue` makes. */
export const DEFAULT_SIZE = 100;
