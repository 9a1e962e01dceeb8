import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { measureTone, NO_TONE, type Tone } from './tone.ts';
import { until } from './wait.ts';

let ears: Promise<string> | undefined;

const earsScript = async (): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../pages/ears.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
  });
  return outputFiles[0]!.text;
};

/** Somebody before a page that is used as it is: reads it, presses its buttons, speaks one tone and hears another. */
export class Person {
  readonly page: Page;
  readonly hz: number;
  /** What the browser complained of. */
  readonly complaints: string[] = [];

  private constructor(page: Page, hz: number) {
    this.page = page;
    this.hz = hz;
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
  }

  /** @param hz what the microphone hears */
  static async opens(browser: Browser, url: string, hz: number): Promise<Person> {
    const context = await browser.newContext({ permissions: ['microphone'] });
    const person = new Person(await context.newPage(), hz);
    ears ??= earsScript();
    await person.page.addInitScript(`${await ears};window.ears.speak(${hz})`);
    await person.page.goto(url);
    return person;
  }

  async reads(text: string | RegExp): Promise<void> {
    let body = '';
    await until(
      `the page to say ${String(text)}`,
      async () => {
        body = await this.page.innerText('body');
        return typeof text === 'string' ? body.includes(text) : text.test(body);
      },
      { detail: () => `${body}\n${this.complaints.join('\n')}` },
    );
  }

  async readsNot(text: string): Promise<void> {
    const gone = async (): Promise<boolean> => !(await this.page.innerText('body')).includes(text);
    await until(`the page not to say ${text}`, gone);
  }

  async presses(name: string): Promise<void> {
    await this.page.getByRole('button', { name, exact: true, disabled: false }).click();
  }

  async tone(): Promise<Tone> {
    const heard = (await this.page.evaluate('window.ears.hear()')) as { pcm: string; rate: number } | null;
    if (heard === null) return NO_TONE;
    const bytes = Buffer.from(heard.pcm, 'base64');
    const samples = new Int16Array(bytes.length / 2);
    for (let i = 0; i < samples.length; i++) samples[i] = bytes.readInt16LE(i * 2);
    return measureTone(samples, heard.rate);
  }

  /** Waits until the page hears what the other one's microphone hears. */
  async hears(other: Person): Promise<void> {
    await this.#listens(
      `${other.hz} Hz`,
      (tone) => Math.abs(tone.hz - other.hz) <= other.hz * 0.02 && tone.level > 0.02 && tone.purity > 0.9,
    );
  }

  /** Waits until the page hears all of these at once, and nobody else. */
  async hearsAll(...others: readonly Person[]): Promise<void> {
    const isAt = (hz: number, other: Person): boolean => Math.abs(hz - other.hz) <= other.hz * 0.02;
    await this.#listens(
      others.map(({ hz }) => `${hz} Hz`).join(' and '),
      ({ level, parts }) =>
        level > 0.02 &&
        others.every((other) => parts.some(({ hz }) => isAt(hz, other))) &&
        parts.every(({ hz }) => others.some((other) => isAt(hz, other))),
    );
  }

  /** Waits until nothing is heard for a while. */
  async hearsNobody(): Promise<void> {
    let quiet = 0;
    await this.#listens('silence', ({ level }) => (quiet = level < 0.005 ? quiet + 1 : 0) > 5);
  }

  /** Waits for sound that is no single tone. */
  async hearsSpeech(): Promise<void> {
    await this.#listens('speech', (tone) => tone.level > 0.01 && tone.purity < 0.8);
  }

  async #listens(what: string, is: (tone: Tone) => boolean): Promise<void> {
    let last: Tone | undefined;
    await until(
      `${what} in the page`,
      async () => {
        last = await this.tone();
        return is(last);
      },
      { everyMs: 150, detail: () => `heard ${JSON.stringify(last)}\n${this.complaints.join('\n')}` },
    );
  }

  async leaves(): Promise<void> {
    await this.page.context().close();
  }
}
