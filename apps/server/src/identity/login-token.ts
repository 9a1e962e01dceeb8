import { createHash, createHmac, randomUUID } from 'node:crypto';
import { type EpochMs, err, ok, type Result } from '@sidetone/core';
import type { LoginTokenClaims, LoginTokenHeader, SipUser } from '@sidetone/wire';
import { decodeProtectedHeader, errors, jwtVerify, SignJWT } from 'jose';

/**
 * Login tokens: a JWT signed with HS512 whose claims have the shapes of the published API. Each SIP user has a signing key of
 * its own, derived from the deployment's, so that a back end may hold its user's key and mint for nobody else:
 *
 *   deployment key (64 bytes, two during a rotation) ──HMAC(user id)──▶ signing key of a user ──HS512──▶ token
 *   kid = <first 8 hex digits of SHA-256(deployment key)>.<user id>        tel_token = base64url("v1:<user id>")
 *
 * Whoever minted it, a token is good for 24 hours at most. ASCII only, since browsers read `exp` with `atob`.
 */
const ISSUER = 'telnyx_telephony';
const LIFETIME_SECONDS = 24 * 3600;
const CLOCK_SKEW_SECONDS = 60;
const MAX_TOKEN_LENGTH = 4096;
const KID = /^([0-9a-f]{8})\.([A-Za-z0-9-]{1,64})$/;

export type TokenRefusal =
  | 'malformed'
  | 'unknown-key'
  | 'bad-signature'
  | 'expired'
  | 'not-yet-valid'
  | 'too-long-lived'
  | 'wrong-claims';

/** What a back end needs to mint tokens of one user itself. */
export interface TokenMaterial {
  readonly kid: string;
  readonly telToken: string;
  /** 64 bytes. */
  readonly secret: Uint8Array;
}

export class LoginTokens {
  readonly #keys: readonly { readonly id: string; readonly key: Uint8Array }[];

  /** @param keys the key that signs, then those that are still good */
  constructor(keys: readonly Uint8Array[]) {
    this.#keys = keys.map((key) => ({
      id: createHash('sha256').update(key).digest('hex').slice(0, 8),
      key,
    }));
  }

  material(userId: string): TokenMaterial {
    const { id, key } = this.#keys[0]!;
    return { kid: `${id}.${userId}`, telToken: telToken(userId), secret: userKey(key, userId) };
  }

  /** A token for a SIP user, valid for 24 hours from `now` or until the credential expires. */
  async mint(user: Pick<SipUser, 'id' | 'accountId' | 'expiresAt'>, now: EpochMs): Promise<string> {
    const { kid, telToken, secret } = this.material(user.id);
    const iat = Math.floor(now / 1000);
    const claims: LoginTokenClaims = {
      aud: ISSUER,
      exp: Math.min(iat + LIFETIME_SECONDS, Math.floor((user.expiresAt ?? Number.POSITIVE_INFINITY) / 1000)),
      iat,
      iss: ISSUER,
      jti: randomUUID(),
      nbf: iat - 1,
      sub: user.accountId,
      tel_token: telToken,
      typ: 'access',
    };
    const header: LoginTokenHeader = { alg: 'HS512', typ: 'JWT', kid };
    return new SignJWT({ ...claims }).setProtectedHeader({ ...header }).sign(secret);
  }

  /** The user id of a valid token and when it ends, or why it is refused. Whether that user is still good is for `Identity` to say. */
  async verify(
    token: string,
    now: EpochMs,
  ): Promise<Result<{ userId: string; expiresAt: EpochMs }, TokenRefusal>> {
    if (token.length > MAX_TOKEN_LENGTH) return err('malformed');
    const named = kidOf(token);
    if (!named.ok) return named;
    const [keyId, userId] = named.value;
    const known = this.#keys.find((key) => key.id === keyId);
    if (known === undefined) return err('unknown-key');
    try {
      const { payload } = await jwtVerify(token, userKey(known.key, userId), {
        algorithms: ['HS512'],
        issuer: ISSUER,
        audience: ISSUER,
        clockTolerance: CLOCK_SKEW_SECONDS,
        currentDate: new Date(now),
        requiredClaims: ['exp', 'iat', 'nbf', 'jti', 'sub', 'tel_token'],
      });
      if (payload['typ'] !== 'access' || payload['tel_token'] !== telToken(userId))
        return err('wrong-claims');
      if (payload.iat! * 1000 > now + CLOCK_SKEW_SECONDS * 1000) return err('not-yet-valid');
      if (payload.exp! - payload.iat! > LIFETIME_SECONDS + CLOCK_SKEW_SECONDS) return err('too-long-lived');
      return ok({ userId, expiresAt: payload.exp! * 1000 });
    } catch (error) {
      if (error instanceof errors.JWTExpired) return err('expired');
      if (error instanceof errors.JWTClaimValidationFailed)
        return err(error.claim === 'nbf' ? 'not-yet-valid' : 'wrong-claims');
      if (error instanceof errors.JWSSignatureVerificationFailed) return err('bad-signature');
      return err('malformed');
    }
  }
}

/** Which key signed, by the header, which proves nothing yet. Names of keys are ours alone: no path, no URL, no key inside. */
function kidOf(token: string): Result<readonly [keyId: string, userId: string], TokenRefusal> {
  try {
    const header = decodeProtectedHeader(token);
    if (header.alg !== 'HS512' || header.crit !== undefined) return err('malformed');
    const match = typeof header.kid === 'string' ? KID.exec(header.kid) : null;
    return match === null ? err('unknown-key') : ok([match[1]!, match[2]!]);
  } catch {
    return err('malformed');
  }
}

const userKey = (key: Uint8Array, userId: string): Uint8Array =>
  createHmac('sha512', key).update(`login-token ${userId}`).digest();

const telToken = (userId: string): string => Buffer.from(`v1:${userId}`, 'utf8').toString('base64url');
