import type { Ms } from '@sidetone/core';
import { reasonPhrase } from '@sidetone/sip';
import { type FrameId, RPC_ERROR } from '@sidetone/wire';
import type { Call, CallFrame, CallInput, CallOut, CallReply } from './call.ts';

/*
 * A transfer that the client asked for, within `active`:
 *
 *   none ──transfer, replace──▶ asked: REFER ──202, NOTIFY 200──▶ result; voice's BYE ends the call
 *                                 └── refused, NOTIFY ≥ 300, no word in time ──▶ error, the call goes on
 *
 * A client that goes away meanwhile is told nothing of it: it sees whether its call is there.
 */

/** voice lets a target ring for a minute. */
const TRANSFER_MS = 120_000;

type Step = { readonly change: Partial<Call>; readonly out: readonly CallOut[] };

const fail = (id: FrameId, message: string): CallOut => ({
  type: 'reply',
  id,
  reply: { kind: 'error', code: RPC_ERROR.callFailed, message },
});

/** The client's request. */
export function askTransfer(
  call: Call,
  frame: Extract<CallFrame, { kind: 'transfer' | 'replace' }>,
  now: Ms,
): Step {
  const refuse = (message: string): Step => ({ change: {}, out: [fail(frame.id, message)] });
  if (call.phase !== 'active') return refuse('The call is not answered');
  if (call.transfer !== null) return refuse('A transfer of this call is under way already');
  if (frame.kind === 'replace' && frame.otherCallId === call.callId)
    return refuse('A call cannot be joined with itself');
  const transfer = { frame: frame.id, action: frame.kind, until: now + TRANSFER_MS };
  const to =
    frame.kind === 'transfer' ? { destination: frame.destination } : { otherCallId: frame.otherCallId };
  return { change: { transfer }, out: [{ type: 'refer', to }] };
}

/** voice's answer to the REFER, or its word on how the transfer gets on. */
export function transferNews(
  call: Call,
  input: Extract<CallInput, { type: 'referred' | 'transferred' }>,
): Step {
  const { transfer } = call;
  if (transfer === null || (input.type === 'referred' ? input.status < 300 : !input.final))
    return { change: {}, out: [] };
  const { frame: id, action } = transfer;
  if (input.status < 300) {
    const done: CallReply = { kind: 'transferred', action };
    return { change: { transfer: null }, out: [{ type: 'reply', id, reply: done }] };
  }
  const why = input.type === 'referred' ? (REFUSED[input.status] ?? reasonPhrase(input.status)) : input.why;
  return { change: { transfer: null }, out: [fail(id, `The transfer failed: ${why} (${input.status})`)] };
}

const REFUSED: Readonly<Record<number, string>> = {
  403: 'not allowed for this call',
  480: 'nobody is on the other side',
  404: 'no such call',
  491: 'another transfer or media change is under way',
};

/** The call is over, or nothing was heard: the request is not left without an answer. */
export function dropTransfer(call: Call, why: string): Step {
  const { transfer } = call;
  return transfer === null
    ? { change: {}, out: [] }
    : { change: { transfer: null }, out: [fail(transfer.frame, why)] };
}
