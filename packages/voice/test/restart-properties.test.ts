import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { Mob } from './mob.ts';

it('deaths at any moment: no ghost on any side, nothing left, and exactly one record a leg', () => {
  let deaths = 0;
  let answered = 0;
  let restarted = 0;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), fc.integer({ min: 5, max: 40 }), (seed, moves) => {
      const mob = new Mob(seed, 8);
      for (let i = 0; i < moves; i++) mob.move();
      mob.finish();
      const { bench } = mob;
      assert.deepEqual(bench.voice.size, { calls: 0, media: 0, dialogs: 0 });
      assert.equal(bench.voice.deadline(), null);
      assert.deepEqual([...bench.journal.keys()], []);
      assert.deepEqual([...bench.engine], []);
      const ids = bench.records.map((r) => r.leg_id);
      assert.equal(new Set(ids).size, ids.length);
      for (const command of bench.media)
        if (command.op === 'offer' || command.op === 'answer') assert.ok(bench.isRecorded(command.leg));
      for (const { far, leg } of [...mob.calling, ...mob.called])
        assert.equal(far.agent.snapshot(leg), null, `${far.node} still has ${leg}`);
      deaths += mob.deaths;
      answered += bench.records.filter((r) => r.answered_at !== undefined).length;
      restarted += bench.records.filter((r) => r.cause === 'restarted').length;
    }),
    { numRuns: 120, seed: 12 },
  );
  assert.ok(deaths > 150, `${deaths} deaths`);
  assert.ok(answered > 80, `${answered} answered`);
  assert.ok(restarted > 40, `${restarted} restarted`);
});

it('deaths between the disk and the wire: no ghost on any side, nothing left, no record twice', () => {
  let deaths = 0;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), fc.integer({ min: 5, max: 40 }), (seed, moves) => {
      const mob = new Mob(seed, 8, true);
      for (let i = 0; i < moves; i++) mob.move();
      mob.finish();
      const { bench } = mob;
      assert.deepEqual(bench.voice.size, { calls: 0, media: 0, dialogs: 0 });
      assert.equal(bench.voice.deadline(), null);
      assert.deepEqual([...bench.journal.keys()], []);
      assert.deepEqual([...bench.engine], []);
      const ids = bench.records.map((r) => r.leg_id);
      assert.equal(new Set(ids).size, ids.length);
      for (const { far, leg } of [...mob.calling, ...mob.called])
        assert.equal(far.agent.snapshot(leg), null, `${far.node} still has ${leg}`);
      deaths += mob.deaths;
    }),
    { numRuns: 80, seed: 13 },
  );
  assert.ok(deaths > 100, `${deaths} deaths`);
});
