import type { Ms } from '@sidetone/core';
import type { CommandResult, LegCommand, Refusal } from '@sidetone/wire';
import { isEnding, type Leg } from '../leg/leg.ts';
import type { Admission } from '../limits/admission.ts';
import type { Conferences } from '../place/conferences.ts';
import type { Queues } from '../place/queues.ts';
import type { Registry } from '../registry.ts';
import { type Asker, backEndAsks, userAsks } from '../routing/asker.ts';
import type { Transactions } from '../transaction.ts';
import type { VoiceOptions } from '../voice-options.ts';
import type { Beginnings } from './begin.ts';
import type { Remembered } from './remembered.ts';
import { accountOf, connectionOf } from './view.ts';

/** What commands are decided by, and carried out with. */
export interface Desk {
  readonly options: VoiceOptions;
  readonly registry: Registry;
  readonly legs: Transactions;
  readonly begin: Beginnings;
  readonly admission: Admission;
  readonly remembered: Remembered;
  readonly queues: Queues;
  readonly conferences: Conferences;
  readonly now: Ms;
  /** What the command has begun, for its answer. */
  readonly begun: { recording?: string };
}

/** What is to be done, or why not. */
export type Decision = (() => void) | Refusal;
export type Of<T extends LegCommand['type']> = Extract<LegCommand, { type: T }>;

export const refused = (refusal: Refusal): CommandResult => ({ ok: false, refusal });
export const isRefusal = (decision: object): decision is Refusal => 'why' in decision;

const about = (field?: string): { readonly field?: string } => (field === undefined ? {} : { field });

const unknownLeg = (field?: string): Refusal => ({
  why: 'unknownLeg',
  detail: 'There is no call of this call_control_id.',
  ...about(field),
});
export const ended = (field?: string): Refusal => ({
  why: 'ended',
  detail: 'This call is no longer active and can no longer be commanded.',
  ...about(field),
});
/** How long somebody who is called may ring, where the command does not say. */
export const RING_MS: Ms = 30_000;

export const UNANSWERED: Refusal = { why: 'unanswered', detail: 'This call has not been answered yet.' };

/** It is answered, or a command has answered it and media is at work. */
export const isUp = ({ state }: Leg): boolean => state.name === 'up' || state.name === 'answering';

/** The leg of the account; one that is over, or of nobody, is a refusal. */
export function findLeg(
  { registry, remembered, options }: Desk,
  control: string,
  account: string,
  field?: string,
): Leg | Refusal {
  const leg = registry.legOfControl(control);
  if (leg !== undefined) return accountOf(leg, options.identity()) === account ? leg : unknownLeg(field);
  return remembered.ended(control)?.account === account ? ended(field) : unknownLeg(field);
}

/** The same, of one that must not be ending. */
export function findLiveLeg(desk: Desk, control: string, account: string, field: string): Leg | Refusal {
  const leg = findLeg(desk, control, account, field);
  return !isRefusal(leg) && isEnding(leg) ? ended(field) : leg;
}

/** On whose account a command of this leg calls others. */
export function askerOf({ options }: Desk, leg: Leg): Asker | undefined {
  const identity = options.identity();
  const account = accountOf(leg, identity) ?? '';
  const connection = connectionOf(leg, identity);
  const user = identity.userByName(leg.userName ?? '');
  return connection === null ? user && userAsks(identity, user) : backEndAsks(identity, account, connection);
}
