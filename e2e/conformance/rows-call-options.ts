import assert from 'node:assert/strict';
import type { Cell, Row } from './row.ts';

/** The configuration that the newest peer connection was made with. */
const configuration = `(({ iceServers, iceTransportPolicy, iceCandidatePoolSize }) => ({
  servers: JSON.stringify(iceServers ?? []), policy: iceTransportPolicy ?? 'all', pool: iceCandidatePoolSize ?? 0 }))(sut.peers.at(-1).getConfiguration())`;

const STUN = [{ urls: 'stun:127.0.0.1:53479' }];

async function lastOption(cell: Cell, name: string): Promise<unknown> {
  return await cell.run(`JSON.parse(JSON.stringify(sut.last.options[${JSON.stringify(name)}] ?? null))`);
}

export const CALL_OPTION_ROWS: readonly Row[] = [
  {
    name: 'newCall: id, names, numbers, clientState, remote names',
    covers: [
      'call option callerNumber',
      'call option remoteCaller',
      'call option id',
      'call option clientState',
      'call member id',
    ],
    async run(cell) {
      const id = '7b7b9f4e-6f0a-4d3c-9b0e-0123456789ab';
      await cell.call({ id, callerNumber: '+15550001111', callerName: 'Alice', clientState: 'c3Q=' });
      assert.equal(await cell.run('sut.last.id'), id);
      const { dialogParams } = cell.proxy.sent('telnyx_rtc.invite')[0]?.['params'] ?? {};
      assert.deepEqual(
        [
          dialogParams.callID,
          dialogParams.caller_id_name,
          dialogParams.caller_id_number,
          dialogParams.clientState,
        ],
        [id, 'Alice', '+15550001111', 'c3Q='],
      );
      assert.deepEqual(
        [dialogParams.remote_caller_id_name, dialogParams.remote_caller_id_number],
        ['Outbound Call', '9196'],
      );
      assert.equal(await lastOption(cell, 'destinationNumber'), '9196');
      assert.equal(await lastOption(cell, 'clientState'), 'c3Q=');
    },
  },
  {
    name: 'newCall: customHeaders',
    covers: ['call option customHeaders'],
    async run(cell) {
      const headers = [{ name: 'X-Test', value: '1' }];
      await cell.call({ customHeaders: headers });
      const { dialogParams } = cell.proxy.sent('telnyx_rtc.invite')[0]?.['params'] ?? {};
      assert.deepEqual(dialogParams.custom_headers ?? dialogParams.customHeaders, headers);
      assert.deepEqual(await lastOption(cell, 'customHeaders'), headers);
    },
  },
  {
    name: 'newCall without a destination: 44002 thrown',
    covers: ['error 44002', 'export TelnyxError'],
    needs: { words: ['INVALID_CALL_PARAMETERS'], exports: ['TelnyxError'] },
    async run(cell) {
      await cell.ready();
      const thrown = await cell.run(
        `(() => { try { sut.client.newCall({}); return null; } catch (error) {
          return { is: error instanceof sut.sdk.TelnyxError, code: error.code, name: error.name, fatal: error.fatal,
            json: Object.keys(error.toJSON()).sort(), causes: error.causes.length > 0, solutions: error.solutions.length > 0,
            description: typeof error.description, message: typeof error.message }; } })()`,
      );
      const { json, ...rest } = thrown as { json: string[] };
      assert.deepEqual(rest, {
        is: true,
        code: 44002,
        name: 'INVALID_CALL_PARAMETERS',
        fatal: true,
        causes: true,
        solutions: true,
        description: 'string',
        message: 'string',
      });
      for (const name of ['code', 'name', 'message', 'description', 'causes', 'solutions', 'fatal'])
        assert.ok(json.includes(name), name);
    },
  },
  {
    name: 'video: false and useStereo',
    covers: ['call option video', 'call option useStereo'],
    async run(cell) {
      await cell.call({ video: false, useStereo: true });
      const sdp = cell.proxy.sent('telnyx_rtc.invite')[0]?.['params'].sdp as string;
      assert.doesNotMatch(sdp, /^m=video/m);
      // Later published versions take the option and do nothing with it.
      if (cell.has('stereo=1')) assert.match(sdp, /stereo=1/);
    },
  },
  {
    name: 'iceServers of the client, of a call; the empty list is respected',
    covers: ['wire: ICE options', 'option iceServers', 'member iceServers', 'call option iceServers'],
    async run(cell) {
      await cell.ready({ iceServers: STUN });
      assert.equal(await cell.run('JSON.stringify(sut.client.iceServers)'), JSON.stringify(STUN));
      void (await cell.page.newCall({ destinationNumber: '9196' }));
      await cell.until('a peer', 'sut.peers.length');
      assert.match((await cell.run<{ servers: string }>(configuration)).servers, /stun:127\.0\.0\.1:53479/);
      if (cell.sdk === '2.22.0' || cell.sdk === '2.9.0') return;
      await cell.page.newCall({ destinationNumber: '9196', iceServers: [] });
      await cell.until('another peer', 'sut.peers.length > 1');
      assert.equal((await cell.run<{ servers: string }>(configuration)).servers, '[]');
    },
  },
  {
    name: 'forceRelayCandidate: relay only',
    covers: ['option forceRelayCandidate', 'call option forceRelayCandidate'],
    needs: { words: ['forceRelayCandidate'] },
    async run(cell) {
      await cell.ready({ forceRelayCandidate: true, iceServers: STUN });
      // 2.25.10 knows it as an option of the call alone.
      const more = cell.structured ? {} : { forceRelayCandidate: true };
      await cell.page.newCall({ destinationNumber: '9196', ...more });
      await cell.until('a peer', 'sut.peers.length');
      assert.equal((await cell.run<{ policy: string }>(configuration)).policy, 'relay');
    },
  },
  {
    name: 'mutedMicOnStart',
    covers: ['option mutedMicOnStart', 'call option mutedMicOnStart'],
    needs: { words: ['mutedMicOnStart'] },
    async run(cell) {
      await cell.call({ mutedMicOnStart: true });
      assert.deepEqual(
        await cell.run('[sut.last.isAudioMuted, sut.last.localStream.getAudioTracks()[0].enabled]'),
        [true, false],
      );
    },
  },
  {
    name: 'preferred_codecs',
    covers: ['call option preferred_codecs'],
    needs: { words: ['preferred_codecs'] },
    async run(cell) {
      await cell.ready();
      await cell.run(`(() => {
        const codecs = RTCRtpReceiver.getCapabilities('audio').codecs.filter(({ mimeType }) => mimeType === 'audio/PCMU');
        const call = sut.client.newCall({ destinationNumber: '9196', audio: true, preferred_codecs: codecs });
        sut.saw(call);
      })()`);
      const invite = await cell.proxy.sends('telnyx_rtc.invite');
      assert.match(invite['params'].sdp, /^m=audio \d+ \S+ 0\b/m);
    },
  },
  {
    name: 'receiveOnlyAudio: no microphone, recvonly',
    covers: ['call option receiveOnlyAudio'],
    needs: { published: /receiveOnlyAudio/ },
    async run(cell) {
      await cell.ready();
      const id = await cell.page.newCall({ destinationNumber: '9197', audio: false, receiveOnlyAudio: true });
      await cell.page.reaches(id, 'active');
      assert.match(cell.proxy.sent('telnyx_rtc.invite')[0]?.['params'].sdp, /a=recvonly/);
      await cell.page.hears(1_000);
    },
  },
  {
    name: 'localStream of the application; its tracks are sent',
    covers: ['call option localStream'],
    async run(cell) {
      await cell.ready();
      await cell.run(`(async () => {
        const context = new AudioContext();
        const out = new MediaStreamAudioDestinationNode(context);
        window.mine = out.stream;
        sut.saw(sut.client.newCall({ destinationNumber: '9196', audio: true, localStream: out.stream }));
      })()`);
      await cell.until('active', `sut.last.state === 'active'`);
      assert.equal(await cell.run('sut.last.localStream === window.mine'), true);
      assert.equal(
        await cell.run(
          'sut.peers.at(-1).getSenders().some(({ track }) => track === window.mine.getAudioTracks()[0])',
        ),
        true,
      );
    },
  },
  {
    name: 'onNotification takes the place of the client event',
    covers: ['call option onNotification', 'event delivery rule'],
    needs: { words: ['onNotification'] },
    async run(cell) {
      await cell.ready();
      await cell.run(`(() => {
        window.mine = [];
        sut.saw(sut.client.newCall({ destinationNumber: '9196', audio: true, onNotification: ({ type, call }) => window.mine.push([type, call?.state]) }));
      })()`);
      await cell.until(
        'active',
        `window.mine.some(([type, state]) => type === 'callUpdate' && state === 'active')`,
      );
      assert.equal(await cell.run(`sut.payloads('telnyx.notification').length`), 0);
    },
  },
  {
    name: 'local and remote element of a call; answer with another remote element',
    covers: ['call option elements', 'member localElement', 'member remoteElement'],
    async run(cell) {
      await cell.ready();
      await cell.run(`(() => {
        for (const id of ['mine', 'theirs']) { const audio = document.createElement('audio'); audio.id = id; document.body.append(audio); }
        sut.client.localElement = 'mine';
        sut.saw(sut.client.newCall({ destinationNumber: '9196', audio: true, remoteElement: 'theirs' }));
      })()`);
      await cell.until('active', `sut.last.state === 'active'`);
      await cell.until(
        'streams at their elements',
        `document.getElementById('theirs').srcObject === sut.last.remoteStream
        && document.getElementById('mine').srcObject === sut.last.localStream`,
      );
    },
  },
];
