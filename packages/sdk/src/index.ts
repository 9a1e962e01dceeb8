export { Call } from './call.ts';
export type { CallEvents } from './call-host.ts';
export type { CallState, CommonState, RawState } from './call-machine.ts';
export { Client, TelnyxRTC } from './client.ts';
export type { CustomHeader } from './custom-headers.ts';
export type { TelnyxIds } from './dialog-params.ts';
export { browserEnvironment, type Environment } from './environment.ts';
export {
  type ErrorName,
  RequestError,
  TELNYX_ERROR_CODES,
  TELNYX_WARNING_CODES,
  TelnyxError,
  type TelnyxWarning,
  type WarningName,
} from './errors.ts';
export {
  type AnswerOptions,
  type CallOptions,
  type ClientEvents,
  type ClientOptions,
  type Credentials,
  type HangupOptions,
  type MediaElementChoice,
  NOTIFICATION_TYPE,
  type Notification,
  SwEvent,
} from './options.ts';
export { VERSION } from './version.ts';
