import { PING } from './connection.ts';
import type { Environment } from './environment.ts';
import { serverUrl } from './host.ts';

/** How long a server may take to be considered. */
const ANSWER_MS = 3_000;
const GRACE_MS = 50;
const KEY = 'sidetone:hosts';

/**
 * Several servers, best first. The order is measured once per tab: how long a ping on an open WebSocket takes, the better of two, so
 * that neither a slow name server nor TLS counts. Servers that have not answered when the first had twice its time (and a little) come last.
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
    const times = new Map<string, number>();
    const began = this.#env.now();
    await new Promise<void>((enough) => {
      const all = this.#order.map(async (host) => {
        const time = await this.#roundTrip(host).catch(() => Infinity);
        times.set(host, time);
        if (time < Infinity) this.#env.after(this.#env.now() - began + GRACE_MS, enough);
      });
      void Promise.all(all).then(() => enough());
    });
    const time = (host: string): number => times.get(host) ?? ANSWER_MS;
    // Equal ones keep their order; so do all of them when none answers.
    this.#order.sort((a, b) => (time(a) === time(b) ? 0 : time(a) - time(b)));
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

  /** Milliseconds of a ping on a WebSocket of its own; rejects when there is none. */
  #roundTrip(host: string): Promise<number> {
    const env = this.#env;
    return new Promise((resolve, reject) => {
      const socket = env.openSocket(serverUrl({ host }, env.location));
      const times: number[] = [];
      let sent = 0;
      const ping = (): void => {
        sent = env.now();
        socket.send(JSON.stringify({ jsonrpc: '2.0', id: `${sent}`, method: PING, params: {} }));
      };
      const done = (): void => {
        cancel();
        socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null;
        socket.close();
        times.length > 0 ? resolve(Math.min(...times)) : reject();
      };
      const cancel = env.after(ANSWER_MS, done);
      socket.onopen = ping;
      // Whatever the answer says: it came.
      socket.onmessage = () => {
        times.push(env.now() - sent);
        times.length < 2 ? ping() : done();
      };
      socket.onerror = socket.onclose = done;
    });
  }
}
