import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BackEnd, Fate, Told } from './src/back-end.ts';
import type { CommandedLeg } from './src/commanded-crowd.ts';
import { Judge, type Span, type Verdict } from './src/webhook-verdict.ts';

/** A request: an event by its letter, when it happened and when it came (seconds), and what became of it. */
type Row = readonly [letter: string, happened: number, at: number, fate?: Fate];

const NAME: Readonly<Record<string, string>> = { i: 'initiated', a: 'answered', h: 'hangup' };

/** One lane: initiated, answered, digits, hang-up. */
function judged(
  rows: readonly Row[],
  facts: { stored?: string; gone?: Span[]; deaths?: number[] } = {},
): Verdict {
  const requests = rows.map(
    ([letter, happened, at, fate = 'taken']): Told => ({
      id: letter,
      name: `call.${NAME[letter] ?? 'dtmf.received'}`,
      control: 'leg',
      at: at * 1_000,
      occurredAt: new Date(performance.timeOrigin + happened * 1_000).toISOString(),
      fate,
      payload: NAME[letter] === undefined ? { digit: letter } : {},
    }),
  );
  const taken = requests.filter(({ fate }) => fate === 'taken' || fate === 'slow');
  const events = taken.filter(({ id }, i) => taken.findIndex((one) => one.id === id) === i);
  const backEnd = {
    requests,
    events,
    twice: taken.length - events.length,
    forged: 0,
    sentAgain: 0,
    of: () => events,
    lane: () => [...events].sort((a, b) => (a.occurredAt < b.occurredAt ? -1 : 1)),
  } as unknown as BackEnd;
  const digits = ['1', '2'].map((digit) => ({ digit, least: 1, most: 1 }));
  const judge = new Judge(backEnd, facts.gone ?? [], facts.deaths ?? []);
  const leg = { control: 'leg' } as CommandedLeg;
  return judge.verdict([{ leg, digits }], new Set(facts.stored ?? 'ia12h'), new Set());
}

const GOOD: readonly Row[] = [
  ['i', 1, 1.1],
  ['a', 2, 2.1],
  ['1', 3, 3.1],
  ['2', 4, 4.1],
  ['h', 5, 5.1],
];
const but = (...rows: readonly Row[]): Row[] =>
  [...GOOD.filter(([letter]) => !rows.some(([other]) => other === letter)), ...rows].sort(
    (a, b) => a[2] - b[2],
  );
const bad = ({ lost, disorder, stuck }: Verdict): number[] => [lost.length, disorder.length, stuck.length];

describe('what the run with faults is judged by', () => {
  it('all is well, also when it was tried again', () => {
    const { straight, twice, ...verdict } = judged(but(['1', 3, 3.1, 'refused'], ['1', 3, 3.9]));
    assert.deepEqual([bad(verdict as Verdict), twice], [[0, 0, 0], 0]);
    assert.equal(judged(GOOD).straight, 1);
  });

  it('lost: what the store has, what was pressed, what came and is not stored', () => {
    assert.deepEqual(bad(judged(GOOD, { stored: 'ia12hx' })), [1, 0, 0]);
    assert.deepEqual(bad(judged(GOOD, { stored: 'ia12' })), [1, 0, 0]);
    assert.deepEqual(bad(judged(GOOD.filter(([letter]) => letter !== '2'))), [2, 0, 0]);
    assert.deepEqual(bad(judged(GOOD.filter(([letter]) => letter !== 'h'))), [2, 1, 0]);
  });

  it('twice is counted', () => {
    assert.equal(judged([...GOOD, ['2', 4, 6]]).twice, 1);
  });

  it('out of order, unless the one before was slow, had failed three times, or met nobody', () => {
    const late = (...failed: readonly Row[]): Row[] => but(...failed, ['1', 3, 4.5]);
    assert.deepEqual(bad(judged(late())), [0, 1, 0]);
    assert.deepEqual(bad(judged(late(['1', 3, 3.1, 'refused']))), [0, 1, 0]);
    assert.deepEqual(bad(judged(late(['1', 3, 3.1, 'silent']))), [0, 0, 0]);
    const thrice = [3.1, 3.2, 3.3].map((at): Row => ['1', 3, at, 'reset']);
    assert.deepEqual(bad(judged(late(...thrice))), [0, 0, 0]);
    const gone = [{ from: 2_900, to: 3_900 }];
    assert.deepEqual(bad(judged(late(['1', 3, 4, 'reset']), { gone })), [0, 0, 0]);
    assert.deepEqual(bad(judged(late(), { gone })), [0, 1, 0]);
    assert.equal(judged(late(['1', 3, 3.1, 'silent'])).overtaken, 1);
  });

  it('stuck: an event whose first request comes too late; a death makes it wait anew', () => {
    const stuck = but(['h', 5, 25]);
    assert.deepEqual(bad(judged(stuck)), [0, 0, 1]);
    assert.deepEqual(bad(judged(stuck, { deaths: [6_000] })), [0, 0, 0]);
    assert.equal(Math.round(judged(stuck).longestWaitMs / 1_000), 20);
  });
});
