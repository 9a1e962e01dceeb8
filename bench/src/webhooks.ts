import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as rest } from 'node:timers/promises';
import { percentile } from './conditions.ts';
import { type BenchClient, ParkedCalls } from './parked-calls.ts';
import { childOf, cpuOf } from './processes.ts';

/**
 * From an event to its first delivery: digits of parked calls, 200 a second, to a receiver on loopback that answers at once. The event's own time
 * and that of its arrival are of one clock. How late this process was is told beside it, since it is the receiver.
 */
const PER_SECOND = 200;
const CLIENTS = 8;
const LEGS = 32;
const WARM_MS = 2_000;
const RUN_MS = 8_000;
const STEP_MS = 10;

export async function run(print: (line: string) => void): Promise<void> {
  const calls = await ParkedCalls.start(16);
  try {
    const signalling = childOf(calls.product.pid, 'signalling-process');
    // One client may say so much a second, and has room for 20 calls.
    const clients: BenchClient[] = [];
    for (let i = 0; i < CLIENTS; i++) clients.push(await calls.anotherClient());
    const parked: [client: BenchClient, call: string][] = [];
    for (let i = 0; i < LEGS; i++) {
      const client = clients[i % CLIENTS]!;
      const { call, control } = await calls.park(client);
      const answered = calls.next('call.answered', control);
      await calls.command(control, 'answer');
      await answered;
      parked.push([client, call]);
    }
    let sent = 0;
    const sending = async (ms: number): Promise<void> => {
      const began = performance.now();
      const first = sent;
      for (let now = began; now < began + ms; now = performance.now()) {
        const due = first + ((now - began) / 1000) * PER_SECOND;
        for (; sent < due; sent++) {
          const [client, call] = parked[sent % LEGS]!;
          void client.inCall('info', call, { dtmf: '5' });
        }
        await rest(STEP_MS);
      }
      // What is on its way comes yet.
      await rest(1_000);
    };
    await sending(WARM_MS);
    calls.heard.length = 0;
    const delay = monitorEventLoopDelay({ resolution: 1 });
    const before = { sent, cpu: cpuOf(signalling) };
    delay.enable();
    await sending(RUN_MS);
    delay.disable();
    const cpu = cpuOf(signalling) - before.cpu;
    const count = sent - before.sent;
    const late = calls.heard.map(({ lateMs }) => lateMs);
    print(
      `event → first delivery at ${PER_SECOND} events/s of ${LEGS} calls: p50 ${percentile(late, 0.5).toFixed(1)} ms, p95 ${percentile(late, 0.95).toFixed(1)} ms, ` +
        `p99 ${percentile(late, 0.99).toFixed(1)} ms, max ${Math.max(...late).toFixed(1)} ms (${late.length} of ${count}); goal p99 ≤ 50 ms`,
    );
    print(
      `signalling ${((cpu / count) * 1000).toFixed(2)} ms CPU for a digit with its webhook; this process was late by p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms, ` +
        `max ${(delay.max / 1e6).toFixed(1)} ms`,
    );
    for (const client of clients) client.close();
  } finally {
    await calls.stop();
  }
}
