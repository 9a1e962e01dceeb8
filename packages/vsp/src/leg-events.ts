import type { UserAgentOut } from '@sidetone/sip';
import { CAUSE, REFER } from '@sidetone/wire';
import type { CallInput } from './call.ts';
import { byeEnd, callIds, cancelEnd, customOf, refusalEnd } from './from-sip.ts';

/** What the user agent tells about a leg of ours. */
export type LegEvent = Exclude<
  UserAgentOut,
  { type: 'sip' | 'dialog' | 'incoming' | 'request' | 'info' | 'result' }
>;

/** Reads an event of the user agent as an input of the call it belongs to; `null` when the call need not know. */
export function legInput(out: LegEvent): CallInput | null {
  switch (out.type) {
    case 'progress':
    case 'accepted': {
      const ids = callIds(out.response);
      return {
        type: out.type,
        status: out.response.status,
        ...(out.sdp === undefined ? {} : { sdp: out.sdp }),
        ...(ids === undefined ? {} : { ids }),
        customHeaders: customOf(out.response),
      };
    }
    case 'failed':
      return { type: 'ended', end: refusalEnd(out.status, out.reason, out.response) };
    case 'cancelled':
      return { type: 'ended', end: cancelEnd(out.request) };
    case 'bye':
      return { type: 'ended', end: byeEnd(out.request) };
    case 'ended': {
      const cause = out.why === 'ack-timeout' ? CAUSE.timerExpired : CAUSE.temporaryFailure;
      return {
        type: 'ended',
        end: { cause, sipCode: cause.sip, sipReason: 'Dialog Lost', customHeaders: [] },
      };
    }
    case 'reinvite':
      return { type: 'reinvite', tx: out.tx, ...(out.sdp === undefined ? {} : { sdp: out.sdp }) };
    case 'reinviteResult':
      return {
        type: 'reinviteResult',
        token: out.token,
        status: out.status,
        ...(out.sdp === undefined ? {} : { sdp: out.sdp }),
      };
    case 'inDialogResult':
      return out.token === REFER.event ? { type: 'referred', status: out.status } : null;
    case 'confirmed':
    case 'reinviteConfirmed':
    case 'refreshed':
      return null;
  }
}
