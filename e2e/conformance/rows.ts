import type { Row } from './row.ts';
import { CALL_ROWS } from './rows-calls.ts';
import { CALL_SURFACE_ROWS } from './rows-calls-surface.ts';
import { CLIENT_SURFACE_ROWS } from './rows-client-surface.ts';
import { RECOVERY_ROWS } from './rows-recovery.ts';
import { SESSION_ROWS } from './rows-session.ts';

/** Every row, in the order of the table. */
export const ROWS: readonly Row[] = [
  ...SESSION_ROWS,
  ...CALL_ROWS,
  ...RECOVERY_ROWS,
  ...CLIENT_SURFACE_ROWS,
  ...CALL_SURFACE_ROWS,
];
