import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPostgresDirectory } from '../apps/server/src/store/postgres-store.ts';
import { openSqliteDirectory } from '../apps/server/src/store/sqlite-store.ts';
import { killWriter } from '../apps/server/test/drive/kill-writer.ts';
import { PostgresCluster } from '../apps/server/test/drive/postgres.ts';

/**
 * `npm run kill-writes [COUNT]`: a process writes 10,000 objects and more, and is killed with SIGKILL on its way; then the store is
 * opened again. Every object that was acknowledged must be there. Both stores; exit status 1 when one is missing.
 */
const COUNT = Number(process.argv[2] ?? 10_000);
const dir = mkdtempSync(join(tmpdir(), 'sidetone-kill-'));
const cluster = await PostgresCluster.start();
let lost = 0;
try {
  const file = join(dir, 'test.db');
  const url = await cluster.database('killed');
  for (const [kind, where, open] of [
    ['sqlite', file, async () => openSqliteDirectory(file)],
    ['postgres', url, () => openPostgresDirectory(url)],
  ] as const) {
    const started = performance.now();
    const result = await killWriter(kind, where, COUNT * 10, COUNT, open);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    process.stdout.write(
      `${kind.padEnd(9)} acknowledged ${result.acknowledged}, killed ${result.killed}, lost ${result.lost} (${seconds} s)\n`,
    );
    if (!result.killed || result.acknowledged < COUNT) lost += 1;
    lost += result.lost;
  }
} finally {
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
}
process.exitCode = lost > 0 ? 1 : 0;
