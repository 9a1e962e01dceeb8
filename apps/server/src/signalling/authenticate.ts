import type { EpochMs } from '@sidetone/core';
import type { VspInput, VspOutput } from '@sidetone/vsp';
import type { Directory } from '@sidetone/wire';
import { passwordMatches } from '../identity/directory.ts';
import type { LoginBudget } from '../identity/login-budget.ts';
import { verifyLoginToken } from '../identity/login-token.ts';

type Question = Extract<VspOutput, { type: 'authenticate' }>;
type Answer = Extract<VspInput, { type: 'authenticated' }>['result'];

/**
 * Proves who a client is: the password of a user, or a login token of one. One answer for every refusal, so that users
 * cannot be told apart; the log has the reason.
 */
export async function authenticate(
  question: Question,
  directory: Directory,
  tokenKey: Uint8Array,
  budget: LoginBudget,
  now: EpochMs,
): Promise<{ answer: Answer; reason: string; user: string }> {
  const credentials = question.credentials;
  if (credentials.kind === 'password') {
    const user = credentials.login;
    if (!budget.allows(user, question.address, now))
      return { answer: { ok: false, why: 'too many tries' }, reason: 'too many tries', user };
    const connection = directory.connections.find((c) => c.user_name === user);
    if (!passwordMatches(connection, credentials.password)) {
      budget.failed(user, question.address, now);
      return {
        answer: { ok: false, why: 'Login Incorrect' },
        reason: connection === undefined ? 'unknown user' : 'wrong password',
        user,
      };
    }
    return { answer: { ok: true, user }, reason: 'password', user };
  }
  // No budget: a signature is not guessed, and a page with an old token must not lock out its whole office.
  const verified = await verifyLoginToken(tokenKey, credentials.token, now);
  const user = verified.ok ? verified.value.userName : '';
  if (!verified.ok || !directory.connections.some((c) => c.user_name === user)) {
    return {
      answer: { ok: false, why: 'Login Incorrect' },
      reason: verified.ok ? 'unknown user' : `token ${verified.error}`,
      user,
    };
  }
  return { answer: { ok: true, user }, reason: 'token', user };
}
