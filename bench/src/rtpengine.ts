import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';

/** rtpengine's NG protocol: a cookie and a bencoded dictionary in one datagram each way. */

export type Bencoded = string | number | readonly Bencoded[] | { readonly [key: string]: Bencoded };

function encode(value: Bencoded): string {
  if (typeof value === 'string') return `${Buffer.byteLength(value)}:${value}`;
  if (typeof value === 'number') return `i${value}e`;
  if (Array.isArray(value)) return `l${value.map(encode).join('')}e`;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `d${entries.map(([key, item]) => encode(key) + encode(item)).join('')}e`;
}

function decode(text: string): Bencoded {
  let at = 0;
  const next = (): Bencoded => {
    const kind = text[at]!;
    if (kind === 'i') {
      const end = text.indexOf('e', at);
      const value = Number(text.slice(at + 1, end));
      at = end + 1;
      return value;
    }
    if (kind === 'l' || kind === 'd') {
      at++;
      const items: Bencoded[] = [];
      while (text[at] !== 'e') items.push(next());
      at++;
      if (kind === 'l') return items;
      const out: Record<string, Bencoded> = {};
      for (let i = 0; i + 1 < items.length; i += 2) out[String(items[i])] = items[i + 1]!;
      return out;
    }
    const colon = text.indexOf(':', at);
    const length = Number(text.slice(at, colon));
    const value = text.slice(colon + 1, colon + 1 + length);
    at = colon + 1 + length;
    return value;
  };
  return next();
}

/** Debian's rtpengine in user space (no kernel module), on loopback. */
export class Rtpengine {
  readonly process: ChildProcess;
  readonly #socket: Socket;
  readonly #port: number;
  readonly #pending = new Map<string, (text: string) => void>();
  #cookie = 0;

  private constructor(child: ChildProcess, socket: Socket, port: number) {
    this.process = child;
    this.#socket = socket;
    this.#port = port;
    socket.on('message', (bytes) => {
      const text = bytes.toString('latin1');
      const space = text.indexOf(' ');
      this.#pending.get(text.slice(0, space))?.(text.slice(space + 1));
    });
  }

  static async start(path: string, port: number, ports: readonly [number, number]): Promise<Rtpengine> {
    const child = spawn(
      path,
      [
        '-f',
        '-E',
        '-n',
        `127.0.0.1:${port}`,
        '-i',
        '127.0.0.1',
        '--table=-1',
        `--port-min=${ports[0]}`,
        `--port-max=${ports[1]}`,
        '--log-level=3',
      ],
      { stdio: 'ignore' },
    );
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', () => resolve()));
    const engine = new Rtpengine(child, socket, port);
    for (let i = 0; i < 50; i++) {
      if ((await engine.command({ command: 'ping' }, 100))?.['result'] === 'pong') return engine;
    }
    engine.stop();
    throw new Error('rtpengine does not answer');
  }

  async command(
    request: { readonly [key: string]: Bencoded },
    patienceMs = 2000,
  ): Promise<{ readonly [key: string]: Bencoded } | undefined> {
    const cookie = `c${++this.#cookie}`;
    const reply = await new Promise<string | undefined>((resolve) => {
      const timer = setTimeout(() => resolve(undefined), patienceMs);
      this.#pending.set(cookie, (text) => {
        clearTimeout(timer);
        resolve(text);
      });
      this.#socket.send(`${cookie} ${encode(request)}`, this.#port, '127.0.0.1');
    });
    this.#pending.delete(cookie);
    return reply === undefined ? undefined : (decode(reply) as { readonly [key: string]: Bencoded });
  }

  stop(): void {
    this.#socket.close();
    this.process.kill('SIGTERM');
  }
}
