import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LIMIT_MS, until } from '../src/wait.ts';
import type { BackEnd, Json } from './back-end.ts';
import { conforms } from './contract.ts';

/** An event as it arrived: its type without `call.`, and its payload. */
export interface Told {
  readonly type: string;
  readonly control: string;
  readonly payload: Json;
  readonly id: string;
  readonly occurredAt: string;
  /** Where it came. */
  readonly path: string;
}

/** What an event is counted with: its leg, or the conference that it is of. */
const laneOf = ({ event_type, payload }: Json): string =>
  /^conference\.(created|ended|playback|speak|recording)/.test(event_type)
    ? payload.conference_id
    : payload.call_control_id;

/**
 * The back end's HTTP server: takes webhooks, passes each through the package's own verifier and checks it against the contract. It
 * serves the sounds of the tests, too.
 */
export class Hook {
  /** Whose verifier looks at what comes. */
  backEnd: BackEnd | undefined;
  readonly told: Told[] = [];
  /** Those who had the floor of a conference. */
  readonly floors: Json[] = [];
  readonly #faults: string[] = [];
  readonly #server: Server;
  #checking: Promise<unknown> = Promise.resolve();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(sounds: Readonly<Record<string, Buffer>>): Promise<Hook> {
    const server = createServer((request, response) => {
      if (request.url!.endsWith('.wav')) {
        const sound = sounds[request.url!.slice(1)];
        response.writeHead(sound === undefined ? 404 : 200, { 'content-type': 'audio/wav' }).end(sound);
        return;
      }
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        // Answered before it is looked at, and kept in the order of arrival.
        response.writeHead(200).end();
        const headers = request.headers as Record<string, string>;
        hook.#take(request.method!, request.url!, headers, Buffer.concat(parts).toString('utf8'));
      });
    });
    const hook = new Hook(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return hook;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `${this.origin}/hook`;
  }

  #take(method: string, url: string, headers: Readonly<Record<string, string>>, body: string): void {
    const { backEnd } = this;
    this.#checking = this.#checking.then(async () => {
      try {
        assert.equal(method, 'POST');
        assert.equal(headers['content-type'], 'application/json');
        assert.equal(headers['user-agent'], 'telnyx-webhooks');
        assert.ok(backEnd !== undefined);
        const event = await backEnd.unwrap({ body, headers });
        assert.deepEqual(event, JSON.parse(body), 'what the package unwraps is what was sent');
        conforms(event);
        const { data, meta } = event;
        assert.deepEqual(meta, { attempt: 1, delivered_to: `${this.origin}${url}` });
        assert.ok(!this.told.some(({ id }) => id === data.id), `${data.event_type} came twice`);
        // Who is heard above the others depends on the sound.
        if (data.event_type === 'conference.floor.changed') return void this.floors.push(data.payload);
        const control: string = laneOf(data);
        const last = this.told.filter((one) => one.control === control).at(-1);
        assert.ok(
          (last?.occurredAt ?? '') <= data.occurred_at,
          `${data.event_type} lies before ${last?.type}`,
        );
        this.told.push({
          type: data.event_type.replace(/^call\./, ''),
          control,
          payload: data.payload,
          id: data.id,
          occurredAt: data.occurred_at,
          path: url,
        });
      } catch (error) {
        this.#faults.push(`${error instanceof Error ? error.message : String(error)}\n${body}`);
      }
    });
  }

  /** The events of a leg, in the order of their arrival. */
  of(control: string): readonly Told[] {
    return this.told.filter((one) => one.control === control);
  }

  /** Waits for the `count`th event of this type of a leg. */
  async gets(control: string, type: string, count = 1): Promise<Json> {
    return await until(
      `the webhook ${type} (${count})`,
      () => {
        this.#fails();
        return this.of(control).filter((one) => one.type === type)[count - 1]?.payload;
      },
      { limitMs: LIMIT_MS, detail: () => this.report() },
    );
  }

  /** Waits for a leg that begins and that `known` does not have. */
  async begins(known: ReadonlySet<string>): Promise<Json> {
    return await until(
      'the webhook initiated of a new leg',
      () => {
        this.#fails();
        return this.told.find((one) => one.type === 'initiated' && !known.has(one.control))?.payload;
      },
      { limitMs: LIMIT_MS, detail: () => this.report() },
    );
  }

  #fails(): void {
    const fault = this.#faults.shift();
    if (fault !== undefined) throw new Error(`a webhook was not as documented: ${fault}`);
  }

  /** All that came is looked at; throws what was wrong with it. */
  async settles(): Promise<void> {
    await this.#checking;
    this.#fails();
  }

  /** Forgets what came. */
  forget(): void {
    this.told.length = 0;
    this.floors.length = 0;
    this.#faults.length = 0;
  }

  report(): string {
    const lines = this.told.map(({ control, type, payload }) => {
      const { status, state, hangup_cause } = payload;
      return `  ${control.slice(-6)} ${type} ${[state, status, hangup_cause].filter(Boolean).join(' ')}`;
    });
    return ['webhooks:', ...lines, ...this.#faults].join('\n');
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
