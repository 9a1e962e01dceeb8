import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { err, familyOf, type Ms, ok, type Result } from '@sidetone/core';
import { monotonic } from '../clock.ts';
import { AddressRules } from './address-rules.ts';
import { type Resolve, systemResolve } from './resolve.ts';

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

export interface OutgoingOptions {
  /** Host names, addresses and networks that may be reached though they are none of the public Internet. */
  readonly allow: readonly string[];
  readonly resolve?: Resolve;
  /** Certificate authorities (PEM) instead of the system's. */
  readonly ca?: string;
}

export interface Outgoing {
  request(request: OutgoingRequest): Promise<Result<OutgoingAnswer, OutgoingError>>;
  /** Ends the connections that are kept. */
  close(): void;
}

export const MOST_URL = 16_384;
/** Below the five seconds after which common servers close a connection that nobody uses. */
const KEEP_MS = 4000;

/** The URL, or why we do not call it. */
export function urlOf(text: string): Result<URL, string> {
  if (text.length > MOST_URL) return err(`the URL is longer than ${MOST_URL} characters`);
  if (!URL.canParse(text)) return err('it is no URL');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return err('only http and https are called');
  if (url.username !== '' || url.password !== '') return err('a URL must not hold a user or a password');
  if (url.hostname === '') return err('it names no host');
  return ok(url);
}

/** Of the rules, on the way through Node's errors. */
class Refusal extends Error {
  readonly kind: 'refused' | 'unresolved';
  constructor(kind: 'refused' | 'unresolved', why: string) {
    super(why);
    this.kind = kind;
  }
}

export function createOutgoing(options: OutgoingOptions): Outgoing {
  const rules = new AddressRules(options.allow);
  const resolve = options.resolve ?? systemResolve((name) => rules.allowsName(name));

  /** Only addresses that may be reached, and an error when there is none. */
  async function addressesOf(name: string): Promise<readonly string[]> {
    let found: readonly string[] = [];
    try {
      found = await resolve(name);
    } catch {}
    if (found.length === 0) throw new Refusal('unresolved', `${name} has no address`);
    const judged = found.map((address) => rules.refusal(name, address));
    const good = found.filter((_, i) => judged[i] === null);
    if (good.length === 0) throw new Refusal('refused', `${name}: ${judged[0]}`);
    return good;
  }

  /** Node asks it once for each connection, and connects to what it says. An address in a URL never comes here. */
  const lookup: LookupFunction = (name, wanted, done) => {
    addressesOf(hostOf(name)).then(
      (addresses) => {
        const all = addresses.map((address) => ({ address, family: familyOf(address) ?? 4 }));
        if (wanted.all === true) done(null, all);
        else done(null, all[0]!.address, all[0]!.family);
      },
      (error: Error) => done(error, ''),
    );
  };
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
    const host = hostOf(url.value.hostname);
    if (isIP(host) !== 0) {
      const why = rules.refusal(host, host);
      if (why !== null) return failed('refused', why);
    }
    const deadline = AbortSignal.timeout(Math.max(1, Math.ceil(asked.timeoutMs)));
    const signal = asked.signal === undefined ? deadline : AbortSignal.any([deadline, asked.signal]);
    for (let again = false; ; again = true) {
      const had = await exchange(url.value, asked, signal);
      if (had.ok) return ok({ ...had.value, ms: monotonic() - began });
      const { error, stale } = had.error;
      // The other end closed a connection just when we used it again (RFC 9112 §9.3.1); it has read nothing.
      if (stale && !again && !signal.aborted) continue;
      if (asked.signal?.aborted === true) return failed('aborted', 'nobody wants the answer any more');
      if (deadline.aborted) return failed('timeout', `no answer within ${asked.timeoutMs} ms`);
      if (error instanceof Refusal) return failed(error.kind, error.message);
      if (error instanceof RangeError) return failed('size', error.message);
      return failed('network', wordsOf(error));
    }
  }

  function exchange(
    url: URL,
    asked: OutgoingRequest,
    signal: AbortSignal,
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
        signal,
      });
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
        const end = (cut: boolean): void => {
          const body = Buffer.concat(parts).subarray(0, asked.maxBytes);
          done(ok({ status: answer.statusCode ?? 0, headers: answer.headers, body, cut }));
        };
        broken = (error) => {
          if (asked.excess === 'cut') end(true);
          else done(err({ error, stale: false }));
          answer.destroy();
        };
        answer.on('data', (part: Buffer) => {
          bytes += part.length;
          parts.push(part);
          if (bytes > asked.maxBytes)
            broken(new RangeError(`the answer is longer than ${asked.maxBytes} bytes`));
        });
        answer.on('end', () => end(false));
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

/** As rules and name servers know it: no brackets, no dot at the end. */
const hostOf = (hostname: string): string =>
  hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();

/** Node's codes, without what may stand in its messages. */
function wordsOf(error: NodeJS.ErrnoException): string {
  const inner =
    error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException | undefined) : error;
  switch (inner?.code) {
    case 'ECONNREFUSED':
      return 'the connection was refused';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'the connection was closed without an answer';
    default:
      return `no exchange: ${inner?.code ?? 'unknown error'}`;
  }
}
