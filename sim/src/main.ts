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
  let [restarts, idle, met, survived, rungOut] = [0, 0, 0, 0, 0];
  const programmed: Record<string, number> = {};
  /** How far calls were when the process died. */
  const states = new Map<string, number>();
  for (let seed = Number(first); seed <= Number(last); seed++) {
    const outcome = runScenario(seed);
    restarts += outcome.restarts.length;
    idle += outcome.restarts.filter((calls) => calls.length === 0).length;
    met += outcome.met;
    survived += outcome.survived;
    rungOut += outcome.rungOut;
    for (const [name, count] of Object.entries(outcome.programmed))
      programmed[name] = (programmed[name] ?? 0) + count;
    for (const state of outcome.restarts.flat()) states.set(state, (states.get(state) ?? 0) + 1);
    if (outcome.problems.length === 0) continue;
    failed += 1;
    console.log(`seed ${seed} (${outcome.kind}): ${outcome.problems.join('; ')}`);
  }
  const counts = [...states].sort((a, b) => b[1] - a[1]).map(([state, count]) => `${state} ${count}`);
  console.log(
    `${restarts} restarts, ${idle} without a call; calls met, as clients see them: ${counts.join(', ')}`,
  );
  console.log(`${met} answered calls met a restart, clients came back to ${survived} of them`);
  console.log(`${rungOut} calls rang to the carrier's limit, because all that it said was lost`);
  const { parked, joined, queued, supervised, bridged, transferred, taken, refused, told, again } =
    programmed;
  console.log(
    `back ends: ${parked} calls parked, ${bridged} legs bridged, ${joined} in conferences, ${queued} out of queues, ${supervised} supervised, ${transferred} transfers; ${taken} commands taken, ${refused} refused; ${told} events told, ${again} of them again`,
  );
  const { played, gathered, pressed, referred } = programmed;
  console.log(
    `${played} sounds ended, ${gathered} gathers ended, ${pressed} digits pressed in media, ${referred} referrals ended`,
  );
  console.log(`${Number(last) - Number(first) + 1 - failed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
