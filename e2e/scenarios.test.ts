import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { needs } from './src/peer-availability.ts';
import { CARRIER_HOST, freePort } from './src/ports.ts';
import { RtpPeer } from './src/rtp-peer.ts';
import { audioOf } from './src/sip-trace.ts';
import { Sipp } from './src/sipp.ts';

/** Both scenarios against each other, so that a failure elsewhere is never theirs. */
describe('the SIPp scenarios, one against the other', { ...needs('sipp'), timeout: 120_000 }, () => {
  const format = { codec: 'PCMU', payloadType: 0, eventPayloadType: 101 } as const;

  async function pair() {
    const calledRtp = await RtpPeer.open(format);
    const callerRtp = await RtpPeer.open(format);
    const called = await Sipp.start({
      role: 'uas',
      port: await freePort(),
      rtp: { host: '127.0.0.1', port: calledRtp.port },
      format,
    });
    const caller = await Sipp.start({
      role: 'uac',
      port: await freePort(),
      rtp: { host: '127.0.0.1', port: callerRtp.port },
      format,
      number: '+15550001111',
      server: { host: CARRIER_HOST, port: called.port },
    });
    const close = async () => {
      await caller.stop();
      await called.stop();
      calledRtp.close();
      callerRtp.close();
    };
    await called.says('180');
    return { called, caller, calledRtp, callerRtp, close };
  }

  it('early media, answer, hold from either side, tones, BYE by the called side', async () => {
    const { called, caller, calledRtp, callerRtp, close } = await pair();
    try {
      await called.steer('earlyMedia');
      assert.equal(audioOf((await caller.gets('183')).body)?.port, calledRtp.port);
      await called.steer('answer');
      await called.gets('ACK');
      calledRtp.send(await called.remoteAudio(), 440);
      callerRtp.send(await caller.remoteAudio(), 1_000);
      await calledRtp.hears(1_000);
      await callerRtp.hears(440);
      await caller.steer('hold');
      await called.gets('ACK', 2);
      assert.equal(audioOf(called.received('INVITE')[1]!.body)?.direction, 'sendonly');
      assert.equal(audioOf(called.sent('200')[1]!.body)?.direction, 'recvonly');
      await caller.steer('unhold');
      await called.gets('ACK', 3);
      assert.equal(audioOf(called.sent('200')[2]!.body)?.direction, 'sendrecv');
      await called.steer('hold');
      await caller.gets('ACK', 1);
      await called.steer('offerless');
      await caller.gets('ACK', 2);
      await called.steer('bye');
      await called.finishes();
      await caller.finishes();
    } finally {
      await close();
    }
  });

  it('busy, no answer, CANCEL', async () => {
    for (const [step, status] of [
      ['busy', '486'],
      ['noAnswer', '480'],
    ] as const) {
      const { called, caller, close } = await pair();
      try {
        await called.steer(step);
        await caller.gets(status);
        await called.finishes();
        await caller.finishes();
      } finally {
        await close();
      }
    }
    const { called, caller, close } = await pair();
    try {
      await caller.steer('cancel');
      await caller.gets('487');
      await called.finishes();
      await caller.finishes();
    } finally {
      await close();
    }
  });
});
