/** JOSE header of a login token (RFC 7515 §4.1). */
export interface LoginTokenHeader {
  readonly alg: 'HS512';
  readonly typ: 'JWT';
  /** Which key signed: the deployment's key and the user. */
  readonly kid: string;
}

/**
 * Claims of a login token (RFC 7519 §4.1), in the shape that published clients and back ends know. ASCII without `>`, `?`
 * and `~`: the published client reads the payload with `atob`, which knows no base64url. Signed and checked at the edge.
 */
export interface LoginTokenClaims {
  readonly iss: string;
  readonly aud: string;
  /** UUID of the account. */
  readonly sub: string;
  /** UUID of this token. */
  readonly jti: string;
  /** Seconds since the Unix epoch; `nbf` is one second earlier than `iat`. */
  readonly iat: number;
  readonly nbf: number;
  /** Clients warn 120 s before. */
  readonly exp: number;
  readonly typ: 'access';
  /** Names the SIP user that the token logs in as. */
  readonly tel_token: string;
}
