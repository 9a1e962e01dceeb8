import { header, type SipRequest } from '@sidetone/sip';
import { createFrameWriter, type FrameId, HEADER } from '@sidetone/wire';
import type { Call, CallReply, ClientWish } from './call.ts';
import { customOf } from './from-sip.ts';
import type { Session } from './session.ts';

type Told = Exclude<ClientWish, { type: 'reply' }>;

/** Spells what a call tells its client, as our request `id`. */
export function requestText(session: Session, call: Call, out: Told, id: number): string {
  const writer = createFrameWriter(session);
  const { callId, ids } = call;
  switch (out.type) {
    case 'ringing':
      return writer.ringing(id, {
        callId,
        caller: call.caller,
        callee: call.callee,
        ids,
        customHeaders: out.customHeaders,
      });
    case 'media':
      return writer.media(id, callId, out.sdp, ids);
    case 'answer':
      return writer.answer(id, {
        callId,
        ids,
        customHeaders: out.customHeaders,
        ...(out.sdp === undefined ? {} : { sdp: out.sdp }),
      });
    case 'bye':
      return writer.bye(id, {
        callId,
        cause: out.end.cause,
        sipCode: out.end.sipCode,
        sipReason: out.end.sipReason,
        sipCallId: call.sipCallId,
        customHeaders: out.end.customHeaders,
      });
  }
}

/** Spells the answer to a request about a call. */
export function replyText(session: Session, callId: string, id: FrameId, reply: CallReply): string {
  const writer = createFrameWriter(session);
  switch (reply.kind) {
    case 'done':
      return writer.callResult(id, callId);
    case 'hold':
      return writer.holdResult(id, callId, reply.action, reply.held);
    case 'media':
      return writer.mediaResult(id, callId, reply.sdp, reply.held);
    case 'sent':
      return writer.sent(id);
    case 'error':
      return writer.error(id, reply.code, reply.message);
  }
}

/** Rings the client, as the session's next request. */
export function inviteText(session: Session, call: Call, sdp: string, request: SipRequest): string {
  const clientState = header(request, HEADER.clientState)?.trim();
  return createFrameWriter(session).invite(session.nextId, {
    callId: call.callId,
    sdp,
    caller: call.caller,
    callee: call.callee,
    ids: call.ids,
    customHeaders: customOf(request),
    ...(clientState === undefined || clientState === '' ? {} : { clientState }),
  });
}
