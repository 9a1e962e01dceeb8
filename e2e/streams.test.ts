import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { processOf } from './src/crowd.ts';
import { needs } from './src/peer-availability.ts';
import { until } from './src/wait.ts';
import { Bot } from './voice/bot.ts';
import { Hook } from './voice/hook.ts';
import { Recogniser } from './voice/recogniser.ts';
import { Scene } from './voice/scene.ts';
import { type House, Stage } from './voice/stage.ts';

/** A media stream whose signalling process dies: carriers and a bot, no browser. */
describe('media streams over the death of signalling', { ...needs('sipp'), timeout: 120_000 }, () => {
  let house: House;
  let stage: Stage;
  before(async () => {
    const hook = await Hook.open({});
    house = {
      hook,
      bot: await Bot.open(),
      recogniser: await Recogniser.open(),
      pages: {},
    } as unknown as House;
    stage = await Stage.open(house, '7.24.0');
  });
  after(async () => {
    await stage?.server.kill();
    house.hook.close();
    house.bot.close();
    house.recogniser.close();
  });

  it('go on, both ways, and their end is told by the process that follows', async () => {
    const scene = new Scene(stage);
    const { hook, bot } = house;
    try {
      const carrier = await scene.carrier('uac');
      const { call_control_id: c } = await scene.begins('parked', 'incoming');
      await stage.api.act('answer', c, {
        stream_url: `${bot.url}/survives`,
        stream_bidirectional_mode: 'rtp',
      });
      await carrier.sipp.gets('200');
      await carrier.speaks();
      const stream = await bot.stream('/survives');
      await stream.gets('start');
      await hook.gets(c, 'streaming.started');
      const ear = stream.ear('inbound');
      stream.speaks(2_000, 20);
      stream.mark('said');
      await scene.hears([{ ear }, carrier.hz], [carrier, 2_000]);
      const before = processOf(stage.server, 'signalling')!;
      process.kill(before, 'SIGKILL');
      scene.step('while signalling is away');
      await scene.hears([{ ear }, carrier.hz], [carrier, 2_000]);
      await until('the next process', () => {
        const now = processOf(stage.server, 'signalling');
        return now !== undefined && now !== before;
      });
      scene.step('with the next process');
      await scene.hears([{ ear }, carrier.hz], [carrier, 2_000]);
      await stream.gets('mark');
      assert.equal(bot.streams.length, 1);
      assert.deepEqual(stream.events, ['connected', 'start', 'mark']);
      await carrier.sipp.steer('bye');
      await carrier.sipp.finishes();
      await stream.gets('stop');
      await stream.isClosed();
      await hook.gets(c, 'hangup');
      assert.deepEqual(
        hook.of(c).map(({ type }) => type),
        ['initiated', 'answered', 'streaming.started', 'streaming.stopped', 'hangup'],
      );
    } catch (error) {
      if (error instanceof Error) error.message += `\n${await scene.report().catch(String)}`;
      throw error;
    } finally {
      await scene.close();
    }
  });
});
