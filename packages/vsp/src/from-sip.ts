import {
  bodyText,
  header,
  headersNamed,
  type NameAddr,
  parseNameAddr,
  reasonPhrase,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  userOf,
} from '@sidetone/sip';
import {
  ASSERTED_IDENTITY,
  ATTACHMENT,
  CAUSE,
  type CallIds,
  type Cause,
  causeForSip,
  causeFromReason,
  customHeadersOf,
  HEADER,
  namedBy,
  type Party,
} from '@sidetone/wire';
import type { LegEnd } from './call.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The ids that voice put on a message, or `undefined` when they are not all there (one client crashes on a non-UUID). */
export function callIds(message: SipMessage): CallIds | undefined {
  const session = header(message, HEADER.session)?.trim();
  const leg = header(message, HEADER.leg)?.trim();
  const control = header(message, HEADER.callControl)?.trim();
  if (session === undefined || leg === undefined || !UUID.test(session) || !UUID.test(leg)) return undefined;
  return { session, leg, ...(control === undefined || control === '' ? {} : { control }) };
}

/** The Call-ID of an INVITE of voice is the id of the branch; clients want a UUID as callID. */
export const branchId = ({ headers: { callId } }: SipRequest): string | undefined =>
  UUID.test(callId) ? callId : undefined;

const clean = (text: string): string => text.replace(/[\u0000-\u001f\u007f]/g, '').slice(0, 256);

function party(value: NameAddr): Party {
  const number = clean(namedBy(value.uri.scheme, userOf(value.uri)));
  return { name: clean(value.displayName ?? ''), number };
}

/** Who calls: From, as voice shows the caller; the proven identity when From has no user (RFC 3325 §9). */
export function callerOf(request: SipRequest): Party {
  const from = party(request.headers.from);
  if (from.number !== '') return { name: from.name === '' ? from.number : from.name, number: from.number };
  const proven = header(request, ASSERTED_IDENTITY);
  const parsed = proven === undefined ? undefined : parseNameAddr(proven);
  const number = (parsed?.ok && party(parsed.value).number) || 'anonymous';
  return { name: from.name === '' ? number : from.name, number };
}

export const calleeOf = (request: SipRequest): Party => party(request.headers.to);

export const customOf = (message: SipMessage | undefined) =>
  message === undefined ? [] : customHeadersOf(message.headers.other);

const statedCause = (message: SipMessage): Cause | undefined =>
  causeFromReason(headersNamed(message, 'Reason'), header(message, HEADER.cause));

/** When the caller may come back (RFC 3261 §21.5.4): clients see it among the headers of the call. */
function saysWhen(status: number, response: SipResponse | undefined): LegEnd['customHeaders'] {
  const value =
    status !== 503 || response === undefined ? undefined : header(response, 'Retry-After')?.trim();
  return value === undefined || !/^\d{1,6}$/.test(value) ? [] : [{ name: 'Retry-After', value }];
}

/** How a refused INVITE ends the client's call: the cause that was stated, else the one the status means. */
export function refusalEnd(status: number, reason: string, response: SipResponse | undefined): LegEnd {
  const cause = (response === undefined ? undefined : statedCause(response)) ?? causeForSip(status);
  return {
    cause,
    sipCode: status,
    sipReason: reason === '' ? reasonPhrase(status) : clean(reason),
    customHeaders: [...customOf(response), ...saysWhen(status, response)],
  };
}

/** How a BYE of the other side ends it: 200 when it was a plain hang-up, else the status that the cause stands for. */
export function byeEnd(request: SipRequest): LegEnd {
  const cause = statedCause(request) ?? CAUSE.normalClearing;
  const sipCode = cause.code === CAUSE.normalClearing.code ? 200 : cause.sip;
  return { cause, sipCode, sipReason: reasonPhrase(sipCode), customHeaders: customOf(request) };
}

/** How a CANCEL ends it: the caller gave up, or another device answered (`SIP;cause=200`, RFC 3326 §3.1). */
export function cancelEnd(request: SipRequest): LegEnd {
  return {
    cause: statedCause(request) ?? CAUSE.originatorCancel,
    sipCode: 487,
    sipReason: reasonPhrase(487),
    customHeaders: customOf(request),
  };
}

/** How long ago voice heard a client, in ms; `null`: the INFO says something else. */
export function readHeard(request: SipRequest): number | null {
  const said = request.headers.contentType?.trim().toLowerCase() === ATTACHMENT.heard;
  const body = said ? bodyText(request) : '';
  return /^\d{1,9}$/.test(body) ? Number(body) : null;
}

/** What the registrar granted our contact (RFC 3261 §10.2.4): its `expires`, or the Expires header, or `asked`; in ms. */
export function grantedMs(
  response: SipResponse | undefined,
  contactUser: string,
  askedSeconds: number,
): number {
  const contacts = response?.headers.contact;
  const own =
    contacts === undefined || contacts === '*'
      ? undefined
      : contacts.find((contact) => contact.uri.user === contactUser)?.params['expires'];
  const stated = own ?? (response === undefined ? undefined : header(response, 'Expires'));
  const seconds = stated !== undefined && /^\d{1,9}$/.test(stated.trim()) ? Number(stated) : askedSeconds;
  return Math.min(seconds, 86_400) * 1000;
}
