import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientOptions } from '../src/options.ts';
import type { PreCallReport } from '../src/pre-call-reasons.ts';
import { TelnyxRTC } from '../src/telnyx-rtc.ts';
import { settle } from './fake-browser.ts';
import { Scene } from './scene.ts';

const path = { id: 'p', type: 'candidate-pair', nominated: true, state: 'succeeded', localCandidateId: 'h' };
const host = { id: 'h', type: 'local-candidate', candidateType: 'host', networkType: 'wifi' };
const heard = (more: object = {}) => ({
  type: 'inbound-rtp',
  kind: 'audio',
  jitter: 0.005,
  packetsReceived: 150,
  packetsLost: 0,
  ...more,
});
const sent = { type: 'outbound-rtp', kind: 'audio', packetsSent: 150 };

async function ready(options: Partial<ClientOptions> = {}): Promise<{ scene: Scene; client: TelnyxRTC }> {
  const scene = await Scene.ready(options);
  scene.socket.answersPings = true;
  assert.ok(scene.client instanceof TelnyxRTC);
  return { scene, client: scene.client };
}

/** A check whose call is answered and has these statistics. */
async function checked(stats: object[], options: Partial<ClientOptions> = {}): Promise<PreCallReport> {
  const { scene, client } = await ready(options);
  const report = client.runPreCall({ durationMs: 3_500 });
  await talks(scene, stats);
  return report;
}

async function talks(scene: Scene, stats: object[]): Promise<void> {
  await settle();
  scene.browser.peer.finds('host');
  await scene.browser.passes(1_000);
  scene.browser.peer.stats = stats as Record<string, unknown>[];
  const { callID } = scene.socket.last('telnyx_rtc.invite')['params'].dialogParams;
  await scene.socket.replies('telnyx_rtc.invite', {});
  await scene.socket.asks('telnyx_rtc.answer', { callID, sdp: 'a' });
  await scene.browser.passes(5_000);
}

const codes = (list: readonly { code: string }[]): string[] => list.map(({ code }) => code);

test('all is well: ready, with figures, and the call is hung up', async () => {
  const { scene, client } = await ready();
  const run = client.runPreCall({ destinationNumber: '9196', durationMs: 3_500 });
  await talks(scene, [path, host, heard(), sent]);
  const report = await run;
  assert.deepEqual([report.verdict, report.reasons, report.warnings], ['ready', [], []]);
  assert.deepEqual(report.ice?.candidateCounts, { host: 1, srflx: 0, prflx: 0, relay: 0 });
  assert.equal(report.network?.quality, 'good');
  assert.equal(report.network?.packets.packetsReceived, 150);
  assert.equal(report.timings?.callEstablishment?.steps.at(-1)?.label, 'ACTIVE');
  assert.equal(scene.socket.requests('telnyx_rtc.bye').length, 1);
  assert.equal(scene.states.length, 0, 'the application hears nothing of it');
});

test('jitter degrades; one-way audio blocks; the relay is worth a word', async () => {
  const jittery = await checked([path, host, heard({ jitter: 0.05 }), sent]);
  assert.deepEqual([jittery.verdict, codes(jittery.warnings)], ['degraded', ['network_high_jitter']]);
  const silent = await checked([path, host, sent]);
  assert.deepEqual([silent.verdict, codes(silent.reasons)], ['blocked', ['network_one_way_audio']]);
  const relayed = await checked([path, { ...host, candidateType: 'relay' }, heard(), sent]);
  assert.deepEqual(
    [relayed.verdict, codes(relayed.warnings)],
    ['ready', ['ice_only_relay_candidates', 'ice_turn_required']],
  );
});

test('a call that does not come up is inconclusive; a refused microphone says so', async () => {
  const { scene, client } = await ready();
  const stop = new AbortController();
  const run = client.runPreCall({ signal: stop.signal });
  await settle();
  stop.abort();
  await settle();
  await scene.browser.passes(10_000);
  assert.equal((await run).verdict, 'inconclusive');
  scene.browser.microphoneError = Object.assign(new Error('x'), { name: 'NotAllowedError' });
  const denied = client.runPreCall();
  await settle();
  await scene.browser.passes(10_000);
  assert.equal((await denied).verdict, 'permission_denied');
});

test('a network check calls once for each address of a server', async () => {
  const { scene, client } = await ready({ iceServers: [{ urls: ['stun:a', 'turn:b'] }] });
  const run = client.runNetworkCheck();
  await talks(scene, [path, { ...host, candidateType: 'srflx' }, heard(), sent]);
  await talks(scene, [path, host, heard(), sent]);
  const { serverTests, verdict, warnings } = await run;
  assert.equal(verdict, 'ready');
  assert.deepEqual(
    serverTests?.map(({ server, established }) => [server.urls, established]),
    [
      ['stun:a', true],
      ['turn:b', true],
    ],
  );
  assert.deepEqual(codes(warnings), ['ice_server_no_candidates']);
});

test('a microphone: heard, silent, refused, absent', async () => {
  const { scene, client } = await ready();
  const check = async (): Promise<PreCallReport> => {
    const run = client.runMicrophoneCheck();
    for (let i = 0; i < 25; i++) {
      await settle();
      await scene.browser.passes(100);
    }
    return run;
  };
  const well = await check();
  assert.deepEqual(
    [well.verdict, well.microphone?.audioDetected, well.microphone?.deviceCount],
    ['ready', true, 1],
  );
  assert.equal(well.microphone?.audioLevelStats?.samples, 20);
  assert.equal(scene.browser.streams.at(-1)!.tracks[0]!.readyState, 'ended');
  scene.browser.loudness = 0;
  assert.deepEqual(codes((await check()).reasons), ['microphone_silent']);
  scene.browser.microphoneError = Object.assign(new Error('x'), { name: 'NotAllowedError' });
  assert.equal((await check()).verdict, 'permission_denied');
  scene.browser.microphoneError = Object.assign(new Error('x'), { name: 'NotFoundError' });
  const none = await check();
  assert.deepEqual([none.verdict, codes(none.reasons)], ['blocked', ['microphone_no_device']]);
});
