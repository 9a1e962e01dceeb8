/**
 * `npm run faults:webhooks [EVENTS]`: 10,000 events (or EVENTS) of calls of the running product, to a receiver that fails three times in ten, is
 * slow and goes away, while signalling is killed every 30 s. None may be lost, at most 1 % may come twice, all are signed, each leg keeps its
 * order and does not stand still. Exit status 1 otherwise.
 */
import { loadavg } from 'node:os';
import { webhookFaults } from '../e2e/src/webhook-faults.ts';

const events = Number(process.argv[2] ?? 10_000);
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const result = await webhookFaults({
  events,
  calls: 100,
  digits: 20,
  perSecond: 60,
  rampMs: 15_000,
  mostFailures: 5,
  killEveryMs: 30_000,
  goneEveryMs: 40_000,
  print,
});
const { fates } = result;
const share = (part: number, of: number): string => `${((100 * part) / of).toFixed(2)} %`;
print(
  `${result.events} events of ${result.legs} calls in ${result.seconds.toFixed(0)} s, ${result.kills} deaths of signalling, ` +
    `the receiver ${result.absences} times gone for 4 s`,
);
print(
  `${result.requests} requests: ${fates.taken} taken, ${fates.slow} taken slowly, ${fates.refused} × 500, ${fates.reset} reset, ` +
    `${fates.silent} without an answer; ${result.forged} without a good signature`,
);
print(
  `lost ${result.lost.length}, given up ${result.givenUp}; twice ${result.twice} (${share(result.twice, result.events)}); ` +
    `out of order ${result.disorder.length}, and ${result.overtaken} that overtook what was slow or had failed three times, ` +
    `${result.straight} of ${result.legs} lanes without any`,
);
print(
  `stuck ${result.stuck.length}, the longest wait for a first request ${(result.longestWaitMs / 1000).toFixed(1)} s; ` +
    `calls ended by themselves ${result.ended.length}, offered anew ${result.offeredAnew}; commands sent again ${result.sentAgain}; load ${loadavg()[0]!.toFixed(2)}`,
);
const wrong = [...result.lost, ...result.disorder, ...result.stuck, ...result.ended];
for (const line of wrong.slice(0, 20)) print(line);
const good = wrong.length + result.forged === 0 && result.twice <= result.events / 100;
process.exitCode = good && result.events >= events ? 0 : 1;
