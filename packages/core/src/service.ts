import type { Ms } from './time.ts';

/**
 * A room of the house as its driver sees it (`vsp`, `voice`, `proxy`): inputs in, outputs out, and the next deadline.
 * A service keeps its machines in maps, but owns no socket, clock, timer or random source of the process. Outputs are
 * carried out by the driver in order; nothing a service emits calls back into it.
 */
export interface Service<I, O> {
  readonly name: string;
  handle(input: I, now: Ms): readonly O[];
  /** When the service wants a `{ type: 'tick' }` input, or `null`. */
  deadline(): Ms | null;
}

/** One log line that a service asks for; the edge writes it. `fields` never hold secrets, DTMF or SDP. */
export interface LogLine {
  readonly type: 'log';
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** A short constant, for example `call answered`. */
  readonly event: string;
  readonly fields: Readonly<Record<string, string | number | boolean | undefined>>;
}
