import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A running product of our own, on free ports of this machine, with users line1 and line2. */
export interface Product {
  readonly url: string;
  /** Of the supervisor. */
  readonly pid: number;
  readonly dataDir: string;
  /** Runs a command of `sidetone` on its configuration and data; what it printed. */
  command(...words: readonly string[]): string;
  /** Stops it and starts it anew, on the same ports with the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startSidetone(config: object): Promise<Product> {
  const dir = mkdtempSync(join(tmpdir(), 'sidetone-bench-'));
  const [http, sip, tcp, stun] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const file = join(dir, 'config.json');
  const connections = ['line1', 'line2'].map((user_name, i) => ({
    user_name,
    password: `bench-password-${i + 1}`,
  }));
  writeFileSync(
    file,
    JSON.stringify({
      http: { port: http },
      sip: { udp: sip, tcp },
      stun: { port: stun },
      media: { ports: [48000, 49999] },
      connections,
      log: { level: 'error' },
      ...config,
    }),
  );
  const main = fileURLToPath(new URL('../../apps/server/src/main.ts', import.meta.url));
  const where = ['--config', file, '--data', join(dir, 'data')];
  let running = await serve([main, 'serve', ...where]);
  return {
    url: running.url,
    dataDir: join(dir, 'data'),
    get pid() {
      return running.pid;
    },
    restart: async () => {
      await running.stop();
      running = await serve([main, 'serve', ...where]);
    },
    command: (...words) => execFileSync(process.execPath, [main, ...words, ...where]).toString(),
    stop: async () => {
      await running.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Runs the server until it says where it is ready. */
async function serve(
  args: readonly string[],
): Promise<{ url: string; pid: number; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('ready ')) resolve(line.slice(6));
    });
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  return { url, pid: child.pid ?? -1, stop };
}

/** A TCP port that is free right now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
