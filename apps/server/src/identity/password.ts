import { createHash, timingSafeEqual } from 'node:crypto';
import type { SipUser } from '@sidetone/wire';

/** Is this the password of this user? Takes the same time for an unknown user and for a wrong password. */
export function passwordMatches(user: SipUser | undefined, password: string): boolean {
  const expected = createHash('sha256')
    .update(user?.password ?? '')
    .digest();
  const given = createHash('sha256').update(password).digest();
  return timingSafeEqual(expected, given) && user !== undefined;
}
