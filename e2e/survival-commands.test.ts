import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CommandedCrowd, type CommandedLeg } from './src/commanded-crowd.ts';
import { processOf } from './src/crowd.ts';
import { freeRange, interfaceAddress } from './src/ports.ts';
import { ScaleListener, scale } from './src/scale.ts';
import { sidetone, TestServer } from './src/server.ts';
import { until } from './src/wait.ts';

/** Calls of each kind; `npm run survival` has 10 of each, which are 60 legs. */
const EACH = Number(process.env['SURVIVAL_COMMANDED'] ?? 1);
const KILLS = Number(process.env['SURVIVAL_KILLS'] ?? 1);
/** Seconds of the sound that plays meanwhile. */
const STEPS = Number(process.env['SURVIVAL_SECONDS'] ?? 6);
/** Legs: parked, playing, playing without end, gathering, and two that are bridged. */
const KINDS = 6;

const say = (text: string): void => void process.stdout.write(`${text}\n`);
/** So long nobody waits for a digit in here. */
const PATIENT = {
  timeout_millis: 600_000,
  initial_timeout_millis: 600_000,
  inter_digit_timeout_millis: 600_000,
};

interface Bridge {
  readonly a: CommandedLeg;
  readonly b: CommandedLeg;
}

/** Calls that a back end commands, whose signalling process dies or is replaced. */
describe('commanded calls whose signalling process goes', { timeout: 900_000 }, () => {
  let server: TestServer;
  let crowd: CommandedCrowd;
  const parked: CommandedLeg[] = [];
  const gathering: CommandedLeg[] = [];
  const playing: CommandedLeg[] = [];
  const endless: CommandedLeg[] = [];
  const bridges: Bridge[] = [];
  const over: CommandedLeg[] = [];
  const listeners = new Map<CommandedLeg, ScaleListener>();
  /** Digits that a leg pressed, in order, and what it gathered: what its lane must tell. */
  const pressed = new Map<CommandedLeg, string>();
  let round = 0;
  let sound = '';

  before(async () => {
    server = await TestServer.start({
      config: {
        media: { address: interfaceAddress(), ports: await freeRange(Math.max(60, EACH * KINDS * 3)) },
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

  /** A digit in the media, as RFC 4733 has it; it does not need a signalling process. */
  async function press(legs: readonly CommandedLeg[], digit: string): Promise<void> {
    for (const leg of legs) {
      leg.call.media.press(digit);
      pressed.set(leg, (pressed.get(leg) ?? '') + digit);
    }
    await until('a digit to have left', () => legs.every(({ call }) => !call.media.pressing));
  }

  async function told(legs: readonly CommandedLeg[]): Promise<void> {
    for (const leg of legs)
      await until(
        'digits to be told',
        () => crowd.backEnd.of(leg.control, 'call.dtmf.received').length >= (pressed.get(leg) ?? '').length,
        { limitMs: 60_000, detail: () => `${digitsOf(leg)} of ${pressed.get(leg)}` },
      );
    for (const leg of legs) assert.equal(digitsOf(leg), pressed.get(leg) ?? '');
  }

  const digitsOf = ({ control }: CommandedLeg): string =>
    crowd.backEnd
      .lane(control, 'call.dtmf.received')
      .map(({ payload }) => payload.digit)
      .join('');

  /** Each of a pair hears what the other says, and no other. */
  async function hearEachOther(): Promise<void> {
    for (const [i, { a, b }] of bridges.entries()) {
      const [said, answered] = [0x20 + ((2 * i + round) % 64), 0x60 + ((2 * i + round) % 64)];
      a.call.media.say(said);
      b.call.media.say(answered);
      let [heardByA, heardByB] = [0, 0];
      a.call.media.onPayload = (payload) => void (heardByA += Number(payload.every((x) => x === answered)));
      b.call.media.onPayload = (payload) => void (heardByB += Number(payload.every((x) => x === said)));
      await until('a bridged pair to hear each other', () => heardByA > 10 && heardByB > 10, {
        detail: () => `pair ${i}: ${heardByA} ${heardByB}`,
      });
    }
  }

  /** Takes signalling away `how`, and proves that all that was commanded goes on. */
  async function goesOn(name: string, how: () => Promise<void>): Promise<void> {
    const { backEnd } = crowd;
    round += 1;
    for (const { control } of gathering)
      await backEnd.commands(control, 'gather', { maximum_digits: 4, gather_id: `g${round}`, ...PATIENT });
    await press(gathering, '1');
    await press(gathering, '2');
    await told(gathering);
    for (const leg of playing) {
      listeners.get(leg)!.forget();
      await backEnd.commands(leg.control, 'playback_start', { audio_url: sound });
    }
    await until('the sounds to be heard', () => playing.every((leg) => listeners.get(leg)!.heard.length > 0));
    await hearEachOther();

    const before = processOf(server, 'signalling');
    const media = processOf(server, 'media');
    const since = performance.now();
    const count = backEnd.events.length;
    const again = backEnd.twice;
    // Whoever dies has no time to hear of it: these come while nobody listens.
    await Promise.all([how(), press(gathering, '3')]);
    await until('another signalling process', () => {
      const pid = processOf(server, 'signalling');
      return pid !== undefined && pid !== before;
    });
    await crowd.back(since);
    const away = Math.max(...crowd.clients.map((client) => client.readyAt - client.lostAt));
    assert.equal(processOf(server, 'media'), media, 'media is the same process');
    assert.ok(
      crowd.legs.every((leg) => over.includes(leg) || leg.call.state === 'active'),
      'no call is lost',
    );

    await press(gathering, '4');
    for (const { control } of gathering) {
      const ended = await backEnd.hears(
        control,
        'call.gather.ended',
        ({ payload }) => payload.gather_id === `g${round}`,
      );
      assert.deepEqual([ended.payload.digits, ended.payload.status], ['1234', 'valid']);
    }
    await told(gathering);
    for (const leg of playing)
      await until(
        'the end of a sound',
        () => backEnd.of(leg.control, 'call.playback.ended').length === round,
        { limitMs: 60_000, detail: () => listeners.get(leg)!.heard.join(' ') },
      );
    for (const leg of playing) {
      const ended = backEnd.of(leg.control, 'call.playback.ended');
      assert.deepEqual(new Set(ended.map(({ payload }) => payload.status)), new Set(['completed']));
      assert.equal(backEnd.of(leg.control, 'call.playback.started').length, round);
      const { heard } = listeners.get(leg)!;
      const whole = Array.from({ length: STEPS }, (_, i) => i);
      // Nothing is heard twice and nothing is left out: it was not begun anew.
      if (leg.call.attaches === 0) assert.deepEqual(heard, whole);
      // This process was too late for its media to be heard; between two paths something is left out.
      else
        assert.deepEqual(
          heard,
          whole.filter((step) => heard.includes(step)),
        );
    }
    for (const leg of endless) listeners.get(leg)!.forget();
    await until('the sounds without end', () => endless.every((leg) => listeners.get(leg)!.frames > 20));
    await hearEachOther();

    // The same names take commands, and the next event of each leg says so.
    for (const { control } of [...parked, ...bridges.map(({ a }) => a)])
      await backEnd.commands(control, 'client_state_update', { client_state: btoa(`round ${round}`) });
    await press(parked, '7');
    await told(parked);
    for (const { control } of parked)
      assert.equal(
        backEnd.lane(control, 'call.dtmf.received').at(-1)!.payload.client_state,
        btoa(`round ${round}`),
      );
    for (const { control } of over) {
      const { status, body } = await backEnd.command(control, 'hangup');
      assert.deepEqual([status, body.errors?.[0]?.code], [422, '90018']);
    }
    say(
      `${name}: ${crowd.legs.length - over.length} commanded legs go on, ${crowd.legs.filter(({ call }) => call.attaches > 0).length} with media that was offered anew; clients without signalling for ${Math.round(away)} ms; ` +
        `${backEnd.events.length - count} events meanwhile, ${backEnd.twice - again} of them twice`,
    );
  }

  it('killed: parked, bridged, gathering and playing calls go on, and take commands', async () => {
    await explained(async () => {
      crowd = await CommandedCrowd.start(server);
      const { backEnd } = crowd;
      sound = backEnd.serve('scale.wav', scale(STEPS));
      for (let i = 0; i < EACH; i++) {
        parked.push(await crowd.add());
        gathering.push(await crowd.add());
        playing.push(await crowd.add());
        endless.push(await crowd.add());
        bridges.push({ a: await crowd.add(), b: await crowd.add() });
        over.push(await crowd.add());
      }
      for (const leg of [...playing, ...endless]) {
        const listener = new ScaleListener(STEPS);
        listeners.set(leg, listener);
        leg.call.media.onPayload = (payload) => listener.frame(payload);
      }
      for (const { a, b } of bridges)
        await backEnd.commands(a.control, 'bridge', {
          call_control_id: b.control,
          park_after_unbridge: 'self',
        });
      for (const { control } of endless)
        await backEnd.commands(control, 'playback_start', { audio_url: sound, loop: 'infinity' });
      for (const { control } of over) await backEnd.commands(control, 'hangup');
      for (const { control } of over) await backEnd.hears(control, 'call.hangup');
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
        say(result.stdout.trim());
        assert.equal(result.code, 0, result.stderr);
      });
    });
  });

  it('ended: every lane is told from its beginning to its end, and the receiver has all that happened', async () => {
    await explained(async () => {
      const { backEnd } = crowd;
      for (const { control } of endless) await backEnd.commands(control, 'playback_stop');
      for (const { control } of endless) await backEnd.hears(control, 'call.playback.ended');
      for (const { a, b } of bridges) {
        await backEnd.commands(b.control, 'hangup');
        await backEnd.hears(b.control, 'call.hangup');
        // It was to be parked then, as it was told before all the deaths.
        await backEnd.commands(a.control, 'hangup');
      }
      for (const { control } of [...parked, ...gathering, ...playing, ...endless])
        await backEnd.commands(control, 'hangup');
      for (const { control } of crowd.legs) await backEnd.hears(control, 'call.hangup');

      const ids = new Set(backEnd.events.map(({ id }) => id));
      // What was just written may be missing for a moment.
      await until('the store', async () => (await backEnd.stored()).size >= ids.size, { everyMs: 200 });
      assert.deepEqual(await backEnd.stored(), ids);

      const lane = ({ control }: CommandedLeg): string[] =>
        backEnd.lane(control).map(({ name, payload }) => `${name.slice(5)}${payload.digit ?? ''}`);
      const whole = (...middle: readonly string[]): string[] => [
        'initiated',
        'answered',
        ...middle,
        'hangup',
      ];
      const rounds = (...each: readonly string[]): string[] =>
        Array.from({ length: round }, () => each).flat();
      for (const leg of over) assert.deepEqual(lane(leg), whole());
      for (const leg of parked) assert.deepEqual(lane(leg), whole(...rounds('dtmf.received7')));
      for (const { a, b } of bridges) for (const leg of [a, b]) assert.deepEqual(lane(leg), whole('bridged'));
      for (const leg of playing)
        assert.deepEqual(lane(leg), whole(...rounds('playback.started', 'playback.ended')));
      for (const leg of endless) assert.deepEqual(lane(leg), whole('playback.started', 'playback.ended'));
      for (const leg of gathering) {
        const digits = ['1', '2', '3', '4'].map((digit) => `dtmf.received${digit}`);
        assert.deepEqual(lane(leg), whole(...rounds(...digits, 'gather.ended')));
      }
      say(
        `${backEnd.events.length} events in ${crowd.legs.length} lanes, none missing; ${backEnd.twice} came twice`,
      );
    });
  });
});
