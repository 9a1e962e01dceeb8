/**
 * When the audio path of a call is repaired by an ICE restart: a record and a total step.
 *
 *   fine ─disconnected→ waiting (2 s: it often heals) ─timer→ restarting ─timer (8 s)→ restarting by relay ─timer (8 s)→ spent
 *   fine | waiting ─failed→ restarting        any ─connected→ fine        spent ─failed→ restarting
 *
 * The second try takes the relay only, when there is one: a path that fails in the middle is often one that a firewall closed.
 */
export interface RepairState {
  readonly at: 'fine' | 'waiting' | 'restarting' | 'relaying' | 'spent';
}

export type RepairInput = 'connected' | 'disconnected' | 'failed' | 'timer';

export interface RepairStep {
  readonly state: RepairState;
  /** Give the input `timer` then. */
  readonly waitMs?: number;
  readonly restart?: 'all' | 'relay';
  readonly gaveUp?: boolean;
}

export const NO_REPAIR: RepairState = { at: 'fine' };

const HEALING_MS = 2_000;
const RESTART_MS = 8_000;

export function stepRepair(state: RepairState, input: RepairInput, hasRelay: boolean): RepairStep {
  const { at } = state;
  if (input === 'connected') return { state: NO_REPAIR };
  if (input === 'disconnected')
    return at === 'fine' ? { state: { at: 'waiting' }, waitMs: HEALING_MS } : { state };
  const restarting = at === 'restarting' || at === 'relaying';
  if (input === 'failed' && restarting) return { state };
  if (input === 'failed' || at === 'waiting')
    return { state: { at: 'restarting' }, waitMs: RESTART_MS, restart: 'all' };
  if (at === 'restarting')
    return { state: { at: 'relaying' }, waitMs: RESTART_MS, restart: hasRelay ? 'relay' : 'all' };
  return at === 'relaying' ? { state: { at: 'spent' }, gaveUp: true } : { state };
}
