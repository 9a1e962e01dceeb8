import type { Row } from './row.ts';
import { CALL_DEVICE_ROWS } from './rows-call-devices.ts';
import { CALL_MEDIA_ROWS } from './rows-call-media.ts';
import { CALL_OPTION_ROWS } from './rows-call-options.ts';
import { CALL_ROWS } from './rows-calls.ts';
import { CLIENT_ROWS } from './rows-client.ts';
import { CONNECTION_ROWS } from './rows-connection.ts';
import { EXPORT_ROWS } from './rows-exports.ts';
import { LOGIN_ROWS } from './rows-login.ts';
import { RECOVERY_ROWS } from './rows-recovery.ts';

/** Every row, in the order of the table. */
export const ROWS: readonly Row[] = [
  ...LOGIN_ROWS,
  ...CONNECTION_ROWS,
  ...CALL_ROWS,
  ...CALL_MEDIA_ROWS,
  ...RECOVERY_ROWS,
  ...EXPORT_ROWS,
  ...CLIENT_ROWS,
  ...CALL_OPTION_ROWS,
  ...CALL_DEVICE_ROWS,
];
