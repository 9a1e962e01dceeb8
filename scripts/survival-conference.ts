/**
 * `npm run survival:conference`: a conference of 50 legs (CONFERENCE_LEGS) for three minutes (CONFERENCE_SECONDS), with kill -9 of signalling
 * in the middle, and its figures.
 */
import { spawnSync } from 'node:child_process';

const env = { CONFERENCE_LEGS: '50', CONFERENCE_SECONDS: '180', ...process.env };
const result = spawnSync(process.execPath, ['--test', 'e2e/survival-conference.test.ts'], {
  stdio: 'inherit',
  env,
});
process.exitCode = result.status ?? 1;
