import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoadSetting, LoadStep, StepResult } from './overload/load.ts';
import { childOf, cpuOf, rssOf } from './processes.ts';
import { freePort, startSidetone } from './product.ts';

/**
 * Calls of half a second to a registered phone, offered at a steady rate whatever comes of them: by a carrier over UDP and TCP, and by
 * clients over WebSocket. First the peak: the most good calls a second of a ladder of rates. Then twice and five times as many, then
 * half as many at once. Beside it one answered call whose carrier sends OPTIONS in the dialog four times a second.
 * Ratios are of one run: load and server share the machine. So it is told what CPU each took: a load near a whole one is no judge.
 */
const LADDER = [100, 150, 200, 250, 300, 400, 500, 600];
const LADDER_MS = 5_000;
const OVER_MS = 20_000;
const AFTER_MS = 10_000;
const TAIL_MS = 4_000;
const DOMAIN = 'bench.test';
const NUMBER = '+15557654321';
const USERS = 40;
const PASSWORD = 'bench-password';

interface Load {
  readonly pid: number;
  step(step: LoadStep): Promise<StepResult>;
  stop(): Promise<void>;
}

async function startLoad(setting: LoadSetting): Promise<Load> {
  const child = fork(fileURLToPath(new URL('./overload/load.ts', import.meta.url)), {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const heard = async <T>(): Promise<T> => (await once(child, 'message'))[0] as T;
  child.send(setting);
  await heard();
  return {
    pid: child.pid ?? -1,
    step: (step) => {
      child.send(step);
      return heard<StepResult>();
    },
    stop: async () => {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

async function measure(over: LoadSetting['over'], print: (line: string) => void): Promise<void> {
  const [sip, carrierPort] = await Promise.all([freePort(), freePort()]);
  const users = Array.from({ length: USERS }, (_, i) => ({ login: `user${i}`, passwd: PASSWORD }));
  const product = await startSidetone({
    domain: DOMAIN,
    sip: { udp: sip, tcp: sip },
    media: { address: '127.0.0.1', ports: [40000, 43999], rtp_timeout_seconds: 3600 },
    connections: [
      { user_name: 'desk', password: PASSWORD, numbers: [NUMBER] },
      ...users.map(({ login }) => ({ user_name: login, password: PASSWORD })),
    ],
    trunks: [{ name: 'carrier', host: '127.0.0.1', port: carrierPort, prefixes: ['+999'] }],
  });
  try {
    const load = await startLoad({
      over,
      sip,
      carrierPort,
      url: product.url.replace('http', 'ws'),
      domain: DOMAIN,
      phone: { userName: 'desk', password: PASSWORD },
      number: NUMBER,
      users,
    });
    const signalling = childOf(product.pid, 'signalling-process');
    /** Good calls for a second of CPU of the signalling process: what a busy machine takes away is not in it. */
    let efficiency = 0;
    let [peak, atPeak] = [0, 0];
    /** CPU of a refusal in µs: what remains when each good call has taken what it takes at the peak. */
    let refusal = 0;
    const step = async (name: string, perSecond: number, ms: number): Promise<number> => {
      const [before, loadBefore] = [cpuOf(signalling), cpuOf(load.pid)];
      const r = await load.step({ perSecond, ms, tailMs: TAIL_MS });
      const cpu = cpuOf(signalling) - before;
      const loadShare = (cpuOf(load.pid) - loadBefore) / (ms / 1000);
      const good = r.good / (ms / 1000);
      efficiency = r.good / Math.max(0.01, cpu);
      refusal = ((cpu - r.good / atPeak) / Math.max(1, r.refusals)) * 1e6;
      const { sent, answered } = r.options;
      const refused =
        r.refusals === 0
          ? ''
          : `; ${r.refusals} × 503 after p50 ${r.refusedMs.p50.toFixed(0)} p95 ${r.refusedMs.p95.toFixed(0)} ms, ${r.silentRefusals} without Retry-After`;
      print(
        `${over.padEnd(9)} ${name.padEnd(8)} ${String(perSecond).padStart(5)}/s offered: ${good.toFixed(1).padStart(6)} good/s` +
          `, answered after p50 ${r.setUpMs.p50.toFixed(0)} p95 ${r.setUpMs.p95.toFixed(0)} ms${refused}` +
          `; lost ${r.lost}, unfinished ${r.unfinished}, other ${JSON.stringify(r.other)}` +
          `; OPTIONS ${answered} of ${sent}, p95 ${r.options.p95.toFixed(0)} ms` +
          `; ${((cpu / Math.max(1, r.good)) * 1000).toFixed(1)} ms CPU a good call, ${(rssOf(signalling) / 2 ** 20).toFixed(0)} MiB; load ${(100 * loadShare).toFixed(0)} % of a CPU, late ${r.lateMs.toFixed(0)} ms`,
      );
      return good;
    };
    let poor = 0;
    await step('warm-up', 60, 3_000);
    for (const rate of LADDER) {
      const good = await step('ladder', rate, LADDER_MS);
      if (good > peak) [peak, atPeak] = [good, efficiency];
      // One step may meet a bad moment of the machine, two do not.
      poor = good < rate * 0.7 ? poor + 1 : 0;
      if (poor === 2) break;
    }
    const ratios: string[] = [];
    for (const times of [2, 5]) {
      const good = await step(`${times}x`, Math.round(times * peak), OVER_MS);
      const perCpu = (efficiency / atPeak).toFixed(2);
      ratios.push(
        `${(good / peak).toFixed(2)} of it at ${times}x (${perCpu} for a second of CPU; ${refusal.toFixed(0)} µs a refusal)`,
      );
    }
    // What is offered right afterwards: the first five seconds are its own to recover.
    await step('after', Math.round(peak / 2), AFTER_MS / 2);
    const after = await step('after 5 s', Math.round(peak / 2), AFTER_MS / 2);
    print(
      `${over.padEnd(9)} peak ${peak.toFixed(0)} good calls/s; ${ratios.join(', ')}; ` +
        `${((100 * after) / Math.round(peak / 2)).toFixed(1)} % good from 5 s after`,
    );
    await load.stop();
  } finally {
    await product.stop();
  }
}

export async function run(print: (line: string) => void): Promise<void> {
  print(`calls of 0.5 s to a phone by UDP; steps of ${LADDER_MS / 1000} s, overload of ${OVER_MS / 1000} s`);
  const named = process.env['BENCH_OVER']?.split(',') ?? ['udp', 'tcp', 'websocket'];
  for (const over of ['udp', 'tcp', 'websocket'] as const)
    if (named.includes(over)) await measure(over, print);
}
