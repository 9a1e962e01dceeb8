import { within } from '../src/wait.ts';
import { NotOffered, type PackageVersion } from './back-end.ts';
import { Scene, type VoiceRow } from './scene.ts';
import { type House, Stage } from './stage.ts';

export interface Outcome {
  readonly cell: 'pass' | 'fail' | '-';
  /** Why it failed, or what the package does not have. */
  readonly why?: string;
  readonly ms: number;
}

/** How long one cell may take. */
const CELL_MS = 90_000;

/** Every row with one version of the package, one after the other, on a server of their own. */
export async function runColumn(
  house: House,
  version: PackageVersion,
  rows: readonly VoiceRow[],
  done: (row: VoiceRow, outcome: Outcome) => void = () => undefined,
): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const stage = await Stage.open(house, version);
  try {
    for (const row of rows) {
      const since = performance.now();
      const outcome = { ...(await runRow(stage, row)), ms: Math.round(performance.now() - since) };
      outcomes.set(row.name, outcome);
      done(row, outcome);
    }
  } finally {
    await stage.close();
  }
  return outcomes;
}

/** One row on its stage. */
export async function runRow(stage: Stage, row: VoiceRow): Promise<Omit<Outcome, 'ms'>> {
  stage.house.hook.forget();
  const scene = new Scene(stage);
  try {
    await within(`the row "${row.name}"`, row.run(scene), CELL_MS);
    await scene.isOver();
    return { cell: 'pass' };
  } catch (error) {
    if (error instanceof NotOffered) return { cell: '-', why: error.message };
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { cell: 'fail', why: `${why}\n${await scene.report().catch(String)}` };
  } finally {
    await scene.close();
  }
}
