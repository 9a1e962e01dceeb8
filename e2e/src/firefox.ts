import { type Browser, launch } from 'puppeteer-core';
import type { PageHost, SdkName } from './page-host.ts';
import { peerPath } from './peer-availability.ts';
import { TestPage } from './test-page.ts';

/** The tone of Firefox's own fake microphone, set by a preference; it takes no file. */
export const FIREFOX_TONE_HZ = 1_000;

/** Firefox by WebDriver BiDi. */
export class Firefox {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async start(): Promise<Firefox> {
    const browser = await launch({
      browser: 'firefox',
      executablePath: peerPath('firefox'),
      headless: true,
      protocolTimeout: 60_000,
      extraPrefsFirefox: {
        'media.navigator.streams.fake': true,
        'media.navigator.permission.disabled': true,
        'media.navigator.audio.fake_frequency': FIREFOX_TONE_HZ,
        'media.autoplay.default': 0,
        'media.peerconnection.ice.loopback': true,
        'media.peerconnection.ice.obfuscate_host_addresses': false,
      },
    });
    return new Firefox(browser);
  }

  async open(host: PageHost, sdk: SdkName): Promise<TestPage> {
    const page = await this.#browser.newPage();
    await page.goto(host.url(sdk));
    const test = new TestPage({
      run: async (expression) => await page.evaluate(expression),
      close: async () => await page.close(),
    });
    await test.loaded();
    return test;
  }

  async stop(): Promise<void> {
    await this.#browser.close();
  }
}
