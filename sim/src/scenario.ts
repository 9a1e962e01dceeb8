import { type Random, seededRandom } from '@sidetone/core';
import type { Directory } from '@sidetone/wire';
import { type ClientHabits, type Drop, PretendClient } from './browser.ts';
import { CARRIER, type CarrierHabits, PretendCarrier } from './carrier.ts';
import { House } from './house.ts';
import { datagramLink, streamLink, type Weather } from './network.ts';
import { World } from './world.ts';

/**
 * One call drawn from a seed: who calls whom, what each does and when, and how bad the network is. Everything runs until
 * nothing is left to happen; then the house must be empty.
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
}

type Kind =
  | 'client to carrier'
  | 'carrier to client'
  | 'client to client'
  | 'client to echo'
  | 'client to nobody';
const KINDS: readonly Kind[] = [
  'client to carrier',
  'carrier to client',
  'client to client',
  'client to echo',
  'client to nobody',
];

const DIRECTORY: Directory = {
  domain: 'sip.test',
  connections: ['line1', 'line2'].map((user_name, i) => ({
    user_name,
    password: `password-${i + 1}`,
    numbers: [`+1312555010${i}`],
    sip_uri_calling_preference: 'internal',
    dnis_number_format: 'sip_username',
    simultaneous_ringing: i === 0 ? 'enabled' : 'disabled',
    reject_code: 487,
    codecs: ['OPUS', 'PCMU', 'PCMA'],
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
};

/** Virtual time after which a run that still has something to do is stuck. Registrations are refreshed for ever, so clients leave first. */
const LEAVE_AT = 320_000;
const STUCK_AT = 800_000;
/** What the edge takes to find a line dead. */
const NOTICED_AFTER = 9000;

export function runScenario(seed: number): Outcome {
  const random = seededRandom(seed);
  const world = new World();
  const kind = KINDS[random.int(KINDS.length)]!;
  const weather = drawWeather(random);
  const problems: string[] = [];
  const carrierHabits = drawCarrier(random, kind);
  const clientHabits = [drawClient(random, kind, 0), drawClient(random, kind, 1)];

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
  const house: House = new House({
    world,
    random,
    directory: DIRECTORY,
    mediaFailureRate: random.int(10) === 0 ? 0.2 : 0,
    send: (bytes) => toCarrier(bytes),
    frame: (socket, text) => ends.get(socket)?.down.send(text),
    closeSocket: (socket) => {
      const end = ends.get(socket);
      if (end === undefined) return;
      cut(socket, true);
      if (newest.get(end.client) === socket) end.client.gone();
    },
    speaks: (ufrag) => users.some((client) => client.speaks(ufrag)),
    watch: (socket, on) => {
      if (on) watched.add(socket);
      else watched.delete(socket);
    },
  });
  const toHouse = datagramLink(world, random, weather, (bytes) =>
    house.datagram(bytes, { transport: 'udp', ...CARRIER }),
  );
  const carrier = new PretendCarrier(world, random, carrierHabits, toHouse);
  const toCarrier = datagramLink(world, random, weather, (bytes) => carrier.datagram(bytes));

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
  const leave = (client: PretendClient): void => {
    if (client.state === 'gone') return;
    client.gone();
    cut(newest.get(client)!, true);
  };

  for (const [i, habits] of clientHabits.entries()) {
    const name = `line${i + 1}`;
    let sockets = 0;
    let up: ReturnType<typeof streamLink> | undefined;
    const client = new PretendClient(world, random, name, habits, (text) => up?.send(text));
    users.push(client);
    const connect = (): void => {
      if (client.state === 'gone') return;
      const socket = `socket-${i + 1}-${++sockets}`;
      up = streamLink(world, random, weather, (text) => house.post('vsp', { type: 'frame', socket, text }));
      const down = streamLink(world, random, weather, (text) => client.receive(text));
      ends.set(socket, { client, up, down, closed: false });
      newest.set(client, socket);
      const token = client.voiceSdkId;
      const query = token === undefined ? {} : { voice_sdk_id: token };
      house.post('vsp', { type: 'open', socket, query, address: '192.0.2.9' });
      client.login(name, `password-${i + 1}`);
    };
    // The callee is there before anybody calls.
    world.after(i === 0 ? 400 : 0, connect);
    const { vanishesAfter, drop } = habits;
    if (vanishesAfter !== undefined) world.after(vanishesAfter, () => leave(client));
    if (drop !== undefined) {
      world.after(drop.after, () => {
        if (client.state === 'gone') return;
        const socket = newest.get(client)!;
        world.note(`${name} is cut off${drop.halfOpen ? ' unnoticed' : ''}`);
        cut(socket, !drop.halfOpen);
        client.lost();
        if (drop.halfOpen) world.after(NOTICED_AFTER, () => watched.has(socket) && cut(socket, true));
        world.after(drop.away, connect);
      });
    }
    world.after(LEAVE_AT, () => leave(client));
  }
  // Everybody has had time: both ends must agree on what is left.
  world.after(LEAVE_AT - 1, () => {
    const live = users.map((client) => [...client.calls.values()].filter((state) => state !== 'done'));
    for (const state of live.flat())
      if (state !== 'active' && state !== 'held') problems.push(`a call is ${state} for ever`);
    const talking = [...carrier.legs.values()].filter((state) => state === 'active').length;
    const expected =
      kind === 'client to client' ? live[1]!.length : kind === 'client to echo' ? live[0]!.length : talking;
    const own = kind === 'client to client' ? live[0]!.length : live.flat().length;
    if (own !== expected) problems.push(`one end has ${own} calls, the other ${expected}`);
    const { calls } = house.leftOver();
    if (calls !== own) problems.push(`the platform has ${calls} calls, its clients ${own}`);
  });
  if (kind === 'carrier to client') world.after(1500, () => carrier.start());

  while (world.next() !== null && world.now < STUCK_AT) world.step();

  if (world.next() !== null) problems.push(`still busy at ${world.now} ms`);
  const left = house.leftOver();
  if (left.vsp !== 0) problems.push(`vsp keeps ${left.vsp}`);
  if (left.voice !== 0) problems.push(`voice keeps ${left.voice}`);
  if (left.proxy !== 0) problems.push(`proxy keeps ${left.proxy}`);
  if (left.legs !== 0) problems.push(`media keeps ${left.legs} legs`);
  if (left.deadline !== null) problems.push(`a timer is left at ${left.deadline}`);
  if (carrier.size !== 0) problems.push(`the carrier keeps ${carrier.size}`);
  for (const [leg, state] of carrier.legs)
    if (state !== 'done') problems.push(`carrier leg ${leg} is ${state}`);
  for (const [i, client] of users.entries()) {
    problems.push(...client.problems.map((text) => `line${i + 1}: ${text}`));
    if (client.unanswered > 0) problems.push(`line${i + 1}: ${client.unanswered} requests without a reply`);
  }
  const legIds = house.records.map((record) => record.leg_id);
  if (new Set(legIds).size !== legIds.length) problems.push('a leg has two records');
  for (const record of house.records) {
    if (record.answered_at !== undefined && record.answered_at < record.started_at)
      problems.push('answered before it began');
    if (record.ended_at < record.started_at) problems.push('ended before it began');
  }
  return {
    seed,
    kind,
    trace: world.trace,
    problems,
    records: house.records.length,
    answered: house.records.some((record) => record.answered_at !== undefined),
    reattached: users.reduce((sum, client) => sum + client.reattached, 0),
    attached: users.reduce((sum, client) => sum + client.attached, 0),
  };
}

function drawWeather(random: Random): Weather {
  const bad = random.int(4);
  return {
    loss: [0, 0.05, 0.15, 0.3][bad]!,
    duplication: [0, 0.02, 0.05, 0.1][bad]!,
    delay: 1 + random.int(60),
    jitter: random.int(50),
  };
}

function maybe(random: Random, oneIn: number, most: number): number | undefined {
  return random.int(oneIn) === 0 ? 100 + random.int(most) : undefined;
}

function drawClient(random: Random, kind: Kind, index: number): ClientHabits {
  const caller = index === 0 && kind !== 'carrier to client';
  const destination: Record<Kind, string> = {
    'client to carrier': '+18005550123',
    'client to client': random.int(2) === 0 ? 'line2@sip.test' : '+13125550101',
    'client to echo': '9196',
    'client to nobody': 'nobody@sip.test',
    'carrier to client': '',
  };
  const givesUpAfter = caller ? maybe(random, 5, 5000) : undefined;
  const holdsAfter = maybe(random, 3, 1500);
  const hangsUpAfter = maybe(random, 2, 8000);
  const vanishesAfter = maybe(random, 8, 15_000);
  const digits = random.int(3) === 0 ? '12#' : undefined;
  // Mostly within the limit of 120 s, now and then beyond it.
  const away = random.int(8) === 0 ? 121_000 + random.int(20_000) : 200 + random.int(15_000);
  const drop: Drop | undefined =
    random.int(2) === 0
      ? { after: 600 + random.int(12_000), away, halfOpen: random.int(2) === 0 }
      : undefined;
  return {
    ...(caller ? { dials: destination[kind] } : {}),
    answersAfter: random.int(3000),
    incoming: (['answer', 'answer', 'answer', 'reject', 'ignore'] as const)[random.int(5)]!,
    ...(givesUpAfter === undefined ? {} : { givesUpAfter }),
    ...(holdsAfter === undefined ? {} : { holdsAfter }),
    ...(hangsUpAfter === undefined ? {} : { hangsUpAfter }),
    ...(vanishesAfter === undefined ? {} : { vanishesAfter: vanishesAfter + 500 }),
    ...(digits === undefined ? {} : { digits }),
    ...(drop === undefined ? {} : { drop }),
  };
}

function drawCarrier(random: Random, kind: Kind): CarrierHabits {
  const cancelsAfter = kind === 'carrier to client' ? maybe(random, 5, 4000) : undefined;
  const holdsAfter = maybe(random, 4, 2000);
  const hangsUpAfter = maybe(random, 2, 8000);
  return {
    ...(kind === 'carrier to client' ? { dials: '+13125550101' } : {}),
    offerless: random.int(6) === 0,
    incoming: (['answer', 'answer', 'answer', 'busy', 'silent', 'ring', 'unavailable'] as const)[
      random.int(7)
    ]!,
    earlyMedia: random.int(3) === 0,
    answersAfter: random.int(3000),
    ...(cancelsAfter === undefined ? {} : { cancelsAfter }),
    ...(holdsAfter === undefined ? {} : { holdsAfter }),
    ...(hangsUpAfter === undefined ? {} : { hangsUpAfter }),
  };
}
