/**
 * `npm run conformance:voice [-- --package 7.24.0 --row TEXT --verbose]`: the Voice API as four generations of the official package drive
 * it, with real browsers, carriers and a phone, and a real receiver of webhooks. One table of scenario by version; ends with 1 when a cell
 * failed. `-`: that version of the package has no such method.
 */
import { parseArgs } from 'node:util';
import { PACKAGES, type PackageVersion } from './back-end.ts';
import { type Outcome, runColumn } from './column.ts';
import { ROWS } from './rows.ts';
import { House } from './stage.ts';

const { values } = parseArgs({
  options: {
    package: { type: 'string', multiple: true },
    row: { type: 'string', multiple: true },
    verbose: { type: 'boolean', default: false },
  },
});
const versions = PACKAGES.filter((version) => values.package?.includes(version) ?? true);
const rows = ROWS.filter(({ name }) => values.row?.some((text) => name.includes(text)) ?? true);
const started = performance.now();
const table = new Map<PackageVersion, ReadonlyMap<string, Outcome>>();
const failures: string[] = [];

const house = await House.open();
try {
  for (const version of versions) {
    const since = performance.now();
    const outcomes = await runColumn(house, version, rows, (row, { cell, why, ms }) => {
      if (cell === 'fail') failures.push(`telnyx ${version}: ${row.name}\n${why}`);
      if (values.verbose) process.stdout.write(`${version}  ${cell}  ${ms} ms  ${row.name}\n`);
      if (values.verbose && cell === 'fail') process.stdout.write(`${why}\n`);
    });
    table.set(version, outcomes);
    process.stderr.write(`telnyx ${version}: ${Math.round((performance.now() - since) / 1_000)} s\n`);
  }
} finally {
  await house.close();
}

const width = Math.max(...rows.map(({ name }) => name.length), 'telnyx'.length);
const line = (head: string, cells: readonly string[]): string =>
  `${[head.padEnd(width), ...cells.map((cell) => cell.padEnd(6))].join('  ').trimEnd()}\n`;
process.stdout.write(`\n${line('telnyx', versions)}`);
for (const { name } of rows)
  process.stdout.write(
    line(
      name,
      versions.map((version) => table.get(version)?.get(name)?.cell ?? '?'),
    ),
  );
const all = [...table.values()].flatMap((column) => [...column.values()]);
const count = (cell: Outcome['cell']): number => all.filter((one) => one.cell === cell).length;
const took = Math.round((performance.now() - started) / 1_000);
process.stdout.write(
  `\n${rows.length} rows × ${versions.length} packages: ${count('pass')} pass, ${count('fail')} fail, ${count('-')} not in the package; ${took} s\n`,
);
if (!values.verbose) for (const failure of failures) process.stdout.write(`\nFAILED ${failure}\n`);
process.exitCode = failures.length > 0 || all.length === 0 ? 1 : 0;
