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

/** What an application is told of its calls, which are of class `C`. */
export type NotificationOf<C> =
  | { type: 'callUpdate'; call: C }
  | { type: 'userMediaError'; call: C; error: unknown; errorName: string; errorMessage: string }
  | { type: 'peerConnectionFailureError'; call: C; error: Error }
  | {
      type: 'participantData';
      call: C;
      displayName: string;
      displayNumber: string;
      displayDirection: 'inbound' | 'outbound';
    }
  | { type: 'event'; call?: C; [name: string]: unknown };
