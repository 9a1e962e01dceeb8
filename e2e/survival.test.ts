import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Crowd, type Pair, processOf, recordsOf } from './src/crowd.ts';
import { freePort, freeRange, interfaceAddress } from './src/ports.ts';
import { CARRIER_PREFIX } from './src/rig.ts';
import { sidetone, TestServer } from './src/server.ts';
import { pause, until } from './src/wait.ts';

/** `npm run survival` has 50; here the machine is shared with everybody's browser. */
const CALLS = Number(process.env['SURVIVAL_CALLS'] ?? 12) - 1;
const KILLS = Number(process.env['SURVIVAL_KILLS'] ?? 3);

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Calls whose signalling process dies, is replaced, or is stopped. */
describe('a signalling process that goes', { timeout: 600_000 }, () => {
  let server: TestServer;
  let carrierPort: number;
  let crowd: Crowd;

  before(async () => {
    carrierPort = await freePort();
    const ports = await freeRange(Math.max(60, CALLS * 5));
    server = await TestServer.start({
      trunks: [
        {
          name: 'carrier',
          port: carrierPort,
          prefixes: [CARRIER_PREFIX],
          codecs: ['PCMU'],
          policy: 'capacity',
        },
      ],
      config: { media: { address: interfaceAddress(), ports } },
    });
  });
  after(async () => {
    crowd?.close();
    await server?.kill();
  });

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

  /** Takes signalling away `how`, and proves that every call is there afterwards. */
  async function survives(name: string, how: () => Promise<void>): Promise<void> {
    await crowd.sounds();
    const missing = crowd.missing;
    const before = processOf(server, 'signalling');
    const media = processOf(server, 'media');
    crowd.forget();
    await pause(3_000);
    const usualGap = crowd.largestGapMs;
    crowd.forget();
    await how();
    await until('another signalling process', () => {
      const pid = processOf(server, 'signalling');
      return pid !== undefined && pid !== before;
    });
    await crowd.back();
    const away = Math.max(...crowd.clients.map((client) => client.readyAt - client.lostAt));
    await crowd.sounds();
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
      crowd = await Crowd.start(server, carrierPort, CALLS);
      for (let i = 0; i < KILLS; i++)
        await survives('kill -9', async () => {
          process.kill(processOf(server, 'signalling')!, 'SIGKILL');
        });
      for (const pair of crowd.pairs.slice(0, 3)) await obeys(pair);
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
          new RegExp(`\\n${CALLS} calls carried over; [0-9.]+ s without signalling\\n$`),
        );
      });
      for (const pair of crowd.pairs.slice(0, 3)) await obeys(pair);
    });
  });

  it('killed again and again while calls end: each leg has one record, and the right cause', async () => {
    await explained(async () => {
      const ending = crowd.pairs.slice(3);
      for (const [i, pair] of ending.entries()) {
        if (i % 2 === 0) await pair.client.bye(pair.call);
        else crowd.carrier.bye(pair.carrier);
        if (i % 3 === 0) {
          process.kill(processOf(server, 'signalling')!, 'SIGKILL');
          await pause(50);
          await crowd.back();
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
          assert.equal(leg.cause, 'NORMAL_CLEARING', carrier.number);
          assert.equal(leg.ended_by, i % 2 === 0 ? 'caller' : 'callee', carrier.number);
          assert.ok(leg.answered_at !== undefined && leg.ended_at >= leg.answered_at);
        }
      }
      assert.equal(crowd.alive.length, 3);
      await crowd.sounds();
    });
  });

  it('stopped: the calls end with BYE at both ends, and the next start knows the users again', async () => {
    await explained(async () => {
      const left = crowd.alive;
      await server.restart();
      await until('both ends to be told', () =>
        left.every(({ call, carrier }) => call.state === 'over' && carrier.over === 'bye'),
      );
      await crowd.back();
      const records = recordsOf(server).filter((r) =>
        left.some(({ carrier }) => r.to.includes(carrier.number)),
      );
      assert.equal(records.length, 2 * left.length);
      for (const record of records) assert.equal(record.ended_by, 'platform');
    });
  });
});
