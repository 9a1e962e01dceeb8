import { createPublicKey, type KeyObject, randomInt, randomUUID, verify } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pause, until } from './wait.ts';

// biome-ignore lint/suspicious/noExplicitAny: bodies are looked into by name
export type Json = any;

/** What becomes of a request: it is taken, taken and answered late, answered with 500, cut off, or never answered. */
export type Fate = 'taken' | 'slow' | 'refused' | 'reset' | 'silent';

export const isTaken = (fate: Fate): boolean => fate === 'taken' || fate === 'slow';

/** One request of a webhook. */
export interface Told {
  readonly id: string;
  readonly name: string;
  /** `call_control_id` of the leg. */
  readonly control: string;
  /** When it came (process clock, ms), and when the event happened (ISO 8601). */
  readonly at: number;
  readonly occurredAt: string;
  readonly fate: Fate;
  readonly payload: Json;
}

export interface Answered {
  readonly status: number;
  readonly body: Json;
}

/** A silent answer is cut off after this; the platform has given it up long before. */
const SILENT_MS = 5_000;
/** A late answer is still in time. */
const SLOW_MS = 1_200;
const AGAIN_MS = 100;
/** So long a command is sent again while nobody listens. */
const PATIENCE_MS = 120_000;

/** The back end of an account: it hears webhooks, commands calls by REST over connections kept open, and serves sounds. */
export class BackEnd {
  /** Every request, as they came. */
  readonly requests: Told[] = [];
  /** Events that were taken, each once, in the order in which they were taken first. */
  readonly events: Told[] = [];
  /** Requests that were taken although their event had been taken before. */
  twice = 0;
  /** Requests without a good signature. */
  forged = 0;
  /** Commands that had to be sent again, since nobody answered. */
  sentAgain = 0;
  fateOf: (id: string) => Fate = () => 'taken';
  /** Gets each event when it is taken first. */
  onEvent: (event: Told) => void = () => undefined;
  readonly #byLeg = new Map<string, Told[]>();
  readonly #ids = new Set<string>();
  readonly #sounds = new Map<string, Buffer>();
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 32 });
  readonly #api: string;
  readonly #key: string;
  readonly #server: Server;
  #port = 0;
  #signer: KeyObject | undefined;
  #closed = false;

  private constructor(api: string, key: string) {
    this.#api = api;
    this.#key = key;
    this.#server = createServer((asked, answer) => {
      const sound = this.#sounds.get(asked.url ?? '');
      if (asked.method === 'GET' && sound !== undefined) {
        answer.writeHead(200, { 'Content-Type': 'audio/wav', 'Content-Length': sound.length }).end(sound);
        return;
      }
      const parts: Buffer[] = [];
      asked.on('data', (part: Buffer) => parts.push(part));
      asked.on('error', () => undefined);
      asked.on('end', () => {
        const body = Buffer.concat(parts);
        if (!this.#isSigned(asked, body)) this.forged += 1;
        const fate = this.#heard(body.toString());
        if (fate === 'reset') asked.socket.destroy();
        else if (fate === 'silent') setTimeout(() => asked.socket.destroy(), SILENT_MS).unref();
        else if (fate === 'slow') setTimeout(() => answer.writeHead(200).end(), randomInt(SLOW_MS)).unref();
        else answer.writeHead(fate === 'taken' ? 200 : 500).end();
      });
    });
  }

  /** @param api address of the server, without a path. */
  static async open(api: string, key: string): Promise<BackEnd> {
    const backEnd = new BackEnd(api, key);
    backEnd.#server.listen(0, '127.0.0.1');
    await once(backEnd.#server, 'listening');
    backEnd.#port = (backEnd.#server.address() as AddressInfo).port;
    const { data } = await backEnd.must('GET', '/public_key');
    const x = Buffer.from(data.public, 'base64').toString('base64url');
    backEnd.#signer = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
    return backEnd;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Nobody listens any more, until it is back at the same address. */
  async leave(): Promise<void> {
    const gone = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await gone;
  }

  async comeBack(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  #isSigned({ headers }: IncomingMessage, body: Buffer): boolean {
    const signature = Buffer.from(String(headers['telnyx-signature-ed25519'] ?? ''), 'base64');
    const signed = Buffer.concat([Buffer.from(`${headers['telnyx-timestamp'] ?? ''}|`), body]);
    return this.#signer !== undefined && verify(null, signed, this.#signer, signature);
  }

  /** Serves a sound; its URL. */
  serve(name: string, wav: Buffer): string {
    this.#sounds.set(`/${name}`, wav);
    return `${this.url}/${name}`;
  }

  #heard(text: string): Fate {
    const { data } = JSON.parse(text) as Json;
    const fate = this.fateOf(data.id);
    const told: Told = {
      id: data.id,
      name: data.event_type,
      control: data.payload.call_control_id,
      at: performance.now(),
      occurredAt: data.occurred_at,
      fate,
      payload: data.payload,
    };
    this.requests.push(told);
    if (!isTaken(fate)) return fate;
    if (this.#ids.has(told.id)) {
      this.twice += 1;
      return fate;
    }
    this.#ids.add(told.id);
    this.events.push(told);
    const leg = this.#byLeg.get(told.control);
    if (leg === undefined) this.#byLeg.set(told.control, [told]);
    else leg.push(told);
    this.onEvent(told);
    return fate;
  }

  /** Events of a leg, as they were taken. */
  of(control: string, name?: string): readonly Told[] {
    const all = this.#byLeg.get(control) ?? [];
    return name === undefined ? all : all.filter((event) => event.name === name);
  }

  /** Events of a leg, as they happened: one that this process answers late lets later ones pass. */
  lane(control: string, name?: string): readonly Told[] {
    return [...this.of(control, name)].sort((a, b) =>
      a.occurredAt < b.occurredAt ? -1 : Number(a.occurredAt > b.occurredAt),
    );
  }

  /** One request of the API. A connection that fails, or 503, is answered by the next process: it is sent again. */
  async ask(method: string, path: string, body?: object): Promise<Answered> {
    for (const end = performance.now() + PATIENCE_MS; ; ) {
      const answer = await this.#once(method, path, body).catch(() => undefined);
      if (answer !== undefined && answer.status !== 503) return answer;
      if (this.#closed || performance.now() > end) throw new Error(`${method} ${path}: no answer`);
      this.sentAgain += 1;
      await pause(AGAIN_MS);
    }
  }

  #once(method: string, path: string, body?: object): Promise<Answered> {
    const sent = body === undefined ? '' : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const headers = {
        Authorization: `Bearer ${this.#key}`,
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(sent),
      };
      const asked = request(`${this.#api}/v2${path}`, { method, agent: this.#agent, headers });
      asked.once('error', reject);
      asked.once('response', (answer: IncomingMessage) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => (text += chunk));
        answer.once('error', reject);
        answer.once('end', () =>
          resolve({ status: answer.statusCode ?? 0, body: text === '' ? undefined : JSON.parse(text) }),
        );
      });
      asked.end(sent);
    });
  }

  /** As `ask`, of what must be well. */
  async must(method: string, path: string, body?: object): Promise<Json> {
    const { status, body: answer } = await this.ask(method, path, body);
    if (status < 200 || status > 299)
      throw new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`);
    return answer;
  }

  /** A command with an id of its own, sent again until a process answers it. */
  async command(control: string, action: string, body: object = {}): Promise<Answered> {
    const method = action === 'client_state_update' ? 'PUT' : 'POST';
    return await this.ask(method, `/calls/${control}/actions/${action}`, {
      command_id: randomUUID(),
      ...body,
    });
  }

  async commands(control: string, action: string, body: object = {}): Promise<void> {
    const { status, body: answer } = await this.command(control, action, body);
    if (status !== 200) throw new Error(`${action}: ${status} ${JSON.stringify(answer)}`);
  }

  /** Waits until an event of a leg was taken. */
  async hears(control: string, name: string, fits: (event: Told) => boolean = () => true): Promise<Told> {
    return await until(`${name} of a leg`, () => this.of(control, name).find(fits), {
      limitMs: 60_000,
      detail: () =>
        this.of(control)
          .map(({ name: told, payload }) => `${told} ${payload.digit ?? payload.status ?? ''}`)
          .join(', '),
    });
  }

  /** Ids of all events that the platform has stored, of the last 24 hours. */
  async stored(): Promise<Set<string>> {
    return new Set((await this.#all('/call_events?')).map((event) => event.metadata.id));
  }

  /** Ids of the events that the platform tries to tell no more. */
  async givenUp(): Promise<Set<string>> {
    const failed = await this.#all('/webhook_deliveries?filter[status]=failed&');
    return new Set(failed.map((delivery) => delivery.webhook.id));
  }

  async #all(path: string): Promise<Json[]> {
    const all: Json[] = [];
    for (let after = ''; ; ) {
      const page = await this.must('GET', `${path}page[limit]=250${after}`);
      all.push(...page.data);
      const next = page.meta?.cursors?.after;
      if (next === undefined || next === null || next === '') return all;
      after = `&page[after]=${encodeURIComponent(next)}`;
    }
  }

  close(): void {
    this.#closed = true;
    this.#agent.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
