import { runScenario } from './scenario.ts';

/** `node sim/src/main.ts SEED`: prints the trace of one seed. `node sim/src/main.ts 1 5000`: runs a range, prints the failing seeds. */
const [first = '1', last] = process.argv.slice(2);
if (last === undefined) {
  const outcome = runScenario(Number(first));
  console.log(outcome.trace.join('\n'));
  console.log(
    `seed ${outcome.seed}: ${outcome.kind}, ${outcome.answered ? 'answered' : 'not answered'}, ${outcome.records} records`,
  );
  for (const problem of outcome.problems) console.log(`PROBLEM ${problem}`);
} else {
  let failed = 0;
  for (let seed = Number(first); seed <= Number(last); seed++) {
    const { problems, kind } = runScenario(seed);
    if (problems.length === 0) continue;
    failed += 1;
    console.log(`seed ${seed} (${kind}): ${problems.join('; ')}`);
  }
  console.log(`${Number(last) - Number(first) + 1 - failed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
