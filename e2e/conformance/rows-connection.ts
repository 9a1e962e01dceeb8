import assert from 'node:assert/strict';
import { pause, until } from '../src/wait.ts';
import type { Row } from './row.ts';
import { states } from './rows-login.ts';

const readyCount = `sut.payloads('telnyx.ready').length`;

export const CONNECTION_ROWS: readonly Row[] = [
  {
    name: 'ping of the server: its own ping back, answered',
    covers: ['wire: ping', 'event telnyx.socket.message'],
    async run(cell) {
      await cell.ready();
      const id = cell.proxy.ask('telnyx_rtc.ping', {});
      const ping = await cell.proxy.sends('telnyx_rtc.ping');
      // 2.9.0 and 2.22.0 answer in their own way; all say ping.
      assert.notEqual(ping['id'], undefined);
      if (cell.has('reattached_sessions')) {
        assert.notEqual(ping['id'], id);
        assert.equal(typeof ping['voice_sdk_id'], 'string');
      }
      assert.ok(
        await cell.run(
          `sut.payloads('telnyx.socket.message').some((frame) => frame.method === 'telnyx_rtc.ping')`,
        ),
      );
    },
  },
  {
    name: 'ping unanswered: 36003 and a new connection',
    covers: ['wire: ping unanswered', 'event telnyx.warning', 'event telnyx.socket.close', 'warning 36003'],
    needs: { words: ['SIGNALING_RECOVERY_REQUIRED'] },
    async run(cell) {
      await cell.ready();
      let deaf = true;
      cell.proxy.fromServer = () => (deaf ? null : undefined);
      cell.proxy.ask('telnyx_rtc.ping', {});
      await cell.proxy.sends('telnyx_rtc.ping');
      const warning = await cell.warning(36003, 30_000);
      assert.equal(warning.name, 'SIGNALING_RECOVERY_REQUIRED');
      assert.match(warning.source ?? '', /probe|request/);
      deaf = false;
      await cell.until('ready again', `${readyCount} === 2`, 30_000);
      const close = await cell.run<{ generation: string; event: boolean }>(
        `(([one]) => ({ generation: typeof one.socketGeneration, event: 'event' in one }))(sut.payloads('telnyx.socket.close'))`,
      );
      assert.deepEqual(close, { generation: 'number', event: true });
    },
  },
  {
    name: 'socket lost: reconnects by itself with its token',
    covers: [
      'wire: reconnect',
      'option autoReconnect',
      'event telnyx.ready again',
      'event telnyx.socket.error',
    ],
    needs: { words: ['voice_sdk_id'] },
    async run(cell) {
      await cell.ready();
      cell.proxy.cut();
      await until('a second login', () => cell.proxy.sent('login').length === 2, { limitMs: 20_000 });
      assert.match(cell.proxy.visits[1]?.get('voice_sdk_id') ?? '', /./);
      const login = cell.proxy.sent('login')[1]?.['params'];
      assert.equal(login.reconnection, true);
      assert.equal(typeof login.sessid, 'string');
      // 2.25.10 and older are ready again without saying so.
      if (cell.has('reattached_sessions')) await cell.until('ready again', `${readyCount} === 2`);
      else await cell.proxy.sends('telnyx_rtc.gatewayState', 2);
    },
  },
  {
    name: 'autoReconnect false: stays closed, warning 36005',
    covers: ['option autoReconnect off', 'warning 36005'],
    needs: { words: ['RECONNECTION_FAILED_WITH_NO_AUTO_RECONNECT'] },
    async run(cell) {
      await cell.ready({ autoReconnect: false });
      cell.proxy.cut();
      await cell.warning(36005);
      await pause(2_500);
      assert.equal(cell.proxy.visits.length, 1);
    },
  },
  {
    name: 'maxReconnectAttempts: gives up with 45003',
    covers: ['option maxReconnectAttempts', 'error 45003', 'error 45002'],
    needs: { words: ['maxReconnectAttempts'] },
    async run(cell) {
      await cell.ready({ maxReconnectAttempts: 1 });
      cell.proxy.cut(true);
      assert.equal((await cell.error(45003)).fatal, true);
      assert.equal((await cell.error(45002)).fatal, false);
      const { session, generation } = await cell.run<{ session: string; generation: string }>(
        `(([one]) => ({ session: typeof one.sessionId, generation: typeof one.socketGeneration }))(sut.payloads('telnyx.socket.error'))`,
      );
      assert.deepEqual([session, generation], ['string', 'number']);
    },
  },
  {
    name: 'disconnect: closes for good, calls get BYE',
    covers: ['member disconnect', 'member logout'],
    async run(cell) {
      const id = await cell.call();
      await cell.run('void sut.client.disconnect()');
      // 2.25.10 and older purge their calls without a word.
      if (cell.structured) await cell.proxy.sends('telnyx_rtc.bye');
      await until('the socket to close', () => !cell.proxy.linked, { limitMs: 15_000 });
      await pause(1_500);
      assert.equal(cell.proxy.visits.length, 1);
      assert.match((await cell.page.call(id)).state, /hangup|destroy|purge/);
      assert.ok(!(await cell.run('sut.client.connected')));
    },
  },
  {
    name: 'punt: purged without BYE, no reconnect',
    covers: ['wire: punt'],
    async run(cell) {
      const id = await cell.call();
      cell.proxy.ask('telnyx_rtc.punt', {});
      await until('the socket to close', () => !cell.proxy.linked, { limitMs: 15_000 });
      await pause(1_500);
      assert.equal(cell.proxy.visits.length, 1);
      assert.deepEqual(cell.proxy.sent('telnyx_rtc.bye'), []);
      assert.ok((await cell.page.call(id)).states.includes('purge'));
    },
  },
  {
    name: 'getIsRegistered asks the server',
    covers: ['wire: getIsRegistered', 'member getIsRegistered'],
    needs: { words: ['getIsRegistered'] },
    async run(cell) {
      await cell.ready();
      assert.equal(await cell.run('sut.client.getIsRegistered()'), true);
      assert.equal(cell.proxy.sent('telnyx_rtc.gatewayState').length, 2);
      if (!cell.has('reattached_sessions')) return;
      states(cell, 'NOREG');
      assert.equal(await cell.run('sut.client.getIsRegistered()'), false);
    },
  },
  {
    name: 'server info: a notification of type event',
    covers: ['wire: info', 'notification event'],
    async run(cell) {
      await cell.ready();
      cell.proxy.ask('telnyx_rtc.info', { hello: 'there' });
      const got = await cell.until<{ type: string; hello: string }>(
        'the notification',
        `sut.payloads('telnyx.notification').filter((one) => one.type === 'event').map(({ type, hello }) => ({ type, hello }))[0]`,
      );
      assert.deepEqual(got, { type: 'event', hello: 'there' });
    },
  },
  {
    name: 'garbage, unknown methods, bye and modify for strangers: ignored',
    covers: ['wire: ignored frames'],
    async run(cell) {
      await cell.ready();
      const modify = cell.proxy.ask('telnyx_rtc.modify', { callID: 'nobody' });
      const bye = cell.proxy.ask('telnyx_rtc.bye', { callID: 'nobody', cause: 'X' });
      cell.proxy.raw('{not json');
      cell.proxy.raw('"text"');
      const strange = cell.proxy.ask('telnyx_rtc.strange', {});
      cell.proxy.ask('telnyx_rtc.ping', {});
      await cell.proxy.sends('telnyx_rtc.ping');
      assert.equal(cell.proxy.acknowledged(modify), undefined);
      assert.equal(cell.proxy.acknowledged(strange), undefined);
      // Ours acknowledges a bye of any call, so that no server waits for it.
      const ack = cell.proxy.acknowledged(bye);
      if (cell.ours) assert.equal(ack?.['result'].method, 'telnyx_rtc.bye');
      else if (cell.has('reattached_sessions')) assert.equal(ack, undefined);
      assert.equal(await cell.run('sut.client.connected'), true);
      assert.deepEqual(await cell.run(`sut.payloads('telnyx.error').length`), 0);
    },
  },
  {
    name: 'offline event: 48001',
    covers: ['error 48001'],
    needs: { words: ['NETWORK_OFFLINE'] },
    async run(cell) {
      await cell.ready();
      await cell.run(`window.dispatchEvent(new Event('offline')) && undefined`);
      assert.equal((await cell.error(48001)).fatal, false);
    },
  },
];
