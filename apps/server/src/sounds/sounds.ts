import { createHash, webcrypto } from 'node:crypto';
import { join } from 'node:path';
import type { Ms } from '@sidetone/core';
import type { SoundAsk, SoundResult } from '@sidetone/wire';
import type { Logger } from 'pino';
import { SoundCache } from './cache.ts';
import { type ConvertJob, createConverter } from './converter.ts';
import type { FetchSound } from './fetch.ts';
import { LIMITS, notAudio, refusalOf, SoundFault, tooLarge } from './limits.ts';
import { readSsml, speakable } from './speech/ssml.ts';
import type { TextToSpeech } from './speech/text-to-speech.ts';
import { voiceOf } from './speech/voices.ts';
import { Turns } from './turns.ts';

/** What an account has stored under a name. */
export interface StoredMedia {
  find(
    account: string,
    name: string,
  ): Promise<{ readonly file: string; readonly sha256: string } | undefined>;
}

export interface SoundsOptions {
  readonly dataDir: string;
  readonly media: StoredMedia;
  readonly fetch: FetchSound;
  readonly speech: TextToSpeech;
  /** Bytes of all prepared files. */
  readonly cacheBytes: number;
  /** So long a URL is not asked again. */
  readonly urlMs: Ms;
  readonly now: () => Ms;
  readonly log: Logger;
}

export interface Sounds {
  /** Never rejects. One that is being prepared already is prepared once. */
  prepare(account: string, ask: SoundAsk): Promise<SoundResult>;
  /** What is under way ends as `failed`. */
  close(): Promise<void>;
}

interface Found {
  readonly file: string;
  readonly ms: Ms;
}

const MOST_URLS = 10_000;
const MOST_TEXT = 20_000;

/**
 * A wish to hear something becomes a file that media plays:
 *
 *   url ─▶ fetch ──────┐
 *   media ─────────────┼─▶ thread: decode, one channel, 16 kHz ─▶ <data>/sounds/<account>/<content>.wav
 *   content ───────────┤
 *   speech ─▶ engine ──┘
 *
 * Fetching and speaking wait outside of this thread, and the rest is done on others; accounts take turns at each.
 */
export function createSounds(options: SoundsOptions): Sounds {
  const { now, log } = options;
  const folder = join(options.dataDir, 'sounds');
  const cache = SoundCache.open({ folder, most: options.cacheBytes, now });
  const converter = createConverter();
  const turns = (slots: number): Turns =>
    new Turns({ slots, waiting: LIMITS.waiting, waitMs: LIMITS.waitMs });
  const fetching = turns(LIMITS.fetches);
  const converting = turns(LIMITS.conversions);
  const speaking = turns(LIMITS.speakers);
  /** What a URL of an account was, and until when it is believed. The oldest first. */
  const urls = new Map<string, { readonly name: string; readonly until: Ms }>();
  const underWay = new Map<string, Promise<Found>>();
  let closed = false;

  async function made(
    account: string,
    job: Omit<ConvertJob, 'folder' | 'mostMs'>,
    mostMs?: Ms,
  ): Promise<Found & { name: string }> {
    const files = await cache;
    files.checkRoom(account);
    const converted = await converting.run(account, () => {
      if (closed) throw new SoundFault('failed', 'The server is ending.');
      return converter.convert({
        ...job,
        folder: files.folderOf(account),
        mostMs: mostMs ?? LIMITS.playedMs,
      });
    });
    return { ...(await files.add(account, converted.name, converted)), name: converted.name };
  }

  async function named(account: string, name: string, make: () => Promise<Found>): Promise<Found> {
    return (await (await cache).find(account, name)) ?? (await once(`${account} ${name}`, make));
  }

  /** Many who wait for the same hold music wait for one piece of work. */
  function once(key: string, make: () => Promise<Found>): Promise<Found> {
    let work = underWay.get(key);
    if (work === undefined) {
      work = make().finally(() => underWay.delete(key));
      underWay.set(key, work);
    }
    return work;
  }

  async function fromUrl(account: string, url: string): Promise<Found> {
    const key = `${account} ${url}`;
    const known = urls.get(key);
    if (known !== undefined && known.until > now()) {
      const found = await (await cache).find(account, known.name);
      if (found !== undefined) return found;
    }
    return await once(key, () =>
      // Holds its place until it is converted: so many files lie in memory, and no more.
      fetching.run(account, async () => {
        const { bytes } = await options.fetch(url);
        const { name, ...found } = await made(account, { source: { bytes } });
        urls.delete(key);
        urls.set(key, { name, until: now() + options.urlMs });
        if (urls.size > MOST_URLS) urls.delete(urls.keys().next().value!);
        return found;
      }),
    );
  }

  async function fromMedia(account: string, name: string): Promise<Found> {
    const stored = await options.media.find(account, name);
    if (stored === undefined)
      throw new SoundFault('not-found', 'No media of this name is stored in the account.');
    const job = { source: { file: stored.file }, name: stored.sha256 };
    return await named(account, stored.sha256, () => made(account, job));
  }

  async function fromContent(account: string, content: string): Promise<Found> {
    if (content.length > (LIMITS.sourceBytes * 4) / 3 + 4) throw tooLarge('The content is too long.');
    if (!/^[A-Za-z0-9+/_\s-]*={0,2}\s*$/.test(content)) throw notAudio('The content is not base64.');
    const bytes = new Uint8Array(Buffer.from(content, 'base64'));
    const name = Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes)).toString('hex');
    return await named(account, name, () => made(account, { source: { bytes }, name }));
  }

  async function fromSpeech(account: string, ask: Extract<SoundAsk, { kind: 'speech' }>): Promise<Found> {
    if (ask.text.length > MOST_TEXT) throw tooLarge(`A text may have ${MOST_TEXT} characters.`);
    const said = ask.ssml === true ? readSsml(ask.text) : { text: speakable(ask.text) };
    // A text of blanks is spoken as a moment of silence.
    const voice = voiceOf(ask.voice, ask.language);
    const name = sha256(JSON.stringify([options.speech.name, voice, said]));
    return await named(account, name, () =>
      speaking.run(account, async () => {
        const bytes = await options.speech.speak({ ...said, voice });
        return await made(account, { source: { bytes }, name }, LIMITS.spokenMs);
      }),
    );
  }

  function asked(account: string, ask: SoundAsk): Promise<Found> {
    switch (ask.kind) {
      case 'url':
        return fromUrl(account, ask.url);
      case 'media':
        return fromMedia(account, ask.name);
      case 'content':
        return fromContent(account, ask.content);
      case 'speech':
        return fromSpeech(account, ask);
    }
  }

  return {
    prepare: async (account, ask) => {
      const began = now();
      try {
        if (closed) throw new SoundFault('failed', 'The server is ending.');
        const { file, ms } = await asked(account, ask);
        return { ok: true, file, ms };
      } catch (error) {
        const refusal = refusalOf(error);
        // Neither what is said nor where it comes from: both are the account's own.
        log.info(
          {
            account,
            kind: ask.kind,
            why: refusal.why,
            detail: refusal.detail,
            took: Math.round(now() - began),
          },
          'sound refused',
        );
        return refusal;
      }
    },
    close: async () => {
      closed = true;
      await converter.close();
    },
  };
}

const sha256 = (what: string): string => createHash('sha256').update(what).digest('hex');
