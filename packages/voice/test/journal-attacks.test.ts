import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BackEnd } from './back-end.ts';

const DETECT = {
  mode: 'premium',
  totalMs: 3500,
  initialSilenceMs: 3500,
  greetingMs: 3500,
  afterGreetingSilenceMs: 800,
  maxWords: 5,
  greetingTotalMs: 5000,
  greetingSilenceMs: 1500,
} as const;
const speech = (text: string) => ({ kind: 'speech', text, voice: 'female' }) as const;
const GATHER = {
  gatherId: 'g',
  minDigits: 1,
  maxDigits: 4,
  timeoutMs: 60_000,
  initialMs: 5000,
  interDigitMs: 5000,
  terminating: '#',
  valid: '0123456789',
  tries: 3,
  prompt: speech('which'),
  invalidPrompt: speech('no'),
} as const;
const HOOK = {
  url: 'https://a.example/',
  byEvent: { 'call.answered': 'https://b.example/' },
  retriesMs: { 'call.hangup': [1] },
} as const;

/** A journal with something of everything that back ends bring about. */
function full(): { readonly b: BackEnd; readonly controls: readonly string[] } {
  const b = new BackEnd();
  const about = { clientState: 'QUFB', commandId: 'c1', hook: HOOK };
  const w = b.talking();
  b.do('play', w, { sound: { kind: 'url', url: 'https://a.example/a.wav' }, ...about });
  b.do('play', w, { sound: { kind: 'content', content: 'QUFB' }, loop: null, overlay: true });
  b.do('play', w, { sound: speech('hello') });
  const sound = b.sounds[0]!;
  b.tell({ type: 'sound', id: sound.id, result: { ok: true, file: 'a.wav', ms: 10 } });
  const g = b.talking();
  b.do('gather', g, { ...GATHER, ...about, commandId: 'c2' });
  const d = b.up({ detect: DETECT, commandId: 'd1', play: speech('x'), digits: '1w2' });
  const waits = b.dialled({ link: w.control, bridgeOnAnswer: true, commandId: 'd2', detect: DETECT });
  const t = b.talking();
  b.do('transfer', t, { to: '+15550144', targetClientState: 'QUFB', detect: DETECT });
  const over = b.up();
  b.do('hangup', over, { commandId: 'c3' });
  b.hangsUp(over);
  const parked = b.parked();
  return { b, controls: [w, g, d, waits, t, over, parked].map(({ control }) => control) };
}

type Path = readonly (string | number)[];

function pathsOf(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([name, inner]) => pathsOf(inner, [...at, name]))];
}

function spoilt(value: unknown, path: Path, by: unknown): unknown {
  if (path.length === 0) return by;
  const copy = structuredClone(value) as Record<string, unknown>;
  let into = copy;
  for (const part of path.slice(0, -1)) into = into[part] as Record<string, unknown>;
  const last = path.at(-1)!;
  if (by === undefined) delete into[last];
  else into[last] = by;
  return copy;
}

const value = fc.oneof(
  fc.constant(undefined),
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(-1, 0, 1e300, -1e300, '', '__proto__', [], {}, null, 'up', 'x'.repeat(5000)),
);

describe('a journal of anybody, with what back ends bring about', () => {
  it('has all kinds of entries', () => {
    const kinds = new Set([...full().b.journal.keys()].map((key) => key.split(' ')[0]));
    assert.deepEqual([...kinds].sort(), ['asked', 'dialled', 'leg', 'over']);
  });

  it('of legs that are over and dials that makes no sense is told and gone, what is only old is gone', () => {
    const { b } = full();
    const own = (kind: string): string[] => [...b.journal.keys()].filter((key) => key.startsWith(kind));
    const [over, dialled] = [own('over ')[0]!, own('dialled ')[0]!];
    b.journal.set(over, JSON.stringify({ ...JSON.parse(b.journal.get(over)!), account: 7 }));
    b.journal.set(dialled, '[]');
    b.journal.set(
      'over old',
      JSON.stringify({ ...JSON.parse(b.journal.get(over)!), account: 'a', until: -1 }),
    );
    b.restart();
    const told = b.logs.filter(({ event }) => event === 'journal unreadable');
    assert.deepEqual(
      told.map(({ fields }) => fields),
      [{ what: 'queues, conferences, recordings and calls that are over', entries: 2 }],
    );
    for (const key of [over, dialled, 'over old']) assert.ok(!b.journal.has(key), key);
  });

  it('never stops the start, nor what comes behind it; what is not taken is told and gone', () => {
    let dropped = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(), fc.nat(), value), { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        (changes, late) => {
          const { b, controls } = full();
          const keys = [...b.journal.keys()];
          for (const [which, where, by] of changes) {
            const key = keys[which % keys.length]!;
            const good: unknown = JSON.parse(b.journal.get(key)!);
            const paths = pathsOf(good);
            const bad = JSON.stringify(spoilt(good, paths[where % paths.length]!, by));
            b.journal.set(key, bad ?? 'null');
          }
          const before = new Set(b.journal.keys());
          b.restart();
          const unread = b.logs.filter(
            ({ event, fields }) => event === 'journal unreadable' && fields['key'] !== undefined,
          );
          for (const { fields } of unread) {
            dropped += 1;
            assert.ok(before.has(String(fields['key'])));
            assert.ok(!b.journal.has(String(fields['key'])), 'it is gone');
          }
          if (late) b.advance(120_000);
          for (const control of controls)
            for (const command of [
              { type: 'play', sound: speech('again') },
              { type: 'stopPlay', stop: 'all' },
              { type: 'gather', ...GATHER },
              { type: 'sendDigits', digits: '12' },
              { type: 'bridge', with: controls[0]! },
              { type: 'hangup' },
            ] as const)
              b.command({ account: 'default', control, ...command });
          for (const { id } of [...b.sounds])
            b.tell({ type: 'sound', id, result: { ok: false, why: 'failed', detail: 'x' } });
          b.advance(600_000);
        },
      ),
      { numRuns: 120 },
    );
    assert.ok(dropped > 20, `${dropped} were dropped`);
  });
});
