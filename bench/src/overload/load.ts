import { setTimeout as rest } from 'node:timers/promises';
import { type Carrier, tcpCarrier, udpCarrier } from './caller.ts';
import { Counts } from './counts.ts';
import { registerPhone } from './phone.ts';
import { Clients } from './ws-callers.ts';

/** What the load process is told when it starts. */
export interface LoadSetting {
  readonly over: 'udp' | 'tcp' | 'websocket';
  readonly sip: number;
  readonly carrierPort: number;
  readonly url: string;
  readonly domain: string;
  readonly phone: { readonly userName: string; readonly password: string };
  readonly number: string;
  readonly users: readonly { readonly login: string; readonly passwd: string }[];
}

export interface LoadStep {
  readonly perSecond: number;
  readonly ms: number;
  /** How long calls of the step may still end. */
  readonly tailMs: number;
}

export interface StepResult {
  readonly offered: number;
  readonly good: number;
  readonly refusals: number;
  readonly refusedMs: { readonly p50: number; readonly p95: number };
  readonly silentRefusals: number;
  readonly other: Readonly<Record<number, number>>;
  readonly lost: number;
  readonly unfinished: number;
  readonly setUpMs: { readonly p50: number; readonly p95: number };
  readonly options: { readonly sent: number; readonly answered: number; readonly p95: number };
  /** How late this process was with its own work, at worst: a late generator is no judge. */
  readonly lateMs: number;
}

const OPTIONS_EVERY_MS = 250;

const percentile = (samples: readonly number[], p: number): number =>
  [...samples].sort((a, b) => a - b)[Math.min(samples.length - 1, Math.floor(p * samples.length))] ?? 0;

async function main(): Promise<void> {
  const setting = await new Promise<LoadSetting>((resolve) => process.once('message', resolve));
  const { over, sip, carrierPort, number, url, users, domain, phone: who } = setting;
  const phone = await registerPhone(sip, domain, who.userName, who.password);
  // The live call is a carrier's by UDP whatever brings the load: what passes by another socket must stay alive, too.
  const watched = await udpCarrier(carrierPort, sip, number);
  const tcp = over === 'tcp' ? await tcpCarrier(sip, number) : null;
  const clients = over === 'websocket' ? await Clients.open(url, users, number) : null;
  const load: Pick<Carrier, 'tick' | 'live'> & { call(counts: Counts, now: number): unknown } =
    clients ?? tcp?.carrier ?? watched.carrier;
  const aside = new Counts();
  const live = watched.carrier.call(aside, performance.now());
  watched.carrier.hold(live);
  let each: ((now: number) => void) | undefined;
  setInterval(() => {
    const now = performance.now();
    phone.tick();
    watched.carrier.tick(now);
    if (load !== watched.carrier) load.tick(now);
    each?.(now);
  }, 2);
  while (!watched.carrier.isUp(live)) await rest(20);
  let cseq = 1;

  const step = async ({ perSecond, ms, tailMs }: LoadStep): Promise<StepResult> => {
    const counts = new Counts();
    const began = performance.now();
    const answered: number[] = [];
    let sent = 0;
    let late = 0;
    let last = began;
    let nextOptions = began;
    await new Promise<void>((resolve) => {
      each = (now) => {
        late = Math.max(late, now - last);
        last = now;
        if (now >= nextOptions) {
          nextOptions += OPTIONS_EVERY_MS;
          sent += 1;
          watched.carrier.options(live, ++cseq, (after) => answered.push(after));
        }
        const due = Math.min((now - began) / 1000, ms / 1000) * perSecond;
        while (counts.offered < due) load.call(counts, now);
        if (now - began >= ms) resolve();
      };
    });
    each = undefined;
    const end = performance.now() + tailMs;
    const isOver = (): boolean => load.live <= (load === watched.carrier ? 1 : 0);
    while ((!isOver() || answered.length < sent) && performance.now() < end) await rest(20);
    const { offered, good, refusals, silentRefusals, otherRefusals: other, lost, hungUp, setUp } = counts;
    const others = Object.values(other).reduce((sum, n) => sum + n, 0);
    return {
      offered,
      good,
      refusals: refusals.length,
      refusedMs: { p50: percentile(refusals, 0.5), p95: percentile(refusals, 0.95) },
      silentRefusals,
      other,
      lost: lost + hungUp,
      unfinished: offered - good - refusals.length - others - lost - hungUp,
      setUpMs: { p50: percentile(setUp, 0.5), p95: percentile(setUp, 0.95) },
      options: { sent, answered: answered.length, p95: percentile(answered, 0.95) },
      lateMs: late,
    };
  };

  process.on('message', (wanted: LoadStep) => {
    void step(wanted).then((result) => process.send?.(result));
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.('ready');
}

void main();
