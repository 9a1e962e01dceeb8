import { randomInt } from 'node:crypto';
import { type BackEnd, type Fate, isTaken } from './back-end.ts';
import { CommandedCrowd, type CommandedLeg } from './commanded-crowd.ts';
import { processOf } from './crowd.ts';
import { freeRange, interfaceAddress } from './ports.ts';
import { TestServer } from './server.ts';
import { pause, until } from './wait.ts';
import { Judge, type Life, type Span, type Verdict } from './webhook-verdict.ts';

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
  /** Between two absences of the receiver; it is gone for 4 s. */
  readonly goneEveryMs: number;
  readonly print: (line: string) => void;
}

export interface FaultResult extends Verdict {
  readonly kills: number;
  readonly absences: number;
  readonly givenUp: number;
  /** Calls that ended although nobody hung up, in words. */
  readonly ended: readonly string[];
  /** Calls whose client was not heard when it came back, was offered its call anew, and took it. */
  readonly offeredAnew: number;
  readonly seconds: number;
}

const GONE_MS = 4_000;
const PROGRESS_MS = 10_000;
/** Of so many callers one is not heard when it comes back, and is offered its call anew. */
const QUIET_ONE_IN = 5;

/** In a hundred requests; the rest is taken at once. */
const OF_HUNDRED: readonly (readonly [Fate, number])[] = [
  ['refused', 13],
  ['reset', 13],
  ['silent', 4],
  ['slow', 6],
];

/**
 * Calls that are answered, press digits and are hung up by a back end that fails three times in ten, is slow and goes away, while signalling is
 * killed again and again. Then everything that was done is looked for among what was taken.
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
    return await new Faults(run, server, crowd).result();
  } catch (error) {
    if (error instanceof Error) error.message = `${error.message}\n${server.log}`;
    throw error;
  } finally {
    crowd.close();
    await server.kill();
  }
}

class Faults {
  readonly #run: FaultRun;
  readonly #server: TestServer;
  readonly #crowd: CommandedCrowd;
  readonly #backEnd: BackEnd;
  readonly #lives: Life[] = [];
  readonly #deaths: number[] = [];
  readonly #absences: Span[] = [];
  readonly #ended: string[] = [];
  readonly #began = performance.now();
  #begun = 0;
  #offeredAnew = 0;
  #over = false;

  constructor(run: FaultRun, server: TestServer, crowd: CommandedCrowd) {
    this.#run = run;
    this.#server = server;
    this.#crowd = crowd;
    this.#backEnd = crowd.backEnd;
  }

  async result(): Promise<FaultResult> {
    const { calls } = this.#run;
    this.#backEnd.fateOf = fates(this.#run.mostFailures);
    const beside = [
      this.#every(this.#run.killEveryMs, () => this.#kill()),
      this.#every(this.#run.goneEveryMs, () => this.#go()),
      this.#every(PROGRESS_MS, () => this.#tell()),
    ];
    try {
      await Promise.all(Array.from({ length: calls }, (_, i) => this.#caller(i)));
    } finally {
      this.#over = true;
      await Promise.all(beside);
    }
    this.#run.print(`${this.#second()}: all is done; what is on its way comes yet`);
    const [stored, givenUp] = await this.#comesToRest();
    const judge = new Judge(this.#backEnd, this.#absences, this.#deaths);
    return {
      ...judge.verdict(this.#lives, stored, givenUp),
      kills: this.#deaths.length,
      absences: this.#absences.length,
      givenUp: givenUp.size,
      ended: this.#ended,
      offeredAnew: this.#offeredAnew,
      seconds: (performance.now() - this.#began) / 1000,
    };
  }

  // ---- what goes wrong

  /** Acts again and again until the calls are over. */
  async #every(ms: number, act: () => void | Promise<void>): Promise<void> {
    for (let next = this.#began + ms; !this.#over; ) {
      await pause(50);
      if (performance.now() < next) continue;
      await act();
      next += ms;
    }
  }

  #kill(): void {
    const pid = processOf(this.#server, 'signalling');
    if (pid === undefined) return;
    this.#deaths.push(performance.now());
    process.kill(pid, 'SIGKILL');
    this.#run.print(`${this.#second()}: death ${this.#deaths.length} of signalling`);
  }

  async #go(): Promise<void> {
    const from = performance.now();
    await this.#backEnd.leave();
    await pause(GONE_MS);
    await this.#backEnd.comeBack();
    this.#absences.push({ from, to: performance.now() });
  }

  // ---- what is done

  async #caller(i: number): Promise<void> {
    const { calls, rampMs, digits, events, perSecond } = this.#run;
    // All at once would be a load of its own.
    await pause((i / calls) * rampMs);
    for (let n = 0; this.#begun * (3 + digits) < events; n++) {
      this.#begun += 1;
      const leg = await this.#placed(i, n);
      leg.call.quiet = i % QUIET_ONE_IN === 0;
      const life: Life = { leg, digits: [] };
      this.#lives.push(life);
      for (let d = 0; d < digits && leg.call.state === 'active'; d++) {
        await pause((randomInt(1_000, 3_000) * calls) / perSecond / 2);
        await dial(life, String(d % 10));
      }
      if (leg.call.attached > 0) this.#offeredAnew += 1;
      if (leg.call.state !== 'active') this.#ended.push(`${leg.control}: ${leg.call.cause}`);
      await this.#backEnd.command(leg.control, 'hangup');
      await until('the end of a call', () => leg.call.state === 'over', { limitMs: 120_000 });
      leg.client.calls.delete(leg.call.id);
    }
  }

  /** A call that is up. One that nobody had answered when signalling died is over, and made again. */
  async #placed(i: number, n: number): Promise<CommandedLeg> {
    const crowd = this.#crowd;
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

  // ---- how it goes

  #second(): string {
    return `${Math.round((performance.now() - this.#began) / 1000)} s`.padStart(6);
  }

  #tell(): void {
    const { events, requests } = this.#backEnd;
    const made = this.#lives.reduce((sum, { digits }) => sum + 2 + digits.length, 0);
    this.#run.print(
      `${this.#second()}: ${this.#lives.length} calls of ${this.#begun} begun, some ${made} events, ${events.length} taken in ${requests.length} requests`,
    );
  }

  /** Waits until nothing has come for longer than any pause between two tries. */
  async #comesToRest(): Promise<[Set<string>, Set<string>]> {
    const backEnd = this.#backEnd;
    const told = (): number =>
      this.#lives.filter(({ leg }) => backEnd.of(leg.control, 'call.hangup').length > 0).length;
    let [stored, givenUp] = [new Set<string>(), new Set<string>()];
    await until(
      'all events to be taken',
      async () => {
        if (told() < this.#lives.length) return false;
        stored = await backEnd.stored();
        givenUp = await backEnd.givenUp();
        const ids = new Set(backEnd.events.map(({ id }) => id));
        return [...stored].every((id) => ids.has(id) || givenUp.has(id));
      },
      { limitMs: 400_000, everyMs: 1_000 },
      // What is missing is judged.
    ).catch(() => undefined);
    return [stored, givenUp];
  }
}

/** What becomes of the next request of an event, which fails so often at most. */
function fates(mostFailures: number): (id: string) => Fate {
  const failures = new Map<string, number>();
  return (id) => {
    let dice = randomInt(100);
    const found = OF_HUNDRED.find(([, share]) => {
      dice -= share;
      return dice < 0;
    });
    const fate = found?.[0] ?? 'taken';
    if (isTaken(fate)) return fate;
    const before = failures.get(id) ?? 0;
    failures.set(id, before + 1);
    return before < mostFailures ? fate : 'taken';
  };
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
