import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ATTACHMENT } from '@sidetone/wire';
import { BackEnd, type Party } from './back-end.ts';
import { dial } from './callers.ts';
import { sdp } from './voice-bench.ts';

/*
 * Commands that cross what peers, media and other machines do.
 */

/** What media says comes later, in the order in which it was asked. */
function slow(b: BackEnd, op: string): () => void {
  b.mediaReply = (command) => (command.op === op ? null : undefined);
  return () => {
    b.mediaReply = () => undefined;
  };
}

describe('a command and a hang-up cross: the first one counts', () => {
  it('CANCEL behind `answer`, which media is working on: no 200, no event of an answer', () => {
    const b = new BackEnd();
    const w = b.parked();
    const fast = slow(b, 'answer');
    b.do('answer', w);
    b.givesUp(w);
    fast();
    assert.deepEqual(b.of(w), ['initiated', 'hangup']);
    assert.equal(b.hangup(w), 'originator_cancel 487 caller');
    b.clean();
  });

  it('`hangup` behind `answer`: refused by a final response, never a 200', () => {
    const b = new BackEnd();
    const w = b.parked();
    const fast = slow(b, 'answer');
    b.do('answer', w);
    b.do('hangup', w);
    fast();
    assert.ok(b.vsp.take('failed').status >= 400);
    assert.equal(b.vsp.has('accepted'), false);
    assert.deepEqual(b.of(w), ['initiated', 'hangup']);
    b.clean();
  });

  it('2xx behind the CANCEL of `hangup`: ACK and BYE, no event of an answer', () => {
    const b = new BackEnd();
    const p = b.dialled();
    // Its 200 is on the way already.
    for (const out of b.proxy.agent.respond(p.dialog, 200, { sdp: sdp() }, b.now))
      if (out.type === 'sip') b.toVoice('proxy', out.message);
    b.do('hangup', p);
    b.proxy.take('bye');
    assert.deepEqual(b.of(p), ['initiated', 'hangup']);
    assert.equal(b.records[0]?.answered_at, undefined);
    b.clean();
  });

  it('BYE while a bridge waits for the answer of the one', () => {
    const b = new BackEnd();
    const [w, p] = [b.parked(), b.up()];
    const fast = slow(b, 'answer');
    b.do('bridge', p, { with: w.control, after: 'park' });
    b.hangsUp(p);
    fast();
    assert.equal(b.isAlive(w), false);
    assert.deepEqual(b.of(w), ['initiated', 'hangup']);
    b.clean();
  });

  it('the other way round: the one gives up before its answer, the other is parked', () => {
    const b = new BackEnd();
    const [w, p] = [b.parked(), b.up()];
    const fast = slow(b, 'answer');
    b.do('bridge', p, { with: w.control, after: 'park' });
    b.givesUp(w);
    fast();
    b.alone(p);
    assert.deepEqual(b.of(p), ['initiated', 'answered']);
    b.clean();
  });

  it('`bridge` with one that has just hung up: 90018, and the other is as it was', () => {
    const b = new BackEnd();
    const [w, p] = [b.talking(), b.up()];
    b.hangsUp(p);
    assert.equal(b.tries('bridge', w, { with: p.control }), 'ended call_control_id');
    assert.equal(b.tries('bridge', p, { with: w.control }), 'ended');
    b.alone(w);
    b.clean();
  });

  it('media refuses the answer of a bridge: the one ends, the other is parked', () => {
    const b = new BackEnd();
    const [w, p] = [b.parked(), b.up()];
    b.mediaReply = ({ op }) => (op === 'answer' ? { ok: false, error: 'no-port', message: '' } : undefined);
    b.do('bridge', p, { with: w.control, after: 'park' });
    assert.deepEqual(b.of(w), ['initiated', 'hangup']);
    b.mediaReply = () => undefined;
    b.alone(p);
    b.clean();
  });

  it('who is dialled refuses while a bridge waits for it, and the caller gives up at once', () => {
    const b = new BackEnd();
    const [w, p] = [b.parked(), b.dialled()];
    b.do('bridge', w, { with: p.control });
    b.answers(p, 486);
    b.givesUp(w);
    assert.equal(b.hangup(p), 'user_busy 486 callee');
    assert.equal(b.hangup(w), 'user_busy 486 callee');
    b.clean();
  });
});

describe('a dial that bridges by itself', () => {
  it('is bridged by command before it has answered: bridged all the same', () => {
    const b = new BackEnd();
    const w = b.talking();
    const p = b.dialled({ link: w.control, bridgeOnAnswer: true });
    b.do('bridge', w, { with: p.control });
    b.answers(p);
    b.pair(w, p);
    assert.deepEqual(b.of(p), ['initiated', 'answered', 'bridged']);
    b.clean();
  });

  it('its caller is transferred elsewhere meanwhile: it ends, the caller talks on', () => {
    const b = new BackEnd();
    const w = b.talking();
    const p = b.dialled({ link: w.control, bridgeOnAnswer: true });
    b.do('transfer', w, { to: '+15550144' });
    const next = b.transferred();
    b.answers(next);
    b.answers(p);
    b.pair(w, next);
    assert.deepEqual(b.of(p), ['initiated', 'answered', 'hangup']);
    b.clean();
  });

  it('its caller is gone: it ends', () => {
    const b = new BackEnd();
    const w = b.talking();
    const p = b.dialled({ link: w.control, bridgeOnAnswer: true, after: 'park' });
    b.hangsUp(w);
    b.answers(p);
    assert.deepEqual(b.of(p), ['initiated', 'answered', 'hangup']);
    b.clean();
  });

  it('answers an unanswered caller, `answered` before `bridged`', () => {
    const b = new BackEnd();
    const c = b.arrived();
    const p = b.dialled({ link: c.control, bridgeOnAnswer: true });
    b.answers(p);
    b.proxy.take('accepted');
    assert.deepEqual(b.of(c), ['initiated', 'answered', 'bridged']);
    b.pair(c, p);
    b.clean();
  });
});

describe('the first command of a caller', () => {
  it('none in time: it ends', () => {
    const b = new BackEnd();
    const c = b.arrived('+13125550191');
    b.advance(29_000);
    assert.ok(b.isAlive(c));
    b.advance(2_000);
    assert.equal(b.hangup(c), 'timeout 487 unknown');
    b.clean();
  });

  const COMMANDS: readonly [string, (b: BackEnd, c: Party) => void][] = [
    ['setClientState', (b, c) => b.do('setClientState', c, { clientState: 'aGk=' })],
    ['answer', (b, c) => b.do('answer', c)],
    ['transfer', (b, c) => b.do('transfer', c, { to: '+15550144' })],
    ['bridge, of it', (b, c) => b.do('bridge', c, { with: b.dialled().control })],
    ['bridge, with it', (b, c) => b.do('bridge', b.dialled(), { with: c.control })],
    ['dial, linked with it', (b, c) => b.dialled({ link: c.control })],
    ['dial, bridged with it on answer', (b, c) => b.dialled({ link: c.control, bridgeOnAnswer: true })],
  ];
  for (const [named, command] of COMMANDS)
    it(`${named}: it is no longer waited for`, () => {
      const b = new BackEnd();
      const c = b.arrived('+13125550191');
      b.advance(20_000);
      command(b, c);
      b.advance(12_000);
      assert.ok(b.isAlive(c), b.hangup(c));
      b.clean();
    });

  it('a caller that talks is not cut off', () => {
    for (const turned of [false, true]) {
      const b = new BackEnd();
      const [c, p] = [b.arrived('+13125550191'), b.up()];
      if (turned) b.do('bridge', c, { with: p.control });
      else b.do('bridge', p, { with: c.control });
      b.advance(100_000);
      b.pair(c, p);
      b.clean();
    }
  });
});

/** A client W of line1, answered, talks with P; `after` of each. */
function pairUp(b: BackEnd, after: 'hangup' | 'park'): [w: Party, p: Party] {
  const [w, p] = [b.talking(), b.up()];
  b.do('bridge', p, { with: w.control, after });
  b.proxy.events.length = 0;
  b.vsp.events.length = 0;
  return [w, p];
}

describe('a transfer that a party asked for, and commands', () => {
  const REFER = '<sip:+15550144@sip.localhost>';

  it('who stays is bridged elsewhere: the target is called off, who asked goes by its own rule', () => {
    for (const after of ['hangup', 'park'] as const) {
      const b = new BackEnd();
      const [w, p] = pairUp(b, 'hangup');
      if (after === 'park') b.do('bridge', w, { with: p.control, after });
      assert.equal(b.refers(w, REFER), 202);
      const target = b.rings();
      const third = b.up();
      b.do('bridge', third, { with: p.control });
      b.pair(third, p);
      b.proxy.take('cancelled');
      b.answers(target, 487);
      if (after === 'park') b.alone(w);
      else assert.equal(b.isAlive(w), false);
      b.clean();
    }
  });

  it('who asked is bridged elsewhere: it stays there, and the transfer goes on', () => {
    const b = new BackEnd();
    const [w, p] = pairUp(b, 'hangup');
    assert.equal(b.refers(w, REFER), 202);
    const target = b.rings();
    const third = b.up();
    b.do('bridge', third, { with: w.control });
    b.pair(third, w);
    b.answers(target);
    b.pair(third, w);
    assert.ok(b.isAlive(p));
    const heard = b.hears();
    assert.notEqual(heard.get(p.leg), 'ringback');
    assert.equal(heard.get(heard.get(p.leg) ?? ''), p.leg, JSON.stringify([...heard]));
    b.clean();
  });

  it('who asked is bridged elsewhere, and the target is busy: who stays goes by its own rule', () => {
    for (const after of ['hangup', 'park'] as const) {
      const b = new BackEnd();
      const [w, p] = pairUp(b, after);
      b.refers(w, REFER);
      const target = b.rings();
      const third = b.up();
      b.do('bridge', third, { with: w.control });
      b.answers(target, 486);
      b.pair(third, w);
      if (after === 'park') b.alone(p);
      else assert.equal(b.isAlive(p), false);
      b.clean();
    }
  });

  it('who asked hangs up, and the target is busy: who stays goes by its own rule', () => {
    for (const after of ['hangup', 'park'] as const) {
      const b = new BackEnd();
      const [w, p] = pairUp(b, after);
      b.refers(w, REFER);
      const target = b.rings();
      b.hangsUp(w);
      b.answers(target, 486);
      if (after === 'park') b.alone(p);
      else assert.equal(b.isAlive(p), false);
      b.clean();
    }
  });

  it('who stays hangs up: who asked goes by its own rule, the target is called off', () => {
    for (const after of ['hangup', 'park'] as const) {
      const b = new BackEnd();
      const [w, p] = pairUp(b, 'hangup');
      b.do('bridge', w, { with: p.control, after });
      b.refers(w, REFER);
      b.rings();
      b.hangsUp(p);
      b.proxy.take('cancelled');
      if (after === 'park') b.alone(w);
      else assert.equal(b.isAlive(w), false);
      b.clean();
    }
  });

  it('each is hung up by command, at each moment', () => {
    for (const who of [0, 1] as const)
      for (const answered of [false, true]) {
        const b = new BackEnd();
        const legs = pairUp(b, 'hangup');
        b.refers(legs[0], REFER);
        const target = b.rings();
        if (answered) b.answers(target, 183);
        b.do('hangup', legs[who]);
        assert.equal(b.of(legs[who]).at(-1), 'hangup');
        b.clean();
      }
  });

  it('both are transferred by command meanwhile: nobody is left behind', () => {
    const b = new BackEnd();
    const [w, p] = pairUp(b, 'park');
    b.refers(w, REFER);
    const target = b.rings();
    b.do('transfer', w, { to: '+15550145' });
    const first = b.transferred();
    b.do('transfer', p, { to: '+15550146' });
    const second = b.transferred();
    b.answers(target, 487);
    b.answers(first);
    b.answers(second);
    b.pair(w, first);
    b.pair(p, second);
    b.clean();
  });

  it('of a parked leg: refused, there is nobody to hand over', () => {
    const b = new BackEnd();
    const w = b.talking();
    assert.equal(b.refers(w, REFER), 480);
    b.alone(w);
    b.clean();
  });
});

describe('legs at special places', () => {
  it('an echo is left for a bridge', () => {
    const b = new BackEnd();
    dial(b, '9196', { user: 'line5', callId: 'echo' });
    const { leg } = b.news[0]!;
    const w: Party = { far: b.vsp, dialog: '', control: leg.control, leg: leg.leg };
    assert.equal(b.hears().get(w.leg), 'echo');
    const p = b.up();
    b.do('bridge', p, { with: w.control });
    b.pair(w, p);
    b.do('hangup', w);
    assert.equal(b.isAlive(p), false);
    b.clean();
    assert.equal(b.records.filter(({ kind }) => kind === 'service').length, 1, 'the echo is recorded');
  });

  it('a client that is away is bridged, comes back, and hears the other', () => {
    const b = new BackEnd();
    const [w, p] = [b.talking(), b.up()];
    const tell = (contentType: string): void => {
      const info = { method: 'INFO', contentType, body: '' };
      b.vsp.act(b.vsp.agent.requestInDialog(w.dialog, info, 'att', b.now));
    };
    tell(ATTACHMENT.away);
    b.tell({ type: 'mediaEvent', event: { event: 'failed', leg: w.leg, why: 'rtp' } });
    assert.ok(b.isAlive(w), 'silence is no failure while it is away');
    b.do('bridge', p, { with: w.control });
    tell(ATTACHMENT.back);
    b.advance(1_000);
    b.pair(w, p);
    assert.deepEqual(b.of(w), ['initiated', 'answered', 'bridged']);
    b.clean();
  });

  it('silence of a parked leg is no failure; of one that talks it is', () => {
    const b = new BackEnd();
    const [w, p] = [b.talking(), b.up()];
    const silent = (party: Party): void =>
      b.tell({ type: 'mediaEvent', event: { event: 'failed', leg: party.leg, why: 'rtp' } });
    silent(w);
    b.alone(w);
    b.do('bridge', w, { with: p.control });
    silent(p);
    assert.equal(b.isAlive(p), false);
    assert.equal(b.isAlive(w), false);
    b.clean();
  });
});

describe('answers and offers of unusual kinds', () => {
  it('an offerless parked caller is answered with our offer; its ACK has the answer', () => {
    const b = new BackEnd();
    const w = b.parked('line1', [], null);
    b.do('answer', w);
    b.vsp.take('accepted');
    b.vsp.act(b.vsp.agent.ack(w.dialog, sdp(), b.now));
    const p = b.up();
    b.do('bridge', w, { with: p.control });
    b.pair(w, p);
    b.clean();
  });

  it('its ACK has none of use: it ends, and with it the bridge', () => {
    const b = new BackEnd();
    const w = b.parked('line1', [], null);
    b.do('answer', w);
    b.vsp.take('accepted');
    const p = b.up();
    b.do('bridge', p, { with: w.control, after: 'park' });
    b.mediaReply = ({ op }) => (op === 'accept' ? { ok: false, error: 'no-codec', message: '' } : undefined);
    b.vsp.act(b.vsp.agent.ack(w.dialog, sdp(), b.now));
    b.advance(5_000);
    assert.equal(b.isAlive(w), false);
    b.alone(p);
    b.clean();
  });

  it('glare: commands during our re-INVITE and theirs', () => {
    const b = new BackEnd();
    const [w, p, q] = [b.talking(), b.up(), b.up()];
    b.do('bridge', p, { with: w.control, after: 'park' });
    // w holds: the carrier is asked to listen only; before its answer comes w is taken away.
    b.holds(w);
    const asked = b.proxy.take('reinvite');
    b.do('bridge', q, { with: w.control });
    b.proxy.act(b.proxy.agent.respondReinvite(p.dialog, asked.tx, 200, { sdp: sdp() }, b.now));
    b.holds(w, false);
    b.pair(q, w);
    b.alone(p);
    b.clean();
  });
});
