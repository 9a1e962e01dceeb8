import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { ANDROID } from './src/native/android.ts';
import { type NativeCall, NativeClient } from './src/native/client.ts';
import { FLUTTER } from './src/native/flutter.ts';
import { IOS_3, IOS_4 } from './src/native/ios.ts';
import { REACT_NATIVE } from './src/native/react-native.ts';
import type { NativeSdk } from './src/native/sdk.ts';
import { WEB } from './src/native/web.ts';
import { NUMBER, PASSWORD, TestServer } from './src/server.ts';
import { until } from './src/wait.ts';

const LINES = [IOS_3, IOS_4, ANDROID, FLUTTER, REACT_NATIVE] as const;
const ECHO = '9196';

/** Scripted clients of one server; each test leaves none behind. */
class Devices {
  readonly server: TestServer;
  #open: NativeClient[] = [];

  constructor(server: TestServer) {
    this.server = server;
  }

  #options(user: 'line1' | 'line2') {
    const { webSocketUrl: url, address } = this.server;
    return { url, user, password: PASSWORD[user], address };
  }

  /** Not connected yet. */
  make(sdk: NativeSdk, user: 'line1' | 'line2' = 'line1'): NativeClient {
    const client = new NativeClient(sdk, this.#options(user));
    this.#open.push(client);
    return client;
  }

  async login(sdk: NativeSdk, user: 'line1' | 'line2' = 'line1'): Promise<NativeClient> {
    const client = this.make(sdk, user);
    await client.open();
    await client.login();
    return client;
  }

  /** Closes all, and shows what a parser refused. */
  close(): void {
    const clients = this.#open;
    this.#open = [];
    for (const client of clients) client.close();
    for (const client of clients) client.check();
  }

  async explained(step: () => Promise<void>): Promise<void> {
    await step().catch((error: unknown) => {
      if (error instanceof Error) error.message = `${error.message}\n${this.server.log}`;
      throw error;
    });
  }
}

function devicesOf(config: Readonly<Record<string, unknown>>): () => Devices {
  let devices: Devices | undefined;
  before(async () => {
    devices = new Devices(await TestServer.start({ config }));
  });
  afterEach(() => devices?.close());
  after(async () => {
    await devices?.server.stop();
  });
  return () => devices!;
}

const ringAll = (['line1', 'line2'] as const).map((user) => ({
  user_name: user,
  password: PASSWORD[user],
  numbers: [NUMBER[user]],
  sip_uri_calling_preference: 'internal',
  dnis_number_format: 'sip_username',
  simultaneous_ringing: 'enabled',
}));

const attaches = (calls: readonly NativeCall[]): readonly number[] => calls.map((call) => call.attaches);

describe('native: scripted clients of the published SDKs', { timeout: 600_000 }, () => {
  const of = devicesOf({ connections: ringAll });

  for (const sdk of LINES)
    describe(sdk.line, () => {
      it('logs in, calls out, holds, sends digits and hangs up in its spelling', async () => {
        const devices = of();
        await devices.explained(async () => {
          const far = await devices.login(WEB, 'line2');
          const device = await devices.login(sdk);
          const calling = device.call('line2', NUMBER.line1);
          const ringing = await far.ringing();
          await far.answer(ringing);
          const call = await calling;
          await device.hears(call);
          await far.hears(ringing);
          assert.equal(await device.modify(call, 'hold'), 'held');
          assert.equal(await device.modify(call, 'unhold'), 'active');
          await device.hears(call);
          await far.hears(ringing);
          await device.dtmf(call, '5');
          await device.hangUp(call);
          assert.equal((await far.over(ringing))['cause'], 'NORMAL_CLEARING');
        });
      });

      it('is called, answers, and hears why it is over', async () => {
        const devices = of();
        await devices.explained(async () => {
          const far = await devices.login(WEB, 'line2');
          const device = await devices.login(sdk);
          const calling = far.call(NUMBER.line1, NUMBER.line2);
          const call = await device.ringing();
          await device.answer(call);
          const theirs = await calling;
          await device.hears(call);
          await far.hears(theirs);
          await far.hangUp(theirs);
          const { cause, causeCode, sipCode } = await device.over(call);
          assert.deepEqual([cause, causeCode, sipCode], ['NORMAL_CLEARING', 16, 200]);
        });
      });

      for (const silent of [false, true])
        it(`loses its socket ${silent ? 'and its sound' : 'while sound flows'}, and is attached`, async () => {
          const devices = of();
          await devices.explained(async () => {
            const far = await devices.login(WEB, 'line2');
            const device = await devices.login(sdk);
            const calling = device.call('line2', NUMBER.line1);
            const theirs = await far.ringing();
            await far.answer(theirs);
            const call = await calling;
            await far.hears(theirs);
            for (let times = 0; times < 2; times++) {
              const before = attaches([call]);
              device.lose(silent);
              if (!silent) await far.hears(theirs);
              await device.comesBack();
              assert.deepEqual(device.reattached, [call.id]);
              await device.attached([call], before);
              await far.hears(theirs);
            }
            assert.equal(call.attaches, 2, 'one attach a login');
            const { heard } = device;
            if (sdk.asksState(true))
              assert.ok(heard.indexOf('attach') > heard.indexOf('reply to gatewayState'));
            assert.ok(heard.indexOf('attach') > heard.indexOf('clientReady'), heard.join());
            assert.equal(await device.modify(call, 'hold'), 'held');
            assert.equal(await device.modify(call, 'unhold'), 'active');
            await device.hangUp(call);
            assert.equal((await far.over(theirs))['cause'], 'NORMAL_CLEARING');
          });
        });

      it('loses its socket in two calls: the one it talks in is attached first, the held one stays held', async () => {
        const devices = of();
        await devices.explained(async () => {
          const device = await devices.login(sdk);
          const held = await device.call(ECHO, NUMBER.line1);
          assert.equal(await device.modify(held, 'hold'), 'held');
          const talking = await device.call(ECHO, NUMBER.line1);
          await device.hears(talking);
          const order: string[] = [];
          device.onAttach = (id) => order.push(id);
          device.lose(true);
          await device.comesBack();
          await device.attached([talking], [0]);
          await until('the held call to be attached', () => held.attaches === 1 && held.state === 'active');
          assert.deepEqual(order, [talking.id, held.id]);
          // What toggles to active was held.
          assert.equal(await device.modify(held, 'toggleHold'), 'active');
          await device.hears(held);
          for (const call of [held, talking]) await device.hangUp(call);
        });
      });

      it('loses a ring to another device', async () => {
        const devices = of();
        await devices.explained(async () => {
          const far = await devices.login(WEB, 'line2');
          const device = await devices.login(sdk);
          const page = await devices.login(WEB);
          const other = await devices.login(ANDROID);
          const calling = far.call('line1', NUMBER.line2);
          const lost = [await device.ringing(), await page.ringing()] as const;
          await other.answer(await other.ringing());
          const reasons = [await device.over(lost[0]), await page.over(lost[1])];
          assert.deepEqual(
            reasons.map(({ cause, causeCode, sipCode }) => [cause, causeCode, sipCode]),
            [
              ['PICKED_OFF', 805, 487],
              ['LOSE_RACE', 502, 487],
            ],
          );
          await far.hangUp(await calling);
        });
      });

      it('logs in again on its socket in a call: nothing is torn down', async () => {
        const devices = of();
        await devices.explained(async () => {
          const device = await devices.login(sdk);
          const call = await device.call(ECHO, NUMBER.line1);
          await device.loginAgain();
          await device.hears(call);
          assert.equal(await device.modify(call, 'hold'), 'held');
          assert.equal(call.attaches, 0);
          await device.hangUp(call);
          assert.equal(device.closed, undefined);
        });
      });
    });

  for (const by of ['sessid', 'voice_sdk_id'] as const)
    it(`Flutter, started anew, names its old session by its ${by}: the attach comes before REGED`, async () => {
      const devices = of();
      await devices.explained(async () => {
        const app = await devices.login(FLUTTER);
        const call = await app.call(ECHO, NUMBER.line1);
        const { kept } = app;
        app.lose(true);
        const again = devices.make(FLUTTER);
        const name = by === 'sessid' ? kept!.sessid : kept!.voiceSdkId!;
        await again.open({ sessid: name, voiceSdkId: undefined }, true);
        await again.login();
        assert.deepEqual(again.reattached, [call.id]);
        const { heard } = again;
        assert.ok(heard.indexOf('attach') > heard.indexOf('clientReady'), heard.join());
        assert.ok(heard.indexOf('attach') < heard.indexOf('reply to gatewayState'), heard.join());
        await until('the call', () => again.calls.get(call.id)?.state === 'active');
        await again.hears(again.calls.get(call.id)!);
        await again.hangUp(again.calls.get(call.id)!);
      });
    });

  it('iOS 3, woken while it rings: a socket that names the call may be silent until a person has decided', async () => {
    const devices = of();
    await devices.explained(async () => {
      const far = await devices.login(WEB, 'line2');
      const device = await devices.login(IOS_3);
      const calling = far.call('line1', NUMBER.line2);
      await device.ringing();
      const woken = devices.make(IOS_3);
      await woken.open(device.kept);
      const stranger = devices.make(IOS_3);
      await stranger.open({ sessid: '', voiceSdkId: 'of-yesterday' });
      await until('the server to close a silent socket', () => stranger.closed !== undefined);
      assert.equal(woken.closed, undefined);
      await woken.login();
      const call = await woken.ringing();
      await woken.answer(call);
      const theirs = await calling;
      await woken.hears(call);
      await far.hears(theirs);
      await woken.hangUp(call);
    });
  });
});

describe('native: a socket that is dead, and sound that is not', { timeout: 300_000 }, () => {
  const of = devicesOf({ connections: ringAll, limits: { reattach_seconds: 3 } });

  for (const sdk of [ANDROID, IOS_4])
    it(`${sdk.line}: the call lives as long as it is heard`, async () => {
      const devices = of();
      await devices.explained(async () => {
        const far = await devices.login(WEB, 'line2');
        const device = await devices.login(sdk);
        const calling = device.call('line2', NUMBER.line1);
        const theirs = await far.ringing();
        await far.answer(theirs);
        const call = await calling;
        device.lose(false);
        // Ten seconds of it: three times as long as a silent client is waited for.
        await far.hears(theirs, 500);
        assert.equal(theirs.state, 'active');
        await device.comesBack();
        await device.attached([call], [0]);
        device.lose(true);
        assert.equal((await far.over(theirs))['cause'], 'NETWORK_LOST');
      });
    });
});
