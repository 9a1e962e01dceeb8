import type { Acks } from './acks.ts';
import type { PretendClient } from './browser.ts';
import type { PretendCarrier } from './carrier.ts';
import type { Kind } from './habits.ts';
import type { House } from './house.ts';

/** The answered calls of all clients at this instant. */
export const stateOfThings = (users: readonly PretendClient[], at: number) =>
  users.flatMap((client) =>
    [...client.calls]
      .filter(([, state]) => state === 'active' || state === 'held' || state === 'recovering')
      .map(([id]) => ({ client, id, at })),
  );

/** Everybody has had time: what is wrong when the ends and the platform compare their calls. */
export function agreement(
  kind: Kind,
  users: readonly PretendClient[],
  carrier: PretendCarrier,
  house: House,
): string[] {
  const problems: string[] = [];
  let [rung, echoes, outbound] = [0, 0, 0];
  for (const client of users) {
    for (const [id, state] of client.calls) {
      if (state === 'done') continue;
      if (state !== 'active' && state !== 'held') problems.push(`a call is ${state} for ever`);
      const dialled = client.dialled.get(id);
      if (dialled === undefined) rung += 1;
      else if (dialled === '9196') echoes += 1;
      else outbound += 1;
    }
    for (const other of users)
      if (other !== client && [...client.calls.keys()].some((id) => other.calls.has(id)))
        problems.push('two clients have the same call');
  }
  const talking = [...carrier.legs.values()].filter((state) => state === 'active').length;
  // One side of each conversation but the echoes', and the other.
  const [callers, callees] =
    kind === 'carrier to client'
      ? [talking, rung]
      : kind === 'client to carrier'
        ? [outbound, talking]
        : [outbound, rung];
  if (callers !== callees) problems.push(`one end has ${callers} calls, the other ${callees}`);
  const { calls, legs } = house.leftOver();
  if (calls !== callers + echoes)
    problems.push(`the platform has ${calls} calls, its callers ${callers + echoes}`);
  if (legs !== 2 * callers + echoes)
    problems.push(`media has ${legs} legs for ${callers} calls and ${echoes} echoes`);
  return problems;
}

/** Everybody has left, and nothing is left to happen: what is still there, and should not be. */
export function remains(users: readonly PretendClient[], carrier: PretendCarrier, house: House): string[] {
  const problems: string[] = [];
  const left = house.leftOver();
  if (left.vsp !== 0) problems.push(`vsp keeps ${left.vsp}`);
  if (left.voice !== 0) problems.push(`voice keeps ${left.voice}`);
  if (left.proxy !== 0) problems.push(`proxy keeps ${left.proxy}`);
  const events = Object.values(left.events ?? {}).reduce((sum, many) => sum + many, 0);
  if (events !== 0) problems.push(`webhooks keep ${events}`);
  if (left.legs !== 0) problems.push(`media keeps ${left.legs} legs`);
  if (house.engine.playing !== 0) problems.push(`media plays ${house.engine.playing} files`);
  if (left.lines !== 0) problems.push(`the journal keeps ${left.lines} lines`);
  if (left.deadline !== null) problems.push(`a timer is left at ${left.deadline}`);
  if (carrier.size !== 0) problems.push(`the carrier keeps ${carrier.size}`);
  for (const [leg, state] of carrier.legs)
    if (state !== 'done') problems.push(`carrier leg ${leg} is ${state}`);
  for (const client of users) {
    problems.push(...client.problems.map((text) => `${client.name}: ${text}`));
    if (client.unanswered > 0) problems.push(`${client.name}: ${client.unanswered} requests without a reply`);
  }
  const recorded = new Set(house.records.map((record) => record.leg_id));
  if (recorded.size !== house.records.length) problems.push('a leg has two records');
  for (const record of house.records) {
    if (record.answered_at !== undefined && record.answered_at < record.started_at)
      problems.push('answered before it began');
    if (record.ended_at < record.started_at) problems.push('ended before it began');
  }
  // Ways to a leg that died before their INVITE have no name.
  for (const branch of house.engine.opened) {
    const leg = house.legOf.get(branch);
    if (leg !== undefined && !recorded.has(leg)) problems.push(`no record of leg ${leg}`);
  }
  return problems;
}

/**
 * Answered calls end because somebody ended them, stayed away too long, or lost media, or because the network lost every ACK there was for
 * half a minute (RFC 3261 §13.3.1.4); never because a process died.
 */
/** @param offerless the carrier calls without an offer: its answer, in the ACK, is lost with a process that dies while media reads it. */
export function lostCalls(
  users: readonly PretendClient[],
  house: House,
  acks: Acks,
  offerless: boolean,
): string[] {
  const stayedAway = users.some((client) => client.stayedAway);
  const problems: string[] = [];
  const early = new Set(house.records.filter((r) => r.answered_at === undefined).map((r) => r.session_id));
  for (const { ended_by, cause, leg_id, session_id } of house.records) {
    if (early.has(session_id)) continue;
    if (cause === 'RECOVERY_ON_TIMER_EXPIRE' && acks.lost) continue;
    if (cause === 'restarted' && offerless) continue;
    const lost = cause === 'NETWORK_LOST' ? !stayedAway : ended_by === 'platform' && !house.engine.fails;
    if (lost) problems.push(`the answered leg ${leg_id} ended: ${cause} by ${ended_by}`);
  }
  return problems;
}
