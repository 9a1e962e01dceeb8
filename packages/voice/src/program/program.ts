import type { MediaReply } from '@sidetone/wire';
import type { CallInput } from '../call-events.ts';
import type { Draft } from '../draft.ts';
import type { Leg } from '../leg.ts';

/**
 * What a program of a call decides: how it begins, what the answers of callees and of media mean for it, and when it
 * has waited long enough. Everything that holds for any call (hold, digits, endings, records) is not its business.
 */
export interface Program {
  start(draft: Draft): void;
  bindings(draft: Draft, input: Extract<CallInput, { type: 'bindings' }>): void;
  progress(draft: Draft, input: Extract<CallInput, { type: 'progress' }>): void;
  accepted(draft: Draft, input: Extract<CallInput, { type: 'accepted' }>): void;
  failed(draft: Draft, input: Extract<CallInput, { type: 'failed' }>): void;
  confirmed(draft: Draft, input: Extract<CallInput, { type: 'confirmed' }>): void;
  /** Media's answer to the first description of a leg, or to an `accept` during set-up. */
  mediaReply(draft: Draft, leg: Leg, tag: 'first' | 'accept', reply: MediaReply): void;
  /** A callee leg that is not the bridged one was ended by us. */
  legLost(draft: Draft): void;
  tick(draft: Draft): void;
}
