import type { Call } from './call.ts';
import type { Reply } from './connection.ts';
import type { Environment } from './environment.ts';
import type { TelnyxError, WarningName } from './errors.ts';
import type { Notification } from './options.ts';

/** What a call needs of its client. */
export interface CallHost {
  readonly env: Environment;
  request(method: string, params: object, timeoutMs: number): Promise<Reply>;
  notify(notification: Notification, call: Call): void;
  error(error: TelnyxError, call: Call): void;
  warn(name: WarningName, message: string, call: Call): void;
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
