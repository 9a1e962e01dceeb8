import { readdirSync, readFileSync } from 'node:fs';

interface ProcessFacts {
  readonly parent: number;
  /** Hundredths of a second. */
  readonly ticks: number;
}

function processes(): Map<number, ProcessFacts> {
  const all = new Map<number, ProcessFacts>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      all.set(Number(entry), {
        parent: Number(fields[1]),
        ticks: Number(fields[11]) + Number(fields[12]),
      });
    } catch {
      // It ended meanwhile.
    }
  }
  return all;
}

/** A process and all below it. */
function familyOf(root: number, all: ReadonlyMap<number, ProcessFacts>): number[] {
  const isBelow = (pid: number): boolean => {
    let at: number | undefined = pid;
    while (at !== undefined && at !== root && at !== 0) at = all.get(at)?.parent;
    return at === root;
  };
  return [...all.keys()].filter(isBelow);
}

/** Seconds of CPU that a process and all below it have taken. */
export function cpuOf(root: number): number {
  const all = processes();
  return familyOf(root, all).reduce((sum, pid) => sum + all.get(pid)!.ticks, 0) / 100;
}

/** The process below `root` whose command line holds `word`. */
export function childOf(root: number, word: string): number {
  const all = processes();
  const found = familyOf(root, all).find((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word),
  );
  if (found === undefined) throw new Error(`no process ${word}`);
  return found;
}

/** Resident memory in bytes. */
export function rssOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
}

/** How many files and sockets a process may have open. */
export function descriptorsOf(pid: number): number {
  const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
  return Number(/Max open files\s+(\d+)/.exec(limits)?.[1] ?? 0);
}
