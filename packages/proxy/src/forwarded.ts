import type { Flow, SipRequest } from '@sidetone/sip';
import type { Sender } from './border.ts';
import type { ResponseContext } from './response-context.ts';

/** A request on its way: its response context, and the transactions that carry it. */
export interface Forwarded {
  state: ResponseContext;
  readonly server: string;
  readonly request: SipRequest;
  readonly source: Flow;
  readonly sender: Sender | null;
  /** What each branch sent, where, in which client transaction, and how often again with credentials. */
  readonly branches: { sent: SipRequest; flow: Flow; tx: string; tries: number }[];
  /** Transactions that still live. */
  readonly open: Set<string>;
  readonly loopKey: string;
}
