import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Command, LegCommand } from '@sidetone/wire';
import { BackEnd, type Party } from './back-end.ts';

/*
 * The same `command_id` again within 60 s: the same answer, no second effect, whatever happened in between.
 */

type Between = 'nothing' | 'a restart' | 'a death behind the journal';
const BETWEEN: readonly Between[] = ['nothing', 'a restart', 'a death behind the journal'];

/** What a command would do a second time. */
const effects = (b: BackEnd): string =>
  JSON.stringify([b.media.length, b.news.length, b.proxy.events.length, b.voice.size]);

type Row = readonly [LegCommand['type'], (b: BackEnd, w: Party) => object];
const ROWS: readonly Row[] = [
  ['answer', () => ({})],
  ['hangup', () => ({})],
  ['reject', () => ({ cause: 'USER_BUSY' })],
  ['setClientState', () => ({ clientState: 'aGk=' })],
  ['transfer', () => ({ to: '+15550144' })],
  ['bridge', (b) => ({ with: b.up().control })],
];
const NEEDS_ANSWER: Row[] = [['sendDigits', () => ({ digits: '12' })]];

describe('pitfall 10: the same command id again', () => {
  for (const [type, more] of [...ROWS, ...NEEDS_ANSWER])
    it(`${type}: taken once`, () => {
      const b = new BackEnd();
      const w = NEEDS_ANSWER.some(([name]) => name === type) ? b.talking() : b.parked();
      const command = {
        type,
        account: 'default',
        control: w.control,
        commandId: 'once',
        ...more(b, w),
      } as LegCommand;
      b.ok(command);
      const before = effects(b);
      b.advance(100);
      b.ok(command);
      assert.equal(effects(b), before);
      b.clean();
    });

  for (const between of BETWEEN)
    it(`a leg’s, with ${between} in between`, () => {
      const b = new BackEnd();
      const w = b.talking();
      const command = {
        type: 'setClientState',
        account: 'default',
        control: w.control,
        commandId: 'once',
        clientState: 'b25l',
      } as const;
      if (between === 'a death behind the journal') {
        b.dying = true;
        assert.throws(() => b.command(command), /without an answer/);
      } else b.ok(command);
      if (between === 'a restart') b.restart();
      assert.equal(b.voice.legOf(w.control)?.clientState, 'b25l');
      b.ok({ ...command, clientState: 'dHdv' });
      assert.equal(b.voice.legOf(w.control)?.clientState, 'b25l', 'the second one has no effect');
      b.ok({ ...command, commandId: 'twice', clientState: 'dHdv' });
      assert.equal(b.voice.legOf(w.control)?.clientState, 'dHdv');
      b.clean();
    });

  for (const between of BETWEEN)
    it(`a dial’s, with ${between} in between: the same leg, no second call`, () => {
      const b = new BackEnd();
      const command = b.dialCommand({ commandId: 'once' });
      if (between === 'a death behind the journal') {
        b.dying = true;
        assert.throws(() => b.command(command), /without an answer/);
      } else b.ok(command);
      if (between === 'a restart') b.restart();
      const ids = b.ok(command);
      assert.ok(ids !== undefined);
      assert.equal(ids.leg, b.news[0]?.lane);
      assert.deepEqual(b.ok(command), ids);
      assert.equal(new Set(b.news.map(({ lane }) => lane)).size, 1);
      b.clean();
    });

  for (const between of ['nothing', 'a restart'] as const)
    it(`of a leg that is over, with ${between} in between: the answer it had`, () => {
      const b = new BackEnd();
      const w = b.talking();
      const command = { type: 'hangup', account: 'default', control: w.control, commandId: 'once' } as const;
      b.ok(command);
      assert.equal(b.of(w).at(-1), 'hangup');
      if (between === 'a restart') b.restart();
      b.ok(command);
      assert.equal(b.tries('hangup', w, { commandId: 'another' }), 'ended');
      assert.equal(b.tries('hangup', w), 'ended');
      b.advance(61_000);
      assert.equal(b.refusal(command), 'ended', 'it is known for a minute');
      b.clean();
    });

  it('for 60 s', () => {
    const b = new BackEnd();
    const w = b.talking();
    const command = { account: 'default', control: w.control, commandId: 'once' };
    const say = (clientState: string): Command => ({ type: 'setClientState', ...command, clientState });
    b.ok(say('b25l'));
    b.advance(59_900);
    b.ok(say('dHdv'));
    assert.equal(b.voice.legOf(w.control)?.clientState, 'b25l');
    b.advance(200);
    b.ok(say('dHdv'));
    assert.equal(b.voice.legOf(w.control)?.clientState, 'dHdv');
    const first = b.ok(b.dialCommand({ commandId: 'once' }));
    b.advance(59_900);
    assert.deepEqual(b.ok(b.dialCommand({ commandId: 'once' })), first);
    b.advance(200);
    assert.notDeepEqual(b.ok(b.dialCommand({ commandId: 'once' })), first);
    b.clean();
  });

  it('is of its leg, and of its account', () => {
    const b = new BackEnd();
    const legs = [b.talking(), b.up(), b.arrived()];
    // A constant, as some programs have it.
    for (const leg of legs) b.do('setClientState', leg, { commandId: 'c', clientState: 'aGk=' });
    for (const { control } of legs) assert.equal(b.voice.legOf(control)?.clientState, 'aGk=');
    const own = b.ok(b.dialCommand({ commandId: 'c' }));
    const other = b.ok({ ...b.dialCommand({ commandId: 'c' }), account: 'other', connection: '1904' });
    assert.notEqual(own?.leg, other?.leg);
    b.clean();
  });

  it('of another kind of command: not done, and no error', () => {
    const b = new BackEnd();
    const w = b.talking();
    b.do('setClientState', w, { commandId: 'c', clientState: 'aGk=' });
    b.do('hangup', w, { commandId: 'c' });
    assert.ok(b.isAlive(w));
    b.clean();
  });

  it('of a command that was refused: asked again, it is looked at again', () => {
    const b = new BackEnd();
    const [w, p] = [b.parked(), b.dialled()];
    assert.equal(b.tries('sendDigits', p, { digits: '1', commandId: 'c' }), 'unanswered');
    b.answers(p);
    b.do('sendDigits', p, { digits: '1', commandId: 'c' });
    assert.equal(b.media.filter(({ op }) => op === 'dtmf').length, 1);
    assert.equal(
      b.refusal(b.dialCommand({ connection: '7', commandId: 'd' })),
      'badAssociation connection_id',
    );
    b.ok(b.dialCommand({ link: w.control, commandId: 'd' }));
    b.clean();
  });

  it('many of one leg: the last 64 are known', () => {
    const b = new BackEnd();
    const w = b.talking();
    const say = (i: number, clientState: string): LegCommand => ({
      type: 'setClientState',
      account: 'default',
      control: w.control,
      commandId: `c${i}`,
      clientState,
    });
    for (let i = 0; i < 70; i++) b.ok(say(i, 'b25l'));
    b.ok(say(69, 'dHdv'));
    b.ok(say(6, 'dHdv'));
    assert.equal(b.voice.legOf(w.control)?.clientState, 'b25l');
    b.ok(say(5, 'dHdv'));
    assert.equal(b.voice.legOf(w.control)?.clientState, 'dHdv');
    const bytes = Buffer.byteLength(b.journal.get(`leg ${w.leg}`) ?? '');
    assert.ok(bytes < 16_000, `${bytes} bytes`);
    b.clean();
  });
});
