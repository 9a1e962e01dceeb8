export type { Abortable } from './abort.ts';
export { Call, type CallEvents } from './call.ts';
export type { CallState, CommonState, LossReason, RawState } from './call-machine.ts';
export type { SupportedBrowsers, WebRTCInfo } from './capabilities.ts';
export { Client } from './client.ts';
export type {
  CallOptions,
  CallOptions as ICallOptions,
  ClientEvents,
  Notification,
  Notification as INotification,
} from './client-events.ts';
export type { CustomHeader } from './custom-headers.ts';
export type { TelnyxIds } from './dialog-params.ts';
export { browserEnvironment, type Environment } from './environment.ts';
// The names that the published SDK gives to the same types.
export type {
  MediaRecoveryErrorEvent as ITelnyxMediaRecoveryErrorEvent,
  StandardErrorEvent as ITelnyxStandardErrorEvent,
  TelnyxErrorEvent as ITelnyxErrorEvent,
  TelnyxErrorJson as ITelnyxError,
  TelnyxWarning as ITelnyxWarning,
} from './errors.ts';
export {
  type ErrorName,
  type Explained,
  isMediaRecoveryErrorEvent,
  type MediaRecoveryErrorEvent,
  RequestError,
  SDK_ERRORS,
  SDK_WARNINGS,
  type StandardErrorEvent,
  TELNYX_ERROR_CODES,
  TELNYX_WARNING_CODES,
  TelnyxError,
  type TelnyxErrorEvent,
  type TelnyxErrorJson,
  type TelnyxWarning,
  type WarningName,
} from './errors.ts';
export { ERROR_TYPE, NOTIFICATION_TYPE, SwEvent } from './events.ts';
export type {
  AnswerOptions,
  ClientOptions,
  ClientOptions as IClientOptions,
  Credentials,
  Credentials as ICredentials,
  HangupOptions,
  MediaElementChoice,
} from './options.ts';
export type { MicrophoneCheckOptions, PreCallOptions } from './pre-call.ts';
export type {
  PreCallReason as PreCallDiagnosticReason,
  PreCallReport as PreCallDiagnosticReport,
} from './pre-call-reasons.ts';
export {
  type IceFindings,
  IceReasonCode,
  type MicrophoneFindings,
  MicrophoneReasonCode,
  type NetworkFindings,
  NetworkReasonCode,
  type PreCallReason,
  type PreCallReport,
  type PreCallTimings,
  type Verdict,
} from './pre-call-reasons.ts';
export { mosOf, type Quality, qualityOf, type StatsFrame } from './quality.ts';
export { Region } from './region.ts';
export { TelnyxRTC } from './telnyx-rtc.ts';
export { VERSION } from './version.ts';
