import type { Flow, SipParseError, SipSend } from '@sidetone/sip';

/**
 * The stateless answer (400, 413, 505 …) to a request that did not parse, for the edge; `null` when none is due
 * (broken responses and ACKs) or too little could be read.
 */
export declare function rejectUnparseable(error: SipParseError, flow: Flow): SipSend | null;
