import { join } from 'node:path';
import type { EpochMs } from '@sidetone/core';
import type { SoundAsk, SoundResult } from '@sidetone/wire';
import type { Logger } from 'pino';
import { epoch, monotonic } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import type { Outgoing } from '../outgoing/outgoing.ts';
import { createFetch, type Fetched } from './fetch.ts';
import { LIMITS } from './limits.ts';
import { MediaStorage } from './media-storage.ts';
import { createSounds } from './sounds.ts';
import { createEspeak } from './speech/espeak.ts';
import { createSpeechByUrl } from './speech/speech-url.ts';
import { Turns } from './turns.ts';

const MiB = 1024 * 1024;
/** Files that come in by the API at a time. */
const RECEIVED = 8;

/** The sounds of the running product: what calls ask for, and what the API stores. */
export interface SoundService {
  prepare(account: string, ask: SoundAsk): Promise<SoundResult>;
  /** For the API. */
  readonly door: {
    readonly storage: MediaStorage;
    readonly fetch: (account: string, url: string) => Promise<Fetched>;
    readonly receive: <T>(account: string, work: () => Promise<T>) => Promise<T>;
  };
  close(): Promise<void>;
}

export function createSoundService(options: {
  readonly config: Pick<Config, 'sounds' | 'speech'>;
  readonly dataDir: string;
  readonly outgoing: Pick<Outgoing, 'request'>;
  readonly log: Logger;
  readonly epoch?: () => EpochMs;
}): SoundService {
  const { dataDir, log } = options;
  const { sounds: limits, speech } = options.config;
  const fetch = createFetch(options.outgoing);
  const storage = new MediaStorage({
    folder: join(dataDir, 'media-storage'),
    quota: limits.storage_mb * MiB,
    now: options.epoch ?? epoch,
  });
  const sounds = createSounds({
    dataDir,
    media: storage,
    fetch,
    speech:
      speech.url === undefined
        ? createEspeak()
        : createSpeechByUrl({
            url: speech.url,
            ...(speech.token === undefined ? {} : { token: speech.token }),
          }),
    cacheBytes: limits.cache_mb * MiB,
    urlMs: limits.cache_minutes * 60_000,
    now: monotonic,
    log,
  });
  const turns = (slots: number): Turns => new Turns({ slots, waiting: 50, waitMs: LIMITS.waitMs });
  const [fetching, receiving] = [turns(RECEIVED / 2), turns(RECEIVED)];
  return {
    prepare: sounds.prepare,
    door: {
      storage,
      fetch: (account, url) => fetching.run(account, () => fetch(url)),
      receive: (account, work) => receiving.run(account, work),
    },
    close: async () => {
      await Promise.all([sounds.close(), storage.close()]);
    },
  };
}
