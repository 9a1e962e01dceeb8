import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Json } from './src/back-end.ts';
import { CommandedCrowd, type CommandedLeg } from './src/commanded-crowd.ts';
import { processOf } from './src/crowd.ts';
import { freeRange, interfaceAddress } from './src/ports.ts';
import { ScaleListener, scale } from './src/scale.ts';
import { sidetone, TestServer } from './src/server.ts';
import { until } from './src/wait.ts';

/** Callers who wait; `npm run survival` has 20. */
const CALLERS = Number(process.env['SURVIVAL_QUEUED'] ?? 4);
const KILLS = Number(process.env['SURVIVAL_KILLS'] ?? 1);
/** Seconds of the music; it never ends. */
const STEPS = 6;
const QUEUE = { queue_name: 'line' };

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** A queue whose signalling process dies or is replaced. */
describe('a queue whose signalling process goes', { timeout: 900_000 }, () => {
  let server: TestServer;
  let crowd: CommandedCrowd;
  /** In the order in which they came; those who are taken leave it. */
  const waiting: CommandedLeg[] = [];
  const taken: CommandedLeg[] = [];
  const hasty: CommandedLeg[] = [];
  const listeners = new Map<CommandedLeg, ScaleListener>();
  let agent: CommandedLeg;

  before(async () => {
    server = await TestServer.start({
      config: {
        media: { address: interfaceAddress(), ports: await freeRange(Math.max(60, CALLERS * 4)) },
        webhooks: { allow: ['127.0.0.1'] },
      },
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

  const queued = async (): Promise<Json[]> =>
    (await crowd.backEnd.must('GET', `/queues/${QUEUE.queue_name}/calls?page[size]=250`)).data;

  /** The agent takes the first of the queue, is heard by it and hears it; then that one is hung up. */
  async function takesFirst(): Promise<void> {
    const { backEnd } = crowd;
    const first = waiting.shift()!;
    taken.push(first);
    await backEnd.commands(agent.control, 'bridge', { queue: QUEUE.queue_name, park_after_unbridge: 'self' });
    const dequeued = await backEnd.hears(first.control, 'call.dequeued');
    assert.deepEqual([dequeued.payload.queue_position, dequeued.payload.reason], [1, 'bridged']);
    await backEnd.hears(first.control, 'call.bridged');
    const [said, answered] = [0x20 + taken.length, 0x60 + taken.length];
    let [heardByAgent, heardByFirst] = [0, 0];
    first.call.media.say(said);
    agent.call.media.say(answered);
    agent.call.media.onPayload = (payload) => void (heardByAgent += Number(payload.every((x) => x === said)));
    first.call.media.onPayload = (payload) =>
      void (heardByFirst += Number(payload.every((x) => x === answered)));
    await until('agent and caller to hear each other', () => heardByAgent > 10 && heardByFirst > 10, {
      detail: () => `${heardByAgent} ${heardByFirst}`,
    });
    await backEnd.commands(first.control, 'hangup');
    await backEnd.hears(first.control, 'call.hangup');
  }

  /** Takes signalling away `how`, and proves that everybody waits on where they stood. */
  async function goesOn(name: string, how: () => Promise<void>): Promise<void> {
    const { backEnd } = crowd;
    const stood = await queued();
    assert.deepEqual(
      stood.map((one) => [one.call_control_id, one.queue_position, one.is_alive]),
      waiting.map(({ control }, i) => [control, i + 1, true]),
    );
    // Its patience ends while nobody is there to see, or just before or behind that.
    const short = await crowd.add();
    hasty.push(short);
    await backEnd.commands(short.control, 'enqueue', { queue_name: 'short', max_wait_time_secs: 1 });

    const before = processOf(server, 'signalling');
    const media = processOf(server, 'media');
    const since = performance.now();
    await how();
    await until('another signalling process', () => {
      const pid = processOf(server, 'signalling');
      return pid !== undefined && pid !== before;
    });
    await crowd.back(since);
    const away = Math.max(...crowd.clients.map((client) => client.readyAt - client.lostAt));
    assert.equal(processOf(server, 'media'), media, 'media is the same process');

    const stand = await queued();
    const places = (all: readonly Json[]): unknown[] =>
      all.map((one) => [one.call_control_id, one.queue_position, one.enqueued_at, one.is_alive]);
    assert.deepEqual(places(stand), places(stood));
    for (const [i, one] of stand.entries()) assert.ok(one.wait_time_secs >= stood[i]!.wait_time_secs);
    const left = await backEnd.hears(short.control, 'call.dequeued');
    assert.equal(left.payload.reason, 'timeout');
    await backEnd.commands(short.control, 'client_state_update', { client_state: btoa('parked') });
    for (const leg of waiting) listeners.get(leg)!.forget();
    await until('the music of those who wait', () => waiting.every((leg) => listeners.get(leg)!.frames > 20));
    await takesFirst();
    say(
      `${name}: ${stood.length} wait where they stood, the longest for ${stand[0]!.wait_time_secs} s; clients without signalling for ${Math.round(away)} ms`,
    );
  }

  it('killed: all wait where they stood, with their music, and the first is the first out', async () => {
    await explained(async () => {
      crowd = await CommandedCrowd.start(server);
      const { backEnd } = crowd;
      const audio_url = backEnd.serve('scale.wav', scale(STEPS));
      agent = await crowd.add();
      for (let i = 0; i < CALLERS; i++) {
        const leg = await crowd.add();
        const listener = new ScaleListener(STEPS);
        listeners.set(leg, listener);
        leg.call.media.onPayload = (payload) => listener.frame(payload);
        await backEnd.commands(leg.control, 'enqueue', QUEUE);
        await backEnd.commands(leg.control, 'playback_start', { audio_url, loop: 'infinity' });
        const { payload } = await backEnd.hears(leg.control, 'call.enqueued');
        assert.equal(payload.current_position, i + 1);
        waiting.push(leg);
      }
      for (let i = 0; i < KILLS; i++)
        await goesOn('kill -9', async () => {
          process.kill(processOf(server, 'signalling')!, 'SIGKILL');
        });
    });
  });

  it('handed over: the same', async () => {
    await explained(async () => {
      await goesOn('handover', async () => {
        const result = await sidetone('handover', '--data', server.dataDir);
        assert.equal(result.code, 0, result.stderr);
      });
    });
  });

  it('ended: taken one after the other in the order in which they came, and every lane is whole', async () => {
    await explained(async () => {
      const { backEnd } = crowd;
      while (waiting.length > 0) await takesFirst();
      assert.deepEqual(await queued(), []);
      for (const { control } of [agent, ...hasty]) await backEnd.commands(control, 'hangup');
      for (const { control } of crowd.legs) await backEnd.hears(control, 'call.hangup');
      const lane = ({ control }: CommandedLeg): string =>
        backEnd
          .of(control)
          .map(({ name }) => name.slice(5))
          .join(' ');
      for (const leg of taken)
        assert.equal(
          lane(leg),
          'initiated answered enqueued playback.started playback.ended dequeued bridged hangup',
        );
      for (const leg of hasty) assert.equal(lane(leg), 'initiated answered enqueued dequeued hangup');
      const order = backEnd.events.filter(
        ({ name, control }) => name === 'call.dequeued' && taken.some((leg) => leg.control === control),
      );
      assert.deepEqual(
        order.map(({ control }) => control),
        taken.map(({ control }) => control),
      );
      say(`${taken.length} were taken in their order; ${backEnd.twice} events came twice`);
    });
  });
});
