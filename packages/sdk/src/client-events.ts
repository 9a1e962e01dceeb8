import type { Call } from './call.ts';
import type { TelnyxErrorEvent, TelnyxWarning } from './errors.ts';
import type { NotificationOf } from './events.ts';
import type { CallOptionsOf } from './options.ts';
import type { StatsFrame } from './quality.ts';

/** What a call is made with. Media settings not given are those of the client. */
export type CallOptions = CallOptionsOf<Call>;

/** `telnyx.notification`. */
export type Notification = NotificationOf<Call>;

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
