import type { LossReason } from './call-machine.ts';
import type { Frame, Reply } from './connection.ts';
import type { TelnyxError, WarningName } from './errors.ts';

/** What a session tells its client. */
export interface SessionEvents {
  /** Where to connect now. */
  host(): string | undefined;
  /** That host did not let us in. */
  unreachable(): void;
  socketOpen(event: Event): void;
  socketClose(event: { readonly code: number; readonly reason: string }): void;
  socketError(error: unknown): void;
  /** Logged in and registered. `reattached`: the calls that the server still has. */
  ready(reattached: string[] | undefined): void;
  /** A frame that is no reply. */
  message(frame: Frame): void;
  /** A request or event of the server that is not about the session itself. */
  request(method: string, params: Reply, frame: Frame): void;
  error(error: TelnyxError): void;
  warn(name: WarningName, message: string | undefined, source?: string): void;
  /** A call waits for this connection. */
  inCall(): boolean;
  /** The connection broke. */
  away(reason: LossReason): void;
  /** It stayed away for longer than a call can wait. */
  budgetSpent(): void;
  /** The server recommends these STUN and TURN servers. */
  iceServers(servers: RTCIceServer[]): void;
  /** The session is over for good: the server sent us away, or cannot be reached. */
  lost(error: TelnyxError | undefined): void;
}
