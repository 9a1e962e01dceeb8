import type { EpochMs, Ms } from '@sidetone/core';
import type { VspInput, VspOutput } from '@sidetone/vsp';
import type { Identity, IdentityRefusal, SipUser } from '@sidetone/wire';
import type { LoginBudget } from '../identity/login-budget.ts';
import type { LoginTokens, TokenRefusal } from '../identity/login-token.ts';
import { passwordMatches } from '../identity/password.ts';

type Question = Pick<Extract<VspOutput, { type: 'authenticate' }>, 'credentials' | 'address'>;
type Answer = Extract<VspInput, { type: 'authenticated' }>['result'];

/** For the log: how a client proved itself, or why it did not. */
export type LoginReason =
  | 'connection password'
  | 'credential password'
  | 'token'
  | 'too many tries'
  | 'unknown user'
  | 'wrong password'
  | 'deleted user'
  | IdentityRefusal
  | `token ${TokenRefusal}`;

export interface Login {
  readonly answer: Answer;
  readonly reason: LoginReason;
  /** As far as it is known, for the log. */
  readonly user: string;
}

/**
 * Proves who a client is: the password of a connection or of a telephony credential, or a token of one. A client learns the
 * same from every refusal, so that users cannot be told apart; the log has the reason.
 */
export async function authenticate(
  question: Question,
  identity: Identity,
  tokens: LoginTokens,
  budget: LoginBudget,
  { now, epoch }: { readonly now: Ms; readonly epoch: EpochMs },
): Promise<Login> {
  const { credentials, address } = question;
  if (credentials.kind === 'password') {
    const name = credentials.login;
    if (!budget.allows(name, address, now)) {
      const answer = { ok: false, why: 'too many tries' } as const;
      return { answer, reason: 'too many tries', user: name };
    }
    const user = identity.userByName(name);
    if (!passwordMatches(user, credentials.password) || user === undefined) {
      budget.failed(name, address, now);
      return refused(user === undefined ? 'unknown user' : 'wrong password', name);
    }
    return settled(identity, user, `${user.kind} password`, epoch);
  }
  // No budget: a signature is not guessed, and a page with an old token must not lock out its whole office.
  const verified = await tokens.verify(credentials.token, epoch);
  if (!verified.ok) return refused(`token ${verified.error}`, '');
  // From here on nothing waits: a user that is revoked later is revoked after its login.
  const user = identity.userById(verified.value.userId);
  if (user === undefined) return refused('deleted user', verified.value.userId);
  return settled(identity, user, 'token', epoch);
}

/** Proven; but is it still good? */
function settled(identity: Identity, user: SipUser, reason: LoginReason, epoch: EpochMs): Login {
  const refusal = identity.refusal(user, epoch);
  if (refusal !== undefined) return refused(refusal, user.name);
  return { answer: { ok: true, user: user.name }, reason, user: user.name };
}

const refused = (reason: LoginReason, user: string): Login => ({
  answer: { ok: false, why: 'Login Incorrect' },
  reason,
  user,
});
