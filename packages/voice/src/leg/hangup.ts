import type { CallNews, HangupCause } from '@sidetone/wire';
import { CAUSE, type Ending } from './ending.ts';
import type { Leg } from './leg.ts';

const OF_STATUS: Readonly<Record<number, HangupCause>> = {
  401: 'call_rejected',
  403: 'call_rejected',
  404: 'not_found',
  407: 'call_rejected',
  408: 'no_answer',
  480: 'no_answer',
  484: 'not_found',
  486: 'user_busy',
  487: 'originator_cancel',
  600: 'user_busy',
  603: 'call_rejected',
  604: 'not_found',
};

/** Endings by us that are nobody's wish: media, a timer of SIP, a process that died. */
const FAULTS: ReadonlySet<string> = new Set(
  [CAUSE.mediaEngine, CAUSE.ice, CAUSE.dtls, CAUSE.rtp, CAUSE.ackTimeout, CAUSE.noCodec, CAUSE.restarted].map(
    ({ cause }) => cause,
  ),
);

/** How the published API names an ending. The side that placed a leg is its caller: of a leg that we called, the platform. */
export function hangupOf(leg: Leg, ending: Ending): Extract<CallNews, { type: 'hangup' }> {
  const quality = leg.branches.find(({ id }) => id === leg.main)?.media.stats ?? null;
  const { headers = [], by } = ending;
  const source = by === 'platform' ? 'unknown' : by;
  return { type: 'hangup', ...named(leg, ending), source, headers, quality };
}

function named(leg: Leg, { cause, sip, by }: Ending): { readonly cause: HangupCause; readonly sip: string } {
  if (leg.answeredAt !== null) {
    const ours = by === 'platform';
    if (ours && cause === CAUSE.tooLong.cause) return { cause: 'time_limit', sip: '200' };
    return ours && FAULTS.has(cause)
      ? { cause: 'unspecified', sip: 'unspecified' }
      : { cause: 'normal_clearing', sip: '200' };
  }
  if (cause === 'rejected') return { cause: 'call_rejected', sip: String(sip) };
  // Given up before the answer: by its caller, or by a command.
  if (cause === CAUSE.cancelled.cause || (cause === CAUSE.normal.cause && by === 'platform'))
    return { cause: 'originator_cancel', sip: '487' };
  // Nobody else but us gives up waiting.
  if (cause === CAUSE.noAnswer.cause && by === 'platform') return { cause: 'timeout', sip: '487' };
  return { cause: OF_STATUS[sip] ?? 'unspecified', sip: String(sip) };
}
