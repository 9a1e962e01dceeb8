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

export const CLIENT_ROWS: readonly Row[] = [
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
      const wanted = new Set<string>();
      for (const [options, published, ours] of URLS) {
        // Versions without regions leave the host as it is.
        const address = cell.ours
          ? ours
          : cell.has('region') || options['region'] === undefined
            ? published
            : String(options['host']);
        await cell.run(`(() => {
          const client = new sut.sdk.TelnyxRTC(${JSON.stringify({ login: 'a', password: 'b', ...options })});
          void client.connect();
        })()`);
        wanted.add(address);
        await cell.until(
          `a socket to ${address}`,
          `sut.addresses.map((one) => one.replace(/\\/$/, '')).includes(${JSON.stringify(address)})`,
        );
        // Clients made before try again; nothing goes anywhere else.
        const all = await cell.run<string[]>('sut.addresses');
        assert.deepEqual([...new Set(all.map((url) => url.replace(/\/$/, '')))].sort(), [...wanted].sort());
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
      await cell.run(`(sut.client.runNetworkCheck({ iceServers: [{ urls: 'stun:127.0.0.1:53479' }] }).then(
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
