import type { Call } from './call.ts';
import type { TelnyxErrorEvent, TelnyxWarning } from './errors.ts';
import type { StatsFrame } from './quality.ts';

/** Values of `notification.type`. */
export const NOTIFICATION_TYPE = {
  callUpdate: 'callUpdate',
  vertoClientReady: 'vertoClientReady',
  userMediaError: 'userMediaError',
  peerConnectionFailureError: 'peerConnectionFailureError',
  signalingStateClosed: 'signalingStateClosed',
  participantData: 'participantData',
  event: 'event',
  conferenceUpdate: 'conferenceUpdate',
} as const;

/** What the constructor's error is called in words. */
export const ERROR_TYPE = { invalidCredentialsOptions: 'InvalidCredentialsOptions' } as const;

/** `telnyx.notification`. */
export type Notification =
  | { type: 'callUpdate'; call: Call }
  | { type: 'userMediaError'; call: Call; error: unknown; errorName: string; errorMessage: string }
  | { type: 'peerConnectionFailureError'; call: Call; error: Error }
  | {
      type: 'participantData';
      call: Call;
      displayName: string;
      displayNumber: string;
      displayDirection: 'inbound' | 'outbound';
    }
  | { type: 'event'; call?: Call; [name: string]: unknown };

/** Names of the client's events. */
export const SwEvent = {
  Ready: 'telnyx.ready',
  Error: 'telnyx.error',
  Warning: 'telnyx.warning',
  Notification: 'telnyx.notification',
  SocketOpen: 'telnyx.socket.open',
  SocketClose: 'telnyx.socket.close',
  SocketError: 'telnyx.socket.error',
  SocketMessage: 'telnyx.socket.message',
  StatsFrame: 'telnyx.stats.frame',
  StatsReport: 'telnyx.stats.report',
  MediaError: 'telnyx.rtc.mediaError',
  PeerConnectionFailureError: 'telnyx.rtc.peerConnectionFailureError',
  AIConversationMessage: 'telnyx.ai.conversation',
} as const;

/** Payloads of the client's events. */
export interface ClientEvents {
  /** Calls can be made and taken. Again after each reconnect. */
  'telnyx.ready': { type: 'vertoClientReady'; reattached_sessions?: string[] };
  'telnyx.error': TelnyxErrorEvent;
  'telnyx.warning': { warning: TelnyxWarning; sessionId: string; callId?: string; source?: string };
  'telnyx.notification': Notification;
  'telnyx.socket.open': Event;
  /** `socketGeneration` counts the connections of this client. */
  'telnyx.socket.close': {
    event: { readonly code: number; readonly reason: string };
    socketGeneration: number;
  };
  'telnyx.socket.error': { error: unknown; sessionId: string; socketGeneration: number };
  /** A message of the server that is no reply. */
  'telnyx.socket.message': Record<string, unknown>;
  /** Every second of a call, with `debug: true`. */
  'telnyx.stats.frame': StatsFrame & { callId: string };
  /** All frames of a call, at its end, with `debug: true`. */
  'telnyx.stats.report': { callId: string; frames: readonly StatsFrame[] };
  /** A list of devices that the browser did not give, or a microphone that could not be opened. */
  'telnyx.rtc.mediaError': { error: unknown; callId?: string };
  'telnyx.rtc.peerConnectionFailureError': { error: Error; callId: string };
  'telnyx.ai.conversation': Record<string, unknown>;
}
