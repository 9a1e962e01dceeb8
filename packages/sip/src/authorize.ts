import { answerChallenge, type Credentials, challengesByRealm, parseDigest } from './digest.ts';
import { headersNamed } from './header-access.ts';
import type { SipRequest, SipResponse } from './message.ts';
import { formatUri } from './uri.ts';

/** How often one request is sent again with credentials: two realms and a stale nonce, but not for ever. */
export const MOST_TRIES = 3;

export interface AuthorizeOptions {
  readonly credentials: Credentials;
  /** Whether the credentials were given for this realm. */
  readonly isFor: (realm: string) => boolean;
  /** How often this request was sent again already. */
  readonly tries: number;
  readonly cnonce: () => string;
}

const FIELDS = [
  ['WWW-Authenticate', 'Authorization'],
  ['Proxy-Authenticate', 'Proxy-Authorization'],
] as const;

/**
 * The request with answers to the challenges of a 401 or 407 (RFC 3261 §22.2, §22.3), CSeq unchanged; `null` when there is nothing new to
 * say. Each realm is answered once, whichever element on the way asks, and answers to the others stay; a realm that
 * asks again is answered only when it says that its nonce was stale.
 */
export function authorize(
  request: SipRequest,
  response: SipResponse,
  { credentials, isFor, tries, cnonce }: AuthorizeOptions,
): SipRequest | null {
  if ((response.status !== 401 && response.status !== 407) || tries >= MOST_TRIES) return null;
  let { other } = request.headers;
  for (const [asks, answers] of FIELDS)
    for (const challenge of challengesByRealm(headersNamed(response, asks))) {
      const { realm = '', nonce = '' } = challenge;
      if (!isFor(realm)) continue;
      const isAnswer = ([name, value]: readonly [string, string]): boolean =>
        name === answers && parseDigest(value)?.['realm'] === realm;
      const known = other.find(isAnswer);
      const isStale =
        challenge['stale']?.toLowerCase() === 'true' &&
        (known === undefined || parseDigest(known[1])?.['nonce'] !== nonce);
      if (known !== undefined && !isStale) continue;
      const value = answerChallenge(challenge, {
        method: request.method,
        uri: formatUri(request.uri),
        credentials,
        count: 1,
        cnonce: cnonce(),
      });
      other = [...other.filter((line) => !isAnswer(line)), [answers, value]];
    }
  return other === request.headers.other ? null : { ...request, headers: { ...request.headers, other } };
}

/** The realms that a request carries credentials for. */
export const realmsAnswered = (request: SipRequest): readonly string[] => [
  ...new Set(
    FIELDS.flatMap(([, answers]) =>
      headersNamed(request, answers).flatMap((value) => parseDigest(value)?.['realm'] ?? []),
    ),
  ),
];

/** The realms that a response asks credentials for. */
export const realmsAsked = (response: SipResponse): readonly string[] => [
  ...new Set(
    FIELDS.flatMap(([asks]) =>
      challengesByRealm(headersNamed(response, asks)).map(({ realm = '' }) => realm),
    ),
  ),
];
