import type { EpochMs } from '@sidetone/core';

/** ISO 8601 with microseconds. */
export function isoMicros(at: EpochMs): string {
  const micros = Math.round(at * 1000);
  const rest = ((micros % 1000) + 1000) % 1000;
  return new Date((micros - rest) / 1000).toISOString().replace('Z', `${String(rest).padStart(3, '0')}Z`);
}
