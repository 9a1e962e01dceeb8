import type { FrameProxy } from '../src/frame-proxy.ts';
import type { SdkName } from '../src/page-host.ts';
import type { TestPage } from '../src/test-page.ts';
import { until } from '../src/wait.ts';
import type { Friend } from './friend.ts';

export type BrowserName = 'chromium' | 'firefox';

/** What a package has, read from the package itself. */
export interface PackageFacts {
  /** The whole text of the bundle: property names and event names survive its minifier. */
  readonly text: string;
  readonly exports: ReadonlySet<string>;
}

/** What a row needs of a package; where one is missing the cell is "not offered". */
export interface Needs {
  /** Names that must occur in the package's bundle. */
  readonly words?: readonly string[];
  readonly exports?: readonly string[];
  /** What the bundles of the published versions must contain; ours has it under another name. */
  readonly published?: RegExp;
}

/** One row of the table: a check that can fail. */
export interface Row {
  readonly name: string;
  /** Items of the inventory that this row shows. */
  readonly covers: readonly string[];
  readonly needs?: Needs;
  /** Every surface item that has no word of its own in the package, because of the browser. */
  readonly notIn?: { readonly browser: BrowserName; readonly reason: string };
  run(cell: Cell): Promise<void>;
}

/** One row being driven for one SDK in one browser: a page, a user and a proxy of its own. */
export class Cell {
  readonly sdk: SdkName;
  readonly browser: BrowserName;
  readonly user: string;
  readonly password: string;
  readonly friend: Friend;
  readonly facts: PackageFacts;
  readonly proxy: FrameProxy;
  readonly #open: () => Promise<TestPage>;
  readonly #ice: readonly object[];
  #page: TestPage | undefined;

  constructor(parts: {
    readonly sdk: SdkName;
    readonly browser: BrowserName;
    readonly user: string;
    readonly password: string;
    readonly friend: Friend;
    readonly facts: PackageFacts;
    readonly proxy: FrameProxy;
    readonly open: () => Promise<TestPage>;
    readonly ice: readonly object[];
  }) {
    this.sdk = parts.sdk;
    this.browser = parts.browser;
    this.user = parts.user;
    this.password = parts.password;
    this.friend = parts.friend;
    this.facts = parts.facts;
    this.proxy = parts.proxy;
    this.#open = parts.open;
    this.#ice = parts.ice;
  }

  get ours(): boolean {
    return this.sdk === 'ours';
  }

  /** Versions from 2.26 on have structured errors and warnings. */
  get structured(): boolean {
    return this.facts.text.includes('telnyx.warning');
  }

  has(word: string): boolean {
    return this.facts.text.includes(word);
  }

  get page(): TestPage {
    if (this.#page === undefined) throw new Error('the row has not opened its page');
    return this.#page;
  }

  /** What the client is made with. */
  options(more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    return {
      host: this.proxy.url,
      login: this.user,
      password: this.password,
      iceServers: this.#ice,
      ...more,
    };
  }

  async open(): Promise<TestPage> {
    this.#page ??= await this.#open();
    return this.#page;
  }

  /** A page whose client is made but not connected. */
  async made(more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.open();
    await this.run(`driver.make(${JSON.stringify(this.options(more))})`);
  }

  /** A page whose client is made and connects; nobody waits for it. */
  async connecting(more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.made(more);
    await this.run('void sut.client.connect()');
  }

  /** A page whose client is ready. */
  async ready(more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.open();
    await this.page.connect(this.options(more));
  }

  /** A ready client and an active call to the echo. */
  async call(
    more: Readonly<Record<string, unknown>> = {},
    client: Readonly<Record<string, unknown>> = {},
  ): Promise<string> {
    await this.ready(client);
    return await this.dial(more);
  }

  /** One more call to the echo; active. */
  async dial(more: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const id = await this.page.newCall({ destinationNumber: '9196', ...more });
    await this.page.reaches(id, 'active');
    return id;
  }

  /** A ready client that is called by the friend and rings; the id is the page's. */
  async rung(
    client: Readonly<Record<string, unknown>> = {},
    call: Readonly<Record<string, unknown>> = {},
  ): Promise<string> {
    await this.ready(client);
    await this.friend.calls(this.user, call);
    return (await this.page.rings()).id;
  }

  /** Evaluates in the page; a promise is awaited. `sut` is the SDK under test. */
  async run<T = unknown>(expression: string): Promise<T> {
    return (await this.page.evaluate(expression)) as T;
  }

  /** Waits until an expression of the page is neither false nor empty. */
  async until<T = unknown>(what: string, expression: string, limitMs = 20_000): Promise<T> {
    return (await until(
      what,
      async () => {
        const value = await this.run<T>(expression);
        return value === 0 || value === '' ? undefined : value;
      },
      { limitMs, everyMs: 50 },
    )) as T;
  }

  /** Waits for `telnyx.error` of a code; gives what applications read of it. */
  async error(code: number): Promise<{ code: number; name: string; fatal: boolean; callId?: string }> {
    return await this.until(
      `telnyx.error ${code}`,
      `sut.payloads('telnyx.error').filter((e) => e.error.code === ${code}).map((e) => ({
        code: e.error.code, name: e.error.name, fatal: e.error.fatal, callId: e.callId,
      })).at(0)`,
    );
  }

  async warning(
    code: number,
    limitMs = 20_000,
  ): Promise<{ code: number; name: string; callId?: string; source?: string }> {
    return await this.until(
      `telnyx.warning ${code}`,
      `sut.payloads('telnyx.warning').filter((w) => w.warning.code === ${code}).map((w) => ({
        code: w.warning.code, name: w.warning.name, callId: w.callId, source: w.source,
      })).at(0)`,
      limitMs,
    );
  }

  /** Both ways of the newest call carry sound: the echo of our own kilohertz. */
  async hearsItself(): Promise<void> {
    await this.page.hears(1_000);
  }

  /** Hangs up and closes, whatever became of the row. */
  async close(): Promise<void> {
    if (this.#page !== undefined) {
      await this.run('sut.client?.disconnect?.() && undefined').catch(() => undefined);
      await this.#page.close().catch(() => undefined);
    }
    await this.proxy.close();
  }

  /** What to print when a row fails. */
  async report(): Promise<string> {
    const page = await this.#page?.report().catch(() => '');
    return `${page ?? ''}\nframes:\n${this.proxy.transcript()}`;
  }
}
