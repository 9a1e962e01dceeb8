/**
 * `npm run survival`: the survival suites with 50 calls (SURVIVAL_CALLS), ten commanded ones of each kind (SURVIVAL_COMMANDED) and 20 in a queue
 * (SURVIVAL_QUEUED), five deaths each (SURVIVAL_KILLS), and their figures.
 */
import { spawnSync } from 'node:child_process';

const env = {
  SURVIVAL_CALLS: '50',
  SURVIVAL_COMMANDED: '10',
  SURVIVAL_QUEUED: '20',
  SURVIVAL_KILLS: '5',
  SURVIVAL_SECONDS: '12',
  ...process.env,
};
const suites = ['e2e/survival.test.ts', 'e2e/survival-commands.test.ts', 'e2e/survival-queue.test.ts'];
const result = spawnSync(process.execPath, ['--test', '--test-concurrency=1', ...suites], {
  stdio: 'inherit',
  env,
});
process.exitCode = result.status ?? 1;
