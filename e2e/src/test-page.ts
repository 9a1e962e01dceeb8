import { measureTone, NO_TONE, type Tone } from './tone.ts';
import { LIMIT_MS, until, within } from './wait.ts';

/** One call as the page's SDK shows it. */
export interface PageCall {
  readonly id: string;
  readonly state: string;
  readonly states: readonly string[];
  readonly direction: string | null;
  readonly cause: string | null;
  readonly causeCode: number | null;
  readonly sipCode: number | null;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly caller: string | null;
}

export interface InboundStats {
  readonly packetsReceived?: number;
  readonly packetsLost?: number;
  readonly concealedSamples?: number;
  readonly totalSamplesReceived?: number;
  readonly mimeType?: string;
  readonly iceState?: string;
}

/** What both browser drivers can do: run an expression in the page and give back its JSON value. */
export interface PageBridge {
  run(expression: string): Promise<unknown>;
  close(): Promise<void>;
}

/** One page with one SDK client in it (pages/driver.ts is the other half). */
export class TestPage {
  readonly #bridge: PageBridge;

  constructor(bridge: PageBridge) {
    this.#bridge = bridge;
  }

  async #drive(name: string, ...args: readonly unknown[]): Promise<unknown> {
    const list = args.map((arg) => JSON.stringify(arg) ?? 'undefined').join(', ');
    return await within(
      `the page to ${name}(${list.slice(0, 80)})`,
      this.#bridge.run(`window.driver.${name}(${list})`),
    );
  }

  /** Runs an expression in the page. */
  async evaluate(expression: string): Promise<unknown> {
    return await this.#bridge.run(expression);
  }

  /** Waits until the SDK bundle is there. */
  async loaded(): Promise<void> {
    let title: unknown;
    await until(
      'the test page',
      async () => {
        title = await this.#bridge.run('document.title');
        if (String(title).startsWith('bundling failed')) throw new Error(String(title));
        return title === 'loaded';
      },
      { detail: () => String(title) },
    );
  }

  /** Replaces the microphone by a tone of this frequency for calls made from now on. */
  async speak(hz: number): Promise<void> {
    await this.#drive('speak', hz);
  }

  async connect(options: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#drive('connect', options);
  }

  async connectRefused(
    options: Readonly<Record<string, unknown>>,
  ): Promise<readonly { readonly name: string; readonly detail: string }[]> {
    return (await this.#drive('connectRefused', options)) as { name: string; detail: string }[];
  }

  async disconnect(): Promise<void> {
    await this.#drive('disconnect');
  }

  async newCall(options: Readonly<Record<string, unknown>>): Promise<string> {
    return (await this.#drive('newCall', options)) as string;
  }

  async calls(): Promise<readonly PageCall[]> {
    return (await this.#drive('calls')) as PageCall[];
  }

  async call(id: string): Promise<PageCall> {
    const found = (await this.calls()).find((call) => call.id === id);
    if (found === undefined) throw new Error(`the page has no call ${id}`);
    return found;
  }

  /** Calls a method of a call; `false` when this version of the SDK has none of that name. */
  async act(id: string, method: string, ...args: readonly unknown[]): Promise<boolean> {
    return (await this.#drive('act', id, method, ...args)) as boolean;
  }

  /** Presses keys on the peer connection itself (RFC 4733). */
  async pressKeys(tones: string, durationMs: number, gapMs: number): Promise<void> {
    await this.#drive('pressKeys', tones, durationMs, gapMs);
  }

  async read(id: string, property: string): Promise<unknown> {
    return await this.#drive('read', id, property);
  }

  async localSdp(): Promise<string> {
    return (await this.#drive('localSdp')) as string;
  }

  async stats(): Promise<InboundStats> {
    return ((await this.#drive('inboundStats')) ?? {}) as InboundStats;
  }

  async remoteSdp(): Promise<string> {
    return (await this.#drive('remoteSdp')) as string;
  }

  /** What to say about the page when a wait fails. */
  async report(): Promise<string> {
    const calls = (await this.calls().catch(() => [])).map(
      (call) => `  call ${call.id}: ${call.states.join(' → ')} (${call.cause ?? '-'}/${call.sipCode ?? '-'})`,
    );
    const events = (await this.#drive('events').catch(() => [])) as { name: string; detail: string }[];
    const stats = JSON.stringify(await this.stats().catch(() => null));
    return [
      'page:',
      ...calls,
      ...events.map((e) => `  ${e.name} ${e.detail.slice(0, 300)}`),
      `  inbound ${stats}`,
    ].join('\n');
  }

  async #explained<T>(what: string, wait: Promise<T>): Promise<T> {
    return await wait.catch(async (error: unknown) => {
      throw new Error(
        `${what}: ${error instanceof Error ? error.message : String(error)}\n${await this.report()}`,
      );
    });
  }

  /** Waits until the call has passed through `state`. */
  async reaches(id: string, state: string, limitMs: number = LIMIT_MS): Promise<PageCall> {
    return await this.#explained(
      `call ${id}`,
      until(
        `state ${state}`,
        async () => {
          const call = await this.call(id);
          return call.states.includes(state) ? call : undefined;
        },
        { limitMs },
      ),
    );
  }

  /** Waits until the call is in `state` now. */
  async becomes(id: string, state: string): Promise<PageCall> {
    return await this.#explained(
      `call ${id}`,
      until(`state ${state} now`, async () => {
        const call = await this.call(id);
        return call.state === state ? call : undefined;
      }),
    );
  }

  /** Waits for a call that rings here now. */
  async rings(): Promise<PageCall> {
    return await this.#explained(
      'inbound call',
      until('an inbound call to ring in the page', async () =>
        (await this.calls()).find((call) => call.state === 'ringing'),
      ),
    );
  }

  async ended(id: string): Promise<PageCall> {
    return await this.#explained(
      `call ${id}`,
      until('the end of the call', async () => {
        const call = await this.call(id);
        return call.state === 'destroy' || call.state === 'hangup' ? call : undefined;
      }),
    );
  }

  /** What the newest call hears now; silence while there is no track. */
  async tone(): Promise<Tone> {
    const heard = (await this.#drive('hear')) as { pcm: string; rate: number } | null;
    if (heard === null) return NO_TONE;
    const bytes = Buffer.from(heard.pcm, 'base64');
    const samples = new Int16Array(bytes.length / 2);
    for (let i = 0; i < samples.length; i++) samples[i] = bytes.readInt16LE(i * 2);
    return measureTone(samples, heard.rate);
  }

  /** Waits until the page hears `hz` cleanly. */
  async hears(hz: number, limitMs: number = LIMIT_MS): Promise<Tone> {
    let last: Tone | undefined;
    return await this.#explained(
      `tone of ${hz} Hz`,
      until(
        `${hz} Hz in the page`,
        async () => {
          last = await this.tone();
          return Math.abs(last.hz - hz) <= hz * 0.02 && last.level > 0.02 && last.purity > 0.9
            ? last
            : undefined;
        },
        { limitMs, everyMs: 200, detail: () => `heard ${JSON.stringify(last)}` },
      ),
    );
  }

  /** Waits until the page hears (nearly) nothing. */
  async hearsNothing(): Promise<void> {
    let last: Tone | undefined;
    await this.#explained(
      'silence',
      until(
        'silence in the page',
        async () => {
          last = await this.tone();
          return last.level < 0.005;
        },
        { everyMs: 200, detail: () => `heard ${JSON.stringify(last)}` },
      ),
    );
  }

  async close(): Promise<void> {
    await this.#bridge.close();
  }
}
