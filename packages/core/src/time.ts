/** Milliseconds on the monotonic clock of the process that drives the machines. Never a wall-clock stamp. */
export type Ms = number;

/** Milliseconds since the Unix epoch, for stamps that people or other systems read. */
export type EpochMs = number;

/** The earlier of two deadlines; `null` means "none". */
export function earliest(a: Ms | null, b: Ms | null): Ms | null {
  if (a === null) return b;
  if (b === null) return a;
  return a < b ? a : b;
}
