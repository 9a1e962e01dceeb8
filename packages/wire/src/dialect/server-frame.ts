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

/** What names the session in its frames. */
interface FramesOf {
  readonly voiceSdkId: string;
  readonly sessid: string;
}

/** A call as its client is told of it. */
interface ToldCall {
  readonly callId: string;
  readonly caller: Party;
  readonly callee: Party;
  readonly ids: CallIds;
  readonly customHeaders: readonly CustomHeader[];
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

/** There are no channels: nothing was subscribed, nothing is left. */
const NO_CHANNELS = {
  subscribe: { subscribedChannels: [], unauthorizedChannels: [], alreadySubscribedChannels: [] },
  unsubscribe: { unsubscribedChannels: [], notSubscribedChannels: [] },
  broadcast: {},
} as const;

/**
 * Writes the frames of one client session. The rules that keep every published client alive are kept here: our requests have integer ids
 * that are never used twice, no member is null, `dialogParams` always has `custom_headers`, a result is always an object with
 * `sessid`, and each frame carries the `voice_sdk_id` at the top. `sessid` is read at each frame, since a login may change it.
 */
export class FrameWriter {
  readonly #session: FramesOf;

  constructor(session: FramesOf) {
    this.#session = session;
  }

  #frame(members: object): string {
    return JSON.stringify({ jsonrpc: '2.0', ...members, voice_sdk_id: this.#session.voiceSdkId });
  }

  #result(id: FrameId, fields: object): string {
    return this.#frame({ id, result: { ...fields, sessid: this.#session.sessid } });
  }

  #request(id: number, method: string, params: object): string {
    return this.#frame({ id, method: `telnyx_rtc.${method}`, params });
  }

  // ---- answers

  /** `iceServers`: what the client should reach media by; published clients do not look at it. */
  loggedIn(id: FrameId, iceServers: readonly IceServer[] = []): string {
    const servers = iceServers.length === 0 ? {} : { ice_servers: iceServers };
    return this.#result(id, { message: 'logged in', ...servers });
  }

  /** Always -32001: a client answers -32000 to a login by logging in again at once, without end. */
  loginRefused(id: FrameId, message: string): string {
    return this.#frame({ id, error: { code: RPC_ERROR.loginIncorrect, message } });
  }

  /** `retryAfter`: seconds after which the same may be tried again. */
  error(id: FrameId, code: number, message: string, retryAfter?: number): string {
    const data = retryAfter === undefined ? {} : { data: { retry_after: retryAfter } };
    return this.#frame({ id, error: { code, message, ...data } });
  }

  /** An attach that failed: deliberately without a code, by which one client knows it. */
  attachFailed(id: FrameId): string {
    return this.#frame({ id, error: { message: 'CALL DOES NOT EXIST' } });
  }

  attached(id: FrameId): string {
    return this.#result(id, { params: { state: 'ATTACHED' } });
  }

  registered(
    id: FrameId,
    { reportId, dc, region }: { reportId: string; dc: string; region: string },
  ): string {
    return this.#result(id, { params: { state: 'REGED', call_report_id: reportId, dc, region } });
  }

  pong(id: FrameId): string {
    return this.#result(id, { method: 'telnyx_rtc.ping', message: 'pong' });
  }

  callCreated(id: FrameId, callId: string): string {
    return this.#result(id, { message: 'CALL CREATED', callID: callId });
  }

  /** A result about a call; `fields` are added. */
  callResult(id: FrameId, callId: string, fields: Readonly<Record<string, string>> = {}): string {
    return this.#result(id, { ...fields, callID: callId });
  }

  holdResult(id: FrameId, callId: string, action: string, held: boolean): string {
    return this.#result(id, { callID: callId, action, holdState: held ? 'held' : 'active' });
  }

  mediaResult(id: FrameId, callId: string, sdp: string, held: boolean): string {
    const holdState = held ? 'held' : 'active';
    return this.#result(id, { callID: callId, action: 'updateMedia', sdp, holdState });
  }

  sent(id: FrameId): string {
    return this.#result(id, { message: 'SENT' });
  }

  channels(id: FrameId, action: keyof typeof NO_CHANNELS): string {
    return this.#result(id, NO_CHANNELS[action]);
  }

  /** Both a method and a result: one client only then believes it. */
  pushDisabled(id: FrameId): string {
    return this.#frame({
      id,
      method: 'telnyx_rtc.disable_push_notification',
      result: { message: 'disable push notification success', sessid: this.#session.sessid },
    });
  }

  empty(id: FrameId): string {
    return this.#result(id, {});
  }

  // ---- our requests; `id` is an integer above 0

  clientReady(id: number, reattached: readonly string[]): string {
    return this.#request(id, 'clientReady', { reattached_sessions: reattached });
  }

  ping(id: number, serno: number): string {
    return this.#request(id, 'ping', { serno });
  }

  invite(id: number, call: ToldCall & { readonly sdp: string; readonly clientState?: string }): string {
    return this.#request(id, 'invite', {
      callID: call.callId,
      sdp: call.sdp,
      ...parties(call.caller, call.callee),
      ...telnyxIds(call.ids),
      ...(call.clientState === undefined ? {} : { client_state: call.clientState }),
      display_direction: 'inbound',
      variables: {},
      mediaSettings: { useSdpASBandwidthKbps: false, sdpASBandwidthKbps: 0 },
      dialogParams: headers(call.customHeaders),
    });
  }

  ringing(id: number, call: ToldCall): string {
    return this.#request(id, 'ringing', {
      callID: call.callId,
      ...parties(call.caller, call.callee),
      ...telnyxIds(call.ids),
      display_direction: 'inbound',
      dialogParams: headers(call.customHeaders),
    });
  }

  media(id: number, callId: string, sdp: string, ids: CallIds): string {
    return this.#request(id, 'media', {
      callID: callId,
      sdp,
      ...telnyxIds(ids),
      dialogParams: headers([]),
    });
  }

  /** Without `sdp` when `media` carried it. */
  answer(id: number, call: Omit<ToldCall, 'caller' | 'callee'> & { readonly sdp?: string }): string {
    return this.#request(id, 'answer', {
      callID: call.callId,
      ...(call.sdp === undefined ? {} : { sdp: call.sdp }),
      ...telnyxIds(call.ids),
      variables: {},
      dialogParams: headers(call.customHeaders),
    });
  }

  /** A fresh offer for a call that is up: the client builds a new peer connection and answers with `attach`. */
  attach(
    id: number,
    call: ToldCall & {
      readonly sdp: string;
      readonly direction: 'inbound' | 'outbound';
      readonly clientState?: string;
    },
  ): string {
    return this.#request(id, 'attach', {
      callID: call.callId,
      sdp: call.sdp,
      ...parties(call.caller, call.callee),
      ...telnyxIds(call.ids),
      ...(call.clientState === undefined ? {} : { client_state: call.clientState }),
      display_direction: call.direction,
      dialogParams: headers(call.customHeaders),
    });
  }

  display(id: number, callId: string, { name, number }: Party): string {
    return this.#request(id, 'display', { callID: callId, display_name: name, display_number: number });
  }

  candidate(id: number, callId: string, candidate: string, sdpMid: string): string {
    return this.#request(id, 'candidate', { callID: callId, candidate, sdpMid, sdpMLineIndex: 0 });
  }

  bye(id: number, bye: ServerBye): string {
    return this.#request(id, 'bye', {
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
    });
  }
}
