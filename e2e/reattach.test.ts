import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { needs } from './src/peer-availability.ts';
import { Relay } from './src/relay.ts';
import { Rig } from './src/rig.ts';
import type { TestPage } from './src/test-page.ts';
import { pause, until } from './src/wait.ts';

/** How often the server has said this so far. */
const said = (rig: Rig, event: string): number => rig.server.fullLog.split(`"${event}"`).length - 1;

/** Lets the test reach the peer connection that the SDK made last. */
const KEEP_PEER = `(() => {
  const Peer = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    constructor(configuration) {
      super(configuration);
      window.lastPeer = this;
    }
  };
  return true;
})()`;

/** Ours and the published SDK behind a relay that breaks their WebSocket in mid-call. */
for (const sdk of ['ours', '2.27.10'] as const)
  describe(`the connection lost under a call of ${sdk}`, { ...needs('chromium'), timeout: 300_000 }, () => {
    let rig: Rig;
    let relay: Relay;
    before(async () => {
      rig = await Rig.start();
      relay = await Relay.start(rig.server.httpPort);
    });
    after(async () => {
      relay?.close();
      await rig?.stop();
    });

    const options = { hangupOnBeforeUnload: false };
    const client = async (): Promise<TestPage> =>
      await rig.client('line1', sdk, { host: relay.url, ...options });

    /** The call is up with both ways of audio and signalling. */
    async function works(page: TestPage, id: string): Promise<void> {
      await page.becomes(id, 'active');
      await page.hears(1_000);
      await page.act(id, 'hold');
      await page.becomes(id, 'held');
      await page.act(id, 'unhold');
      await page.becomes(id, 'active');
      await page.hears(1_000);
    }

    async function isBack(before: number): Promise<void> {
      await until('the client to be back', () => said(rig, 'client back') > before, {
        detail: () => rig.server.log,
      });
    }

    async function reload(page: TestPage): Promise<void> {
      await page.evaluate('(window.leaving = true, setTimeout(() => location.reload(), 0), true)');
      await until('the page to reload', async () => {
        const left = await page
          .evaluate('window.leaving !== true && document.title === "loaded"')
          .catch(() => false);
        return left === true;
      });
      await page.connect(rig.options('line1', { host: relay.url, ...options }));
    }

    it('three cuts of 1 to 5 s: the call stays active, and its media is never touched', async () => {
      await rig.explained(async () => {
        const page = await client();
        const id = await page.newCall({ destinationNumber: '9196' });
        await page.reaches(id, 'active');
        await page.hears(1_000);
        const fingerprint = await page.remoteSdp();
        for (const ms of [1_000, 2_500, 5_000]) {
          const before = said(rig, 'client back');
          relay.cut();
          await pause(ms);
          await page.hears(1_000);
          relay.restore();
          await isBack(before);
          await works(page, id);
        }
        assert.equal(await page.remoteSdp(), fingerprint);
        assert.ok(!(await page.call(id)).states.includes('recovering'));
        await page.act(id, 'hangup');
        assert.equal((await page.ended(id)).cause, 'NORMAL_CLEARING');
        await page.close();
      });
    });

    it('a half-open line is noticed by the server, and the call goes on', async () => {
      await rig.explained(async () => {
        const page = await client();
        const id = await page.newCall({ destinationNumber: '9196' });
        await page.reaches(id, 'active');
        const lost = said(rig, 'client lost');
        const before = said(rig, 'client back');
        const since = performance.now();
        relay.stall();
        await until('the server to notice', () => said(rig, 'client lost') > lost, {
          detail: () => rig.server.log,
        });
        process.stdout.write(`half-open line noticed after ${Math.round(performance.now() - since)} ms\n`);
        relay.restore();
        await isBack(before);
        await works(page, id);
        await page.act(id, 'hangup');
        await page.ended(id);
        await page.close();
      });
    });

    it('media that broke with the connection is renewed, also of a call that is held', async () => {
      await rig.explained(async () => {
        const page = await client();
        await page.evaluate(KEEP_PEER);
        const id = await page.newCall({ destinationNumber: '9196' });
        await page.reaches(id, 'active');
        await page.hears(1_000);
        for (const held of [false, true]) {
          if (held) {
            await page.act(id, 'hold');
            await page.becomes(id, 'held');
          }
          const sdp = await page.remoteSdp();
          const before = said(rig, 'client back');
          const recoveries = async () =>
            (await page.call(id)).states.filter((s) => s === 'recovering').length;
          const already = await recoveries();
          relay.cut();
          await page.evaluate('(window.lastPeer.close(), true)');
          await pause(2_000);
          relay.restore();
          await isBack(before);
          await until('the call to recover', async () => (await recoveries()) > already);
          await until('a new description', async () => (await page.remoteSdp()) !== sdp);
          // A held call passes through active: only what comes after the recovery counts.
          await page.becomes(id, held ? 'held' : 'active');
          if (held) await page.act(id, 'unhold');
          await works(page, id);
        }
        await page.act(id, 'hangup');
        assert.equal((await page.ended(id)).cause, 'NORMAL_CLEARING');
        await page.close();
      });
    });

    it('a page that reloads gets its call back with fresh media', async () => {
      await rig.explained(async () => {
        const page = await client();
        const id = await page.newCall({ destinationNumber: '9196' });
        await page.reaches(id, 'active');
        await page.hears(1_000);
        await reload(page);
        await until('the call to be back', async () => (await page.calls()).some((call) => call.id === id));
        await works(page, id);
        await page.act(id, 'hangup');
        assert.equal((await page.ended(id)).cause, 'NORMAL_CLEARING');
        await page.close();
      });
    });

    // The published one takes only the first of them over.
    if (sdk === 'ours')
      it('a page that reloads gets both of its calls back, the held one held', async () => {
        await rig.explained(async () => {
          const page = await client();
          const held = await page.newCall({ destinationNumber: '9196' });
          await page.reaches(held, 'active');
          await page.act(held, 'hold');
          await page.becomes(held, 'held');
          const talking = await page.newCall({ destinationNumber: '9196' });
          await page.reaches(talking, 'active');
          await page.hears(1_000);
          await reload(page);
          await until('both calls to be back', async () => {
            const back = (await page.calls()).map((call) => call.id);
            return back.includes(held) && back.includes(talking);
          });
          await page.becomes(talking, 'active');
          await page.becomes(held, 'held');
          await works(page, talking);
          await page.act(talking, 'hold');
          await page.becomes(talking, 'held');
          await page.act(held, 'unhold');
          await page.becomes(held, 'active');
          await page.hears(1_000);
          for (const id of [talking, held]) {
            await page.act(id, 'hangup');
            assert.equal((await page.ended(id)).cause, 'NORMAL_CLEARING');
          }
          await page.close();
        });
      });
  });
