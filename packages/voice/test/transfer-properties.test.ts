import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Mob } from './mob.ts';

const TARGETS = ['line2', 'line1', '9664', '+15550177', 'nobody', 'closed'];

/** A mob that also transfers: blind, or to a dialog that may be anybody's. */
class TransferMob extends Mob {
  refers = 0;

  override move(): void {
    const all = [...this.calling, ...this.called].filter(({ far, leg }) => far.agent.dialogOf(leg) !== null);
    if (all.length === 0 || this.random.int(4) > 0) {
      super.move();
      return;
    }
    const pick = <T>(items: readonly T[]): T => items[this.random.int(items.length)]!;
    const { far, leg } = pick(all);
    const other = pick(all);
    const dialog = this.random.int(2) === 0 ? other.far.agent.dialogOf(other.leg) : null;
    const replaces =
      dialog === null
        ? ''
        : `?Replaces=${encodeURIComponent(`${dialog.callId};to-tag=${dialog.remoteTag};from-tag=${dialog.localTag}`)}`;
    const headers = [['Refer-To', `<sip:${pick(TARGETS)}@sip.localhost${replaces}>`]] as const;
    const { now } = this.bench;
    far.act(far.agent.requestInDialog(leg, { method: 'REFER', headers }, 'refer', now));
    this.refers += 1;
  }
}

/** Runs mobs; what was transferred, by kind. */
function run(deaths: number, runs: number, seed: number): Record<string, number> {
  const seen: Record<string, number> = {};
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), fc.integer({ min: 30, max: 70 }), (start, moves) => {
      const mob = new TransferMob(start, deaths);
      for (let i = 0; i < moves; i++) mob.move();
      mob.finish();
      const { bench } = mob;
      assert.deepEqual(bench.voice.size, { calls: 0, media: 0, dialogs: 0 });
      assert.equal(bench.voice.deadline(), null);
      assert.equal(bench.engine.size, 0, 'a leg is left in media');
      const ids = bench.records.map((r) => r.leg_id);
      assert.equal(new Set(ids).size, ids.length, 'a leg is recorded twice');
      for (const command of bench.media)
        if (deaths === 0 && (command.op === 'offer' || command.op === 'answer'))
          assert.ok(bench.isRecorded(command.leg), 'a leg is not recorded');
      for (const { transfer = 'none', joined_session_id } of bench.records) {
        const kind = joined_session_id === undefined ? transfer : `${transfer} joined`;
        seen[kind] = (seen[kind] ?? 0) + 1;
      }
    }),
    { numRuns: runs, seed },
  );
  return seen;
}

describe('voice among rooms that transfer at any time', () => {
  it('leaves no call, no dialog, no leg in media, and one record a leg', () => {
    const seen = run(0, 120, 5);
    for (const kind of ['transferor', 'transferee', 'target', 'target joined'])
      assert.ok((seen[kind] ?? 0) > 0, `${kind}: ${JSON.stringify(seen)}`);
  });

  it('and none when the process dies in between', () => {
    run(12, 30, 6);
  });
});
