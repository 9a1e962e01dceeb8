import { spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './ports.ts';

/** Where this system keeps the programs of PostgreSQL 15 or newer; `undefined` without one. */
export function postgresPrograms(): string | undefined {
  const folders = globSync('/usr/lib/postgresql/*/bin').filter((folder) => {
    const version = Number(folder.split('/').at(-2));
    return version >= 15 && existsSync(join(folder, 'initdb'));
  });
  return folders.sort().at(-1);
}

/** The reason for skipping what needs PostgreSQL, or `false`. In CI nothing is skipped. */
export const skipWithoutPostgres: string | false =
  postgresPrograms() !== undefined || process.env['CI'] === 'true'
    ? false
    : 'PostgreSQL 15 or newer is not installed (npm run peers)';

/** A real cluster of its own, in a folder of its own. PostgreSQL refuses to run as root, so root lends it the user `postgres`. */
export class PostgresCluster {
  readonly port: number;
  readonly #dir: string;
  readonly #bin: string;
  readonly #as: { readonly uid: number; readonly gid: number } | undefined;

  private constructor(bin: string, dir: string, port: number, as: { uid: number; gid: number } | undefined) {
    this.#bin = bin;
    this.#dir = dir;
    this.port = port;
    this.#as = as;
  }

  static async start(): Promise<PostgresCluster> {
    const bin = postgresPrograms();
    if (bin === undefined) throw new Error('PostgreSQL 15 or newer is not installed; run "npm run peers"');
    const dir = mkdtempSync(join(tmpdir(), 'sidetone-pg-'));
    const as = process.getuid?.() === 0 ? idOf('postgres') : undefined;
    if (as !== undefined) chownSync(dir, as.uid, as.gid);
    const cluster = new PostgresCluster(bin, dir, await freePort(), as);
    await cluster.#run('initdb', ['-D', join(dir, 'data'), '-A', 'trust', '-U', 'sidetone', '--no-sync']);
    await cluster.#run('pg_ctl', [
      '-D',
      join(dir, 'data'),
      '-w',
      '-l',
      join(dir, 'log'),
      '-o',
      `-p ${cluster.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${dir} -c fsync=off`,
      'start',
    ]);
    return cluster;
  }

  /** A new, empty database. */
  async database(name: string): Promise<string> {
    const at = ['-h', '127.0.0.1', '-p', String(this.port), '-U', 'sidetone'];
    await this.#run('createdb', [...at, name]);
    return `postgres://sidetone@127.0.0.1:${this.port}/${name}`;
  }

  async stop(): Promise<void> {
    await this.#run('pg_ctl', ['-D', join(this.#dir, 'data'), '-m', 'immediate', '-w', 'stop']);
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #run(program: string, args: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = spawn(join(this.#bin, program), args, {
        ...this.#as,
        cwd: this.#dir,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
      child.on('error', reject);
      child.on('exit', (code) =>
        code === 0 ? resolve() : reject(new Error(`${program} ended with ${code}: ${said}`)),
      );
    });
  }
}

function idOf(user: string): { uid: number; gid: number } {
  const ask = (flag: string): number => Number(spawnSync('id', [flag, user], { encoding: 'utf8' }).stdout);
  return { uid: ask('-u'), gid: ask('-g') };
}
