import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LegView, SoundAsk } from '@sidetone/wire';
import { Remembered } from '../src/command/remembered.ts';
import { BackEnd } from './back-end.ts';

const longest = (b: BackEnd): number => Math.max(...[...b.journal.values()].map((text) => text.length));

describe('what a back end makes a leg carry', () => {
  const ROWS: readonly (readonly [string, (i: number) => SoundAsk])[] = [
    ['contents', (i) => ({ kind: 'content', content: 'QUFB'.repeat(15_000 + i) })],
    ['texts', (i) => ({ kind: 'speech', text: `\u0001${i}`.repeat(1400), voice: 'female' })],
    ['URLs', (i) => ({ kind: 'url', url: `https://a.example/${'x'.repeat(1950)}${i}` })],
  ];
  for (const [what, soundOf] of ROWS)
    for (const overlay of [false, true])
      it(`100 ${what}${overlay ? ', mixed in' : ''}: the leg stays one that the journal takes, and each is told its end`, () => {
        const b = new BackEnd();
        const w = b.talking();
        for (let i = 0; i < 100; i++) {
          b.do('play', w, { sound: soundOf(i), overlay });
          assert.ok(longest(b) < 256 * 1024, `${longest(b)}`);
        }
        b.do('hangup', w);
        const told = (type: string): number => b.news.filter((event) => event.what.type === type).length;
        assert.equal(told('playStarted'), told('playEnded'));
        assert.equal(told('speakStarted'), told('speakEnded'));
      });

  it('one content of the largest size is taken beside what else waits', () => {
    const b = new BackEnd();
    const w = b.talking();
    for (let i = 0; i < 20; i++)
      b.do('play', w, { sound: { kind: 'speech', text: 'x'.repeat(3000), voice: 'female' } });
    b.do('play', w, { sound: { kind: 'content', content: 'QUFB'.repeat(16_384) } });
    assert.ok(!b.news.some(({ what }) => what.type === 'playEnded'));
  });
});

describe('legs that are over', () => {
  const over = (account: string, i: number, clientState: string | null): LegView => ({
    control: `v3:${account}${i}`,
    leg: `${account}${i}`,
    session: 's',
    account,
    connection: null,
    alive: false,
    clientState,
    startedAt: 1,
    answeredAt: null,
    endedAt: 2,
  });

  it('of one account with long client states push out its own, and all stay within their bounds', () => {
    const remembered = new Remembered();
    const journal = new Map<string, string>();
    const written = (): number => {
      for (const { key, value } of remembered.takeLines())
        if (value === null) journal.delete(key);
        else journal.set(key, JSON.stringify(value));
      return [...journal].reduce((sum, [key, text]) => sum + key.length + text.length, 0);
    };
    for (let i = 0; i < 100; i++) remembered.over(over('victim', i, null), [], 1);
    const done = Array.from({ length: 64 }, (_, i) => ({ id: `${i}`.padEnd(256, 'x'), at: 1 }));
    for (let i = 0; i < 3000; i++) remembered.over(over('hostile', i, 'QUFB'.repeat(2048)), done, 1);
    assert.ok(written() <= 16 * 1024 * 1024);
    for (let i = 0; i < 100; i++) assert.notEqual(remembered.ended(`v3:victim${i}`), undefined);
    assert.equal(remembered.ended('v3:hostile0'), undefined);
    assert.notEqual(remembered.ended('v3:hostile2999'), undefined);
    // And so does the next process.
    const entries = [...journal].map(([key, text]) => ({ key, value: JSON.parse(text) as unknown }));
    const next = new Remembered();
    next.restore(entries, 2);
    assert.notEqual(next.ended('v3:victim0'), undefined);
    assert.deepEqual(next.takeLines(), []);
    next.tick(700_000);
    assert.equal(next.takeLines().length, journal.size);
    assert.equal(next.deadline(), null);
  });

  it('and dials are remembered by number: of 40,001 the oldest of who has most is not', () => {
    const remembered = new Remembered();
    const ids = { control: 'v3:x', leg: 'x', session: 's' };
    remembered.dialled('victim', 'one', ids, 1);
    for (let i = 0; i < 40_000; i++) remembered.dialled('hostile', `${i}`, ids, 1);
    assert.notEqual(remembered.dialledBefore('victim', 'one', 2), undefined);
    assert.equal(remembered.dialledBefore('hostile', '0', 2), undefined);
    assert.notEqual(remembered.dialledBefore('hostile', '1', 2), undefined);
  });
});
