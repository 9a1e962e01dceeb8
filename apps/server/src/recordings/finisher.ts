import { Worker } from 'node:worker_threads';
import type { Ms } from '@sidetone/core';

export interface FinishJob {
  /** As media has left it. */
  readonly file: string;
  /** Where the result goes; one that is there is replaced. */
  readonly into: string;
  readonly format: 'wav' | 'mp3';
  readonly trim: boolean;
}

export type Finished =
  | { readonly ok: true; readonly bytes: number; readonly durationMs: Ms }
  /** `ENOENT`: media has left nothing. */
  | { readonly ok: false; readonly why: string };

export interface Finisher {
  /** Never rejects. The caller bounds how many work at a time. */
  finish(job: FinishJob): Promise<Finished>;
  close(): Promise<void>;
}

/** Threads that finish recordings. */
export function createFinisher(): Finisher {
  const resting: Worker[] = [];
  const all = new Set<Worker>();

  function start(): Worker {
    const worker = new Worker(new URL('./finish-worker.ts', import.meta.url), {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxOldGenerationSizeMb: 128 },
    });
    worker.unref();
    all.add(worker);
    worker.on('exit', () => {
      all.delete(worker);
      const at = resting.indexOf(worker);
      if (at >= 0) resting.splice(at, 1);
    });
    worker.on('error', () => {});
    return worker;
  }

  return {
    finish: async (job) => {
      const worker = resting.pop() ?? start();
      const finished = await new Promise<Finished>((done) => {
        const end = (result: Finished): void => {
          worker.off('message', end).off('exit', gone);
          done(result);
        };
        const gone = (): void => end({ ok: false, why: 'the thread ended' });
        worker.on('message', end).on('exit', gone);
        worker.postMessage(job);
      });
      if (all.has(worker)) resting.push(worker);
      return finished;
    },
    close: async () => {
      await Promise.all([...all].map((worker) => worker.terminate()));
    },
  };
}
