import type { Identity, LegView } from '@sidetone/wire';
import { isEnding, type Leg } from '../leg/leg.ts';
import { countedAccount } from '../limits/counters.ts';

/** Whose leg it is: of the back end that is told of it, of its user, or of the account that pays for it; `null` where nobody's is. */
export function accountOf(leg: Leg, identity: Identity): string | null {
  const { program, userName, counts } = leg;
  return program?.account ?? identity.userByName(userName ?? '')?.accountId ?? countedAccount(counts) ?? null;
}

export const connectionOf = ({ program, userName }: Leg, identity: Identity): string | null =>
  program === null ? (identity.userByName(userName ?? '')?.connectionId ?? null) : program.connection;

export function viewOf(leg: Leg, identity: Identity): LegView {
  const stamp = (at: number | null): number | null => (at === null ? null : Math.round(leg.epochOffset + at));
  return {
    control: leg.control,
    leg: leg.id,
    session: leg.session,
    account: accountOf(leg, identity) ?? '',
    connection: connectionOf(leg, identity),
    alive: !isEnding(leg),
    clientState: leg.program?.clientState ?? null,
    startedAt: stamp(leg.startedAt)!,
    answeredAt: stamp(leg.answeredAt),
    endedAt: stamp(leg.endedAt),
  };
}
