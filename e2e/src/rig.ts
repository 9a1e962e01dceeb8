import { Chromium } from './chromium.ts';
import { PageHost, type PhoneName, type SdkName } from './page-host.ts';
import { freePort } from './ports.ts';
import { PASSWORD, type ServerOptions, TestServer, type TrunkOptions } from './server.ts';
import type { TestPage } from './test-page.ts';

/** A carrier and a desk phone behind the server, told apart by the numbers' beginning. */
export const CARRIER_PREFIX = '+1555';
export const PHONE_PREFIX = '+1556';

export interface RigOptions extends Omit<ServerOptions, 'trunks'> {
  /** More trunks to the same carrier, under other numbers. */
  readonly trunks?: readonly Omit<TrunkOptions, 'port'>[];
  /** Carriers on ports of their own, for calls side by side; lane n has the numbers that begin with `+157n`. */
  readonly lanes?: number;
  /** Further switches of the browser. */
  readonly switches?: readonly string[];
}

/** A server with two trunks, a page host and Chromium: what most suites stand on. */
export class Rig {
  readonly server: TestServer;
  readonly host: PageHost;
  readonly chromium: Chromium;
  /** Where the SIPp carrier listens and calls from. */
  readonly carrierPort: number;
  readonly phonePort: number;
  /** Where the carrier of each lane listens. */
  readonly lanePorts: readonly number[];

  private constructor(
    server: TestServer,
    host: PageHost,
    chromium: Chromium,
    carrierPort: number,
    phonePort: number,
    lanePorts: readonly number[],
  ) {
    this.server = server;
    this.host = host;
    this.chromium = chromium;
    this.carrierPort = carrierPort;
    this.phonePort = phonePort;
    this.lanePorts = lanePorts;
  }

  static async start(options: RigOptions = {}): Promise<Rig> {
    const carrierPort = await freePort();
    const phonePort = await freePort();
    const { lanes = 0, ...others } = options;
    const lanePorts: number[] = [];
    for (let n = 0; n < lanes; n++) lanePorts.push(await freePort());
    const server = await TestServer.start({
      ...others,
      trunks: [
        ...lanePorts.map((port, n) => ({ name: `lane${n}`, port, prefixes: [`+157${n}`] })),
        { name: 'carrier', port: carrierPort, prefixes: [CARRIER_PREFIX] },
        { name: 'phone', port: phonePort, prefixes: [PHONE_PREFIX] },
        ...(options.trunks ?? []).map((trunk) => ({ port: carrierPort, ...trunk })),
      ],
    });
    const host = await PageHost.start();
    try {
      return new Rig(server, host, await Chromium.start(options.switches), carrierPort, phonePort, lanePorts);
    } catch (error) {
      host.close();
      await server.kill();
      throw error;
    }
  }

  /** What a client of `user` is constructed with. */
  options(user: 'line1' | 'line2', more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    return { host: this.server.webSocketUrl, login: user, password: PASSWORD[user], iceServers: [], ...more };
  }

  /** A page with a client that is ready. */
  async client(
    user: 'line1' | 'line2',
    sdk: SdkName,
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<TestPage> {
    const page = await this.chromium.open(this.host, sdk);
    await page.connect(this.options(user, more));
    return page;
  }

  /** A page with a SIP phone that has registered over the WebSocket. */
  async phone(user: 'line1' | 'line2', name: PhoneName, url = this.server.webSocketUrl): Promise<TestPage> {
    const page = await this.chromium.open(this.host, name);
    await page.connect({ host: url, domain: 'sip.localhost', login: user, password: PASSWORD[user] });
    return page;
  }

  /** Runs a step; a failure's message ends with what the server logged. */
  async explained<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      if (error instanceof Error && !error.message.includes('--- stderr'))
        error.message = `${error.message}\n${this.server.log}`;
      throw error;
    }
  }

  /** Stops browser and pages, then the server as an operator does, with all its checks. */
  async stop(): Promise<void> {
    await this.chromium.stop();
    this.host.close();
    await this.server.stop();
  }
}
