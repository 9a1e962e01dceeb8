import { header, type SipRequest } from '@sidetone/sip';
import { type CallIds, type ClientAgent, type ClientFrame, HEADER } from '@sidetone/wire';
import { type Call, newCall } from './call.ts';
import { calleeOf, callerOf, customOf } from './from-sip.ts';

type Invite = Extract<ClientFrame, { kind: 'invite' }>;

/** A call that a client makes. `ids` stand until voice gives its own. */
export function outboundCall(frame: Invite, login: ClientAgent, user: string, ids: CallIds): Call {
  const { call } = frame;
  const number = call.callerNumber === '' ? user : call.callerNumber;
  const { destination } = call;
  return newCall({
    callId: call.callId,
    direction: 'outbound',
    phase: 'calling',
    caller: { name: call.callerName === '' ? number : call.callerName, number },
    callee: {
      name: 'Outbound Call',
      number: destination.host === undefined ? destination.user : `${destination.user}@${destination.host}`,
    },
    ids,
    sipCallId: call.callId,
    agent: frame.agent.text === '' ? login : frame.agent,
    clientSdp: frame.sdp,
  });
}

/** A call for a client, which is rung with `callId`. */
export function inboundCall(
  request: SipRequest,
  callId: string,
  sdp: string,
  ids: CallIds,
  agent: ClientAgent,
): Call {
  const clientState = header(request, HEADER.clientState)?.trim();
  return newCall({
    callId,
    direction: 'inbound',
    phase: 'ringing',
    caller: callerOf(request),
    callee: calleeOf(request),
    ids,
    sipCallId: request.headers.callId,
    agent,
    clientSdp: null,
    ring: { sdp, ...(clientState === undefined || clientState === '' ? {} : { clientState }) },
    headers: customOf(request),
  });
}
