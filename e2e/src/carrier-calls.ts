import assert from 'node:assert/strict';
import type { Cells } from './cells.ts';
import type { Rig } from './rig.ts';
import { type PeerFormat, RtpPeer } from './rtp-peer.ts';
import { NUMBER } from './server.ts';
import { audioOf, header } from './sip-trace.ts';
import { Sipp } from './sipp.ts';
import type { TestPage } from './test-page.ts';
import { until } from './wait.ts';

/** Calls between one page (user line1) and a carrier played by SIPp with an RTP peer of our own. */

export const ALL_DIGITS = '0123456789*#ABCD';
const DIALLED = '+15550001111';
const PCMU: PeerFormat = { codec: 'PCMU', payloadType: 0, eventPayloadType: 101 };

interface Carrier {
  readonly sipp: Sipp;
  readonly rtp: RtpPeer;
}

async function withCarrier(
  rig: Rig,
  role: 'uas' | 'uac',
  step: (carrier: Carrier) => Promise<void>,
  format: PeerFormat = PCMU,
  number: string = NUMBER.line1,
): Promise<void> {
  const rtp = await RtpPeer.open(format);
  const sipp = await Sipp.start({
    role,
    port: rig.carrierPort,
    rtp: { host: '127.0.0.1', port: rtp.port },
    format,
    ...(role === 'uac' ? { number, server: { host: '127.0.0.1', port: rig.server.sipPort } } : {}),
  });
  try {
    await rig.explained(async () => await step({ sipp, rtp }));
  } catch (error) {
    if (error instanceof Error && !error.message.includes(`SIPp ${role}`))
      error.message = `${error.message}\n${sipp.report()}`;
    throw error;
  } finally {
    await sipp.stop();
    rtp.close();
  }
}

export { withCarrier };

async function dial(page: TestPage, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  return await page.newCall({
    destinationNumber: DIALLED,
    callerNumber: NUMBER.line1,
    callerName: 'Line One',
    ...more,
  });
}

/** Waits until the RTP peer no longer hears the browser's 1 kHz. */
async function browserUnheard(rtp: RtpPeer): Promise<void> {
  rtp.forget();
  await until('the carrier to stop hearing the browser', async () => {
    // Frames that were on their way do not count: measure a fresh stretch each time.
    const tone = rtp.tone(20);
    const heard = Math.abs(tone.hz - 1_000) <= 20 && tone.level > 0.005;
    if (heard) rtp.forget();
    return !heard;
  });
}

/** The long outbound call: ringing, early media, answer, tones, hold, unhold, digits, headers, BYE by the carrier. */
export async function longOutbound(rig: Rig, page: TestPage, cells: Cells): Promise<void> {
  await withCarrier(rig, 'uas', async ({ sipp, rtp }) => {
    const id = await dial(page, { customHeaders: [{ name: 'X-From-Browser', value: 'hello carrier' }] });
    const invite = await sipp.gets('INVITE');
    cells.pass('outbound');
    assert.equal(header(invite, 'x-from-browser'), 'hello carrier');
    for (const name of invite.headers.keys()) assert.doesNotMatch(name, /^x-sidetone/i);
    cells.pass('custom headers out');
    await sipp.says('180');
    await page.reaches(id, 'trying');
    cells.pass('ringing');

    await sipp.steer('earlyMedia');
    rtp.send(await sipp.remoteAudio(), 440);
    await page.reaches(id, 'early');
    await page.hears(440);
    cells.pass('early media');

    await sipp.steer('answer');
    await page.reaches(id, 'active');
    await sipp.gets('ACK');
    cells.pass('answer');
    await page.hears(440);
    await rtp.hears(1_000);
    cells.pass('tones');

    assert.equal(await page.act(id, 'hold'), true);
    await page.becomes(id, 'held');
    await sipp.gets('ACK', 2);
    assert.equal(audioOf(sipp.received('INVITE')[1]!.body)?.direction, 'sendonly');
    await browserUnheard(rtp);
    assert.equal(await page.act(id, 'unhold'), true);
    await page.becomes(id, 'active');
    await sipp.gets('ACK', 3);
    assert.equal(audioOf(sipp.received('INVITE')[2]!.body)?.direction, 'sendrecv');
    await rtp.hears(1_000);
    await page.hears(440);
    cells.pass('hold/unhold');

    rtp.forget();
    assert.equal(await page.act(id, 'dtmf', ALL_DIGITS), true);
    await until('all digits at the carrier', () => rtp.events.digits.length >= ALL_DIGITS.length, {
      detail: () => JSON.stringify(rtp.events.heard),
    });
    await rtp.hears(1_000);
    assert.equal(rtp.events.digits, ALL_DIGITS);
    cells.pass('DTMF counted');

    await sipp.steer('bye');
    const ended = await page.ended(id);
    assert.equal(ended.cause, 'NORMAL_CLEARING');
    await sipp.finishes();
    cells.pass('BYE by the carrier');
    assert.equal(rtp.streams.length, 1, `one SSRC towards the carrier: ${JSON.stringify(rtp.streams)}`);
    assert.equal(rtp.streams[0]!.lost, 0);
  });
}

/** The inbound call: ringing, headers both ways, tones, hold by the carrier, BYE by the browser. */
export async function longInbound(
  rig: Rig,
  page: TestPage,
  cells: Cells,
  offers: { readonly headers: boolean },
): Promise<void> {
  await withCarrier(rig, 'uac', async ({ sipp, rtp }) => {
    const { id, headers, caller } = await page.rings();
    assert.match(caller ?? '', /\+?15557770001/);
    await sipp.gets('180');
    cells.pass('inbound');
    if (offers.headers) {
      assert.deepEqual(
        headers.filter((h) => h.name.toLowerCase() === 'x-from-carrier'),
        [{ name: 'X-From-Carrier', value: 'hello carrier' }],
      );
      cells.pass('custom headers in');
    } else cells.notOffered('custom headers in');
    await page.act(id, 'answer', { customHeaders: [{ name: 'X-From-Answer', value: 'picked up' }] });
    await page.becomes(id, 'active');
    const ok = await sipp.gets('200');
    if (offers.headers) {
      assert.equal(header(ok, 'x-from-answer'), 'picked up');
      cells.pass('custom headers in the answer');
    } else cells.notOffered('custom headers in the answer');
    rtp.send(await sipp.remoteAudio(), 440);
    await page.hears(440);
    await rtp.hears(1_000);
    cells.pass('inbound tones');

    await sipp.steer('hold');
    const held = await sipp.gets('200', 2);
    assert.match(audioOf(held.body)?.direction ?? '', /recvonly|inactive/);
    await browserUnheard(rtp);
    await sipp.steer('unhold');
    const back = await sipp.gets('200', 3);
    assert.equal(audioOf(back.body)?.direction, 'sendrecv');
    await rtp.hears(1_000);
    await sipp.steer('offerless');
    const offered = await sipp.gets('200', 4);
    assert.ok(audioOf(offered.body), 'a 200 for a re-INVITE without SDP carries an offer');
    await rtp.hears(1_000);
    await page.hears(440);
    cells.pass('hold by the carrier');

    await page.act(id, 'hangup');
    await sipp.gets('BYE');
    await sipp.finishes();
    await page.ended(id);
    cells.pass('BYE by the browser');
  });
}

/** Endings before answer: busy, no answer, CANCEL either way, reject. */
export async function shortEndings(rig: Rig, page: TestPage, cells: Cells): Promise<void> {
  for (const [step, status, cause, row] of [
    ['busy', 486, 'USER_BUSY', 'busy 486'],
    ['noAnswer', 480, 'NO_USER_RESPONSE', 'no answer'],
  ] as const)
    await withCarrier(rig, 'uas', async ({ sipp }) => {
      const id = await dial(page);
      await sipp.says('180');
      await sipp.steer(step);
      const ended = await page.ended(id);
      assert.equal(ended.cause, cause);
      if (ended.sipCode !== null) assert.equal(ended.sipCode, status);
      await sipp.finishes();
      cells.pass(row);
    });

  await withCarrier(rig, 'uas', async ({ sipp }) => {
    const id = await dial(page);
    await sipp.says('180');
    await page.reaches(id, 'trying');
    await page.act(id, 'hangup');
    await sipp.gets('CANCEL');
    await page.ended(id);
    await sipp.finishes();
    cells.pass('CANCEL by the browser');
  });

  await withCarrier(rig, 'uac', async ({ sipp }) => {
    const { id } = await page.rings();
    await sipp.steer('cancel');
    await sipp.gets('487');
    await page.ended(id);
    await sipp.finishes();
    cells.pass('CANCEL by the carrier');
  });

  await withCarrier(rig, 'uac', async ({ sipp }) => {
    const { id } = await page.rings();
    await page.act(id, 'hangup');
    await sipp.gets('487');
    await page.ended(id);
    await sipp.finishes();
    cells.pass('reject');
  });
}
