import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CROWD_PREFIX, Crowd, type Pair, processOf, recordsOf } from './src/crowd.ts';
import { needs } from './src/peer-availability.ts';
import { freeRange, interfaceAddress } from './src/ports.ts';
import { Rig } from './src/rig.ts';
import { sidetone, type TestServer } from './src/server.ts';
import type { TestPage } from './src/test-page.ts';
import { pause, until } from './src/wait.ts';

/** `npm run survival` has 50 calls; here the machine is shared with everybody's browser. Two of them are in pages. */
const CALLS = Number(process.env['SURVIVAL_CALLS'] ?? 12) - 2;
const KILLS = Number(process.env['SURVIVAL_KILLS'] ?? 3);

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Calls whose signalling process dies, is replaced, or is stopped. */
describe('a signalling process that goes', { ...needs('chromium'), timeout: 900_000 }, () => {
  let rig: Rig;
  let server: TestServer;
  let crowd: Crowd;
  const pages: { readonly page: TestPage; readonly id: string }[] = [];

  before(async () => {
    const ports = await freeRange(Math.max(80, CALLS * 5));
    rig = await Rig.start({
      trunks: [{ name: 'crowd', prefixes: [CROWD_PREFIX], codecs: ['PCMU'], policy: 'capacity' }],
      config: { media: { address: interfaceAddress(), ports } },
    });
    server = rig.server;
  });
  after(async () => {
    crowd?.close();
    await rig?.chromium.stop();
    rig?.host.close();
    await server?.kill();
  });

  /** How often the server has said this so far. */
  const said = (event: string): number => server.fullLog.split(`"${event}"`).length - 1;

  /** Every client and page has logged in once more since the server had said so `before` times. */
  async function allBack(before: number): Promise<void> {
    await until(
      'everybody to be back',
      () => said('client ready') >= before + crowd.clients.length + pages.length,
      { limitMs: 120_000 },
    );
    await crowd.back();
  }

  async function explained(step: () => Promise<void>): Promise<void> {
    await step().catch((error: unknown) => {
      if (error instanceof Error) error.message = `${error.message}\n${server.log}`;
      throw error;
    });
  }

  /** Hold, unhold and digits from the client, hold from the carrier. */
  async function obeys({ client, call, carrier }: Pair): Promise<void> {
    const asked = carrier.asked.length;
    assert.equal(await client.modify(call, 'hold'), 'held');
    await until('the carrier to be held', () => carrier.asked.length > asked);
    assert.equal(carrier.asked.at(-1), 'sendonly');
    assert.equal(await client.modify(call, 'unhold'), 'active');
    await until('the carrier to be back', () => carrier.asked.length > asked + 1);
    assert.equal(carrier.asked.at(-1), 'sendrecv');
    const digits = carrier.events.digits.length;
    await client.dtmf(call, '159');
    await until('the digits at the carrier', () => carrier.events.digits.length === digits + 3);
    assert.equal(carrier.events.digits.slice(digits), '159');
    assert.equal(await crowd.carrier.reinvite(carrier, 'sendonly'), 200);
    assert.equal(await crowd.carrier.reinvite(carrier, 'sendrecv'), 200);
    await crowd.sounds([{ client, call, carrier }]);
  }

  async function pageObeys(page: TestPage, id: string): Promise<void> {
    await page.act(id, 'hold');
    await page.becomes(id, 'held');
    await page.act(id, 'unhold');
    await page.becomes(id, 'active');
    await page.act(id, 'dtmf', '5');
    await page.hears(1_000);
  }

  /** Takes signalling away `how`, and proves that every call is there afterwards. */
  async function survives(name: string, how: () => Promise<void>): Promise<void> {
    await crowd.sounds();
    const missing = crowd.missing;
    const before = processOf(server, 'signalling');
    const media = processOf(server, 'media');
    const back = said('client ready');
    crowd.forget();
    await pause(3_000);
    const usualGap = crowd.largestGapMs;
    crowd.forget();
    await how();
    await until('another signalling process', () => {
      const pid = processOf(server, 'signalling');
      return pid !== undefined && pid !== before;
    });
    await allBack(back);
    const away = Math.max(...crowd.clients.map((client) => client.readyAt - client.lostAt));
    await crowd.sounds();
    for (const { page, id } of pages) {
      assert.equal((await page.call(id)).state, 'active');
      await page.hears(1_000);
    }
    assert.equal(processOf(server, 'media'), media, 'media is the same process');
    assert.equal(crowd.alive.length, CALLS, 'no call is lost');
    say(
      `${name}: ${crowd.alive.length} of ${CALLS} calls live; clients without signalling for ${Math.round(away)} ms; ` +
        `packets the carrier missed ${crowd.missing - missing}; largest gap at the carrier ${Math.round(crowd.largestGapMs)} ms ` +
        `(in 3 s before ${Math.round(usualGap)} ms; this process was late by up to ${Math.round(crowd.ownLateMs)} ms)`,
    );
    assert.equal(crowd.missing - missing, 0, 'no packet is lost');
    for (const { carrier } of crowd.alive)
      assert.equal(carrier.streams.size, 1, 'one SSRC towards the carrier');
  }

  it('killed: every call goes on, and obeys', async () => {
    await explained(async () => {
      crowd = await Crowd.start(server, rig.carrierPort, CALLS);
      for (const sdk of ['ours', '2.27.10'] as const) {
        const page = await rig.client('line2', sdk);
        const id = await page.newCall({ destinationNumber: '9196' });
        await page.becomes(id, 'active');
        await page.hears(1_000);
        pages.push({ page, id });
      }
      for (let i = 0; i < KILLS; i++)
        await survives('kill -9', async () => {
          process.kill(processOf(server, 'signalling')!, 'SIGKILL');
        });
      for (const pair of crowd.pairs.slice(0, 3)) await obeys(pair);
      for (const { page, id } of pages) await pageObeys(page, id);
    });
  });

  it('handed over: every call goes on, and obeys', async () => {
    await explained(async () => {
      await survives('handover', async () => {
        const result = await sidetone('handover', '--data', server.dataDir);
        say(result.stdout.trim());
        assert.equal(result.code, 0, result.stderr);
        assert.match(
          result.stdout,
          new RegExp(`\\n${CALLS + pages.length} calls carried over; [0-9.]+ s without signalling\\n$`),
        );
      });
      for (const pair of crowd.pairs.slice(0, 3)) await obeys(pair);
      for (const { page, id } of pages) await pageObeys(page, id);
    });
  });

  it('killed again and again while calls end: each leg has one record, and the right cause', async () => {
    await explained(async () => {
      const ending = crowd.pairs.slice(3);
      for (const [i, pair] of ending.entries()) {
        if (i % 2 === 0) await pair.client.bye(pair.call);
        else crowd.carrier.bye(pair.carrier);
        if (i % Math.ceil(ending.length / 3) === 0) {
          const back = said('client ready');
          process.kill(processOf(server, 'signalling')!, 'SIGKILL');
          await allBack(back);
        }
      }
      const over = ({ call, carrier }: Pair): boolean => call.state === 'over' && carrier.over !== undefined;
      await until('every one of them to be over at both ends', () => ending.every(over), {
        detail: () => ending.map(({ call, carrier }) => `${call.state}/${carrier.over}`).join(' '),
      });
      await until('their records', () => recordsOf(server).length >= 2 * ending.length);
      const records = recordsOf(server);
      assert.equal(new Set(records.map((record) => record.leg_id)).size, records.length);
      assert.equal(records.length, 2 * ending.length);
      for (const [i, { carrier }] of ending.entries()) {
        const legs = records.filter((record) => record.to.includes(carrier.number));
        assert.equal(legs.length, 2, carrier.number);
        for (const leg of legs) {
          assert.equal(leg.cause, 'NORMAL_CLEARING', `call ${i}: ${JSON.stringify(legs)}`);
          assert.equal(leg.ended_by, i % 2 === 0 ? 'caller' : 'callee', `call ${i}: ${JSON.stringify(legs)}`);
          assert.ok(leg.answered_at !== undefined && leg.ended_at >= leg.answered_at);
        }
      }
      assert.equal(crowd.alive.length, 3);
      await crowd.sounds();
      const [first] = pages;
      await first!.page.act(first!.id, 'hangup');
      assert.equal((await first!.page.ended(first!.id)).cause, 'NORMAL_CLEARING');
      await until('its records', () => recordsOf(server).length === records.length + 2);
    });
  });

  it('stopped: the calls end with BYE at both ends, and the next start knows the users again', async () => {
    await explained(async () => {
      const left = crowd.alive;
      await server.restart();
      await until('both ends to be told', () =>
        left.every(({ call, carrier }) => call.state === 'over' && carrier.over === 'bye'),
      );
      await pages[1]!.page.ended(pages[1]!.id);
      await crowd.back();
      const records = recordsOf(server).filter((r) =>
        left.some(({ carrier }) => r.to.includes(carrier.number)),
      );
      assert.equal(records.length, 2 * left.length);
      for (const record of records) assert.equal(record.ended_by, 'platform');
    });
  });
});
