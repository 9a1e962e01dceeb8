import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { type Ms, networkOf } from '@sidetone/core';
import { retryAfter } from '@sidetone/wire';
import { Hono } from 'hono';
import type { Logger } from 'pino';
import { apiKeyName } from '../identity/api-key.ts';
import { docOf, type KeyDoc } from '../identity/objects.ts';
import { SoundFault } from '../sounds/limits.ts';
import { systemRandom } from '../system-random.ts';
import { ApiError, CODE, errorItem, invalidBody, notFound } from './errors.ts';
import { openApiDocument } from './openapi.ts';
import type { ApiCall, ApiWorld, Download, Operation } from './operation.ts';
import { type Allowance, RateLimit } from './rate-limit.ts';
import { referencePage, referenceStyle } from './reference-page.ts';
import { readBody } from './request.ts';
import { auditEvents } from './resources/audit-events.ts';
import { callActions, commandNotOffered } from './resources/call-actions.ts';
import { callEvents } from './resources/call-events.ts';
import { activeCalls, calls } from './resources/calls.ts';
import { conferenceActions } from './resources/conference-actions.ts';
import { conferences } from './resources/conferences.ts';
import { connections, sipRegistrationStatus } from './resources/connections.ts';
import { credentialConnections } from './resources/credential-connections.ts';
import { mediaStorage } from './resources/media-storage.ts';
import { phoneNumbers } from './resources/phone-numbers.ts';
import { callControlApplications, outboundVoiceProfiles } from './resources/plain-objects.ts';
import { publicKey } from './resources/public-key.ts';
import { queues } from './resources/queues.ts';
import { recordings } from './resources/recordings.ts';
import { telephonyCredentials } from './resources/telephony-credentials.ts';
import { webhookDeliveries } from './resources/webhook-deliveries.ts';
import { readUpload, type Uploaded } from './upload.ts';

/** Requests without a good key, per address and minute. */
const FAILURES_PER_MINUTE = 60;

export const OPERATIONS: readonly Operation[] = [
  ...credentialConnections,
  ...telephonyCredentials,
  ...phoneNumbers,
  ...outboundVoiceProfiles,
  ...callControlApplications,
  ...connections,
  ...sipRegistrationStatus,
  ...calls,
  ...callActions,
  ...activeCalls,
  ...recordings,
  ...conferences,
  ...conferenceActions,
  ...queues,
  ...mediaStorage,
  ...auditEvents,
  ...publicKey,
  ...callEvents,
  ...webhookDeliveries,
];

export interface ApiOptions {
  readonly world: ApiWorld;
  readonly requestsPerMinute: number;
  /** What the windows of requests are measured by. */
  readonly monotonic: () => Ms;
  readonly log: Logger;
  /** Address of the peer of a request. */
  readonly addressOf: (env: unknown) => string;
}

/**
 * The REST API under /v2. A request goes one way: request id ─▶ key ─▶ allowance ─▶ route ─▶ body ─▶ handler ─▶ envelope.
 * Before the key is known, only the two documents are served.
 */
export function createApi(options: ApiOptions): Hono {
  const { world, monotonic, log } = options;
  const route = createRouter([...OPERATIONS, commandNotOffered]);
  const requests = new RateLimit(options.requestsPerMinute);
  const failures = new RateLimit(FAILURES_PER_MINUTE);
  const document = JSON.stringify(openApiDocument(OPERATIONS));
  const page = referencePage(OPERATIONS);
  const app = new Hono();

  app.get('/v2/openapi.json', (c) => c.body(document, 200, { 'Content-Type': 'application/json' }));
  app.get('/v2/docs', (c) => c.html(page));
  app.get('/v2/docs.css', (c) => c.body(referenceStyle, 200, { 'Content-Type': 'text/css; charset=utf-8' }));

  app.all('/v2/*', async (c) => {
    const requestId = randomUUID();
    const headers: Record<string, string> = { 'x-request-id': requestId, 'Cache-Control': 'no-store' };
    const allowed = (allowance: Allowance): void => {
      headers['x-ratelimit-limit'] = String(allowance.limit);
      headers['x-ratelimit-remaining'] = String(allowance.remaining);
      headers['x-ratelimit-reset'] = String(allowance.reset);
      if (allowance.allowed) return;
      headers['retry-after'] = String(allowance.reset);
      throw new ApiError(429, [errorItem(CODE.tooMany, `Try again in ${allowance.reset} seconds.`)]);
    };
    let uploaded: Uploaded | undefined;
    try {
      const source = options.addressOf(c.env);
      const known = await identify(c.req.header('authorization'), networkOf(source), allowed);
      allowed(requests.use(known.key, monotonic()));
      const url = new URL(c.req.url);
      const { row, path } = route(c.req.method, url.pathname.slice('/v2'.length));
      if (row.upload === true)
        uploaded = await world.media.receive(known.account, () => readUpload(c.req.raw, world.media.storage));
      const upload = uploaded?.media === undefined ? {} : { upload: uploaded.media };
      const call: ApiCall = {
        ...known,
        requestId,
        source,
        path,
        search: url.searchParams,
        world,
        ...upload,
      };
      const sent = uploaded?.fields ?? (row.method === 'GET' ? {} : await readBody(c.req.raw, row.lenient));
      const body = row.body?.safeParse(sent);
      if (body?.success === false) throw invalidBody(body.error, sent);
      const result = await row.handle(call, body?.data as never);
      const { status, form } = row.answer;
      if (form === 'none') return c.body(null, status, headers);
      if (form === 'text')
        return c.body(String(result), status, { ...headers, 'Content-Type': 'text/plain; charset=utf-8' });
      if (form === 'bytes') return download(result as Download, headers);
      return c.json((form === 'data' ? { data: result } : result) as object, status, headers);
    } catch (error) {
      if (error instanceof SoundFault) return busy(error, headers);
      if (error instanceof ApiError) {
        if (error.status === 503) headers['retry-after'] = retryAfter(systemRandom);
        return c.json(error.body as object, error.status, headers);
      }
      log.error({ err: error, request: requestId }, 'api request failed');
      const unreachable = error instanceof Error && error.message.startsWith('the store');
      if (unreachable) headers['retry-after'] = retryAfter(systemRandom);
      const detail = unreachable ? 'The store cannot be reached; try again.' : 'Something went wrong here.';
      return c.json({ errors: [errorItem(CODE.unexpected, detail)] }, unreachable ? 503 : 500, headers);
    } finally {
      // Kept ones lie elsewhere by now.
      if (uploaded?.media !== undefined) await rm(uploaded.media.file, { force: true });
    }
  });

  /** Whose key it is. A key that is not known may have been made by another process a moment ago. */
  async function identify(
    header: string | undefined,
    source: string,
    allowed: (allowance: Allowance) => void,
  ): Promise<{ account: string; key: string }> {
    const { registry } = world.people;
    const word = /^Bearer +(\S{1,300})$/i.exec(header ?? '')?.[1];
    const name = word === undefined ? undefined : apiKeyName(word);
    let key = name === undefined ? undefined : registry.named(name);
    if (key === undefined) {
      if (!failures.look(source, monotonic()).allowed) allowed(failures.use(source, monotonic()));
      if (name !== undefined) {
        await registry.sync();
        key = registry.named(name);
      }
    }
    const refuse = (status: 401 | 403, code: string, detail: string): ApiError => {
      failures.use(source, monotonic());
      return new ApiError(status, [errorItem(code, detail)]);
    };
    if (key === undefined)
      throw refuse(401, CODE.unauthenticated, 'A valid API key is needed: Authorization: Bearer KEY…');
    if (docOf<KeyDoc>(key).revoked_at !== null)
      throw refuse(401, CODE.revokedKey, 'This API key was revoked.');
    if (world.people.identity.account(key.account)?.active !== true)
      throw refuse(403, CODE.inactiveAccount, 'This account is not active.');
    return { account: key.account, key: key.id };
  }

  return app;
}

/** Too many files are on their way for this account. */
function busy(fault: SoundFault, headers: Record<string, string>): Response {
  return Response.json(
    { errors: [errorItem(CODE.tooMany, fault.message)] },
    { status: 429, headers: { ...headers, 'retry-after': retryAfter(systemRandom) } },
  );
}

/** A file of somebody else's making: never shown by a browser as a page of ours. */
function download({ stream, bytes, name, contentType }: Download, headers: Record<string, string>): Response {
  const quoted = encodeURIComponent(name).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  return new Response(stream, {
    headers: {
      ...headers,
      'Content-Type': /^[\w.+-]+\/[\w.+-]+$/.test(contentType) ? contentType : 'application/octet-stream',
      'Content-Length': String(bytes),
      'Content-Disposition': `attachment; filename*=UTF-8''${quoted}`,
      'X-Content-Type-Options': 'nosniff',
    },
  });
}

/** Routes by segments as they were sent, and decodes each of those that stand for a value, once. */
function createRouter(
  rows: readonly Operation[],
): (method: string, path: string) => { row: Operation; path: readonly string[] } {
  const table = rows.map((row) => ({ row, segments: row.path.split('/').slice(1) }));
  // `/phone_numbers/voice` before `/phone_numbers/{id}`.
  table.sort((a, b) => (a.row.path.includes('{') ? 1 : 0) - (b.row.path.includes('{') ? 1 : 0));
  return (method, path) => {
    const sent = path.split('/').slice(1);
    if (sent.at(-1) === '') sent.pop();
    let otherMethod = false;
    for (const { row, segments } of table) {
      if (segments.length !== sent.length) continue;
      if (!segments.every((segment, i) => segment.startsWith('{') || segment === sent[i])) continue;
      if (row.method !== method) {
        otherMethod = true;
        continue;
      }
      return { row, path: sent.filter((_, i) => segments[i]!.startsWith('{')).map(decoded) };
    }
    if (otherMethod) throw new ApiError(405, [errorItem(CODE.badRequest, `${method} is not possible here.`)]);
    throw notFound();
  };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw notFound();
  }
}
