import { Intake, type Ms } from '@sidetone/core';
import { type Flow, hostOf, type SipMessage } from '@sidetone/sip';

/** What comes in by a socket. */
export type Incoming =
  | { readonly kind: 'sip'; readonly message: SipMessage; readonly flow: Flow }
  | { readonly kind: 'frame'; readonly socket: string; readonly text: string };

export interface DoorOptions {
  /** On whose turn this waits; `null`: it belongs to work that has begun. */
  readonly source: (incoming: Incoming) => string | null;
  /** `late`: refuse what it asks for, before it costs anything. */
  readonly handle: (incoming: Incoming, late: boolean) => void;
  /** How long what a new call needs takes elsewhere now. */
  readonly lag: () => Ms;
  readonly now: () => Ms;
}

/** So long may a new request wait while others do; with what its refusal takes that is well below 50 ms. */
const PATIENCE_MS = 20;
/** A short stall, of ours or of the machine, is made good by itself. */
const FORGIVEN_MS = 250;
const WORST_MS = 400;
const MOST_WAITING = 20_000;
/** Of one call or socket; what is more than any live call needs takes turns like what is new. */
const MOST_FIRST = 32;
/** Work for so long, then see what has come in meanwhile. */
const SLICE_MS = 4;
/** libuv takes so many datagrams from a socket before it lets others speak: where all came, more may lie in the kernel. */
const BATCH = 32;
/** So often in a row all of them are read first. */
const MOST_READS = 8;

/**
 * Between the sockets and the services: everything that has come in is read before the next piece of work, so that it is known how
 * long it waits, and what belongs to live calls goes first. The rest, and who is refused, is the `Intake`'s to decide.
 */
export class Door {
  readonly #options: DoorOptions;
  readonly #intake = new Intake<Incoming>({
    patienceMs: PATIENCE_MS,
    forgivenMs: FORGIVEN_MS,
    worstMs: WORST_MS,
    most: MOST_WAITING,
  });
  /** What waits of each socket or call. */
  readonly #waiting = new Map<string, Waiting>();
  #scheduled = false;
  #read = 0;
  #reads = 0;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  arrived(incoming: Incoming): void {
    const { source, handle, now } = this.#options;
    this.#read += 1;
    const name = nameOf(incoming);
    const waiting = this.#waiting.get(name) ?? { first: 0, line: '', inLine: 0 };
    let line = waiting.inLine > 0 ? waiting.line : source(incoming);
    if (line === null && waiting.first >= MOST_FIRST) line = `too much of ${name}`;
    if (line === null) {
      this.#intake.putFirst(incoming);
      waiting.first += 1;
    } else if (this.#intake.put(incoming, line, now())) {
      waiting.line = line;
      waiting.inLine += 1;
    } else {
      // A flood in a dialog or by a socket of its own is lost, as by a network that cannot carry it.
      if (waiting.inLine === 0) handle(incoming, true);
      return;
    }
    this.#waiting.set(name, waiting);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    const more = this.#read >= BATCH && this.#reads < MOST_READS;
    this.#read = 0;
    this.#reads = more ? this.#reads + 1 : 0;
    if (more) return this.#schedule();
    const { now, lag, handle } = this.#options;
    for (const until = now() + SLICE_MS; ; ) {
      const at = now();
      if (at >= until) return this.#schedule();
      const next = this.#intake.take(at, lag());
      if (next === undefined) return;
      this.#left(nameOf(next.item));
      handle(next.item, next.late);
    }
  }

  #left(name: string): void {
    const waiting = this.#waiting.get(name);
    if (waiting === undefined) return;
    // What went first came before what waits in a line.
    if (waiting.first > 0) waiting.first -= 1;
    else waiting.inLine -= 1;
    if (waiting.first + waiting.inLine === 0) this.#waiting.delete(name);
  }
}

/**
 * What of one socket or one call is waiting: so much may go first, and what comes behind something that waits in a line waits in the same
 * one. So a call or a client keeps its order, and one that floods its own dialog or socket goes before nobody.
 */
interface Waiting {
  first: number;
  line: string;
  inLine: number;
}

/** A call is one from the host it comes from: who only knows its Call-ID does not hold it up. */
const nameOf = (incoming: Incoming): string =>
  incoming.kind === 'frame' ? incoming.socket : `${hostOf(incoming.flow)} ${incoming.message.headers.callId}`;
