import assert from 'node:assert/strict';
import { Chromium } from '../src/chromium.ts';
import { PageHost } from '../src/page-host.ts';
import { freePort } from '../src/ports.ts';
import { sidetone, TestServer } from '../src/server.ts';
import type { TestPage } from '../src/test-page.ts';
import { sine } from '../src/tone.ts';
import { until } from '../src/wait.ts';
import { wavOf } from '../src/wav.ts';
import { BackEnd, type PackageVersion } from './back-end.ts';
import { Bot } from './bot.ts';
import { Hook } from './hook.ts';
import { Recogniser } from './recogniser.ts';

/** What each one says; sounds that are played have pitches of their own. */
export const HZ = { published: 1_000, ours: 620, carrier: 440, second: 800, phone: 440 } as const;
export const SOUND = { menu: 1_500, wrong: 1_900, stored: 2_300 } as const;
export type Sdk = '2.27.10' | 'ours';

/** A number of the account, which belongs to the application. */
export const DESK = '+13125550123';
/** Carriers on ports of their own: `CARRIERS[n]` begins the numbers behind the nth. */
export const CARRIERS = ['+1570', '+1571', '+1572'] as const;
export const PASSWORD = 'password-of-this-line';

const seconds = (hz: number, count: number): Buffer => wavOf(sine(hz, 16_000, 16_000 * count, 0.5), 16_000);

/** Browser, pages and receiver, which all columns share. */
export class House {
  readonly host: PageHost;
  readonly chromium: Chromium;
  readonly hook: Hook;
  readonly bot: Bot;
  readonly recogniser: Recogniser;
  readonly pages: Readonly<Record<Sdk, TestPage>>;

  private constructor(
    host: PageHost,
    chromium: Chromium,
    hook: Hook,
    bot: Bot,
    recogniser: Recogniser,
    pages: Record<Sdk, TestPage>,
  ) {
    this.host = host;
    this.chromium = chromium;
    this.hook = hook;
    this.bot = bot;
    this.recogniser = recogniser;
    this.pages = pages;
  }

  static async open(): Promise<House> {
    const host = await PageHost.start();
    const chromium = await Chromium.start();
    try {
      const hook = await Hook.open({
        'menu.wav': seconds(SOUND.menu, 2),
        'wrong.wav': seconds(SOUND.wrong, 1),
        'stored.wav': seconds(SOUND.stored, 2),
      });
      const published = await chromium.open(host, '2.27.10');
      const ours = await chromium.open(host, 'ours');
      await ours.speak(HZ.ours);
      return new House(host, chromium, hook, await Bot.open(), await Recogniser.open(), {
        '2.27.10': published,
        ours,
      });
    } catch (error) {
      host.close();
      await chromium.stop();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.hook.close();
    this.bot.close();
    this.recogniser.close();
    this.host.close();
    await this.chromium.stop();
  }
}

/** A fresh server and what a back end with one version of the package has made on it. */
export class Stage {
  readonly house: House;
  readonly server: TestServer;
  readonly api: BackEnd;
  /** Where the carriers listen and call from. */
  readonly carrierPorts: readonly number[];
  /** The call control application. */
  application = '';
  /** The connections of the pages, which park what is called from them. */
  readonly connections: Record<Sdk | 'phone', string> = { '2.27.10': '', ours: '', phone: '' };

  private constructor(house: House, server: TestServer, api: BackEnd, carrierPorts: readonly number[]) {
    this.house = house;
    this.server = server;
    this.api = api;
    this.carrierPorts = carrierPorts;
  }

  static async open(house: House, version: PackageVersion): Promise<Stage> {
    const ports: number[] = [];
    for (const _ of CARRIERS) ports.push(await freePort());
    const server = await TestServer.start({
      trunks: CARRIERS.map((prefix, n) => ({ name: `carrier${n}`, port: ports[n]!, prefixes: [prefix] })),
      config: {
        connections: undefined,
        webhooks: { allow: ['127.0.0.1'] },
        transcription: { url: house.recogniser.url, token: 'token-of-the-engine' },
      },
    });
    try {
      const where = ['--config', server.configFile, '--data', server.dataDir];
      const made = await sidetone('key', 'create', ...where);
      assert.equal(made.code, 0, made.stderr);
      const key = /KEY\S+/.exec(made.stdout)![0];
      const added = await sidetone('number', 'add', DESK, ...where);
      assert.equal(added.code, 0, added.stderr);
      const api = new BackEnd(version, server.url, key);
      await api.readPublicKey(server.url, key);
      const stage = new Stage(house, server, api, ports);
      await stage.#furnish();
      return stage;
    } catch (error) {
      await server.kill();
      throw error;
    }
  }

  async #furnish(): Promise<void> {
    const { api, house } = this;
    house.hook.forget();
    house.hook.backEnd = api;
    const { data } = await api.call('callControlApplications.create', {
      application_name: 'the application',
      webhook_event_url: house.hook.url,
    });
    this.application = data.id;
    const number = await until('the number in the API', async () => {
      const listed = await api.call('phoneNumbers.list', { filter: { phone_number: DESK } });
      return listed.data[0];
    });
    await api.call('phoneNumbers.update', number.id, { connection_id: this.application });
    for (const name of ['2.27.10', 'ours', 'phone'] as const) {
      const { data: connection } = await api.call('credentialConnections.create', {
        connection_name: this.user(name),
        user_name: this.user(name),
        password: PASSWORD,
        sip_uri_calling_preference: 'internal',
        webhook_event_url: house.hook.url,
        inbound: { dnis_number_format: 'sip_username' },
        outbound: { call_parking_enabled: true },
      });
      this.connections[name] = connection.id;
    }
    for (const [name, page] of Object.entries(house.pages) as [Sdk, TestPage][])
      await page.connect({
        host: this.server.webSocketUrl,
        login: this.user(name),
        password: PASSWORD,
        iceServers: [],
      });
  }

  user(name: Sdk | 'phone'): string {
    return name === 'phone' ? 'deskphone' : name === 'ours' ? 'oursdk' : 'publishedsdk';
  }

  /** The address of a page. */
  address(name: Sdk | 'phone'): string {
    return `sip:${this.user(name)}@sip.localhost`;
  }

  /** Ends it as an operator does, with all the server's checks. */
  async close(): Promise<void> {
    for (const page of Object.values(this.house.pages)) await page.disconnect().catch(() => undefined);
    await this.server.stop();
  }
}
