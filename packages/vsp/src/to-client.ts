import type { Random } from '@sidetone/core';
import { type FrameId, FrameWriter, RPC_ERROR, retryAfter, traitsOf } from '@sidetone/wire';
import type { Call, CallFrame, CallReply, ClientWish } from './call.ts';
import type { Unheard } from './kept-sessions.ts';
import type { Session } from './session.ts';

type Told = Exclude<ClientWish, { type: 'reply' }>;

/** Spells what a call tells its client, as our request `id`. */
export function requestText(session: Session, call: Call, out: Told, id: number): string {
  const writer = new FrameWriter(session);
  const { callId, caller, callee, ids } = call;
  const told = { callId, caller, callee, ids, customHeaders: call.headers };
  switch (out.type) {
    case 'ringing':
      return writer.ringing(id, { ...told, customHeaders: out.customHeaders });
    case 'media':
      return writer.media(id, callId, out.sdp, ids);
    case 'answer':
      return writer.answer(id, {
        callId,
        ids,
        customHeaders: out.customHeaders,
        ...(out.sdp === undefined ? {} : { sdp: out.sdp }),
      });
    case 'invite':
      return writer.invite(id, {
        ...told,
        sdp: out.ring.sdp,
        ...(out.ring.clientState === undefined ? {} : { clientState: out.ring.clientState }),
      });
    case 'attach':
      return writer.attach(id, {
        ...told,
        sdp: out.sdp,
        direction: call.direction,
        ...(call.ring?.clientState === undefined ? {} : { clientState: call.ring.clientState }),
      });
    case 'bye':
      return byeText(session, { call, bye: out }, id);
  }
}

/** Spells the end of a call. */
export function byeText(session: Session, { call, bye }: Unheard, id: number): string {
  const { callId, sipCallId } = call;
  const { cause, sipCode, sipReason, customHeaders } = bye.end;
  return new FrameWriter(session).bye(id, { callId, cause, sipCode, sipReason, sipCallId, customHeaders });
}

/** Spells the answer to a request about a call. */
export function replyText(session: Session, callId: string, id: FrameId, reply: CallReply): string {
  const writer = new FrameWriter(session);
  switch (reply.kind) {
    case 'done':
      return writer.callResult(id, callId);
    case 'hold':
      return writer.holdResult(id, callId, reply.action, reply.held);
    case 'media':
      return writer.mediaResult(id, callId, reply.sdp, reply.held);
    case 'transferred':
      return writer.callResult(id, callId, { action: reply.action });
    case 'sent':
      return writer.sent(id);
    case 'error':
      return writer.error(id, reply.code, reply.message);
  }
}

/** The answer about a call that is over, never was, or is somebody else's: all the same to the client. */
export function unknownCallText(session: Session, frame: CallFrame): string {
  const writer = new FrameWriter(session);
  // Clients say bye for calls that we refused, and trickle behind calls that ended; an error would be shown to people.
  const harmless = frame.kind === 'bye' || frame.kind === 'candidate' || frame.kind === 'endOfCandidates';
  return harmless
    ? writer.callResult(frame.id, frame.callId)
    : writer.error(frame.id, RPC_ERROR.callDoesNotExist, 'CALL DOES NOT EXIST');
}

/** After a push a client asks for its calls; those that ring, and those that ended, were told when it became ready. */
export function attachCallsText(session: Session, id: FrameId, calls: readonly Call[]): string {
  const writer = new FrameWriter(session);
  const { attachCallsWithoutCall } = traitsOf(session.agent);
  const rings = calls.some((call) => call.phase === 'ringing');
  return rings || attachCallsWithoutCall === 'result' ? writer.attached(id) : writer.attachFailed(id);
}

/** Refuses a call that may be tried again in a moment. */
export function tryLater(session: Session, id: FrameId, why: string, random: Random): string {
  const seconds = retryAfter(random);
  const text = `The server is ${why}, try again in ${seconds} s`;
  return new FrameWriter(session).error(id, RPC_ERROR.callFailed, text, Number(seconds));
}
