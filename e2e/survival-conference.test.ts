import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CommandedCrowd, type CommandedLeg } from './src/commanded-crowd.ts';
import { processOf } from './src/crowd.ts';
import { MixListener, SILENT_FRAME, toneFrame } from './src/mix-listener.ts';
import { freeRange, interfaceAddress } from './src/ports.ts';
import { TestServer } from './src/server.ts';
import { pause, until } from './src/wait.ts';

/** `npm run survival:conference` has 50 legs for three minutes. */
const LEGS = Number(process.env['CONFERENCE_LEGS'] ?? 6);
const SECONDS = Number(process.env['CONFERENCE_SECONDS'] ?? 6);
/** What the first of them say; the others are silent. Multiples of 50 Hz. */
const VOICES = [400, 700, 1_100] as const;
/** As long as this a voice may be away in the ears of a busy test. */
const LONGEST_MS = 400;
const JOINED = 'conference.participant.joined';
const LEFT = 'conference.participant.left';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

interface Heard {
  readonly name: string;
  /** Of the frames that are wrong. */
  readonly share: number;
  readonly longest: number;
  /** Frames in the ears of one. */
  readonly fewest: number;
}

describe('a conference whose signalling process is killed', { timeout: 600_000 }, () => {
  let server: TestServer;
  let crowd: CommandedCrowd;
  let room = '';
  const listeners = new Map<CommandedLeg, MixListener>();

  before(async () => {
    server = await TestServer.start({
      config: {
        media: { address: interfaceAddress(), ports: await freeRange(Math.max(60, LEGS * 3)) },
        webhooks: { allow: ['127.0.0.1'] },
      },
    });
    crowd = await CommandedCrowd.start(server);
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

  const direct = (name: string, body: object = {}): Promise<unknown> =>
    crowd.backEnd.must('POST', `/conferences/${room}/actions/${name}`, body);

  /** These voices are heard by all but their own. */
  async function areHeard(voices: readonly number[]): Promise<void> {
    for (const [i, leg] of crowd.legs.entries()) {
      const listener = listeners.get(leg)!;
      listener.wanted = voices.filter((hz) => hz !== VOICES[i]);
      listener.unwanted = VOICES.filter((hz) => !listener.wanted.includes(hz));
      listener.forget();
    }
    const isRight = ({ frames, wrong }: MixListener): boolean => frames - wrong > 25;
    await until('all to hear who speaks', () => [...listeners.values()].every(isRight), {
      limitMs: 60_000,
      detail: () => [...listeners.values()].map(({ frames, wrong }) => `${frames}-${wrong}`).join(' '),
    });
  }

  /** What is in the ears of all while something goes on. */
  async function heardWhile(name: string, what: () => Promise<void>): Promise<Heard> {
    for (const listener of listeners.values()) listener.forget();
    const since = performance.now();
    await what();
    const ears = [...listeners.values()];
    const sum = (of: (one: MixListener) => number): number => ears.reduce((all, one) => all + of(one), 0);
    const [frames, wrong] = [sum((one) => one.frames), sum((one) => one.wrong)];
    const longest = Math.round(Math.max(...ears.map(({ longestMs }) => longestMs)));
    const fewest = Math.min(...ears.map((one) => one.frames));
    const seconds = (performance.now() - since) / 1000;
    say(
      `${LEGS} legs, ${name}, ${seconds.toFixed(1)} s: ${Math.round(frames / seconds / LEGS)} frames a second each, ` +
        `${wrong} of ${frames} without a voice that belongs there or with another; longest without a right one ${longest} ms`,
    );
    return { name, share: wrong / Math.max(1, frames), longest, fewest };
  }

  it('nobody leaves, and nobody hears a break', async () => {
    await explained(async () => {
      const { backEnd } = crowd;
      for (let i = 0; i < LEGS; i++) {
        const leg = await crowd.add();
        const hz = VOICES[i];
        leg.call.media.say(hz === undefined ? SILENT_FRAME : toneFrame(hz));
        const listener = new MixListener();
        listeners.set(leg, listener);
        leg.call.media.onPayload = (payload) => listener.frame(payload);
      }
      const [first, ...others] = crowd.legs.map(({ control }) => control);
      const made = await backEnd.must('POST', '/conferences', { call_control_id: first, name: 'crowd' });
      room = made.data.id;
      for (const call_control_id of others) await direct('join', { call_control_id });
      for (const { control } of crowd.legs) await backEnd.hears(control, JOINED);
      await areHeard(VOICES);

      const media = processOf(server, 'media');
      const calm = await heardWhile('before', () => pause((SECONDS * 1000) / 2));
      const before = processOf(server, 'signalling')!;
      const without = await heardWhile('without signalling', async () => {
        const killedAt = performance.now();
        process.kill(before, 'SIGKILL');
        await until('another signalling process', () => {
          const pid = processOf(server, 'signalling');
          return pid !== undefined && pid !== before;
        });
        await crowd.back(killedAt);
      });
      const behind = await heardWhile('behind it', () => pause((SECONDS * 1000) / 2));

      assert.equal(processOf(server, 'media'), media, 'media is the same process');
      assert.ok(
        crowd.legs.every(({ call }) => call.state === 'active'),
        'no call is lost',
      );
      for (const { name, fewest, share, longest } of [without, behind]) {
        assert.ok(fewest > 0, `somebody heard nothing ${name}`);
        // A machine with other work loses frames by itself: no more of them than before.
        assert.ok(share < Math.max(0.02, 2 * calm.share + 0.02), `${share} of the frames are wrong ${name}`);
        assert.ok(
          longest < Math.max(LONGEST_MS, 3 * calm.longest),
          `a voice was away for ${longest} ms ${name}`,
        );
      }
      for (const { control } of crowd.legs) assert.deepEqual(backEnd.of(control, LEFT), []);
    });
  });

  it('the next process goes on with it: who is in, commands, and its end', async () => {
    await explained(async () => {
      const { backEnd } = crowd;
      const listed = await backEnd.must('GET', `/conferences/${room}/participants?page[size]=250`);
      assert.deepEqual(
        listed.data.map((one: { call_control_id: string }) => one.call_control_id),
        crowd.legs.map(({ control }) => control),
      );
      await direct('mute', { call_control_ids: [crowd.legs[0]!.control] });
      await areHeard(VOICES.slice(1));
      await direct('end');
      for (const { control } of crowd.legs) await backEnd.hears(control, 'call.hangup');
      for (const { control } of crowd.legs) {
        assert.equal(backEnd.of(control, JOINED).length, 1);
        assert.equal(backEnd.of(control, LEFT).length, 1);
      }
      await until(
        'the end of the conference',
        () => backEnd.events.filter(({ name }) => name === 'conference.ended').length === 1,
      );
    });
  });
});
