import type { ClientAgent } from '../client-traits.ts';
import type { CustomHeader } from '../custom-headers.ts';
import type { DialledDestination } from '../dialled.ts';

/** JSON-RPC id of a client: opaque, echoed with its type, not always unique (one client repeats a constant). */
export type FrameId = string | number;

export type LoginCredentials =
  | { readonly kind: 'password'; readonly login: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: string };

/** `dialogParams` of an invite, as far as signalling needs them. Custom headers are checked. */
export interface CallDescription {
  readonly callId: string;
  readonly destination: DialledDestination;
  readonly callerName: string;
  readonly callerNumber: string;
  /** base64 text the application attached. */
  readonly clientState?: string;
  readonly customHeaders: readonly CustomHeader[];
}

/** One frame of a client. Requests carry `id`; a frame whose `id` is optional may be a notification. */
export type ClientFrame =
  | { readonly kind: 'speedTest'; readonly step: 'start' | 'bytes' | 'end' }
  /** The answer to one of our requests. */
  | { readonly kind: 'reply'; readonly id: FrameId }
  | {
      readonly kind: 'login';
      readonly id: FrameId;
      /** `null`: neither a password nor a token was given. */
      readonly credentials: LoginCredentials | null;
      /** A UUID proposed by the client. Grants nothing. */
      readonly sessid?: string;
      readonly agent: ClientAgent;
      /** The person declines the call that rings. */
      readonly declines?: true;
    }
  | { readonly kind: 'anonymousLogin'; readonly id: FrameId }
  | { readonly kind: 'gatewayState'; readonly id: FrameId }
  /** `echo`: one of our own pings, sent back. Never answered. */
  | { readonly kind: 'ping'; readonly id: FrameId; readonly echo: boolean }
  | {
      readonly kind: 'invite';
      readonly id: FrameId;
      readonly call: CallDescription;
      readonly sdp: string;
      readonly agent: ClientAgent;
    }
  | {
      readonly kind: 'answer';
      readonly id: FrameId;
      readonly callId: string;
      readonly sdp: string;
      readonly customHeaders: readonly CustomHeader[];
    }
  | { readonly kind: 'attach'; readonly id: FrameId; readonly callId: string; readonly sdp: string }
  | {
      readonly kind: 'bye';
      readonly id: FrameId;
      readonly callId: string;
      readonly cause?: string;
      readonly causeCode?: number;
      readonly sipCode?: number;
      readonly agent: ClientAgent;
      readonly customHeaders: readonly CustomHeader[];
      /** The custom headers were refused and left out; the call ends all the same. */
      readonly headerProblem?: string;
    }
  | {
      readonly kind: 'hold';
      readonly id: FrameId;
      readonly callId: string;
      readonly action: 'hold' | 'unhold' | 'toggleHold';
    }
  | { readonly kind: 'updateMedia'; readonly id: FrameId; readonly callId: string; readonly sdp: string }
  /** Blind transfer: the far party is to talk to `destination`. */
  | {
      readonly kind: 'transfer';
      readonly id: FrameId;
      readonly callId: string;
      readonly destination: DialledDestination;
    }
  /** Attended transfer: the far party is to talk to the far party of the client's call `otherCallId`. */
  | { readonly kind: 'replace'; readonly id: FrameId; readonly callId: string; readonly otherCallId: string }
  /** A `modify` whose action we do not know. */
  | { readonly kind: 'modify'; readonly id: FrameId; readonly callId: string; readonly action: string }
  | { readonly kind: 'dtmf'; readonly id: FrameId; readonly callId: string; readonly digits: string }
  | { readonly kind: 'message'; readonly id: FrameId; readonly callId: string }
  | {
      readonly kind: 'candidate';
      readonly id: FrameId;
      readonly callId: string;
      /** `candidate:…` as in SDP without `a=`; one line. */
      readonly candidate: string;
    }
  | { readonly kind: 'endOfCandidates'; readonly id: FrameId; readonly callId: string }
  | { readonly kind: 'conversation'; readonly id?: FrameId }
  | {
      readonly kind: 'channels';
      readonly id: FrameId;
      readonly action: 'subscribe' | 'unsubscribe' | 'broadcast';
    }
  | { readonly kind: 'attachCalls'; readonly id: FrameId }
  | { readonly kind: 'disablePush'; readonly id: FrameId }
  | { readonly kind: 'ringingAck'; readonly id: FrameId }
  | { readonly kind: 'debugReport'; readonly id?: FrameId }
  /** A method, or a kind of object, that we do not know. */
  | { readonly kind: 'unknown'; readonly id?: FrameId };

/** Why a frame was refused. With an `id` the client is told (`code` as in JSON-RPC 2.0 §5.1); without, it is ignored. */
export interface FrameError {
  readonly problem: 'too-large' | 'not-json' | 'too-deep' | 'not-an-object' | 'bad-params';
  readonly code: -32700 | -32600 | -32602;
  /** A clear sentence; never quotes the client's values. */
  readonly message: string;
  readonly id?: FrameId;
  readonly method?: string;
}
