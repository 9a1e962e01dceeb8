import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { EpochMs, Ms } from '@sidetone/core';
import type { ByteRange, Keeper } from './keeper.ts';
import { EMPTY_HASH, escaped, type S3Credentials, type SignedRequest, signed } from './s3-signature.ts';

export interface S3Options extends S3Credentials {
  /** As https://s3.eu-central-1.amazonaws.com, without the bucket. */
  readonly endpoint: string;
  readonly bucket: string;
  /** In front of every key; may be empty. */
  readonly prefix: string;
  readonly epoch: () => EpochMs;
  /** So long nothing may move. */
  readonly idleMs?: Ms;
}

const IDLE_MS: Ms = 30_000;

/**
 * Recordings in a store that speaks the S3 protocol. The bucket stands in the path, which every such store takes. The operator names the
 * store, so it may lie anywhere.
 */
export function s3Keeper(options: S3Options): Keeper {
  const base = new URL(options.endpoint);
  const idleMs = options.idleMs ?? IDLE_MS;

  const urlOf = (key: string): URL => {
    const url = new URL(base);
    const path = [options.bucket, ...`${options.prefix}${key}`.split('/')].map(escaped).join('/');
    url.pathname = `${base.pathname.replace(/\/+$/, '')}/${path}`;
    return url;
  };

  /** Answers with the response, whose body is the caller's to read. */
  function ask(
    request: Omit<SignedRequest, 'url'>,
    key: string,
    body?: Readable,
  ): Promise<http.IncomingMessage> {
    const url = urlOf(key);
    const headers = signed({ ...request, url }, options, options.epoch());
    return new Promise((resolve, reject) => {
      const sent = (url.protocol === 'http:' ? http : https).request(url, {
        method: request.method,
        headers,
        timeout: idleMs,
      });
      sent.on('timeout', () => sent.destroy(new Error('the store does not answer')));
      // Without the address: it may be nobody's business.
      const failed = (error: Error): void =>
        reject(new Error(`S3: ${(error as NodeJS.ErrnoException).code ?? error.message}`));
      sent.on('error', failed);
      sent.on('response', resolve);
      if (body === undefined) sent.end();
      else pipeline(body, sent).catch(failed);
    });
  }

  async function done(response: http.IncomingMessage, ...fine: readonly number[]): Promise<void> {
    const status = response.statusCode ?? 0;
    response.resume();
    if (!fine.includes(status)) throw new Error(`S3: ${status}`);
  }

  return {
    place: 's3',
    put: async (file, key, contentType) => {
      const { size } = await stat(file);
      const hash = createHash('sha256');
      for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
      const headers = { 'content-length': String(size), 'content-type': contentType };
      const request = { method: 'PUT', headers, payloadHash: hash.digest('hex') } as const;
      await done(await ask(request, key, createReadStream(file)), 200, 201, 204);
    },
    open: async (key, range?: ByteRange) => {
      const headers = range === undefined ? {} : { range: `bytes=${range.first}-${range.last}` };
      const response = await ask({ method: 'GET', headers, payloadHash: EMPTY_HASH }, key);
      const status = response.statusCode ?? 0;
      if (status === (range === undefined ? 200 : 206)) return response;
      response.resume();
      if (status === 404) return undefined;
      throw new Error(`S3: ${status}`);
    },
    remove: async (key) => {
      await done(await ask({ method: 'DELETE', headers: {}, payloadHash: EMPTY_HASH }, key), 200, 204, 404);
    },
  };
}
