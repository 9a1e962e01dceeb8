import type { Service } from './service.ts';
import { earliest, type Ms } from './time.ts';

/** What a loop does with what its services put out. `K`: the outputs that must outlive the process. */
export interface LoopEdge<N extends string, O, K extends O> {
  readonly isKept: (output: O) => output is K;
  /**
   * All that one input has to keep: one unit, written whole or not at all, also with those of the inputs that follow from it. It is
   * written before anything leaves the process that comes after it, so what a peer has been told is known afterwards.
   */
  readonly keep: (from: N, unit: readonly K[], now: Ms) => void;
  readonly carry: (from: N, output: Exclude<O, K>, now: Ms) => void;
  /** The most inputs that one `run` may handle; passing it is a livelock and throws. */
  readonly bound?: number;
}

/**
 * Runs services against each other: inputs wait in one queue; what an input has to keep is kept, then each other output is handed to
 * `carry`, which may post new inputs. Nothing recurses, so the order of effects is the order of outputs. The server drives it with real
 * time, the simulation with a virtual clock.
 */
export class ServiceLoop<N extends string, I extends { readonly type: string }, O, K extends O = never> {
  readonly #services: Readonly<Record<N, Service<never, O>>>;
  readonly #names: readonly N[];
  readonly #edge: LoopEdge<N, O, K>;
  readonly #bound: number;
  #queue: { to: N; input: I }[] = [];
  #running = false;

  constructor(services: Readonly<Record<N, Service<never, O>>>, edge: LoopEdge<N, O, K>) {
    this.#services = services;
    this.#names = Object.keys(services) as N[];
    this.#edge = edge;
    this.#bound = edge.bound ?? 1_000_000;
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
    const outputs = service.handle(input, now);
    const { isKept, keep, carry } = this.#edge;
    const unit = outputs.filter(isKept);
    if (unit.length > 0) keep(to, unit, now);
    for (const output of outputs) if (!isKept(output)) carry(to, output as Exclude<O, K>, now);
  }
}
