import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import type { CallEvent } from '@sidetone/wire';
import type { Hono } from 'hono';
import { createApi } from '../../src/api/app.ts';
import type { RegistrationState } from '../../src/api/operation.ts';
import { checkConfig } from '../../src/config/load.ts';
import { type EventStore, openEventStore } from '../../src/events/event-store.ts';
import { apiKeyName, makeApiKey } from '../../src/identity/api-key.ts';
import { newNumber } from '../../src/identity/bring-up.ts';
import { accountName, makeObject } from '../../src/identity/objects.ts';
import type { IdentityService } from '../../src/identity/open.ts';
import { createLog } from '../../src/log.ts';
import { createOutgoing } from '../../src/outgoing/outgoing.ts';
import { Links } from '../../src/recordings/links.ts';
import { openSqliteRecordings } from '../../src/recordings/open-sqlite.ts';
import { createRecordingService, type RecordingService } from '../../src/recordings/service.ts';
import { createSoundService, type SoundService } from '../../src/sounds/service.ts';
import type { StoredObject } from '../../src/store/directory-store.ts';
import { createSigner } from '../../src/webhooks/signer.ts';
import { FakeCalls } from './fake-calls.ts';
import { People } from './people.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into by name
  readonly body: any;
}

/** The API over a data folder of its own, without a socket unless `listen` is asked. */
export class ApiBench {
  readonly people = new People();
  /** The monotonic clock; `people.now` is the time of day. */
  now = 0;
  events!: EventStore;
  readonly redelivered: [event: CallEvent, attempts: number][] = [];
  readonly publicKey = createSigner(new Uint8Array(32).fill(7)).publicKey;
  readonly registered = new Map<string, RegistrationState>();
  readonly calls = new FakeCalls();
  service!: IdentityService;
  app!: Hono;
  media!: SoundService['door'];
  prepare!: SoundService['prepare'];
  recordings!: RecordingService;
  readonly #closing: (() => Promise<void>)[] = [];
  #server: Server | undefined;

  static async open(config: object = {}, requestsPerMinute = 1_000_000): Promise<ApiBench> {
    const bench = new ApiBench();
    bench.people.now = Date.now();
    bench.service = await bench.people.open(config);
    bench.events = openEventStore({
      file: join(bench.people.dir, 'events.db'),
      retention: { days: 7, rows: 10_000, bytes: 1e9, digits: false },
      log: createLog('test', 'silent'),
      epoch: () => bench.people.now,
      stored: () => {},
    });
    const checked = checkConfig(config, 'test');
    if (!checked.ok) throw new Error(checked.error);
    const log = createLog('test', 'silent');
    const outgoing = createOutgoing({ allow: checked.value.webhooks.allow });
    const sounds = createSoundService({
      config: checked.value,
      dataDir: bench.people.dir,
      outgoing,
      log,
      epoch: () => bench.people.now,
    });
    bench.media = sounds.door;
    bench.prepare = sounds.prepare;
    bench.#closing.push(() => sounds.close());
    bench.recordings = createRecordingService({
      dataDir: bench.people.dir,
      store: openSqliteRecordings(join(bench.people.dir, 'recordings.db')),
      links: new Links('http://voice.example', new Uint8Array(32).fill(9)),
      epoch: () => bench.people.now,
      log,
    });
    bench.#closing.push(() => bench.recordings.close());
    bench.app = createApi({
      world: {
        people: bench.service,
        now: () => bench.people.now,
        registration: (user) => bench.registered.get(user) ?? { contacts: [] },
        calls: bench.calls,
        webhooks: {
          publicKey: bench.publicKey,
          events: bench.events,
          redeliver: (event, attempts) => bench.redelivered.push([event, attempts]),
        },
        media: sounds.door,
        recordings: bench.recordings,
      },
      requestsPerMinute,
      monotonic: () => bench.now,
      log,
      addressOf: () => '192.0.2.9',
    });
    return bench;
  }

  put(...puts: StoredObject[]): Promise<void> {
    return this.service.registry.change(() => ({
      change: { puts, removes: [], audit: [] },
      result: undefined,
    }));
  }

  /** An account and a key of it. */
  async account(name: string): Promise<{ id: string; key: string }> {
    const known = this.service.registry.named(accountName(name));
    const account = known ?? makeObject('account', null, { name, active: true }, this.people.now);
    const key = makeApiKey();
    const doc = { hash: apiKeyName(key)!, label: '', starts: key.slice(0, 8), revoked_at: null };
    const made = makeObject('key', account.id, doc, this.people.now);
    await this.put(...(known === undefined ? [account] : []), made);
    return { id: account.id, key };
  }

  async number(account: string, number: string): Promise<string> {
    // Made anew with each try: the id of another object may be the same, as long as the clock stands still.
    return await this.service.registry.change(() => {
      const made = makeObject('number', account, newNumber(number, 'operator'), this.people.now);
      return { change: { puts: [made], removes: [], audit: [] }, result: made.id };
    });
  }

  async ask(key: string | undefined, method: string, path: string, body?: unknown): Promise<Answer> {
    const headers: Record<string, string> = { 'Content-Type': 'application/json' };
    if (key !== undefined) headers['Authorization'] = `Bearer ${key}`;
    const sent = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await this.app.request(`/v2${path}`, {
      method,
      headers,
      ...(sent === undefined || method === 'GET' ? {} : { body: sent }),
    });
    const text = await answer.text();
    const json = answer.headers.get('content-type')?.startsWith('application/json') === true;
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      body: json ? JSON.parse(text) : undefined,
    };
  }

  /** Serves on a free port; the address ends in /v2. */
  listen(): Promise<string> {
    this.#server = createServer(getRequestListener(this.app.fetch));
    return new Promise((resolve) => {
      this.#server!.listen(0, '127.0.0.1', () => {
        resolve(`http://127.0.0.1:${(this.#server!.address() as AddressInfo).port}/v2`);
      });
    });
  }

  async close(): Promise<void> {
    this.#server?.closeAllConnections();
    this.#server?.close();
    await this.events.close();
    for (const close of this.#closing) await close();
    await this.people.close();
  }
}
