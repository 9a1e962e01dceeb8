import { header, headersNamed, type SipMessage } from '@sidetone/sip';
import {
  causeByName,
  causeFromReason,
  customHeadersOf,
  formatReason,
  HEADER,
  INTERNAL_CAUSE,
} from '@sidetone/wire';
import type { Ending } from '../leg/ending.ts';
import type { Extra } from '../leg/headers.ts';

/** Headers of the application that pass through a call: X- names, none of our own. */
export const customHeaders = (message: SipMessage): Extra =>
  customHeadersOf(message.headers.other).map(({ name, value }) => [name, value] as const);

/** Reason (RFC 3326), and our own name beside it. */
export function reasonHeaders({ cause, code, sip }: Ending): Extra {
  const told = Object.hasOwn(INTERNAL_CAUSE, cause) ? causeByName(cause) : undefined;
  return [
    ['Reason', formatReason(told ?? { name: cause, code, sip })],
    [HEADER.cause, cause],
  ];
}

/** The cause a message states, by our own name where it has one. */
export function statedCause(
  message: SipMessage,
): { readonly name: string; readonly code: number } | undefined {
  const internal = header(message, HEADER.cause)?.trim();
  const cause = causeFromReason(headersNamed(message, 'Reason'), internal);
  if (cause === undefined) return undefined;
  const own = internal !== undefined && Object.hasOwn(INTERNAL_CAUSE, internal);
  return { name: own ? internal : cause.name, code: cause.code };
}
