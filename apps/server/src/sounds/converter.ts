import { Worker } from 'node:worker_threads';
import type { Ms } from '@sidetone/core';
import { LIMITS, type Refusal, SoundFault, tooLarge } from './limits.ts';
import type { Prepared } from './prepared-file.ts';

export interface ConvertJob {
  readonly source: { readonly bytes: Uint8Array } | { readonly file: string };
  /** Where the result goes. */
  readonly folder: string;
  /** Of the result, without what `fileOf` adds; otherwise the SHA-256 of the source in hexadecimal. */
  readonly name?: string;
  readonly mostMs: Ms;
}

export type Converted = Prepared & { readonly name: string };
export type ConvertResult = (Converted & { readonly ok: true }) | Refusal;

export interface Converter {
  /** @throws SoundFault */
  convert(job: ConvertJob): Promise<Converted>;
  close(): Promise<void>;
}

/** Of one thread's own objects; the file and the decoder lie outside of them. */
const HEAP_MB = 192;

/** Threads that turn files into what media plays. The caller bounds how many work at a time; one that dies takes its own file along. */
export function createConverter(limitMs: Ms = LIMITS.convertMs): Converter {
  const resting: Worker[] = [];
  const all = new Set<Worker>();

  function start(): Worker {
    const worker = new Worker(new URL('./convert-worker.ts', import.meta.url), {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    worker.unref();
    all.add(worker);
    worker.on('exit', () => {
      all.delete(worker);
      const at = resting.indexOf(worker);
      if (at >= 0) resting.splice(at, 1);
    });
    // One that rests and fails is no more; `exit` follows.
    worker.on('error', () => {});
    return worker;
  }

  async function convert(job: ConvertJob): Promise<Converted> {
    const worker = resting.pop() ?? start();
    const result = await new Promise<ConvertResult>((done) => {
      const timer = setTimeout(() => {
        end(tooLarge(`The sound could not be converted within ${limitMs / 1000} seconds.`));
        void worker.terminate();
      }, limitMs);
      const failed = (error: Error): void =>
        end(
          (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY'
            ? tooLarge('The sound needs too much memory.')
            : new SoundFault('failed', 'The sound could not be converted.'),
        );
      const gone = (): void => failed(new Error('exit'));
      const finished = (answer: ConvertResult): void => {
        clearTimeout(timer);
        worker.off('message', finished).off('error', failed).off('exit', gone);
        done(answer);
      };
      const end = ({ why, message }: SoundFault): void => finished({ ok: false, why, detail: message });
      worker.on('message', finished).on('error', failed).on('exit', gone);
      const { source } = job;
      // A view of a buffer that others use, too, is copied; its own buffer changes hands.
      const owned = 'bytes' in source && source.bytes.byteLength === source.bytes.buffer.byteLength;
      worker.postMessage(job, owned ? [source.bytes.buffer as ArrayBuffer] : []);
    });
    if (all.has(worker)) resting.push(worker);
    if (!result.ok) throw new SoundFault(result.why, result.detail);
    return result;
  }

  return {
    convert,
    close: async () => {
      await Promise.all([...all].map((worker) => worker.terminate()));
    },
  };
}
