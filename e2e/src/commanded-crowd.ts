import { createWeriftDtls } from '../../apps/server/src/dtls/werift.ts';
import { BackEnd, type Told } from './back-end.ts';
import { type NodeCall, NodeClient } from './node-client.ts';
import { Pace } from './pace.ts';
import { sidetone, type TestServer } from './server.ts';
import { until } from './wait.ts';

const CALLS_PER_CLIENT = 4;
/** A frame in 3 s. */
const QUIET = 150;
const USER = 'parked1';
const PASSWORD = 'a password of parked1';

/** A client's call that a back end commands. */
export interface CommandedLeg {
  readonly client: NodeClient;
  readonly call: NodeCall;
  readonly control: string;
}

/** Clients whose calls wait for the commands of a back end. */
export class CommandedCrowd {
  readonly backEnd: BackEnd;
  readonly clients: NodeClient[] = [];
  readonly legs: CommandedLeg[] = [];
  readonly #server: TestServer;
  readonly #dtls: Awaited<ReturnType<typeof createWeriftDtls>>;
  readonly #pace: Pace;
  readonly #coming = new Map<number, Promise<NodeClient>>();
  closed = false;
  /** Control ids by the number that was dialled. */
  readonly #arrived = new Map<string, string>();
  #onEvent: (event: Told) => void = () => undefined;

  private constructor(
    server: TestServer,
    backEnd: BackEnd,
    dtls: Awaited<ReturnType<typeof createWeriftDtls>>,
    oneOf: number,
  ) {
    this.#server = server;
    this.backEnd = backEnd;
    this.#dtls = dtls;
    let frame = 0;
    this.#pace = new Pace(() => {
      frame += 1;
      for (const client of this.clients)
        for (const call of client.calls.values())
          if (call.state === 'active' && frame % (call.quiet ? QUIET : oneOf) === 0) call.media.frame();
    });
    backEnd.onEvent = (event) => {
      if (event.name === 'call.initiated') this.#arrived.set(event.payload.to, event.control);
      this.#onEvent(event);
    };
  }

  /** @param oneOf of how many frames one is sent: sound needs all of them, a sign of life does not. */
  static async start(server: TestServer, oneOf = 1): Promise<CommandedCrowd> {
    const where = ['--config', server.configFile, '--data', server.dataDir];
    const made = await sidetone('key', 'create', ...where);
    const key = /KEY\S+/.exec(made.stdout)?.[0];
    if (key === undefined) throw new Error(made.stderr);
    const backEnd = await BackEnd.open(server.url, key);
    await backEnd.must('POST', '/credential_connections', {
      connection_name: USER,
      user_name: USER,
      password: PASSWORD,
      outbound: { call_parking_enabled: true },
      webhook_event_url: `${backEnd.url}/hook`,
    });
    return new CommandedCrowd(server, backEnd, await createWeriftDtls(), oneOf);
  }

  set onEvent(heard: (event: Told) => void) {
    this.#onEvent = heard;
  }

  /** The client of the call with this number, from 0: each has some. */
  clientOf(call: number): Promise<NodeClient> {
    const at = Math.floor(call / CALLS_PER_CLIENT);
    const known = this.#coming.get(at);
    if (known !== undefined) return known;
    const { webSocketUrl: url, address } = this.#server;
    const client = NodeClient.loggedIn({ url, user: USER, password: PASSWORD, dtls: this.#dtls, address });
    this.#coming.set(at, client);
    void client.then((there) => this.clients.push(there)).catch(() => undefined);
    return client;
  }

  /** One more call, parked and answered. */
  async add(): Promise<CommandedLeg> {
    const n = this.legs.length;
    const leg = await this.again(await this.clientOf(n), `+1312555${1000 + n}`);
    this.legs.push(leg);
    return leg;
  }

  /** A call of a client that is there, parked and answered. */
  async again(client: NodeClient, number: string): Promise<CommandedLeg> {
    this.#arrived.delete(number);
    const calling = client.call(number, '+13125550100');
    const answering = (async () => {
      const initiated = (): string | undefined => {
        if (this.closed) throw new Error('the crowd is closed');
        return this.#arrived.get(number);
      };
      const control = await until('call.initiated of a call', initiated, { limitMs: 60_000 });
      await this.backEnd.commands(control, 'answer');
      return control;
    })();
    const [call, control] = await Promise.all([calling, answering]);
    return { client, call, control };
  }

  /** All clients have a socket that opened after `since` (process clock, ms). */
  async back(since: number): Promise<void> {
    await until('clients to be back', () => this.clients.every((c) => c.isReady && c.readyAt > since), {
      limitMs: 120_000,
      detail: () => this.clients.map((client) => `${client.isReady} ${client.readyAt - since}`).join(', '),
    });
  }

  close(): void {
    this.closed = true;
    this.#pace.stop();
    for (const client of this.clients) client.close();
    this.backEnd.close();
  }
}
