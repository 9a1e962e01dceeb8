import type { Reply } from './connection.ts';
import type { Environment } from './environment.ts';
import type { MediaRecoveryErrorEvent, TelnyxError, WarningName } from './errors.ts';
import type { NotificationOf } from './events.ts';
import type { PermissionsRecovery } from './options.ts';
import type { StatsFrame } from './quality.ts';

/** What a call, of class `C`, needs of its client. */
export interface CallHost<C> {
  readonly env: Environment;
  readonly permissions: PermissionsRecovery | undefined;
  /** Requests can be sent. */
  isReady(): boolean;
  /** Resolves when requests can be sent; rejects with a `RequestError` when that is not to be expected. */
  online(): Promise<void>;
  request(method: string, params: object, timeoutMs: number): Promise<Reply>;
  /** The network is there again, as far as media shows. */
  networkBack(): void;
  /** The connection has to prove that it lives. */
  probe(source: string): void;
  notify(notification: NotificationOf<C>, call: C): void;
  error(error: TelnyxError, call: C): void;
  warn(name: WarningName, call: C, message?: string): void;
  /** One second of statistics. */
  frame(frame: StatsFrame, call: C): void;
  /** Everything about the call is known. */
  report(call: C): void;
  /** The microphone of an incoming call cannot be opened; the application may try again. */
  recoverable(event: Omit<MediaRecoveryErrorEvent, 'sessionId'>, call: C): void;
  /** The call ended, and the server could not be told. */
  unsaid(call: C): void;
  /** The call is over. */
  forget(call: C): void;
}

/** Payloads of `call.on(…)`. */
export interface CallEventsOf<C> {
  /** It rings: here, or, for an outbound call, at the far side. */
  ringing: C;
  /** The raw or the common state changed. */
  state: C;
  /** Sound of the far side is there. */
  remoteStream: MediaStream;
}
