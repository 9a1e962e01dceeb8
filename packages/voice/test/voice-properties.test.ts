import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Mob } from './mob.ts';

describe('voice among rooms that do anything', () => {
  it('leaves no call, no timer, no media leg, and one record a leg', () => {
    let records = 0;
    let answered = 0;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), fc.integer({ min: 5, max: 40 }), (seed, moves) => {
        const mob = new Mob(seed);
        for (let i = 0; i < moves; i++) mob.move();
        mob.finish();
        const { bench } = mob;
        assert.deepEqual(bench.voice.size, { calls: 0, media: 0, dialogs: 0 });
        assert.equal(bench.voice.deadline(), null);
        const opened = new Set<string>();
        const closed: string[] = [];
        for (const command of bench.media) {
          if (command.op === 'offer' || command.op === 'answer') opened.add(command.leg);
          if (command.op === 'close') closed.push(command.leg);
        }
        assert.deepEqual([...opened].sort(), closed.sort());
        const ids = bench.records.map((r) => r.leg_id);
        assert.equal(new Set(ids).size, ids.length);
        for (const id of opened) assert.ok(bench.isRecorded(id), `${id} is not recorded`);
        records += ids.length;
        answered += bench.records.filter((r) => r.answered_at !== undefined).length;
      }),
      { numRuns: 250, seed: 11 },
    );
    assert.ok(records > 1_000, `${records} records`);
    assert.ok(answered > 200, `${answered} answered`);
  });
});
