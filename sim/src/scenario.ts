import { type Random, seededRandom } from '@sidetone/core';
import type { Post, Outcome as Posted } from '@sidetone/webhooks';
import type { CallEvent } from '@sidetone/wire';
import { Acks } from './acks.ts';
import { PretendBackEnd } from './back-end.ts';
import { type ClientHabits, PretendClient } from './browser.ts';
import { CARRIER, PretendCarrier } from './carrier.ts';
import {
  type BackEndHabits,
  drawBackEnd,
  drawCarrier,
  drawClient,
  drawRestarts,
  drawWeather,
  isProgrammed,
  KINDS,
  type Kind,
  PATIENCE_MS,
  type Restart,
  TWIN,
} from './habits.ts';
import { House } from './house.ts';
import { identityOf } from './identity.ts';
import { agreement, lostCalls, remains, stateOfThings } from './ledger.ts';
import { datagramLink, streamLink, type Weather } from './network.ts';
import { agreementOfLegs, digits, gathers, hearing, lanes, legsOf, lostLegs } from './programmed.ts';
import { QueueWatch } from './queues.ts';
import { Rings } from './rings.ts';
import { EPOCH, World } from './world.ts';

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
  /** Calls that the carrier let ring to its limit, because all that it said was lost. */
  readonly rungOut: number;
  /** What back ends were told and did. */
  readonly programmed: PretendBackEnd['counts'];
}

/** Virtual time after which a run that still has something to do is stuck. Registrations are refreshed for ever, so clients leave first. */
const LEAVE_AT = 320_000;
/** Legs that are over are known for ten minutes, queues without a leg for an hour. */
const STUCK_AT = 5_000_000;
/** Who hears whom is looked at then, and ever less often. */
const LISTEN_MS = 2_000;
/** What the edge takes to find a line dead. */
const NOTICED_AFTER = 9000;
/** The close code of a handover. */
const RESTARTING = 1012;

export const runScenario = (seed: number): Outcome => new Scenario(seed).run();

type Link = ReturnType<typeof streamLink>;

/** One socket of a client. */
interface End {
  readonly client: PretendClient;
  readonly down: Link;
  readonly up: Link;
  /** The server has been told that it is closed. */
  closed: boolean;
}

/** How a client comes: its sockets are numbered, and of its plans to connect the last counts. */
interface Line {
  readonly client: PretendClient;
  readonly index: number;
  sockets: number;
  plans: number;
  up: Link | undefined;
}

/** Who is connected to whom, and what happens when. A seed draws in the order of the constructor. */
class Scenario {
  readonly #seed: number;
  readonly #random: Random;
  readonly #world = new World();
  readonly #kind: Kind;
  readonly #weather: Weather;
  readonly #problems: string[] = [];
  /** By socket; and the newest socket of each client. */
  readonly #ends = new Map<string, End>();
  readonly #newest = new Map<PretendClient, string>();
  readonly #watched = new Set<string>();
  readonly #users: PretendClient[] = [];
  readonly #lines = new Map<PretendClient, Line>();
  readonly #met: ReturnType<typeof stateOfThings>[number][] = [];
  readonly #states: string[][] = [];
  readonly #acks = new Acks();
  readonly #queues = new QueueWatch();
  readonly #rings = new Rings();
  readonly #house: House;
  readonly #carrier: PretendCarrier;
  readonly #backEnd: PretendBackEnd;
  readonly #backEndHabits: BackEndHabits;
  readonly #offerless: boolean;

  constructor(seed: number) {
    const world = this.#world;
    const random = seededRandom(seed);
    const kind = KINDS[random.int(KINDS.length)]!;
    this.#seed = seed;
    this.#random = random;
    this.#kind = kind;
    this.#weather = drawWeather(random);
    const carrierHabits = drawCarrier(random, kind);
    this.#offerless = carrierHabits.offerless;
    const clientHabits = [drawClient(random, kind, 0), drawClient(random, kind, 1)];
    const restarts = drawRestarts(random);
    // A second client with the credential of the callee.
    if (random.int(3) === 0) clientHabits.push(drawClient(random, kind, TWIN));
    this.#backEndHabits = drawBackEnd(random);
    this.#house = this.#build();
    this.#backEnd = new PretendBackEnd(world, random, this.#backEndHabits, this.#house);
    this.#carrier = new PretendCarrier(world, random, carrierHabits, this.#rings, this.#toHouse());
    for (const [i, habits] of clientHabits.entries()) this.#add(i, habits);
    for (const restart of restarts) world.after(restart.at, () => this.#restart(restart));
    // Everybody has had time: both ends must agree on what is left.
    world.after(LEAVE_AT - 1, () => this.#judge());
    for (let at = LISTEN_MS; at < LEAVE_AT; at *= 1.3) world.after(at, () => this.#listen());
    world.after(LEAVE_AT, () => this.#backEnd.close());
    if (kind.startsWith('carrier')) world.after(1500, () => this.#carrier.start());
  }

  run(): Outcome {
    const world = this.#world;
    while (world.next() !== null && world.now < STUCK_AT) world.step();
    if (world.next() !== null) this.#problems.push(`still busy at ${world.now} ms`);
    this.#problems.push(...remains(this.#users, this.#carrier, this.#house));
    this.#problems.push(
      ...this.#rings.problems,
      ...this.#backEnd.problems,
      ...this.#told(),
      ...this.#untold(),
    );
    const { records } = this.#house;
    return {
      seed: this.#seed,
      kind: this.#kind,
      trace: world.trace,
      problems: this.#problems,
      records: records.length,
      answered: records.some((record) => record.answered_at !== undefined),
      reattached: this.#users.reduce((sum, client) => sum + client.reattached, 0),
      attached: this.#users.reduce((sum, client) => sum + client.attached, 0),
      restarts: this.#states,
      programmed: this.#backEnd.counts,
      rungOut: this.#rings.excused,
      met: this.#met.length,
      survived: this.#met.filter(({ client, id, at }) => (client.heardOf.get(id) ?? 0) > at).length,
    };
  }

  /** Of what was told. */
  #told(): string[] {
    const { events, problems } = this.#house;
    const { gathers: said, pressed } = this.#backEnd.activities;
    return [
      ...problems,
      ...lanes(events, this.#backEnd.keeps),
      ...gathers(events, said),
      ...digits(events, pressed),
    ];
  }

  /** At any moment between two inputs media has what places say. */
  #listen(): void {
    const house = this.#house;
    // A process that is new waits for what media says to its claim.
    if (!house.alive || this.#world.now - house.bornAt < 100) return;
    const legs = legsOf(house);
    for (const problem of [...hearing(legs, house), ...this.#queues.look(house, legs)])
      this.#problems.push(`${problem} at ${Math.round(this.#world.now)}`);
  }

  #judge(): void {
    const [users, house, carrier] = [this.#users, this.#house, this.#carrier];
    if (isProgrammed(this.#kind))
      this.#problems.push(
        ...agreementOfLegs(users, carrier, house),
        ...lostLegs(users, house, this.#acks, this.#offerless),
      );
    else
      this.#problems.push(
        ...agreement(this.#kind, users, carrier, house),
        ...lostCalls(users, house, this.#acks, this.#offerless),
      );
  }

  /** Each event is heard, unless nobody took it for as long as it was tried. */
  #untold(): string[] {
    const { events, givenUp } = this.#house;
    return events
      .filter(({ id, hook }) => hook !== null && !givenUp.has(id) && !this.#backEnd.hasHeard(id))
      .map(({ what, lane }) => `nobody has heard ${what.type} of ${lane}`);
  }

  // ---- the house and its network

  #build(): House {
    const random = this.#random;
    const told = [random.int(2) === 0, random.int(2) === 0, random.int(4) === 0];
    const patience = random.int(3) === 0 ? 10 : null;
    const identity = identityOf(random.int(2) === 0, this.#kind, told, patience);
    const mediaFailureRate = random.int(10) === 0 ? 0.2 : 0;
    const toCarrier = datagramLink(this.#world, random, this.#weather, (bytes) => {
      this.#acks.arrived(bytes);
      this.#carrier.datagram(bytes);
    });
    return new House({
      world: this.#world,
      random,
      identity,
      mediaFailureRate,
      send: (bytes) => {
        this.#acks.sent(bytes);
        toCarrier(bytes);
      },
      frame: (socket, text) => this.#ends.get(socket)?.down.send(text),
      closeSocket: (socket, code) => this.#closed(socket, code),
      died: () => this.#died(),
      post: (event, post, reply) => this.#post(event, post, reply),
      speaks: (ufrag) => this.#users.some((client) => client.speaks(ufrag)),
      watch: (socket, on) => {
        if (on) this.#watched.add(socket);
        else this.#watched.delete(socket);
      },
    });
  }

  /** A request to the back end: taken, taken too late to be seen, refused, or nobody is there. */
  #post(event: CallEvent, { timeoutMs }: Post, reply: (outcome: Posted) => void): void {
    const world = this.#world;
    const random = this.#random;
    const { loses, refuses, deaf } = this.#backEndHabits;
    const end = (after: number, status: number | null): void =>
      world.after(after, () =>
        reply({
          status,
          why: status === null ? 'no answer' : null,
          startedAt: EPOCH + world.now,
          ms: after,
          requestHeaders: [],
          responseHeaders: [],
          responseBody: '',
        }),
      );
    const way = 2 + random.int(100);
    if (deaf !== null && world.now >= deaf.from && world.now < deaf.to) return end(way, null);
    if (random.int(8) < refuses) return end(way, 500);
    world.after(way, () => this.#backEnd.hear(event));
    if (random.int(8) < loses) end(timeoutMs, null);
    else end(way + random.int(random.int(8) === 0 ? 3_000 : 50), 200);
  }

  #toHouse(): (bytes: Uint8Array) => void {
    const link = datagramLink(this.#world, this.#random, this.#weather, (bytes) => {
      if (this.#house.alive) {
        this.#acks.heard(bytes);
        this.#rings.heard(bytes);
      }
      this.#house.datagram(bytes, { transport: 'udp', ...CARRIER });
    });
    return (bytes) => {
      this.#acks.acked(bytes);
      link(bytes);
    };
  }

  /** The server closes a socket. */
  #closed(socket: string, code: number): void {
    const end = this.#ends.get(socket);
    if (end === undefined) return;
    this.#cut(socket, true);
    if (this.#newest.get(end.client) !== socket) return;
    if (code === RESTARTING) this.#comeBack(end.client);
    else end.client.gone();
  }

  /** The signalling process is dead: so are its sockets. */
  #died(): void {
    const { delay, jitter } = this.#weather;
    this.#met.push(...stateOfThings(this.#users, this.#world.now));
    this.#states.push(
      this.#users.flatMap((client) => [...client.calls.values()].filter((state) => state !== 'done')),
    );
    for (const [socket, end] of this.#ends) {
      end.closed = true;
      end.up.cut();
      // What had left may still arrive.
      if (this.#random.int(2) === 0) end.down.cut();
      if (this.#newest.get(end.client) !== socket) continue;
      this.#world.after(delay + jitter + 1, () => {
        end.down.cut();
        if (this.#newest.get(end.client) === socket) this.#comeBack(end.client);
      });
    }
  }

  #restart({ outputs, away, handover }: Restart): void {
    const world = this.#world;
    const house = this.#house;
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
  }

  // ---- clients

  #add(index: number, habits: ClientHabits): void {
    const world = this.#world;
    const name = index === TWIN ? 'twin' : `line${index + 1}`;
    const client = new PretendClient(world, this.#random, name, habits, (text) => line.up?.send(text));
    const line: Line = { client, index, sockets: 0, plans: 0, up: undefined };
    this.#users.push(client);
    this.#lines.set(client, line);
    // The callees are there before anybody calls.
    this.#connectIn(line, index === 0 ? 400 : index * 10);
    const { vanishesAfter, drop } = habits;
    if (vanishesAfter !== undefined) world.after(vanishesAfter, () => this.#leave(client));
    if (drop !== undefined) world.after(drop.after, () => this.#drop(line, name, drop));
    world.after(LEAVE_AT, () => this.#leave(client));
  }

  #connectIn(line: Line, after: number): void {
    const own = ++line.plans;
    this.#world.after(after, () => {
      if (own === line.plans) this.#connect(line);
    });
  }

  #connect(line: Line): void {
    const { client, index } = line;
    const house = this.#house;
    if (client.state === 'gone') return;
    if (!house.alive) return this.#connectIn(line, 1000);
    const socket = `socket-${index + 1}-${++line.sockets}`;
    const link = (deliver: (text: string) => void): Link =>
      streamLink(this.#world, this.#random, this.#weather, deliver);
    const up = link((text) => house.post('vsp', { type: 'frame', socket, text }));
    const down = link((text) => client.receive(text));
    line.up = up;
    this.#ends.set(socket, { client, up, down, closed: false });
    this.#newest.set(client, socket);
    const token = client.voiceSdkId;
    const query = token === undefined ? {} : { voice_sdk_id: token };
    house.post('vsp', { type: 'open', socket, query, address: '192.0.2.9' });
    const user = index === 0 ? 1 : 2;
    client.login(`line${user}`, `password-${user}`);
  }

  /** Its line is cut; half open: the server takes a while to notice. */
  #drop(line: Line, name: string, drop: NonNullable<ClientHabits['drop']>): void {
    const { client } = line;
    if (client.state === 'gone') return;
    const socket = this.#newest.get(client);
    this.#world.note(`${name} is cut off${drop.halfOpen ? ' unnoticed' : ''}`);
    if (socket !== undefined) this.#cut(socket, !drop.halfOpen);
    client.lost();
    if (socket !== undefined && drop.halfOpen)
      this.#world.after(NOTICED_AFTER, () => this.#watched.has(socket) && this.#cut(socket, true));
    this.#connectIn(line, drop.away);
  }

  /** Its socket was closed by the server: it tries again by itself. One that was cut off already has its own time. */
  #comeBack(client: PretendClient): void {
    if (client.state === 'gone' || client.state === 'offline') return;
    client.lost();
    this.#connectIn(this.#lines.get(client)!, 800 + this.#random.int(400));
  }

  #leave(client: PretendClient): void {
    if (client.state === 'gone') return;
    client.gone();
    this.#cut(this.#newest.get(client)!, true);
  }

  /** Cuts a socket; `told`: the server sees it closed. */
  #cut(socket: string, told: boolean): void {
    const end = this.#ends.get(socket);
    if (end === undefined) return;
    end.down.cut();
    end.up.cut();
    if (!told || end.closed) return;
    end.closed = true;
    this.#house.post('vsp', { type: 'closed', socket });
  }
}
