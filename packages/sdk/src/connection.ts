import type { Environment } from './environment.ts';
import { RequestError } from './errors.ts';

/** A JSON-RPC object of the server. */
export interface Frame {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: unknown;
  readonly error?: { readonly code?: number; readonly message?: string };
  readonly voice_sdk_id?: string;
}

/** The `result` of a reply. */
export type Reply = Readonly<Record<string, unknown>>;

/** What a connection tells its session. */
export interface ConnectionEvents {
  opened(event: Event): void;
  /** A frame that is no reply to one of our requests. */
  frame(frame: Frame): void;
  /** The server's routing token, to be presented at the next connection. */
  token(voiceSdkId: string): void;
  failed(error: unknown): void;
  /** Somebody talks: silence is doubted sooner. */
  inCall(): boolean;
  /** Once, whoever closed. `silent`: the server did not answer a ping in time. */
  closed(event: { readonly code: number; readonly reason: string }, silent: boolean): void;
}

/** Silence of the server after which it is asked. It pings every 15 s, so this is one ping missed. */
const SILENCE_MS = 20_000;
/** The same during a call, where our own pings fill the pauses of the server. */
const SILENCE_IN_CALL_MS = 5_000;
/** How long a ping may take. */
const PING_MS = 5_000;
const PING_IN_CALL_MS = 3_000;
const WATCH_MS = 1_000;
/**
 * How long a socket may take to open. A SYN that a dead network swallowed is sent again 1 s and 3 s later, then not for four (RFC 6298 §5.5): a
 * new socket asks sooner.
 */
const OPEN_MS = 15_000;
const OPEN_IN_CALL_MS = 4_000;

interface Pending {
  readonly method: string;
  resolve(reply: Reply): void;
  reject(error: RequestError): void;
  cancel(): void;
}

/** One WebSocket and the requests on it. A new attempt is a new connection: nothing of an old one reaches it. */
export class Connection {
  readonly #env: Environment;
  readonly #events: ConnectionEvents;
  readonly #socket: WebSocket;
  readonly #pending = new Map<string, Pending>();
  #heard: number;
  #stopWatching: () => void;
  #asking = false;
  #over = false;

  /** Throws what `new WebSocket` throws for a bad address. */
  constructor(env: Environment, url: string, events: ConnectionEvents) {
    this.#env = env;
    this.#events = events;
    this.#heard = env.now();
    this.#socket = env.openSocket(url);
    this.#stopWatching = env.after(events.inCall() ? OPEN_IN_CALL_MS : OPEN_MS, () => {
      this.#socket.close();
      this.#end({ code: 1006, reason: 'the server could not be reached in time' }, false);
    });
    this.#socket.onopen = (event) => {
      this.#stopWatching();
      this.#heard = env.now();
      this.#watch();
      events.opened(event);
    };
    this.#socket.onmessage = (event) => this.#receive(event.data);
    this.#socket.onerror = (event) => events.failed(event);
    this.#socket.onclose = (event) => this.#end(event, false);
  }

  get open(): boolean {
    return !this.#over && this.#socket.readyState === 1;
  }

  /**
   * Sends a request and waits for its reply. Rejects with {@link RequestError}. `top` is added beside `params`. A request that
   * is not answered in time makes the connection prove that it is alive.
   */
  request(method: string, params: object, timeoutMs: number, top: object = {}): Promise<Reply> {
    if (!this.open) return Promise.reject(offline(method));
    const id = this.#env.uuid();
    return new Promise((resolve, reject) => {
      const cancel = this.#env.after(timeoutMs, () => {
        this.#pending.delete(id);
        reject(new RequestError('timeout', method, `no reply within ${timeoutMs / 1000} s`));
        if (method !== PING) this.probe();
      });
      this.#pending.set(id, { method, resolve, reject, cancel });
      this.send({ jsonrpc: '2.0', id, method, ...top, params });
    });
  }

  /** Sends a frame; nothing when the socket is not open. */
  send(frame: object): void {
    if (this.open) this.#socket.send(JSON.stringify(frame));
  }

  /** Sends a ping. Without any word of the server the connection counts as lost. */
  probe(top: object = {}): void {
    this.#asking = true;
    const asked = this.#env.now();
    this.request(PING, {}, this.#events.inCall() ? PING_IN_CALL_MS : PING_MS, top).then(
      () => {
        this.#asking = false;
      },
      (error: RequestError) => {
        this.#asking = false;
        if (error.reason !== 'timeout' || this.#heard > asked) return;
        this.#socket.close();
        this.#end({ code: 1006, reason: 'the server did not answer a ping' }, true);
      },
    );
  }

  /** Closes. `closed` is told at once: the handshake of a dead network takes minutes. */
  close(): void {
    this.#socket.close(1000);
    this.#end({ code: 1000, reason: '' }, false);
  }

  #receive(data: unknown): void {
    this.#heard = this.#env.now();
    const frame = parse(data);
    if (frame === null) return;
    if (typeof frame.voice_sdk_id === 'string' && frame.voice_sdk_id !== '')
      this.#events.token(frame.voice_sdk_id);
    const pending = frame.method === undefined ? this.#pending.get(String(frame.id)) : undefined;
    if (pending === undefined) return this.#events.frame(frame);
    this.#pending.delete(String(frame.id));
    pending.cancel();
    if (frame.error === undefined || frame.error === null) pending.resolve(record(frame.result));
    else
      pending.reject(
        new RequestError('refused', pending.method, frame.error.message ?? 'refused', frame.error.code),
      );
  }

  /** Every second; a silent server is asked once at a time. */
  #watch(): void {
    this.#stopWatching = this.#env.after(WATCH_MS, () => {
      this.#watch();
      const limit = this.#events.inCall() ? SILENCE_IN_CALL_MS : SILENCE_MS;
      if (this.#env.now() - this.#heard >= limit && !this.#asking) this.probe();
    });
  }

  #end(event: { readonly code: number; readonly reason: string }, silent: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopWatching();
    const socket = this.#socket;
    socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null;
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const { method, cancel, reject } of waiting) {
      cancel();
      reject(new RequestError('lost', method, 'the connection closed before the reply'));
    }
    this.#events.closed({ code: event.code, reason: event.reason }, silent);
  }
}

/** A request that cannot be sent. */
export const offline = (method: string): RequestError =>
  new RequestError('offline', method, 'not connected to the server');

export const PING = 'telnyx_rtc.ping';

function parse(data: unknown): Frame | null {
  if (typeof data !== 'string') return null;
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'object' && value !== null ? (value as Frame) : null;
  } catch {
    return null;
  }
}

/** A value as an object; what is none becomes an empty one. */
export const record = (value: unknown): Reply =>
  typeof value === 'object' && value !== null ? (value as Reply) : {};

/** A value that is text, or `undefined`. */
export const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
