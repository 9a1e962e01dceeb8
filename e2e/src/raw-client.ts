import { type ClientOptions, WebSocket } from 'ws';
import { until } from './wait.ts';

export interface Frame {
  readonly id?: string;
  readonly method?: string;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly message: string };
  readonly params?: Readonly<Record<string, unknown>>;
  readonly voice_sdk_id?: string;
}

/** A WebSocket without an SDK: says what a test wants said, and keeps what comes back. */
export class RawClient {
  readonly frames: Frame[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  readonly #socket: WebSocket;
  #ids = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.#heard(String(data)));
    socket.on('close', (code, reason) => (this.closed = { code, reason: String(reason) }));
    socket.on('error', () => undefined);
  }

  /** Opens the socket; gives the HTTP status instead when the server refuses the upgrade. */
  static async open(url: string, origin?: string, more: ClientOptions = {}): Promise<RawClient | number> {
    const socket = new WebSocket(url, origin === undefined ? more : { ...more, origin });
    return await new Promise((resolve, reject) => {
      socket.once('open', () => resolve(new RawClient(socket)));
      socket.once('unexpected-response', (request, response) => {
        resolve(response.statusCode ?? 0);
        request.destroy();
      });
      socket.once('error', reject);
    });
  }

  /** Frames that begin with # belong to the speed test and are no JSON. */
  #heard(text: string): void {
    if (!text.startsWith('#')) this.frames.push(JSON.parse(text) as Frame);
  }

  raw(data: string | Uint8Array): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(data);
  }

  /** Sends a request and waits for the reply with its id. */
  async request(method: string, params: Readonly<Record<string, unknown>>): Promise<Frame> {
    const id = `test-${++this.#ids}`;
    this.raw(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return await until(`the reply to ${method}`, () => this.frames.find((frame) => frame.id === id), {
      detail: () => JSON.stringify({ closed: this.closed, frames: this.frames.slice(-3) }),
    });
  }

  /** Waits for a request of the server. */
  async asked(method: string): Promise<Frame> {
    return await until(`${method} from the server`, () =>
      this.frames.find((frame) => frame.method === method),
    );
  }

  close(): void {
    this.#socket.terminate();
  }
}
