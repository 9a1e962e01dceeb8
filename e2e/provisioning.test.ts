import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import { withCarrier } from './src/carrier-calls.ts';
import type { SdkName } from './src/page-host.ts';
import { needs } from './src/peer-availability.ts';
import { RawClient } from './src/raw-client.ts';
import { Rig } from './src/rig.ts';
import { sidetone, type TestServer } from './src/server.ts';
import type { TestPage } from './src/test-page.ts';
import { until } from './src/wait.ts';

/** The back end's half of these tests: the published package as it is, with `baseURL` set. */
// biome-ignore lint/suspicious/noExplicitAny: called by name, as an application without types does
type BackEnd = any;
const Telnyx: BackEnd = createRequire(import.meta.url)('telnyx-7.24.0').default;

const DOMAIN = 'sip.localhost';
const DESK = '+13125550123';

/** What an operator does on the server for a back end: a key, and a number. */
async function operatorGives(server: TestServer, number?: string): Promise<BackEnd> {
  const where = ['--config', server.configFile, '--data', server.dataDir];
  const made = await sidetone('key', 'create', ...where);
  assert.equal(made.code, 0, made.stderr);
  const apiKey = /KEY\S+/.exec(made.stdout)?.[0];
  if (number !== undefined) {
    const added = await sidetone('number', 'add', number, ...where);
    assert.equal(added.code, 0, added.stderr);
  }
  return new Telnyx({ apiKey, baseURL: `${server.url}/v2`, maxRetries: 0 });
}

const connectionOf = async (api: BackEnd, user_name: string, more: object = {}): Promise<{ id: string }> => {
  const { data } = await api.credentialConnections.create({
    connection_name: user_name,
    user_name,
    password: `the password of ${user_name}`,
    sip_uri_calling_preference: 'internal',
    inbound: { dnis_number_format: 'sip_username' },
    ...more,
  });
  return data;
};

interface Credential {
  readonly id: string;
  readonly sip_username: string;
  readonly sip_password: string;
}

const credentialOf = async (api: BackEnd, connection_id: string): Promise<Credential> =>
  (await api.telephonyCredentials.create({ connection_id })).data;

/** What a browser offers, with a port where nobody listens: these calls ring and are ended. */
const OFFER = `${[
  'v=0',
  'o=- 1000 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 0 126',
  'c=IN IP4 0.0.0.0',
  'a=mid:0',
  'a=sendrecv',
  'a=rtcp-mux',
  'a=ice-ufrag:u000',
  'a=ice-pwd:0123456789abcdefghijklmn',
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => '0A').join(':')}`,
  'a=setup:actpass',
  'a=rtpmap:111 opus/48000/2',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:126 telephone-event/8000',
].join('\r\n')}\r\n`;

describe('users that a back end makes with the telnyx package', {
  ...needs('chromium', 'sipp'),
  timeout: 300_000,
}, () => {
  let rig: Rig;
  let api: BackEnd;
  let connection: { id: string };
  let credential: Credential;
  const pages = new Map<SdkName, TestPage>();

  before(async () => {
    rig = await Rig.start({ config: { connections: undefined } });
    api = await operatorGives(rig.server, DESK);
    connection = await connectionOf(api, 'alice42');
    credential = await credentialOf(api, connection.id);
    // The number was added by another process than the one that serves.
    const number = await until('the number in the API', async () => {
      const { data } = await api.phoneNumbers.list({ filter: { phone_number: DESK } });
      return data[0];
    });
    await api.phoneNumbers.update(number.id, { connection_id: connection.id });
  });
  after(async () => {
    await rig?.stop();
  });

  const logIn = async (sdk: SdkName, by: Readonly<Record<string, unknown>>): Promise<TestPage> => {
    const page = pages.get(sdk) ?? (await rig.chromium.open(rig.host, sdk));
    if (pages.has(sdk)) await page.disconnect();
    pages.set(sdk, page);
    await page.connect({ host: rig.server.webSocketUrl, iceServers: [], ...by });
    return page;
  };

  /** One calls, the other one rings and does not answer. */
  const rings = async (caller: TestPage, called: TestPage, destinationNumber: string): Promise<void> => {
    const id = await caller.newCall({ destinationNumber });
    const { id: far } = await called.rings();
    await called.act(far, 'hangup');
    await called.ended(far);
    await caller.ended(id);
  };

  for (const [sdk, other] of [
    ['2.27.10', 'ours'],
    ['ours', '2.27.10'],
  ] as const) {
    it(`${sdk} logs in as the connection: it is rung by number from the carrier and a client, and by its SIP address`, async () => {
      await rig.explained(async () => {
        const page = await logIn(sdk, { login: 'alice42', password: 'the password of alice42' });
        const token: string = await api.telephonyCredentials.createToken(credential.id);
        const caller = await logIn(other, { login_token: token });
        const { data } = await api.credentialConnections.actions.checkRegistrationStatus(connection.id);
        assert.equal(data.registration_status, 'Registered');
        assert.match(data.user_agent, sdk === 'ours' ? /^Sidetone-/ : /^Web-2\.27\.10/);
        assert.deepEqual([data.ip_address, data.transport], ['127.0.0.1', 'wss']);
        await withCarrier(
          rig,
          'uac',
          async ({ sipp, rtp }) => {
            const { id } = await page.rings();
            await page.act(id, 'answer');
            await page.becomes(id, 'active');
            await sipp.gets('200');
            rtp.send(await sipp.remoteAudio(), 440);
            await page.hears(440);
            await rtp.hears(1_000);
            await page.act(id, 'hangup');
            await page.ended(id);
            await sipp.finishes();
          },
          undefined,
          DESK,
        );
        await rings(caller, page, DESK);
        await rings(caller, page, `sip:alice42@${DOMAIN}`);
        await rings(caller, page, 'alice42');
      });
    });

    it(`${other} logs in by token, then by the credential: it is rung by the credential's name and address, with sound`, async () => {
      await rig.explained(async () => {
        const caller = pages.get(sdk)!;
        const page = pages.get(other)!;
        const id = await caller.newCall({ destinationNumber: credential.sip_username });
        const { id: far } = await page.rings();
        await page.act(far, 'answer');
        await caller.becomes(id, 'active');
        await caller.hears(1_000);
        await page.hears(1_000);
        await caller.act(id, 'hangup');
        await page.ended(far);
        await logIn(other, { login: credential.sip_username, password: credential.sip_password });
        await rings(caller, page, `sip:${credential.sip_username}@${DOMAIN}`);
        const status = await api.get('/sip_registration_status', {
          query: { credential_type: 'telephony_credential', username: credential.sip_username },
        });
        assert.equal(status.registered, true);
        assert.ok(status.sip_registration_details.uptime >= 0);
      });
    });
  }

  it('a deleted credential: its page loses its socket, the page of the connection stays', async () => {
    await rig.explained(async () => {
      const page = pages.get('2.27.10')!;
      await logIn('ours', { login: 'alice42', password: 'the password of alice42' });
      await api.telephonyCredentials.delete(credential.id);
      const told = async (): Promise<boolean> => {
        const events = (await page.evaluate('window.driver.events()')) as { name: string }[];
        return events.some(({ name }) => name === 'telnyx.socket.close');
      };
      await until('the page to lose its socket', told, { everyMs: 200 });
      const { data } = await api.credentialConnections.actions.checkRegistrationStatus(connection.id);
      assert.equal(data.status, 'Registered');
    });
  });

  describe('many clients of one connection', () => {
    let john: { id: string };
    let caller: RawClient;
    let calls = 0;
    const credentials: Record<string, Credential> = {};
    const clients = new Map<string, RawClient>();

    before(async () => {
      john = await connectionOf(api, 'john1234');
      for (const name of ['gencred1', 'gencred2']) credentials[name] = await credentialOf(api, john.id);
      await connectionOf(api, 'caller');
      caller = await logIn({ login: 'caller', passwd: 'the password of caller' });
    });
    after(async () => {
      for (const client of clients.values()) client.close();
      caller?.close();
    });

    async function logIn(params: Readonly<Record<string, unknown>>): Promise<RawClient> {
      const client = await RawClient.open(rig.server.webSocketUrl);
      assert.ok(typeof client !== 'number');
      const reply = await client.request('login', { ...params, userVariables: {}, loginParams: {} });
      assert.equal(reply.error, undefined, JSON.stringify(reply));
      await client.asked('telnyx_rtc.clientReady');
      return client;
    }

    const token = async (name: string) => ({
      login_token: await api.telephonyCredentials.createToken(credentials[name]!.id),
    });
    const password = (name: string) => ({
      login: credentials[name]!.sip_username,
      passwd: credentials[name]!.sip_password,
    });

    /** Clients that the server sent a request of this name since the last call was dialled. */
    const sent = (method: string): string[] =>
      [...clients].flatMap(([name, { frames }]) => (frames.some((f) => f.method === method) ? [name] : []));

    /** The caller was told that a call is over. */
    const ended = (callID: string): boolean =>
      caller.frames.some(
        ({ method, params }) => method === 'telnyx_rtc.bye' && params?.['callID'] === callID,
      );

    /** Dials, and names the clients that are rung; nobody when the call ends without. */
    async function rung(destination_number: string): Promise<string[]> {
      for (const { frames } of clients.values()) frames.splice(0);
      const callID = `00000000-0000-4000-8000-${String(++calls).padStart(12, '0')}`;
      const dialogParams = { callID, destination_number };
      await caller.request('telnyx_rtc.invite', { sdp: OFFER, dialogParams });
      await until(
        `somebody to ring at ${destination_number}`,
        () => sent('telnyx_rtc.invite').length > 0 || ended(callID),
        { detail: () => `${JSON.stringify(caller.frames.slice(-3))}\n${rig.server.log}` },
      );
      if (sent('telnyx_rtc.invite').length === 0) return [];
      await caller.request('telnyx_rtc.bye', { cause: 'USER_BUSY', causeCode: 17, dialogParams });
      // All that rings is told of the end: nobody else can be rung by this call any more.
      await until('the end of the call', () => sent('telnyx_rtc.bye').length > 0);
      return sent('telnyx_rtc.invite');
    }

    it('the six of the example: each of the three names rings its own, the last to register', async () => {
      const [gencred1, gencred2] = [
        credentials['gencred1']!.sip_username,
        credentials['gencred2']!.sip_username,
      ];
      clients.set('client_a', await logIn({ login: 'john1234', passwd: 'the password of john1234' }));
      clients.set('client_b', await logIn(password('gencred1')));
      clients.set('client_c', await logIn(await token('gencred1')));
      clients.set('client_d', await logIn(password('gencred2')));
      clients.set('client_e', await logIn(await token('gencred2')));
      clients.set('client_f', await logIn(await token('gencred2')));
      assert.deepEqual(await rung(`sip:john1234@${DOMAIN}`), ['client_a']);
      assert.deepEqual(await rung(`sip:${gencred1}@${DOMAIN}`), ['client_c']);
      assert.deepEqual(await rung(`sip:${gencred2}@${DOMAIN}`), ['client_f']);
      const leave = async (name: string, user: string, next: string): Promise<void> => {
        clients.get(name)!.close();
        clients.delete(name);
        // The server notices the end of a socket when it notices it.
        await until(`${next} to be the one that rings`, async () => (await rung(user))[0] === next);
      };
      await leave('client_f', gencred2, 'client_e');
      await leave('client_e', gencred2, 'client_d');
      await leave('client_c', gencred1, 'client_b');
      assert.deepEqual(await rung('john1234'), ['client_a']);
      clients.set('client_e', await logIn(await token('gencred2')));
      assert.deepEqual(await rung(gencred2), ['client_e']);
    });

    it('a credential that is deleted: its sockets are closed, its registrations and its tokens are gone; others stay', async () => {
      const late = await token('gencred2');
      const began = performance.now();
      await api.telephonyCredentials.delete(credentials['gencred2']!.id);
      await until('both sockets to be closed', () =>
        ['client_d', 'client_e'].every((name) => clients.get(name)!.closed !== undefined),
      );
      process.stdout.write(`# closed ${Math.round(performance.now() - began)} ms after DELETE was called\n`);
      const again = await RawClient.open(rig.server.webSocketUrl);
      assert.ok(typeof again !== 'number');
      assert.equal((await again.request('login', late)).error?.code, -32001);
      again.close();
      const { status } = await api
        .get('/sip_registration_status', { query: { username: credentials['gencred2']!.sip_username } })
        .catch((error: { status: number }) => error);
      assert.equal(status, 404);
      assert.equal(clients.get('client_a')!.closed, undefined);
      assert.deepEqual(await rung(credentials['gencred1']!.sip_username), ['client_b']);
      assert.deepEqual(await rung(credentials['gencred2']!.sip_username), []);
    });

    it('a connection that is deleted takes everything under it along', async () => {
      await api.credentialConnections.delete(john.id);
      await until('the other sockets to be closed', () =>
        ['client_a', 'client_b'].every((name) => clients.get(name)!.closed !== undefined),
      );
      assert.equal(caller.closed, undefined);
    });
  });
});
