import type { SdkName } from '../src/page-host.ts';
import { Rig } from '../src/rig.ts';
import { PASSWORD } from '../src/server.ts';
import { pause } from '../src/wait.ts';
import { type Drop, Lane, type Measured, watchOurselves } from './lane.ts';

/** A call lives through this many drops, then another takes its place: a carrier's scenario ends after 180 s. */
const PER_CALL = 3;
const CONTROL_MS = 120_000;

/** A rig whose carrier has a port for each lane. */
export async function rigWithLanes(lanes: number): Promise<Rig> {
  return await Rig.start({
    lanes,
  });
}

/**
 * Carries out drops, some calls at a time; the results come in any order. With `control` one more call stands beside them, whose line
 * never fails; its pauses are the machine's.
 */
export async function runDrops(
  rig: Rig,
  sdk: SdkName,
  drops: readonly Drop[],
  lanes: number,
  done: (drop: Measured, report: string | undefined) => void = () => undefined,
  control = false,
): Promise<{ readonly drops: Measured[]; readonly undisturbed: readonly number[] }> {
  const waiting: Drop[][] = [];
  for (let at = 0; at < drops.length; at += PER_CALL) waiting.push(drops.slice(at, at + PER_CALL));
  const results: Measured[] = [];
  const undisturbed: number[] = [];
  const unwatch = watchOurselves();
  const open = (n: number): Promise<Lane> =>
    Lane.open(rig, sdk, n, { login: 'line1', password: PASSWORD.line1, iceServers: [] });
  const work = async (n: number): Promise<void> => {
    for (let batch = waiting.shift(); batch !== undefined; batch = waiting.shift()) {
      let lane: Lane | undefined;
      for (const drop of batch) {
        lane ??= await open(n);
        const measured = await lane.drop(drop);
        results.push(measured);
        const lost = measured.audioMs === null;
        done(measured, lost || measured.audioMs > 4_000 ? await lane.report() : undefined);
        if (!lost) continue;
        await lane.close().catch(() => undefined);
        lane = undefined;
      }
      await lane?.close();
    }
  };
  // The carrier's scenario ends after 180 s, so the undisturbed call is made anew in between.
  let over = false;
  const watch = async (): Promise<void> => {
    while (!over) {
      const lane = await open(lanes);
      const since = Date.now();
      while (!over && Date.now() - since < CONTROL_MS) await pause(500);
      undisturbed.push(...(await lane.undisturbed(since)));
      await lane.close();
    }
  };
  try {
    const watching = control ? watch() : Promise.resolve();
    await Promise.all(Array.from({ length: lanes }, (_, n) => work(n))).finally(() => {
      over = true;
    });
    await watching;
  } finally {
    unwatch();
  }
  return { drops: results, undisturbed };
}
