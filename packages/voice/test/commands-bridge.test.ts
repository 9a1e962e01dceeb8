import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BackEnd, type Party } from './back-end.ts';
import { sdp } from './voice-bench.ts';

/*
 * Two legs become a conversation, whichever is named first; and what becomes of one when the other goes.
 */

const BOTH_WAYS = [false, true] as const;
const way = (turned: boolean): string => (turned ? 'the other is named first' : 'it is named first');

function bridge(b: BackEnd, one: Party, other: Party, turned: boolean, more: object = {}): void {
  const [leg, target] = turned ? [other, one] : [one, other];
  b.do('bridge', leg, { with: target.control, ...more });
}

describe('two legs become a conversation', () => {
  for (const turned of BOTH_WAYS) {
    it(`parked and unanswered, the other up: it is answered, told so, then bridged (${way(turned)})`, () => {
      const b = new BackEnd();
      const [w, p] = [b.parked(), b.up()];
      bridge(b, w, p, turned);
      b.vsp.take('accepted');
      assert.deepEqual(b.of(w), ['initiated', 'answered', 'bridged']);
      assert.deepEqual(b.of(p), ['initiated', 'answered', 'bridged']);
      b.pair(w, p);
      b.clean();
    });

    it(`parked and unanswered, the other rings: hears of it, then its early media, then is answered (${way(turned)})`, () => {
      const b = new BackEnd();
      const [w, p] = [b.parked(), b.dialled()];
      bridge(b, w, p, turned);
      b.vsp.events.length = 0;
      b.answers(p, 180);
      b.answers(p, 183);
      assert.equal(b.vsp.take('progress').response.status, 183, '180 it has heard already');
      assert.equal(b.hears().get(w.leg), p.leg);
      b.answers(p, 183);
      assert.equal(b.vsp.has('progress'), false, 'each once');
      b.answers(p);
      b.vsp.take('accepted');
      assert.deepEqual(b.of(w), ['initiated', 'answered', 'bridged']);
      b.pair(w, p);
      b.clean();
    });

    it(`both parked and unanswered: both are answered (${way(turned)})`, () => {
      const b = new BackEnd();
      const [w, c] = [b.parked(), b.arrived()];
      bridge(b, w, c, turned);
      b.vsp.take('accepted');
      b.proxy.take('accepted');
      for (const party of [w, c]) assert.deepEqual(b.of(party), ['initiated', 'answered', 'bridged']);
      b.pair(w, c);
      b.clean();
    });

    it(`both parked, neither with an offer: both are answered with ours (${way(turned)})`, () => {
      const b = new BackEnd();
      const [w, c] = [b.parked('line1', [], null), b.arrived('+13125550190', null)];
      bridge(b, w, c, turned);
      for (const { far, dialog } of [w, c])
        if (far.has('accepted')) {
          far.take('accepted');
          far.act(far.agent.ack(dialog, sdp(), b.now));
        }
      for (const { far, dialog } of [w, c])
        if (far.has('accepted')) {
          far.take('accepted');
          far.act(far.agent.ack(dialog, sdp(), b.now));
        }
      for (const party of [w, c]) assert.deepEqual(b.of(party), ['initiated', 'answered', 'bridged']);
      b.pair(w, c);
      b.clean();
    });

    it(`up, the other rings: hears a tone if asked, early media, then the other (${way(turned)})`, () => {
      for (const [ringtone, sound] of [
        [true, 'ringback'],
        [false, 'silence'],
      ] as const) {
        const b = new BackEnd();
        const [w, p] = [b.talking(), b.dialled()];
        bridge(b, w, p, turned, { ringtone });
        assert.equal(b.hears().get(w.leg), sound);
        b.answers(p, 183);
        assert.equal(b.hears().get(w.leg), p.leg);
        b.answers(p);
        b.pair(w, p);
        assert.deepEqual(b.of(w), ['initiated', 'answered', 'bridged']);
        b.clean();
      }
    });

    it(`up and up: once each (${way(turned)})`, () => {
      const b = new BackEnd();
      const [w, p] = [b.talking(), b.up()];
      bridge(b, w, p, turned);
      b.pair(w, p);
      for (const party of [w, p]) assert.deepEqual(b.of(party), ['initiated', 'answered', 'bridged']);
      b.clean();
    });

    it(`answering, the other up: as soon as it is there (${way(turned)})`, () => {
      const b = new BackEnd();
      const [w, p] = [b.parked(), b.up()];
      b.mediaReply = ({ op }) => (op === 'answer' ? null : undefined);
      b.do('answer', w);
      b.mediaReply = () => undefined;
      bridge(b, w, p, turned);
      assert.deepEqual(b.of(p), ['initiated', 'answered']);
      // Media never answers: the end of it, and of the other by its own rule.
      b.advance(9_000);
      assert.deepEqual(b.of(w), ['initiated', 'hangup']);
      assert.equal(b.isAlive(p), false);
      b.clean();
    });
  }
});

type Who = 'the leg of the command' | 'the other leg';

describe('one of a bridge goes: the other ends, or is parked', () => {
  for (const after of ['hangup', 'park'] as const)
    for (const goes of ['the leg of the command', 'the other leg'] satisfies Who[])
      for (const how of ['BYE', 'a command', 'another bridge'] as const) {
        const stays = after === 'park' && goes === 'the other leg';
        it(`after: ${after}, ${goes} goes by ${how}: ${stays ? 'parked' : 'hung up'}`, () => {
          const b = new BackEnd();
          const [w, p] = [b.talking(), b.up()];
          b.do('bridge', w, { with: p.control, after });
          const [gone, left] = goes === 'the leg of the command' ? [w, p] : [p, w];
          if (how === 'BYE') b.hangsUp(gone);
          else if (how === 'a command') b.do('hangup', gone);
          else {
            const third = b.up();
            b.do('bridge', third, { with: gone.control });
            b.pair(third, gone);
          }
          if (stays) b.alone(left);
          else {
            assert.equal(b.isAlive(left), false);
            assert.match(b.hangup(left), /^normal_clearing 200/);
          }
          b.clean();
        });
      }

  it('what was asked of one bridge is not asked of the next: that one says nothing, and hangs up', () => {
    const b = new BackEnd();
    const [w, p, q] = [b.talking(), b.up(), b.up()];
    b.do('bridge', w, { with: p.control, after: 'park' });
    b.hangsUp(p);
    b.alone(w);
    b.do('bridge', q, { with: w.control });
    b.pair(w, q);
    b.hangsUp(q);
    assert.equal(b.isAlive(w), false);
    b.clean();
  });

  it('a leg that was parked so is bridged again, and again', () => {
    const b = new BackEnd();
    const w = b.talking();
    for (let i = 0; i < 3; i++) {
      const p = b.up();
      b.do('bridge', w, { with: p.control, after: 'park' });
      b.pair(w, p);
      b.hangsUp(p);
      b.alone(w);
    }
    assert.deepEqual(b.of(w), ['initiated', 'answered', 'bridged', 'bridged', 'bridged']);
    b.clean();
  });
});

describe('one goes before the conversation', () => {
  const GOES: readonly (readonly [string, (b: BackEnd, p: Party) => void, string])[] = [
    ['busy', (b, p) => b.answers(p, 486), 'user_busy 486 callee'],
    ['no answer in time', (b) => b.advance(31_000), 'timeout 487 unknown'],
    ['hung up by command', (b, p) => b.do('hangup', p), 'originator_cancel 487 unknown'],
  ];
  for (const turned of BOTH_WAYS)
    for (const [named, goes, hangup] of GOES) {
      it(`who rings is ${named}: a parked caller is refused with that (${way(turned)})`, () => {
        const b = new BackEnd();
        const [w, p] = [b.parked(), b.dialled()];
        bridge(b, w, p, turned);
        goes(b, p);
        if (named === 'hung up by command') b.answers(p, 487);
        assert.equal(b.hangup(p), hangup);
        assert.equal(b.isAlive(w), false);
        b.vsp.take('failed');
        b.clean();
      });

      it(`who rings is ${named}: an answered caller stays where it is to (${way(turned)})`, () => {
        const b = new BackEnd();
        const [w, p] = [b.talking(), b.dialled()];
        b.do('bridge', w, { with: p.control, after: 'park' });
        goes(b, p);
        assert.equal(b.hangup(p), hangup);
        b.alone(w);
        b.clean();
      });
    }

  it('the parked caller gives up: who rings for it is called off', () => {
    const b = new BackEnd();
    const [w, p] = [b.parked(), b.dialled()];
    b.do('bridge', w, { with: p.control });
    b.givesUp(w);
    b.proxy.take('cancelled');
    assert.equal(b.hangup(w), 'originator_cancel 487 caller');
    assert.equal(b.hangup(p), 'originator_cancel 487 caller');
    b.clean();
  });
});

describe('a transfer', () => {
  for (const caller of ['unanswered', 'answered'] as const)
    for (const [named, ends] of [
      ['busy', (b: BackEnd, p: Party) => b.answers(p, 486)],
      ['silent', (b: BackEnd) => b.advance(31_000)],
      ['hung up by command', (b: BackEnd, p: Party) => b.do('hangup', p)],
    ] as const)
      it(`the target is ${named}: the ${caller} caller stays parked, and can be transferred again`, () => {
        const b = new BackEnd();
        const w = caller === 'answered' ? b.talking() : b.parked();
        for (let i = 0; i < 2; i++) {
          b.do('transfer', w, { to: '+15550144' });
          const p = b.transferred();
          assert.equal(b.last(p).leg.session, b.last(w).leg.session);
          ends(b, p);
          assert.deepEqual(b.of(p), ['initiated', 'hangup']);
          assert.ok(b.isAlive(w));
          if (caller === 'answered') b.alone(w);
        }
        b.do('transfer', w, { to: '+15550144' });
        const p = b.transferred();
        b.answers(p);
        b.pair(w, p);
        assert.equal(b.of(w).at(-1), 'bridged');
        assert.equal(b.of(p).at(-1), 'bridged');
        b.hangsUp(p);
        assert.equal(b.isAlive(w), false, 'once they have talked it ends with the other');
        b.clean();
      });

  it('nobody is to be reached: the new leg begins and ends, the caller stays', () => {
    const b = new BackEnd();
    const w = b.talking();
    b.do('transfer', w, { to: 'sip:nobody@sip.localhost' });
    const { leg } = b.news.findLast(({ what }) => what.type === 'initiated')!;
    assert.deepEqual(b.of(leg), ['initiated', 'hangup']);
    assert.equal(b.hangup(leg), 'not_found 404 unknown');
    b.alone(w);
    b.clean();
  });

  it('of a leg in a bridge: it leaves, and the one it talked with goes by its own rule', () => {
    for (const after of ['hangup', 'park'] as const) {
      const b = new BackEnd();
      const [w, p] = [b.talking(), b.up()];
      b.do('bridge', p, { with: w.control, after });
      b.do('transfer', w, { to: '+15550144' });
      const next = b.transferred();
      if (after === 'park') b.alone(p);
      else assert.equal(b.isAlive(p), false);
      b.answers(next);
      b.pair(w, next);
      b.clean();
    }
  });

  it('twice at once: the second target takes the place of the first', () => {
    const b = new BackEnd();
    const w = b.talking();
    b.do('transfer', w, { to: '+15550144' });
    const first = b.transferred();
    b.do('transfer', w, { to: '+15550145' });
    const second = b.transferred();
    assert.equal(b.isAlive(first), false);
    b.answers(first);
    b.answers(second);
    b.pair(w, second);
    b.clean();
  });

  it('early media of the target is heard, unless it is not wanted', () => {
    for (const [earlyMedia, heard] of [
      [true, true],
      [false, false],
    ] as const) {
      const b = new BackEnd();
      const w = b.talking();
      b.do('transfer', w, { to: '+15550144', earlyMedia });
      const p = b.transferred();
      b.answers(p, 183);
      assert.equal(b.hears().get(w.leg), heard ? p.leg : 'ringback');
      b.answers(p);
      b.pair(w, p);
      b.clean();
    }
  });
});

describe('a third leg', () => {
  it('takes one of two; the other is parked, and takes it back', () => {
    const b = new BackEnd();
    const [w, p, q] = [b.talking(), b.up(), b.up()];
    b.do('bridge', p, { with: w.control, after: 'park' });
    b.do('bridge', q, { with: w.control, after: 'park' });
    b.pair(q, w);
    b.alone(p);
    b.do('bridge', p, { with: w.control, after: 'park' });
    b.pair(p, w);
    b.alone(q);
    b.do('bridge', p, { with: q.control });
    b.pair(p, q);
    assert.equal(b.isAlive(w), false);
    b.clean();
  });

  it('two pairs change partners', () => {
    const b = new BackEnd();
    const legs = [b.talking(), b.up(), b.talking(b.arrived()), b.up()] as const;
    const [w, p, c, q] = legs;
    b.do('bridge', p, { with: w.control, after: 'park' });
    b.do('bridge', c, { with: q.control, after: 'park' });
    // q has no rule of its own: it ends.
    b.do('bridge', c, { with: w.control });
    b.pair(c, w);
    b.alone(p);
    assert.equal(b.isAlive(q), false);
    b.clean();
  });

  it('each of three hangs up, in each order', () => {
    for (const order of [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ] as const) {
      const b = new BackEnd();
      const legs = [b.talking(), b.up(), b.up()] as const;
      b.do('bridge', legs[0], { with: legs[1].control, after: 'park' });
      b.do('bridge', legs[2], { with: legs[0].control, after: 'park' });
      for (const i of order)
        if (b.isAlive(legs[i])) b.do('hangup', legs[i]);
        else assert.equal(b.tries('hangup', legs[i]), 'ended');
      for (const party of legs) assert.equal(b.of(party).at(-1), 'hangup');
      b.clean();
    }
  });
});

describe('who is muted for digits', () => {
  for (const [muteDigits, legMuted, otherMuted] of [
    ['none', false, false],
    ['self', true, false],
    ['opposite', false, true],
    ['both', true, true],
  ] as const)
    it(`${muteDigits}: the digits of the leg are ${legMuted ? 'kept' : 'passed on'}, those of the other ${otherMuted ? 'kept' : 'passed on'}`, () => {
      const b = new BackEnd();
      const [w, p] = [b.talking(), b.up()];
      b.do('bridge', w, { with: p.control, muteDigits });
      const source = (leg: string) =>
        b.media.findLast((c) => c.op === 'source' && c.leg === leg && c.source.kind === 'leg');
      const carries = (leg: string): boolean => {
        const command = source(leg);
        assert.ok(command?.op === 'source' && command.source.kind === 'leg');
        return command.source.digits !== false;
      };
      assert.equal(carries(p.leg), !legMuted);
      assert.equal(carries(w.leg), !otherMuted);
      for (const { far, dialog } of [w, p]) {
        const info = { method: 'INFO', contentType: 'application/dtmf', body: '5' };
        far.act(far.agent.requestInDialog(dialog, info, 'i', b.now));
      }
      const sent = b.media.filter((c) => c.op === 'dtmf').map(({ leg }) => leg);
      assert.deepEqual(sent.sort(), [...(legMuted ? [] : [p.leg]), ...(otherMuted ? [] : [w.leg])].sort());
      for (const party of [w, p]) assert.ok(b.of(party).includes('digit'), 'told all the same');
      b.clean();
    });
});

describe('hold, told and heard', () => {
  it('of one in a bridge: hold, unhold, once each; the other hears music', () => {
    const b = new BackEnd();
    const [w, p] = [b.talking(), b.up()];
    b.do('bridge', w, { with: p.control });
    b.holds(w);
    assert.equal(b.hears().get(p.leg), 'music');
    b.holds(w);
    b.holds(w, false);
    assert.deepEqual(b.of(w), ['initiated', 'answered', 'bridged', 'held', 'unheld']);
    assert.deepEqual(b.of(p), ['initiated', 'answered', 'bridged']);
    b.pair(w, p);
    b.clean();
  });

  it('of a parked leg; bridged while it holds, it is not heard until it takes that back', () => {
    const b = new BackEnd();
    const [w, p] = [b.talking(), b.up()];
    b.holds(w);
    assert.deepEqual(b.of(w), ['initiated', 'answered', 'held']);
    b.do('bridge', p, { with: w.control });
    assert.deepEqual([b.hears().get(w.leg), b.hears().get(p.leg)], ['silence', 'music']);
    b.holds(w, false);
    b.pair(w, p);
    assert.deepEqual(b.of(w), ['initiated', 'answered', 'held', 'bridged', 'unheld']);
    b.clean();
  });
});
