import { ACCEPTED, bodyRefusal } from './body.ts';
import { listHeader } from './header-access.ts';
import type { SipRequest } from './message.ts';
import { reasonPhrase } from './reason-phrase.ts';
import type { ExtraHeaders } from './user-agent-events.ts';

/** What an element accepts. */
export interface RequestRules {
  readonly role: 'user-agent' | 'proxy';
  /** Of a proxy: it is the one addressed. Then an OPTIONS that may go no further is for it (§16.3 item 3, §11). */
  readonly addressed?: boolean;
  /** Methods a user agent accepts: others get 405 (501 where we never heard of them). Absent: all. */
  readonly allow?: readonly string[];
  /** Option tags we understand: of Require for a user agent, of Proxy-Require for a proxy. */
  readonly supported?: readonly string[];
}

/** How to refuse a request. */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
  readonly headers: ExtraHeaders;
}

const REGISTERED = new Set([
  'ACK',
  'BYE',
  'CANCEL',
  'INFO',
  'INVITE',
  'MESSAGE',
  'NOTIFY',
  'OPTIONS',
  'PRACK',
  'PUBLISH',
  'REFER',
  'REGISTER',
  'SUBSCRIBE',
  'UPDATE',
]);

const SCHEMES = new Set(['sip', 'sips', 'tel']);

const refuse = (status: number, headers: ExtraHeaders = [], reason = reasonPhrase(status)): Refusal => ({
  status,
  reason,
  headers,
});

/**
 * The general checks before a request is handled (RFC 3261 §8.2.1 to §8.2.3 for a user agent, §16.3 for a proxy): how to refuse it, or
 * `null`. Never refuses an ACK, which must not be answered.
 */
export function validateRequest(request: SipRequest, rules: RequestRules): Refusal | null {
  const { method, headers } = request;
  if (method === 'ACK') return null;
  if (!SCHEMES.has(request.uri.scheme)) return refuse(416);
  if (rules.role === 'proxy') {
    if (headers.maxForwards === 0 && !(method === 'OPTIONS' && rules.addressed === true)) return refuse(483);
    return extensions(request, 'Proxy-Require', rules.supported);
  }
  if (rules.allow !== undefined && !rules.allow.includes(method))
    return refuse(REGISTERED.has(method) ? 405 : 501, [['Allow', rules.allow.join(', ')]]);
  if (method === 'CANCEL') return null;
  const bad = extensions(request, 'Require', rules.supported);
  if (bad !== null) return bad;
  if (method === 'INVITE') {
    // RFC 2543 peers may leave Contact out; From stands in for it.
    if (headers.contact === '*' || headers.contact.length > 1)
      return refuse(400, [], 'Bad Request (more than one Contact)');
  }
  return method === 'INVITE' || method === 'UPDATE' ? body(request) : null;
}

/** Of messages with a session description (RFC 5621): what else is there and must be known. */
function body(request: SipRequest): Refusal | null {
  const bad = bodyRefusal(request);
  if (bad === null) return null;
  if (bad.status === 400) return refuse(400, [], bad.reason);
  return refuse(415, [
    ['Accept', ACCEPTED],
    ['Accept-Encoding', 'identity'],
  ]);
}

function extensions(
  request: SipRequest,
  name: string,
  supported: readonly string[] | undefined,
): Refusal | null {
  const unknown = listHeader(request, name).filter((tag) => !supported?.includes(tag));
  return unknown.length === 0 ? null : refuse(420, [['Unsupported', unknown.join(', ')]]);
}
