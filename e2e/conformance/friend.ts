import type { TestPage } from '../src/test-page.ts';
import { until } from '../src/wait.ts';

/** The other side of calls between browsers: our SDK in a page of its own, with a voice of 440 Hz. */
export class Friend {
  static readonly USER = 'friend';
  readonly #page: TestPage;

  constructor(page: TestPage) {
    this.#page = page;
  }

  /** Calls a user; gives the id of the call at this side. */
  async calls(user: string, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
    return await this.#page.newCall({
      destinationNumber: user,
      callerName: 'The Friend',
      customHeaders: [{ name: 'X-In', value: 'yes' }],
      ...more,
    });
  }

  /** Waits for the call of a user. */
  async rung(user: string): Promise<string> {
    const call = await until(`the call of ${user} at the friend`, async () =>
      (await this.#page.calls()).find(
        (one) => one.state === 'ringing' && one.caller?.includes(user) === true,
      ),
    );
    return call.id;
  }

  /** The newest call that goes to this user. */
  async callTo(user: string): Promise<string> {
    return (await this.#page.evaluate(
      `Object.values(sut.client.calls).filter((one) => one.options.destinationNumber === ${JSON.stringify(user)}).at(-1).id`,
    )) as string;
  }

  async answers(id: string): Promise<void> {
    await this.#page.act(id, 'answer');
    await this.#page.reaches(id, 'active');
  }

  async hangsUp(id: string, params: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.#page.act(id, 'hangup', params);
  }

  /** Waits until packets of the other side arrive in this call. */
  async hears(id: string): Promise<void> {
    const packets = `sut.call(${JSON.stringify(id)}).peer?.instance.getStats().then((report) =>
      [...report.values()].filter((one) => one.type === 'inbound-rtp').map((one) => one.packetsReceived)[0] ?? 0) ?? 0`;
    const before = Number(await this.#page.evaluate(packets));
    await until('sound at the friend', async () => Number(await this.#page.evaluate(packets)) > before + 50, {
      everyMs: 200,
    });
  }

  /** What the friend's side of a call shows. */
  async read(id: string, property: string): Promise<unknown> {
    return await this.#page.read(id, property);
  }
}
