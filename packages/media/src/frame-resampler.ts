import { Resampler } from './resampler.ts';

/** Frames of 20 ms of one rate in, of another out. A frame that goes out is the receiver's. */
export function frameResampler(
  from: number,
  to: number,
  out: (frame: Int16Array) => void,
): (frame: Int16Array) => void {
  if (from === to) return (frame) => out(frame.slice());
  const resampler = new Resampler(from, to);
  const waiting: Int16Array[] = [];
  let made = new Int16Array(to / 50);
  const input = (into: Int16Array): number => {
    const frame = waiting.shift();
    if (frame === undefined) return -1;
    into.set(frame);
    return frame.length;
  };
  return (frame) => {
    waiting.push(frame.slice());
    while (resampler.pull(made, input) === 1) {
      out(made);
      made = new Int16Array(to / 50);
    }
  };
}
