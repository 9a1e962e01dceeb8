import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { freePort } from './ports.ts';
import { type CommandResult, sidetone, type TestServer } from './server.ts';
import { until, within } from './wait.ts';

const ROOT = join(import.meta.dirname, '../..');

/** A program of examples/, as its README starts it: by the three variables that the command line prints, and no more. */
export class ExampleProgram {
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
  readonly #file: string;
  readonly #child: ChildProcess;
  #output = '';

  private constructor(file: string, env: Readonly<Record<string, string>>) {
    this.#file = file;
    this.env = env;
    this.url = `http://127.0.0.1:${env['PORT']}`;
    this.#child = spawn(process.execPath, [file], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
  }

  /** What `sidetone key create --env` prints for a server. */
  static async variables(server: TestServer): Promise<Record<string, string>> {
    const made = await sidetone(
      ...['key', 'create', '--env', '--config', server.configFile, '--data', server.dataDir],
    );
    assert.equal(made.code, 0, made.stderr);
    return Object.fromEntries(
      made.stdout
        .trim()
        .split('\n')
        .map((line) => line.split(/=(.*)/).slice(0, 2)),
    );
  }

  static async start(name: string, variables: Readonly<Record<string, string>>): Promise<ExampleProgram> {
    const program = new ExampleProgram(join(ROOT, 'examples', name, 'main.js'), {
      PORT: String(await freePort()),
      ...variables,
    });
    await until(`the link of ${name}`, () => {
      assert.equal(program.#child.exitCode, null, program.output);
      return program.output.includes(`Open ${program.url}\n`);
    });
    return program;
  }

  get output(): string {
    return this.#output;
  }

  /** Whose leg and what, of the events that it was told, oldest first. */
  get events(): string[] {
    return this.#output.split('\n').filter((line) => /^(caller|agent ) {2}call\.\S+$/.test(line));
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    await within('the example to end', ended);
  }

  /** `--remove`, as the README says. */
  async remove(): Promise<CommandResult> {
    const child = spawn(process.execPath, [this.#file, '--remove'], {
      env: { ...process.env, ...this.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const code = await within(
      'the example to remove what it made',
      new Promise<number | null>((resolve) => child.once('close', resolve)),
    );
    return { code, stdout, stderr };
  }
}
