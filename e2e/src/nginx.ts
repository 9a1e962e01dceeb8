import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peerPath } from './peer-availability.ts';
import { until } from './wait.ts';

const PAGE = new URL('../../docs/network.md', import.meta.url);
const NAME = 'voice.example.com';

/** The configuration that the documentation shows. */
export function documented(): string {
  const [, block] = /^```nginx\n([\s\S]*?)^```$/m.exec(readFileSync(PAGE, 'utf8')) ?? [];
  if (block === undefined) throw new Error('docs/network.md shows no nginx configuration');
  return block;
}

/** Debian's nginx with the documented server, on a free port of loopback; ports, address and certificate are its only changes. */
export class Nginx {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #folder: string;
  readonly port: number;
  /** Of its certificate. */
  readonly ca: string;
  output = '';

  private constructor(child: ChildProcess, folder: string, port: number, ca: string) {
    this.#child = child;
    this.#folder = folder;
    this.port = port;
    this.ca = ca;
    this.#exited = new Promise((resolve) => child.once('exit', resolve));
    child.stderr?.on('data', (chunk: Buffer) => {
      this.output = (this.output + chunk.toString('latin1')).slice(-4_000);
    });
  }

  /** Before the server on `upstream`. */
  static async start({ port, upstream }: { port: number; upstream: number }): Promise<Nginx> {
    const folder = mkdtempSync(join(tmpdir(), 'sidetone-nginx-'));
    const file = (name: string): string => join(folder, name);
    execFileSync(
      'openssl',
      [
        ...[
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-days',
          '2',
        ],
        ...['-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME},DNS:localhost,IP:127.0.0.1`],
        ...['-keyout', file('key.pem'), '-out', file('cert.pem')],
      ],
      { stdio: 'ignore' },
    );
    const changes: readonly (readonly [shown: string, used: string])[] = [
      ['listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`],
      ['  listen [::]:443 ssl;\n', ''],
      ['http://127.0.0.1:8080', `http://127.0.0.1:${upstream}`],
      [`/etc/nginx/${NAME}.pem`, file('cert.pem')],
      [`/etc/nginx/${NAME}.key`, file('key.pem')],
    ];
    let server = documented();
    for (const [shown, used] of changes) {
      if (!server.includes(shown)) throw new Error(`docs/network.md does not show ${shown}`);
      server = server.replace(shown, used);
    }
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `  ${name}_temp_path ${file(name)};\n`)
      .join('');
    writeFileSync(
      file('nginx.conf'),
      `${process.getuid?.() === 0 ? 'user root;\n' : ''}daemon off;\npid ${file('pid')};\nevents {}\nhttp {\n  access_log off;\n${temporary}${server}}\n`,
    );
    const child = spawn(peerPath('nginx'), ['-p', folder, '-e', 'stderr', '-c', file('nginx.conf')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const nginx = new Nginx(child, folder, port, readFileSync(file('cert.pem'), 'utf8'));
    try {
      await until('nginx to listen', () => child.exitCode === null && answers(port), {
        detail: () => nginx.output,
      });
    } catch (error) {
      await nginx.stop();
      throw error;
    }
    return nginx;
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  get webSocketUrl(): string {
    return `wss://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      this.#child.kill('SIGTERM');
      await this.#exited;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
