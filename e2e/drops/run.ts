import type { SdkName } from '../src/page-host.ts';
import { Rig } from '../src/rig.ts';
import { PASSWORD } from '../src/server.ts';
import { type Drop, Lane, type Measured, watchOurselves } from './lane.ts';

/** A call lives through this many drops, then another takes its place: a carrier's scenario ends after 180 s. */
const PER_CALL = 3;

/** A rig whose carrier has a port for each lane. */
export async function rigWithLanes(lanes: number): Promise<Rig> {
  return await Rig.start({
    lanes,
  });
}

/** Carries out drops, some calls at a time; the results come in any order. */
export async function runDrops(
  rig: Rig,
  sdk: SdkName,
  drops: readonly Drop[],
  lanes: number,
  done: (drop: Measured, report: string | undefined) => void = () => undefined,
): Promise<Measured[]> {
  const waiting: Drop[][] = [];
  for (let at = 0; at < drops.length; at += PER_CALL) waiting.push(drops.slice(at, at + PER_CALL));
  const results: Measured[] = [];
  const unwatch = watchOurselves();
  const work = async (n: number): Promise<void> => {
    for (let batch = waiting.shift(); batch !== undefined; batch = waiting.shift()) {
      let lane: Lane | undefined;
      for (const drop of batch) {
        lane ??= await Lane.open(rig, sdk, n, { login: 'line1', password: PASSWORD.line1, iceServers: [] });
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
  try {
    await Promise.all(Array.from({ length: lanes }, (_, n) => work(n)));
  } finally {
    unwatch();
  }
  return results;
}
