/**
 * `npm run drops [-- --count 50 --seed N --sdk ours --lanes 3]`: calls from a real browser to a carrier over a line that cuts, stalls and moves,
 * with and without their media. Ends with 1 when ours misses its bars: every call back, median ≤ 1.5 s, worst ≤ 4 s.
 */
import { parseArgs } from 'node:util';
import type { SdkName } from '../src/page-host.ts';
import { Rig } from '../src/rig.ts';
import type { Measured } from './lane.ts';
import { kindOf, median, plan } from './plan.ts';
import { runDrops } from './run.ts';

const MEDIAN_MS = 1_500;
const WORST_MS = 4_000;

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '50' },
    seed: { type: 'string' },
    sdk: { type: 'string', multiple: true, default: ['ours', '2.27.10'] },
    lanes: { type: 'string', default: '3' },
    verbose: { type: 'boolean', default: false },
  },
});
const seed = values.seed === undefined ? Math.floor(Math.random() * 1e9) : Number(values.seed);
const drops = plan(Number(values.count), seed);
process.stdout.write(`${drops.length} drops of 1 to 15 s, seed ${seed}\n`);
const machine = new Map<string, readonly number[]>();
const table = new Map<string, readonly Measured[]>();
for (const sdk of values.sdk as SdkName[]) {
  const rig = await Rig.start({ lanes: Number(values.lanes) + 1 });
  try {
    const { drops: done, undisturbed } = await runDrops(
      rig,
      sdk,
      drops,
      Number(values.lanes),
      (one, report) => {
        process.stdout.write(
          `${sdk}  ${kindOf(one).padEnd(24)} outage ${(one.outageMs / 1_000).toFixed(1)} s: audio after ${one.audioMs ?? '-'} ms, later pause ${one.laterMs} ms, ready after ${one.readyMs ?? '-'} ms, gap ${one.gapAtCarrierMs} ms at the carrier, ${one.gapInPageMs} ms in the page (pauses above ${one.floorMs} ms)\n`,
        );
        if (values.verbose && report !== undefined) process.stdout.write(`${report}\n`);
      },
      true,
    );
    table.set(sdk, done);
    machine.set(sdk, undisturbed);
  } finally {
    await rig.stop();
  }
}

const kinds = [...new Set(drops.map(kindOf))].sort();
const cell = (list: readonly Measured[], of: (one: Measured) => number | null): string => {
  const there = list.map(of).filter((one) => one !== null);
  return there.length === 0 ? '-' : `${Math.round(median(there))} / ${Math.max(...there)}`;
};
const COLUMNS = [
  'drops',
  'calls back',
  'audio after return',
  'later pause',
  'ready after return',
  'gap at carrier',
  'gap in page',
];
const line = (head: string, cells: readonly string[]): void => {
  process.stdout.write(
    `${head.padEnd(36)}${cells.map((one, i) => one.padStart(COLUMNS[i]!.length + 3)).join('')}\n`,
  );
};
process.stdout.write('\nmilliseconds, median / worst\n');
line('', COLUMNS);
const row = (head: string, list: readonly Measured[]): void =>
  line(head, [
    String(list.length),
    String(list.filter(({ audioMs }) => audioMs !== null).length),
    cell(list, (one) => one.audioMs),
    cell(list, (one) => one.laterMs),
    cell(list, (one) => one.readyMs),
    cell(list, (one) => one.gapAtCarrierMs),
    cell(list, (one) => one.gapInPageMs),
  ]);
for (const [sdk, all] of table) {
  for (const kind of kinds)
    row(
      `${sdk.padEnd(8)} ${kind}`,
      all.filter((one) => kindOf(one) === kind),
    );
  row(`${sdk.padEnd(8)} all`, all);
  const pauses = machine.get(sdk) ?? [];
  process.stdout.write(
    `${sdk}: a call beside them without drops had ${pauses.length} pauses, the longest ${Math.max(0, ...pauses)} ms\n`,
  );
}
const ours = table.get('ours');
if (ours !== undefined) {
  const times = ours.map(({ audioMs }) => audioMs ?? Number.POSITIVE_INFINITY);
  const good = median(times) <= MEDIAN_MS && Math.max(...times) <= WORST_MS;
  process.stdout.write(
    `\nours: median ${median(times)} ms (bar ${MEDIAN_MS}), worst ${Math.max(...times)} ms (bar ${WORST_MS}): ${good ? 'met' : 'MISSED'}\n`,
  );
  process.exitCode = good ? 0 : 1;
}
