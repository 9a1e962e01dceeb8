import type { MediaEvent } from '@sidetone/wire';

/** An event that counts: it is numbered by leg, kept, and told again to an owner that has not read it. */
export type Report = Extract<MediaEvent, { event: 'dtmf' | 'played' | 'heard' | 'failed' | 'recorded' }> & {
  readonly leg: string;
};
type ReportNumber = NonNullable<Report['n']>;

/** Reports kept of each leg. */
const MOST_REPORTS = 64;
/** Legs that are no more, whose reports wait for an owner. */
const MOST_CLOSED = 1024;

interface Log {
  last: ReportNumber;
  /** The oldest first. */
  readonly kept: Report[];
}

/**
 * What happened to the legs and must not be lost with an owner. Numbers go on when a leg's name comes again while its reports are kept.
 *
 *   no reports ──tell──▶ open ──closed──▶ closed ──a claim without it, or 1024 others──▶ forgotten
 */
export class ReportLog {
  readonly #emit: (event: MediaEvent) => void;
  readonly #logs = new Map<string, Log>();
  readonly #open = new Set<string>();
  /** Those of legs that are no more, the oldest first. */
  readonly #closed = new Set<string>();

  constructor(emit: (event: MediaEvent) => void) {
    this.#emit = emit;
  }

  /** Numbers a report, keeps and tells it. Returns it as told. */
  tell(report: Report): Report {
    let log = this.#logs.get(report.leg);
    if (log === undefined) {
      log = { last: 0, kept: [] };
      this.#logs.set(report.leg, log);
    }
    const told = { ...report, n: ++log.last };
    log.kept.push(told);
    if (log.kept.length > MOST_REPORTS) log.kept.shift();
    // The end of a recording is told when its file is closed; its leg may be no more by then.
    if (!this.#open.has(report.leg)) this.#keepClosed(report.leg);
    this.#emit(told);
    return told;
  }

  /** Tells again what is behind `seen`. */
  tellAgain(leg: string, seen: ReportNumber): void {
    for (const report of this.#logs.get(leg)?.kept ?? []) if (report.n! > seen) this.#emit(report);
  }

  /** A leg of that name is there (again). */
  opened(leg: string): void {
    this.#open.add(leg);
    this.#closed.delete(leg);
  }

  closed(leg: string): void {
    this.#open.delete(leg);
    if (this.#logs.has(leg)) this.#keepClosed(leg);
  }

  #keepClosed(leg: string): void {
    this.#closed.delete(leg);
    this.#closed.add(leg);
    if (this.#closed.size > MOST_CLOSED) this.#forget(this.#closed.values().next().value!);
  }

  /** Nobody will ask for the legs that are no more, but for those that were `claimed`: who claimed them may die before it has read. */
  forgetClosed(claimed: ReadonlySet<string>): void {
    for (const leg of this.#closed) if (!claimed.has(leg)) this.#forget(leg);
  }

  #forget(leg: string): void {
    this.#closed.delete(leg);
    this.#logs.delete(leg);
  }
}
