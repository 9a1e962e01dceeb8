import type { Random } from '@sidetone/core';
import type { ClientHabits, Drop } from './browser.ts';
import type { CarrierHabits } from './carrier.ts';
import type { Weather } from './network.ts';

export type Kind =
  | 'client to carrier'
  | 'carrier to client'
  | 'client to client'
  | 'client to echo'
  | 'client to nobody'
  | 'client to back end'
  | 'carrier to back end';
export const KINDS: readonly Kind[] = [
  'client to carrier',
  'carrier to client',
  'client to client',
  'client to echo',
  'client to nobody',
  'client to back end',
  'carrier to back end',
];

/** Is a back end asked what becomes of the call? */
export const isProgrammed = (kind: Kind): boolean =>
  kind === 'client to back end' || kind === 'carrier to back end';

/** The application of the back end, and its number. */
export const APPLICATION = { id: '1900', number: '+13125550190' } as const;

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
  const caller = index === 0 && !kind.startsWith('carrier');
  const destination: Record<Kind, string> = {
    'client to carrier': '+18005550123',
    'client to client': random.int(2) === 0 ? 'line2@sip.test' : '+13125550101',
    'client to echo': '9196',
    'client to nobody': 'nobody@sip.test',
    'carrier to client': '',
    'carrier to back end': '',
    // Parked as it is, whatever it is.
    'client to back end': ['+18005550199', '9196', 'nobody@sip.test', '112'][random.int(4)]!,
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
    ...(caller
      ? { dials: destination[kind] }
      : twin && !isProgrammed(kind) && random.int(2) === 0
        ? { dials: '9196' }
        : {}),
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
  const cancelsAfter = kind.startsWith('carrier') ? maybe(random, 5, 4000) : undefined;
  const holdsAfter = maybe(random, 4, 2000);
  const hangsUpAfter = maybe(random, 2, 8000);
  return {
    ...(kind === 'carrier to client' ? { dials: '+13125550101' } : {}),
    ...(kind === 'carrier to back end' ? { dials: APPLICATION.number } : {}),
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

/** What a back end makes of calls. */
export interface BackEndHabits {
  /**
   * `dial`: bridges who was dialled when it has answered; `at once`: before; `on answer`: lets the platform do it; `ring group`: dials three
   * so; `conference`: makes one with the caller and dials into it; `meet`: all callers are dialled into one by its name; `queue`: the caller
   * waits in one, and those who are dialled wait, too, or take the first of it; `menu`: asks for digits, says what it has heard, then dials;
   * `nothing`: never commands.
   */
  readonly plan:
    | 'dial'
    | 'at once'
    | 'on answer'
    | 'ring group'
    | 'transfer'
    | 'conference'
    | 'meet'
    | 'queue'
    | 'menu'
    | 'reject'
    | 'nothing';
  /** Answers the caller first. */
  readonly answers: boolean;
  /** Who is left of a bridge is parked. */
  readonly park: boolean;
  /** How long it thinks about an event. */
  readonly thinks: number;
  /** Of eight commands so many are said twice at once. */
  readonly twice: number;
  /** Reacts again to an event that is told again. */
  readonly forgetful: boolean;
  /** Commands legs that are none of its own. */
  readonly confused: boolean;
  /** Commands that have nothing to do with where the call is. */
  readonly meddles: readonly {
    readonly after: number;
    readonly what: (typeof MEDDLES)[number];
  }[];
  /** Of eight requests so many are answered too late to be seen, and so many refused. */
  readonly loses: number;
  readonly refuses: number;
  /** It is not there: crashed, or new. What was told meanwhile it hears afterwards. */
  readonly deaf: { readonly from: number; readonly to: number } | null;
}

const PLANS = [
  'dial',
  'dial',
  'at once',
  'on answer',
  'on answer',
  'ring group',
  'transfer',
  'transfer',
  'conference',
  'conference',
  'meet',
  'queue',
  'queue',
  'menu',
  'menu',
  'menu',
  'reject',
  'nothing',
] as const;
/** `play into`: a conference. `late`: any of these, to a leg that is over. */
const MEDDLES = [
  'hangup',
  'bridge',
  'transfer',
  'steal',
  'answer',
  'supervise',
  'join',
  'part',
  'mute',
  'hold',
  'play into',
  'end',
  'enqueue',
  'leave',
  'take',
  'play',
  'play',
  'stop play',
  'gather',
  'gather',
  'stop gather',
  'refer',
  'refer',
  'late',
] as const;

export function drawBackEnd(random: Random): BackEndHabits {
  const from = random.int(12_000);
  return {
    plan: PLANS[random.int(PLANS.length)]!,
    answers: random.int(3) > 0,
    park: random.int(2) === 0,
    thinks: random.int(5) === 0 ? random.int(40_000) : random.int(400),
    twice: random.int(4),
    forgetful: random.int(5) === 0,
    confused: random.int(4) === 0,
    meddles: Array.from({ length: random.int(7) }, () => ({
      after: random.int(random.int(2) === 0 ? 2_000 : 20_000),
      what: MEDDLES[random.int(MEDDLES.length)]!,
    })),
    loses: random.int(3),
    refuses: random.int(3),
    deaf: random.int(4) === 0 ? { from, to: from + random.int(8_000) } : null,
  };
}
