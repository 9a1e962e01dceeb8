const FRAME_MS = 20;

/** Sends for all calls of a test at one pace: a frame each 20 ms. */
export class Pace {
  /** How late this process itself was at most: no gap can be measured finer. */
  lateMs = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(frame: () => void) {
    const started = performance.now();
    let frames = 0;
    let last = started;
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.lateMs = Math.max(this.lateMs, now - last - FRAME_MS / 2);
      last = now;
      const due = Math.floor((now - started) / FRAME_MS);
      // After a stall of ours the lost time is not made up for by a burst.
      if (due - frames > 5) frames = due - 1;
      for (; frames < due; frames++) frame();
    }, FRAME_MS / 2);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
