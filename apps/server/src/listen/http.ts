import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { extname, join, normalize } from 'node:path';
import { createSecureContext } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import type { Config } from '../config/schema.ts';
import { ListenError } from '../net/listen-error.ts';

const MAX_REPORT_BYTES = 2 * 1024 * 1024;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.map': 'application/json',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
};

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; media-src 'self' blob: mediastream:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
};

const NO_API_HERE = {
  errors: [
    {
      code: '10005',
      title: 'Resource not found',
      detail: 'The API lies under /v2; the base URL of a client ends with it.',
    },
  ],
};

export interface HttpRoutes {
  /** Where the built softphone lies. */
  readonly consoleDir: string;
  /** Exchanges a single-use login link for a login token; `null` when it is used up. */
  readonly redeem: (token: string, address: string) => Promise<object | null>;
  /** Was this report id given to a client? */
  readonly knowsReport: (reportId: string) => boolean;
  readonly reported: (callId: string, bytes: number, address: string) => void;
  /** The address of the client that sent a request. */
  readonly addressOf: (request: IncomingMessage) => string;
  readonly health: () => object;
  /** The file of a recording, for whoever has a link that is good. */
  readonly recording: (request: Request) => Promise<Response>;
  /** The REST API: everything under /v2. */
  readonly api: Hono;
}

/** The HTTP application: the REST API, the softphone, the login link, call reports, health. */
export function createHttpApp(routes: HttpRoutes, tls: boolean): Hono {
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) c.res.headers.set(name, value);
    if (tls) c.res.headers.set('Strict-Transport-Security', 'max-age=31536000');
  });

  app.route('/', routes.api);

  app.get('/healthz', (c) => c.json(routes.health()));

  app.get('/recordings/:file', (c) => routes.recording(c.req.raw));

  app.post('/api/login-link', bodyLimit({ maxSize: 4096 }), async (c) => {
    const body: unknown = await c.req.json().catch(() => null);
    const token = typeof body === 'object' && body !== null ? (body as { token?: unknown }).token : undefined;
    if (typeof token !== 'string') return c.json({ error: 'the body must be {"token": "…"}' }, 400);
    const login = await routes.redeem(token, routes.addressOf(incoming(c.env)));
    if (login === null) return c.json({ error: 'this login link was already used or is too old' }, 410);
    c.header('Cache-Control', 'no-store');
    return c.json(login);
  });

  app.use(
    '/call_report',
    cors({
      origin: '*',
      allowMethods: ['POST'],
      allowHeaders: ['content-type', 'x-call-report-id', 'x-call-id', 'x-voice-sdk-id'],
      maxAge: 600,
    }),
  );
  app.post(
    '/call_report',
    bodyLimit({
      maxSize: MAX_REPORT_BYTES,
      onError: (c) => c.json({ error: 'a report may hold 2 MB' }, 413),
    }),
    async (c) => {
      const reportId = c.req.header('x-call-report-id');
      if (reportId === undefined) return c.json({ error: 'x-call-report-id is missing' }, 400);
      if (!routes.knowsReport(reportId)) return c.json({ error: 'unknown x-call-report-id' }, 401);
      const body = await c.req.text();
      const address = routes.addressOf(incoming(c.env));
      routes.reported(c.req.header('x-call-id') ?? '', body.length, address);
      return c.json({});
    },
  );

  // Who comes with a key, or to change something, looks for the API and has lost the end of its base URL.
  app.notFound((c) => c.json(NO_API_HERE, 404));
  app.get('*', (c) => {
    const file = assetFile(routes.consoleDir, c.req.path);
    if (file === null) {
      if (c.req.header('authorization') !== undefined) return c.notFound();
      return c.text(
        existsSync(join(routes.consoleDir, 'index.html'))
          ? 'not found'
          : 'The softphone is not built yet: run "npm start", which builds it, or "node scripts/build.ts".',
        404,
      );
    }
    const hashed = c.req.path.startsWith('/assets/');
    c.header('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream');
    c.header('Cache-Control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    return c.body(new Uint8Array(readFileSync(file)));
  });
  return app;
}

/** The request as Node has it. */
export const incoming = (env: unknown): IncomingMessage =>
  (env as { readonly incoming: IncomingMessage }).incoming;

/** The file for a path inside `root`, or `null`. `/` is the index; no path leaves the root. */
function assetFile(root: string, path: string): string | null {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return null;
  }
  if (decoded.includes('\0')) return null;
  const relative = normalize(decoded === '/' ? '/index.html' : decoded);
  const file = join(root, relative);
  if (!file.startsWith(join(root, '/'))) return null;
  return existsSync(file) && statSync(file).isFile() ? file : null;
}

/** Opens the port for http, or for https with `http.tls`. Rejects with a sentence naming the key. */
export function listenHttp(config: Config['http'], app: Hono): Promise<Server | TlsServer> {
  const listener = getRequestListener(app.fetch);
  const limits = {
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    // Node looks for the late ones only this often; its default of 30 s would make 10 s of them 40.
    connectionsCheckingInterval: 1_000,
    maxHeaderSize: 16 * 1024,
  };
  const server =
    config.tls === undefined
      ? createServer(limits, listener)
      : createTlsServer({ ...limits, ...readTls(config.tls), minVersion: 'TLSv1.2' }, listener);
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error): void =>
      reject(new ListenError('http.port', config.host, config.port, cause));
    server.once('error', refuse);
    // `::` alone is every address of both families, or of IPv4 on a machine without the other: Node's own default.
    server.listen({ port: config.port, ...(config.host === '::' ? {} : { host: config.host }) }, () => {
      server.off('error', refuse);
      resolve(server);
    });
  });
}

/** Certificate and key, proven to be PEM and to belong together. */
function readTls(tls: { readonly cert: string; readonly key: string }): { cert: Buffer; key: Buffer } {
  const cert = readPem('cert', tls.cert);
  const key = readPem('key', tls.key);
  const proven = (named: string, files: string, part: { cert?: Buffer; key?: Buffer }): void => {
    try {
      createSecureContext(part);
    } catch (error) {
      throw new Error(`http.tls.${named}: ${files} (${(error as Error).message})`);
    }
  };
  proven('cert', `${tls.cert} is not a certificate in PEM form`, { cert });
  proven('key', `${tls.key} is not a private key in PEM form`, { key });
  proven('key', `${tls.key} does not belong to the certificate ${tls.cert}`, { cert, key });
  return { cert, key };
}

function readPem(key: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Error(
      `http.tls.${key}: cannot read ${file} (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
    );
  }
}
