import { headersNamed, type SipMessage } from '@sidetone/sip';
import { HEADER } from '@sidetone/wire';
import type { Extra } from './call.ts';
import type { Ending } from './ending.ts';

/** Custom headers that pass through a call: names that start with X-, none of our own. */
const MAX_HEADERS = 32;
const MAX_VALUE = 1024;

export function customHeaders(message: SipMessage): Extra {
  const out: (readonly [string, string])[] = [];
  for (const [name, value] of message.headers.other) {
    const lower = name.toLowerCase();
    if (!lower.startsWith('x-') || lower.startsWith('x-sidetone-')) continue;
    if (value.length <= MAX_VALUE && out.length < MAX_HEADERS) out.push([name, value]);
  }
  return out;
}

/** RFC 3326, and our own name beside it. Codes above 127 are no Q.850 causes and travel as SIP reasons. */
export function reasonHeaders(ending: Ending): Extra {
  if (ending.cause === 'LOSE_RACE')
    return [
      ['Reason', 'SIP;cause=200;text="Call completed elsewhere"'],
      [HEADER.cause, ending.cause],
    ];
  const text = ending.cause === 'rejected' ? 'CALL_REJECTED' : ending.cause;
  const reason =
    ending.code <= 127
      ? `Q.850;cause=${ending.code};text="${text}"`
      : `SIP;cause=${ending.cause === 'cancelled' ? 487 : ending.sip};text="${
          ending.cause === 'cancelled' ? 'ORIGINATOR_CANCEL' : text
        }"`;
  return [
    ['Reason', reason],
    [HEADER.cause, ending.cause],
  ];
}

/** Q.850 numbers that a carrier sends, by the names clients know. */
const Q850: Readonly<Record<number, string>> = {
  1: 'UNALLOCATED_NUMBER',
  3: 'NO_ROUTE_DESTINATION',
  16: 'NORMAL_CLEARING',
  17: 'USER_BUSY',
  18: 'NO_USER_RESPONSE',
  19: 'NO_ANSWER',
  20: 'SUBSCRIBER_ABSENT',
  21: 'CALL_REJECTED',
  22: 'NUMBER_CHANGED',
  27: 'DESTINATION_OUT_OF_ORDER',
  28: 'INVALID_NUMBER_FORMAT',
  31: 'NORMAL_UNSPECIFIED',
  34: 'NORMAL_CIRCUIT_CONGESTION',
  38: 'NETWORK_OUT_OF_ORDER',
  41: 'NORMAL_TEMPORARY_FAILURE',
  42: 'SWITCH_CONGESTION',
  47: 'RESOURCE_UNAVAILABLE',
  52: 'OUTGOING_CALL_BARRED',
  57: 'BEARERCAPABILITY_NOTAUTH',
  88: 'INCOMPATIBLE_DESTINATION',
  102: 'RECOVERY_ON_TIMER_EXPIRE',
  127: 'INTERWORKING',
};

const NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/** The cause a message states: our own header by name, Reason by Q.850 number. */
export function statedCause(
  message: SipMessage,
): { readonly name: string; readonly code: number } | undefined {
  const named = headersNamed(message, HEADER.cause)[0]?.trim();
  let code: number | undefined;
  for (const line of headersNamed(message, 'Reason')) {
    const match = /(?:^|,)\s*Q\.850\s*;[^,]{0,80}?cause\s*=\s*(\d{1,3})/i.exec(line.slice(0, 512));
    if (match !== null) {
      code = Number(match[1]);
      break;
    }
  }
  if (named !== undefined && NAME.test(named)) return { name: named, code: code ?? codeOf(named) };
  if (code === undefined || code < 1 || code > 127) return undefined;
  return { name: Q850[code] ?? 'NORMAL_UNSPECIFIED', code };
}

function codeOf(name: string): number {
  for (const [code, known] of Object.entries(Q850)) if (known === name) return Number(code);
  return name === 'rejected' ? 21 : 31;
}
