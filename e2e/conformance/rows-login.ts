import assert from 'node:assert/strict';
import { pause, until } from '../src/wait.ts';
import type { Cell, Row } from './row.ts';

/** Answers the logins of a client as the given replies say, one after the other; later ones reach the server. */
function refuseLogins(cell: Cell, code: number, times: number): void {
  let left = times;
  cell.proxy.fromClient = (frame) => {
    if (frame['method'] !== 'login' || left-- <= 0) return undefined;
    cell.proxy.toClient({ jsonrpc: '2.0', id: frame['id'], error: { code, message: 'Login Incorrect' } });
    return null;
  };
}

/** Puts these states in place of the server's, one a poll; then the server's own. */
export function states(cell: Cell, ...words: readonly string[]): void {
  const left = [...words];
  cell.proxy.fromServer = (frame) => {
    const params = frame['result']?.params;
    if (params?.state === undefined || left.length === 0) return undefined;
    return { ...frame, result: { params: { state: left.shift() } } };
  };
}

const readyCount = `sut.payloads('telnyx.ready').length`;

export const LOGIN_ROWS: readonly Row[] = [
  {
    name: 'login with user and password → telnyx.ready',
    covers: [
      'wire: login',
      'option login',
      'option host',
      'member connect',
      'member connected',
      'event telnyx.ready',
      'event telnyx.socket.open',
    ],
    async run(cell) {
      await cell.made();
      assert.ok(!(await cell.run('sut.client.connected')));
      await cell.run('sut.client.connect()');
      await cell.until('ready', readyCount);
      const ready = await cell.run<{ type: string }>(`({ type: sut.payloads('telnyx.ready')[0].type })`);
      assert.equal(ready.type, 'vertoClientReady');
      assert.equal(await cell.run('sut.client.connected'), true);
      assert.equal(await cell.run(`sut.payloads('telnyx.socket.open').length`), 1);
      const [login] = cell.proxy.sent('login');
      assert.equal(login?.['jsonrpc'], '2.0');
      assert.equal(login?.['params'].login, cell.user);
      assert.equal(login?.['params'].passwd, cell.password);
      if (cell.has('reconnection')) assert.equal(login?.['params'].reconnection, false);
      assert.equal(cell.proxy.sent('telnyx_rtc.gatewayState').length, 1);
      assert.equal(cell.proxy.visits[0]?.get('voice_sdk_id'), null);
      const reged = cell.proxy.frames.find(({ frame }) => frame['result']?.params?.state === 'REGED');
      assert.ok(reged, 'the server says REGED');
    },
  },
  {
    name: 'login with a token',
    covers: ['wire: login_token', 'option login_token'],
    async run(cell) {
      // A page holds a token, the server a password: what is looked at is the client's half.
      cell.proxy.fromClient = (frame) =>
        frame['method'] === 'login'
          ? {
              ...frame,
              params: {
                ...frame['params'],
                login_token: undefined,
                login: cell.user,
                passwd: cell.password,
                was: frame['params'].login_token,
              },
            }
          : undefined;
      await cell.ready({ login: undefined, password: undefined, login_token: 'a.token.here' });
      assert.equal(cell.proxy.sent('login')[0]?.['params'].was, 'a.token.here');
    },
  },
  {
    name: 'anonymous_login, then a call without a number',
    covers: ['wire: anonymous_login', 'option anonymous_login'],
    needs: { words: ['anonymous_login'] },
    async run(cell) {
      cell.proxy.fromClient = (frame) => {
        if (frame['method'] === 'anonymous_login')
          return {
            ...frame,
            method: 'login',
            params: { login: cell.user, passwd: cell.password, anonymous: frame['params'] },
          };
        if (frame['method'] === 'telnyx_rtc.invite') {
          assert.equal(frame['params'].dialogParams.destination_number, '');
          return {
            ...frame,
            params: {
              ...frame['params'],
              dialogParams: { ...frame['params'].dialogParams, destination_number: '9196' },
            },
          };
        }
        return undefined;
      };
      await cell.ready({
        login: undefined,
        password: undefined,
        anonymous_login: { target_type: 'ai_assistant', target_id: 'asst-1' },
      });
      const { anonymous } = cell.proxy.sent('login')[0]?.['params'] ?? {};
      assert.deepEqual([anonymous.target_type, anonymous.target_id], ['ai_assistant', 'asst-1']);
      const id = await cell.page.newCall({});
      await cell.page.reaches(id, 'active');
    },
  },
  {
    name: 'login refused with -32001: one error, no other try',
    covers: ['wire: login -32001', 'event telnyx.error', 'constants errors'],
    async run(cell) {
      refuseLogins(cell, -32001, 99);
      await cell.connecting();
      await cell.until('telnyx.error', `sut.payloads('telnyx.error').length`);
      await pause(1_500);
      const errors = await cell.run<{ code: number; fatal?: boolean; name?: string }[]>(
        `sut.payloads('telnyx.error').map((told) => told.error ?? told).map(({ code, fatal, name }) => ({ code, fatal, name }))`,
      );
      assert.equal(errors.length, 1);
      if (cell.structured) assert.deepEqual(errors[0], { code: 46001, fatal: true, name: 'LOGIN_FAILED' });
      else assert.equal(errors[0]?.code, -32001);
      assert.equal(cell.proxy.sent('login').length, 1);
      assert.equal(await cell.run(readyCount), 0);
      assert.equal(await cell.run('sut.client.connected'), true);
    },
  },
  {
    name: 'login refused with -32000 ×3',
    covers: ['wire: login -32000'],
    async run(cell) {
      refuseLogins(cell, -32000, 3);
      await cell.connecting();
      if (cell.ours) {
        // No loop: a refusal is a refusal.
        assert.equal((await cell.error(46001)).fatal, true);
        await pause(500);
        assert.equal(cell.proxy.sent('login').length, 1);
      } else if (!cell.structured) {
        // The loop came later.
        await cell.until('telnyx.error', `sut.payloads('telnyx.error').length`);
        await pause(500);
        assert.equal(cell.proxy.sent('login').length, 1);
      } else {
        await until('the fourth login', () => cell.proxy.sent('login').length >= 4, { limitMs: 10_000 });
        const logins = cell.proxy.frames.filter(({ frame }) => frame['method'] === 'login');
        assert.ok(logins[3]!.at - logins[0]!.at < 2_000, 'an immediate loop');
        await cell.until('ready', readyCount);
      }
    },
  },
  {
    name: 'login(creds) again on the open socket',
    covers: ['member login', 'error 46002'],
    needs: { words: ['onSuccess'] },
    async run(cell) {
      await cell.ready();
      const creds = JSON.stringify({ login: cell.user, password: cell.password });
      await cell.until(
        'onSuccess',
        `(window.loggedIn ??= (sut.client.login({ creds: ${creds}, onSuccess: () => { window.success = true; } }), true)) && window.success === true`,
      );
      assert.equal(cell.proxy.sent('login').length, 2);
      assert.equal(cell.proxy.visits.length, 1);
      await cell.run(`sut.client.login({ creds: { login: '', password: '', passwd: '', login_token: '' }})`);
      assert.equal((await cell.error(46002)).fatal, true);
    },
  },
  {
    name: 'NOREG ×2, then REGED: polled until ready',
    covers: ['wire: NOREG'],
    async run(cell) {
      states(cell, 'NOREG', 'UNREGED');
      await cell.connecting();
      await cell.until('ready', readyCount, 40_000);
      assert.equal(cell.proxy.sent('telnyx_rtc.gatewayState').length, 3);
    },
  },
  {
    name: 'TRYING does not make it ready; a pushed REGED does',
    covers: ['wire: TRYING', 'wire: pushed REGED'],
    async run(cell) {
      let deaf = false;
      cell.proxy.fromClient = (frame) => {
        if (frame['method'] !== 'telnyx_rtc.gatewayState') return undefined;
        if (!deaf) cell.proxy.reply(frame, { params: { state: 'TRYING' } });
        deaf = true;
        return null;
      };
      await cell.connecting();
      await cell.proxy.sends('telnyx_rtc.gatewayState');
      await pause(500);
      assert.equal(await cell.run(readyCount), 0);
      cell.proxy.ask('telnyx_rtc.gatewayState', { state: 'REGED' });
      await cell.until('ready', readyCount);
    },
  },
  {
    name: 'gateway FAILED: told, and another connection',
    covers: ['wire: FAILED', 'error 45004'],
    async run(cell) {
      states(cell, 'FAILED');
      await cell.connecting();
      if (cell.structured) assert.equal((await cell.error(45004)).fatal, false);
      await cell.until('ready on a second connection', readyCount, 40_000);
      assert.ok(cell.proxy.visits.length >= 2);
      if (cell.has('skip_last_voice_sdk_id'))
        assert.equal(cell.proxy.visits.at(-1)?.get('skip_last_voice_sdk_id'), 'true');
    },
  },
  {
    name: 'login carries userVariables and pushWhenActive',
    covers: ['option userVariables', 'option pushWhenActive'],
    async run(cell) {
      await cell.ready({ userVariables: { shoe: 42 }, pushWhenActive: true });
      const { userVariables } = cell.proxy.sent('login')[0]?.['params'] ?? {};
      assert.equal(userVariables.shoe, 42);
      if (cell.has('push_when_active')) assert.equal(userVariables.push_when_active, true);
    },
  },
  {
    name: 'a token near its end: warning 34001',
    covers: ['warning 34001'],
    needs: { words: ['TOKEN_EXPIRING_SOON'] },
    async run(cell) {
      const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const exp = Math.floor(Date.now() / 1_000) + 60;
      const login_token = `${part({ alg: 'HS256' })}.${part({ exp, sub: cell.user })}.c2ln`;
      cell.proxy.fromClient = (frame) =>
        frame['method'] === 'login'
          ? { ...frame, params: { login: cell.user, passwd: cell.password } }
          : undefined;
      await cell.ready({ login: undefined, password: undefined, login_token });
      assert.equal((await cell.warning(34001)).name, 'TOKEN_EXPIRING_SOON');
    },
  },
];
