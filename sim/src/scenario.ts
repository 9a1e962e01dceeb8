import { type Random, seededRandom } from '@sidetone/core';
import type { Directory } from '@sidetone/wire';
import { type ClientHabits, PretendClient } from './browser.ts';
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
const LEAVE_AT = 120_000;
const STUCK_AT = 400_000;

export function runScenario(seed: number): Outcome {
  const random = seededRandom(seed);
  const world = new World();
  const kind = KINDS[random.int(KINDS.length)]!;
  const weather = drawWeather(random);
  const problems: string[] = [];
  const carrierHabits = drawCarrier(random, kind);
  const clientHabits = [drawClient(random, kind, 0), drawClient(random, kind, 1)];

  const clients = new Map<
    string,
    { client: PretendClient; down: ReturnType<typeof streamLink>; up: ReturnType<typeof streamLink> }
  >();
  const house: House = new House({
    world,
    random,
    directory: DIRECTORY,
    mediaFailureRate: random.int(10) === 0 ? 0.2 : 0,
    send: (bytes) => toCarrier(bytes),
    frame: (socket, text) => clients.get(socket)?.down.send(text),
    closeSocket: (socket) => cut(socket),
  });
  const toHouse = datagramLink(world, random, weather, (bytes) =>
    house.datagram(bytes, { transport: 'udp', ...CARRIER }),
  );
  const carrier = new PretendCarrier(world, random, carrierHabits, toHouse);
  const toCarrier = datagramLink(world, random, weather, (bytes) => carrier.datagram(bytes));

  const cut = (socket: string): void => {
    const end = clients.get(socket);
    if (end === undefined || end.client.state === 'gone') return;
    end.down.cut();
    end.up.cut();
    end.client.gone();
    house.post('vsp', { type: 'closed', socket });
  };

  for (const [i, habits] of clientHabits.entries()) {
    const socket = `socket-${i + 1}`;
    const up = streamLink(world, random, weather, (text) =>
      house.post('vsp', { type: 'frame', socket, text }),
    );
    const client = new PretendClient(world, random, `line${i + 1}`, habits, up.send);
    const down = streamLink(world, random, weather, (text) => client.receive(text));
    clients.set(socket, { client, up, down });
    // The callee is there before anybody calls.
    world.after(i === 0 ? 400 : 0, () => {
      house.post('vsp', { type: 'open', socket, query: {}, address: '192.0.2.9' });
      client.login(`line${i + 1}`, `password-${i + 1}`);
    });
    if (habits.vanishesAfter !== undefined) world.after(habits.vanishesAfter, () => cut(socket));
    world.after(LEAVE_AT, () => cut(socket));
  }
  if (kind === 'carrier to client') world.after(1500, () => carrier.start());

  while (world.next() !== null && world.now < STUCK_AT) world.step();

  if (world.next() !== null) problems.push(`still busy at ${world.now} ms`);
  const left = house.leftOver();
  if (left.voice !== 0) problems.push(`voice keeps ${left.voice}`);
  if (left.proxy !== 0) problems.push(`proxy keeps ${left.proxy}`);
  if (left.legs !== 0) problems.push(`media keeps ${left.legs} legs`);
  if (left.deadline !== null) problems.push(`a timer is left at ${left.deadline}`);
  if (carrier.size !== 0) problems.push(`the carrier keeps ${carrier.size}`);
  for (const [leg, state] of carrier.legs)
    if (state !== 'done') problems.push(`carrier leg ${leg} is ${state}`);
  for (const [socket, { client }] of clients) {
    problems.push(...client.problems.map((text) => `${socket}: ${text}`));
    if (client.unanswered > 0) problems.push(`${socket}: ${client.unanswered} requests without a reply`);
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
  return {
    ...(caller ? { dials: destination[kind] } : {}),
    answersAfter: random.int(3000),
    incoming: (['answer', 'answer', 'answer', 'reject', 'ignore'] as const)[random.int(5)]!,
    ...(givesUpAfter === undefined ? {} : { givesUpAfter }),
    ...(holdsAfter === undefined ? {} : { holdsAfter }),
    ...(hangsUpAfter === undefined ? {} : { hangsUpAfter }),
    ...(vanishesAfter === undefined ? {} : { vanishesAfter: vanishesAfter + 500 }),
    ...(digits === undefined ? {} : { digits }),
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
