import { cpus, loadavg, totalmem } from 'node:os';

/** One line saying on what a figure was measured. Absolute times are noise between machines; ratios in one run are not. */
export function conditions(): string {
  const [cpu] = cpus();
  const load = loadavg()[0]!.toFixed(2);
  const gib = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${cpu?.model.trim() ?? 'unknown CPU'}, ${gib} GiB, Node ${process.version}, ${process.platform}, load ${load}`;
}

/** The value below which a share `p` (0..1) of the sorted samples lies. */
export function percentile(samples: readonly number[], p: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? Number.NaN;
}
