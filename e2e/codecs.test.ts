import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { withCarrier } from './src/carrier-calls.ts';
import { needs } from './src/peer-availability.ts';
import { Rig } from './src/rig.ts';
import type { PeerCodec, PeerFormat } from './src/rtp-peer.ts';
import { audioOf } from './src/sip-trace.ts';
import { until } from './src/wait.ts';

/** Frames that both sides listen to while none may be lost (5 s). */
const LISTEN_FRAMES = 250;

interface Case {
  readonly name: string;
  readonly prefix: string;
  readonly policy: 'quality' | 'capacity';
  /** What the carrier has. */
  readonly carrier: PeerCodec;
  /** What the browser must get. */
  readonly browser: RegExp;
}

const CASES: readonly Case[] = [
  { name: 'Opus relay', prefix: '+1771', policy: 'quality', carrier: 'OPUS', browser: /opus/i },
  { name: 'PCMU relay', prefix: '+1772', policy: 'capacity', carrier: 'PCMU', browser: /pcmu/i },
  { name: 'PCMA relay', prefix: '+1773', policy: 'capacity', carrier: 'PCMA', browser: /pcma/i },
  { name: 'Opus ↔ PCMU', prefix: '+1774', policy: 'quality', carrier: 'PCMU', browser: /opus/i },
  { name: 'Opus ↔ PCMA', prefix: '+1775', policy: 'quality', carrier: 'PCMA', browser: /opus/i },
];
const INFO_PREFIX = '+1776';

const formatOf = (codec: PeerCodec): PeerFormat => ({
  codec,
  payloadType: codec === 'OPUS' ? 111 : codec === 'PCMU' ? 0 : 8,
  eventPayloadType: 101,
});

describe('codecs and digits towards the carrier', { ...needs('chromium', 'sipp'), timeout: 240_000 }, () => {
  let rig: Rig;
  before(async () => {
    rig = await Rig.start({
      trunks: [
        ...CASES.map(({ prefix, policy, carrier }) => ({
          name: `trunk${prefix.slice(1)}`,
          prefixes: [prefix],
          codecs: [carrier],
          policy,
        })),
        { name: 'info', prefixes: [INFO_PREFIX], codecs: ['PCMU'], dtmf: 'info' as const },
      ],
    });
  });
  after(async () => {
    await rig?.stop();
  });

  for (const { name, prefix, carrier, browser } of CASES)
    it(`${name}: clean tones both ways and no packet lost`, async () => {
      const page = await rig.client('line1', 'ours');
      await withCarrier(
        rig,
        'uas',
        async ({ sipp, rtp }) => {
          const id = await page.newCall({ destinationNumber: `${prefix}0001111` });
          await sipp.says('180');
          await sipp.steer('answer');
          await page.reaches(id, 'active');
          const offered = await sipp.remoteAudio();
          rtp.send(offered, 440);
          await page.hears(440);
          await rtp.hears(1_000);
          assert.match((await page.stats()).mimeType ?? '', browser);

          rtp.forget();
          const before = await page.stats();
          await until('some seconds of audio at the carrier', () => rtp.packets >= LISTEN_FRAMES);
          const tone = rtp.tone(100);
          const after = await page.stats();
          const heard = await page.hears(440);
          assert.deepEqual(
            rtp.streams.map((s) => ({ lost: s.lost, duplicates: s.duplicates })),
            [{ lost: 0, duplicates: 0 }],
          );
          assert.equal(rtp.badPackets, 0);
          assert.equal((after.packetsLost ?? 0) - (before.packetsLost ?? 0), 0);
          assert.ok((after.packetsReceived ?? 0) - (before.packetsReceived ?? 0) > LISTEN_FRAMES / 2);
          assert.ok(Math.abs(tone.hz - 1_000) <= 20 && tone.purity > 0.9, JSON.stringify(tone));
          assert.ok(Math.abs(heard.hz - 440) <= 8.8 && heard.purity > 0.9, JSON.stringify(heard));
          assert.equal(audioOf(sipp.sent('200')[0]?.body ?? '')?.port, rtp.port);
          await page.act(id, 'hangup');
          await sipp.finishes();
        },
        formatOf(carrier),
      );
      await page.close();
    });

  it('digits of the carrier are heard in the browser', async () => {
    const page = await rig.client('line1', 'ours');
    await withCarrier(rig, 'uas', async ({ sipp, rtp }) => {
      const id = await page.newCall({ destinationNumber: '+15550001111' });
      await sipp.says('180');
      await sipp.steer('answer');
      await page.reaches(id, 'active');
      rtp.send(await sipp.remoteAudio(), 440);
      await page.hears(440);
      // The digits in the sound are two tones: 5 is 770 and 1336 Hz. While they last, 440 Hz is not the strongest.
      const digits = rtp.sendDigits('5555555555');
      await until(
        'the tones of digit 5 in the page',
        async () => {
          const { hz } = await page.tone();
          return Math.abs(hz - 770) <= 16 || Math.abs(hz - 1_336) <= 27;
        },
        { everyMs: 100, detail: () => 'only the speech was heard' },
      );
      await digits;
      await page.hears(440);
      await page.act(id, 'hangup');
      await sipp.finishes();
    });
    await page.close();
  });

  it('a-key-held-long-is-several-digits: three seconds of 5 in Opus are one 5 at the carrier and in the record', async () => {
    const page = await rig.client('line1', 'ours');
    for (const prefix of ['+1771', '+1774'])
      await withCarrier(
        rig,
        'uas',
        async ({ sipp, rtp }) => {
          const id = await page.newCall({ destinationNumber: `${prefix}0001111` });
          await sipp.says('180');
          await sipp.steer('answer');
          await page.reaches(id, 'active');
          rtp.send(await sipp.remoteAudio(), 440);
          await rtp.hears(1_000);
          await page.pressKeys('5', 3_000, 70);
          await until('the digit at the carrier', () => rtp.events.digits.length > 0);
          await page.pressKeys('58', 100, 70);
          await until('the next digits at the carrier', () => rtp.events.digits.endsWith('8'));
          assert.equal(rtp.events.digits, '558');
          assert.ok(
            rtp.events.heard.filter((event) => !event.ended).every((event) => event.ticks === 65_535),
          );
          await page.act(id, 'hangup');
          await sipp.finishes();
        },
        formatOf(prefix === '+1771' ? 'OPUS' : 'PCMU'),
      );
    await page.close();
  });

  it('a trunk with dtmf=info gets SIP INFO and no telephone event', async () => {
    const page = await rig.client('line1', 'ours');
    await withCarrier(rig, 'uas', async ({ sipp, rtp }) => {
      const id = await page.newCall({ destinationNumber: `${INFO_PREFIX}0001111` });
      await sipp.says('180');
      await sipp.steer('answer');
      await page.reaches(id, 'active');
      rtp.send(await sipp.remoteAudio(), 440);
      await rtp.hears(1_000);
      await page.act(id, 'dtmf', '1#D');
      await sipp.gets('INFO', 3);
      const signals = sipp.received('INFO').map((m) => /Signal=\s*(\S+)/i.exec(m.body)?.[1] ?? m.body.trim());
      assert.deepEqual(signals, ['1', '#', 'D']);
      assert.equal(rtp.events.digits, '');
      await page.act(id, 'hangup');
      await sipp.finishes();
    });
    await page.close();
  });
});
