import { seededRandom } from '@sidetone/core';
import type { Identity } from '@sidetone/wire';
import { fixedIdentity } from '@sidetone/wire/testing';
import { Acks } from './acks.ts';
import { PretendClient } from './browser.ts';
import { CARRIER, PretendCarrier } from './carrier.ts';
import {
  drawCarrier,
  drawClient,
  drawRestarts,
  drawWeather,
  KINDS,
  type Kind,
  PATIENCE_MS,
  TWIN,
} from './habits.ts';
import { House } from './house.ts';
import { agreement, lostCalls, remains, stateOfThings } from './ledger.ts';
import { datagramLink, streamLink } from './network.ts';
import { World } from './world.ts';

/**
 * One call drawn from a seed: who calls whom, what each does and when, how bad the network is, and when the signalling process dies.
 * Everything runs until nothing is left to happen; then the house must be empty.
 */
export interface Outcome {
  readonly seed: number;
  readonly kind: Kind;
  readonly trace: readonly string[];
  /** What must not be; empty when all is well. */
  readonly problems: readonly string[];
  readonly records: number;
  /** Both ends had audio paths: the call was answered. */
  readonly answered: boolean;
  /** Conversations that went on over another socket, and those that got fresh media. */
  readonly reattached: number;
  readonly attached: number;
  /** For each restart, how far the calls were when the process died. */
  readonly restarts: readonly (readonly string[])[];
  /** Answered calls that a restart met; and those whose client went on with them afterwards. */
  readonly met: number;
  readonly survived: number;
}

const identityOf = (ringAll: boolean): Identity =>
  fixedIdentity({
    domain: 'sip.test',
    connections: ['line1', 'line2'].map((userName, i) => ({
      userName,
      password: `password-${i + 1}`,
      numbers: [`+1312555010${i}`],
      simultaneousRinging: ringAll,
    })),
    trunks: [
      {
        name: 'carrier',
        ...CARRIER,
        transport: 'udp',
        prefixes: ['+'],
        codecs: ['OPUS', 'PCMU', 'PCMA'],
        dtmf: 'rfc4733',
        policy: 'quality',
      },
    ],
  });

/** Virtual time after which a run that still has something to do is stuck. Registrations are refreshed for ever, so clients leave first. */
const LEAVE_AT = 320_000;
const STUCK_AT = 800_000;
/** What the edge takes to find a line dead. */
const NOTICED_AFTER = 9000;
/** The close code of a handover. */
const RESTARTING = 1012;

export function runScenario(seed: number): Outcome {
  const random = seededRandom(seed);
  const world = new World();
  const kind = KINDS[random.int(KINDS.length)]!;
  const weather = drawWeather(random);
  const problems: string[] = [];
  const carrierHabits = drawCarrier(random, kind);
  const clientHabits = [drawClient(random, kind, 0), drawClient(random, kind, 1)];
  const restarts = drawRestarts(random);
  // A second client with the credential of the callee.
  if (random.int(3) === 0) clientHabits.push(drawClient(random, kind, TWIN));

  interface End {
    readonly client: PretendClient;
    readonly down: ReturnType<typeof streamLink>;
    readonly up: ReturnType<typeof streamLink>;
    /** The server has been told that it is closed. */
    closed: boolean;
  }
  /** By socket; and the newest socket of each client. */
  const ends = new Map<string, End>();
  const newest = new Map<PretendClient, string>();
  const watched = new Set<string>();
  const users: PretendClient[] = [];
  const connects = new Map<PretendClient, (after: number) => void>();
  const met: ReturnType<typeof stateOfThings>[number][] = [];
  const states: string[][] = [];
  const acks = new Acks();
  const house: House = new House({
    world,
    random,
    identity: identityOf(random.int(2) === 0),
    mediaFailureRate: random.int(10) === 0 ? 0.2 : 0,
    send: (bytes) => {
      acks.sent(bytes);
      toCarrier(bytes);
    },
    frame: (socket, text) => ends.get(socket)?.down.send(text),
    closeSocket: (socket, code) => {
      const end = ends.get(socket);
      if (end === undefined) return;
      cut(socket, true);
      if (newest.get(end.client) !== socket) return;
      if (code === RESTARTING) comeBack(end.client);
      else end.client.gone();
    },
    died: () => {
      met.push(...stateOfThings(users, world.now));
      states.push(users.flatMap((client) => [...client.calls.values()].filter((state) => state !== 'done')));
      for (const [socket, end] of ends) {
        end.closed = true;
        end.up.cut();
        // What had left may still arrive.
        if (random.int(2) === 0) end.down.cut();
        if (newest.get(end.client) !== socket) continue;
        world.after(weather.delay + weather.jitter + 1, () => {
          end.down.cut();
          if (newest.get(end.client) === socket) comeBack(end.client);
        });
      }
    },
    speaks: (ufrag) => users.some((client) => client.speaks(ufrag)),
    watch: (socket, on) => {
      if (on) watched.add(socket);
      else watched.delete(socket);
    },
  });
  const toHouse = datagramLink(world, random, weather, (bytes) => {
    if (house.alive) acks.heard(bytes);
    house.datagram(bytes, { transport: 'udp', ...CARRIER });
  });
  const carrier = new PretendCarrier(world, random, carrierHabits, (bytes) => {
    acks.acked(bytes);
    toHouse(bytes);
  });
  const toCarrier = datagramLink(world, random, weather, (bytes) => {
    acks.arrived(bytes);
    carrier.datagram(bytes);
  });

  /** Cuts a socket; `told`: the server sees it closed. */
  const cut = (socket: string, told: boolean): void => {
    const end = ends.get(socket);
    if (end === undefined) return;
    end.down.cut();
    end.up.cut();
    if (!told || end.closed) return;
    end.closed = true;
    house.post('vsp', { type: 'closed', socket });
  };
  /** Its socket was closed by the server: it tries again by itself. One that was cut off already has its own time. */
  const comeBack = (client: PretendClient): void => {
    if (client.state === 'gone' || client.state === 'offline') return;
    client.lost();
    connects.get(client)!(800 + random.int(400));
  };
  const leave = (client: PretendClient): void => {
    if (client.state === 'gone') return;
    client.gone();
    cut(newest.get(client)!, true);
  };

  for (const [i, habits] of clientHabits.entries()) {
    const name = i === TWIN ? 'twin' : `line${i + 1}`;
    const line = i === 0 ? 1 : 2;
    let sockets = 0;
    let attempt = 0;
    let up: ReturnType<typeof streamLink> | undefined;
    const client = new PretendClient(world, random, name, habits, (text) => up?.send(text));
    users.push(client);
    const connect = (): void => {
      if (client.state === 'gone') return;
      if (!house.alive) return connectIn(1000);
      const socket = `socket-${i + 1}-${++sockets}`;
      up = streamLink(world, random, weather, (text) => house.post('vsp', { type: 'frame', socket, text }));
      const down = streamLink(world, random, weather, (text) => client.receive(text));
      ends.set(socket, { client, up, down, closed: false });
      newest.set(client, socket);
      const token = client.voiceSdkId;
      const query = token === undefined ? {} : { voice_sdk_id: token };
      house.post('vsp', { type: 'open', socket, query, address: '192.0.2.9' });
      client.login(`line${line}`, `password-${line}`);
    };
    /** The last plan counts. */
    const connectIn = (after: number): void => {
      const own = ++attempt;
      world.after(after, () => {
        if (own === attempt) connect();
      });
    };
    connects.set(client, connectIn);
    // The callees are there before anybody calls.
    connectIn(i === 0 ? 400 : i * 10);
    const { vanishesAfter, drop } = habits;
    if (vanishesAfter !== undefined) world.after(vanishesAfter, () => leave(client));
    if (drop !== undefined) {
      world.after(drop.after, () => {
        if (client.state === 'gone') return;
        const socket = newest.get(client);
        world.note(`${name} is cut off${drop.halfOpen ? ' unnoticed' : ''}`);
        if (socket !== undefined) cut(socket, !drop.halfOpen);
        client.lost();
        if (socket !== undefined && drop.halfOpen)
          world.after(NOTICED_AFTER, () => watched.has(socket) && cut(socket, true));
        connectIn(drop.away);
      });
    }
    world.after(LEAVE_AT, () => leave(client));
  }
  for (const { at, outputs, away, handover } of restarts) {
    world.after(at, () => {
      if (!house.alive) return;
      if (handover) {
        world.note('house hands over');
        house.post('voice', { type: 'refuse' });
        house.post('vsp', { type: 'handover', sockets: 'browsers' });
      }
      const notice = handover ? 300 : 0;
      const patience = outputs === 0 ? 0 : PATIENCE_MS;
      world.after(notice, () => house.kill(outputs));
      world.after(notice + patience, () => house.kill());
      world.after(notice + patience + away, () => house.revive());
    });
  }
  // Everybody has had time: both ends must agree on what is left.
  world.after(LEAVE_AT - 1, () => {
    problems.push(...agreement(kind, users, carrier, house), ...lostCalls(users, house, acks));
  });
  if (kind === 'carrier to client') world.after(1500, () => carrier.start());

  while (world.next() !== null && world.now < STUCK_AT) world.step();

  if (world.next() !== null) problems.push(`still busy at ${world.now} ms`);
  problems.push(...remains(users, carrier, house));
  return {
    seed,
    kind,
    trace: world.trace,
    problems,
    records: house.records.length,
    answered: house.records.some((record) => record.answered_at !== undefined),
    reattached: users.reduce((sum, client) => sum + client.reattached, 0),
    attached: users.reduce((sum, client) => sum + client.attached, 0),
    restarts: states,
    met: met.length,
    survived: met.filter(({ client, id, at }) => (client.heardOf.get(id) ?? 0) > at).length,
  };
}
