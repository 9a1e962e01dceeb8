import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peerPath } from './peer-availability.ts';
import { freePort, udpBound } from './ports.ts';
import { until } from './wait.ts';

const USER = 'turn';
const PASSWORD = 'turn-password';
/** Many: that version keeps a pool of 255 candidates a call. coturn passes over those in use. */
export const RELAY_PORTS = [45_000, 47_999] as const;

/** A TURN server, for the SDK version that calls nobody without a relay candidate. */
export class Coturn {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #folder: string;
  readonly port: number;

  private constructor(child: ChildProcess, folder: string, port: number) {
    this.#child = child;
    this.#folder = folder;
    this.port = port;
    this.#exited = new Promise((resolve) => child.once('exit', resolve));
  }

  /** With a user of its own, or with the secret that it shares with our server. */
  static async start(
    options: { readonly secret?: string; readonly host?: string; readonly port?: number } = {},
  ): Promise<Coturn> {
    const { secret, host = '127.0.0.1' } = options;
    const folder = mkdtempSync(join(tmpdir(), 'sidetone-coturn-'));
    const port = options.port ?? (await freePort());
    const users =
      secret === undefined
        ? ['--lt-cred-mech', '-u', `${USER}:${PASSWORD}`]
        : ['--use-auth-secret', '--static-auth-secret', secret];
    const child = spawn(
      peerPath('coturn'),
      [
        ...['-n', '-L', host, '-E', host, '-p', String(port), '--no-tls', '--no-dtls', '--no-cli'],
        ...[...users, '-r', 'sidetone.test', '--allow-loopback-peers'],
        ...['--min-port', String(RELAY_PORTS[0]), '--max-port', String(RELAY_PORTS[1])],
        ...['--log-file', 'stdout', '--userdb', join(folder, 'users'), '--pidfile', join(folder, 'pid')],
      ],
      { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString('latin1')).slice(-4_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const coturn = new Coturn(child, folder, port);
    try {
      await until('coturn to listen', () => udpBound(port), { detail: () => output });
    } catch (error) {
      await coturn.stop();
      throw error;
    }
    return coturn;
  }

  /** The `iceServers` of a client that uses it. */
  get iceServers(): readonly object[] {
    return [{ urls: `turn:127.0.0.1:${this.port}?transport=udp`, username: USER, credential: PASSWORD }];
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      this.#child.kill('SIGTERM');
      await this.#exited;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
