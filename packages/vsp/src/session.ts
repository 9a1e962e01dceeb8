import type { LogLine, Ms } from '@sidetone/core';
import type { ClientAgent, FrameId, IceServer, LoginCredentials } from '@sidetone/wire';

/*
 * One client socket.
 *
 *   connected ──login──▶ authenticating ──yes──▶ registering ──200──▶ ready ──login──▶ ready (token refresh)
 *       ▲                     │ no                   │ ≥ 300           │ refused, silent, gone
 *       └─────────────────────┴──────────────────────┘                 ▼
 *       └── too late, too often, too much told ──────────────────────▶ over
 *
 * Until `ready` a socket owns nothing but this record of fixed size: no call, no variable, no name. A login that names an
 * earlier session of the same user takes that session's place (`kept-sessions.ts`), and is told of its calls after REGED.
 */
export type Login =
  | { readonly name: 'connected'; readonly until: Ms }
  | {
      readonly name: 'authenticating';
      readonly request: string;
      readonly frame: FrameId;
      readonly sessid: string | null;
      readonly until: Ms;
    }
  | {
      readonly name: 'registering';
      readonly user: string;
      readonly frame: FrameId;
      /** Clients that ask for their state before it is known are answered when it is. */
      readonly waiting: readonly FrameId[];
      /** For the answer to the login, and forgotten with it: they hold a credential. */
      readonly iceServers: readonly IceServer[];
      readonly until: Ms;
    }
  | {
      readonly name: 'ready';
      readonly user: string;
      readonly refreshAt: Ms;
      readonly relogin: { readonly request: string; readonly frame: FrameId } | null;
    }
  | { readonly name: 'over' };

export interface Session {
  readonly socket: string;
  readonly address: string;
  /** Opaque and unguessable: what the client reconnects with, its call reports carry, and its SIP contact is called. */
  readonly voiceSdkId: string;
  readonly reportId: string;
  readonly contact: string;
  readonly sessid: string;
  /** The user whose session it is, once that was proven. Nobody else can log in on it. */
  readonly owner: string | null;
  /** `voice_sdk_id` of the socket's URL: the session that the client wants back. */
  readonly token: string | null;
  /** It took an earlier session's place, and the client has not been told REGED yet. */
  readonly resuming: boolean;
  readonly agent: ClientAgent;
  readonly login: Login;
  readonly failures: number;
  /** Bytes told before the login. */
  readonly told: number;
  readonly heardAt: Ms;
  readonly pingAt: Ms | null;
  readonly serno: number;
  /** Ids of pings of ours that a client may echo. */
  readonly pings: readonly number[];
  readonly nextId: number;
  /** Numbers authentication requests and REGISTERs. */
  readonly sequence: number;
  readonly registers: number;
  readonly speedTestAt: Ms | null;
}

export interface SessionSettings {
  readonly pingMs: { readonly browser: Ms; readonly native: Ms };
  readonly loginMs: Ms;
  /** How long a socket may take to try again after a refused login: a person may be typing. */
  readonly retryMs: Ms;
  readonly silenceMs: Ms;
  /** How long the calls of a client without a socket are kept. */
  readonly keepMs: Ms;
  readonly failedLogins: number;
  readonly bytesBeforeLogin: number;
  readonly dc: string;
  readonly region: string;
}

/** Session-level frames, already read. `other`: anything else that wants an answer, for sockets that are not logged in. */
export type SessionFrame =
  | {
      readonly kind: 'login';
      readonly id: FrameId;
      readonly credentials: LoginCredentials | null;
      readonly sessid?: string;
      readonly agent: ClientAgent;
    }
  | { readonly kind: 'anonymousLogin'; readonly id: FrameId }
  | { readonly kind: 'gatewayState'; readonly id: FrameId }
  | { readonly kind: 'ping'; readonly id: FrameId; readonly echo: boolean }
  | { readonly kind: 'speedTest'; readonly step: 'start' | 'bytes' | 'end' }
  | {
      readonly kind: 'channels';
      readonly id: FrameId;
      readonly action: 'subscribe' | 'unsubscribe' | 'broadcast';
    }
  | { readonly kind: 'disablePush'; readonly id: FrameId }
  | { readonly kind: 'other'; readonly id?: FrameId }
  | { readonly kind: 'refused'; readonly id: FrameId; readonly code: number; readonly message: string };

export type SessionInput =
  | { readonly type: 'tick' }
  | { readonly type: 'revoked'; readonly keeps: boolean }
  | { readonly type: 'frame'; readonly frame: SessionFrame }
  | {
      readonly type: 'authenticated';
      readonly request: string;
      readonly result:
        | { readonly ok: true; readonly user: string; readonly iceServers?: readonly IceServer[] }
        | { readonly ok: false; readonly why: string };
    }
  /**
   * The end of the REGISTER with this number; older ones no longer matter. `expiresMs`: what the registrar granted; `calls`: what
   * is alive of the session.
   */
  | {
      readonly type: 'registered';
      readonly sequence: number;
      readonly status: number;
      readonly expiresMs: Ms;
      readonly calls: readonly string[];
    };

export type SessionOut =
  | { readonly type: 'send'; readonly text: string }
  | { readonly type: 'authenticate'; readonly request: string; readonly credentials: LoginCredentials }
  | { readonly type: 'register'; readonly user: string; readonly sequence: number }
  /** Takes back what the registrar may have bound. */
  | { readonly type: 'unregister'; readonly user: string; readonly sequence: number }
  /** The socket is closed. `keep`: the client may come back to its calls; otherwise they end with it. */
  | { readonly type: 'close'; readonly code: number; readonly reason: string; readonly keep: boolean }
  /** The client of an earlier session is back and knows it. */
  | { readonly type: 'resumed' }
  | LogLine;

export const isNative = (agent: ClientAgent): boolean => isNativeFamily(agent.family);

export const isNativeFamily = (family: ClientAgent['family']): boolean =>
  family === 'ios' || family === 'android' || family === 'flutter' || family === 'react-native';

/** When the session wants a tick. */
export function sessionDeadline(session: Session, settings: SessionSettings): Ms | null {
  const { login } = session;
  switch (login.name) {
    case 'over':
      return null;
    case 'ready':
      return Math.min(login.refreshAt, session.pingAt ?? Infinity, session.heardAt + settings.silenceMs);
    default:
      return login.until;
  }
}
