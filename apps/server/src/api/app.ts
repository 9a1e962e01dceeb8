import { randomUUID } from 'node:crypto';
import { type Ms, networkOf } from '@sidetone/core';
import { retryAfter } from '@sidetone/wire';
import { Hono } from 'hono';
import type { Logger } from 'pino';
import { apiKeyName } from '../identity/api-key.ts';
import { docOf, type KeyDoc } from '../identity/objects.ts';
import { systemRandom } from '../system-random.ts';
import { ApiError, CODE, errorItem, invalidBody, notFound } from './errors.ts';
import { openApiDocument } from './openapi.ts';
import type { ApiCall, ApiWorld, Operation } from './operation.ts';
import { type Allowance, RateLimit } from './rate-limit.ts';
import { referencePage, referenceStyle } from './reference-page.ts';
import { readBody } from './request.ts';
import { auditEvents } from './resources/audit-events.ts';
import { callActions, commandNotOffered } from './resources/call-actions.ts';
import { callEvents } from './resources/call-events.ts';
import { activeCalls, calls } from './resources/calls.ts';
import { connections, sipRegistrationStatus } from './resources/connections.ts';
import { credentialConnections } from './resources/credential-connections.ts';
import { phoneNumbers } from './resources/phone-numbers.ts';
import { callControlApplications, outboundVoiceProfiles } from './resources/plain-objects.ts';
import { publicKey } from './resources/public-key.ts';
import { telephonyCredentials } from './resources/telephony-credentials.ts';
import { webhookDeliveries } from './resources/webhook-deliveries.ts';

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
    try {
      const source = options.addressOf(c.env);
      const known = await identify(c.req.header('authorization'), networkOf(source), allowed);
      allowed(requests.use(known.key, monotonic()));
      const url = new URL(c.req.url);
      const { row, path } = route(c.req.method, url.pathname.slice('/v2'.length));
      const call: ApiCall = { ...known, requestId, source, path, search: url.searchParams, world };
      const sent = row.method === 'GET' ? {} : await readBody(c.req.raw, row.lenient);
      const body = row.body?.safeParse(sent);
      if (body?.success === false) throw invalidBody(body.error, sent);
      const result = await row.handle(call, body?.data as never);
      const { status, form } = row.answer;
      if (form === 'text')
        return c.body(String(result), status, { ...headers, 'Content-Type': 'text/plain; charset=utf-8' });
      return c.json((form === 'data' ? { data: result } : result) as object, status, headers);
    } catch (error) {
      if (error instanceof ApiError) {
        if (error.status === 503) headers['retry-after'] = retryAfter(systemRandom);
        return c.json(error.body as object, error.status, headers);
      }
      log.error({ err: error, request: requestId }, 'api request failed');
      const unreachable = error instanceof Error && error.message.startsWith('the store');
      if (unreachable) headers['retry-after'] = retryAfter(systemRandom);
      const detail = unreachable ? 'The store cannot be reached; try again.' : 'Something went wrong here.';
      return c.json({ errors: [errorItem(CODE.unexpected, detail)] }, unreachable ? 503 : 500, headers);
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
