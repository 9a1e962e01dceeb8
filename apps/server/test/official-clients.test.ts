import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ApiBench } from './drive/api.ts';
import { runVersion } from './drive/official-clients.ts';
import { VERSIONS } from './drive/official-run.ts';

/** The same as `npm run conformance:api`, which prints the table. */
describe('the official client', () => {
  let bench: ApiBench;
  let address: string;
  before(async () => {
    bench = await ApiBench.open();
    address = await bench.listen();
  });
  after(() => bench.close());

  for (const version of VERSIONS) {
    it(`${version} runs every method that the API serves`, async () => {
      const account = await bench.account(`of ${version}`);
      const outcomes = await runVersion(version, bench, address, account);
      for (const [method, outcome] of outcomes)
        assert.ok(outcome === 'ok' || outcome === '-', `${method}: ${outcome}`);
      const ran = [...outcomes.values()].filter((outcome) => outcome === 'ok').length;
      assert.ok(ran >= 40, `${ran} ran`);
    });
  }
});
