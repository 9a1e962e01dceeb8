import { hexId, type Random } from '@sidetone/core';
import {
  answerChallenge,
  chooseChallenge,
  formatUri,
  headersNamed,
  type SipRequest,
  type SipResponse,
  withHeader,
} from '@sidetone/sip';
import type { Trunk } from '@sidetone/wire';

/**
 * The request again, with the trunk's credentials (RFC 3261 §22.2); `null` when it has none or the challenge cannot be
 * answered. The carrier is chosen here, so its credentials are known here: `voice` never sees them. CSeq stays (§22.2
 * wants a new one of a user agent; a proxy between two sides that count for themselves cannot take it).
 */
export function answerTrunk(
  request: SipRequest,
  response: SipResponse,
  trunk: Trunk,
  random: Random,
): SipRequest | null {
  if (trunk.user_name === undefined || trunk.password === undefined) return null;
  const proxy = response.status === 407;
  const challenge = chooseChallenge(
    headersNamed(response, proxy ? 'Proxy-Authenticate' : 'WWW-Authenticate'),
  );
  if (challenge === null) return null;
  const value = answerChallenge(challenge, {
    method: request.method,
    uri: formatUri(request.uri),
    credentials: { userName: trunk.user_name, password: trunk.password },
    count: 1,
    cnonce: hexId(random, 8),
  });
  return withHeader(request, proxy ? 'Proxy-Authorization' : 'Authorization', value);
}
