import type { Service } from './service.ts';
import { earliest, type Ms } from './time.ts';

/**
 * Runs services against each other: inputs wait in one queue, and each output is handed to `carry`, which may post new
 * inputs. Nothing recurses, so the order of effects is the order of outputs. The server drives it with real time, the
 * simulation with a virtual clock.
 */
export class ServiceLoop<N extends string, I extends { readonly type: string }, O> {
  readonly #services: Readonly<Record<N, Service<never, O>>>;
  readonly #names: readonly N[];
  readonly #carry: (from: N, output: O, now: Ms) => void;
  readonly #bound: number;
  #queue: { to: N; input: I }[] = [];
  #running = false;

  /** `bound`: the most inputs one `run` may handle; passing it is a livelock and throws. */
  constructor(
    services: Readonly<Record<N, Service<never, O>>>,
    carry: (from: N, output: O, now: Ms) => void,
    bound = 1_000_000,
  ) {
    this.#services = services;
    this.#names = Object.keys(services) as N[];
    this.#carry = carry;
    this.#bound = bound;
  }

  /** Queues an input; `run` handles it. */
  post(to: N, input: I): void {
    this.#queue.push({ to, input });
  }

  /** Ticks every service whose deadline has come and handles the queue until it is empty. */
  run(now: Ms): void {
    if (this.#running) return;
    this.#running = true;
    try {
      let handled = 0;
      for (;;) {
        for (let i = 0; i < this.#queue.length; i++) {
          const { to, input } = this.#queue[i]!;
          handled += 1;
          if (handled > this.#bound)
            throw new Error(`livelock: ${handled} inputs in one run, last ${to} ${input.type}`);
          this.#handle(to, input, now);
        }
        this.#queue = [];
        for (const name of this.#names) {
          const due = this.#services[name].deadline();
          if (due !== null && due <= now) {
            handled += 1;
            if (handled > this.#bound) throw new Error(`livelock: ${name} wants a tick at ${due} for ever`);
            this.#handle(name, { type: 'tick' } as unknown as I, now);
          }
        }
        if (this.#queue.length === 0 && !this.#due(now)) return;
      }
    } finally {
      this.#running = false;
    }
  }

  /** When `run` is due next, or `null`. */
  deadline(): Ms | null {
    let next: Ms | null = null;
    for (const name of this.#names) next = earliest(next, this.#services[name].deadline());
    return next;
  }

  #due(now: Ms): boolean {
    const next = this.deadline();
    return next !== null && next <= now;
  }

  #handle(to: N, input: I, now: Ms): void {
    const service = this.#services[to] as unknown as Service<I, O>;
    for (const output of service.handle(input, now)) this.#carry(to, output, now);
  }
}
