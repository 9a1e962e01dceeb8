/**
 * `npm run conformance [-- --sdk ours --browser chromium --row TEXT]`: one table of what every SDK version does against our server.
 * Ends with 1 when a cell failed, or when an item of the inventory is neither shown by a row nor excused.
 */
import { parseArgs } from 'node:util';
import { PUBLISHED, type SdkName } from '../src/page-host.ts';
import { type Column, columnName, type Outcome, runColumn } from './column.ts';
import { CANNOT, uncovered } from './inventory.ts';
import { ROWS } from './rows.ts';

const COLUMNS: readonly Column[] = [
  ...(['ours', ...PUBLISHED] as const).map((sdk): Column => ({ sdk, browser: 'chromium' })),
  { sdk: 'ours', browser: 'firefox' },
];

const { values } = parseArgs({
  options: {
    sdk: { type: 'string', multiple: true },
    browser: { type: 'string' },
    row: { type: 'string' },
    'at-once': { type: 'string', default: '4' },
    verbose: { type: 'boolean', default: false },
  },
});
const columns = COLUMNS.filter(
  ({ sdk, browser }) =>
    (values.sdk === undefined || values.sdk.includes(sdk as SdkName)) &&
    (values.browser === undefined || values.browser === browser),
);
const rows = ROWS.filter(({ name }) => values.row === undefined || name.includes(values.row));
const started = performance.now();
const gaps = uncovered(ROWS);
for (const gap of gaps) process.stdout.write(`not covered by any row: ${gap}\n`);

const table = new Map<string, ReadonlyMap<string, Outcome>>();
const failures: string[] = [];
for (const column of columns) {
  const since = performance.now();
  const outcomes = await runColumn(column, rows, {
    atOnce: Number(values['at-once']),
    done: (row, outcome) => {
      if (outcome.cell === 'fail') failures.push(`${columnName(column)}: ${row.name}\n${outcome.why}`);
      if (values.verbose)
        process.stdout.write(`${columnName(column)}  ${outcome.cell}  ${outcome.ms} ms  ${row.name}\n`);
      if (values.verbose && outcome.cell === 'fail') process.stdout.write(`${outcome.why}\n`);
    },
  });
  table.set(columnName(column), outcomes);
  process.stderr.write(`${columnName(column)}: ${Math.round((performance.now() - since) / 1_000)} s\n`);
}

const names = [...table.keys()];
const first = Math.max(...rows.map(({ name }) => name.length));
const widths = names.map((name) => Math.max(name.length, 'not offered'.length));
const line = (head: string, cells: readonly string[]): string =>
  `${[head.padEnd(first), ...cells.map((cell, i) => cell.padEnd(widths[i]!))].join('  ').trimEnd()}\n`;
process.stdout.write(`\n${line('', names)}`);
for (const { name } of rows)
  process.stdout.write(
    line(
      name,
      names.map((column) => table.get(column)?.get(name)?.cell ?? '-'),
    ),
  );
const all = [...table.values()].flatMap((column) => [...column.values()]);
const count = (cell: Outcome['cell']): number => all.filter((one) => one.cell === cell).length;
process.stdout.write(
  `\n${rows.length} rows × ${names.length} columns: ${count('pass')} pass, ${count('fail')} fail, ${count('not offered')} not offered; ${Math.round((performance.now() - started) / 1_000)} s\n`,
);
process.stdout.write('\nCannot be driven here:\n');
for (const [item, reason] of Object.entries(CANNOT)) process.stdout.write(`- ${item}: ${reason}\n`);
if (!values.verbose) for (const failure of failures) process.stdout.write(`\nFAILED ${failure}\n`);
process.exitCode = failures.length + gaps.length > 0 ? 1 : 0;
