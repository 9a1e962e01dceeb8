import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { webhookFaults } from './src/webhook-faults.ts';

/** What `npm run faults:webhooks` does with 10,000 events, with a few hundred. */
describe('webhooks of calls whose receiver fails and whose signalling dies', { timeout: 300_000 }, () => {
  it('none is lost, few come twice, all are signed, each leg keeps its order and goes on', async (t) => {
    const result = await webhookFaults({
      events: 180,
      calls: 12,
      digits: 12,
      perSecond: 15,
      rampMs: 1_000,
      // An event that has failed more often rests for longer than a test should.
      mostFailures: 2,
      killEveryMs: 6_000,
      goneEveryMs: 9_000,
      print: (line) => t.diagnostic(line),
    });
    t.diagnostic(JSON.stringify(result));
    assert.deepEqual(result.lost, []);
    assert.deepEqual(result.disorder, []);
    assert.deepEqual(result.stuck, []);
    assert.deepEqual(result.ended, []);
    assert.ok(result.offeredAnew > 0, 'quiet clients are offered their calls anew');
    assert.equal(result.forged, 0);
    assert.ok(result.events >= 180, `${result.events} events`);
    assert.ok(result.kills >= 1 && result.absences >= 1);
    assert.ok(result.fates.refused > 0 && result.fates.reset > 0 && result.fates.silent > 0);
    // Only what was under way in the moment of a death can come again.
    assert.ok(result.twice <= 4 * result.kills, `${result.twice} came twice in ${result.kills} deaths`);
  });
});
