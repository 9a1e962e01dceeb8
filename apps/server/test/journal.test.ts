import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { pino } from 'pino';
import { openJournal } from '../src/journal/journal-file.ts';
import {
  changeText,
  headLine,
  JOURNAL_ROOMS,
  type JournalChange,
  type JournalRoom,
  readJournal,
  unitLine,
} from '../src/journal/journal-format.ts';

const folder = mkdtempSync(join(tmpdir(), 'sidetone-journal-'));
const path = join(folder, 'journal');
const quiet = pino({ level: 'silent' });
after(() => rmSync(folder, { recursive: true }));

type State = Readonly<Record<string, unknown>>;

/** What a reader should know after these changes, by room and key. */
function model(changes: readonly JournalChange[]): State {
  const state: Record<string, unknown> = {};
  for (const { room, key, value } of changes) {
    if (value === null) delete state[`${room} ${key}`];
    else state[`${room} ${key}`] = value;
  }
  return state;
}

function stateOf(found: ReturnType<typeof readJournal>): State {
  const state: Record<string, unknown> = {};
  for (const room of JOURNAL_ROOMS)
    for (const { key, value } of found.entries[room]) state[`${room} ${key}`] = value;
  return state;
}

const change: fc.Arbitrary<JournalChange> = fc.record({
  room: fc.constantFrom(...JOURNAL_ROOMS),
  key: fc.constantFrom('call a', 'call b', 'session ü', '__proto__x'),
  value: fc.option(fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue({ maxDepth: 1 })), { nil: null }),
});

const entryLine = (room: JournalRoom, key: string, value: object | null): string =>
  unitLine([changeText({ room, key, value })]);

/** As it comes back from JSON. */
const plain = (changes: readonly JournalChange[]): JournalChange[] =>
  JSON.parse(JSON.stringify(changes)) as JournalChange[];

describe('the journal', () => {
  it('cut off at any byte, is what it was after some of its units', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { maxLength: 8 }),
        fc.nat(),
        (drawn, cut) => {
          const units = drawn.map(plain);
          const text = headLine('boot') + units.map((unit) => unitLine(unit.map(changeText))).join('');
          const bytes = Buffer.from(text);
          const found = stateOf(readJournal(bytes.subarray(0, cut % (bytes.length + 1)), 'boot'));
          const prefixes = units.map((_, i) => model(units.slice(0, i + 1).flat()));
          assert.ok(
            [{}, ...prefixes].some(
              (state) => JSON.stringify(sorted(state)) === JSON.stringify(sorted(found)),
            ),
            JSON.stringify(found),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  it('of the release before, a line for each change, is read, and written anew in units', () => {
    const before = [
      '{"sidetone":"journal","version":1,"boot":"boot"}',
      '{"room":"voice","key":"call a","value":{"n":1}}',
      '{"room":"voice","key":"call b","value":{"n":2}}',
      '{"room":"voice","key":"call a","value":null}',
      '',
    ];
    writeFileSync(path, before.join('\n'));
    const journal = openJournal(path, 'boot', quiet);
    journal.close();
    assert.deepEqual(stateOf(journal.found), { 'voice call b': { n: 2 } });
    assert.equal(journal.found.problem, undefined);
    assert.equal(readFileSync(path, 'utf8'), `${headLine('boot')}${entryLine('voice', 'call b', { n: 2 })}`);
  });

  it('says after any writes, restarts and compactions what was written last', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.array(change, { maxLength: 4 }), fc.boolean()), { maxLength: 10 }),
        (steps) => {
          rmSync(path, { force: true });
          const all: JournalChange[] = [];
          let journal = openJournal(path, 'boot', quiet, { worthCompacting: 200 });
          for (const [drawn, restart] of steps) {
            const changes = plain(drawn);
            journal.write(changes);
            all.push(...changes);
            if (!restart) continue;
            journal.close();
            journal = openJournal(path, 'boot', quiet, { worthCompacting: 200 });
          }
          journal.close();
          assert.deepEqual(stateOf(readJournal(readFileSync(path), 'boot')), model(all));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('reads any bytes without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (noise, head) => {
        const bytes = head ? Buffer.concat([Buffer.from(headLine('b')), noise]) : Buffer.from(noise);
        readJournal(bytes, 'b');
      }),
    );
    for (const line of [
      '{"room":"nobody","key":"k","value":{}}',
      '{"room":"vsp","key":7,"value":{}}',
      '[]',
      'x',
      '{"unit":[["vsp","k",{"a":2}],["nobody","k",{}]]}',
      '{"unit":[["vsp","k"]]}',
      '{"unit":[7]}',
    ]) {
      const found = readJournal(
        Buffer.from(`${headLine('b')}${line}\n${entryLine('vsp', 'k', { a: 1 })}`),
        'b',
      );
      assert.deepEqual(stateOf(found), { 'vsp k': { a: 1 } });
      assert.match(found.problem ?? '', /1 of its lines/);
    }
  });

  it('of another boot or another version counts for nothing, and is replaced', () => {
    const line = entryLine('voice', 'call', { up: true });
    const cases: readonly (readonly [string, RegExp])[] = [
      [headLine('yesterday') + line, /started again/],
      [headLine('today').replace('"version":2', '"version":99') + line, /version 99/],
      [`{"some":"json"}\n${line}`, /no journal/],
      ['x'.repeat(5_000), /no head/],
    ];
    for (const [text, why] of cases) {
      writeFileSync(path, text);
      const journal = openJournal(path, 'today', quiet);
      assert.match(journal.found.problem ?? '', why);
      assert.deepEqual(stateOf(journal.found), {});
      journal.close();
      assert.equal(readFileSync(path, 'utf8'), headLine('today'));
    }
  });

  it('is its owner alone to read, and stays small however long it is written', () => {
    rmSync(path, { force: true });
    const journal = openJournal(path, 'boot', quiet, { worthCompacting: 10_000 });
    const value = { text: 'x'.repeat(500) };
    for (let i = 0; i < 1_000; i++)
      journal.write([{ room: 'voice', key: `call ${i % 4}`, value: { ...value, i } }]);
    assert.ok(journal.size < 20_000, `${journal.size}`);
    assert.equal(statSync(path).size, journal.size);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    journal.close();
    const found = stateOf(readJournal(readFileSync(path), 'boot'));
    assert.deepEqual(Object.keys(found).length, 4);
    assert.equal((found['voice call 3'] as { i: number }).i, 999);
  });

  it('of another boot keeps the records alone: their times are of the calendar', () => {
    const text = `${headLine('yesterday')}${entryLine('voice', 'call', { a: 1 })}${entryLine('records', 'leg', { a: 1 })}`;
    writeFileSync(path, text);
    const journal = openJournal(path, 'today', quiet);
    journal.close();
    assert.deepEqual(stateOf(journal.found), { 'records leg': { a: 1 } });
    assert.deepEqual(stateOf(readJournal(readFileSync(path), 'today')), { 'records leg': { a: 1 } });
  });

  it('that cannot be read at all is no reason to stop', () => {
    const taken = join(folder, 'a-folder');
    mkdirSync(taken);
    const journal = openJournal(taken, 'boot', quiet);
    assert.match(journal.found.problem ?? '', /cannot be read \(EISDIR\)/);
    journal.write([{ room: 'voice', key: 'call', value: { a: 1 } }]);
    journal.close();
  });

  it('is whole when it is closed, if the disk has room again by then', () => {
    const gone = join(folder, 'gone-for-a-while');
    const file = join(gone, 'journal');
    const journal = openJournal(file, 'boot', quiet);
    journal.write([{ room: 'voice', key: 'call', value: { a: 1 } }]);
    assert.equal(journal.settled(), false);
    mkdirSync(gone);
    journal.close();
    assert.deepEqual(stateOf(readJournal(readFileSync(file), 'boot')), { 'voice call': { a: 1 } });
    const next = openJournal(file, 'boot', quiet);
    assert.equal(next.settled(), true);
    next.close();
  });

  it('begun afresh keeps the records alone, and the rest beside it', () => {
    const text = `${headLine('boot')}${entryLine('voice', 'call', { bad: 1 })}${entryLine('records', 'leg', { a: 1 })}`;
    writeFileSync(path, text);
    const journal = openJournal(path, 'boot', quiet, { afresh: true });
    journal.close();
    assert.deepEqual(stateOf(journal.found), { 'records leg': { a: 1 } });
    assert.deepEqual(stateOf(readJournal(readFileSync(path), 'boot')), { 'records leg': { a: 1 } });
    assert.equal(readFileSync(`${path}.failed`, 'utf8'), text);
  });

  it('goes on behind a torn line', () => {
    rmSync(path, { force: true });
    let journal = openJournal(path, 'boot', quiet);
    journal.write([{ room: 'vsp', key: 'a', value: { n: 1 } }]);
    journal.close();
    appendFileSync(path, '{"unit":[["vsp","a",{"n":3}],["vsp","c",{"n');
    journal = openJournal(path, 'boot', quiet);
    journal.write([{ room: 'vsp', key: 'b', value: { n: 2 } }]);
    journal.close();
    const found = readJournal(readFileSync(path), 'boot');
    assert.deepEqual(stateOf(found), { 'vsp a': { n: 1 }, 'vsp b': { n: 2 } });
    assert.equal(found.problem, undefined);
    truncateSync(path, 0);
  });

  it('that cannot be written is no reason to stop, and is whole again when it can', () => {
    const gone = join(folder, 'gone');
    const file = join(gone, 'journal');
    const journal = openJournal(file, 'boot', quiet);
    for (let i = 0; i < 10; i++) journal.write([{ room: 'voice', key: `call ${i}`, value: { i } }]);
    mkdirSync(gone);
    for (let i = 10; i < 100; i++) journal.write([{ room: 'voice', key: `call ${i}`, value: { i } }]);
    journal.close();
    assert.equal(Object.keys(stateOf(readJournal(readFileSync(file), 'boot'))).length, 100);
  });
});

const sorted = (state: State): [string, unknown][] =>
  Object.entries(state).toSorted(([a], [b]) => (a < b ? -1 : 1));
