import type { Random } from '@sidetone/core';
import type { ClientHabits, Drop } from './browser.ts';
import type { CarrierHabits } from './carrier.ts';
import type { Weather } from './network.ts';

export type Kind =
  | 'client to carrier'
  | 'carrier to client'
  | 'client to client'
  | 'client to echo'
  | 'client to nobody';
export const KINDS: readonly Kind[] = [
  'client to carrier',
  'carrier to client',
  'client to client',
  'client to echo',
  'client to nobody',
];

/** The client that shares the credential of the second one. */
export const TWIN = 2;

/** Half of them browsers. */
const AGENTS = [
  'Web-2.27.10',
  'Web-2.27.10',
  'Web-2.25.10',
  'Sidetone-0.1.0',
  'iOS-4.1.2',
  'Android-3.7.0',
  'Flutter-4.4.0',
  'ReactNative-1.1.0',
] as const;

/** How long a process that is to die waits for something to die of. */
export const PATIENCE_MS = 2000;

/** One death of the signalling process. */
export interface Restart {
  readonly at: number;
  /** Outputs that are still carried out after that instant: it dies between two of them. */
  readonly outputs: number;
  /** How long nobody is there. */
  readonly away: number;
  /** Announced: sockets are closed first. */
  readonly handover: boolean;
}

/**
 * In most runs one restart, in some two (the second into the recovery from the first) or none, in the busy time of the calls; in some a
 * late one, when nothing has moved for long.
 */
export function drawRestarts(random: Random): readonly Restart[] {
  const count = [0, 1, 1, 1, 2][random.int(5)]!;
  let at = 300 + random.int(9000);
  const draw = (): Restart => ({
    at,
    outputs: random.int(3) === 0 ? 0 : 1 + random.int(15),
    away: 200 + random.int(2800),
    handover: random.int(4) === 0,
  });
  const restarts = Array.from({ length: count }, () => {
    const restart = draw();
    at += restart.away + PATIENCE_MS + random.int(4000);
    return restart;
  });
  if (random.int(5) > 0) return restarts;
  at = 60_000 + random.int(150_000);
  return [...restarts, draw()];
}

export function drawWeather(random: Random): Weather {
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

export function drawClient(random: Random, kind: Kind, index: number): ClientHabits {
  const twin = index === TWIN;
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
  const agent = AGENTS[random.int(AGENTS.length)]!;
  const forgetsByes = random.int(4) === 0 && agent.startsWith('Web-');
  return {
    agent,
    ...(caller ? { dials: destination[kind] } : twin && random.int(2) === 0 ? { dials: '9196' } : {}),
    forgetsByes,
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

export function drawCarrier(random: Random, kind: Kind): CarrierHabits {
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
