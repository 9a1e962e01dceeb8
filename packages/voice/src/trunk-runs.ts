import type { FreshLeg, Plan, TrunkFacts } from './call.ts';
import type { CallInput } from './call-events.ts';

/*
 * Trunks are tried in order, by the proxy and with one offer. An offer speaks one address family, so what the proxy tries is a run of
 * trunks of one family, from the one that the INVITE names; the next run gets a leg and an offer of its own.
 *
 *   IPv4, IPv4 │ IPv6 │ IPv4      three runs
 */

/** The trunks of a plan; the first of each run but the first brings the leg that it would be called by. */
export function inRuns(trunks: readonly TrunkFacts[], fresh: () => FreshLeg): readonly TrunkFacts[] {
  return trunks.map((trunk, i) =>
    i > 0 && trunk.family !== trunks[i - 1]!.family ? { ...trunk, leg: fresh() } : trunk,
  );
}

/** The run behind the one in which `tried` is, after this end of its leg; a refusal of the callee holds for every way there. */
export function nextRun(
  plan: Plan,
  tried: string | undefined,
  { status, by }: Extract<CallInput, { type: 'failed' }>,
  rang: boolean,
): (TrunkFacts & { readonly leg: FreshLeg }) | undefined {
  const down = by === 'timeout' || by === 'transport' || status === 503 || status === 504;
  if (plan.to !== 'trunk' || by === 'cancel' || !(down || (status === 408 && !rang))) return undefined;
  const at = plan.trunks.findIndex(({ name }) => name === tried);
  return plan.trunks
    .slice(at + 1)
    .find((trunk): trunk is TrunkFacts & { leg: FreshLeg } => at >= 0 && trunk.leg !== undefined);
}
