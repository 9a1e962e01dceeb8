import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { epoch } from '../clock.ts';

/**
 * Tells one run of this machine from the next: its monotonic clock begins anew with each. Linux names them; elsewhere it is the minute
 * in which the machine was started (a clock that is set in between makes it another run, which is the safe mistake).
 */
export function bootIdentity(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return `since ${Math.round((epoch() / 1000 - uptime()) / 60)}`;
  }
}
