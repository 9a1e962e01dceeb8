import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CARRIER_HOST, freePort, freeRange, interfaceAddress } from './ports.ts';
import { descendants, stillRunning } from './processes.ts';
import { LIMIT_MS, until, within } from './wait.ts';

const MAIN = fileURLToPath(new URL('../../apps/server/src/main.ts', import.meta.url));

export const PASSWORD = { line1: 'sidetone-line-one', line2: 'sidetone-line-two' } as const;

/** Numbers of the users; the rest of the world lies behind the trunks. */
export const NUMBER = { line1: '+13125550100', line2: '+13125550101' } as const;

export interface TrunkOptions {
  readonly name: string;
  readonly port: number;
  readonly prefixes: readonly string[];
  readonly codecs?: readonly string[];
  readonly dtmf?: 'rfc4733' | 'info';
  readonly policy?: 'quality' | 'capacity';
}

export interface ServerOptions {
  readonly trunks?: readonly TrunkOptions[];
  /** Laid over its keys under `http`. */
  readonly http?: Readonly<Record<string, unknown>>;
  /** Laid over the generated configuration, key by key. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** What a command of `sidetone` printed and how it ended. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `sidetone …` to its end. */
export async function sidetone(...args: readonly string[]): Promise<CommandResult> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  const code = await within(`sidetone ${args.join(' ')} to end`, ended, 60_000).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw new Error(`${String(error)}\n${stdout}\n${stderr}`);
  });
  return { code, stdout, stderr };
}

/** A running `sidetone serve` with a configuration of its own, in a folder of its own. */
export class TestServer {
  readonly folder: string;
  readonly configFile: string;
  readonly dataDir: string;
  readonly httpPort: number;
  readonly sipPort: number;
  readonly stunPort: number;
  /** Where media listens: the machine's interface address (Firefox sends no check to 127.0.0.1). */
  readonly address: string;
  #child: ChildProcess;
  #exited: Promise<number | null>;
  #stdout = '';
  #stderr = '';

  private constructor(folder: string, ports: { http: number; sip: number; stun: number }, address: string) {
    this.folder = folder;
    this.configFile = join(folder, 'config.json');
    this.dataDir = join(folder, 'data');
    this.httpPort = ports.http;
    this.sipPort = ports.sip;
    this.stunPort = ports.stun;
    this.address = address;
    [this.#child, this.#exited] = this.#spawn();
  }

  #spawn(): [ChildProcess, Promise<number | null>] {
    const child = spawn(
      process.execPath,
      [MAIN, 'serve', '--config', this.configFile, '--data', this.dataDir],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    child.stdout.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    return [child, new Promise((resolve) => child.once('exit', (code) => resolve(code)))];
  }

  /** Starts the product and waits for its `ready` line. */
  static async start(options: ServerOptions = {}): Promise<TestServer> {
    const folder = mkdtempSync(join(tmpdir(), 'sidetone-e2e-'));
    const ports = { http: await freePort(), sip: await freePort(), stun: await freePort() };
    const address = interfaceAddress();
    writeFileSync(join(folder, 'config.json'), JSON.stringify(await configuration(ports, address, options)));
    const server = new TestServer(folder, ports, address);
    await server.#isReady().catch(async (error: unknown) => {
      await server.kill();
      throw error;
    });
    return server;
  }

  async #isReady(): Promise<void> {
    await until(
      'the line "ready http://…" of sidetone serve',
      () => {
        if (!this.running) throw new Error(`sidetone serve ended with ${this.#child.exitCode}\n${this.log}`);
        return this.stdout.trimEnd().split('\n').at(-1) === `ready ${this.url}`;
      },
      { limitMs: 60_000, detail: () => this.log },
    );
  }

  /** Stops it as an operator does, and starts it again with the same configuration and data. */
  async restart(): Promise<void> {
    this.terminate();
    assert.equal(await within('sidetone serve to end after SIGTERM', this.#exited, LIMIT_MS), 0, this.log);
    this.#stdout = '';
    [this.#child, this.#exited] = this.#spawn();
    await this.#isReady();
  }

  get url(): string {
    return `http://127.0.0.1:${this.httpPort}`;
  }

  get webSocketUrl(): string {
    return `ws://127.0.0.1:${this.httpPort}`;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** The end of everything it printed, for a failure's message. */
  get log(): string {
    return `--- stdout\n${this.#stdout.slice(-2_000)}\n--- stderr\n${this.#stderr.slice(-8_000)}`;
  }

  /** Everything it logged so far. */
  get fullLog(): string {
    return this.#stdout + this.#stderr;
  }

  /** What it printed about errors that nothing caught, with the lines behind. */
  get uncaught(): readonly string[] {
    const lines = this.fullLog.split('\n');
    return lines.flatMap((line, i) =>
      /uncaught|unhandled|process died/i.test(line)
        ? [lines.slice(Math.max(0, i - 8), i + 8).join('\n')]
        : [],
    );
  }

  /** True as long as the process lives. */
  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** A login token, minted by the command line. */
  async token(user: string): Promise<string> {
    const result = await sidetone('token', user, '--config', this.configFile, '--data', this.dataDir);
    assert.equal(result.code, 0, result.stderr);
    return result.stdout.trim();
  }

  /** SIGTERM without waiting. */
  terminate(): void {
    this.#child.kill('SIGTERM');
  }

  /** Ends it as an operator does, and proves that it ends well: exit 0, no process left, nothing uncaught. */
  async stop(): Promise<void> {
    if (!this.running) {
      await this.kill();
      throw new Error(`the server had ended before it was stopped\n${this.log}`);
    }
    const children = descendants(this.pid);
    this.terminate();
    try {
      const code = await within('sidetone serve to end after SIGTERM', this.#exited, LIMIT_MS);
      assert.equal(code, 0, `exit status after SIGTERM\n${this.log}`);
      await until('every process of the server to end', () => stillRunning(children).length === 0);
      assert.deepEqual(this.uncaught, [], 'nothing is uncaught');
    } finally {
      await this.kill();
    }
  }

  /** Ends it for certain, and removes its folder. */
  async kill(): Promise<void> {
    const children = descendants(this.pid);
    if (this.running) this.#child.kill('SIGKILL');
    for (const child of stillRunning(children)) process.kill(child.pid, 'SIGKILL');
    if (this.running) await this.#exited;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A configuration on free ports: two users and the given trunks. */
export async function configuration(
  ports: { readonly http: number; readonly sip: number; readonly stun: number },
  address: string,
  options: ServerOptions,
): Promise<object> {
  const user = (name: 'line1' | 'line2') => ({
    user_name: name,
    password: PASSWORD[name],
    numbers: [NUMBER[name]],
    sip_uri_calling_preference: 'internal',
    dnis_number_format: 'sip_username',
  });
  return {
    domain: 'sip.localhost',
    http: { host: '127.0.0.1', port: ports.http, ...options.http },
    sip: { host: '127.0.0.1', udp: ports.sip, tcp: ports.sip },
    stun: { host: '127.0.0.1', port: ports.stun },
    media: { address, ports: await freeRange(60) },
    connections: [user('line1'), user('line2')],
    trunks: (options.trunks ?? []).map((trunk) => ({
      host: CARRIER_HOST,
      transport: 'udp',
      codecs: ['OPUS', 'PCMU', 'PCMA'],
      dtmf: 'rfc4733',
      ...trunk,
    })),
    ...options.config,
  };
}
