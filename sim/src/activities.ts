import type { Random } from '@sidetone/core';
import type { CallCommand, SoundAsk } from '@sidetone/wire';
import type { Commander } from './commander.ts';
import type { House } from './house.ts';
import { legsOf, PRESSED } from './programmed.ts';
import type { World } from './world.ts';

/** What a back end has a leg do beside talking: sounds, digits that somebody presses, referrals. */
export class LegActivities {
  /** Ids of the gathers that were said, and whether one was taken. */
  readonly gathers = new Map<string, boolean>();
  /** By leg, when its peer pressed which digit. */
  readonly pressed = new Map<string, { readonly at: number; readonly digit: string }[]>();
  presses = 0;
  readonly #world: World;
  readonly #random: Random;
  readonly #house: House;
  readonly #commands: Commander;

  constructor(world: World, random: Random, house: House, commands: Commander) {
    this.#world = world;
    this.#random = random;
    this.#house = house;
    this.#commands = commands;
  }

  asks(control: string, what: 'play' | 'stop play' | 'gather' | 'stop gather' | 'refer'): void {
    const random = this.#random;
    switch (what) {
      case 'play':
        return this.play(control);
      case 'gather':
        return this.gather(control);
      case 'stop play': {
        const stop = random.int(2) === 0 ? 'all' : 'current';
        return this.#commands.say({
          type: 'stopPlay',
          ...this.#commands.to(control),
          stop,
          overlay: random.int(2) === 0,
        });
      }
      case 'stop gather':
        return this.#commands.say({ type: 'stopGather', ...this.#commands.to(control) });
      case 'refer': {
        const address = random.int(4) === 0 ? 'tel:+18005550177' : 'sip:somebody@elsewhere.test';
        return this.#commands.say({ type: 'refer', ...this.#commands.to(control), address });
      }
    }
  }

  /** A sound of its own, so that what is told of it can be told apart. */
  #sound(id: string): SoundAsk {
    const url: SoundAsk = { kind: 'url', url: `https://sounds.test/${id}` };
    return this.#random.int(4) === 0 ? { kind: 'speech', text: id, voice: 'female' } : url;
  }

  play(control: string): void {
    const random = this.#random;
    const about = this.#commands.to(control);
    const sound = this.#sound(about.commandId);
    const stop = (['current', 'all', undefined, undefined] as const)[random.int(4)];
    this.#commands.say({
      type: 'play',
      ...about,
      sound,
      loop: ([1, 1, 2, null] as const)[random.int(4)]!,
      overlay: sound.kind !== 'speech' && random.int(4) === 0,
      target: (['self', 'self', 'opposite', 'both'] as const)[random.int(4)]!,
      ...(stop === undefined ? {} : { stop }),
    });
  }

  /** Asks for digits, and somebody presses some. */
  gather(control: string): void {
    const random = this.#random;
    const about = this.#commands.to(control);
    const gatherId = about.commandId;
    this.gathers.set(gatherId, false);
    const command: CallCommand = {
      type: 'gather',
      ...about,
      gatherId,
      minDigits: 1,
      maxDigits: 1 + random.int(4),
      timeoutMs: 20_000 + random.int(40_000),
      initialMs: 2_000 + random.int(10_000),
      interDigitMs: 1_000 + random.int(5_000),
      terminating: random.int(2) === 0 ? 'D' : null,
      valid: random.int(3) === 0 ? 'AB' : 'ABCD12',
      tries: 1 + random.int(3),
      ...(random.int(3) > 0 ? { prompt: this.#sound(`${gatherId}-prompt`) } : {}),
      ...(random.int(3) === 0 ? { invalidPrompt: this.#sound(`${gatherId}-invalid`) } : {}),
    };
    this.#commands.say(command, () => {
      this.gathers.set(gatherId, true);
      for (let left = random.int(6); left > 0; left--)
        this.#world.after(random.int(9_000), () => this.#press(control));
    });
  }

  /** In media, where nobody needs to listen just then. */
  #press(control: string): void {
    const leg = legsOf(this.#house).find((one) => one.control === control);
    const main = leg?.branches.find(({ id }) => id === leg.main);
    if (leg?.state.name !== 'up' || main?.media.phase !== 'open') return;
    const digit = PRESSED[this.#random.int(PRESSED.length)]!;
    this.pressed.set(leg.id, [...(this.pressed.get(leg.id) ?? []), { at: this.#world.now, digit }]);
    this.presses += 1;
    this.#house.engine.press(main.id, digit);
  }
}
