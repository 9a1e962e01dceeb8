import { readdirSync, readFileSync } from 'node:fs';

interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** Start time in clock ticks: tells a process from a later one with the same id. */
  readonly started: string;
}

function stat(pid: number): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return undefined;
    return { pid, parent: Number(fields[1]), started: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

/** Every process below `pid`. */
export function descendants(pid: number): readonly ProcessStat[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => stat(Number(name)) ?? []);
  const out: ProcessStat[] = [];
  for (let parents = [pid]; parents.length > 0; ) {
    const children = all.filter((process) => parents.includes(process.parent));
    out.push(...children);
    parents = children.map((process) => process.pid);
  }
  return out;
}

/** Those that still run. */
export const stillRunning = (processes: readonly ProcessStat[]): readonly ProcessStat[] =>
  processes.filter((process) => stat(process.pid)?.started === process.started);

/** The command line of a process; empty when it has ended. */
export function processLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
