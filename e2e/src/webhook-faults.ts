import { randomInt } from 'node:crypto';
import type { BackEnd, Fate, Told } from './back-end.ts';
import { CommandedCrowd, type CommandedLeg } from './commanded-crowd.ts';
import { processOf } from './crowd.ts';
import { freeRange, interfaceAddress } from './ports.ts';
import { TestServer } from './server.ts';
import { pause, until } from './wait.ts';

export interface FaultRun {
  /** So many events at least. */
  readonly events: number;
  /** Calls at a time. */
  readonly calls: number;
  /** Digits of a call, each of which is an event. */
  readonly digits: number;
  /** Digits a second, of all calls. */
  readonly perSecond: number;
  /** Calls begin one after the other, over this time. */
  readonly rampMs: number;
  /** So often at most the receiver fails one event. */
  readonly mostFailures: number;
  /** Between two deaths of signalling; of the first one, too. */
  readonly killEveryMs: number;
  readonly print: (line: string) => void;
}

export interface FaultResult {
  readonly events: number;
  readonly legs: number;
  readonly requests: number;
  readonly fates: Readonly<Record<Fate, number>>;
  readonly kills: number;
  /** Calls whose client was not heard when it came back and was offered its call anew, which the clients in here do not take. */
  readonly offeredAnew: number;
  readonly sentAgain: number;
  /** What should have come and did not, in words. */
  readonly lost: readonly string[];
  readonly twice: number;
  /** What came before something that it had to wait for, in words. */
  readonly disorder: readonly string[];
  /** Pairs that came the other way round because the first one was slow or had failed three times, as documented. */
  readonly overtaken: number;
  readonly seconds: number;
}

/** One leg: what was done to it, in order. */
interface Life {
  readonly leg: CommandedLeg;
  /** Digits, and how often each may have been told: one whose reply a death swallowed was sent again. */
  readonly digits: { readonly digit: string; readonly least: number; readonly most: number }[];
}

/** docs/webhooks.md: what a lane waits for. */
const MOST_FAILURES = 3;
const LONGEST_HOLD_MS = 11_000;
/** A request is seen so much later than it left, at most. */
const WAY_MS = 500;

/**
 * Calls that are answered, press digits and are hung up by a back end that fails three times in ten, while signalling is killed again and
 * again. Then everything that was done is looked for among what was taken.
 */
export async function webhookFaults(run: FaultRun): Promise<FaultResult> {
  const server = await TestServer.start({
    config: {
      media: { address: interfaceAddress(), ports: await freeRange(run.calls * 4) },
      webhooks: { allow: ['127.0.0.1'] },
      limits: { api_requests_per_minute: 1_000_000 },
      log: { level: 'warn' },
    },
  });
  // Sound is not what is looked at here.
  const crowd = await CommandedCrowd.start(server, 10);
  try {
    return await faults(run, server, crowd);
  } catch (error) {
    if (error instanceof Error) error.message = `${error.message}\n${server.log}`;
    throw error;
  } finally {
    crowd.close();
    await server.kill();
  }
}

async function faults(run: FaultRun, server: TestServer, crowd: CommandedCrowd): Promise<FaultResult> {
  const { backEnd } = crowd;
  const lives: Life[] = [];
  const began = performance.now();
  let kills = 0;
  let offeredAnew = 0;
  let begun = 0;
  let over = false;
  const failures = new Map<string, number>();
  backEnd.fateOf = (id) => {
    const dice = randomInt(100);
    const before = failures.get(id) ?? 0;
    if (dice >= 30 || before >= run.mostFailures) return 'taken';
    failures.set(id, before + 1);
    if (dice < 10) return 'refused';
    return dice < 20 ? 'reset' : 'silent';
  };
  const killing = (async () => {
    for (let next = began + run.killEveryMs; !over; ) {
      await pause(50);
      if (performance.now() < next) continue;
      const pid = processOf(server, 'signalling');
      if (pid === undefined) continue;
      process.kill(pid, 'SIGKILL');
      kills += 1;
      run.print(`death ${kills}: ${backEnd.events.length} events taken of ${made(lives)} made by calls`);
      next += run.killEveryMs;
    }
  })();
  const caller = async (i: number): Promise<void> => {
    // All at once would be a load of its own.
    await pause((i / run.calls) * run.rampMs);
    for (let n = 0; begun * (3 + run.digits) < run.events; n++) {
      begun += 1;
      const leg = await placed(crowd, i, n);
      const life: Life = { leg, digits: [] };
      lives.push(life);
      for (let d = 0; d < run.digits && leg.call.state === 'active'; d++) {
        await pause((randomInt(1_000, 3_000) * run.calls) / run.perSecond / 2);
        await dial(life, String(d % 10));
      }
      if (leg.call.attaches > 0) offeredAnew += 1;
      else if (leg.call.state !== 'active') throw new Error(`a call ended by itself: ${leg.call.cause}`);
      await backEnd.command(leg.control, 'hangup');
      await until('the end of a call', () => leg.call.state === 'over', { limitMs: 120_000 });
      leg.client.calls.delete(leg.call.id);
    }
  };
  try {
    await Promise.all(Array.from({ length: run.calls }, (_, i) => caller(i)));
  } finally {
    over = true;
    await killing;
  }
  run.print(
    `all is done after ${Math.round((performance.now() - began) / 1000)} s; what is on its way comes yet`,
  );
  const last = await comesToRest(backEnd, lives);
  const seconds = (performance.now() - began) / 1000;
  return { ...judged(backEnd, lives, last), kills, offeredAnew, seconds };
}

/** Initiated, answered, digits, hang-up. */
const made = (lives: readonly Life[]): number =>
  lives.reduce((sum, { digits }) => sum + 3 + digits.length, 0);

/** A call that is up. One that nobody had answered when signalling died is over, and made again. */
async function placed(crowd: CommandedCrowd, i: number, n: number): Promise<CommandedLeg> {
  for (let again = 0; ; again++) {
    try {
      return await crowd.again(await crowd.clientOf(i), `+1312${randomInt(1_000_000, 10_000_000)}`);
    } catch (error) {
      if (again === 20 || crowd.closed) throw new Error(`call ${n} of caller ${i}: ${String(error)}`);
      // A server that just began may say that it is busy.
      await pause(1_000);
    }
  }
}

/** Presses a digit. A call that is over by now, or ends meanwhile, does not take it, or takes it and cannot say so. */
async function dial({ leg, digits }: Life, digit: string): Promise<void> {
  let again = 0;
  let sure = true;
  await leg.client
    .dtmf(leg.call, digit, () => (again += 1))
    .catch((error: unknown) => {
      if (!String(error).includes('CALL DOES NOT EXIST')) throw error;
      sure = false;
      leg.call.state = 'over';
    });
  if (sure || again > 0) digits.push({ digit, least: sure ? 1 : 0, most: again + 1 });
}

/** Waits until nothing has come for longer than any pause between two tries. */
async function comesToRest(backEnd: BackEnd, lives: readonly Life[]): Promise<Set<string>> {
  const told = (): number =>
    lives.filter(({ leg }) => backEnd.of(leg.control, 'call.hangup').length > 0).length;
  let stored = new Set<string>();
  await until(
    'all events to be taken',
    async () => {
      if (told() < lives.length) return false;
      stored = await backEnd.stored();
      const ids = new Set(backEnd.events.map(({ id }) => id));
      return [...stored].every((id) => ids.has(id));
    },
    { limitMs: 400_000, everyMs: 1_000, detail: () => `${told()} of ${lives.length} hang-ups` },
  ).catch(() => undefined);
  return stored;
}

function judged(
  backEnd: BackEnd,
  lives: readonly Life[],
  stored: ReadonlySet<string>,
): Omit<FaultResult, 'kills' | 'offeredAnew' | 'seconds'> {
  const tries = new Map<string, Told[]>();
  const fates = { taken: 0, refused: 0, reset: 0, silent: 0 };
  for (const request of backEnd.requests) {
    fates[request.fate] += 1;
    const known = tries.get(request.id);
    if (known === undefined) tries.set(request.id, [request]);
    else known.push(request);
  }
  const lost: string[] = [];
  const disorder: string[] = [];
  let overtaken = 0;
  const ids = new Set(backEnd.events.map(({ id }) => id));
  for (const id of stored) if (!ids.has(id)) lost.push(`event ${id} of the store`);
  for (const id of ids) if (!stored.has(id)) lost.push(`event ${id} in the store`);
  for (const { leg, digits } of lives) {
    const events = backEnd.of(leg.control);
    const inOrder = [...events].sort((a, b) => (a.occurredAt < b.occurredAt ? -1 : 1));
    for (const name of ['call.initiated', 'call.answered', 'call.hangup'])
      if (events.filter((event) => event.name === name).length !== 1) lost.push(`${name} of ${leg.control}`);
    const heard = inOrder
      .filter(({ name }) => name === 'call.dtmf.received')
      .map(({ payload }) => payload.digit);
    if (!explains(digits, heard)) lost.push(`digits of ${leg.control}: ${heard.join('')}`);
    if (inOrder[0]?.name !== 'call.initiated' || inOrder.at(-1)?.name !== 'call.hangup')
      disorder.push(`${leg.control}: ${inOrder.map(({ name }) => name).join(' ')}`);
    const happened = new Map(inOrder.map((event, n) => [event.id, n]));
    for (const [at, event] of events.entries())
      for (const later of events.slice(0, at)) {
        if (happened.get(later.id)! < happened.get(event.id)!) continue;
        if (letPass(tries.get(event.id)!, tries.get(later.id)![0]!.at)) overtaken += 1;
        else disorder.push(`${leg.control}: ${later.name} before ${event.name}`);
      }
  }
  return {
    events: ids.size,
    legs: lives.length,
    requests: backEnd.requests.length,
    fates,
    sentAgain: backEnd.sentAgain,
    lost,
    twice: backEnd.twice,
    disorder,
    overtaken,
  };
}

/** May a lane have gone on beside an event with these tries when another one left at `at`? */
function letPass(tries: readonly Told[], at: number): boolean {
  const before = tries.filter((one) => one.at < at);
  const failed = before.filter(({ fate }) => fate !== 'taken');
  return (
    failed.some(({ fate }) => fate === 'silent') ||
    failed.length >= MOST_FAILURES ||
    (before[0] !== undefined && at - before[0].at >= LONGEST_HOLD_MS - WAY_MS)
  );
}

/** Is what was heard what was pressed? */
function explains(digits: Life['digits'], heard: readonly string[]): boolean {
  let at = 0;
  for (const { digit, least, most } of digits) {
    let times = 0;
    while (times < most && heard[at] === digit) {
      times += 1;
      at += 1;
    }
    if (times < least) return false;
  }
  return at === heard.length;
}
