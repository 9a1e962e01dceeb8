import { type FrameId, RPC_ERROR } from '@sidetone/wire';
import type { Call, CallOut, CallReply } from './call.ts';

/** A call in the course of one input, and what it wants. */
export interface Draft {
  call: Call;
  readonly out: CallOut[];
}

export const gone: CallReply = {
  kind: 'error',
  code: RPC_ERROR.callDoesNotExist,
  message: 'CALL DOES NOT EXIST',
};

export const failure = (message: string): CallReply => ({
  kind: 'error',
  code: RPC_ERROR.callFailed,
  message,
});

export function reply(draft: Draft, id: FrameId, what: CallReply): void {
  draft.out.push({ type: 'reply', id, reply: what });
}

export function take(
  draft: Draft,
  { change: fields, out }: { readonly change: Partial<Call>; readonly out: readonly CallOut[] },
): void {
  change(draft, fields);
  draft.out.push(...out);
}

export const change = (draft: Draft, fields: Partial<Call>): void => {
  draft.call = { ...draft.call, ...fields };
};

/** Has the leg a dialog that requests can travel in? */
export const inDialog = (call: Call): boolean => call.phase === 'early' || call.phase === 'active';
