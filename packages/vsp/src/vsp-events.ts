import type { EpochMs, JournalLine, LogLine, Ms, Random, Restore, Service } from '@sidetone/core';
import type { SipReceived, SipSend } from '@sidetone/sip';
import type { IceServer, LoginCredentials } from '@sidetone/wire';

/** What the driver tells vsp. `socket` is the edge's name of a WebSocket; never on the wire. */
export type VspInput =
  | { readonly type: 'tick' }
  | Restore
  | SipReceived
  | {
      readonly type: 'open';
      readonly socket: string;
      readonly origin?: string;
      readonly query: Readonly<Record<string, string>>;
      /** The client's IP address, for logs and login limits. */
      readonly address: string;
    }
  | { readonly type: 'frame'; readonly socket: string; readonly text: string }
  | { readonly type: 'closed'; readonly socket: string }
  /** The answer to `authenticate`. `why` is shown to the client. */
  | {
      readonly type: 'authenticated';
      readonly request: string;
      readonly result:
        | {
            readonly ok: true;
            readonly user: string;
            /** Handed to the client with the answer to its login, fresh each time. Native clients bring their own. */
            readonly iceServers?: readonly IceServer[];
          }
        | { readonly ok: false; readonly why: string };
    }
  /**
   * Logins of these users are no longer good: their sockets are closed. `keeps`: they may log in anew, and find their calls then;
   * otherwise those end.
   */
  | { readonly type: 'revoked'; readonly users: ReadonlySet<string>; readonly keeps: boolean }
  /** Ends all calls, registrations and sockets; nothing new is accepted afterwards. */
  | { readonly type: 'drain' }
  /**
   * Another process goes on with what is journalled. From the first of these on no new call and no new socket is accepted; no call ends.
   * `browsers`: closes the sockets of clients that come back by themselves; `all`: also those of native clients, which do not: the last
   * input before the process ends.
   */
  | { readonly type: 'handover'; readonly sockets: 'browsers' | 'all' };

/** What vsp asks of the driver, in order. */
export type VspOutput =
  | SipSend
  | { readonly type: 'frame'; readonly socket: string; readonly text: string }
  | { readonly type: 'close'; readonly socket: string; readonly code: number; readonly reason: string }
  /** A call lives (or none any more) on this socket: whether the line is dead must be noticed within ten seconds. */
  | { readonly type: 'watch'; readonly socket: string; readonly on: boolean }
  | {
      readonly type: 'authenticate';
      readonly request: string;
      readonly credentials: LoginCredentials;
      readonly address: string;
    }
  | JournalLine
  | LogLine;

export interface VspOptions {
  readonly random: Random;
  readonly epoch: () => EpochMs;
  /** The SIP domain of users, for example `sip.example.com`. */
  readonly domain: string;
  /** Told to clients in the REGED reply. */
  readonly region: string;
  readonly dc: string;
  /** From the opening of a socket (or a login frame) to the end of the login. */
  readonly loginTimeoutMs?: Ms;
  /** A socket that sent nothing for this long is closed. */
  readonly silenceMs?: Ms;
  /**
   * How long the calls of a client whose socket is gone wait for it, counted from when voice heard it last; 0: they end with the
   * socket.
   */
  readonly keepMs: Ms;
  readonly limits?: {
    readonly callsPerSession?: number;
    readonly failedLogins?: number;
    /** What a socket is told at most before it is logged in. */
    readonly bytesBeforeLogin?: number;
  };
}

/** On whose turn frames wait, and what is said to those that have waited too long under overload. Changes nothing. */
export interface Turns {
  /** That of its user, or of its address before the login. `null`: it begins no call, and goes before what does. */
  of(socket: string, text: string): string | null;
  /** The refusal of a call, before it is read what it is to be. `null`: the frame begins none, or its client may begin none. */
  refusal(socket: string, text: string): string | null;
}

/** The Voice SDK Proxy: client sessions on one side, SIP dialogs on the other. */
export interface Vsp extends Service<VspInput, VspOutput> {
  /** Asked by the driver before it hands a frame over. */
  readonly turns: Turns;
  /** Was this `call_report_id` given to a logged-in client, lately? */
  hasReportId(id: string): boolean;
  /** Sessions (also those without a socket), calls and SIP transactions alive, for drains and leak checks. */
  readonly size: number;
}
