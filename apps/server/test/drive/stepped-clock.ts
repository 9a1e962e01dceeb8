import { readFileSync } from 'node:fs';

/**
 * Preloaded into every process of the product (`--import`): its clocks are those of the machine and what the file named by `STEPPED_CLOCK`
 * adds to them, `{"day": ms, "passed": ms}`: a step of the time of day alone, and time that has passed on both.
 */
const file = process.env['STEPPED_CLOCK'];

interface Step {
  readonly day: number;
  readonly passed: number;
}

const step = (): Step =>
  file === undefined ? { day: 0, passed: 0 } : JSON.parse(readFileSync(file, 'utf8'));

const now = Date.now;
Date.now = () => {
  const { day, passed } = step();
  return now() + day + passed;
};

const hrtime = process.hrtime;
process.hrtime = Object.assign(
  (since?: [number, number]): [number, number] => {
    const [seconds, nanoseconds] = since === undefined ? hrtime() : hrtime(since);
    return [seconds + (since === undefined ? step().passed / 1000 : 0), nanoseconds];
  },
  { bigint: hrtime.bigint },
);
