import assert from 'node:assert/strict';
import type { Baresip } from './baresip.ts';
import { ALL_DIGITS } from './carrier-calls.ts';
import type { Cells } from './cells.ts';
import type { Rig } from './rig.ts';
import { NUMBER } from './server.ts';
import type { TestPage } from './test-page.ts';
import { until } from './wait.ts';

/** Calls between one page (user line1) and baresip. */

export const PHONE = { manual: '+15560000001', early: '+15560000002' } as const;

async function dial(page: TestPage, destinationNumber: string): Promise<string> {
  return await page.newCall({ destinationNumber, callerNumber: NUMBER.line1, callerName: 'Line One' });
}

async function idle(phone: Baresip): Promise<void> {
  await phone.sees('CALL_CLOSED');
  phone.forget();
}

/** Outbound with early media, hold, digits, BYE by the phone; then inbound with tones, BYE by the browser; endings. */
export async function phoneCalls(rig: Rig, page: TestPage, phone: Baresip, cells: Cells): Promise<void> {
  await rig.explained(async () => {
    try {
      await outbound(page, phone, cells);
      await earlyMedia(page, phone, cells);
      await inbound(rig, page, phone, cells);
      await endings(rig, page, phone, cells);
    } catch (error) {
      if (error instanceof Error && !error.message.includes('\nbaresip:'))
        error.message = `${error.message}\n${phone.report()}`;
      throw error;
    } finally {
      await phone.clear();
    }
  });
}

async function outbound(page: TestPage, phone: Baresip, cells: Cells): Promise<void> {
  phone.forget();
  const id = await dial(page, PHONE.manual);
  await phone.sees('CALL_INCOMING');
  cells.pass('outbound');
  cells.notOffered('custom headers out');
  await page.reaches(id, 'trying');
  cells.pass('ringing');
  await phone.command('accept');
  await page.reaches(id, 'active');
  await phone.sees('CALL_ESTABLISHED');
  cells.pass('answer');
  await page.hears(440);
  await phone.hears(1_000);
  cells.pass('tones');

  await page.act(id, 'hold');
  await page.becomes(id, 'held');
  await phone.losesTone(1_000);
  await page.act(id, 'unhold');
  await page.becomes(id, 'active');
  await phone.hears(1_000);
  cells.pass('hold/unhold');

  await page.act(id, 'dtmf', ALL_DIGITS);
  await until('all digits at baresip', () => phone.digits.length >= ALL_DIGITS.length, {
    detail: () => phone.report(),
  });
  assert.equal(phone.digits, ALL_DIGITS);
  cells.pass('DTMF counted');

  await phone.command('hangup');
  const ended = await page.ended(id);
  assert.equal(ended.cause, 'NORMAL_CLEARING');
  cells.pass('BYE by the carrier');
  phone.forget();
}

/** This version of baresip answers 183 with a description, but sends no sound before the answer. */
async function earlyMedia(page: TestPage, phone: Baresip, cells: Cells): Promise<void> {
  const id = await dial(page, PHONE.early);
  await page.reaches(id, 'early');
  cells.pass('early media');
  await phone.select(PHONE.early);
  await phone.command('accept');
  await page.reaches(id, 'active');
  await page.hears(440);
  await page.act(id, 'hangup');
  await idle(phone);
  await phone.select(PHONE.manual);
}

async function inbound(rig: Rig, page: TestPage, phone: Baresip, cells: Cells): Promise<void> {
  await phone.command('dial', `sip:${NUMBER.line1}@127.0.0.1:${rig.server.sipPort}`);
  const { id } = await page.rings();
  await phone.sees('CALL_RINGING');
  cells.pass('inbound');
  cells.notOffered('custom headers in');
  cells.notOffered('custom headers in the answer');
  await page.act(id, 'answer');
  await page.becomes(id, 'active');
  await phone.sees('CALL_ESTABLISHED');
  await page.hears(440);
  await phone.hears(1_000);
  cells.pass('inbound tones');
  await phone.command('hold');
  await phone.losesTone(1_000);
  await phone.command('resume');
  await phone.hears(1_000);
  await page.hears(440);
  cells.pass('hold by the carrier');
  await page.act(id, 'hangup');
  await idle(phone);
  cells.pass('BYE by the browser');
}

async function endings(rig: Rig, page: TestPage, phone: Baresip, cells: Cells): Promise<void> {
  const busy = await dial(page, PHONE.manual);
  await phone.sees('CALL_INCOMING');
  await phone.command('hangup');
  assert.equal((await page.ended(busy)).cause, 'USER_BUSY');
  cells.pass('busy 486');
  cells.notOffered('no answer');
  phone.forget();

  const cancelled = await dial(page, PHONE.manual);
  await phone.sees('CALL_INCOMING');
  await page.reaches(cancelled, 'trying');
  await page.act(cancelled, 'hangup');
  await idle(phone);
  cells.pass('CANCEL by the browser');

  await phone.command('dial', `sip:${NUMBER.line1}@127.0.0.1:${rig.server.sipPort}`);
  const ringing = await page.rings();
  await phone.sees('CALL_RINGING');
  await phone.command('hangup');
  await page.ended(ringing.id);
  cells.pass('CANCEL by the carrier');
  phone.forget();

  await phone.command('dial', `sip:${NUMBER.line1}@127.0.0.1:${rig.server.sipPort}`);
  const rejected = await page.rings();
  await page.act(rejected.id, 'hangup');
  const closed = await phone.sees('CALL_CLOSED');
  assert.match(closed.param, /487/);
  cells.pass('reject');
  phone.forget();
}
