import { Worker } from 'node:worker_threads';
import type { Ms } from '@sidetone/core';

/** One file after the other, on a thread of their own: calls come before sounds. */

/** Files that wait, of all streams. */
const MOST_WAITING = 128;
const HEAP_MB = 128;
/** A file that takes longer ends its thread, and is none. */
const LIMIT_MS: Ms = 10_000;

export interface Mp3Decoder {
  /** 16-bit PCM of 16 kHz, one channel, at most 5 minutes; `undefined`: it is no MP3 file, or too much waits. Never rejects. */
  decode(bytes: Uint8Array): Promise<Int16Array | undefined>;
  close(): Promise<void>;
}

export function createMp3Decoder(limitMs: Ms = LIMIT_MS): Mp3Decoder {
  let worker: Worker | undefined;
  let waiting = 0;
  let turn: Promise<unknown> = Promise.resolve();

  function start(): Worker {
    const made = new Worker(new URL('./mp3-worker.ts', import.meta.url), {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    made.unref();
    // Whoever waits for it is told by `exit`.
    made.on('error', () => {});
    made.on('exit', () => {
      if (worker === made) worker = undefined;
    });
    return made;
  }

  function one(bytes: Uint8Array): Promise<Int16Array | undefined> {
    worker ??= start();
    const at = worker;
    return new Promise((done) => {
      const end = (pcm: Int16Array | null): void => {
        clearTimeout(timer);
        at.off('message', end).off('exit', gone);
        done(pcm ?? undefined);
      };
      const gone = (): void => end(null);
      const timer = setTimeout(() => void at.terminate(), limitMs);
      at.on('message', end).on('exit', gone);
      at.postMessage(bytes);
    });
  }

  return {
    decode: async (bytes) => {
      if (waiting >= MOST_WAITING) return undefined;
      waiting++;
      const asked = turn.then(() => one(bytes)).finally(() => waiting--);
      turn = asked;
      return await asked;
    },
    close: async () => {
      await worker?.terminate();
    },
  };
}
