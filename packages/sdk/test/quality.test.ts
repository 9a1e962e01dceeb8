import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { frameOf, mosOf, qualityOf, type StatsFrame } from '../src/quality.ts';
import { NO_QUALITY, stepQuality } from '../src/quality-machine.ts';
import { settle } from './fake-browser.ts';
import { Scene } from './scene.ts';

test('the score: nothing wrong, delay, loss, and the bounds', () => {
  assert.equal(mosOf(0, 0, 0).toFixed(2), '4.41');
  assert.equal(mosOf(0.02, 0.1, 0).toFixed(2), '4.37');
  assert.equal(mosOf(0.02, 0.5, 0.02).toFixed(2), '2.81');
  assert.equal(mosOf(0, 9, 1), 1);
  const words = [4.3, 4.15, 4.05, 3.8, 3.65, 3.3, 3.1, 3].map(qualityOf);
  assert.deepEqual(words, ['excellent', 'good', 'good', 'fair', 'fair', 'poor', 'poor', 'bad']);
  const number = fc.double({ min: 0, max: 100, noNaN: true });
  fc.assert(
    fc.property(number, number, fc.double({ min: 0, max: 1, noNaN: true }), (jitter, rtt, loss) => {
      const mos = mosOf(jitter, rtt, loss);
      assert.ok(mos >= 1 && mos <= 5);
    }),
  );
});

const stats = (second: number, more: object = {}) => [
  { id: 'p1', type: 'candidate-pair', nominated: true, state: 'succeeded', currentRoundTripTime: 0.05 },
  { type: 'media-source', kind: 'audio', audioLevel: 0.1 },
  { type: 'outbound-rtp', kind: 'audio', bytesSent: second * 100 },
  {
    type: 'inbound-rtp',
    kind: 'audio',
    jitter: 0.01,
    packetsLost: 0,
    packetsReceived: second * 50,
    bytesReceived: second * 100,
    audioLevel: 0.1,
    ...more,
  },
];

/** The warnings of seconds whose inbound statistics are these, second by second. */
function warnings(count: number, inbound: (second: number) => object, held = false): string[] {
  let state = NO_QUALITY;
  const told: string[] = [];
  for (let second = 1; second <= count; second++) {
    const frame: StatsFrame = frameOf(stats(second, inbound(second)), state.before);
    const step = stepQuality(state, frame, second * 1_000, { muted: false, held });
    state = step.state;
    for (const name of step.warnings) told.push(`${second} ${name}`);
  }
  return told;
}

test('a good call gives no warning', () => {
  assert.deepEqual(
    warnings(100, () => ({})),
    [],
  );
});

test('three bad seconds in a row are a warning, again after 15 s', () => {
  assert.deepEqual(
    warnings(20, () => ({ jitter: 0.05 })),
    ['3 HIGH_JITTER', '18 HIGH_JITTER'],
  );
  assert.deepEqual(
    warnings(20, (second) => ({ jitter: second % 3 === 0 ? 0.01 : 0.05 })),
    [],
  );
});

test('loss counts per second', () => {
  assert.deepEqual(
    warnings(5, (second) => ({ packetsLost: second })),
    ['3 HIGH_PACKET_LOSS', '4 HIGH_PACKET_LOSS'].slice(0, 1),
  );
  assert.deepEqual(
    warnings(50, () => ({ packetsLost: 1 })),
    [],
  );
});

test('no bytes for three seconds; on hold nothing is expected', () => {
  assert.deepEqual(
    warnings(6, () => ({ bytesReceived: 7 })),
    ['4 LOW_BYTES_RECEIVED'],
  );
  assert.deepEqual(
    warnings(6, () => ({ bytesReceived: 7 }), true),
    [],
  );
});

test('a far side that was heard and falls silent', () => {
  assert.deepEqual(
    warnings(40, (second) => ({ audioLevel: second < 5 ? 0.2 : 0 })),
    ['34 LOW_INBOUND_AUDIO'],
  );
  assert.deepEqual(
    warnings(40, () => ({ audioLevel: 0 })),
    [],
  );
});

test('no audio arrives: a warning, and another path is looked for', async () => {
  const scene = await Scene.ready();
  scene.socket.answersPings = true;
  const call = await scene.talks();
  scene.browser.peer.stats = stats(1);
  await scene.browser.passes(4_000);
  await settle();
  const codes = scene.named('telnyx.warning').map((payload) => payload['warning'].code);
  assert.deepEqual(codes.slice(0, 3), [32001, 36004, 32002]);
  assert.equal(call.commonState, 'RECONNECTING');
});

test('frames: the event with debug, the iterator always, and an end by the signal or the call', async () => {
  const scene = await Scene.ready({ debug: true });
  scene.socket.answersPings = true;
  const frames: number[] = [];
  scene.client.on('telnyx.stats.frame', ({ mos }) => frames.push(mos));
  const reports: number[] = [];
  scene.client.on('telnyx.stats.report', (report) => reports.push(report.frames.length));
  const call = await scene.talks();
  scene.browser.peer.stats = stats(1);
  const stop = new AbortController();
  const read: string[] = [];
  const reader = async (signal?: AbortSignal) => {
    for await (const { quality } of call.statistics({ signal })) read.push(quality);
    read.push('end');
  };
  void reader(stop.signal);
  void reader();
  await scene.browser.passes(2_000);
  assert.deepEqual(read, ['excellent', 'excellent', 'excellent', 'excellent']);
  stop.abort();
  await settle();
  assert.equal(read.at(-1), 'end');
  void call.hangup();
  await scene.socket.replies('telnyx_rtc.bye', {});
  assert.deepEqual([frames.length, reports, read.filter((one) => one === 'end').length], [2, [2], 2]);
});

test('getStats with a callback: every 2 s until the call ends', async () => {
  const scene = await Scene.ready();
  scene.socket.answersPings = true;
  const call = await scene.talks();
  let count = 0;
  call.getStats(() => count++);
  await settle();
  await scene.browser.passes(4_000);
  assert.equal(count, 3);
  void call.hangup();
  await scene.browser.passes(10_000);
  assert.equal(count, 3);
});
