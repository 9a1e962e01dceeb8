import type { Outgoing } from '../outgoing/outgoing.ts';
import { LIMITS, notAudio, SoundFault, tooLarge } from './limits.ts';

export interface Fetched {
  readonly bytes: Uint8Array;
  /** As the server calls it. */
  readonly contentType: string | undefined;
}

/** @throws SoundFault; its words never hold the URL, which may hold secrets */
export type FetchSound = (url: string) => Promise<Fetched>;

/** GET of what an application named, by the guarded way out. */
export function createFetch(outgoing: Pick<Outgoing, 'request'>): FetchSound {
  return async (url) => {
    const answer = await outgoing.request({
      url,
      method: 'GET',
      headers: { accept: 'audio/*, application/ogg, application/octet-stream, */*;q=0.1' },
      timeoutMs: LIMITS.fetchMs,
      maxBytes: LIMITS.sourceBytes,
      excess: 'error',
    });
    if (!answer.ok) {
      const { kind, why } = answer.error;
      if (kind === 'size') throw tooLarge(`A sound may have ${LIMITS.sourceBytes / 1024 / 1024} MiB.`);
      throw new SoundFault(kind === 'refused' || kind === 'url' ? 'refused' : 'failed', sentence(why));
    }
    const { status, body, headers } = answer.value;
    if (status === 404 || status === 410)
      throw new SoundFault('not-found', `The server answered ${status}: no such file.`);
    if (status >= 300 && status < 400)
      throw new SoundFault(
        'failed',
        `The server answered ${status}, a redirect. Redirects are not followed: name the address it leads to.`,
      );
    if (status !== 200) throw new SoundFault('failed', `The server answered ${status}.`);
    if (body.length === 0) throw notAudio('The file is empty.');
    return { bytes: body, contentType: headers['content-type'] };
  };
}

const sentence = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
