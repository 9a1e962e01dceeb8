import type { Ms } from '@sidetone/core';
import type { CallEvent, Hook } from '@sidetone/wire';
import { originOf } from './schedule.ts';

/** An event that is not told yet. */
export interface Item {
  readonly event: CallEvent;
  readonly hook: Hook;
  readonly account: string;
  /** Where it waits: endpoint of its first URL. */
  readonly seat: string;
  /** What it takes in the journal: characters of JSON. */
  readonly weight: number;
  /** Tries in this process, and before. */
  tries: number;
  readonly before: number;
  failures: number;
  phase: 'behind' | 'waiting' | 'flying' | 'pausing';
  holds: boolean;
  /** Endpoint of the try that waits or flies. */
  at: string;
  /** When the present phase is over, or began to fly. */
  until: Ms;
  /** When it was first tried. */
  since: Ms | null;
  giveUpAt: Ms;
  /** Why the last try failed. */
  why: string;
}

/** The events of a leg that wait for each other. */
export interface Lane {
  holder: Item | null;
  readonly behind: Set<Item>;
}

/** @param before tries of it in earlier lives */
export const newItem = (event: CallEvent, hook: Hook, giveUpAt: Ms, before: number): Item => ({
  event,
  hook,
  account: event.account,
  seat: `${event.account} ${originOf(hook.url)}`,
  weight: JSON.stringify(event).length,
  tries: 0,
  before,
  failures: 0,
  phase: 'behind',
  holds: false,
  at: '',
  until: 0,
  since: null,
  giveUpAt,
  why: 'never tried',
});
