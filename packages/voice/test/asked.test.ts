import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SoundAsk } from '@sidetone/wire';
import { BackEnd, type Party } from './back-end.ts';

/** The most that the record of a leg may have (characters). */
const MOST_RECORD = 16_000;
const LONG = 'QUFB'.repeat(45_000);
const content = (text = LONG): SoundAsk => ({ kind: 'content', content: text });
const GATHER = {
  minDigits: 1,
  maxDigits: 100,
  timeoutMs: 600_000,
  initialMs: 600_000,
  interDigitMs: 600_000,
  terminating: '#',
  valid: '0123456789',
  tries: 3,
} as const;

class Bench extends BackEnd {
  keys(prefix: string): string[] {
    return [...this.journal.keys()].filter((key) => key.startsWith(prefix));
  }

  small(): void {
    for (const key of this.keys('leg ')) {
      const { length } = this.journal.get(key)!;
      assert.ok(length < MOST_RECORD, `${key} has ${length} characters`);
    }
  }

  prepared(): string {
    const { id } = this.sounds.shift()!;
    this.tell({ type: 'sound', id, result: { ok: true, file: `/var/lib/${id}.wav`, ms: 1_000 } });
    return id;
  }

  press({ leg }: Party, digits: string): void {
    for (const digit of digits)
      this.tell({ type: 'mediaEvent', event: { event: 'dtmf', leg, digit, durationMs: 100 } });
  }
}

describe('what a leg has been asked to play and to gather', () => {
  it('is written once beside its record, however long it is and whatever happens to the leg', () => {
    const b = new Bench();
    const party = b.talking();
    b.do('play', party, { sound: content() });
    assert.equal(b.keys('asked ').length, 1);
    b.small();
    const before = b.written.bytes;
    b.press(party, '1234567890');
    b.prepared();
    assert.deepEqual(b.media.at(-1)?.op, 'play');
    b.press(party, '1234567890');
    assert.ok(b.written.bytes - before < 21 * MOST_RECORD, `${b.written.bytes - before} bytes more`);
    b.small();
    b.hangsUp(party);
    b.advance(700_000);
    assert.deepEqual([...b.journal], []);
  });

  it('goes with the play, each for itself, and with an overlay', () => {
    const b = new Bench();
    const party = b.talking();
    const playing = content('QUFB');
    b.do('play', party, { sound: playing });
    b.do('play', party, { sound: playing, overlay: true });
    const [first, over] = [b.prepared(), b.prepared()];
    b.do('play', party, { sound: playing });
    assert.equal(b.keys('asked ').length, 3);
    const played = (id: string) =>
      ({ event: 'played', leg: party.leg, id, status: 'completed', atMs: 1 }) as const;
    b.tell({ type: 'mediaEvent', event: played(first) });
    assert.deepEqual(
      b.keys('asked ').filter((key) => key.endsWith(first)),
      [],
    );
    b.tell({ type: 'mediaEvent', event: played(over) });
    assert.equal(b.keys('asked ').length, 1);
    b.do('stopPlay', party, { stop: 'all' });
    assert.deepEqual(b.keys('asked '), []);
  });

  it('a full queue leaves the record small', () => {
    const b = new Bench();
    const party = b.talking();
    for (let i = 0; i < 100; i++)
      b.do('play', party, { sound: { kind: 'url', url: `https://a.example/${'x'.repeat(1_500)}${i}` } });
    while (b.sounds.length > 0) b.prepared();
    b.do('gather', party, {
      ...GATHER,
      prompt: content('QUFB'.repeat(20_000)),
      invalidPrompt: content('QUFB'.repeat(20_000)),
    });
    b.small();
    b.press(party, '12');
    b.small();
  });

  it('is nothing to a process that follows where the leg has not answered', () => {
    const b = new Bench();
    b.dialled({ play: content() });
    b.small();
    assert.deepEqual(b.keys('asked '), []);
  });

  it('is there for the process that follows: fetched again, played on, gathered on, in the same order', () => {
    const b = new Bench();
    const party = b.talking();
    const url: SoundAsk = { kind: 'url', url: 'https://a.example/1.wav' };
    b.do('play', party, { sound: url, loop: 3 });
    const playing = b.prepared();
    // One that is ready and waits is fetched again: what was made of it may be gone by its turn.
    b.do('play', party, { sound: content() });
    b.prepared();
    b.do('play', party, { sound: { kind: 'speech', text: 'hello', voice: 'female' } });
    b.sounds.length = 0;
    b.media.length = 0;
    b.restart();
    assert.deepEqual(
      b.sounds.map(({ ask }) => ask.kind),
      ['content', 'speech'],
    );
    assert.deepEqual(b.sounds[0]!.ask, content());
    assert.deepEqual(
      b.media.filter(({ op }) => op === 'play'),
      [{ op: 'play', leg: party.leg, id: playing, file: `/var/lib/${playing}.wav`, loop: 3 }],
    );
    assert.equal(b.keys('asked ').length, 3);
    b.do('gather', party, { ...GATHER, gatherId: 'g', prompt: content() });
    b.press(party, '12');
    b.restart();
    b.small();
    b.press(party, '3#');
    const { what } = b.last(party);
    assert.deepEqual(what, { type: 'gathered', digits: '123', status: 'valid', gatherId: 'g' });
    assert.deepEqual(b.keys('asked '), []);
  });

  it('that is damaged costs the sound and not the call, and is told and gone', () => {
    const b = new Bench();
    const party = b.talking();
    b.do('play', party, { sound: content('QUFB') });
    b.do('play', party, { sound: content('QUFC') });
    const [bad] = b.keys('asked ');
    b.journal.set(bad!, '{"ask":7}');
    b.journal.set('asked nobody nothing', '{}');
    b.sounds.length = 0;
    b.restart();
    assert.ok(b.isAlive(party));
    assert.deepEqual(
      b.sounds.map(({ ask }) => ask),
      [content('QUFC')],
    );
    assert.equal(b.keys('asked ').length, 1);
    const told = b.logs.filter(({ event }) => event === 'journal unreadable');
    assert.deepEqual(
      told.map(({ fields }) => fields),
      [{ leg: party.leg, what: 'asked', entries: 1 }],
    );
  });
});
