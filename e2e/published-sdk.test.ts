import { after, before, describe, it } from 'node:test';
import { Baresip } from './src/baresip.ts';
import { longInbound, longOutbound, shortEndings } from './src/carrier-calls.ts';
import { Cells, cellTable } from './src/cells.ts';
import { Coturn } from './src/coturn.ts';
import { PUBLISHED } from './src/page-host.ts';
import { needs } from './src/peer-availability.ts';
import { PHONE, phoneCalls } from './src/phone-calls.ts';
import { Rig } from './src/rig.ts';

/**
 * The unmodified npm packages with only `host` (and `iceServers`) set: one long call a version and peer, and the ways a
 * call can end. 2.22.0 calls nobody without a relay candidate, so it gets coturn.
 */
describe('published SDKs', { ...needs('chromium', 'sipp', 'baresip', 'coturn'), timeout: 600_000 }, () => {
  let rig: Rig;
  let coturn: Coturn;
  let phone: Baresip;
  const columns: Cells[] = [];

  before(async () => {
    rig = await Rig.start();
    coturn = await Coturn.start();
    phone = await Baresip.start(rig.phonePort, [
      { user: PHONE.manual, answer: 'manual' },
      { user: PHONE.early, answer: 'early' },
    ]);
  });

  after(async () => {
    if (columns.length > 0) process.stdout.write(`\n${cellTable(columns)}\n\n`);
    await phone?.stop();
    await coturn?.stop();
    await rig?.stop();
  });

  for (const version of PUBLISHED) {
    const ice = () => (version === '2.22.0' ? { iceServers: coturn.iceServers } : {});

    it(`${version} and the carrier (SIPp)`, async () => {
      const cells = new Cells(`${version} SIPp`);
      columns.push(cells);
      const page = await rig.client('line1', version, ice());
      try {
        await longOutbound(rig, page, cells);
        await longInbound(rig, page, cells, { headers: version !== '2.9.0' });
        await shortEndings(rig, page, cells);
      } finally {
        await page.disconnect();
        await page.close();
      }
    });

    it(`${version} and the phone (baresip)`, async () => {
      const cells = new Cells(`${version} baresip`);
      columns.push(cells);
      const page = await rig.client('line1', version, ice());
      try {
        await phoneCalls(rig, page, phone, cells);
      } finally {
        await page.disconnect();
        await page.close();
      }
    });
  }
});
