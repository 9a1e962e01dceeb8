import type { Ms } from '@sidetone/core';
import { meanSquareOf } from '../loudness.ts';

/** So many are heard at a time. */
export const MOST_SPEAKERS = 4;
/** Who was among them stays for so long. */
const HOLD_MS = 400;
/** What is softer is the noise of a line. */
const THRESHOLD = meanSquareOf(-55);
/** Of the distance to the level of a frame, what a frame moves the level. */
const RISE = 0.5;
const FALL = 0.25;

/** How loud somebody is: a mean square, smoothed over frames. */
export class Level {
  value = 0;
  /** When it was last among the loudest. */
  loudAt: Ms = Number.NEGATIVE_INFINITY;

  frame(meanSquare: number): void {
    this.value += (meanSquare > this.value ? RISE : FALL) * (meanSquare - this.value);
  }
}

/** Is it more than the noise of a line? */
export const isSpeech = ({ value }: Level): boolean => value >= THRESHOLD;

export interface Speaker {
  readonly level: Level;
}

/**
 * Who is heard: the loudest four, and who was among them less than 400 ms ago, as long as they are no more than four. So who is heard
 * changes seldom, and a pause between two words is none.
 */
export function chooseSpeakers<S extends Speaker>(
  all: Iterable<S>,
  before: readonly S[],
  now: Ms,
): readonly S[] {
  const loudest: S[] = [];
  for (const speaker of all) {
    if (!isSpeech(speaker.level)) continue;
    const { value } = speaker.level;
    let at = loudest.length;
    while (at > 0 && loudest[at - 1]!.level.value < value) at--;
    if (at >= MOST_SPEAKERS) continue;
    loudest.splice(at, 0, speaker);
    if (loudest.length > MOST_SPEAKERS) loudest.pop();
  }
  for (const { level } of loudest) level.loudAt = now;
  const isOver = (speaker: S): boolean => now - speaker.level.loudAt >= HOLD_MS;
  const isNew = (speaker: S): boolean => !before.includes(speaker);
  if (!before.some(isOver) && (before.length === MOST_SPEAKERS || !loudest.some(isNew))) return before;
  const heard = before.filter((speaker) => !isOver(speaker));
  for (const speaker of loudest)
    if (heard.length < MOST_SPEAKERS && !heard.includes(speaker)) heard.push(speaker);
  return heard;
}

/** Who has the floor: who is loudest, after it has been so for 400 ms; nobody, when nobody is heard. */
export class Floor<S extends Speaker> {
  holder: S | undefined;
  #next: S | undefined;
  #since: Ms = 0;

  /** One tick. `true`: it has changed. */
  tick(speakers: readonly S[], now: Ms): boolean {
    let loudest: S | undefined;
    for (const speaker of speakers)
      if (loudest === undefined || speaker.level.value > loudest.level.value) loudest = speaker;
    if (loudest !== this.#next) {
      this.#next = loudest;
      this.#since = now;
    }
    if (loudest === this.holder || now - this.#since < HOLD_MS) return false;
    this.holder = loudest;
    return true;
  }
}
