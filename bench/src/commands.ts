import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import { ParkedCalls } from './parked-calls.ts';
import { childOf, cpuOf } from './processes.ts';

/**
 * What a back end's commands cost, by real HTTP with connections kept open, and what a call that is commanded costs beside a plain one: CPU of
 * the signalling process alone, and lines and bytes of its journal. Media stands still: nobody speaks.
 */
const IN_FLIGHT = 16;
const WARM = 500;
const UPDATES = 3_000;
const CALLS = 60;
const WARM_CALLS = 30;
const LEGS = 20;

type Print = (line: string) => void;

async function each(count: number, step: (i: number) => Promise<unknown>): Promise<void> {
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun < count) await step(begun++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

/** Lines and bytes that the journal grew by; `undefined` when it was written anew meanwhile. */
interface Growth {
  readonly lines: number;
  readonly bytes: number;
}

class JournalGauge {
  readonly #path: string;
  #inode = 0;
  #size = 0;

  constructor(path: string) {
    this.#path = path;
  }

  mark(): void {
    const { ino, size } = statSync(this.#path);
    this.#inode = ino;
    this.#size = size;
  }

  since(): Growth | undefined {
    const { ino, size } = statSync(this.#path);
    if (ino !== this.#inode || size < this.#size) return undefined;
    const added = readFileSync(this.#path).subarray(this.#size, size);
    return { lines: added.filter((byte) => byte === 10).length, bytes: added.length };
  }
}

/** A client's call to a client, answered and ended by the caller. */
async function plainCall(calls: ParkedCalls): Promise<void> {
  const answered = new Promise<void>((resolve) => {
    calls.plain.heard = (method) => method === 'telnyx_rtc.answer' && resolve();
  });
  const ended = calleeHears(calls);
  const call = await calls.plain.invite('called1');
  await answered;
  await calls.plain.inCall('bye', call, { cause: 'NORMAL_CLEARING', causeCode: 16 });
  await ended;
}

/** The callee of this bench is told that its call is over. */
function calleeHears(calls: ParkedCalls): Promise<void> {
  const before = calls.called.heard;
  return new Promise((resolve) => {
    calls.called.heard = (method, params) => {
      before(method, params);
      if (method !== 'telnyx_rtc.bye') return;
      calls.called.heard = before;
      resolve();
    };
  });
}

/** A client's call that is parked, answered, bridged with a leg that was dialled, and hung up at both ends by commands. */
async function commandedCall(calls: ParkedCalls): Promise<void> {
  const { control } = await calls.park();
  const answered = calls.next('call.answered', control);
  await calls.command(control, 'answer');
  await answered;
  const other = await calls.dial(control);
  const bridged = calls.next('call.bridged', other);
  await calls.command(control, 'bridge', { call_control_id: other });
  await bridged;
  const over = [calls.next('call.hangup', control), calls.next('call.hangup', other)];
  await calls.command(control, 'hangup');
  await Promise.all(over);
}

/** A parked call that is answered and hung up. */
async function shortCall(calls: ParkedCalls): Promise<void> {
  const { control } = await calls.park();
  const answered = calls.next('call.answered', control);
  await calls.command(control, 'answer');
  await answered;
  const over = calls.next('call.hangup', control);
  await calls.command(control, 'hangup');
  await over;
}

/** The middle of what calls one by one cost. */
async function life(
  what: string,
  calls: ParkedCalls,
  signalling: number,
  gauge: JournalGauge,
  print: Print,
  step: (calls: ParkedCalls) => Promise<void>,
): Promise<void> {
  for (let i = 0; i < WARM_CALLS; i++) await step(calls);
  await rest(1_000);
  const growths: Growth[] = [];
  const heard = calls.heard.length;
  const before = cpuOf(signalling);
  for (let i = 0; i < CALLS; i++) {
    gauge.mark();
    await step(calls);
    // What ends behind the last event: records, events that are stored.
    await rest(60);
    const growth = gauge.since();
    if (growth !== undefined) growths.push(growth);
  }
  const cpu = cpuOf(signalling) - before;
  const middle = (of: (growth: Growth) => number): number =>
    growths.map(of).sort((a, b) => a - b)[Math.floor(growths.length / 2)] ?? Number.NaN;
  print(
    `${what.padEnd(44)} ${((cpu / CALLS) * 1000).toFixed(1)} ms CPU of signalling, ${middle((g) => g.lines)} lines and ` +
      `${middle((g) => g.bytes)} bytes of journal, ${(calls.heard.length - heard) / CALLS} webhooks (${CALLS} calls one by one)`,
  );
}

/** Parked calls that are answered, by their control ids. */
async function upLegs(calls: ParkedCalls): Promise<string[]> {
  const legs: string[] = [];
  for (let i = 0; i < LEGS; i++) {
    const { control } = await calls.park();
    const answered = calls.next('call.answered', control);
    await calls.command(control, 'answer');
    await answered;
    legs.push(control);
  }
  return legs;
}

export async function run(print: Print): Promise<void> {
  const calls = await ParkedCalls.start(IN_FLIGHT);
  try {
    const signalling = childOf(calls.product.pid, 'signalling-process');
    const gauge = new JournalGauge(join(calls.product.dataDir, 'journal'));
    print(
      `${IN_FLIGHT} requests in flight; CPU of the signalling process with all its threads; webhooks to a receiver on loopback`,
    );
    await life('plain call, client to client', calls, signalling, gauge, print, plainCall);
    await life('parked, answered, hung up', calls, signalling, gauge, print, shortCall);
    await life('parked, answered, dialled, bridged, hung up', calls, signalling, gauge, print, commandedCall);

    let legs: string[] = [];
    const update = (i: number): Promise<void> =>
      calls.command(legs[i % LEGS]!, 'client_state_update', { client_state: btoa(`state ${i}`) });
    const read = async (i: number): Promise<void> => {
      const { status } = await calls.api.ask('GET', `/calls/${legs[i % LEGS]}`);
      if (status !== 200) throw new Error(`GET: ${status}`);
    };
    for (const [what, step] of [
      ['client_state_update', update],
      ['GET /calls/{id}', read],
    ] as const) {
      // Calls without media do not last.
      legs = await upLegs(calls);
      await each(WARM, step);
      const before = cpuOf(signalling);
      const began = performance.now();
      await each(UPDATES, step);
      const seconds = (performance.now() - began) / 1000;
      const cpu = cpuOf(signalling) - before;
      print(
        `${what.padEnd(44)} ${Math.round(UPDATES / cpu)} for a second of CPU of signalling (${((cpu / UPDATES) * 1e6).toFixed(0)} µs each); ` +
          `${Math.round(UPDATES / seconds)}/s`,
      );
      // A client has room for 20 calls.
      for (const control of legs) {
        await calls.api.ask('POST', `/calls/${control}/actions/hangup`, {});
        await calls.next('call.hangup', control);
      }
    }
  } finally {
    await calls.stop();
  }
}
