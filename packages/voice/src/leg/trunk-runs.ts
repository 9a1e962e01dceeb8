import type { LegInput } from '../message.ts';
import type { Callee, TrunkFacts } from './leg.ts';

/*
 * Trunks are tried in order, by the proxy and with one offer. An offer speaks one address family, so what the proxy tries is a run of
 * trunks of one family, from the one that the INVITE names; the next run gets a branch and an offer of its own.
 *
 *   IPv4, IPv4 │ IPv6 │ IPv4      three runs
 */

/** The trunks of a plan; the first of each run but the first brings the id of the branch that it would be called by. */
export function inRuns(trunks: readonly TrunkFacts[], fresh: () => string): readonly TrunkFacts[] {
  return trunks.map((trunk, i) =>
    i > 0 && trunk.family !== trunks[i - 1]!.family ? { ...trunk, branch: fresh() } : trunk,
  );
}

/** The run behind the one in which `tried` is, after this end of its branch; a refusal of the callee holds for every way there. */
export function nextRun(
  callee: Callee,
  tried: string | undefined,
  { status, by }: Extract<LegInput, { type: 'failed' }>,
  rang: boolean,
): (TrunkFacts & { readonly branch: string }) | undefined {
  const down = by === 'timeout' || by === 'transport' || status === 503 || status === 504;
  if (callee.to !== 'trunk' || by === 'cancel' || !(down || (status === 408 && !rang))) return undefined;
  const at = callee.trunks.findIndex(({ name }) => name === tried);
  return callee.trunks
    .slice(at + 1)
    .find((trunk): trunk is TrunkFacts & { branch: string } => at >= 0 && trunk.branch !== undefined);
}
