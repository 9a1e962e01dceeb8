/** `npm run survival`: the survival suite with 50 calls (or SURVIVAL_CALLS), and its figures. */
import { spawnSync } from 'node:child_process';

const env = { SURVIVAL_CALLS: '50', SURVIVAL_KILLS: '5', ...process.env };
const result = spawnSync(process.execPath, ['--test', 'e2e/survival.test.ts'], { stdio: 'inherit', env });
process.exitCode = result.status ?? 1;
