import type { Cause } from '../causes.ts';
import type { CustomHeader } from '../custom-headers.ts';
import type { FrameId } from './client-frame.ts';

/** JSON-RPC error codes with the meaning clients give them. */
export const RPC_ERROR = {
  /** The client logs in again at once and repeats: never on a login. */
  authenticationRequired: -32000,
  loginIncorrect: -32001,
  callFailed: -32002,
  callDoesNotExist: -32003,
  unknownMethod: -32601,
  badParams: -32602,
} as const;

/** What a client shows as `call.telnyxIDs`. Session and leg are UUIDs: one client crashes on anything else. */
export interface CallIds {
  readonly session: string;
  readonly leg: string;
  readonly control?: string;
}

/** A caller or callee as clients show it; empty text where nothing is known. */
export interface Party {
  readonly name: string;
  readonly number: string;
}

/** A STUN or TURN server, as browsers take it (`RTCIceServer`). Both or neither of `username` and `credential`. */
export interface IceServer {
  readonly urls: readonly string[];
  readonly username?: string;
  readonly credential?: string;
}

export interface ServerBye {
  readonly callId: string;
  readonly cause: Pick<Cause, 'name' | 'code'>;
  readonly sipCode: number;
  readonly sipReason: string;
  readonly sipCallId: string;
  readonly customHeaders: readonly CustomHeader[];
  readonly clientState?: string;
}

/**
 * Writes the frames of one client session. The rules that keep every published client alive are kept here: our requests have integer ids
 * that are never used twice, no member is null, `dialogParams` always has `custom_headers`, a result is always an object with
 * `sessid`, and each frame carries the `voice_sdk_id` at the top.
 */
export interface FrameWriter {
  // ---- answers
  /** `iceServers`: what the client should reach media by; published clients do not look at it. */
  loggedIn(id: FrameId, iceServers?: readonly IceServer[]): string;
  /** Always -32001: a client answers -32000 to a login by logging in again at once, without end. */
  loginRefused(id: FrameId, message: string): string;
  /** `retryAfter`: seconds after which the same may be tried again. */
  error(id: FrameId, code: number, message: string, retryAfter?: number): string;
  /** An attach that failed: deliberately without a code, by which one client knows it. */
  attachFailed(id: FrameId): string;
  attached(id: FrameId): string;
  registered(id: FrameId, facts: { reportId: string; dc: string; region: string }): string;
  pong(id: FrameId): string;
  callCreated(id: FrameId, callId: string): string;
  /** A result about a call; `fields` are added. */
  callResult(id: FrameId, callId: string, fields?: Readonly<Record<string, string>>): string;
  holdResult(id: FrameId, callId: string, action: string, held: boolean): string;
  mediaResult(id: FrameId, callId: string, sdp: string, held: boolean): string;
  sent(id: FrameId): string;
  channels(id: FrameId, action: 'subscribe' | 'unsubscribe' | 'broadcast'): string;
  pushDisabled(id: FrameId): string;
  empty(id: FrameId): string;
  // ---- our requests; `id` is an integer above 0
  clientReady(id: number, reattached: readonly string[]): string;
  ping(id: number, serno: number): string;
  invite(
    id: number,
    call: {
      readonly callId: string;
      readonly sdp: string;
      readonly caller: Party;
      readonly callee: Party;
      readonly ids: CallIds;
      readonly clientState?: string;
      readonly customHeaders: readonly CustomHeader[];
    },
  ): string;
  ringing(
    id: number,
    call: {
      readonly callId: string;
      readonly caller: Party;
      readonly callee: Party;
      readonly ids: CallIds;
      readonly customHeaders: readonly CustomHeader[];
    },
  ): string;
  media(id: number, callId: string, sdp: string, ids: CallIds): string;
  /** Without `sdp` when `media` carried it. */
  answer(
    id: number,
    call: {
      readonly callId: string;
      readonly sdp?: string;
      readonly ids: CallIds;
      readonly customHeaders: readonly CustomHeader[];
    },
  ): string;
  /** A fresh offer for a call that is up: the client builds a new peer connection and answers with `attach`. */
  attach(
    id: number,
    call: {
      readonly callId: string;
      readonly sdp: string;
      readonly direction: 'inbound' | 'outbound';
      readonly caller: Party;
      readonly callee: Party;
      readonly ids: CallIds;
      readonly clientState?: string;
      readonly customHeaders: readonly CustomHeader[];
    },
  ): string;
  display(id: number, callId: string, party: Party): string;
  candidate(id: number, callId: string, candidate: string, sdpMid: string): string;
  bye(id: number, bye: ServerBye): string;
}

const telnyxIds = (ids: CallIds) => ({
  telnyx_session_id: ids.session,
  telnyx_leg_id: ids.leg,
  ...(ids.control === undefined ? {} : { telnyx_call_control_id: ids.control }),
});

const parties = (caller: Party, callee: Party) => ({
  caller_id_name: caller.name,
  caller_id_number: caller.number,
  callee_id_name: callee.name,
  callee_id_number: callee.number,
});

const headers = (list: readonly CustomHeader[]) => ({
  custom_headers: list.map(({ name, value }) => ({ name, value })),
});

/** A writer for one session. `sessid` is read at each frame, since a login may change it. */
export function createFrameWriter(session: {
  readonly voiceSdkId: string;
  readonly sessid: string;
}): FrameWriter {
  const frame = (members: object): string =>
    JSON.stringify({ jsonrpc: '2.0', ...members, voice_sdk_id: session.voiceSdkId });
  const result = (id: FrameId, fields: object): string =>
    frame({ id, result: { ...fields, sessid: session.sessid } });
  const request = (id: number, method: string, params: object): string =>
    frame({ id, method: `telnyx_rtc.${method}`, params });

  return {
    loggedIn: (id, iceServers = []) =>
      result(id, { message: 'logged in', ...(iceServers.length === 0 ? {} : { ice_servers: iceServers }) }),
    loginRefused: (id, message) => frame({ id, error: { code: RPC_ERROR.loginIncorrect, message } }),
    error: (id, code, message, retryAfter) =>
      frame({
        id,
        error: { code, message, ...(retryAfter === undefined ? {} : { data: { retry_after: retryAfter } }) },
      }),
    attachFailed: (id) => frame({ id, error: { message: 'CALL DOES NOT EXIST' } }),
    attached: (id) => result(id, { params: { state: 'ATTACHED' } }),
    registered: (id, { reportId, dc, region }) =>
      result(id, { params: { state: 'REGED', call_report_id: reportId, dc, region } }),
    pong: (id) => result(id, { method: 'telnyx_rtc.ping', message: 'pong' }),
    callCreated: (id, callId) => result(id, { message: 'CALL CREATED', callID: callId }),
    callResult: (id, callId, fields = {}) => result(id, { ...fields, callID: callId }),
    holdResult: (id, callId, action, held) =>
      result(id, { callID: callId, action, holdState: held ? 'held' : 'active' }),
    mediaResult: (id, callId, sdp, held) =>
      result(id, { callID: callId, action: 'updateMedia', sdp, holdState: held ? 'held' : 'active' }),
    sent: (id) => result(id, { message: 'SENT' }),
    channels: (id, action) => {
      if (action === 'subscribe')
        return result(id, {
          subscribedChannels: [],
          unauthorizedChannels: [],
          alreadySubscribedChannels: [],
        });
      if (action === 'unsubscribe')
        return result(id, { unsubscribedChannels: [], notSubscribedChannels: [] });
      return result(id, {});
    },
    // Both a method and a result: one client only then believes it.
    pushDisabled: (id) =>
      frame({
        id,
        method: 'telnyx_rtc.disable_push_notification',
        result: { message: 'disable push notification success', sessid: session.sessid },
      }),
    empty: (id) => result(id, {}),

    clientReady: (id, reattached) => request(id, 'clientReady', { reattached_sessions: reattached }),
    ping: (id, serno) => request(id, 'ping', { serno }),
    invite: (id, call) =>
      request(id, 'invite', {
        callID: call.callId,
        sdp: call.sdp,
        ...parties(call.caller, call.callee),
        ...telnyxIds(call.ids),
        ...(call.clientState === undefined ? {} : { client_state: call.clientState }),
        display_direction: 'inbound',
        variables: {},
        mediaSettings: { useSdpASBandwidthKbps: false, sdpASBandwidthKbps: 0 },
        dialogParams: headers(call.customHeaders),
      }),
    ringing: (id, call) =>
      request(id, 'ringing', {
        callID: call.callId,
        ...parties(call.caller, call.callee),
        ...telnyxIds(call.ids),
        display_direction: 'inbound',
        dialogParams: headers(call.customHeaders),
      }),
    media: (id, callId, sdp, ids) =>
      request(id, 'media', { callID: callId, sdp, ...telnyxIds(ids), dialogParams: headers([]) }),
    answer: (id, call) =>
      request(id, 'answer', {
        callID: call.callId,
        ...(call.sdp === undefined ? {} : { sdp: call.sdp }),
        ...telnyxIds(call.ids),
        variables: {},
        dialogParams: headers(call.customHeaders),
      }),
    attach: (id, call) =>
      request(id, 'attach', {
        callID: call.callId,
        sdp: call.sdp,
        ...parties(call.caller, call.callee),
        ...telnyxIds(call.ids),
        ...(call.clientState === undefined ? {} : { client_state: call.clientState }),
        display_direction: call.direction,
        dialogParams: headers(call.customHeaders),
      }),
    display: (id, callId, party) =>
      request(id, 'display', { callID: callId, display_name: party.name, display_number: party.number }),
    candidate: (id, callId, candidate, sdpMid) =>
      request(id, 'candidate', { callID: callId, candidate, sdpMid, sdpMLineIndex: 0 }),
    bye: (id, bye) =>
      request(id, 'bye', {
        callID: bye.callId,
        cause: bye.cause.name,
        causeCode: bye.cause.code,
        sipCode: bye.sipCode,
        sipReason: bye.sipReason,
        sip_call_id: bye.sipCallId,
        ...(bye.clientState === undefined ? {} : { client_state: bye.clientState }),
        // Browsers read a BYE's headers under the camel-case name, the others under their usual one.
        dialogParams: {
          ...headers(bye.customHeaders),
          customHeaders: headers(bye.customHeaders).custom_headers,
        },
      }),
  };
}
