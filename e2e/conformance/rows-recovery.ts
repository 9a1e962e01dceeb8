import assert from 'node:assert/strict';
import { pause, until } from '../src/wait.ts';
import type { Cell, Row } from './row.ts';

/** Waits until the client has logged in `count` times and is registered. */
async function registered(cell: Cell, count: number): Promise<void> {
  await until(
    `login ${count}`,
    () =>
      cell.proxy.frames.filter(({ up, frame }) => !up && /^REG/.test(frame['result']?.params?.state ?? ''))
        .length >= count,
    { detail: () => cell.proxy.transcript() },
  );
}

const recovered = `sut.last.state === 'active'`;

export const RECOVERY_ROWS: readonly Row[] = [
  {
    name: 'socket lost under a call: back, the call active, media untouched',
    covers: ['wire: socket loss, media alive'],
    needs: { words: ['reattached_sessions'] },
    async run(cell) {
      const id = await cell.call();
      await cell.hearsItself();
      const sdp = await cell.page.remoteSdp();
      cell.proxy.cut();
      await registered(cell, 2);
      assert.deepEqual(cell.proxy.got('telnyx_rtc.clientReady')[1]?.['params'].reattached_sessions, [id]);
      await cell.hearsItself();
      assert.equal(await cell.page.remoteSdp(), sdp);
      assert.equal((await cell.page.call(id)).state, 'active');
      await cell.page.act(id, 'hangup');
      await cell.page.becomes(id, 'destroy');
    },
  },
  {
    name: 'socket and media lost → attach → recovering → active, sound again; mute carried over',
    covers: ['wire: socket loss → attach', 'call member recoveredCallId'],
    needs: { words: ['reattached_sessions'] },
    async run(cell) {
      const id = await cell.call();
      await cell.hearsItself();
      await cell.run('void sut.last.muteAudio()');
      cell.proxy.cut(true);
      await cell.run('void sut.peers.at(-1).close()');
      await pause(2_000);
      cell.proxy.restore();
      await registered(cell, 2);
      const attach = await cell.proxy.sends('telnyx_rtc.attach');
      assert.match(attach['params'].sdp, /a=setup:(active|passive)/);
      assert.equal(attach['params'].dialogParams.callID, id);
      assert.equal(attach['params'].dialogParams.attach, true);
      await cell.until('active', recovered);
      assert.ok((await cell.page.call(id)).states.includes('recovering'));
      assert.equal(await cell.run('sut.last.recoveredCallId'), id);
      assert.deepEqual(cell.proxy.sent('telnyx_rtc.bye'), []);
      assert.equal(await cell.run('sut.last.isAudioMuted'), true);
      await cell.run('void sut.last.unmuteAudio()');
      await cell.hearsItself();
    },
  },
  {
    name: 'server offers attach in mid-call: new media, recovering → active',
    covers: ['wire: attach in mid-call'],
    needs: { words: ['reattached_sessions'] },
    async run(cell) {
      const id = await cell.call({}, { hangupOnBeforeUnload: false });
      cell.proxy.cut(true);
      await cell.run('void sut.peers.at(-1).close()');
      await pause(1_500);
      cell.proxy.restore();
      await cell.proxy.sends('telnyx_rtc.attach');
      await cell.until('active', recovered);
      const ack = cell.proxy.got('telnyx_rtc.attach').map(({ id: one }) => cell.proxy.acknowledged(one))[0];
      assert.deepEqual(ack?.['result'], { method: 'telnyx_rtc.attach' });
      await cell.hearsItself();
      await cell.page.act(id, 'hangup');
      await cell.page.becomes(id, 'destroy');
    },
  },
  {
    name: 'page reload (hangupOnBeforeUnload: false) → attach → active, sound again',
    covers: ['wire: page reload', 'option hangupOnBeforeUnload'],
    needs: { words: ['hangupOnBeforeUnload'] },
    async run(cell) {
      const options = { hangupOnBeforeUnload: false };
      const id = await cell.call({}, options);
      await cell.hearsItself();
      await cell.run('(window.leaving = true, setTimeout(() => location.reload(), 0), true)');
      await until('the page to reload', async () =>
        cell.run('window.leaving !== true && document.title === "loaded"').catch(() => false),
      );
      await cell.page.connect(cell.options(options));
      await until('the call to be back', async () =>
        (await cell.page.calls()).some((call) => call.id === id),
      );
      await cell.page.becomes(id, 'active');
      assert.match(cell.proxy.visits[1]?.get('voice_sdk_id') ?? '', /./);
      assert.deepEqual(cell.proxy.sent('telnyx_rtc.bye'), []);
      await cell.hearsItself();
    },
  },
  {
    name: 'reattached_sessions without the call: 48501, destroyed, ready again',
    covers: ['wire: reattached_sessions []', 'error 48501'],
    needs: { words: ['reattached_sessions'] },
    async run(cell) {
      const id = await cell.call();
      cell.proxy.fromServer = (frame) => {
        // Our server does have the call: what it would say of it is not part of this.
        if (frame['method'] === 'telnyx_rtc.attach') return null;
        return frame['method'] === 'telnyx_rtc.clientReady'
          ? { ...frame, params: { reattached_sessions: [] } }
          : undefined;
      };
      cell.proxy.cut();
      const error = await cell.error(48501);
      assert.deepEqual([error.name, error.fatal, error.callId], ['SESSION_NOT_REATTACHED', true, id]);
      await cell.page.becomes(id, 'destroy');
      await cell.until('ready again', `sut.payloads('telnyx.ready').length === 2`);
      assert.deepEqual(cell.proxy.sent('telnyx_rtc.bye'), []);
    },
  },
  {
    name: 'attach for a call that the page does not have: warning 35002',
    covers: ['warning 35002'],
    needs: { words: ['UNKNOWN_REATTACHED_SESSION'] },
    async run(cell) {
      const id = await cell.call();
      await cell.hearsItself();
      cell.proxy.ask('telnyx_rtc.attach', {
        callID: '11111111-2222-4333-8444-555555555555',
        sdp: await cell.page.remoteSdp(),
      });
      assert.equal((await cell.warning(35002)).name, 'UNKNOWN_REATTACHED_SESSION');
      assert.equal((await cell.page.call(id)).state, 'active');
    },
  },
  {
    name: 'keepConnectionAliveOnSocketClose: socket lost, peer kept, sound goes on',
    covers: ['option keepConnectionAliveOnSocketClose'],
    needs: { published: /keepConnectionAliveOnSocketClose/ },
    async run(cell) {
      const id = await cell.call({}, { keepConnectionAliveOnSocketClose: true });
      await cell.hearsItself();
      await cell.run('(window.kept = sut.peers.at(-1), true)');
      cell.proxy.cut();
      await registered(cell, 2);
      await pause(500);
      assert.equal(await cell.run('window.kept.connectionState'), 'connected');
      await cell.hearsItself();
      assert.equal((await cell.page.call(id)).state, 'active');
    },
  },
  {
    name: 'old versions: socket lost under a call, the client is back and calls again',
    covers: ['wire: reconnect of old versions'],
    async run(cell) {
      await cell.call();
      cell.proxy.cut();
      await registered(cell, 2);
      await cell.dial();
      await cell.hearsItself();
    },
  },
  {
    name: 'clearReconnectToken: the next connection is a new session',
    covers: ['member clearReconnectToken', 'member resetReconnectAttempts'],
    needs: { words: ['clearReconnectToken'] },
    async run(cell) {
      await cell.ready();
      await cell.run('(sut.client.clearReconnectToken(), sut.client.resetReconnectAttempts(), true)');
      assert.equal(await cell.run('sut.client.hasAutoReconnect()'), true);
      cell.proxy.cut();
      await registered(cell, 2);
      assert.equal(cell.proxy.visits[1]?.get('voice_sdk_id'), null);
    },
  },
  {
    name: 'peer connection fails: peerConnectionFailureError, 33004, then ICE restart',
    covers: ['notification peerConnectionFailureError', 'warning 33001', 'warning 33004'],
    needs: { words: ['PEER_CONNECTION_FAILED', 'updateMedia'] },
    async run(cell) {
      await cell.call();
      await cell.hearsItself();
      // The state that a browser reaches half a minute after its path died, now.
      await cell.run(`((peer) => {
        for (const state of ['disconnected', 'failed']) {
          Object.defineProperty(peer, 'connectionState', { configurable: true, get: () => state });
          // Firefox takes no event that is made up; ours listens by the attribute.
          if (${cell.browser === 'firefox'}) peer.onconnectionstatechange(new Event('connectionstatechange'));
          else peer.dispatchEvent(new Event('connectionstatechange'));
        }
        delete peer.connectionState;
      })(sut.peers.at(-1))`);
      await cell.warning(33004);
      // The published one gives a disconnected path some seconds before it says so.
      if (cell.ours) await cell.warning(33001);
      await cell.until(
        'the notification',
        `sut.payloads('telnyx.notification').some(({ type }) => type === 'peerConnectionFailureError')`,
      );
      const modify = await cell.proxy.sends('telnyx_rtc.modify');
      assert.equal(modify['params'].action, 'updateMedia');
      await pause(500);
      await cell.hearsItself();
    },
  },
  {
    name: 'call reports: POST with headers and body',
    covers: ['wire: call reports', 'option enableCallReports', 'member callReportId'],
    needs: { words: ['call_report'] },
    async run(cell) {
      cell.proxy.fromServer = (frame) => {
        const params = frame['result']?.params;
        return params?.state === 'REGED'
          ? {
              ...frame,
              result: { params: { ...params, call_report_id: 'cr-1', dc: 'lab1', region: 'local' } },
            }
          : undefined;
      };
      const id = await cell.call();
      assert.deepEqual(await cell.run('[sut.client.callReportId, sut.client.dc, sut.client.region]'), [
        'cr-1',
        'lab1',
        'local',
      ]);
      await pause(1_200);
      await cell.page.act(id, 'hangup');
      const post = await until('the report', () =>
        cell.proxy.posts.find(({ path }) => path === '/call_report'),
      );
      assert.match(String(post.headers['content-type']), /application\/json/);
      assert.equal(post.headers['x-call-report-id'], 'cr-1');
      assert.equal(post.headers['x-call-id'], id);
      assert.match(String(post.headers['x-voice-sdk-id']), /./);
      const { summary, stats, logs } = post.body;
      assert.equal(summary.callId, id);
      assert.equal(summary.direction, 'outbound');
      for (const name of [
        'destinationNumber',
        'durationSeconds',
        'sdkVersion',
        'startTimestamp',
        'endTimestamp',
      ])
        assert.ok(name in summary, name);
      assert.ok(Array.isArray(stats) && Array.isArray(logs));
    },
  },
  {
    name: 'enableCallReports false: nothing is posted',
    covers: ['option enableCallReports off'],
    needs: { words: ['enableCallReports'] },
    async run(cell) {
      cell.proxy.fromServer = (frame) =>
        frame['result']?.params?.state === 'REGED'
          ? { ...frame, result: { params: { state: 'REGED', call_report_id: 'cr-1' } } }
          : undefined;
      const id = await cell.call({}, { enableCallReports: false });
      await pause(1_200);
      await cell.page.act(id, 'hangup');
      await cell.page.becomes(id, 'destroy');
      await pause(1_000);
      assert.deepEqual(cell.proxy.posts, []);
    },
  },
];
