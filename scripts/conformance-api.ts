import { ApiBench } from '../apps/server/test/drive/api.ts';
import { runVersion } from '../apps/server/test/drive/official-clients.ts';
import { type Outcome, VERSIONS } from '../apps/server/test/drive/official-run.ts';

/**
 * `npm run conformance:api`: the official client, in four generations, runs every method that the API serves against a fresh
 * server. A table of method by version; exit status 1 when one fails. `-`: that version of the package has no such method.
 */
const bench = await ApiBench.open();
const address = await bench.listen();
const account = await bench.account('conformance');
const table = new Map<string, Outcome[]>();
for (const version of VERSIONS) {
  for (const [method, outcome] of await runVersion(version, bench, address, account)) {
    const row = table.get(method);
    if (row === undefined) table.set(method, [outcome]);
    else row.push(outcome);
  }
}
await bench.close();

const width = Math.max(...[...table.keys()].map((method) => method.length));
const failures: string[] = [];
process.stdout.write(`${'telnyx'.padEnd(width)}  ${VERSIONS.map((v) => v.padEnd(7)).join(' ')}\n`);
for (const [method, outcomes] of table) {
  const cells = outcomes.map((outcome, i) => {
    if (outcome === 'ok' || outcome === '-') return outcome.padEnd(7);
    failures.push(`${method} ${VERSIONS[i]}: ${outcome}`);
    return 'FAIL   ';
  });
  process.stdout.write(`${method.padEnd(width)}  ${cells.join(' ')}\n`);
}
const all = [...table.values()].flat();
const count = (what: Outcome): number => all.filter((outcome) => outcome === what).length;
process.stdout.write(`\n${count('ok')} ok, ${failures.length} failed, ${count('-')} not in the package\n`);
for (const failure of failures) process.stdout.write(`${failure}\n`);
process.exit(failures.length > 0 ? 1 : 0);
