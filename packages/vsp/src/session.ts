import { earliest, type LogLine, type Ms } from '@sidetone/core';
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
 * earlier session of the same user takes that session's place (`kept-sessions.ts`), and hears of its calls (`returns.ts`):
 *
 *   no ── an earlier session's place ──▶ due ──ready, answer to gatewayState──▶ no        (`resumed`: now)
 *                                         ├──ready, nobody asked for 500 ms──▶ early ──that answer──▶ no
 *                                         └──ready, hears at clientReady──▶ telling ──told──▶ no: that answer, which waited
 */
export type Homecoming = 'no' | 'due' | 'early' | 'telling';

/** What a login says of the client. */
export interface Introduction {
  readonly sessid?: string;
  readonly agent: ClientAgent;
  readonly declines?: true;
}

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
      readonly relogin: {
        readonly request: string;
        readonly frame: FrameId;
        readonly says: Introduction;
      } | null;
      /** Questions for the gateway's state that wait until the client has been told of its calls. */
      readonly questions: readonly FrameId[];
      /** When it is told of them all the same, though it has not asked. */
      readonly dueAt: Ms | null;
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
  readonly homecoming: Homecoming;
  readonly openedAt: Ms;
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
  | (Introduction & {
      readonly kind: 'login';
      readonly id: FrameId;
      readonly credentials: LoginCredentials | null;
    })
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
  /** `woken`: the call that its socket names still rings, so it may stay silent for a while yet. */
  | { readonly type: 'tick'; readonly woken: boolean }
  /** The client that came back has been told of its calls. */
  | { readonly type: 'told' }
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
  /** The client of an earlier session is back: time to tell it of its calls. */
  | { readonly type: 'resumed' }
  /** It was told before it could listen to offers. */
  | { readonly type: 'listens' }
  /** The person declines what rings. */
  | { readonly type: 'declined' }
  | LogLine;

/** When the session wants a tick. */
export function sessionDeadline(session: Session, settings: SessionSettings): Ms | null {
  const { login } = session;
  switch (login.name) {
    case 'over':
      return null;
    case 'ready':
      return earliest(
        Math.min(login.refreshAt, session.pingAt ?? Infinity, session.heardAt + settings.silenceMs),
        login.dueAt,
      );
    default:
      return login.until;
  }
}
