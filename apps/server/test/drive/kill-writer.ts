import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { DirectoryStore } from '../../src/store/directory-store.ts';

const WRITER = fileURLToPath(new URL('./store-writer.ts', import.meta.url));

/**
 * Starts a writer of `count` objects, kills it with SIGKILL once `killAfter` were acknowledged, opens the store again and counts.
 * `lost`: acknowledged and not there.
 */
export async function killWriter(
  kind: 'sqlite' | 'postgres',
  where: string,
  count: number,
  killAfter: number,
  open: () => Promise<DirectoryStore>,
): Promise<{ acknowledged: number; lost: number; found: number; killed: boolean }> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', WRITER, kind, where, `${count}`],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let said = '';
  let lines = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    for (const byte of chunk) if (byte === 10) lines += 1;
    if (lines >= killAfter) child.kill('SIGKILL');
  });
  const signal = await new Promise<string | null>((resolve) => child.on('close', (_code, by) => resolve(by)));
  // A line cut short by the kill was written, but not told whole.
  const told = said
    .slice(0, said.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line.length === 36);
  const store = await open();
  const { objects } = await store.load(0);
  await store.close();
  const there = new Set(objects.map((o) => o.id));
  return {
    acknowledged: told.length,
    lost: told.filter((id) => !there.has(id)).length,
    found: there.size,
    killed: signal === 'SIGKILL',
  };
}
