export {
  type CallEvent,
  type CallNews,
  type ConferenceNews,
  type DequeueReason,
  EVENT_NAME,
  type EventConference,
  type EventLeg,
  type EventName,
  type HangupCause,
  type Hook,
  type PlayedMedia,
  type PlayStatus,
  type StreamedAs,
} from './call-event.ts';
export type { CallRecord } from './call-record.ts';
export {
  CAUSE,
  type Cause,
  type ClientEnding,
  causeByName,
  causeForQ850,
  causeForSip,
  INTERNAL_CAUSE,
  sipForBye,
} from './causes.ts';
export {
  type CleanupText,
  type ClientAgent,
  type ClientFamily,
  type ClientTraits,
  traitsOf,
  UNKNOWN_CLIENT,
} from './client-traits.ts';
export {
  type AfterBridge,
  type CallCommand,
  type Command,
  type CommandHeaders,
  type CommandResult,
  type DialCommand,
  type HookAsk,
  isBase64,
  type LegCommand,
  type LegIds,
  type LegView,
  type MachineDetectionAsk,
  type PlayAsk,
  type QueueCommand,
  type QueuedView,
  type QueueView,
  type StreamWish,
} from './command.ts';
export type {
  Beep,
  ConferenceAsk,
  ConferenceCommand,
  ConferenceEndReason,
  ConferenceView,
  MemberRole,
  MemberView,
  StayAsk,
  SuperviseAsk,
  SupervisorRole,
} from './conference.ts';
export {
  type CustomHeader,
  customHeadersOf,
  type HeaderProblem,
  parseCustomHeaders,
} from './custom-headers.ts';
export type {
  CallDescription,
  ClientFrame,
  FrameError,
  FrameId,
  LoginCredentials,
} from './dialect/client-frame.ts';
export { nestsDeeper } from './dialect/json.ts';
export {
  inviteId,
  MAX_FRAME_BYTES,
  MAX_FRAME_DEPTH,
  parseClientFrame,
} from './dialect/parse-client-frame.ts';
export {
  type CallIds,
  FrameWriter,
  type IceServer,
  type Party,
  RPC_ERROR,
  type ServerBye,
} from './dialect/server-frame.ts';
export {
  type DialledDestination,
  parseCallerName,
  parseCallerNumber,
  parseDestination,
  parseDigits,
  splitDestination,
} from './dialled.ts';
export type { GatherAsk } from './gather-ask.ts';
export type {
  AccountEntry,
  ApplicationEntry,
  ConnectionEntry,
  Identity,
  IdentityChange,
  IdentityObject,
  IdentityRefusal,
  NumberEntry,
  ProfileEntry,
  SipUser,
  WebhookSettings,
} from './identity.ts';
export {
  ASSERTED_IDENTITY,
  ATTACHMENT,
  CONTACT_PARAM,
  HEADER,
  NODE_HOST,
  REFER,
} from './internal-headers.ts';
export type { LoginTokenClaims, LoginTokenHeader } from './login-token.ts';
export type {
  CodecName,
  Direction,
  LegKind,
  LegStats,
  MediaCommand,
  MediaEvent,
  MediaReply,
  OpusAsk,
  Source,
} from './media-control.ts';
export type { ForkAsk, ForkCommand, ForkTarget } from './media-fork.ts';
export type { RecordCommand, RecordEvent, RecordOn } from './media-record.ts';
export type { Reach, RoomCommand, RoomEvent } from './media-room.ts';
export type { StreamAsk, StreamBack, StreamCodec, StreamCommand, StreamEvent } from './media-stream.ts';
export type { SpeechToText, TranscribeAsk, TranscribeCommand, TranscribeEvent } from './media-transcribe.ts';
export { callingCodeOf, countryOf, homeOf, NO_COUNTRY } from './numbers/country.ts';
export { e164Of, formatCaller } from './numbers/e164.ts';
export {
  type Called,
  calledNumber,
  callerNumber,
  type Habit,
  listedNumber,
  trunkHabit,
} from './numbers/ours.ts';
export { isNumber } from './numbers/signs.ts';
export { canonicalNumber, namedBy, readNumber } from './numbers/written.ts';
export { causeFromReason, formatReason, parseReason, type ReasonValue } from './reason-header.ts';
export type {
  RecordAsk,
  RecordedBy,
  RecordingProblem,
  RecordingResult,
  RecordingToSave,
  SavedRecording,
} from './recording.ts';
export { REFUSAL, type Refusal, type RefusalName } from './refusal.ts';
export { retryAfter } from './retry-after.ts';
export {
  BUILT_IN,
  type BuiltIn,
  type Destination,
  type Nowhere,
  type Origin,
  route,
  rungByNumber,
  trunksFor,
} from './routing.ts';
export type { Trunk } from './settings.ts';
export type { SoundAsk, SoundResult } from './sound.ts';
export { applicationAt, applicationInService } from './subdomain.ts';
