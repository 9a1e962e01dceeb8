import http from 'node:http';
import https from 'node:https';
import { err, type Ms, ok, type Result } from '@sidetone/core';
import { monotonic } from '../clock.ts';
import { createGuard, type GuardOptions, Refusal, urlOfScheme, wordsOf } from './guard.ts';

export { MOST_URL } from './guard.ts';

/**
 * HTTP to places that somebody else named: one way out of the house for all of it.
 *
 *   URL ─▶ http(s), no user ─▶ addresses, looked up once ─▶ each checked ─▶ connected to one of these very addresses
 *       ─▶ one answer, no redirect, bounded in time and size
 */

export interface OutgoingRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** For everything: name, connection, TLS, request and the whole answer. */
  readonly timeoutMs: Ms;
  /** Of the answer's body. */
  readonly maxBytes: number;
  /**
   * A body that is longer, or not there in time. `error`: no answer. `cut`: what came of it; the status is an answer already, and
   * the connection ends.
   */
  readonly excess: 'error' | 'cut';
  readonly signal?: AbortSignal;
}

export interface OutgoingAnswer {
  /** Any, also 3xx: nobody follows a redirect. */
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body went on. */
  readonly cut: boolean;
  /** From the call to the end of the answer. */
  readonly ms: Ms;
}

export interface OutgoingError {
  /**
   * `url`: none that we call. `refused`: an address that is not for strangers; nothing was sent. `unresolved`: the name has no address.
   * `network`: no connection, or it broke, or what came is no HTTP. `size`: the body is longer than `maxBytes`. `aborted`: by `signal`.
   */
  readonly kind: 'url' | 'refused' | 'unresolved' | 'network' | 'timeout' | 'size' | 'aborted';
  /** For people; without the URL, which may hold secrets. */
  readonly why: string;
  readonly ms: Ms;
}

export interface OutgoingOptions extends GuardOptions {
  /** Certificate authorities (PEM) instead of the system's. */
  readonly ca?: string;
}

export interface Outgoing {
  request(request: OutgoingRequest): Promise<Result<OutgoingAnswer, OutgoingError>>;
  /** Ends the connections that are kept. */
  close(): void;
}

/** Below the five seconds after which common servers close a connection that nobody uses. */
const KEEP_MS = 4000;

/** The URL, or why we do not call it. */
export const urlOf = (text: string): Result<URL, string> => urlOfScheme(text, ['http:', 'https:']);

/** What cuts a request short. (An `AbortSignal` for each would cost more than the rest of a small request.) */
class Ending {
  why: 'timeout' | 'aborted' | undefined;
  #sent: http.ClientRequest | undefined;

  come(why: 'timeout' | 'aborted'): void {
    this.why ??= why;
    this.#sent?.destroy(new Error(why));
  }

  cuts(sent: http.ClientRequest): void {
    this.#sent = sent;
    if (this.why !== undefined) sent.destroy(new Error(this.why));
  }
}

export function createOutgoing(options: OutgoingOptions): Outgoing {
  const guard = createGuard(options);
  const { lookup } = guard;
  const agents = {
    'http:': new http.Agent({ keepAlive: true, timeout: KEEP_MS, maxFreeSockets: 16 }),
    'https:': new https.Agent({
      keepAlive: true,
      timeout: KEEP_MS,
      maxFreeSockets: 16,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    }),
  };

  async function request(asked: OutgoingRequest): Promise<Result<OutgoingAnswer, OutgoingError>> {
    const began = monotonic();
    const failed = (kind: OutgoingError['kind'], why: string): Result<never, OutgoingError> =>
      err({ kind, why, ms: monotonic() - began });
    const url = urlOf(asked.url);
    if (!url.ok) return failed('url', url.error);
    const why = guard.refusalOf(url.value);
    if (why !== null) return failed('refused', why);
    const end = new Ending();
    const timer = setTimeout(() => end.come('timeout'), asked.timeoutMs);
    const unwanted = (): void => end.come('aborted');
    if (asked.signal?.aborted === true) unwanted();
    asked.signal?.addEventListener('abort', unwanted, { once: true });
    try {
      for (let again = false; ; again = true) {
        const had = await exchange(url.value, asked, end);
        if (had.ok) return ok({ ...had.value, ms: monotonic() - began });
        const { error, stale } = had.error;
        // The other end closed a connection just when we used it again (RFC 9112 §9.3.1); it has read nothing.
        if (stale && !again && end.why === undefined) continue;
        if (end.why === 'aborted') return failed('aborted', 'nobody wants the answer any more');
        if (end.why === 'timeout') return failed('timeout', `no answer within ${asked.timeoutMs} ms`);
        if (error instanceof Refusal) return failed(error.kind, error.message);
        if (error instanceof RangeError) return failed('size', error.message);
        return failed('network', wordsOf(error));
      }
    } finally {
      clearTimeout(timer);
      asked.signal?.removeEventListener('abort', unwanted);
    }
  }

  function exchange(
    url: URL,
    asked: OutgoingRequest,
    end: Ending,
  ): Promise<Result<Omit<OutgoingAnswer, 'ms'>, { error: Error; stale: boolean }>> {
    return new Promise((done) => {
      const secure = url.protocol === 'https:';
      const sent = (secure ? https : http).request(url, {
        method: asked.method,
        headers: {
          'accept-encoding': 'identity',
          ...asked.headers,
          ...(asked.body === undefined ? {} : { 'content-length': String(asked.body.byteLength) }),
        },
        agent: agents[secure ? 'https:' : 'http:'],
        lookup,
      });
      end.cuts(sent);
      const fail = (error: NodeJS.ErrnoException): void => {
        const stale = sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        done(err({ error, stale }));
      };
      /** What an error means; another thing once the head of the answer is there. */
      let broken: (error: Error) => void = fail;
      sent.on('error', (error) => broken(error));
      sent.on('response', (answer) => {
        const parts: Buffer[] = [];
        let bytes = 0;
        const told = (cut: boolean): void => {
          const body = Buffer.concat(parts).subarray(0, asked.maxBytes);
          done(ok({ status: answer.statusCode ?? 0, headers: answer.headers, body, cut }));
        };
        broken = (error) => {
          if (asked.excess === 'cut') told(true);
          else done(err({ error, stale: false }));
          answer.destroy();
        };
        answer.on('data', (part: Buffer) => {
          bytes += part.length;
          parts.push(part);
          if (bytes > asked.maxBytes)
            broken(new RangeError(`the answer is longer than ${asked.maxBytes} bytes`));
        });
        answer.on('end', () => told(false));
        answer.on('error', (error) => broken(error));
      });
      sent.end(asked.body);
    });
  }

  return {
    request,
    close: () => {
      agents['http:'].destroy();
      agents['https:'].destroy();
    },
  };
}
