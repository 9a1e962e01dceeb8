import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { CallRecord } from '@sidetone/wire';
import { createWeriftDtls } from '../../apps/server/src/dtls/werift.ts';
import { type CarrierCall, NodeCarrier } from './node-carrier.ts';
import { type NodeCall, NodeClient } from './node-client.ts';
import { Pace } from './pace.ts';
import { descendants, processLine } from './processes.ts';
import { NUMBER, PASSWORD, type TestServer } from './server.ts';
import { until } from './wait.ts';

/** A client has calls, as an agent's page with several lines has. */
const CALLS_PER_CLIENT = 4;
/** What the crowd dials begins with this: a trunk of its own may lead to its carrier. */
export const CROWD_PREFIX = '+1555100';

/** One call of the crowd, seen from both its ends. */
export interface Pair {
  readonly client: NodeClient;
  readonly call: NodeCall;
  readonly carrier: CarrierCall;
}

/** Calls from clients in Node to a carrier in Node, sounding both ways, at one pace. */
export class Crowd {
  readonly carrier: NodeCarrier;
  readonly pairs: Pair[] = [];
  readonly clients: NodeClient[] = [];
  readonly #pace: Pace;

  private constructor(carrier: NodeCarrier) {
    this.carrier = carrier;
    this.#pace = new Pace(() => {
      carrier.frames();
      for (const { call } of this.pairs) if (call.state === 'active') call.media.frame();
    });
  }

  /** How late this process itself was at most: no gap can be measured finer. */
  get ownLateMs(): number {
    return this.#pace.lateMs;
  }

  /** `count` calls that are up and sound. `carrierPort`: of the trunk for `CROWD_PREFIX`. */
  static async start(server: TestServer, carrierPort: number, count: number): Promise<Crowd> {
    const crowd = new Crowd(await NodeCarrier.open(carrierPort, server.sipPort));
    try {
      await crowd.#grow(server, count);
    } catch (error) {
      crowd.close();
      throw error;
    }
    return crowd;
  }

  async #grow(server: TestServer, count: number): Promise<void> {
    const dtls = await createWeriftDtls();
    for (let i = 0; i < count; i++) {
      // A user may have ten contacts.
      const user = Math.floor(i / CALLS_PER_CLIENT) % 2 === 0 ? 'line1' : 'line2';
      if (i % CALLS_PER_CLIENT === 0)
        this.clients.push(
          await NodeClient.loggedIn({
            url: server.webSocketUrl,
            user,
            password: PASSWORD[user],
            dtls,
            address: server.address,
          }),
        );
      const client = this.clients.at(-1)!;
      const number = `${CROWD_PREFIX}${String(i).padStart(4, '0')}`;
      const call = await client.call(number, NUMBER[user]);
      this.pairs.push({ client, call, carrier: await this.carrier.callOf(number) });
    }
    await this.sounds();
  }

  get alive(): readonly Pair[] {
    return this.pairs.filter(({ call, carrier }) => call.state === 'active' && carrier.over === undefined);
  }

  /** Waits until each living call is heard at both ends, from now on. */
  async sounds(pairs: readonly Pair[] = this.alive): Promise<void> {
    const before = pairs.map(({ call, carrier }) => [call.media.packets, carrier.packets] as const);
    const silent = (): readonly string[] =>
      pairs.flatMap(({ call, carrier }, i) => [
        ...(call.media.packets < before[i]![0] + 10 ? [`client of ${carrier.number}`] : []),
        ...(carrier.packets < before[i]![1] + 10 ? [`carrier of ${carrier.number}`] : []),
      ]);
    await until('every call to be heard at both ends', () => silent().length === 0, {
      detail: () => silent().join(', '),
    });
  }

  forget(): void {
    this.#pace.lateMs = 0;
    for (const { carrier } of this.pairs) carrier.forget();
  }

  get largestGapMs(): number {
    return Math.max(0, ...this.alive.map(({ carrier }) => carrier.largestGapMs));
  }

  /** Packets that the carrier never got, by sequence numbers. */
  get missing(): number {
    return this.alive.reduce((sum, { carrier }) => sum + carrier.missing, 0);
  }

  async back(): Promise<void> {
    for (const client of this.clients) await client.ready();
  }

  close(): void {
    this.#pace.stop();
    for (const client of this.clients) client.close();
    this.carrier.close();
  }
}

/** The process of the server with this name in its command line. */
export function processOf(server: TestServer, name: 'signalling' | 'media'): number | undefined {
  return descendants(server.pid).find(({ pid }) => processLine(pid).includes(`${name}-process`))?.pid;
}

/** What the store has, read while the server runs. */
export function recordsOf(server: TestServer): readonly CallRecord[] {
  const db = new DatabaseSync(join(server.dataDir, 'sidetone.db'), { readOnly: true, timeout: 10_000 });
  try {
    return db
      .prepare('SELECT record FROM call_records ORDER BY rowid')
      .all()
      .map((row) => JSON.parse(String(row['record'])) as CallRecord);
  } finally {
    db.close();
  }
}
