import { type BackEnd, type Fate, isTaken, type Told } from './back-end.ts';
import type { CommandedLeg } from './commanded-crowd.ts';

/** One leg: what was done to it, in order. */
export interface Life {
  readonly leg: CommandedLeg;
  /** Digits, and how often each may have been told: one whose reply a death swallowed was sent again. */
  readonly digits: { readonly digit: string; readonly least: number; readonly most: number }[];
}

/** Times are of the process clock, ms. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Verdict {
  readonly events: number;
  readonly legs: number;
  readonly requests: number;
  readonly fates: Readonly<Record<Fate, number>>;
  readonly sentAgain: number;
  /** What should have come and did not, in words. */
  readonly lost: readonly string[];
  readonly twice: number;
  /** Requests without a good signature. */
  readonly forged: number;
  /** What came before something that it had to wait for, in words. */
  readonly disorder: readonly string[];
  /** Pairs that came the other way round because the first one was slow or had failed three times, as documented. */
  readonly overtaken: number;
  /** Lanes in which nothing was overtaken. */
  readonly straight: number;
  /** Events whose first request came later than what was before them may hold them, in words. */
  readonly stuck: readonly string[];
  /** The longest that an event waited for its first request, behind its own lane and everything else. */
  readonly longestWaitMs: number;
}

/** docs/webhooks.md: what a lane waits for. */
const MOST_FAILURES = 3;
const LONGEST_HOLD_MS = 11_000;
/** A request is seen so much later than it left, at most. */
const WAY_MS = 500;
/** So many tries fit into an absence of the receiver, of which it knows nothing; and so late it is tried again after it. */
const UNSEEN = 2;
const AFTER_ABSENCE_MS = 15_000;
/** Signalling is not there for so long, at most. */
const AWAY_MS = 8_000;

/** What happened, looked for among what was taken. */
export class Judge {
  readonly #backEnd: BackEnd;
  readonly #absences: readonly Span[];
  readonly #deaths: readonly number[];
  readonly #tries = new Map<string, Told[]>();

  /** @param absences of the receiver. */
  constructor(backEnd: BackEnd, absences: readonly Span[], deaths: readonly number[]) {
    this.#backEnd = backEnd;
    this.#absences = absences;
    this.#deaths = deaths;
    for (const request of backEnd.requests) {
      const known = this.#tries.get(request.id);
      if (known === undefined) this.#tries.set(request.id, [request]);
      else known.push(request);
    }
  }

  /** @param stored what the platform has stored; `givenUp`: what it tries no more. */
  verdict(lives: readonly Life[], stored: ReadonlySet<string>, givenUp: ReadonlySet<string>): Verdict {
    const backEnd = this.#backEnd;
    const fates = { taken: 0, slow: 0, refused: 0, reset: 0, silent: 0 };
    for (const { fate } of backEnd.requests) fates[fate] += 1;
    const lost: string[] = [];
    const disorder: string[] = [];
    const stuck: string[] = [];
    let [overtaken, straight, longestWaitMs] = [0, 0, 0];
    const ids = new Set(backEnd.events.map(({ id }) => id));
    for (const id of stored) if (!ids.has(id) && !givenUp.has(id)) lost.push(`event ${id} of the store`);
    for (const id of ids) if (!stored.has(id)) lost.push(`event ${id} in the store`);
    for (const { leg, digits } of lives) {
      const events = backEnd.of(leg.control);
      const inOrder = backEnd.lane(leg.control);
      lost.push(...missing(leg.control, inOrder, digits));
      if (inOrder[0]?.name !== 'call.initiated' || inOrder.at(-1)?.name !== 'call.hangup')
        disorder.push(`${leg.control}: ${inOrder.map(({ name }) => name).join(' ')}`);
      const passed = this.#passed(events, inOrder, disorder);
      overtaken += passed;
      if (passed === 0) straight += 1;
      longestWaitMs = Math.max(longestWaitMs, this.#waits(inOrder, stuck));
    }
    return {
      events: ids.size,
      legs: lives.length,
      requests: backEnd.requests.length,
      fates,
      sentAgain: backEnd.sentAgain,
      lost,
      twice: backEnd.twice,
      forged: backEnd.forged,
      disorder,
      overtaken,
      straight,
      stuck,
      longestWaitMs,
    };
  }

  /** Pairs of a lane that came the other way round and may; those that may not are told to `disorder`. */
  #passed(events: readonly Told[], inOrder: readonly Told[], disorder: string[]): number {
    const happened = new Map(inOrder.map((event, n) => [event.id, n]));
    let passed = 0;
    for (const [at, event] of events.entries())
      for (const later of events.slice(0, at)) {
        if (happened.get(later.id)! < happened.get(event.id)!) continue;
        if (this.#letPass(event, this.#tries.get(later.id)![0]!.at)) passed += 1;
        else disorder.push(`${event.control}: ${later.name} before ${event.name}`);
      }
    return passed;
  }

  /** May a lane have gone on beside this event when another one was first seen at `at`? */
  #letPass(event: Told, at: number): boolean {
    const before = this.#tries.get(event.id)!.filter((one) => one.at < at);
    const failed = before.filter(({ fate }) => !isTaken(fate));
    const unseen = overlapping(this.#absences, { from: happenedAt(event), to: at });
    const first = Math.min(before[0]?.at ?? at, ...unseen.map(({ from }) => from));
    return (
      failed.some(({ fate }) => fate === 'silent') ||
      failed.length + UNSEEN * unseen.length >= MOST_FAILURES ||
      at - first >= LONGEST_HOLD_MS - WAY_MS
    );
  }

  /** The longest wait of an event for its first request; a death and an absence of the receiver make it wait anew. */
  #waits(inOrder: readonly Told[], stuck: string[]): number {
    let longest = 0;
    let before = 0;
    for (const event of inOrder) {
      const first = this.#tries.get(event.id)![0]!.at;
      const from = Math.max(before, happenedAt(event));
      const deaths = this.#deaths.filter((at) => at > from - AWAY_MS && at < first).length;
      const absences = overlapping(this.#absences, { from, to: first }).length;
      const most =
        LONGEST_HOLD_MS * (1 + deaths) + AWAY_MS * deaths + AFTER_ABSENCE_MS * absences + 4 * WAY_MS;
      if (first - from > most)
        stuck.push(
          `${event.control}: ${event.name} waited ${Math.round(first - from)} ms, of at most ${most}`,
        );
      longest = Math.max(longest, first - from);
      before = Math.max(before, first);
    }
    return longest;
  }
}

const happenedAt = (event: Told): number => Date.parse(event.occurredAt) - performance.timeOrigin;

const overlapping = (spans: readonly Span[], { from, to }: Span): readonly Span[] =>
  spans.filter((span) => span.from < to && span.to > from);

/** What was done to a leg and is not told. */
function missing(control: string, inOrder: readonly Told[], digits: Life['digits']): string[] {
  const lost = ['call.initiated', 'call.answered', 'call.hangup']
    .filter((name) => inOrder.filter((event) => event.name === name).length !== 1)
    .map((name) => `${name} of ${control}`);
  const heard = inOrder
    .filter(({ name }) => name === 'call.dtmf.received')
    .map(({ payload }) => payload.digit);
  return explains(digits, heard) ? lost : [...lost, `digits of ${control}: ${heard.join('')}`];
}

/** Is what was heard what was pressed? */
function explains(digits: Life['digits'], heard: readonly string[]): boolean {
  let at = 0;
  for (const { digit, least, most } of digits) {
    let times = 0;
    while (times < most && heard[at] === digit) {
      times += 1;
      at += 1;
    }
    if (times < least) return false;
  }
  return at === heard.length;
}
