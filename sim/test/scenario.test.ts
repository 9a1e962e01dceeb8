import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runScenario } from '../src/index.ts';

const SEEDS = 700;

/** What back ends must meet at least: once in so many seeds. */
const MET = {
  told: 0.5,
  again: 10,
  parked: 5,
  bridged: 5,
  joined: 25,
  queued: 50,
  transferred: 40,
  refused: 5,
  played: 15,
  gathered: 20,
  pressed: 10,
  referred: 100,
};

describe('a call from a seed', () => {
  it(`leaves no call, no timer, no media leg behind: ${SEEDS} seeds`, () => {
    const failures: string[] = [];
    let reattached = 0;
    let attached = 0;
    let [restarts, met, survived] = [0, 0, 0];
    const programmed = new Map<string, number>();
    const kinds = new Map<string, { runs: number; answered: number }>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const outcome = runScenario(seed);
      reattached += outcome.reattached;
      attached += outcome.attached;
      restarts += outcome.restarts.length;
      met += outcome.met;
      survived += outcome.survived;
      for (const [name, many] of Object.entries(outcome.programmed))
        programmed.set(name, (programmed.get(name) ?? 0) + many);
      const count = kinds.get(outcome.kind) ?? { runs: 0, answered: 0 };
      kinds.set(outcome.kind, {
        runs: count.runs + 1,
        answered: count.answered + (outcome.answered ? 1 : 0),
      });
      if (outcome.problems.length > 0)
        failures.push(`seed ${seed} (${outcome.kind}): ${outcome.problems.join('; ')}`);
    }
    assert.deepEqual(
      failures.slice(0, 10),
      [],
      `${failures.length} of ${SEEDS} seeds; replay one: node sim/src/main.ts SEED`,
    );
    // The simulation must really reach conversations, and lose and find them again, or it proves nothing.
    assert.ok(reattached > SEEDS / 20, `${reattached} conversations went on over another socket`);
    assert.ok(attached > SEEDS / 50, `${attached} of them with fresh media`);
    assert.ok(restarts > SEEDS / 2, `${restarts} restarts`);
    assert.ok(survived > SEEDS / 10, `${survived} of ${met} answered calls that met a restart went on`);
    for (const [name, oneIn] of Object.entries(MET)) {
      const many = programmed.get(name) ?? 0;
      assert.ok(many > SEEDS / oneIn, `${many} ${name}`);
    }
    for (const [kind, { runs, answered }] of kinds) {
      assert.ok(runs > SEEDS / 10, `${kind} was drawn ${runs} times`);
      if (kind !== 'client to nobody')
        assert.ok(answered > runs / 5, `${kind}: ${answered} of ${runs} answered`);
    }
  });

  it('runs the same for the same seed', () => {
    for (let seed = 1; seed <= 25; seed++) {
      assert.deepEqual(runScenario(seed).trace, runScenario(seed).trace);
    }
    assert.notDeepEqual(runScenario(1).trace, runScenario(2).trace);
  });
});
