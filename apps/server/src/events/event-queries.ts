import type { EpochMs } from '@sidetone/core';
import type { DeliveryAttempt } from '@sidetone/webhooks';
import type { CallEvent } from '@sidetone/wire';

/*
 * What is asked of the event store, and answered. All of it concerns one account: what belongs to another is as unknown as what never was.
 */

/** `untold`: nobody hears it. */
export type DeliveryState = 'untold' | 'pending' | 'delivered' | 'failed';

export interface StoredEvent {
  readonly event: CallEvent;
  /** Its digits are there. */
  readonly whole: boolean;
  readonly state: DeliveryState;
  /** Of the first try, and of the last answer. */
  readonly startedAt: EpochMs | null;
  readonly finishedAt: EpochMs | null;
}

export interface StoredDelivery extends StoredEvent {
  /** The latest first, at most `MOST_ATTEMPTS_SHOWN`. */
  readonly attempts: readonly DeliveryAttempt[];
}

/** Times from and to, both included. */
export interface Span {
  readonly from: EpochMs;
  readonly to: EpochMs;
}

interface Paged {
  readonly account: string;
  readonly limit: number;
  readonly offset: number;
  /** Behind the event with this id; one that is not there is the end of the list. */
  readonly after?: string;
}

/** In the order in which they happened. */
export interface EventQuery extends Paged {
  readonly leg?: string;
  readonly session?: string;
  readonly connection?: string;
  /** `call.initiated` */
  readonly name?: string;
  readonly from?: string;
  readonly to?: string;
  readonly failed?: boolean;
  readonly at: Span;
}

/** The latest first. */
export interface DeliveryQuery extends Paged {
  readonly state?: DeliveryState;
  readonly names?: readonly string[];
  /** Text that the event, or one of its tries, holds. */
  readonly holds?: string;
  readonly attemptHolds?: string;
  readonly started?: Span;
  readonly finished?: Span;
}

export interface Found<T> {
  readonly rows: readonly T[];
  readonly total: number;
}

export interface EventReader {
  events(query: EventQuery): Promise<Found<StoredEvent>>;
  deliveries(query: DeliveryQuery): Promise<Found<StoredDelivery>>;
  delivery(account: string, id: string): Promise<StoredDelivery | null>;
}

export const MOST_ATTEMPTS_SHOWN = 50;
