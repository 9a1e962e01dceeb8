import type { Random } from '@sidetone/core';
import type { CallCommand, CommandResult, ConferenceCommand } from '@sidetone/wire';
import type { House } from './house.ts';
import type { World } from './world.ts';

export const ACCOUNT = 'default';

/** A command without an answer is said again: its process died, or none is there. */
const AGAIN_MS = 1500;
const MOST_TRIES = 6;
/** For how long a command id and a leg that is over are known. */
const KNOWN_MS = 60_000;
const OVER_MS = 600_000;

export type Said = CallCommand | ConferenceCommand;

/** Says every command of a back end under an id, and again when nobody answers; and looks at the answers. */
export class Commander {
  readonly problems: string[] = [];
  taken = 0;
  refused = 0;
  readonly #world: World;
  readonly #random: Random;
  readonly #twice: number;
  readonly #house: House;
  readonly #overAt: (control: string) => number | null | undefined;
  /** The answer that each id had first, and when. */
  readonly #answers = new Map<string, { readonly at: number; readonly text: string }>();
  #said = 0;

  /**
   * @param twice of eight commands, so many are said twice at once
   * @param overAt when a leg ended; null: it lives; undefined: it is not known
   */
  constructor(
    world: World,
    random: Random,
    twice: number,
    house: House,
    overAt: (control: string) => number | null | undefined,
  ) {
    this.#world = world;
    this.#random = random;
    this.#twice = twice;
    this.#house = house;
    this.#overAt = overAt;
  }

  to(control: string): { readonly account: string; readonly control: string; readonly commandId: string } {
    return { account: ACCOUNT, control, commandId: this.id() };
  }

  /** A fresh one. */
  id(): string {
    return `command-${++this.#said}`;
  }

  /** Says a command until it is answered; some say it twice at once. */
  say(command: Said, taken: (result: CommandResult) => void = () => {}): void {
    let isTaken = false;
    const say = (tries: number): void => {
      let answers = 0;
      this.#world.note(`back end → ${command.type}`);
      this.#house.command(command, (result) => {
        answers += 1;
        if (answers > 1) this.problems.push(`${command.type} was answered ${answers} times`);
        this.#check(command, result);
        if (result.ok && !isTaken) taken(result);
        isTaken ||= result.ok;
      });
      this.#world.after(AGAIN_MS, () => {
        if (answers === 0 && tries < MOST_TRIES) say(tries + 1);
      });
    };
    say(1);
    if (this.#random.int(8) < this.#twice) say(MOST_TRIES);
  }

  /** One id, one answer; and a leg of ours is never unknown. */
  #check(command: Said, result: CommandResult): void {
    const { now } = this.#world;
    if (result.ok) this.taken += 1;
    else this.refused += 1;
    const key = command.commandId ?? '';
    const first = this.#answers.get(key);
    const text = JSON.stringify(result);
    if (result.ok && first === undefined) this.#answers.set(key, { at: now, text });
    if (first !== undefined && now - first.at < KNOWN_MS && first.text !== text)
      this.problems.push(`${command.type} was answered ${first.text}, then ${text}`);
    // A leg that is not in the conference is unknown there.
    if (result.ok || result.refusal.why !== 'unknownLeg' || 'conference' in command) return;
    const named = 'control' in command ? command.control : 'link' in command ? command.link : undefined;
    const overAt = this.#overAt(named ?? '');
    if (overAt !== undefined && (overAt === null || now - overAt < OVER_MS - 10_000))
      this.problems.push(`${command.type}: a leg that there was is unknown`);
  }
}
