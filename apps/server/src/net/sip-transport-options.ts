import type { Flow, SipMessage, SipParseError } from '@sidetone/sip';
import type { Hosts } from './listen-hosts.ts';

/** What the SIP sockets are opened with, and whom they tell. */
export interface SipTransportOptions {
  /** One for each family. */
  readonly host: Hosts;
  readonly udp: number;
  readonly tcp: number;
  readonly received: (message: SipMessage, flow: Flow) => void;
  /** Bytes that are no SIP message; the caller may answer. */
  readonly unparseable: (error: SipParseError, flow: Flow) => void;
  /** A message could not be handed to this flow, or its WebSocket is closed. */
  readonly failed: (flow: Flow) => void;
}
