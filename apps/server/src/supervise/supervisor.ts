import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { childSays, ended } from './child-messages.ts';
import { FAULT, type FromChild, type ToChild } from './messages.ts';

/** What a call needs lives for about as long as its set-up: with room for it the collector never carries it to where it is dear. */
const YOUNG = '--max-semi-space-size=32';

/**
 * The supervisor owns no socket of a peer and no call. It starts one signalling process and the media process, starts again
 * what dies (at once, then with a growing pause), replaces signalling on `replace`, and ends both on `stop`.
 *
 *   starting ── all ready ──▶ running ── a child dies ──▶ (pause) start it again
 *      │                        │  └─ replace ─▶ standby ready ─▶ old one leaves ─▶ standby takes over ─▶ running
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
  /** Sent instead when this plan's process failed by itself several times in a row, soon after it was started. */
  readonly lastResort?: ToChild;
}

export interface SupervisorEvents {
  readonly ready: (name: ChildPlan['name'], message: Extract<FromChild, { type: 'ready' }>) => void;
  readonly refused: (name: ChildPlan['name'], sentence: string) => void;
}

/** How a replacement ended. `ended`: early calls that did not live through it. When not `ok`, what ran before serves on. */
export type Replaced =
  | { readonly ok: true; readonly calls: number; readonly ended: number; readonly awayMs: number }
  | { readonly ok: false; readonly why: string };

/** What a replacement says on its way. */
export type ReplaceStep = Extract<FromChild, { type: 'standing-by' | 'handing-over' | 'leaving' }>;

/** Callers wait while signalling is away: the first pause is none to speak of. */
const FIRST_PAUSE_MS = 10;
const SECOND_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** What has served does not keep its callers waiting for long, however often it dies. */
const LONGEST_PAUSE_OF_SERVED_MS = 1_000;
const STEADY_MS = 30_000;
/** A first start that keeps dying is no crash to survive but something to tell the operator. */
const MOST_EARLY_DEATHS = 4;
/** So often a process may fail soon after its start before what it inherits is taken for the reason. */
const MOST_FAILURES = 3;
const STOP_PATIENCE_MS = 6_000;
const STANDBY_PATIENCE_MS = 30_000;
/** 5 s for early calls, the closing of sockets, and the last records. */
const LEAVE_PATIENCE_MS = 20_000;
const TAKE_OVER_PATIENCE_MS = 30_000;

export class Supervisor {
  readonly #log: Logger;
  readonly #events: SupervisorEvents;
  readonly #children = new Map<ChildPlan['name'], ChildProcess>();
  readonly #plans = new Map<ChildPlan['name'], ChildPlan>();
  readonly #pause = new Map<ChildPlan['name'], number>();
  readonly #ran = new Set<ChildPlan['name']>();
  readonly #earlyDeaths = new Map<ChildPlan['name'], number>();
  /** In a row, by a fault of its own: not killed by anybody, and not refused by a port or a file. */
  readonly #failures = new Map<ChildPlan['name'], number>();
  /** Whose end is wanted: nothing is started in its place. */
  readonly #leaving = new WeakSet<ChildProcess>();
  #standby: ChildProcess | undefined;
  /** The replacement under way; once the old process leaves, only its end is a good moment to stop. */
  #replacing: Promise<Replaced> | undefined;
  #stopping = false;

  constructor(log: Logger, events: SupervisorEvents) {
    this.#log = log;
    this.#events = events;
  }

  start(plan: ChildPlan): void {
    this.#plans.set(plan.name, plan);
    const failures = this.#failures.get(plan.name) ?? 0;
    const desperate = failures >= MOST_FAILURES && plan.lastResort !== undefined;
    if (desperate) this.#failures.delete(plan.name);
    this.#adopt(plan, this.#fork(desperate ? { ...plan, hello: plan.lastResort } : plan));
  }

  #fork(plan: ChildPlan): ChildProcess {
    const child = fork(fileURLToPath(plan.entry), plan.args, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: ['--disable-warning=ExperimentalWarning', YOUNG],
    });
    child.on('error', (error) => this.#log.error({ child: plan.name, err: error }, 'process error'));
    if (plan.hello !== undefined) child.send(plan.hello);
    return child;
  }

  /** From now on this child is the one in service under its name. */
  #adopt(plan: ChildPlan, child: ChildProcess, serves = false): void {
    let served = serves;
    const startedAt = performance.now();
    this.#children.set(plan.name, child);
    let refused = false;
    child.on('message', (message: FromChild) => {
      if (message.type === 'ready') {
        served = true;
        this.#ran.add(plan.name);
        this.#events.ready(plan.name, message);
      } else if (message.type === 'failed' && this.#ran.has(plan.name)) {
        this.#log.error({ child: plan.name, why: message.sentence }, 'process cannot start');
      } else if (message.type === 'failed') {
        refused = true;
        this.#events.refused(plan.name, message.sentence);
      }
    });
    child.on('exit', (code, signal) => {
      if (this.#children.get(plan.name) === child) this.#children.delete(plan.name);
      if (this.#stopping || refused || this.#leaving.has(child)) return;
      const deaths = (this.#earlyDeaths.get(plan.name) ?? 0) + 1;
      if (this.#ran.size === 0) this.#earlyDeaths.set(plan.name, deaths);
      if (this.#ran.size === 0 && deaths >= MOST_EARLY_DEATHS) {
        const sentence = `the ${plan.name} process ended ${deaths} times before the service was ready; what it said is above`;
        return this.#events.refused(plan.name, sentence);
      }
      const steady = performance.now() - startedAt > STEADY_MS;
      if (steady) this.#failures.delete(plan.name);
      else if (code === FAULT) this.#failures.set(plan.name, (this.#failures.get(plan.name) ?? 0) + 1);
      const longest = served ? LONGEST_PAUSE_OF_SERVED_MS : LONGEST_PAUSE_MS;
      const pause = steady ? FIRST_PAUSE_MS : Math.min(this.#pause.get(plan.name) ?? FIRST_PAUSE_MS, longest);
      this.#pause.set(
        plan.name,
        pause === FIRST_PAUSE_MS ? SECOND_PAUSE_MS : Math.min(pause * 2, LONGEST_PAUSE_MS),
      );
      this.#log.error({ child: plan.name, code, signal, pauseMs: pause }, 'process died; starting it again');
      setTimeout(() => {
        if (!this.#stopping && !this.#children.has(plan.name)) this.start(this.#plans.get(plan.name) ?? plan);
      }, pause);
    });
  }

  /**
   * Puts a new process in the place of one that runs, which goes on until the new one has all it needs and then hands over.
   * When the new one cannot take over, what ran before is started again. `hello` of the plan is the one for a start without
   * a predecessor; `standBy` begins this one.
   */
  async replace(plan: ChildPlan, standBy: ToChild, say: (step: ReplaceStep) => void): Promise<Replaced> {
    if (this.#stopping) return { ok: false, why: 'the service is stopping' };
    if (this.#replacing !== undefined) return { ok: false, why: 'a handover is under way already' };
    this.#replacing = this.#replace(plan, standBy, say);
    try {
      return await this.#replacing;
    } finally {
      this.#replacing = undefined;
    }
  }

  async #replace(plan: ChildPlan, standBy: ToChild, say: (step: ReplaceStep) => void): Promise<Replaced> {
    const old = this.#children.get(plan.name);
    if (old === undefined || !this.#ran.has(plan.name))
      return { ok: false, why: `the ${plan.name} process is just being started; try again` };

    const standby = this.#fork({ ...plan, hello: standBy });
    this.#standby = standby;
    try {
      const prepared = await childSays(standby, ['standing-by', 'failed'], STANDBY_PATIENCE_MS);
      if (prepared?.type !== 'standing-by')
        return unwanted(standby, whyNot(prepared, 'the new process did not start'));
      if (this.#children.get(plan.name) !== old)
        return unwanted(standby, `the ${plan.name} process ended meanwhile; try again`);
      this.#standby = undefined;
      this.#leaving.add(old);
      say(prepared);
      const left = await leave(old, say);
      if ('stays' in left) {
        this.#leaving.delete(old);
        return unwanted(standby, left.stays);
      }
      return await this.#takeOver(plan, standby, left);
    } finally {
      this.#standby = undefined;
    }
  }

  /** The old process is gone: the new one goes on, or what ran before is started again. */
  async #takeOver(plan: ChildPlan, standby: ChildProcess, left: Left): Promise<Replaced> {
    const before = this.#plans.get(plan.name) ?? plan;
    let why = 'the new process died while it stood by';
    if (runs(standby)) {
      standby.send({ type: 'take-over' } satisfies ToChild);
      const taken = await childSays(standby, ['ready', 'failed'], TAKE_OVER_PATIENCE_MS);
      if (taken?.type === 'ready') {
        this.#plans.set(plan.name, plan);
        this.#adopt(plan, standby, true);
        const awayMs = performance.now() - left.since;
        return { ok: true, calls: taken.calls ?? 0, ended: left.ended, awayMs };
      }
      standby.kill('SIGKILL');
      await ended(standby, 0);
      why = whyNot(taken, 'the new process did not take over');
    }
    this.start(before);
    return { ok: false, why: `${why}; what ran before is started again` };
  }

  /** Signalling drains first, so that BYEs leave while media still stands; then media ends. */
  async stop(): Promise<void> {
    // One that only prepares itself is given up. Otherwise the calls are between two processes: the next one ends them.
    this.#standby?.kill('SIGKILL');
    await this.#replacing;
    this.#stopping = true;
    await this.#end('signalling');
    await this.#end('media');
  }

  async #end(name: ChildPlan['name']): Promise<void> {
    const child = this.#children.get(name);
    if (child === undefined) return;
    if (runs(child)) child.kill('SIGTERM');
    await ended(child, STOP_PATIENCE_MS);
  }
}

/** A process has left. `ended`: early calls that did not live through it; `since`: when it said so. */
interface Left {
  readonly ended: number;
  readonly since: number;
}

/** Asks a process to hand over, and waits until it is gone, unless it stays. */
async function leave(
  old: ChildProcess,
  say: (step: ReplaceStep) => void,
): Promise<Left | { readonly stays: string }> {
  // What it says last may be heard after its end.
  const left = { ended: 0, since: performance.now() };
  const heard = (message: FromChild): void => {
    if (message.type === 'leaving') {
      left.ended = message.ended;
      left.since = performance.now();
    }
    if (message.type === 'handing-over' || message.type === 'leaving') say(message);
  };
  old.on('message', heard);
  old.send({ type: 'hand-over' } satisfies ToChild);
  const answer = await childSays(old, ['handing-over', 'staying'], LEAVE_PATIENCE_MS);
  if (answer?.type === 'staying' && runs(old)) {
    old.off('message', heard);
    return { stays: answer.why };
  }
  await ended(old, answer === undefined ? 0 : LEAVE_PATIENCE_MS);
  return left;
}

const runs = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;

/** Ends a process that is not needed after all. */
function unwanted(child: ChildProcess, why: string): Replaced {
  child.kill('SIGKILL');
  return { ok: false, why };
}

const whyNot = (message: FromChild | undefined, otherwise: string): string =>
  message?.type === 'failed' ? message.sentence : otherwise;
