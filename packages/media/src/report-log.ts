import type { MediaEvent } from '@sidetone/wire';

/** An event that counts: it is numbered by leg or room, kept, and told again to an owner that has not read it. */
export type Report = Extract<
  MediaEvent,
  {
    event:
      | 'dtmf'
      | 'played'
      | 'heard'
      | 'failed'
      | 'streamed'
      | 'transcript'
      | 'transcribed'
      | 'recorded'
      | 'roomPlayed'
      | 'floor';
  }
>;
type ReportNumber = NonNullable<Report['n']>;

/** Reports kept of each leg and room. */
const MOST_REPORTS = 64;
/** Legs and rooms that are no more, whose reports wait for an owner. */
const MOST_CLOSED = 1024;

interface Log {
  readonly isOfRoom: boolean;
  last: ReportNumber;
  /** The oldest first. */
  kept: Report[];
}

/**
 * What happened to legs and rooms and must not be lost with an owner. Numbers go on when a name comes again while its reports are kept.
 *
 *   no reports ──tell──▶ open ──closed──▶ closed ──a claim without it, or 1024 others──▶ forgotten
 */
export class ReportLog {
  readonly #emit: (event: MediaEvent) => void;
  readonly #logs = new Map<string, Log>();
  readonly #open = new Set<string>();
  /** Those of names that are no more, the oldest first. */
  readonly #closed = new Set<string>();

  constructor(emit: (event: MediaEvent) => void) {
    this.#emit = emit;
  }

  /** Numbers a report, keeps and tells it. Returns it as told. */
  tell(report: Report): Report {
    const isOfRoom = 'room' in report;
    const name = isOfRoom ? report.room : report.leg;
    let log = this.#logs.get(name);
    if (log === undefined) {
      log = { isOfRoom, last: 0, kept: [] };
      this.#logs.set(name, log);
    }
    const told = { ...report, n: ++log.last };
    // Who had the floor before is of no use to anybody.
    if (told.event === 'floor') log.kept = log.kept.filter(({ event }) => event !== 'floor');
    log.kept.push(told);
    if (log.kept.length > MOST_REPORTS) log.kept.shift();
    // The end of a recording is told when its file is closed; its leg may be no more by then.
    if (!this.#open.has(name)) this.#keepClosed(name);
    this.#emit(told);
    return told;
  }

  /** Are the reports of that name those of a room? */
  isOfRoom(name: string): boolean {
    return this.#logs.get(name)?.isOfRoom === true;
  }

  /** Tells again what is behind `seen`. */
  tellAgain(name: string, seen: ReportNumber): void {
    for (const report of this.#logs.get(name)?.kept ?? []) if (report.n! > seen) this.#emit(report);
  }

  /** A leg or room of that name is there (again). */
  opened(name: string): void {
    this.#open.add(name);
    this.#closed.delete(name);
  }

  closed(name: string): void {
    this.#open.delete(name);
    if (this.#logs.has(name)) this.#keepClosed(name);
  }

  #keepClosed(name: string): void {
    this.#closed.delete(name);
    this.#closed.add(name);
    if (this.#closed.size > MOST_CLOSED) this.#forget(this.#closed.values().next().value!);
  }

  /** Nobody will ask for those that are no more, but for those that were `claimed`: who claimed them may die before it has read. */
  forgetClosed(claimed: ReadonlySet<string>): void {
    for (const name of this.#closed) if (!claimed.has(name)) this.#forget(name);
  }

  #forget(name: string): void {
    this.#closed.delete(name);
    this.#logs.delete(name);
  }
}
