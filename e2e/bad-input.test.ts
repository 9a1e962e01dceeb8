import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { withCarrier } from './src/carrier-calls.ts';
import {
  brokenHello,
  fling,
  forgedBinding,
  forgedRtp,
  JSON_GARBAGE,
  mediaGarbage,
  pour,
  SIP_GARBAGE,
} from './src/garbage.ts';
import { needs } from './src/peer-availability.ts';
import { RawClient } from './src/raw-client.ts';
import { Rig } from './src/rig.ts';
import { PASSWORD } from './src/server.ts';
import { pause, until } from './src/wait.ts';

const SEED = 20_260;

/**
 * Bad input beside a live call. Whatever arrives gets a clear error or silence; the call's tone stays perfect both ways,
 * and the server ends as it should.
 */
describe('bad input beside a live call', { ...needs('chromium', 'sipp'), timeout: 240_000 }, () => {
  let rig: Rig;
  before(async () => {
    rig = await Rig.start();
  });
  after(async () => {
    await rig?.stop();
  });

  async function raw(): Promise<RawClient> {
    const opened = await RawClient.open(rig.server.webSocketUrl);
    assert.ok(opened instanceof RawClient);
    return opened;
  }

  /** A call between the page and the carrier stands while `attack` runs; both sides must stay clean. */
  async function besideLiveCall(
    attack: (target: {
      rtpHost: string;
      rtpPort: number;
      pageHost: string;
      pagePort: number;
      ufrag: string;
    }) => Promise<void>,
  ): Promise<void> {
    const page = await rig.client('line1', 'ours');
    await withCarrier(rig, 'uas', async ({ sipp, rtp }) => {
      const id = await page.newCall({ destinationNumber: '+15550001111' });
      await sipp.says('180');
      await sipp.steer('answer');
      await page.reaches(id, 'active');
      const ours = await sipp.remoteAudio();
      rtp.send(ours, 440);
      await page.hears(440);
      await rtp.hears(1_000);

      const remote = await page.remoteSdp();
      const candidate = /a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host/i.exec(remote);
      const ufrag = /a=ice-ufrag:(\S+)/.exec(remote)?.[1];
      assert.ok(candidate !== null && ufrag !== undefined, remote);
      rtp.forget();
      const before = await page.stats();
      await attack({
        rtpHost: ours.host,
        rtpPort: ours.port,
        pageHost: candidate[1]!,
        pagePort: Number(candidate[2]),
        ufrag,
      });
      await until('two more seconds of audio at the carrier', () => rtp.packets > 150);
      const after = await page.stats();
      const heard = await page.tone();
      const carried = rtp.tone(100);
      assert.ok(
        Math.abs(heard.hz - 440) <= 8.8 && heard.purity > 0.9,
        `in the page: ${JSON.stringify(heard)}`,
      );
      assert.ok(
        Math.abs(carried.hz - 1_000) <= 20 && carried.purity > 0.9,
        `at the carrier: ${JSON.stringify(carried)}`,
      );
      assert.deepEqual(
        rtp.streams.map((s) => [s.lost, s.duplicates]),
        [[0, 0]],
      );
      assert.equal((after.packetsLost ?? 0) - (before.packetsLost ?? 0), 0);
      assert.equal((await page.call(id)).state, 'active');
      await page.act(id, 'hangup');
      await sipp.finishes();
    });
    await page.close();
  }

  it('WebSocket frames: broken JSON, wrong shapes, binary, too large', async () => {
    await besideLiveCall(async () => {
      const stranger = await raw();
      for (const text of JSON_GARBAGE) stranger.raw(text);
      stranger.raw(Buffer.from([0, 1, 2, 3, 255]));
      stranger.close();

      const member = await raw();
      const login = await member.request('login', {
        login: 'line2',
        passwd: PASSWORD.line2,
        userVariables: {},
        loginParams: {},
      });
      assert.ok(login.result?.['sessid']);
      for (const text of JSON_GARBAGE) member.raw(text);
      const stillThere =
        member.closed === undefined ? await member.request('telnyx_rtc.ping', {}) : undefined;
      if (stillThere !== undefined) assert.equal(stillThere.error, undefined);
      member.close();

      const huge = await raw();
      huge.raw(`{"jsonrpc":"2.0","id":"x","method":"login","params":{"login":"${'a'.repeat(4_000_000)}"}}`);
      await until(
        'the socket with the oversize frame to be closed or answered',
        () => huge.closed !== undefined || huge.frames.length > 0,
      );
      huge.close();
    });
  });

  it('requests without login are refused, and wrong logins end the socket after a few', async () => {
    const stranger = await raw();
    const reply = await stranger.request('telnyx_rtc.invite', {
      sdp: 'v=0\r\n',
      dialogParams: { callID: '5f0c3d6e-8d5e-4f0a-9b1c-000000000001', destination_number: '9196' },
    });
    assert.ok(reply.error, 'an invite without login is an error');
    stranger.close();

    const guesser = await raw();
    for (let i = 0; i < 20 && guesser.closed === undefined; i++) {
      const id = `guess-${i}`;
      guesser.raw(
        JSON.stringify({
          jsonrpc: '2.0',
          id,
          method: 'login',
          params: { login: 'line1', passwd: `guess ${i}` },
        }),
      );
      await until(
        'a reply or the end of the socket',
        () => guesser.closed !== undefined || guesser.frames.some((frame) => frame.id === id),
      );
    }
    for (const frame of guesser.frames)
      if (frame.error !== undefined) assert.notEqual(frame.error.code, -32_000);
    assert.ok(guesser.closed, 'guessing ends with a closed socket');
    guesser.close();
  });

  it('SIP garbage by UDP and TCP', async () => {
    await besideLiveCall(async () => {
      await fling(SIP_GARBAGE, rig.server.sipPort, '127.0.0.1');
      await fling(mediaGarbage(SEED, 200), rig.server.sipPort, '127.0.0.1');
      for (const text of SIP_GARBAGE) await pour(text, rig.server.sipPort);
      await pour(Buffer.from(mediaGarbage(SEED + 1, 5)[0]!).toString('latin1'), rig.server.sipPort);
      await fling(mediaGarbage(SEED + 2, 100), rig.server.stunPort, '127.0.0.1');
    });
  });

  it('forged RTP, STUN and DTLS at the media ports of the call', async () => {
    await besideLiveCall(async ({ rtpHost, rtpPort, pageHost, pagePort, ufrag }) => {
      await fling(forgedRtp(0, 700, 150), rtpPort, rtpHost);
      await fling(forgedRtp(0, 700, 150), pagePort, pageHost);
      await fling(mediaGarbage(SEED + 3, 300), rtpPort, rtpHost);
      await fling(mediaGarbage(SEED + 4, 300), pagePort, pageHost);
      const bindings = Array.from({ length: 50 }, (_, i) =>
        forgedBinding(SEED + i, i % 2 === 0 ? `${ufrag}:evil` : 'x:y'),
      );
      await fling(bindings, pagePort, pageHost);
      await fling(
        Array.from({ length: 50 }, (_, i) => brokenHello(SEED + i)),
        pagePort,
        pageHost,
      );
      await pause(300);
    });
  });

  it('after all that, a new call works', async () => {
    await rig.explained(async () => {
      const page = await rig.client('line1', 'ours');
      const id = await page.newCall({ destinationNumber: '9196' });
      await page.reaches(id, 'active');
      await page.hears(1_000);
      await page.act(id, 'hangup');
      await page.ended(id);
      await page.close();
      assert.equal(rig.server.running, true);
      assert.deepEqual(rig.server.uncaught, []);
    });
  });
});
