import type { Failure } from '../src/line.ts';
import type { Drop } from './lane.ts';

const FAILURES: readonly Failure[] = ['cut', 'stall', 'move'];

/** Numbers in [0, 1) from a seed (mulberry32). */
function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Every kind in turn, each with an outage of 1 to 15 s. */
export function plan(count: number, seed: number): Drop[] {
  const roll = dice(seed);
  return Array.from({ length: count }, (_, n) => ({
    failure: FAILURES[n % FAILURES.length]!,
    media: Math.floor(n / FAILURES.length) % 2 === 1,
    outageMs: 1_000 + Math.round(roll() * 14_000),
  }));
}

export const kindOf = ({ failure, media }: Drop): string =>
  `${failure}, ${media ? 'media cut too' : 'media untouched'}`;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
