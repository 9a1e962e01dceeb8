import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './ports.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Waits until `look` finds something; fails with what `detail` shows. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | null,
  detail: () => string = () => '',
  patienceMs = 10_000,
): Promise<T> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false && found !== null) return found;
    if (performance.now() > end) throw new Error(`waited in vain for ${what}\n${detail()}`);
    await new Promise((done) => setTimeout(done, 5));
  }
}

export interface Ports {
  readonly http: number;
  readonly sip: number;
  readonly stun: number;
  readonly media: number;
}

/** Free ports; those of media begin at `media`. */
export async function freePorts(media: number): Promise<Ports> {
  return { http: await freePort(), sip: await freePort(), stun: await freePort(), media };
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of `sidetone` to its end. */
export async function run(...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = collect(child);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output() };
}

function collect(child: ChildProcess): () => { stdout: string; stderr: string } {
  let stdout = '';
  let stderr = '';
  child.stdout!.on('data', (data) => (stdout += data));
  child.stderr!.on('data', (data) => (stderr += data));
  return () => ({ stdout, stderr });
}

export function folder(): string {
  return mkdtempSync(join(tmpdir(), 'sidetone-product-'));
}

/** The real product: `sidetone serve` as a process of its own, on free ports and a data folder of its own. */
export class Product {
  readonly ports: Ports;
  readonly dir: string;
  readonly configFile: string;
  readonly #child: ChildProcess;
  readonly #output: () => { stdout: string; stderr: string };
  readonly #gone: Promise<number | null>;

  private constructor(child: ChildProcess, ports: Ports, dir: string, configFile: string) {
    this.ports = ports;
    this.dir = dir;
    this.configFile = configFile;
    this.#child = child;
    this.#output = collect(child);
    this.#gone = once(child, 'close').then(([code]) => code as number | null);
  }

  static async start(
    settings: Readonly<Record<string, unknown>>,
    ports: Ports,
    on: {
      readonly folder?: (dataDir: string) => void;
      /** The process runs, and is not ready yet. */
      readonly launched?: (product: Product) => Promise<void>;
      readonly env?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<Product> {
    const dir = folder();
    on.folder?.(join(dir, 'data'));
    const file = join(dir, 'config.json');
    const { http, media, ...rest } = settings as { http?: object; media?: object };
    const config = {
      http: { port: ports.http, ...http },
      sip: { udp: ports.sip, tcp: ports.sip },
      stun: { port: ports.stun },
      media: { address: '127.0.0.1', ports: [ports.media, ports.media + 99], ...media },
      ...rest,
    };
    writeFileSync(file, JSON.stringify(config));
    const child = spawn(process.execPath, [MAIN, 'serve', '--config', file, '--data', join(dir, 'data')], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...on.env },
    });
    const product = new Product(child, ports, dir, file);
    await on.launched?.(product);
    await until(
      'ready',
      () => product.stdout.includes('\nready ') || child.exitCode !== null,
      () => product.stderr,
      60_000,
    ).catch((error: unknown) => {
      child.kill('SIGKILL');
      throw error;
    });
    if (child.exitCode !== null) throw new Error(product.stderr);
    return product;
  }

  get stdout(): string {
    return this.#output().stdout;
  }

  get stderr(): string {
    return this.#output().stderr;
  }

  get dataDir(): string {
    return join(this.dir, 'data');
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** The process it started, by a part of their command line. */
  child(name: string): number | undefined {
    const children = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8').trim().split(' ');
    const found = children.find(
      (pid) => pid !== '' && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(name),
    );
    return found === undefined ? undefined : Number(found);
  }

  /** SIGTERM; the exit status. */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode === null) this.#child.kill('SIGTERM');
    const code = await this.#gone;
    rmSync(this.dir, { recursive: true, force: true });
    return code;
  }
}
