import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HEADER } from '@sidetone/wire';
import { BackEnd, type Party } from './back-end.ts';
import { sdp } from './voice-bench.ts';

/*
 * The sequences that published programs rely on, and what goes wrong in them elsewhere.
 */

const types = (b: BackEnd, ...parties: Party[]): string[] =>
  b.news.map(({ lane, what }) => `${what.type} ${parties.findIndex(({ leg }) => leg === lane)}`);

describe('sequence A: a client calls, is parked, and bridged to a carrier', () => {
  for (const answersFirst of [true, false])
    for (const byItself of [true, false])
      it(`${answersFirst ? 'answered first' : 'left ringing'}, bridged ${byItself ? 'on answer' : 'by command'}`, () => {
        const b = new BackEnd();
        const w = b.parked('line1', [[HEADER.clientState, 'c3RhcnQ=']]);
        assert.equal(b.last(w).clientState, 'c3RhcnQ=');
        assert.equal(b.last(w).leg.to, '+15550100', 'what was dialled, as it was dialled');
        if (answersFirst) b.do('answer', w, { clientState: 'dzE=' });
        const p = b.dialled({
          link: w.control,
          clientState: 'cDE=',
          ...(byItself ? { bridgeOnAnswer: true, after: 'park' } : {}),
        });
        assert.equal(b.last(p).leg.session, b.last(w).leg.session);
        b.answers(p);
        if (!byItself) b.do('bridge', p, { with: w.control, after: 'park' });
        b.pair(w, p);
        const early = answersFirst ? ['answered 0', 'initiated 1'] : ['initiated 1'];
        const late = answersFirst ? [] : ['answered 0'];
        const told = types(b, w, p);
        assert.deepEqual(told.slice(0, -2), ['initiated 0', ...early, 'answered 1', ...late]);
        assert.deepEqual(told.slice(-2).sort(), ['bridged 0', 'bridged 1']);
        b.hangsUp(w);
        b.alone(p);
        assert.equal(b.last(w).clientState, answersFirst ? 'dzE=' : 'c3RhcnQ=');
        assert.equal(b.last(p).clientState, 'cDE=');
        b.do('hangup', p);
        assert.equal(b.tries('hangup', p), 'ended');
        assert.equal(b.tries('hangup', w), 'ended');
        b.clean();
      });
});

describe('sequence B: a carrier calls a number of an application, a client is dialled, the two are bridged', () => {
  for (const who of ['caller', 'agent'] as const)
    it(`the agent takes it; the bridge is asked for by the leg of the ${who}`, () => {
      const b = new BackEnd();
      const c = b.talking(b.arrived());
      const ids = b.ok(b.dialCommand({ to: ['sip:line2@sip.localhost'], link: c.control }))!;
      b.bound(['sip:s1@vsp.sidetone.invalid']);
      const agent: Party = { ...b.rings(), control: ids.control, leg: ids.leg };
      b.answers(agent);
      assert.deepEqual(b.of(agent), ['initiated', 'answered']);
      if (who === 'agent') b.do('bridge', agent, { with: c.control });
      else b.do('bridge', c, { with: agent.control });
      b.pair(c, agent);
      b.hangsUp(c);
      assert.equal(b.isAlive(agent), false);
      b.clean();
    });

  it('the agent is away, busy, silent: the caller stays, and the next agent is dialled', () => {
    const b = new BackEnd();
    const c = b.talking(b.arrived());
    const dialAgent = (): Party => {
      const to = ['sip:line2@sip.localhost'];
      const ids = b.ok(b.dialCommand({ to, link: c.control, ringMs: 20_000 }))!;
      return { control: ids.control, leg: ids.leg, far: b.proxy, dialog: '' };
    };
    const away = dialAgent();
    b.bound([], 480);
    assert.equal(b.hangup(away), 'no_answer 480 unknown');
    for (const ends of [
      (dialog: string) => b.answers({ far: b.proxy, dialog }, 486),
      () => b.advance(21_000),
    ]) {
      const agent = dialAgent();
      b.bound(['sip:s1@vsp.sidetone.invalid']);
      ends(b.rings().dialog);
      assert.equal(b.of(agent).at(-1), 'hangup');
      b.alone(c);
    }
    b.clean();
  });

  it('the caller hangs up while the agent rings: the agent is the application’s to hang up', () => {
    const b = new BackEnd();
    const c = b.talking(b.arrived());
    const agent = b.dialled({ link: c.control });
    b.hangsUp(c);
    assert.deepEqual(b.of(agent), ['initiated']);
    b.do('hangup', agent);
    b.proxy.take('cancelled');
    b.clean();
  });
});

describe('pitfalls', () => {
  it('1 mixing the three ids: a command takes the control id alone; sessions are joined by link and transfer only', () => {
    const b = new BackEnd();
    const w = b.talking();
    const { session, leg, control } = b.last(w).leg;
    assert.match(control, /^v3:/);
    for (const id of [session, leg]) assert.equal(b.tries('hangup', { control: id }), 'unknownLeg');
    const [linked, bare] = [b.up({ link: w.control }), b.up()];
    assert.equal(b.last(linked).leg.session, session);
    b.do('bridge', bare, { with: w.control });
    assert.notEqual(b.last(bare).leg.session, session, 'a bridge leaves two sessions two');
    b.clean();
  });

  it('2 a dial that fails is a hang-up, no refusal', () => {
    const b = new BackEnd();
    for (const to of ['sip:nobody@sip.localhost', '999']) {
      const ids = b.ok(b.dialCommand({ to: [to] }))!;
      assert.deepEqual(b.of(ids), ['initiated', 'hangup'], to);
      assert.equal(b.voice.legOf(ids.control)?.alive, false);
    }
    b.clean();
  });

  it('3 a parked call of a client is outgoing, yet takes `answer`; one that we dialled does not', () => {
    const b = new BackEnd();
    const w = b.parked();
    assert.equal(b.last(w).leg.direction, 'outgoing');
    b.do('answer', w);
    b.vsp.take('accepted');
    assert.equal(b.tries('answer', b.dialled()), 'outgoing');
    b.clean();
  });

  it('4 parking dials nobody, whatever was dialled, and rings', () => {
    const b = new BackEnd();
    const w = b.parked();
    assert.equal(b.vsp.take('progress').response.status, 180);
    assert.equal(b.proxy.events.length, 0);
    assert.equal(b.media.length, 0);
    b.givesUp(w);
    b.clean();
  });

  it('5 a leg can be commanded as soon as its first event is told, and in the turn of any other', () => {
    const b = new BackEnd();
    const w = b.parked();
    b.do('answer', w);
    b.do('sendDigits', w, { digits: '1' });
    const p = b.dialled({ link: w.control });
    b.do('setClientState', p, { clientState: 'aGk=' });
    b.answers(p);
    b.do('bridge', p, { with: w.control });
    b.pair(w, p);
    b.clean();
  });

  it('5 a command may follow `answer` at once, before media is there', () => {
    const b = new BackEnd();
    const [w, p] = [b.parked(), b.up()];
    b.mediaReply = ({ op }) => (op === 'answer' ? null : undefined);
    b.do('answer', w);
    b.mediaReply = () => undefined;
    b.do('bridge', w, { with: p.control });
    b.do('sendDigits', w, { digits: '1' });
    b.do('transfer', w, { to: '+15550144' });
    assert.deepEqual(b.of(w), ['initiated']);
    b.clean();
  });

  it('5 what is to be sent to the peer behind `answer` is sent when the answer is', () => {
    const b = new BackEnd();
    const w = b.parked();
    let waiting: number | null = null;
    const { handle } = b.voice;
    b.voice.handle = (input, now) => {
      const outs = handle.call(b.voice, input, now);
      for (const out of outs) if (out.type === 'media' && out.command.op === 'answer') waiting = out.id;
      return outs;
    };
    b.mediaReply = ({ op }) => (op === 'answer' ? null : undefined);
    b.do('answer', w);
    b.do('sendInfo', w, { contentType: 'text/plain', body: 'x' });
    b.do('refer', w, { address: 'sip:somebody@example.com' });
    assert.equal(b.vsp.has('info') || b.vsp.has('request'), false);
    b.tell({ type: 'media', id: waiting!, reply: { ok: true, sdp: sdp(), codec: 'PCMU' } });
    b.vsp.take('accepted');
    b.vsp.take('info');
    assert.equal(b.vsp.take('request').request.method, 'REFER');
    assert.deepEqual(b.of(w), ['initiated', 'answered', 'referStarted']);
    b.clean();
  });

  it('6 bridging a dead leg: 90018 either way round, and the other is left untouched', () => {
    const b = new BackEnd();
    const [w, p] = [b.talking(), b.up()];
    b.hangsUp(w);
    assert.equal(b.tries('bridge', p, { with: w.control }), 'ended call_control_id');
    assert.equal(b.tries('bridge', w, { with: p.control }), 'ended');
    b.alone(p);
    b.clean();
  });

  it('7 what an unbridge does is said of one leg, and not of the other', () => {
    const b = new BackEnd();
    const [w, p] = [b.talking(), b.up()];
    b.do('bridge', w, { with: p.control, after: 'park' });
    b.hangsUp(w);
    assert.equal(b.isAlive(p), false);
    const [v, q] = [b.talking(), b.up()];
    b.do('bridge', v, { with: q.control, after: 'park' });
    b.hangsUp(q);
    b.alone(v);
    b.clean();
  });

  it('8 `bridge_intent` shows the linked caller; `transfer` without `from` what was dialled', () => {
    const b = new BackEnd();
    const c = b.talking(b.arrived());
    const p = b.dialled({ link: c.control, bridgeIntent: true, from: '+13125550100' });
    assert.equal(b.last(p).leg.from, '+15550177');
    b.do('transfer', c, { to: '+15550144' });
    assert.equal(b.last(b.transferred()).leg.from, '+13125550190');
    b.do('transfer', c, { to: '+15550144', from: '+13125550100' });
    assert.equal(b.last(b.transferred()).leg.from, '+13125550100');
    b.clean();
  });

  it('9 a client state is sticky and of its leg; none was ever set: null', () => {
    const b = new BackEnd();
    const w = b.parked();
    assert.equal(b.last(w).clientState, null);
    b.do('transfer', w, { to: '+15550144', clientState: 'dzE=', targetClientState: 'dDE=' });
    const t = b.transferred();
    assert.equal(b.last(t).clientState, 'dDE=');
    b.answers(t, 486);
    assert.equal(b.last(t).clientState, 'dDE=');
    b.do('answer', w);
    assert.equal(b.last(w).clientState, 'dzE=', 'a command without one leaves it');
    b.do('hangup', w, { clientState: 'dzI=' });
    assert.equal(b.last(w).clientState, 'dzI=');
    b.clean();
  });

  it('9 text of an INVITE that is no base64 is no client state', () => {
    const b = new BackEnd();
    assert.equal(b.last(b.parked('line1', [[HEADER.clientState, 'not base64']])).clientState, null);
    b.clean();
  });

  it('11 a URL of a command is that of every later event of the leg, and of the leg of its transfer', () => {
    const b = new BackEnd();
    const w = b.parked();
    const url = 'https://other.example/hook';
    const byEvent = { 'call.hangup': 'https://other.example/end' };
    b.do('answer', w, { hook: { url, byEvent } });
    assert.equal(b.last(w).hook?.url, url);
    b.do('transfer', w, { to: '+15550144' });
    const t = b.transferred();
    assert.equal(b.last(t).hook?.url, url);
    b.answers(t);
    b.hangsUp(t);
    for (const party of [w, t]) assert.equal(b.last(party).hook?.url, 'https://other.example/end');
    b.clean();
  });
});

describe('a ring group: several dials with one link, bridged on answer', () => {
  it('the first that answers has the caller; who answers later is hung up, and steals nobody', () => {
    for (const first of [0, 1] as const)
      for (const unanswered of [true, false]) {
        const b = new BackEnd();
        const w = unanswered ? b.parked() : b.talking();
        const ring = (): Party => b.dialled({ link: w.control, bridgeOnAnswer: true });
        const agents = [ring(), ring(), ring()] as const;
        const [one, other] = first === 0 ? [agents[0], agents[1]] : [agents[1], agents[0]];
        b.answers(one);
        b.pair(w, one);
        b.answers(other);
        assert.deepEqual(b.of(other), ['initiated', 'answered', 'hangup']);
        assert.equal(b.hangup(other), 'normal_clearing 200 unknown');
        b.pair(w, one);
        b.answers(agents[2], 486);
        b.pair(w, one);
        assert.equal(b.of(w).filter((type) => type === 'bridged').length, 1);
        b.clean();
      }
  });

  it('both answer, and media is slow to take the one that was first', () => {
    const b = new BackEnd();
    const w = b.talking();
    const [one, other] = [0, 1].map(() => b.dialled({ link: w.control, bridgeOnAnswer: true })) as [
      Party,
      Party,
    ];
    b.mediaReply = (command) => (command.op === 'accept' && command.leg === one.leg ? null : undefined);
    b.answers(one);
    b.answers(other);
    b.pair(w, other);
    b.mediaReply = () => undefined;
    b.advance(9_000);
    assert.equal(b.isAlive(one), false);
    b.pair(w, other);
    b.clean();
  });

  it('the first has hung up when the second answers: who is bridged then', () => {
    const b = new BackEnd();
    const w = b.talking();
    const [one, other] = [0, 1].map(() => b.dialled({ link: w.control, bridgeOnAnswer: true })) as [
      Party,
      Party,
    ];
    b.answers(one);
    b.do('bridge', w, { with: one.control, after: 'park' });
    b.hangsUp(one);
    b.alone(w);
    b.answers(other);
    b.pair(w, other);
    b.clean();
  });

  it('an explicit bridge may steal', () => {
    const b = new BackEnd();
    const w = b.talking();
    const one = b.up({ link: w.control, bridgeOnAnswer: true, after: 'park' });
    const other = b.up();
    b.do('bridge', other, { with: w.control });
    b.pair(w, other);
    b.alone(one);
    b.clean();
  });
});

describe('foreign accounts', () => {
  it('see no leg of another account, neither by reads of theirs nor by commands', () => {
    const b = new BackEnd();
    const theirs = b.parked('line4');
    const own = b.talking();
    assert.equal(b.tries('bridge', own, { with: theirs.control }), 'unknownLeg call_control_id');
    assert.equal(b.tries('answer', theirs), 'unknownLeg');
    assert.equal(b.voice.legOf(theirs.control)?.account, 'other');
    assert.deepEqual(
      b.voice.legsOf('line1').map(({ control }) => control),
      [own.control],
    );
    b.clean();
  });

  it('the same command id of another account is another one', () => {
    const b = new BackEnd();
    b.ok(b.dialCommand({ commandId: 'x y' }));
    b.ok({ ...b.dialCommand({ commandId: 'x y' }), account: 'other', connection: '1904' });
    assert.equal(new Set(b.news.map(({ lane }) => lane)).size, 2);
    b.clean();
  });
});
