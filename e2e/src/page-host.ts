import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** The SDKs a page can be given: ours from source, or an unmodified package by its version. */
export const PUBLISHED = ['2.27.10', '2.25.10', '2.22.0', '2.9.0'] as const;
export type Published = (typeof PUBLISHED)[number];
export type SdkName = 'ours' | Published;

/** SIP phones for pages, unmodified packages. */
export const PHONES = ['jssip', 'sipjs'] as const;
export type PhoneName = (typeof PHONES)[number];
type PageName = SdkName | PhoneName;

const isPhone = (page: PageName): page is PhoneName => (PHONES as readonly string[]).includes(page);

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

async function bundle(sdk: PageName): Promise<string> {
  const entry =
    sdk === 'ours' ? path('../../packages/sdk/src/index.ts') : `telnyx-webrtc-${sdk}/lib/bundle.mjs`;
  const built = await build({
    entryPoints: [path(isPhone(sdk) ? `../pages/${sdk}-phone.ts` : '../pages/driver.ts')],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    absWorkingDir: path('../..'),
    alias: { 'sdk-under-test': entry },
    logLevel: 'silent',
  });
  return built.outputFiles[0]!.text;
}

/** Serves one test page per SDK and phone on 127.0.0.1, which counts as a secure context. */
export class PageHost {
  readonly #server: Server;
  readonly port: number;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(): Promise<PageHost> {
    const bundles = new Map<string, Promise<string>>();
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://127.0.0.1');
      const sdk = url.pathname.split('/')[1] as PageName;
      if (sdk !== 'ours' && !isPhone(sdk) && !PUBLISHED.includes(sdk)) {
        response.writeHead(404).end();
        return;
      }
      if (!url.pathname.endsWith('.js')) {
        response
          .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
          .end(`<!doctype html><title>loading</title><body><script src="/${sdk}/driver.js"></script>`);
        return;
      }
      const pending = bundles.get(sdk) ?? bundle(sdk);
      bundles.set(sdk, pending);
      pending.then(
        (text) => response.writeHead(200, { 'content-type': 'text/javascript' }).end(text),
        (error: unknown) =>
          response
            .writeHead(200, { 'content-type': 'text/javascript' })
            .end(`document.title = ${JSON.stringify(`bundling failed: ${String(error)}`)}`),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new PageHost(server);
  }

  url(sdk: PageName): string {
    return `http://127.0.0.1:${this.port}/${sdk}/`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
