import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import type { PageHost, PhoneName, SdkName } from './page-host.ts';
import { peerPath } from './peer-availability.ts';
import { TestPage } from './test-page.ts';
import { sine } from './tone.ts';
import { writeWav } from './wav.ts';

/** Chromium with a microphone that plays 1 kHz from a file. */
export class Chromium {
  readonly #browser: Browser;
  readonly #folder: string;

  private constructor(browser: Browser, folder: string) {
    this.#browser = browser;
    this.#folder = folder;
  }

  /** `more`: further switches of the command line. */
  static async start(more: readonly string[] = []): Promise<Chromium> {
    const folder = mkdtempSync(join(tmpdir(), 'sidetone-chromium-'));
    const microphone = join(folder, 'microphone.wav');
    // Whole periods, so that the loop of the file has no click.
    writeWav(microphone, sine(1_000, 48_000, 480_000), 48_000);
    const browser = await chromium.launch({
      executablePath: peerPath('chromium'),
      headless: true,
      args: [
        '--no-sandbox',
        '--use-fake-device-for-media-stream',
        '--use-fake-ui-for-media-stream',
        `--use-file-for-fake-audio-capture=${microphone}`,
        '--autoplay-policy=no-user-gesture-required',
        ...more,
      ],
    });
    return new Chromium(browser, folder);
  }

  /** A page in a profile of its own with the given SDK or phone loaded. */
  async open(host: PageHost, sdk: SdkName | PhoneName): Promise<TestPage> {
    const context = await this.#browser.newContext({ permissions: ['microphone'] });
    const page = await context.newPage();
    await page.goto(host.url(sdk));
    const test = new TestPage({
      run: async (expression) => await page.evaluate(expression),
      close: async () => await context.close(),
    });
    await test.loaded();
    return test;
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
