import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { Chromium } from './src/chromium.ts';
import { Coturn, RELAY_PORTS } from './src/coturn.ts';
import { Firefox } from './src/firefox.ts';
import { type SelectedPath, selectedPath, watchPaths } from './src/paths.ts';
import { needs } from './src/peer-availability.ts';
import { freePort, freeRange, interfaceAddress } from './src/ports.ts';
import { Relay } from './src/relay.ts';
import { Rig } from './src/rig.ts';
import type { TestPage } from './src/test-page.ts';
import { UdpRelay } from './src/udp-relay.ts';
import { pause, until } from './src/wait.ts';

/** Media from networks that are not kind: TURN, TCP, addresses that change. */

const SECRET = 'shared-with-the-turn-server';
const HOST = interfaceAddress();
/** Of media, where a relay stands before it. */
const PORTS = 10;
/** The page takes the relay's ports for those of media. */
const SHIFTED = String.raw`sdp.replace(/(a=candidate:\S+ 1 udp \d+ \S+ )(\d+)/gi, (_, head, port) => head + (+port + ${PORTS}))`;
/** The rig's clients name no ICE servers; these take what the server hands out. */
const AS_TOLD = { iceServers: undefined };

async function echo(page: TestPage, hz = 1_000): Promise<string> {
  const id = await page.newCall({ destinationNumber: '9196' });
  await page.reaches(id, 'active');
  await page.hears(hz);
  return id;
}

async function hangUp(page: TestPage, id: string): Promise<void> {
  await page.act(id, 'hangup');
  await page.ended(id);
  await page.close();
}

const path = (page: TestPage): Promise<SelectedPath> =>
  until('a selected pair of candidates', async () => await selectedPath(page));

describe('TURN', { ...needs('chromium', 'coturn'), timeout: 300_000 }, () => {
  let rig: Rig;
  let coturn: Coturn;
  before(async () => {
    const port = await freePort();
    coturn = await Coturn.start({ secret: SECRET, host: HOST, port });
    const urls = [`turn:${HOST}:${port}?transport=udp`, `turn:${HOST}:${port}?transport=tcp`];
    rig = await Rig.start({ config: { turn: { urls, secret: SECRET, ttl_seconds: 600 } } });
  });
  after(async () => {
    await rig?.stop();
    await coturn?.stop();
  });

  async function client(more: Readonly<Record<string, unknown>>): Promise<TestPage> {
    const page = await rig.chromium.open(rig.host, 'ours');
    await watchPaths(page);
    await page.connect(rig.options('line1', { ...AS_TOLD, forceRelayCandidate: true, ...more }));
    return page;
  }

  it('carries a call with the credentials of the login alone; they never reach the log', async () => {
    await rig.explained(async () => {
      const page = await client({});
      const id = await echo(page);
      const { local, relayProtocol } = await path(page);
      assert.deepEqual([local, relayProtocol], ['relay', 'udp']);
      await hangUp(page, id);
      assert.ok(!rig.server.fullLog.includes(SECRET));
      assert.ok(!/\d{10}:line1/.test(rig.server.fullLog), 'no TURN user name is logged');
    });
  });

  /** As the server makes them. */
  const credential = (username: string, secret: string) => ({
    username,
    credential: createHmac('sha1', secret).update(username).digest('base64'),
  });
  const server = (transport: 'udp' | 'tcp', secret = SECRET, expires = 2_000_000_000) => [
    {
      urls: `turn:${HOST}:${coturn.port}?transport=${transport}`,
      ...credential(`${expires}:line1`, secret),
    },
  ];

  it('carries a call over TCP to the TURN server', async () => {
    await rig.explained(async () => {
      const page = await client({ iceServers: server('tcp') });
      const id = await echo(page);
      const { local, relayProtocol } = await path(page);
      assert.deepEqual([local, relayProtocol], ['relay', 'tcp']);
      await hangUp(page, id);
    });
  });

  // The browser takes its time to give up: both at once.
  describe('without a good credential', { concurrency: true }, () => {
    for (const [what, servers] of [
      ['a wrong credential', () => server('udp', 'another secret than the server has')],
      ['an expired credential', () => server('udp', SECRET, 1_600_000_000)],
    ] as const)
      it(`refuses ${what}, and the SDK says that there is no path`, async () => {
        const page = await client({ iceServers: servers() });
        await page.newCall({ destinationNumber: '9196' });
        await until('the error', async () => (await page.report()).includes('ICE_RESTART_FAILED'), {
          limitMs: 60_000,
          everyMs: 500,
          detail: () => rig.server.log,
        });
        assert.equal(await selectedPath(page), null);
        await page.close();
      });
  });

  it('leaves published clients as they are', async () => {
    await rig.explained(async () => {
      for (const version of ['2.27.10', '2.9.0'] as const) {
        const page = await rig.client('line1', version);
        await hangUp(page, await echo(page));
      }
    });
  });
});

describe('a network without UDP', { ...needs('chromium'), timeout: 300_000 }, () => {
  let rig: Rig;
  before(async () => {
    const media = { address: HOST, ports: await freeRange(20), tcp_port: await freePort() };
    rig = await Rig.start({ config: { media } });
  });
  after(async () => await rig?.stop());

  const isTcp = async (page: TestPage): Promise<void> => {
    const { localProtocol, remoteProtocol } = await path(page);
    assert.deepEqual([localProtocol, remoteProtocol], ['tcp', 'tcp']);
  };

  for (const sdk of ['ours', '2.27.10'] as const)
    it(`Chromium that may not send UDP (${sdk}): tone through TCP, hold`, async () => {
      await rig.explained(async () => {
        const chromium = await Chromium.start(['--webrtc-ip-handling-policy=disable_non_proxied_udp']);
        try {
          const page = await chromium.open(rig.host, sdk);
          await watchPaths(page);
          await page.connect(rig.options('line1'));
          const id = await echo(page);
          await isTcp(page);
          await page.act(id, 'hold');
          await page.becomes(id, 'held');
          await page.act(id, 'unhold');
          await page.becomes(id, 'active');
          await page.hears(1_000);
          await hangUp(page, id);
        } finally {
          await chromium.stop();
        }
      });
    });

  it('calls to such a client ring and have audio, too', async () => {
    await rig.explained(async () => {
      const chromium = await Chromium.start(['--webrtc-ip-handling-policy=disable_non_proxied_udp']);
      try {
        const callee = await chromium.open(rig.host, 'ours');
        await watchPaths(callee);
        await callee.connect(rig.options('line2'));
        await callee.speak(600);
        const caller = await rig.client('line1', 'ours');
        const id = await caller.newCall({ destinationNumber: 'line2' });
        const ringing = await callee.rings();
        await callee.act(ringing.id, 'answer');
        await caller.hears(600);
        await callee.hears(1_000);
        await isTcp(callee);
        await hangUp(caller, id);
        await callee.ended(ringing.id);
      } finally {
        await chromium.stop();
      }
    });
  });

  it('prefers UDP where there is UDP', async () => {
    await rig.explained(async () => {
      const page = await rig.chromium.open(rig.host, 'ours');
      await watchPaths(page);
      await page.connect(rig.options('line1'));
      const id = await echo(page);
      assert.equal((await path(page)).localProtocol, 'udp');
      await hangUp(page, id);
    });
  });

  it('Firefox with nothing but TCP candidates', needs('firefox'), async () => {
    const firefox = await Firefox.start();
    try {
      await rig.explained(async () => {
        const page = await firefox.open(rig.host, 'ours');
        await watchPaths(page, String.raw`sdp.replace(/a=candidate:\S+ 1 udp .*\r\n/gi, '')`);
        await page.connect(rig.options('line1'));
        const id = await echo(page);
        assert.equal((await path(page)).remoteProtocol, 'tcp');
        await hangUp(page, id);
      });
    } finally {
      await firefox.stop();
    }
  });
});

describe('an address that changes in mid-call', { ...needs('chromium'), timeout: 300_000 }, () => {
  let rig: Rig;
  let relay: Relay;
  let nat: UdpRelay;
  before(async () => {
    const [first] = await freeRange(2 * PORTS);
    const ports = [first, first + PORTS - 1] as const;
    rig = await Rig.start({ config: { media: { address: HOST, ports } } });
    relay = await Relay.start(rig.server.httpPort);
    nat = await UdpRelay.start(HOST, ports, PORTS);
  });
  after(async () => {
    nat?.close();
    relay?.close();
    await rig?.stop();
  });

  async function client(browser: Chromium | Firefox = rig.chromium): Promise<TestPage> {
    const page = await browser.open(rig.host, 'ours');
    await watchPaths(page, SHIFTED);
    await page.connect(rig.options('line1', { host: relay.url, hangupOnBeforeUnload: false }));
    return page;
  }

  async function moves(browser?: Chromium | Firefox): Promise<void> {
    await rig.explained(async () => {
      const page = await client(browser);
      const id = await echo(page);
      const sdp = await page.remoteSdp();
      for (const source of ['127.0.0.1', '127.0.0.2']) {
        nat.rebind(source);
        const since = performance.now();
        const before = (await page.stats()).packetsReceived ?? 0;
        await until('audio after the change', async () => {
          const { packetsReceived = 0 } = await page.stats();
          return packetsReceived > before + 25 || packetsReceived < before;
        });
        // On a machine that is slow the client may look for another path itself before its checks are due.
        const how = (await page.remoteSdp()) === sdp ? 'without a word of signalling' : 'with an ICE restart';
        process.stdout.write(
          `NAT rebound to ${source}: audio after ${Math.round(performance.now() - since)} ms, ${how}\n`,
        );
        await page.hears(1_000);
      }
      await hangUp(page, id);
    });
  }

  it('a NAT that forgets its binding: the call is followed to a new port, then to a new address', () =>
    moves());

  it('Firefox is followed, too', needs('firefox'), async () => {
    const firefox = await Firefox.start();
    try {
      await moves(firefox);
    } finally {
      await firefox.stop();
    }
  });

  it('another network: the socket and the media are lost, and come back from elsewhere', async () => {
    await rig.explained(async () => {
      const page = await client();
      const id = await echo(page);
      for (const [away, source] of [
        [3_000, '127.0.0.3'],
        [9_000, '127.0.0.4'],
      ] as const) {
        relay.cut();
        nat.cut();
        await pause(away);
        nat.rebind(source);
        nat.restore();
        relay.restore();
        await page.becomes(id, 'active');
        await page.hears(1_000);
        await page.act(id, 'hold');
        await page.becomes(id, 'held');
        await page.act(id, 'unhold');
        await page.becomes(id, 'active');
        await page.hears(1_000);
      }
      await hangUp(page, id);
    });
  });
});

describe('a direct path that dies under a call', { ...needs('chromium', 'coturn'), timeout: 300_000 }, () => {
  let rig: Rig;
  let nat: UdpRelay;
  let coturn: Coturn;
  before(async () => {
    const [first] = await freeRange(2 * PORTS);
    const ports = [first, first + PORTS - 1] as const;
    const port = await freePort();
    coturn = await Coturn.start({ secret: SECRET, host: HOST, port });
    const turn = { urls: [`turn:${HOST}:${port}?transport=udp`], secret: SECRET };
    rig = await Rig.start({ config: { media: { address: HOST, ports }, turn } });
    nat = await UdpRelay.start(HOST, ports, PORTS);
  });
  after(async () => {
    nat?.close();
    await rig?.stop();
    await coturn?.stop();
  });

  it('goes on by the relay that the login named', async () => {
    await rig.explained(async () => {
      const page = await rig.chromium.open(rig.host, 'ours');
      await watchPaths(page, SHIFTED);
      await page.connect(rig.options('line1', AS_TOLD));
      const id = await echo(page);
      assert.equal((await path(page)).relayProtocol, null);
      nat.cut(...RELAY_PORTS);
      await until('a relayed path', async () => (await selectedPath(page))?.relayProtocol === 'udp', {
        limitMs: 60_000,
        everyMs: 250,
      });
      await page.hears(1_000);
      await page.becomes(id, 'active');
      await hangUp(page, id);
    });
  });
});
