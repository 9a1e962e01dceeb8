import assert from 'node:assert/strict';
import { until } from '../src/wait.ts';
import type { Row } from './row.ts';

const URLS: readonly (readonly [
  options: Readonly<Record<string, unknown>>,
  published: string,
  ours: string,
])[] = [
  [{ host: 'localhost:8080' }, 'wss://localhost:8080', 'wss://localhost:8080'],
  [{ host: 'ws://localhost:8080/path' }, 'ws://localhost:8080/path', 'ws://localhost:8080/path'],
  [{ host: 'wss://rtc.example.com', region: 'eu' }, 'wss://eu.rtc.example.com', 'wss://eu.rtc.example.com'],
  [{ host: 'ws://localhost:1', region: 'eu' }, 'ws://localhost:1', 'ws://localhost:1'],
];

/** Names and values that the published enum has, as far as an application reads them. */
const EVENT_NAMES: Readonly<Record<string, string>> = {
  Ready: 'telnyx.ready',
  Notification: 'telnyx.notification',
  Error: 'telnyx.error',
  Warning: 'telnyx.warning',
  SocketOpen: 'telnyx.socket.open',
  SocketClose: 'telnyx.socket.close',
  SocketError: 'telnyx.socket.error',
  SocketMessage: 'telnyx.socket.message',
  StatsFrame: 'telnyx.stats.frame',
  StatsReport: 'telnyx.stats.report',
};

const TYPES: readonly string[] = [
  'callUpdate',
  'conferenceUpdate',
  'vertoClientReady',
  'userMediaError',
  'peerConnectionFailureError',
  'signalingStateClosed',
];

const REGIONS = {
  EU: 'eu',
  US_CENTRAL: 'us-central',
  US_EAST: 'us-east',
  US_WEST: 'us-west',
  CA_CENTRAL: 'ca-central',
  APAC: 'apac',
  SOUTH_ASIA: 'south-asia',
};

const ERRORS: Readonly<Record<string, number>> = {
  SDP_CREATE_OFFER_FAILED: 40001,
  SDP_CREATE_ANSWER_FAILED: 40002,
  SDP_SET_LOCAL_DESCRIPTION_FAILED: 40003,
  SDP_SET_REMOTE_DESCRIPTION_FAILED: 40004,
  SDP_SEND_FAILED: 40005,
  MEDIA_MICROPHONE_PERMISSION_DENIED: 42001,
  MEDIA_DEVICE_NOT_FOUND: 42002,
  MEDIA_GET_USER_MEDIA_FAILED: 42003,
  HOLD_FAILED: 44001,
  INVALID_CALL_PARAMETERS: 44002,
  BYE_SEND_FAILED: 44003,
  SUBSCRIBE_FAILED: 44004,
  PEER_CLOSED_DURING_INIT: 44005,
  WEBSOCKET_CONNECTION_FAILED: 45001,
  WEBSOCKET_ERROR: 45002,
  RECONNECTION_EXHAUSTED: 45003,
  GATEWAY_FAILED: 45004,
  LOGIN_FAILED: 46001,
  INVALID_CREDENTIALS: 46002,
  AUTHENTICATION_REQUIRED: 46003,
  ICE_RESTART_FAILED: 47001,
  NETWORK_OFFLINE: 48001,
  SESSION_NOT_REATTACHED: 48501,
  UNEXPECTED_ERROR: 49001,
};

const WARNINGS: Readonly<Record<string, number>> = {
  HIGH_RTT: 31001,
  HIGH_JITTER: 31002,
  HIGH_PACKET_LOSS: 31003,
  LOW_MOS: 31004,
  LOW_LOCAL_AUDIO: 31005,
  LOW_INBOUND_AUDIO: 31006,
  LOW_BYTES_RECEIVED: 32001,
  LOW_BYTES_SENT: 32002,
  ICE_CONNECTIVITY_LOST: 33001,
  ICE_GATHERING_EMPTY: 33003,
  PEER_CONNECTION_FAILED: 33004,
  ONLY_HOST_ICE_CANDIDATES: 33005,
  ANSWER_WHILE_PEER_ACTIVE: 33006,
  DUPLICATE_INBOUND_ANSWER: 33007,
  MULTIPLE_ACTIVE_CALLS_DETECTED: 33010,
  SHARED_REMOTE_ELEMENT_OVERWRITE: 33011,
  TOKEN_EXPIRING_SOON: 34001,
  UNKNOWN_REATTACHED_SESSION: 35002,
  SIGNALING_RECOVERY_REQUIRED: 36003,
  MEDIA_RECOVERY_REQUIRED: 36004,
  RECONNECTION_FAILED_WITH_NO_AUTO_RECONNECT: 36005,
};

const COMMON: Readonly<Record<string, string>> = {
  new: 'new',
  requesting: 'connecting',
  trying: 'connecting',
  recovering: 'recovering',
  answering: 'ringing',
  early: 'connecting',
  active: 'active',
  held: 'held',
  hangup: 'done',
  destroy: 'done',
};

const MEMBERS = ['connect', 'disconnect', 'newCall', 'on', 'off'];
const CALL_MEMBERS = [
  'answer',
  'hangup',
  'hold',
  'unhold',
  'toggleHold',
  'dtmf',
  'muteAudio',
  'unmuteAudio',
  'toggleAudioMute',
  'deaf',
  'undeaf',
  'toggleDeaf',
  'setAudioInDevice',
  'setAudioOutDevice',
  'getStats',
  'message',
];

export const CLIENT_SURFACE_ROWS: readonly Row[] = [
  {
    name: 'exports TelnyxRTC; the constructor refuses options without credentials',
    covers: ['export TelnyxRTC', 'option invalid'],
    async run(cell) {
      await cell.open();
      assert.equal(await cell.run('typeof sut.sdk.TelnyxRTC'), 'function');
      for (const options of ['{}', `{ login: 'x' }`, `{ password: 'x' }`]) {
        const thrown = await cell.run(
          `(() => { try { new sut.sdk.TelnyxRTC(${options}); return ''; } catch (error) { return String(error.message ?? error); } })()`,
        );
        assert.match(String(thrown), /Invalid init options/, options);
      }
    },
  },
  {
    name: 'exports Call, SwEvent',
    covers: ['export Call', 'export SwEvent'],
    needs: { exports: ['Call', 'SwEvent'] },
    async run(cell) {
      await cell.open();
      assert.equal(await cell.run('typeof sut.sdk.Call'), 'function');
      const events = await cell.run<Record<string, string>>('({ ...sut.sdk.SwEvent })');
      for (const [name, value] of Object.entries(EVENT_NAMES))
        if (cell.has(value)) assert.equal(events[name], value, name);
    },
  },
  {
    name: 'exports NOTIFICATION_TYPE, Region',
    covers: ['export NOTIFICATION_TYPE', 'export Region'],
    needs: { exports: ['NOTIFICATION_TYPE', 'Region'] },
    async run(cell) {
      await cell.open();
      const types = await cell.run<Record<string, string>>('({ ...sut.sdk.NOTIFICATION_TYPE })');
      for (const type of TYPES) assert.equal(types[type], type);
      assert.deepEqual(await cell.run('({ ...sut.sdk.Region })'), REGIONS);
    },
  },
  {
    name: 'exports error and warning codes and their registries',
    covers: ['export SDK_ERRORS', 'export TELNYX_ERROR_CODES', 'constants errors', 'constants warnings'],
    needs: { exports: ['SDK_ERRORS', 'SDK_WARNINGS', 'TELNYX_ERROR_CODES', 'TELNYX_WARNING_CODES'] },
    async run(cell) {
      await cell.open();
      const errors = await cell.run<Record<string, number>>('({ ...sut.sdk.TELNYX_ERROR_CODES })');
      for (const [name, code] of Object.entries(ERRORS)) assert.equal(errors[name], code, name);
      const warnings = await cell.run<Record<string, number>>('({ ...sut.sdk.TELNYX_WARNING_CODES })');
      for (const [name, code] of Object.entries(WARNINGS)) assert.equal(warnings[name], code, name);
      for (const [registry, codes] of [
        ['SDK_ERRORS', ERRORS],
        ['SDK_WARNINGS', WARNINGS],
      ] as const) {
        const entries = await cell.run<Record<string, Record<string, unknown>>>(
          `JSON.parse(JSON.stringify(sut.sdk.${registry}))`,
        );
        for (const [name, code] of Object.entries(codes)) {
          const entry = entries[code] ?? {};
          assert.equal(entry['name'], name);
          for (const words of ['message', 'description'])
            assert.equal(typeof entry[words], 'string', `${name} ${words}`);
          for (const list of ['causes', 'solutions'])
            assert.ok(Array.isArray(entry[list]) && entry[list].length > 0, `${name} ${list}`);
        }
      }
    },
  },
  {
    name: 'exports reason codes of the pre-call check',
    covers: ['export reason codes', 'pre-call reason codes'],
    needs: { exports: ['IceReasonCode', 'NetworkReasonCode', 'MicrophoneReasonCode'] },
    async run(cell) {
      await cell.open();
      const values = async (name: string): Promise<string[]> =>
        (await cell.run<string[]>(`Object.values(sut.sdk.${name})`)).sort();
      const named = (prefix: string, words: string): string[] =>
        words
          .split(' ')
          .map((word) => `${prefix}_${word}`)
          .sort();
      assert.deepEqual(
        await values('IceReasonCode'),
        named(
          'ice',
          'no_candidates only_host_candidates only_relay_candidates gathering_timeout no_selected_pair turn_required server_no_candidates strict_network multiple_interfaces vpn_detected',
        ),
      );
      assert.deepEqual(
        await values('NetworkReasonCode'),
        named(
          'network',
          'high_jitter high_rtt packet_loss low_bitrate poor_quality fair_quality no_audio_flow one_way_audio',
        ),
      );
      assert.deepEqual(
        await values('MicrophoneReasonCode'),
        named(
          'microphone',
          'permission_denied no_device capture_permission_denied capture_no_device capture_not_supported capture_failed silent',
        ),
      );
    },
  },
  {
    name: 'every E and U method of client and call is there',
    covers: ['member on', 'call member methods'],
    async run(cell) {
      await cell.ready();
      const absent = await cell.run(
        `${JSON.stringify(MEMBERS)}.filter((name) => typeof sut.client[name] !== 'function')`,
      );
      assert.deepEqual(absent, []);
      await cell.page.newCall({ destinationNumber: '9196' });
      const call = await cell.run<string[]>(
        `${JSON.stringify(CALL_MEMBERS)}.filter((name) => typeof sut.last[name] !== 'function')`,
      );
      assert.deepEqual(call, []);
    },
  },
  {
    name: 'host, region and scheme → URL',
    covers: ['wire: URL', 'option region', 'option host matrix'],
    async run(cell) {
      await cell.open();
      await cell.run('(window.goNowhere = true)');
      for (const [options, published, ours] of URLS) {
        // Versions without regions leave the host as it is.
        const wanted = cell.ours
          ? ours
          : cell.has('region') || options['region'] === undefined
            ? published
            : String(options['host']);
        await cell.run(`(() => {
          const client = new sut.sdk.TelnyxRTC(${JSON.stringify({ login: 'a', password: 'b', ...options })});
          void client.connect();
        })()`);
        await cell.until('a socket', 'sut.addresses.length');
        const url = await cell.run<string>('sut.addresses.splice(0)[0]');
        assert.equal(url.replace(/\/$/, ''), wanted, JSON.stringify(options));
      }
    },
  },
  {
    name: 'on and off: chainable, newest first, off without handler removes all',
    covers: ['event handlers'],
    async run(cell) {
      await cell.made();
      await cell.run(`(() => {
        window.order = [];
        window.chained = sut.client.on('telnyx.ready', () => window.order.push('first')) === sut.client
          && sut.client.on('telnyx.ready', () => window.order.push('second')) === sut.client;
        const gone = () => window.order.push('gone');
        sut.client.on('telnyx.ready', gone);
        sut.client.off('telnyx.ready', gone);
        void sut.client.connect();
      })()`);
      await cell.until('ready', 'window.order.length >= 2');
      assert.equal(await cell.run('window.chained'), true);
      assert.deepEqual(await cell.run('window.order'), ['second', 'first']);
      await cell.run(`(sut.client.off('telnyx.ready'), true)`);
      if (!cell.has('reattached_sessions')) return;
      cell.proxy.cut();
      await until('ready at the server again', () => cell.proxy.sent('telnyx_rtc.gatewayState').length >= 2);
      await cell.until('registered', 'sut.client.connected');
      assert.deepEqual(await cell.run('window.order'), ['second', 'first']);
    },
  },
  {
    name: 'sessionid, uuid, options, region, dc',
    covers: ['member session data'],
    async run(cell) {
      await cell.ready();
      const { result } =
        cell.proxy.frames.find(({ up, frame }) => !up && frame['result']?.sessid !== undefined)?.frame ?? {};
      assert.equal(await cell.run('sut.client.sessionid'), result.sessid);
      assert.match(await cell.run<string>('sut.client.uuid'), /^[0-9a-f-]{36}$/);
      assert.equal(await cell.run('sut.client.options.login'), cell.user);
    },
  },
  {
    name: 'devices: lists, validate, permissions',
    covers: ['member getDevices', 'member checkPermissions'],
    async run(cell) {
      await cell.ready();
      assert.equal(await cell.run('sut.client.checkPermissions(true, false)'), true);
      const kinds = await cell.run<string[]>(
        'sut.client.getDevices().then((all) => all.map(({ kind }) => kind))',
      );
      assert.ok(kinds.includes('audioinput'), kinds.join());
      const inputs = await cell.run<string[]>(
        'sut.client.getAudioInDevices().then((all) => all.map(({ kind }) => kind))',
      );
      assert.ok(inputs.length > 0 && inputs.every((kind) => kind === 'audioinput'));
      const outputs = await cell.run<string[]>(
        'sut.client.getAudioOutDevices().then((all) => all.map(({ kind }) => kind))',
      );
      assert.ok(outputs.every((kind) => kind === 'audiooutput'));
      assert.ok(
        Array.isArray(
          await cell.run('sut.client.getVideoDevices().then((all) => all.map(({ kind }) => kind))'),
        ),
      );
    },
  },
  {
    name: 'devices refused: telnyx.rtc.mediaError and []',
    covers: ['event telnyx.rtc.mediaError'],
    async run(cell) {
      await cell.ready();
      await cell.run(
        `(navigator.mediaDevices.enumerateDevices = async () => { throw new DOMException('no', 'NotAllowedError'); }, true)`,
      );
      assert.deepEqual(await cell.run('sut.client.getDevices()'), []);
      await cell.until('the event', `sut.payloads('telnyx.rtc.mediaError').length`);
    },
  },
  {
    name: 'setAudioSettings, enableMicrophone, disableMicrophone, mediaConstraints',
    covers: ['member setAudioSettings', 'member mediaConstraints', 'member microphone'],
    async run(cell) {
      await cell.ready();
      await cell.run('sut.client.checkPermissions(true, false)');
      const settings = await cell.run<Record<string, unknown>>(
        `sut.client.setAudioSettings({ echoCancellation: false, autoGainControl: false })`,
      );
      assert.equal(settings['echoCancellation'], false);
      assert.equal(await cell.run('sut.client.mediaConstraints.audio.echoCancellation'), false);
      await cell.run('(sut.client.disableMicrophone(), true)');
      assert.equal(await cell.run('sut.client.mediaConstraints.audio'), false);
      await cell.run('(sut.client.enableMicrophone(), true)');
      assert.ok(await cell.run('Boolean(sut.client.mediaConstraints.audio)'));
    },
  },
  {
    name: 'webRTCInfo, webRTCSupportedBrowserList',
    covers: ['member statics'],
    async run(cell) {
      await cell.open();
      const info = await cell.run<Record<string, unknown>>('sut.sdk.TelnyxRTC.webRTCInfo()');
      for (const name of [
        'supportWebRTC',
        'supportWebRTCAudio',
        'supportRTCPeerConnection',
        'supportGetUserMedia',
      ])
        assert.equal(Boolean(info[name]), true, name);
      const list = await cell.run<Record<string, unknown>[]>(
        'sut.sdk.TelnyxRTC.webRTCSupportedBrowserList()',
      );
      assert.ok(
        list.length > 0 &&
          list.every((one) => typeof one['operationSystem'] === 'string' && Array.isArray(one['supported'])),
      );
    },
  },
  {
    name: 'telnyxStateCall: the common names of every state',
    covers: ['member telnyxStateCall', 'state mapping'],
    async run(cell) {
      await cell.ready();
      await cell.run(`(() => {
        window.mapped = {};
        sut.client.on('telnyx.notification', ({ type, call }) => {
          if (type !== 'callUpdate') return;
          const raw = call.state;
          window.mapped[raw] = sut.sdk.TelnyxRTC.telnyxStateCall(call).state;
        });
      })()`);
      const id = await cell.page.newCall({ destinationNumber: '9196' });
      await until(
        'active',
        async () => (await cell.run<Record<string, string>>('window.mapped'))['active'] !== undefined,
      );
      await cell.run('void Object.values(sut.client.calls)[0].hold()');
      await until(
        'held',
        async () => (await cell.run<Record<string, string>>('window.mapped'))['held'] !== undefined,
      );
      await cell.page.act(id, 'hangup');
      await until(
        'the end',
        async () => (await cell.run<Record<string, string>>('window.mapped'))['destroy'] !== undefined,
      );
      const mapped = await cell.run<Record<string, string>>('window.mapped');
      for (const [raw, common] of Object.entries(mapped)) assert.equal(common, COMMON[raw] ?? raw, raw);
      for (const raw of ['requesting', 'trying', 'active', 'held', 'hangup', 'destroy'])
        assert.ok(raw in mapped, raw);
    },
  },
  {
    name: 'runPreCall to the echo: verdict, ICE, network, timings',
    covers: ['member runPreCall', 'pre-call report'],
    needs: { words: ['runPreCall'] },
    async run(cell) {
      await cell.ready();
      const report = await cell.run<Record<string, unknown>>(
        `sut.client.runPreCall({ destinationNumber: '9196', durationMs: 3000 }).then((report) => JSON.parse(JSON.stringify(report)))`,
      );
      assert.equal(report['version'], 1);
      assert.match(String(report['verdict']), /^(ready|degraded|blocked)$/);
      // The published one leaves empty lists out.
      for (const name of ['reasons', 'warnings']) assert.ok(Array.isArray(report[name] ?? []), name);
      for (const name of ['timings', 'ice', 'network']) assert.equal(typeof report[name], 'object', name);
      assert.equal(typeof report['callId'], 'string');
      await cell.proxy.sends('telnyx_rtc.bye');
    },
  },
  {
    name: 'runNetworkCheck: a call for each server, to the test number',
    covers: ['member runNetworkCheck'],
    needs: { words: ['runNetworkCheck'] },
    async run(cell) {
      await cell.ready();
      await cell.run(`(sut.client.runNetworkCheck({ iceServers: [{ urls: 'stun:127.0.0.1:1' }] }).then(
        (report) => { window.report = JSON.parse(JSON.stringify(report)); }, (error) => { window.report = { error: String(error) }; }), true)`);
      const report = await cell.until<Record<string, unknown>>('the report', 'window.report', 40_000);
      assert.equal(report['version'], 1, JSON.stringify(report));
      assert.ok(Array.isArray(report['serverTests']));
      const [invite] = cell.proxy.sent('telnyx_rtc.invite');
      assert.match(invite?.['params'].dialogParams.destination_number, /^\+1-?872-?231-?5806$|^9196$/);
    },
  },
  {
    name: 'runMicrophoneCheck: hears the microphone',
    covers: ['member runMicrophoneCheck'],
    needs: { words: ['runMicrophoneCheck'] },
    notIn: { browser: 'firefox', reason: 'Firefox without a sound device starts no audio clock' },
    async run(cell) {
      await cell.ready();
      const report = await cell.run<Record<string, unknown>>(
        'sut.client.runMicrophoneCheck({ durationMs: 1000 }).then((report) => JSON.parse(JSON.stringify(report)))',
      );
      assert.equal(report['verdict'], 'ready', JSON.stringify(report));
      assert.equal(typeof report['microphone'], 'object');
      assert.deepEqual(cell.proxy.sent('telnyx_rtc.invite'), []);
    },
  },
  {
    name: 'AI: conversation message out (ai_conversation) and in',
    covers: ['call member sendConversationMessage'],
    needs: { words: ['sendConversationMessage'] },
    async run(cell) {
      await cell.call();
      await cell.run(`void sut.last.sendConversationMessage('hi', [])`);
      const { params } = await cell.proxy.sends('ai_conversation');
      assert.equal(params.type, 'conversation.item.create');
      assert.deepEqual(params.item.content[0], { type: 'input_text', text: 'hi' });
      if (!cell.has('telnyx.ai.conversation')) return;
      cell.proxy.ask('ai_conversation', { type: 'conversation.item.created', item: {} });
      await cell.until('the event', `sut.payloads('telnyx.ai.conversation').length`);
    },
  },
];
