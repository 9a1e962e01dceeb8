import { err, hexId, type Ms, type Random, type Result } from '@sidetone/core';
import {
  createChallenge,
  type DigestAlgorithm,
  type DigestProblem,
  digestUserName,
  type Flow,
  ha1,
  type SipRequest,
  verifyDigest,
} from '@sidetone/sip';
import { NonceCounts } from './nonce-counts.ts';

export interface GateOptions {
  readonly secret: Uint8Array;
  readonly random: Random;
  readonly realm: () => string;
  /**
   * RFC 8760 would have SHA-256 first and MD5 behind it. Many phones give up on any challenge that names SHA-256 (baresip
   * 1.0 wherever it stands, SIPp 3.6 and older PJSIP when it comes first), so it is for the operator to say.
   */
  readonly algorithms: readonly DigestAlgorithm[];
  readonly nonceMs: Ms;
  readonly nonces: number;
}

/** Digest authentication (RFC 7616) at the border: challenges that cost nothing, and answers that are good once. */
export class DigestGate {
  readonly #options: GateOptions;
  readonly #counts: NonceCounts;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#counts = new NonceCounts(options.nonces, options.nonceMs);
  }

  /** The nonces of the process before are asked for anew. */
  restored(now: Ms): void {
    this.#counts.forgetBefore(now);
  }

  claimedUser(authorization: readonly string[]): string {
    return digestUserName(authorization, this.#options.realm()) ?? '';
  }

  /** `known` null: the form alone, of which nothing is kept; otherwise the proof, which uses up its nonce count. */
  verify(
    request: SipRequest,
    flow: Flow,
    authorization: readonly string[],
    known: { readonly user: string; readonly password: string } | null,
    now: Ms,
  ): Result<{ readonly userName: string }, DigestProblem> {
    const realm = this.#options.realm();
    const verified = verifyDigest({
      authorization,
      method: request.method,
      uri: request.uri,
      realm,
      secret: this.#options.secret,
      now,
      source: sourceOf(flow),
      lifetime: this.#options.nonceMs,
      ha1: (userName, algorithm) =>
        known?.user === userName ? ha1(userName, realm, known.password, algorithm) : undefined,
    });
    if (!verified.ok) return verified;
    const { nonce, issuedAt, count } = verified.value;
    return this.#counts.use(verified.value.userName, nonce, issuedAt, count, now) ? verified : err('stale');
  }

  /** Values for WWW-Authenticate or Proxy-Authenticate. */
  challenge(flow: Flow, stale: boolean, now: Ms): readonly string[] {
    const { secret, realm, random, algorithms } = this.#options;
    // Phones behind one address that ask in the same millisecond do not share a count.
    const salt = hexId(random, 4);
    return createChallenge({ realm: realm(), secret, now, source: sourceOf(flow), salt, stale, algorithms });
  }
}

/** What a nonce is bound to: the address; the port may change behind a NAT. */
export const sourceOf = (flow: Flow): string => (flow.transport === 'local' ? flow.node : flow.host);
