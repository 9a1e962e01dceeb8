import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Chromium } from '../src/chromium.ts';
import { Coturn } from '../src/coturn.ts';
import { Firefox } from '../src/firefox.ts';
import { FrameProxy } from '../src/frame-proxy.ts';
import { PageHost, type SdkName } from '../src/page-host.ts';
import { TestServer } from '../src/server.ts';
import type { TestPage } from '../src/test-page.ts';
import { within } from '../src/wait.ts';
import { Friend } from './friend.ts';
import { type BrowserName, Cell, type PackageFacts, type Row } from './row.ts';

export interface Outcome {
  readonly cell: 'pass' | 'fail' | 'not offered';
  /** Why it failed, or what the package lacks. */
  readonly why?: string;
  readonly ms: number;
}

export interface Column {
  readonly sdk: SdkName;
  readonly browser: BrowserName;
}

export const columnName = ({ sdk, browser }: Column): string =>
  `${sdk} ${browser === 'chromium' ? 'Chromium' : 'Firefox'}`;

/** How long one cell may take. */
const CELL_MS = 75_000;
const ROWS_PER_TURN_SERVER = 8;
const PASSWORD = 'conformance-password';

const root = fileURLToPath(new URL('../..', import.meta.url));
const scopeText = (): string => readFileSync(`${root}/docs/out-of-scope.md`, 'utf8');

/** The text of a package, ours bundled like the others are. */
async function textOf(sdk: SdkName): Promise<string> {
  if (sdk !== 'ours') return readFileSync(`${root}/node_modules/telnyx-webrtc-${sdk}/lib/bundle.mjs`, 'utf8');
  const built = await build({
    entryPoints: [`${root}/packages/sdk/src/index.ts`],
    bundle: true,
    write: false,
    format: 'esm',
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'silent',
  });
  return built.outputFiles[0]!.text;
}

/** Names that the package lacks of those that a row needs. */
function missing(row: Row, facts: PackageFacts, ours: boolean): string[] {
  const published = row.needs?.published;
  return [
    ...(ours || published === undefined || published.test(facts.text) ? [] : [String(published)]),
    ...(row.needs?.words ?? []).filter((word) => !facts.text.includes(word)),
    ...(row.needs?.exports ?? []).filter((name) => !facts.exports.has(name)),
  ];
}

/** A server, the browsers and the friend of one column, and its rows driven some at a time. */
export async function runColumn(
  column: Column,
  rows: readonly Row[],
  options: {
    readonly atOnce: number;
    readonly done?: (row: Row, outcome: Outcome) => void;
  },
): Promise<Map<string, Outcome>> {
  const user = (user_name: string): object => ({
    user_name,
    password: PASSWORD,
    numbers: [],
    sip_uri_calling_preference: 'internal',
    dnis_number_format: 'sip_username',
  });
  const server = await TestServer.start({
    config: { connections: [user(Friend.USER), ...rows.map((_, i) => user(`row${i}`))] },
  });
  const host = await PageHost.start();
  const chromium = await Chromium.start();
  const firefox = column.browser === 'firefox' ? await Firefox.start() : undefined;
  const outcomes = new Map<string, Outcome>();
  let coturn: Coturn | undefined;
  try {
    const far = await chromium.open(host, 'ours');
    await far.speak(440);
    await far.connect({ host: server.webSocketUrl, login: Friend.USER, password: PASSWORD, iceServers: [] });
    const friend = new Friend(far);
    const probe = await (firefox ?? chromium).open(host, column.sdk);
    const facts: PackageFacts = {
      text: await textOf(column.sdk),
      exports: new Set((await probe.evaluate('Object.keys(sut.sdk)')) as string[]),
    };
    await probe.close();
    // Firefox loses pages that are opened at the same time.
    let opening: Promise<unknown> = Promise.resolve();
    const open = (): Promise<TestPage> => {
      if (firefox === undefined) return chromium.open(host, column.sdk);
      const page = opening.then(() => firefox.open(host, column.sdk));
      opening = page.catch(() => undefined);
      return page;
    };
    // That version takes 255 relay ports a call and gives none back, so it gets another server now and then.
    let calls = 0;
    const turn = async (): Promise<readonly object[]> => {
      if (column.sdk !== '2.22.0') return [];
      if (calls++ % ROWS_PER_TURN_SERVER === 0) {
        await coturn?.stop();
        coturn = await Coturn.start();
      }
      return coturn!.iceServers;
    };
    const drive = async (row: Row, index: number): Promise<Outcome> => {
      const since = performance.now();
      const ms = (): number => Math.round(performance.now() - since);
      const absent = missing(row, facts, column.sdk === 'ours');
      if (absent.length > 0) {
        // What ours lacks must be named in docs/out-of-scope.md.
        const scope = column.sdk === 'ours' ? scopeText() : '';
        const unnamed = column.sdk === 'ours' ? absent.filter((word) => !scope.includes(word)) : [];
        return unnamed.length > 0
          ? {
              cell: 'fail',
              why: `not there, and not in docs/out-of-scope.md: ${unnamed.join(', ')}`,
              ms: ms(),
            }
          : { cell: 'not offered', why: `the package has no ${absent.join(', ')}`, ms: ms() };
      }
      if (row.notIn?.browser === column.browser)
        return { cell: 'not offered', why: row.notIn.reason, ms: ms() };
      const cell = new Cell({
        ...column,
        user: `row${index}`,
        password: PASSWORD,
        friend,
        facts,
        proxy: await FrameProxy.start(server.httpPort),
        open,
        ice: await turn(),
      });
      try {
        await within(`the row "${row.name}"`, row.run(cell), CELL_MS);
        return { cell: 'pass', ms: ms() };
      } catch (error) {
        const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
        return { cell: 'fail', why: `${why}\n${await cell.report()}`, ms: ms() };
      } finally {
        await cell.close();
      }
    };
    // Rows that break the peer of the whole page keep to themselves: every row has a page, a user and a proxy of its own.
    const waiting = [...rows.entries()];
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, row] = next;
        const outcome = await drive(row, index);
        outcomes.set(row.name, outcome);
        options.done?.(row, outcome);
      }
    };
    const atOnce = column.sdk === '2.22.0' ? 1 : options.atOnce;
    await Promise.all(Array.from({ length: atOnce }, worker));
  } finally {
    await coturn?.stop();
    await firefox?.stop();
    await chromium.stop();
    host.close();
    await server.kill();
  }
  return outcomes;
}
