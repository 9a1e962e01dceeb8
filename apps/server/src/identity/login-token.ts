import { randomUUID } from 'node:crypto';
import { type EpochMs, err, ok, type Result } from '@sidetone/core';
import { errors, jwtVerify, SignJWT } from 'jose';

/**
 * Login tokens: a JWT signed with HS512 whose claims have the shapes of the published API. `tel_token` carries the SIP
 * user name; the signature protects it. ASCII only, since browsers read `exp` with `atob`.
 */
const ISSUER = 'telnyx_telephony';
const LIFETIME_SECONDS = 24 * 3600;
const CLOCK_SKEW_SECONDS = 60;
const MAX_TOKEN_LENGTH = 4096;

export type TokenRefusal = 'malformed' | 'bad-signature' | 'expired' | 'not-yet-valid' | 'wrong-claims';

/** Mints a token for a SIP user, valid for 24 hours from `now`. */
export async function mintLoginToken(key: Uint8Array, userName: string, now: EpochMs): Promise<string> {
  const iat = Math.floor(now / 1000);
  return new SignJWT({ typ: 'access', tel_token: Buffer.from(userName, 'utf8').toString('base64url') })
    .setProtectedHeader({ alg: 'HS512', typ: 'JWT' })
    .setIssuer(ISSUER)
    .setAudience(ISSUER)
    .setSubject(randomUUID())
    .setJti(randomUUID())
    .setIssuedAt(iat)
    .setNotBefore(iat - 1)
    .setExpirationTime(iat + LIFETIME_SECONDS)
    .sign(key);
}

/** The SIP user of a valid token and when it ends, or why it is refused. Only HS512 is accepted. */
export async function verifyLoginToken(
  key: Uint8Array,
  token: string,
  now: EpochMs,
): Promise<Result<{ userName: string; expiresAt: EpochMs }, TokenRefusal>> {
  if (token.length > MAX_TOKEN_LENGTH) return err('malformed');
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['HS512'],
      issuer: ISSUER,
      audience: ISSUER,
      clockTolerance: CLOCK_SKEW_SECONDS,
      currentDate: new Date(now),
      requiredClaims: ['exp', 'iat', 'nbf', 'jti', 'sub', 'tel_token'],
    });
    if (payload['typ'] !== 'access' || typeof payload['tel_token'] !== 'string') return err('wrong-claims');
    return ok({
      userName: Buffer.from(payload['tel_token'], 'base64url').toString('utf8'),
      expiresAt: payload.exp! * 1000,
    });
  } catch (error) {
    if (error instanceof errors.JWTExpired) return err('expired');
    if (error instanceof errors.JWTClaimValidationFailed)
      return err(error.claim === 'nbf' ? 'not-yet-valid' : 'wrong-claims');
    if (error instanceof errors.JWSSignatureVerificationFailed) return err('bad-signature');
    return err('malformed');
  }
}
