import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { FromChild, ToChild } from './messages.ts';

/**
 * The supervisor owns no socket and no call. It starts one signalling process and the media process, starts again what
 * dies (with a growing pause), and ends both on `stop`.
 *
 *   starting ── all ready ──▶ running ── a child dies ──▶ (pause) start it again
 *      │                        │
 *      └─ a child refuses ──▶ stop() ──▶ signalling drains and ends, then media ends
 *
 * Only a first start can be refused. What ran before and cannot start now (a full disk, a port taken meanwhile) is tried
 * again, since the other process still carries calls.
 */
export interface ChildPlan {
  readonly name: 'media' | 'signalling';
  readonly entry: URL;
  readonly args: readonly string[];
  /** Sent once the process is up. */
  readonly hello: ToChild | undefined;
}

export interface SupervisorEvents {
  readonly ready: (name: ChildPlan['name'], message: Extract<FromChild, { type: 'ready' }>) => void;
  readonly refused: (name: ChildPlan['name'], sentence: string) => void;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
const STEADY_MS = 30_000;
/** A first start that keeps dying is no crash to survive but something to tell the operator. */
const MOST_EARLY_DEATHS = 4;
const STOP_PATIENCE_MS = 6_000;

export class Supervisor {
  readonly #log: Logger;
  readonly #events: SupervisorEvents;
  readonly #children = new Map<ChildPlan['name'], ChildProcess>();
  readonly #pause = new Map<ChildPlan['name'], number>();
  readonly #ran = new Set<ChildPlan['name']>();
  readonly #earlyDeaths = new Map<ChildPlan['name'], number>();
  #stopping = false;

  constructor(log: Logger, events: SupervisorEvents) {
    this.#log = log;
    this.#events = events;
  }

  start(plan: ChildPlan): void {
    const startedAt = performance.now();
    const child = fork(fileURLToPath(plan.entry), plan.args, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    this.#children.set(plan.name, child);
    let refused = false;
    child.on('message', (message: FromChild) => {
      if (message.type === 'ready') {
        this.#ran.add(plan.name);
        this.#events.ready(plan.name, message);
      } else if (message.type === 'failed' && this.#ran.has(plan.name)) {
        this.#log.error({ child: plan.name, why: message.sentence }, 'process cannot start');
      } else if (message.type === 'failed') {
        refused = true;
        this.#events.refused(plan.name, message.sentence);
      }
    });
    child.on('error', (error) => this.#log.error({ child: plan.name, err: error }, 'process error'));
    child.on('exit', (code, signal) => {
      if (this.#children.get(plan.name) === child) this.#children.delete(plan.name);
      if (this.#stopping || refused) return;
      const deaths = (this.#earlyDeaths.get(plan.name) ?? 0) + 1;
      if (this.#ran.size === 0) this.#earlyDeaths.set(plan.name, deaths);
      if (this.#ran.size === 0 && deaths >= MOST_EARLY_DEATHS) {
        const sentence = `the ${plan.name} process ended ${deaths} times before the service was ready; what it said is above`;
        return this.#events.refused(plan.name, sentence);
      }
      const steady = performance.now() - startedAt > STEADY_MS;
      const pause = steady ? FIRST_PAUSE_MS : (this.#pause.get(plan.name) ?? FIRST_PAUSE_MS);
      this.#pause.set(plan.name, Math.min(pause * 2, LONGEST_PAUSE_MS));
      this.#log.error({ child: plan.name, code, signal, pauseMs: pause }, 'process died; starting it again');
      setTimeout(() => {
        if (!this.#stopping) this.start(plan);
      }, pause);
    });
    if (plan.hello !== undefined) child.send(plan.hello);
  }

  /** Signalling drains first, so that BYEs leave while media still stands; then media ends. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#end('signalling');
    await this.#end('media');
  }

  #end(name: ChildPlan['name']): Promise<void> {
    const child = this.#children.get(name);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS);
      child.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
      child.kill('SIGTERM');
    });
  }
}
