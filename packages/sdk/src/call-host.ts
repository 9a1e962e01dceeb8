import type { Call } from './call.ts';
import type { Reply } from './connection.ts';
import type { Environment } from './environment.ts';
import type { MediaRecoveryErrorEvent, TelnyxError, WarningName } from './errors.ts';
import type { Notification } from './events.ts';
import type { PermissionsRecovery } from './options.ts';
import type { StatsFrame } from './quality.ts';

/** What a call needs of its client. */
export interface CallHost {
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
  notify(notification: Notification, call: Call): void;
  error(error: TelnyxError, call: Call): void;
  warn(name: WarningName, call: Call, message?: string): void;
  /** One second of statistics. */
  frame(frame: StatsFrame, call: Call): void;
  /** Everything about the call is known. */
  report(call: Call): void;
  /** The microphone of an incoming call cannot be opened; the application may try again. */
  recoverable(event: Omit<MediaRecoveryErrorEvent, 'sessionId'>, call: Call): void;
  /** The call ended, and the server could not be told. */
  unsaid(call: Call): void;
  /** The call is over. */
  forget(call: Call): void;
}

/** Payloads of `call.on(…)`. */
export interface CallEvents {
  /** It rings: here, or, for an outbound call, at the far side. */
  ringing: Call;
  /** The raw or the common state changed. */
  state: Call;
  /** Sound of the far side is there. */
  remoteStream: MediaStream;
}
