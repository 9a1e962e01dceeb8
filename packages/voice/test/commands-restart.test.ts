import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BackEnd, type Party } from './back-end.ts';
import { dial } from './callers.ts';

/*
 * The process dies; the next one reads the journal. Answered legs stay where they are, lanes count on, and what was not answered ends, told.
 */

describe('a leg that the process before had answered', () => {
  it('parked stays parked, in silence, and is commanded on', () => {
    const b = new BackEnd();
    const w = b.talking();
    b.do('setClientState', w, { clientState: 'aGk=' });
    b.restart();
    b.alone(w);
    assert.equal(b.voice.legOf(w.control)?.clientState, 'aGk=');
    const p = b.up({ link: w.control });
    b.do('bridge', p, { with: w.control });
    b.pair(w, p);
    assert.deepEqual(b.of(w), ['initiated', 'answered', 'bridged']);
    b.clean();
  });

  for (const after of ['hangup', 'park'] as const)
    it(`bridged by command stays so, and its end is as it was to be: ${after}`, () => {
      const b = new BackEnd();
      const [w, p] = [b.talking(), b.up()];
      b.do('bridge', w, { with: p.control, after, muteDigits: 'self' });
      const media = b.media.length;
      b.restart();
      const told = b.media.slice(media).filter(({ op }) => op !== 'claim');
      assert.ok(
        told.every(({ op }) => op === 'source' || op === 'keep'),
        JSON.stringify(told),
      );
      b.pair(w, p);
      const source = b.media.findLast((c) => c.op === 'source' && c.leg === p.leg);
      assert.ok(source?.op === 'source' && source.source.kind === 'leg' && source.source.digits === false);
      b.hangsUp(p);
      if (after === 'park') b.alone(w);
      else assert.equal(b.isAlive(w), false);
      assert.deepEqual(b.of(p), ['initiated', 'answered', 'bridged', 'hangup']);
      b.clean();
    });

  it('in a bridge with one that rings: that one dies with the process, it stays parked', () => {
    for (const make of ['bridge', 'transfer', 'dial'] as const) {
      const b = new BackEnd();
      const w = b.talking();
      let p: Party;
      if (make === 'transfer') {
        b.do('transfer', w, { to: '+15550144' });
        p = b.transferred();
      } else {
        p = b.dialled({ link: w.control, bridgeOnAnswer: make === 'dial' });
        if (make === 'bridge') b.do('bridge', w, { with: p.control });
      }
      b.restart();
      assert.deepEqual(b.of(p), ['initiated', 'hangup']);
      b.alone(w);
      b.do('transfer', w, { to: '+15550144' });
      const next = b.transferred();
      b.answers(next);
      b.pair(w, next);
      b.clean();
    }
  });

  it('in a transfer of its party: that is off, the bridge as it was', () => {
    const b = new BackEnd();
    const [w, p] = [b.talking(), b.up()];
    b.do('bridge', p, { with: w.control, after: 'park' });
    assert.equal(b.refers(w, '<sip:+15550144@sip.localhost>'), 202);
    b.restart();
    b.pair(w, p);
    b.hangsUp(w);
    b.alone(p);
    b.clean();
  });

  it('of a plain call whose other side was not answered yet: it ends, nobody would look after it', () => {
    const b = new BackEnd();
    dial(b, 'line5', { user: 'line2', from: '<sip:line2@sip.localhost>', callId: 'plain' });
    b.bound(['sip:s1@vsp.sidetone.invalid']);
    const agent = b.rings();
    const { lane } = b.news[0]!;
    b.mediaReply = ({ op }) => (op === 'answer' ? null : undefined);
    b.answers(agent);
    assert.deepEqual(b.of({ leg: lane }), ['initiated', 'answered']);
    b.mediaReply = () => undefined;
    b.restart();
    assert.deepEqual(b.of({ leg: lane }), ['initiated', 'answered', 'hangup']);
    b.proxy.take('bye');
    b.clean();
  });

  it('of a plain call that a back end has answered: it stays parked, somebody looks after it', () => {
    const b = new BackEnd();
    const dialog = dial(b, '+15550100', { user: 'line5', callId: 'plain' });
    const { leg: ids } = b.news[0]!;
    const w: Party = { far: b.vsp, dialog, control: ids.control, leg: ids.leg };
    b.rings();
    b.do('answer', w);
    b.restart();
    b.alone(w);
    b.clean();
  });

  it('whose party has handed it over and hung up: the transfer is off, and it goes by its own rule', () => {
    for (const after of ['hangup', 'park'] as const) {
      const b = new BackEnd();
      const [w, p] = [b.talking(), b.up()];
      b.do('bridge', p, { with: w.control, after });
      b.refers(w, '<sip:+15550144@sip.localhost>');
      b.hangsUp(w);
      b.restart();
      if (after === 'park') b.alone(p);
      else assert.equal(b.isAlive(p), false);
      b.clean();
    }
  });

  it('by its second device: that media has let go of the first is no end of it', () => {
    const b = new BackEnd();
    const ids = b.ok(b.dialCommand({ to: ['sip:line2@sip.localhost'] }))!;
    b.bound(['sip:s1@vsp.sidetone.invalid', 'sip:s2@vsp.sidetone.invalid']);
    const [first, second] = [b.rings(), b.rings()];
    b.mediaReply = ({ op }) => (op === 'close' ? null : undefined);
    b.answers(second);
    b.mediaReply = () => undefined;
    const agent: Party = { ...second, control: ids.control, leg: ids.leg };
    assert.equal(b.engine.size, 1);
    b.restart();
    assert.ok(b.isAlive(agent), b.hangup(agent));
    b.answers(first, 487);
    assert.deepEqual(b.of(agent), ['initiated', 'answered']);
    b.do('hangup', agent);
    b.clean();
  });

  it('with a time limit: it counts on', () => {
    const b = new BackEnd();
    const p = b.up({ limitMs: 60_000 });
    b.advance(30_000);
    b.restart();
    b.advance(31_000);
    assert.equal(b.hangup(p), 'time_limit 200 unknown');
    b.clean();
  });

  it('held by its peer: still held, and the end of that is told', () => {
    const b = new BackEnd();
    const w = b.talking();
    b.holds(w);
    b.restart();
    b.holds(w, false);
    assert.deepEqual(b.of(w), ['initiated', 'answered', 'held', 'unheld']);
    b.clean();
  });
});

describe('a leg that is over', () => {
  it('is 90018, not 90015, for 10 minutes, in the next process too; to others it is unknown', () => {
    const b = new BackEnd();
    const w = b.talking();
    b.hangsUp(w);
    for (let i = 0; i < 3; i++) {
      b.restart();
      assert.equal(b.tries('hangup', w), 'ended');
      assert.equal(b.tries('setClientState', w, { clientState: 'aGk=' }), 'ended');
      assert.equal(b.refusal({ type: 'hangup', account: 'other', control: w.control }), 'unknownLeg');
      assert.equal(b.refusal(b.dialCommand({ link: w.control })), 'ended link_to');
      b.advance(190_000);
    }
    const view = b.voice.legOf(w.control);
    assert.equal(view?.alive, false);
    assert.ok(view.endedAt !== null && view.answeredAt !== null);
    b.advance(31_000);
    assert.equal(b.tries('hangup', w), 'unknownLeg');
    assert.equal(b.voice.legOf(w.control), undefined);
    b.clean();
  });

  it('that was ending when the process died has one hang-up event', () => {
    const b = new BackEnd();
    const w = b.talking();
    b.mediaReply = ({ op }) => (op === 'close' ? null : undefined);
    b.hangsUp(w);
    assert.deepEqual(b.of(w), ['initiated', 'answered']);
    b.mediaReply = () => undefined;
    b.restart();
    assert.deepEqual(b.of(w), ['initiated', 'answered', 'hangup']);
    assert.equal(b.hangup(w), 'normal_clearing 200 caller');
    b.restart();
    assert.equal(b.of(w).length, 3);
    b.clean();
  });
});

describe('lanes count on over deaths', () => {
  const STEPS: readonly ((b: BackEnd, w: Party, p: Party) => void)[] = [
    (b, w, p) => b.do('bridge', p, { with: w.control, after: 'park' }),
    (b, w) => b.holds(w),
    (b, w) => b.holds(w, false),
    (b, w) => b.hangsUp(w),
    (b, _, p) => b.do('hangup', p),
  ];

  it('between any two steps', () => {
    for (let dies = 0; dies <= STEPS.length; dies++) {
      const b = new BackEnd();
      const [w, p] = [b.talking(), b.up()];
      STEPS.forEach((step, i) => {
        if (i === dies) b.restart();
        step(b, w, p);
      });
      assert.deepEqual(b.of(w), ['initiated', 'answered', 'bridged', 'held', 'unheld', 'hangup']);
      assert.deepEqual(b.of(p), ['initiated', 'answered', 'bridged', 'hangup']);
      b.clean();
    }
  });

  it('behind the journal of a bridge: its legs hear each other, though nobody had told media', () => {
    for (const swap of [false, true]) {
      const b = new BackEnd();
      const [w, p, q] = [b.talking(), b.up(), b.up()];
      if (swap) b.do('bridge', w, { with: q.control, after: 'park' });
      b.dying = true;
      assert.throws(() => b.do('bridge', w, { with: p.control }), /without an answer/);
      b.pair(w, p);
      b.do('hangup', p);
      b.clean();
    }
  });

  it('behind the journal of the end of a bridge: who is parked hears silence', () => {
    const b = new BackEnd();
    const [w, p] = [b.talking(), b.up()];
    b.do('bridge', w, { with: p.control, after: 'park' });
    b.dying = true;
    assert.throws(() => b.do('hangup', p), /without an answer/);
    b.alone(w);
    b.clean();
  });

  it('behind the journal of any step: what was written was told, no event is there twice', () => {
    for (let dies = 0; dies < STEPS.length; dies++) {
      const b = new BackEnd();
      const [w, p] = [b.talking(), b.up()];
      STEPS.forEach((step, i) => {
        b.dying = i === dies;
        try {
          step(b, w, p);
        } catch {
          // The command has no answer: its process died.
        }
        b.dying = false;
      });
      b.clean();
    }
  });
});

describe('what the release before has written', () => {
  it('legs without anything of back ends: commanded from now on', () => {
    const b = new BackEnd();
    const dialog = dial(b, '+15550100', { user: 'line5', callId: 'plain' });
    const { leg: ids } = b.news[0]!;
    const w: Party = { far: b.vsp, dialog, control: ids.control, leg: ids.leg };
    b.answers(b.rings());
    for (const [key, text] of b.journal) {
      const entry = JSON.parse(text) as { leg?: { program?: unknown } };
      if (entry.leg === undefined) continue;
      delete entry.leg.program;
      b.journal.set(key, JSON.stringify(entry));
    }
    b.restart();
    assert.equal(b.tries('setClientState', w, { account: 'other', clientState: 'aGk=' }), 'unknownLeg');
    b.do('setClientState', w, { clientState: 'aGk=' });
    b.do('transfer', w, { to: '+15550144' });
    const next = b.transferred();
    b.answers(next);
    b.pair(w, next);
    b.tell({ type: 'drain' });
    b.advance(700_000);
    assert.deepEqual(b.voice.size, { calls: 0, media: 0, dialogs: 0 });
    assert.deepEqual([...b.journal.keys()], []);
  });
});
