import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CallNews, Command, GatherAsk, SoundAsk } from '@sidetone/wire';
import { bench, carrierAnswers, dialIt, ok, park } from './command-rig.ts';

type On<T extends Command['type']> = Extract<Command, { type: T }>;

const URL_A: SoundAsk = { kind: 'url', url: 'https://files.example/a.wav' };
const URL_B: SoundAsk = { kind: 'url', url: 'https://files.example/b.wav' };
const SPEECH: SoundAsk = { kind: 'speech', text: 'Hello', voice: 'female' };

/** A parked call that is answered, with what was told since. */
class Answered {
  readonly b = bench();
  readonly control: string;
  readonly client: string;
  readonly leg: string;

  constructor() {
    const [control, client] = park(this.b);
    this.control = control;
    this.client = client;
    ok(this.b, { type: 'answer', account: 'default', control });
    this.leg = this.b.voice.legOf(control)!.leg;
    this.b.news.length = 0;
    this.b.media.length = 0;
  }

  do(command: Omit<On<'play'>, 'account' | 'control'> | Omit<On<'gather'>, 'account' | 'control'>): void {
    ok(this.b, { ...command, account: 'default', control: this.control });
  }

  play(sound: SoundAsk, more: Partial<On<'play'>> = {}): void {
    this.do({ type: 'play', sound, ...more });
  }

  /** The oldest sound that is asked for is there. */
  prepared(file = 'a.wav'): string {
    const { id } = this.b.sounds.shift()!;
    this.b.tell({ type: 'sound', id, result: { ok: true, file, ms: 1_000 } });
    return id;
  }

  played(id: string, status: 'completed' | 'stopped' | 'failed' = 'completed'): void {
    this.b.tell({ type: 'mediaEvent', event: { event: 'played', leg: this.leg, id, status, atMs: 1_000 } });
  }

  press(digits: string): void {
    for (const digit of digits)
      this.b.tell({ type: 'mediaEvent', event: { event: 'dtmf', leg: this.leg, digit, durationMs: 100 } });
  }

  get told(): string[] {
    return this.b.news.map(({ what }) => spell(what));
  }

  get media(): string[] {
    return this.b.media.flatMap((c) =>
      c.op === 'play'
        ? [`play ${c.file}${c.overlay === true ? ' over' : ''} ${c.loop}`]
        : c.op === 'stop'
          ? ['stop']
          : [],
    );
  }
}

function spell(what: CallNews): string {
  if (what.type === 'playStarted') return `started ${what.media.url ?? what.media.name}`;
  if (what.type === 'playEnded') return `ended ${what.media.url ?? what.media.name} ${what.status}`;
  if (what.type === 'speakEnded') return `speakEnded ${what.status}`;
  if (what.type === 'digit') return `digit ${what.digit}`;
  if (what.type === 'gathered') return `gathered ${what.digits} ${what.status}`;
  return what.type;
}

const A = 'https://files.example/a.wav';
const B = 'https://files.example/b.wav';

describe('what a leg plays', () => {
  it('is asked for, played in the order of the commands, one at a time, and told once each', () => {
    const a = new Answered();
    a.play(URL_A, { loop: 2 });
    a.play(SPEECH);
    assert.equal(a.b.sounds.length, 2);
    const [first, second] = [a.b.sounds[0]!.id, a.b.sounds[1]!.id];
    a.b.tell({ type: 'sound', id: second, result: { ok: true, file: 'speech.wav', ms: 500 } });
    assert.deepEqual(a.media, []);
    a.b.tell({ type: 'sound', id: first, result: { ok: true, file: 'a.wav', ms: 500 } });
    assert.deepEqual(a.media, ['play a.wav 2']);
    a.played(first);
    a.played(first);
    assert.deepEqual(a.media, ['play a.wav 2', 'play speech.wav 1']);
    a.played(second);
    assert.deepEqual(a.told, [
      `started ${A}`,
      `ended ${A} completed`,
      'speakStarted',
      'speakEnded completed',
    ]);
  });

  it('stops: the one that plays, or all; the next one goes on', () => {
    const a = new Answered();
    a.play(URL_A, { loop: null });
    a.play(URL_B);
    a.prepared('a.wav');
    a.prepared('b.wav');
    ok(a.b, { type: 'stopPlay', account: 'default', control: a.control, stop: 'current' });
    assert.deepEqual(a.media, ['play a.wav null', 'stop', 'play b.wav 1']);
    ok(a.b, { type: 'stopPlay', account: 'default', control: a.control, stop: 'all' });
    assert.deepEqual(a.told, [
      `started ${A}`,
      `ended ${A} cancelled`,
      `started ${B}`,
      `ended ${B} cancelled`,
    ]);
  });

  it('is mixed in beside the queue', () => {
    const a = new Answered();
    a.play(URL_A);
    a.play(URL_B, { overlay: true });
    a.prepared('a.wav');
    a.prepared('b.wav');
    assert.deepEqual(a.media, ['play a.wav 1', 'play b.wav over 1']);
  });

  for (const [why, status] of [
    ['not-found', 'file_not_found'],
    ['not-audio', 'failed'],
    ['refused', 'failed'],
  ] as const)
    it(`that cannot be had (${why}) is told as ${status}, and the next one is played`, () => {
      const a = new Answered();
      a.play(URL_A);
      a.play(URL_B);
      const { id } = a.b.sounds.shift()!;
      a.b.tell({ type: 'sound', id, result: { ok: false, why, detail: 'why it is not' } });
      a.prepared('b.wav');
      assert.deepEqual(a.told, [`started ${A}`, `ended ${A} ${status}`, `started ${B}`]);
    });

  it('ends with its leg, before the end of the leg is told; what waits is never told', () => {
    const a = new Answered();
    a.play(URL_A);
    a.play(URL_B);
    a.prepared();
    a.b.vsp.act(a.b.vsp.agent.bye(a.client, [], a.b.now));
    assert.deepEqual(a.told, [`started ${A}`, `ended ${A} call_hangup`, 'hangup']);
  });

  it('is over when its leg is bridged', () => {
    const a = new Answered();
    a.play(URL_A, { loop: null });
    a.prepared();
    const p = ok(a.b, dialIt(a.control, { bridgeOnAnswer: true }))!;
    carrierAnswers(a.b);
    assert.deepEqual(
      a.b.news.filter(({ leg }) => leg.control === a.control).map(({ what }) => spell(what)),
      [`started ${A}`, `ended ${A} cancelled`, 'bridged'],
    );
    ok(a.b, { type: 'play', account: 'default', control: a.control, sound: URL_B, target: 'opposite' });
    a.prepared('b.wav');
    assert.equal(a.b.media.at(-1)?.op === 'play' && a.b.media.at(-1)!.op, 'play');
    assert.equal((a.b.media.at(-1) as { leg?: string }).leg, p.leg);
  });

  it('goes on after the death of the process: media is told the same again, what was being fetched is asked for again', () => {
    const a = new Answered();
    a.play(URL_A);
    a.play(URL_B);
    const first = a.prepared('a.wav');
    a.b.media.length = 0;
    a.b.restart();
    assert.deepEqual(a.media, ['play a.wav 1']);
    a.prepared('b.wav');
    a.prepared('b.wav');
    a.played(first);
    assert.deepEqual(a.media, ['play a.wav 1', 'play b.wav 1']);
    assert.deepEqual(a.told, [`started ${A}`, `ended ${A} completed`, `started ${B}`]);
  });
});

const ASK: GatherAsk = {
  minDigits: 1,
  maxDigits: 4,
  timeoutMs: 60_000,
  initialMs: 5_000,
  interDigitMs: 3_000,
  terminating: '#',
  valid: '0123456789*#',
  tries: 1,
};

describe('digits that are gathered', () => {
  const rows: readonly [
    name: string,
    ask: Partial<GatherAsk>,
    press: readonly (string | number)[],
    told: string,
  ][] = [
    ['as many as are wanted', {}, ['1234'], 'gathered 1234 valid'],
    ['the terminating digit', {}, ['12#'], 'gathered 12 valid'],
    ['no terminating digit', { terminating: null }, ['12#', 3_001], 'gathered 12# valid'],
    ['a pause behind enough', {}, ['12', 3_001], 'gathered 12 valid'],
    ['a pause behind too few', { minDigits: 3 }, ['12', 3_001], 'gathered 12 invalid'],
    ['the terminating digit behind too few', { minDigits: 3 }, ['12#'], 'gathered 12 invalid'],
    ['nothing', {}, [5_001], 'gathered  timeout'],
    [
      'all time is over',
      { timeoutMs: 4_000, initialMs: 60_000, interDigitMs: 60_000 },
      ['1', 4_001],
      'gathered 1 valid',
    ],
    ['a digit that is not wanted', { valid: '12' }, ['19'], 'gathered 19 invalid'],
  ];
  for (const [name, ask, press, told] of rows)
    it(name, () => {
      const a = new Answered();
      a.do({ type: 'gather', ...ASK, ...ask });
      for (const step of press) {
        if (typeof step === 'number') a.b.advance(step);
        else a.press(step);
      }
      assert.equal(a.told.at(-1), told);
      assert.equal(a.told.filter((line) => line.startsWith('gathered')).length, 1);
      a.b.advance(70_000);
      assert.equal(a.told.filter((line) => line.startsWith('gathered')).length, 1);
    });

  it('the prompt is stopped by a digit, which counts; the time begins behind it', () => {
    const a = new Answered();
    a.do({ type: 'gather', ...ASK, prompt: SPEECH, tries: 3 });
    a.prepared();
    a.b.advance(30_000);
    a.press('12#');
    assert.deepEqual(a.told, [
      'speakStarted',
      'digit 1',
      'speakEnded cancelled',
      'digit 2',
      'digit #',
      'gathered 12 valid',
    ]);
    assert.deepEqual(a.media, ['play a.wav 1', 'stop']);
  });

  it('wrong digits: the other prompt, and another try, until there are no more', () => {
    const a = new Answered();
    a.do({ type: 'gather', ...ASK, valid: '12', prompt: URL_A, invalidPrompt: URL_B, tries: 2 });
    a.played(a.prepared());
    a.press('9');
    a.played(a.prepared('b.wav'));
    a.press('9');
    assert.deepEqual(
      a.told.filter((line) => !line.startsWith('digit')),
      [`started ${A}`, `ended ${A} completed`, `started ${B}`, `ended ${B} completed`, 'gathered 9 invalid'],
    );
  });

  it('is told as cancelled by a second one, by the command, by speech with `stop`; as call_hangup with its leg', () => {
    for (const [command, status] of [
      [{ type: 'gather', ...ASK } as const, 'cancelled'],
      [{ type: 'stopGather' } as const, 'cancelled'],
      [{ type: 'play', sound: SPEECH, stop: 'all' } as const, 'cancelled'],
      [{ type: 'hangup' } as const, 'call_hangup'],
    ] as const) {
      const a = new Answered();
      a.do({ type: 'gather', ...ASK });
      a.press('1');
      ok(a.b, { ...command, account: 'default', control: a.control } as Command);
      assert.deepEqual(a.told.slice(0, 2), ['digit 1', `gathered 1 ${status}`]);
    }
  });

  it('goes on after the death of the process, with its digits and its time', () => {
    const a = new Answered();
    a.do({ type: 'gather', ...ASK });
    a.press('12');
    a.b.restart();
    a.press('3');
    a.b.advance(3_001);
    assert.equal(a.told.at(-1), 'gathered 123 valid');
  });

  it('a digit that media tells again counts once; one that was pressed meanwhile counts', () => {
    const a = new Answered();
    const press = (n: number, digit: string): void =>
      a.b.tell({ type: 'mediaEvent', event: { event: 'dtmf', leg: a.leg, n, digit, durationMs: 100 } });
    a.do({ type: 'gather', ...ASK });
    press(1, '1');
    press(2, '2');
    a.b.restart();
    const claim = a.b.media.findLast((c) => c.op === 'claim');
    assert.deepEqual(claim?.op === 'claim' && claim.seen, { [a.leg]: 2 });
    press(2, '2');
    press(3, '3');
    a.b.advance(3_001);
    assert.equal(a.told.at(-1), 'gathered 123 valid');
  });

  it('leaves nothing behind', () => {
    const a = new Answered();
    a.do({ type: 'gather', ...ASK, prompt: SPEECH });
    a.play(URL_A);
    ok(a.b, { type: 'hangup', account: 'default', control: a.control });
    a.b.advance(700_000);
    assert.deepEqual(a.b.voice.size, { calls: 0, media: 0, dialogs: 0 });
    assert.equal(a.b.journal.size, 0);
    assert.equal(a.b.voice.deadline(), null);
  });
});
