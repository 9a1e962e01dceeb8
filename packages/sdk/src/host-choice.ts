import type { Environment } from './environment.ts';
import { serverUrl } from './host.ts';

/** How long a server may take to be considered. */
const ANSWER_MS = 3_000;
const KEY = 'sidetone:hosts';

/**
 * Several servers, best first. The order is measured once per tab: how long each takes to accept a WebSocket (TCP, TLS and upgrade:
 * some round trips). One that does not answer comes last.
 */
export class HostChoice {
  readonly #env: Environment;
  #order: string[];

  constructor(env: Environment, hosts: readonly string[]) {
    this.#env = env;
    this.#order = [...hosts];
  }

  /** The host to be used now. */
  get current(): string | undefined {
    return this.#order[0];
  }

  /** The current one could not be used: the next. */
  failed(): void {
    const [first, ...others] = this.#order;
    if (first !== undefined) this.#order = [...others, first];
  }

  /** Finds the order: the remembered one, or that of a measurement. */
  async choose(): Promise<void> {
    const remembered = this.#remembered();
    if (remembered !== undefined) {
      this.#order = remembered;
      return;
    }
    const times = await Promise.all(this.#order.map((host) => this.#timeOf(host)));
    this.#order = this.#order
      .map((host, index) => ({ host, time: times[index] ?? Infinity }))
      .sort((a, b) => (a.time === b.time ? 0 : a.time - b.time))
      .map(({ host }) => host);
    try {
      this.#env.storage?.setItem(KEY, JSON.stringify(this.#order));
    } catch {
      // Forbidden: measured again next time.
    }
  }

  #remembered(): string[] | undefined {
    try {
      const order: unknown = JSON.parse(this.#env.storage?.getItem(KEY) ?? 'null');
      const same = Array.isArray(order) && [...order].sort().join() === [...this.#order].sort().join();
      return same ? order : undefined;
    } catch {
      return undefined;
    }
  }

  /** Milliseconds until the host accepted a WebSocket; `undefined` when it did not. */
  #timeOf(host: string): Promise<number | undefined> {
    const begin = this.#env.now();
    return new Promise((resolve) => {
      try {
        const socket = this.#env.openSocket(serverUrl({ host }, this.#env.location));
        const done = (time: number | undefined): void => {
          cancel();
          socket.onopen = socket.onerror = socket.onclose = null;
          socket.close();
          resolve(time);
        };
        const cancel = this.#env.after(ANSWER_MS, () => done(undefined));
        socket.onopen = () => done(this.#env.now() - begin);
        socket.onerror = socket.onclose = () => done(undefined);
      } catch {
        resolve(undefined);
      }
    });
  }
}
