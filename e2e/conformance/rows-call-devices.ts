import assert from 'node:assert/strict';
import { pause, until } from '../src/wait.ts';
import type { Row } from './row.ts';

const STUN = [{ urls: 'stun:127.0.0.1:53479' }];

/** Sounds that the page begins to play, by the end of their address. */
const WATCH_SOUNDS = `(() => {
  window.sounds = [];
  const play = HTMLMediaElement.prototype.play;
  const note = (element) => { if (/\\.wav/.test(element.src)) window.sounds.push(element.src.split('/').at(-1)); };
  HTMLMediaElement.prototype.play = function () { note(this); return play.call(this); };
  return true;
})()`;

/** getUserMedia refuses as browsers do when a person says no, the device is gone, or it is in use. */
const refuseMicrophone = (name: string): string => `(() => {
  window.openMicrophone ??= navigator.mediaDevices.getUserMedia;
  navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('refused by the test', ${JSON.stringify(name)}); };
  return true;
})()`;

export const CALL_DEVICE_ROWS: readonly Row[] = [
  {
    name: 'mute, unmute, toggle: the track, no frame',
    covers: ['call member mute', 'quality mute'],
    async run(cell) {
      await cell.call();
      const frames = cell.proxy.frames.filter(
        ({ up, frame }) => up && frame['method'] !== 'telnyx_rtc.ping',
      ).length;
      for (const [method, enabled] of [
        ['muteAudio', false],
        ['unmuteAudio', true],
        ['toggleAudioMute', false],
        ['toggleAudioMute', true],
      ] as const) {
        await cell.run(`void sut.last.${method}()`);
        await cell.until(
          `${method} to be done`,
          `sut.last.localStream.getAudioTracks()[0].enabled === ${enabled}`,
        );
        if (cell.has('isAudioMuted')) assert.equal(await cell.run('sut.last.isAudioMuted'), !enabled);
      }
      assert.equal(
        cell.proxy.frames.filter(({ up, frame }) => up && frame['method'] !== 'telnyx_rtc.ping').length,
        frames,
      );
    },
  },
  {
    name: 'deaf, undeaf, toggleDeaf',
    covers: ['call member deaf'],
    async run(cell) {
      await cell.call();
      for (const [method, enabled] of [
        ['deaf', false],
        ['undeaf', true],
        ['toggleDeaf', false],
        ['toggleDeaf', true],
      ] as const) {
        await cell.run(`void sut.last.${method}()`);
        assert.equal(await cell.run('sut.last.remoteStream.getAudioTracks()[0].enabled'), enabled, method);
      }
    },
  },
  {
    name: 'getStats every 2 s; getEstablishmentTimings',
    covers: ['call member getStats', 'call member getEstablishmentTimings'],
    needs: { words: ['getStats'] },
    async run(cell) {
      await cell.call();
      await cell.run(
        '(window.reports = [], sut.last.getStats((report) => window.reports.push(report), {}), true)',
      );
      await cell.until('two reports', 'window.reports.length >= 2');
      if (!cell.has('getEstablishmentTimings')) return;
      const timings = await cell.run<{
        mode: string;
        direction: string;
        steps: { label: string; fromStart: number; delta: number }[];
      }>('JSON.parse(JSON.stringify(sut.last.getEstablishmentTimings()))');
      assert.deepEqual([timings.mode, timings.direction], ['non-trickle', 'outbound']);
      assert.ok(timings.steps.length > 1);
      for (const step of timings.steps)
        assert.ok(
          typeof step.label === 'string' &&
            typeof step.fromStart === 'number' &&
            typeof step.delta === 'number',
        );
    },
  },
  {
    name: 'setAudioInDevice in a call: another track, mute kept',
    covers: ['call member setAudioInDevice', 'call option micId'],
    async run(cell) {
      await cell.call();
      await cell.run('(window.before = sut.peers.at(-1).getSenders()[0].track, sut.last.muteAudio())');
      const [first] = await cell.run<string[]>(
        `navigator.mediaDevices.enumerateDevices().then((all) => all.filter(({ kind }) => kind === 'audioinput').map(({ deviceId }) => deviceId))`,
      );
      await cell.run(
        `Promise.resolve(sut.last.setAudioInDevice(${JSON.stringify(first)})).then(() => undefined)`,
      );
      await cell.until('another track', 'sut.peers.at(-1).getSenders()[0].track !== window.before');
      assert.equal(await cell.run('sut.last.options.micId'), first);
      if (cell.structured)
        assert.equal(await cell.run('sut.peers.at(-1).getSenders()[0].track.enabled'), false);
    },
  },
  {
    name: 'setAudioOutDevice: setSinkId of the remote element',
    covers: ['call member setAudioOutDevice', 'member speaker', 'call option speakerId', 'device output'],
    async run(cell) {
      await cell.ready();
      await cell.run(
        `(window.sinks = [], HTMLMediaElement.prototype.setSinkId = async function (id) { window.sinks.push(id); }, true)`,
      );
      await cell.run(`(sut.client.speaker = 'session-speaker', true)`);
      assert.equal(await cell.run('sut.client.speaker'), 'session-speaker');
      await cell.dial();
      await cell.until('the speaker of the session', `window.sinks.includes('session-speaker')`);
      assert.equal(await cell.run(`sut.last.setAudioOutDevice('other-speaker')`), true);
      assert.equal(await cell.run('window.sinks.at(-1)'), 'other-speaker');
    },
  },
  {
    name: 'microphone refused (42001), missing (42002), broken (42003): userMediaError and the end',
    covers: ['error 42001', 'error 42002', 'error 42003', 'notification userMediaError'],
    async run(cell) {
      await cell.ready();
      for (const [name, code] of [
        ['NotAllowedError', 42001],
        ['NotFoundError', 42002],
        ['NotReadableError', 42003],
      ] as const) {
        await cell.run(refuseMicrophone(name));
        const id = await cell.page.newCall({ destinationNumber: '9196' });
        await cell.page.ended(id);
        if (cell.structured) assert.equal((await cell.error(code)).fatal, true);
      }
      if (cell.structured && !cell.ours) {
        // 2.27.10 tells the notification only of a microphone that is changed in mid-call, and ends the call then.
        await cell.run('(navigator.mediaDevices.getUserMedia = window.openMicrophone, true)');
        const id = await cell.dial();
        await cell.run(refuseMicrophone('NotAllowedError'));
        await cell.run(`void sut.last.setAudioInDevice('gone')`);
        await cell.page.ended(id);
      }
      const shapes = await cell.run<Record<string, string>[]>(
        `sut.payloads('telnyx.notification').filter(({ type }) => type === 'userMediaError').map((one) => ({ error: typeof one.error, errorName: typeof one.errorName }))`,
      );
      assert.equal(shapes.length, cell.structured && !cell.ours ? 1 : 3);
      if (cell.structured) assert.deepEqual(shapes[0], { error: 'object', errorName: 'string' });
    },
  },
  {
    name: 'mediaPermissionsRecovery: recoverable error, resume, active',
    covers: ['option mediaPermissionsRecovery', 'export isMediaRecoveryErrorEvent'],
    needs: { words: ['mediaPermissionsRecovery'], exports: ['isMediaRecoveryErrorEvent'] },
    async run(cell) {
      await cell.open();
      await cell.page.connect(cell.options({ mediaPermissionsRecovery: { enabled: true, timeout: 20_000 } }));
      await cell.friend.calls(cell.user);
      const { id } = await cell.page.rings();
      await cell.run(refuseMicrophone('NotAllowedError'));
      await cell.page.act(id, 'answer');
      const error = await cell.error(42001);
      assert.equal(error.fatal, false);
      const shape = await cell.run(
        `((e) => ({ guard: sut.sdk.isMediaRecoveryErrorEvent(e), recoverable: e.recoverable, resume: typeof e.resume, reject: typeof e.reject,
          deadline: typeof e.retryDeadline }))(sut.payloads('telnyx.error')[0])`,
      );
      assert.deepEqual(shape, {
        guard: true,
        recoverable: true,
        resume: 'function',
        reject: 'function',
        deadline: 'number',
      });
      await cell.run(
        `(navigator.mediaDevices.getUserMedia = window.openMicrophone, sut.payloads('telnyx.error')[0].resume(), true)`,
      );
      await cell.page.reaches(id, 'active');
    },
  },
  {
    name: 'ringtoneFile and ringbackFile play while it rings',
    covers: ['option ringtoneFile', 'option ringbackFile'],
    async run(cell) {
      await cell.open();
      await cell.run(WATCH_SOUNDS);
      await cell.page.connect(cell.options({ ringtoneFile: '/ringtone.wav', ringbackFile: '/ringback.wav' }));
      await cell.friend.calls(cell.user);
      const { id } = await cell.page.rings();
      await cell.until('the ringtone', `window.sounds.includes('ringtone.wav')`);
      await cell.page.act(id, 'hangup');
      await cell.page.ended(id);
      await cell.page.newCall({ destinationNumber: 'friend', callerNumber: cell.user });
      await cell.until('the ringback', `window.sounds.includes('ringback.wav')`);
    },
  },
  {
    name: 'answer twice: 33007, then 33006',
    covers: ['warning 33006', 'warning 33007'],
    needs: { words: ['DUPLICATE_INBOUND_ANSWER'] },
    async run(cell) {
      const id = await cell.rung();
      await cell.run('(void sut.last.answer(), void sut.last.answer(), true)');
      const name = `sut.payloads('telnyx.warning').map(({ warning }) => warning.code).filter((code) => code === 33007 || code === 33006)`;
      await cell.until('a warning', `(${name}).length`);
      await cell.page.reaches(id, 'active');
    },
  },
  {
    name: 'two calls: listed, 33010; one element for both, 33011',
    covers: ['member getActiveCalls', 'member hasActiveCall', 'warning 33010', 'warning 33011'],
    needs: { words: ['MULTIPLE_ACTIVE_CALLS_DETECTED', 'getActiveCalls'] },
    async run(cell) {
      await cell.ready();
      assert.equal(await cell.run('sut.client.hasActiveCall()'), false);
      await cell.dial();
      await cell.dial();
      assert.equal(await cell.run('sut.client.hasActiveCall()'), true);
      assert.equal(await cell.run('sut.client.getActiveCalls().length'), 2);
      assert.equal(await cell.run('Object.keys(sut.client.calls).length'), 2);
      await cell.warning(33010);
      await cell.warning(33011);
    },
  },
  {
    name: 'only host candidates although servers are named: 33005',
    covers: ['warning 33005'],
    needs: { words: ['ONLY_HOST_ICE_CANDIDATES'] },
    async run(cell) {
      await cell.ready({ iceServers: STUN });
      await cell.page.newCall({ destinationNumber: '9196' });
      await cell.warning(33005);
    },
  },
  {
    name: 'quality: high round-trip time and jitter, three samples in a row: 31001, 31002',
    covers: ['quality warnings', 'constants warnings', 'option callReportInterval'],
    needs: { words: ['HIGH_JITTER'] },
    async run(cell) {
      await cell.open();
      await cell.run(`(() => {
        const read = RTCPeerConnection.prototype.getStats;
        RTCPeerConnection.prototype.getStats = async function (...args) {
          const report = await read.apply(this, args);
          return new Map([...report].map(([id, one]) => [id, { ...one,
            ...('jitter' in one ? { jitter: 0.3 } : {}),
            ...('roundTripTime' in one ? { roundTripTime: 0.9 } : {}),
            ...('currentRoundTripTime' in one ? { currentRoundTripTime: 0.9 } : {}) }]));
        };
        return true;
      })()`);
      cell.proxy.fromServer = (frame) =>
        frame['result']?.params?.state === 'REGED'
          ? { ...frame, result: { params: { state: 'REGED', call_report_id: 'cr-1' } } }
          : undefined;
      await cell.page.connect(cell.options({ callReportInterval: 1_000 }));
      const id = await cell.dial();
      for (const [code, name] of [
        [31001, 'HIGH_RTT'],
        [31002, 'HIGH_JITTER'],
        [31004, 'LOW_MOS'],
      ] as const) {
        const warning = await cell.warning(code, 30_000);
        assert.deepEqual([warning.name, warning.callId], [name, id]);
      }
    },
  },
  {
    name: 'no packets arrive: 32001, then media recovery 36004',
    covers: ['warning 32001'],
    needs: { words: ['LOW_BYTES_RECEIVED', 'updateMedia'] },
    async run(cell) {
      await cell.open();
      await cell.run(`(() => {
        const read = RTCPeerConnection.prototype.getStats;
        RTCPeerConnection.prototype.getStats = async function (...args) {
          const report = await read.apply(this, args);
          if (!window.dead) return report;
          return new Map([...report].map(([id, one]) => [id, one.type === 'inbound-rtp' || one.type === 'transport' || one.type === 'candidate-pair'
            ? { ...one, bytesReceived: 1000, packetsReceived: 10 } : one]));
        };
        return true;
      })()`);
      cell.proxy.fromServer = (frame) =>
        frame['result']?.params?.state === 'REGED'
          ? { ...frame, result: { params: { state: 'REGED', call_report_id: 'cr-1' } } }
          : undefined;
      await cell.page.connect(cell.options());
      await cell.dial();
      await pause(1_500);
      await cell.run('(window.dead = true)');
      await cell.warning(32001, 30_000);
      await until('the ICE restart', () =>
        cell.proxy.sent('telnyx_rtc.modify').some(({ params }) => params.action === 'updateMedia'),
      );
    },
  },
];
