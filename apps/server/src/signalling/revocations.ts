import type { IdentityChange } from '@sidetone/wire';
import type { Exchange } from './exchange.ts';

type Revoked = Extract<IdentityChange, { type: 'revoked' }>;

/**
 * Tells the rooms whose logins are no longer good. A change of one object may revoke thousands: they are told together, once.
 *
 *   voice   their calls end, and clients hear it    not after a new password: who knows it logs in again and goes on
 *   vsp     their sockets are closed
 *   proxy   their registrations are dropped
 */
export function createRevocations(exchange: Pick<Exchange, 'post'>): (change: IdentityChange) => void {
  let waiting: Revoked[] = [];
  const tell = (): void => {
    const revoked = waiting;
    waiting = [];
    for (const keeps of [false, true]) {
      const users = new Set(
        revoked.filter(({ why }) => (why === 'password-changed') === keeps).map(({ userName }) => userName),
      );
      if (users.size === 0) continue;
      if (!keeps) exchange.post('voice', { type: 'revoked', users });
      exchange.post('vsp', { type: 'revoked', users, keeps });
      exchange.post('proxy', { type: 'revoked', users });
    }
  };
  return (change) => {
    if (change.type !== 'revoked') return;
    if (waiting.length === 0) setImmediate(tell);
    waiting.push(change);
  };
}
