import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodePcmu, newRtpHeader } from '@sidetone/rtc';
import type { LegWorld } from '../src/leg-world.ts';
import { Slot } from '../src/room/slot.ts';

const HZ = 190;
const AMPLITUDE = 8000;

/** A tone by packets that come when they come, and a tick every 20 ms. */
class Bench {
  now = 0;
  readonly slot = new Slot({ now: () => this.now } as LegWorld, 8000);
  readonly heard: number[] = [];
  #sequence = 0;
  readonly #header = newRtpHeader();
  readonly #from = { feeder: 1 };

  lose(): void {
    this.#sequence++;
  }

  /** `count` packets of 20 ms at once. */
  come(count = 1): void {
    for (; count > 0; count--) {
      const n = this.#sequence++;
      const pcm = Int16Array.from({ length: 160 }, (_, i) =>
        Math.round(AMPLITUDE * Math.sin((2 * Math.PI * HZ * (n * 160 + i)) / 8000)),
      );
      const payload = new Uint8Array(160);
      encodePcmu(pcm, payload);
      Object.assign(this.#header, {
        sequence: n,
        timestamp: n * 160,
        payloadOffset: 0,
        payloadLength: 160,
      });
      this.slot.packet(this.#from, 'PCMU', this.#header, payload);
    }
  }

  /** One tick; was there a frame? */
  tick(): boolean {
    const frame = this.slot.pull(this.now);
    this.heard.push(...(frame ?? new Int16Array(160)));
    return frame !== undefined;
  }

  /** Packets come as `jitter` says, in ms behind their time, for so many frames. Returns ticks without a frame. */
  run(frames: number, jitter: (frame: number) => number): number {
    const arrivals = Array.from({ length: frames }, (_, i) => this.now + 20 * i + 5 + jitter(i));
    for (let i = 1; i < frames; i++) arrivals[i] = Math.max(arrivals[i]!, arrivals[i - 1]!);
    let missing = 0;
    const begin = this.now;
    for (let i = 1; i <= frames; i++) {
      const due = begin + 20 * i;
      while (arrivals[0] !== undefined && arrivals[0] <= due) {
        this.now = arrivals.shift()!;
        this.come();
      }
      this.now = due;
      if (!this.tick()) missing++;
    }
    if (arrivals.length > 0) this.come(arrivals.length);
    return missing;
  }

  /** The steepest bend of what was heard since `from` samples. */
  bend(from = 0): number {
    let worst = 0;
    for (let i = from + 1; i + 1 < this.heard.length; i++)
      worst = Math.max(worst, Math.abs(this.heard[i + 1]! - 2 * this.heard[i]! + this.heard[i - 1]!));
    return worst;
  }
}

/** The tone itself bends by 197, coded as µ-law by up to twice the step of 512. */
const SMOOTH = 1100;

describe('a slot of a room', () => {
  it('gives a frame a tick, as it came, a tick behind', () => {
    const bench = new Bench();
    assert.ok(bench.run(100, () => 0) <= 1);
    assert.ok(bench.bend() < SMOOTH, `${bench.bend()}`);
  });

  it('waits 8 ms at least for its first tick, so that what comes a little late is not missed', () => {
    const bench = new Bench();
    bench.now = 15;
    bench.come();
    bench.now = 20;
    assert.equal(bench.tick(), false);
    bench.now = 40;
    assert.equal(bench.tick(), true);
  });

  it('learns from jitter: the first late frames leave holes without a click, later ones none', () => {
    const bench = new Bench();
    bench.run(100, (i) => (i % 10 === 0 ? 45 : 0));
    const holes = bench.run(90, (i) => (i % 10 === 5 ? 45 : 0));
    assert.equal(holes, 0);
    assert.ok(bench.bend() < SMOOTH, `${bench.bend()}`);
  });

  it('waits for no packet that is lost: it is concealed in its tick', () => {
    const bench = new Bench();
    bench.run(20, () => 0);
    for (let i = 0; i < 100; i++) {
      if (i % 5 === 2) bench.lose();
      else bench.come();
      bench.now += 20;
      const frame = bench.tick();
      // The next packet tells that it is lost; a frame waited until then, or dies away.
      assert.equal(frame, true, `${i}`);
      assert.ok(
        bench.heard.slice(-160).some((sample) => Math.abs(sample) > 1000),
        `${i}`,
      );
    }
  });

  it('forgets a stall: what waits longer than it must is passed over without a click', () => {
    const bench = new Bench();
    bench.run(50, () => 0);
    // Nothing for 120 ms, then all at once.
    for (let i = 0; i < 6; i++) {
      bench.now += 20;
      bench.tick();
    }
    bench.come(6);
    const from = bench.heard.length;
    bench.run(250, () => 0);
    assert.ok(bench.bend(from) < SMOOTH, `${bench.bend(from)}`);
    // How many frames still wait.
    let waiting = 0;
    while (waiting < 20 && bench.tick() && bench.heard.at(-1) !== 0) waiting++;
    assert.ok(waiting <= 1, `${waiting}`);
  });

  it('keeps no more than 200 ms', () => {
    const bench = new Bench();
    bench.come(50);
    bench.now = 20;
    let frames = 0;
    for (let i = 0; i < 60; i++) {
      bench.now += 20;
      bench.tick();
      if (bench.heard.slice(-160).some((sample) => Math.abs(sample) > 1000)) frames++;
    }
    assert.ok(frames >= 10 && frames <= 11, `${frames}`);
  });

  it('dies away at the end and begins again softly', () => {
    const bench = new Bench();
    for (let i = 0; i < 5; i++) {
      bench.run(20 + i, () => 0);
      for (let k = 0; k < 30; k++) {
        bench.now += 20;
        bench.tick();
      }
    }
    assert.ok(bench.bend() < SMOOTH, `${bench.bend()}`);
  });
});
