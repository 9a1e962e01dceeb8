import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './drive/ports.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const PATIENCE_MS = 20_000;

/** The running product with one user, line1, on free ports of the loopback address. */
export class Product {
  readonly password = 'a password of line1';
  readonly http: number;
  readonly sip: number;
  readonly dataDir: string;
  readonly #folder: string;
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';

  private constructor(folder: string, http: number, sip: number, stun: number) {
    this.#folder = folder;
    this.http = http;
    this.sip = sip;
    this.dataDir = join(folder, 'data');
    const config = {
      http: { port: http },
      sip: { udp: sip, tcp: sip },
      stun: { port: stun },
      media: { address: '127.0.0.1', ports: [52_200, 52_299] },
      connections: [{ user_name: 'line1', password: this.password }],
    };
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    this.#child = spawn(
      process.execPath,
      [MAIN, 'serve', '--config', join(folder, 'config.json'), '--data', this.dataDir],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()));
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
  }

  static async start(): Promise<Product> {
    const folder = mkdtempSync(join(tmpdir(), 'sidetone-attacks-'));
    const product = new Product(folder, await freePort(), await freePort(), await freePort());
    await product.until('the line "ready"', () => /^ready /m.test(product.#stdout));
    return product;
  }

  get log(): string {
    return this.#stderr;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The processes below it, by name. */
  children(): { media?: number; signalling?: number } {
    const found: { media?: number; signalling?: number } = {};
    for (const entry of readdirSync('/proc')) {
      const pid = Number(entry);
      if (!Number.isInteger(pid)) continue;
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) !== this.#child.pid) continue;
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        if (line.includes('media-process')) found.media = pid;
        else if (line.includes('signalling-process')) found.signalling = pid;
      } catch {
        // It has ended meanwhile.
      }
    }
    return found;
  }

  /** The supervisor stands still, and starts nothing; or goes on. */
  pause(on: boolean): void {
    this.#child.kill(on ? 'SIGSTOP' : 'SIGCONT');
  }

  /** Resident memory in MiB. */
  rss(name: 'media' | 'signalling'): number {
    const status = readFileSync(`/proc/${this.children()[name]}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  }

  /** Open file descriptors. */
  descriptors(name: 'media' | 'signalling'): number {
    return readdirSync(`/proc/${this.children()[name]}/fd`).length;
  }

  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    while (!(await holds())) {
      assert.ok(Date.now() < end, `waited in vain for ${what}\n${this.#stderr.slice(-4_000)}`);
      await rest(20);
    }
  }

  /** Ends it with SIGTERM and proves that it ended well and that nothing was uncaught. */
  async stop(): Promise<void> {
    const ended = new Promise<number | null>((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    const code = await ended;
    rmSync(this.#folder, { recursive: true, force: true });
    assert.equal(code, 0, this.#stderr.slice(-4_000));
    assert.doesNotMatch(this.#stderr, /uncaught|unhandled/i);
  }
}
