import type { IncomingHttpHeaders } from 'node:http';
import type { EpochMs } from '@sidetone/core';
import type { Outcome, Post } from '@sidetone/webhooks';
import type { Outgoing, OutgoingRequest } from '../outgoing/outgoing.ts';
import { queryOf } from './query.ts';
import type { Signer } from './signer.ts';

/** Of an answer is kept so much. */
const MOST_BODY = 4096;
const MOST_HEADERS = 10_240;
const MOST_HEADER = 1024;

export interface PosterOptions {
  readonly outgoing: Pick<Outgoing, 'request'>;
  readonly signer: Signer;
  readonly epoch: () => EpochMs;
}

/**
 * The edge of webhooks: each try is signed anew, over exactly the bytes that are sent (the body; with GET the whole query), and goes out by
 * the guarded way. Never rejects: whatever happens is an outcome.
 */
export function createPoster({
  outgoing,
  signer,
  epoch,
}: PosterOptions): (post: Post, signal?: AbortSignal) => Promise<Outcome> {
  return async (post, signal) => {
    const startedAt = epoch();
    const sent = requestOf(post);
    const headers = {
      ...(sent.body === undefined ? {} : { 'Content-Type': 'application/json' }),
      'User-Agent': 'telnyx-webhooks',
      ...signer.headers(sent.signed, startedAt),
    };
    const answer = await outgoing.request({
      url: sent.url,
      method: post.method,
      headers,
      ...(sent.body === undefined ? {} : { body: sent.body }),
      timeoutMs: post.timeoutMs,
      maxBytes: MOST_BODY,
      excess: 'cut',
      ...(signal === undefined ? {} : { signal }),
    } satisfies OutgoingRequest);
    const common = { startedAt, requestHeaders: Object.entries(headers) };
    if (!answer.ok) {
      const { why, ms } = answer.error;
      return { ...common, status: null, why, ms, responseHeaders: [], responseBody: '' };
    }
    const { status, ms, body } = answer.value;
    return {
      ...common,
      status,
      why: null,
      ms,
      responseHeaders: headersOf(answer.value.headers),
      responseBody: body.toString('utf8'),
    };
  };
}

function requestOf(post: Post): { url: string; body?: Uint8Array; signed: Uint8Array } {
  if (post.method === 'POST') {
    const body = Buffer.from(JSON.stringify(post.body));
    return { url: post.url, body, signed: body };
  }
  // As it leaves: the parser of URLs has the last word on how a character is written.
  const bare = post.url.split('#', 1)[0]!;
  const whole = `${bare}${bare.includes('?') ? '&' : '?'}${queryOf(post.body)}`;
  if (!URL.canParse(whole)) return { url: whole, signed: new Uint8Array() };
  const url = new URL(whole);
  return { url: url.href, signed: Buffer.from(url.search.slice(1)) };
}

function headersOf(headers: IncomingHttpHeaders): [string, string][] {
  const told: [string, string][] = [];
  let length = 0;
  for (const [name, value] of Object.entries(headers)) {
    const text = String(value).slice(0, MOST_HEADER);
    length += name.length + text.length;
    if (length > MOST_HEADERS) break;
    told.push([name, text]);
  }
  return told;
}
