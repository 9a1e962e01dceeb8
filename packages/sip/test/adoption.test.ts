import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LegId, LegSnapshot, SipMessage, UserAgent, UserAgentOut } from '@sidetone/sip';
import fc from 'fast-check';
import { answering, established, Pair, type Side } from './two-agents.ts';

/** What the journal makes of a snapshot. */
const written = (pair: Pair, side: Side, leg: LegId): unknown =>
  JSON.parse(JSON.stringify(pair.agents[side].snapshot(leg)));

/** The process of `side` dies and the next one adopts its leg. */
function restart(pair: Pair, side: Side, leg: LegId, snapshot = written(pair, side, leg)): void {
  const next = pair.restart(side);
  const adopted = next.adopt(snapshot, pair.now);
  assert.ok(adopted.ok, JSON.stringify(adopted));
  assert.equal(adopted.value.leg, leg);
  pair.do(side, adopted.value.out);
}

const requests = (pair: Pair, side: Side, method: string): number[] =>
  pair.trace
    .filter((line) => line.includes(` ${side} > ${method} `))
    .map((line) => Number(line.split(' ').at(-1)));

for (const side of ['alice', 'bob'] as const) {
  const other = side === 'alice' ? 'bob' : 'alice';
  test(`${side} goes on after a restart: requests of either side, and either side ends it`, () => {
    for (const ends of ['alice', 'bob'] as const) {
      const { pair, alice, bob } = established();
      const legs = { alice, bob };
      restart(pair, side, legs[side]);
      assert.deepEqual(pair.agents[side].snapshot(legs[side])?.leg, legs[side]);
      for (const [from, to] of [
        [side, other],
        [other, side],
      ] as const) {
        pair.react[to] = (event) => {
          if (event.type === 'reinvite')
            pair.do(to, pair.agents[to].respondReinvite(event.leg, event.tx, 200, { sdp: 'b' }, pair.now));
          else if (event.type === 'info')
            pair.do(to, pair.agents[to].respondRequest(event.tx, 200, {}, pair.now));
        };
        pair.do(from, pair.agents[from].reinvite(legs[from], 'a', 'r', pair.now));
        pair.run(2_000);
        pair.do(from, pair.agents[from].requestInDialog(legs[from], { method: 'INFO' }, 'i', pair.now));
        pair.run(2_000);
        assert.deepEqual(pair.told(from).slice(-2), ['reinviteResult 200 r b', 'inDialogResult 200 i']);
        pair.react[to] = null;
        pair.events[from].length = 0;
        pair.events[to].length = 0;
      }
      pair.do(ends, pair.agents[ends].bye(legs[ends], [], pair.now));
      pair.run(60_000);
      assert.deepEqual(pair.told(ends), ['ended bye-done']);
      assert.deepEqual(pair.told(ends === 'alice' ? 'bob' : 'alice'), ['bye']);
      assert.deepEqual([pair.agents.alice.size, pair.agents.bob.size], [0, 0]);
    }
  });
}

test('our CSeq jumps by 1000, at every restart', () => {
  const { pair, alice } = established();
  for (let i = 0; i < 3; i++) restart(pair, 'alice', alice);
  pair.do('alice', pair.agents.alice.bye(alice, [], pair.now));
  assert.deepEqual(requests(pair, 'alice', 'BYE'), [3_002]);
});

test('the last request of the peer may come once more, an earlier one not', () => {
  let info: SipMessage | undefined;
  let earlier: SipMessage | undefined;
  const { pair, alice, bob } = established({
    onWire: (_, message) => {
      if (message.kind === 'request' && message.method === 'INFO') {
        earlier = info;
        info = message;
      }
      return undefined;
    },
  });
  pair.react.alice = (event) => {
    if (event.type === 'info')
      pair.do('alice', pair.agents.alice.respondRequest(event.tx, 200, {}, pair.now));
  };
  for (const token of ['1', '2']) {
    pair.do('bob', pair.agents.bob.requestInDialog(bob, { method: 'INFO' }, token, pair.now));
    pair.run(1_000);
  }
  pair.events.alice.length = 0;
  restart(pair, 'alice', alice);
  pair.inject('alice', earlier!);
  assert.deepEqual(pair.told('alice'), []);
  pair.inject('alice', info!);
  assert.deepEqual(pair.told('alice'), ['info']);
  pair.inject('alice', info!);
  assert.deepEqual(pair.told('alice'), ['info'], 'a copy is absorbed as ever');
});

test('a copy of the 2xx is ACKed again, with the answer it had', () => {
  for (const offer of ['offer', null]) {
    let ok: SipMessage | undefined;
    const acks: string[] = [];
    const pair = new Pair({
      onWire: (from, message) => {
        if (from === 'bob' && message.kind === 'response' && message.status === 200) ok ??= message;
        if (message.kind === 'request' && message.method === 'ACK')
          acks.push(Buffer.from(message.body).toString());
        return undefined;
      },
    });
    answering(pair);
    const leg = pair.invite(offer);
    pair.run(100);
    if (offer === null) pair.do('alice', pair.agents.alice.ack(leg, 'mine', pair.now));
    pair.run(1_000);
    restart(pair, 'alice', leg);
    pair.inject('alice', ok!);
    assert.deepEqual(acks, offer === null ? ['mine', 'mine'] : ['', '']);
  }
});

test('a 2xx to a re-INVITE that died with the process is ACKed, too', () => {
  const { pair, alice } = established();
  let waiting: (() => void) | undefined;
  pair.react.bob = (event) => {
    if (event.type === 'reinvite')
      waiting = () =>
        pair.do('bob', pair.agents.bob.respondReinvite(event.leg, event.tx, 200, { sdp: 'x' }, pair.now));
  };
  pair.do('alice', pair.agents.alice.reinvite(alice, 'new', 't', pair.now));
  pair.run(200);
  restart(pair, 'alice', alice);
  waiting!();
  pair.run(40_000);
  assert.deepEqual(pair.told('bob'), ['reinvite new', 'refreshed'], 'no ack-timeout');
  assert.deepEqual(requests(pair, 'alice', 'ACK'), [1, 2]);
  assert.deepEqual(pair.told('alice'), ['refreshed']);
});

test('our 2xx without an ACK is repeated; the ACK is told; without one the leg ends at the old hour', () => {
  for (const heard of [true, false]) {
    let deaf = true;
    const pair = new Pair({
      onWire: (from, message) =>
        !(deaf && from === 'alice' && message.kind === 'request' && message.method === 'ACK'),
    });
    answering(pair);
    pair.invite(null);
    pair.react.alice = (event) => {
      if (event.type === 'accepted') pair.do('alice', pair.agents.alice.ack(event.leg, 'mine', pair.now));
    };
    pair.run(300);
    const bob = pair.last('bob', 'incoming').leg;
    const snapshot = written(pair, 'bob', bob) as LegSnapshot;
    assert.equal(snapshot.unacked?.offerless, true);
    pair.run(10_000);
    pair.events.bob.length = 0;
    restart(pair, 'bob', bob, snapshot);
    deaf = !heard;
    const from = pair.now;
    pair.run(100_000);
    if (heard) assert.deepEqual(pair.told('bob'), ['confirmed mine']);
    else {
      assert.deepEqual(pair.told('bob'), ['ended ack-timeout']);
      const bye = pair.trace.find((line) => line.includes('bob > BYE'));
      assert.ok(Number(bye?.split(' ')[0]) - from < 22_100);
    }
  }
});

describe('invite-again-behind-a-restart: the 2xx of the process before is the answer to a copy of its INVITE', () => {
  for (const kind of ['INVITE', 'offerless INVITE', 're-INVITE'] as const)
    test(kind, () => {
      let deaf = true;
      let invite: SipMessage | undefined;
      const pair = new Pair({
        onWire: (from, message) => {
          if (message.kind === 'request' && message.method === 'INVITE') invite = message;
          return !(deaf && from === 'bob' && message.kind === 'response' && message.status === 200);
        },
      });
      answering(pair);
      if (kind === 're-INVITE') deaf = false;
      const alice = pair.invite(kind === 'offerless INVITE' ? null : 'offer');
      pair.run(100);
      const bob = pair.last('bob', 'incoming').leg;
      pair.react.alice = (event) => {
        if (event.type === 'accepted' && kind === 'offerless INVITE')
          pair.do('alice', pair.agents.alice.ack(event.leg, 'mine', pair.now));
      };
      if (kind === 're-INVITE') {
        deaf = true;
        pair.react.bob = (event) => {
          if (event.type === 'reinvite')
            pair.do('bob', pair.agents.bob.respondReinvite(event.leg, event.tx, 200, { sdp: 'x' }, pair.now));
        };
        pair.do('alice', pair.agents.alice.reinvite(alice, 'new', 't', pair.now));
        pair.run(100);
      }
      assert.notEqual(pair.agents.bob.snapshot(bob)?.unacked, null);
      pair.react.bob = null;
      pair.events.bob.length = 0;
      const asked = pair.trace.length;
      restart(pair, 'bob', bob);
      pair.inject('bob', invite!);
      pair.inject('bob', invite!);
      const said = pair.trace
        .slice(asked)
        .filter((line) => line.includes('bob > ') && !line.includes(' 100/'));
      assert.ok(
        said.every((line) => line.includes('bob > 200/INVITE')),
        said.join('; '),
      );
      assert.deepEqual(pair.told('bob'), [], 'no new call, no new offer');
      deaf = false;
      pair.run(100_000);
      assert.deepEqual(requests(pair, 'bob', 'BYE'), []);
      assert.equal(pair.agents.bob.snapshot(bob)?.unacked, null);
      const told = { INVITE: 'confirmed', 'offerless INVITE': 'confirmed mine', 're-INVITE': 'refreshed' }[
        kind
      ];
      assert.deepEqual(pair.told('bob'), [told]);
    });
});

test('restart-long-after-a-re-INVITE: a journal without its ACK, of a release before, does not end the leg', () => {
  const { pair, alice, bob } = established();
  let old: unknown;
  pair.react.bob = (event) => {
    if (event.type !== 'reinvite') return;
    pair.do('bob', pair.agents.bob.respondReinvite(event.leg, event.tx, 200, { sdp: 'x' }, pair.now));
    old = written(pair, 'bob', bob);
  };
  pair.do('alice', pair.agents.alice.reinvite(alice, 'new', 't', pair.now));
  pair.run(60_000);
  restart(pair, 'bob', bob, old as LegSnapshot);
  pair.run(60_000);
  assert.deepEqual(requests(pair, 'bob', 'BYE'), []);
  assert.equal(pair.agents.bob.snapshot(bob)?.unacked, null);
});

test('a leg on its way out is told, too: BYE again', () => {
  const { pair, alice } = established({
    onWire: (_, m) => !(m.kind === 'request' && m.method === 'BYE' && m.headers.cseq.seq < 1_000),
  });
  pair.do('alice', pair.agents.alice.bye(alice, [], pair.now));
  restart(pair, 'alice', alice);
  pair.do('alice', pair.agents.alice.bye(alice, [], pair.now));
  pair.run(40_000);
  assert.deepEqual(pair.told('bob'), ['bye']);
  assert.equal(pair.agents.alice.snapshot(alice), null);
});

describe('restart-long-after-a-re-INVITE: what the next process needs is told with the input that changes it', () => {
  type Legs = Readonly<Record<Side, LegId>>;
  const takes = (pair: Pair, side: Side): void => {
    pair.react[side] = (event) => {
      if (event.type === 'reinvite')
        pair.do(side, pair.agents[side].respondReinvite(event.leg, event.tx, 200, { sdp: 'x' }, pair.now));
      else if (event.type === 'reinviteResult' && event.sdp !== undefined && event.token === 'none')
        pair.do(side, pair.agents[side].ack(event.leg, 'mine', pair.now));
    };
  };
  const reinvite = (pair: Pair, side: Side, legs: Legs, sdp: string | undefined, token: string): void =>
    pair.do(side, pair.agents[side].reinvite(legs[side], sdp, token, pair.now));
  const challenge = (pair: Pair, side: Side): void => {
    pair.react[side] = (event) => {
      if (event.type !== 'reinvite') return;
      const known = event.request.headers.other.some(([name]) => name === 'Authorization');
      const headers = [['WWW-Authenticate', 'Digest realm="b", nonce="n1", qop="auth"']] as const;
      const answer = known ? { sdp: 'x' } : { headers };
      const { agents, now } = pair;
      pair.do(side, agents[side].respondReinvite(event.leg, event.tx, known ? 200 : 401, answer, now));
    };
  };

  const cases: Readonly<Record<string, (pair: Pair, legs: Legs) => void>> = {
    'an offer of the peer, answered and ACKed': (pair, legs) => {
      takes(pair, 'alice');
      reinvite(pair, 'bob', legs, 'b', 'r');
    },
    'an offer of ours in the 200 of a re-INVITE': (pair, legs) => {
      takes(pair, 'alice');
      takes(pair, 'bob');
      reinvite(pair, 'bob', legs, undefined, 'none');
    },
    'offers that collide, and come again': (pair, legs) => {
      takes(pair, 'alice');
      takes(pair, 'bob');
      reinvite(pair, 'alice', legs, 'a', 'r');
      reinvite(pair, 'bob', legs, 'b', 'r');
    },
    'a re-INVITE that is challenged': (pair, legs) => {
      challenge(pair, 'bob');
      reinvite(pair, 'alice', legs, 'a', 'r');
    },
    'a re-INVITE that waits for the ACK of ours': (pair, legs) => {
      takes(pair, 'bob');
      pair.react.alice = (event) => {
        if (event.type !== 'reinvite') return;
        pair.do('alice', pair.agents.alice.respondReinvite(event.leg, event.tx, 200, { sdp: 'x' }, pair.now));
        reinvite(pair, 'alice', legs, 'a', 'r');
      };
      reinvite(pair, 'bob', legs, 'b', 'r');
    },
    'a re-INVITE that waits for one that the peer cancels': (pair, legs) => {
      takes(pair, 'bob');
      let cancel: SipMessage | undefined;
      pair.react.alice = (event) => {
        if (event.type !== 'reinvite') return;
        const { headers } = event.request;
        const cseq = { seq: headers.cseq.seq, method: 'CANCEL' };
        const other = headers.other.filter(([name]) => name !== 'Content-Type');
        cancel = {
          ...event.request,
          method: 'CANCEL',
          headers: { ...headers, cseq, other },
          body: Buffer.alloc(0),
        };
        reinvite(pair, 'alice', legs, 'a', 'r');
      };
      reinvite(pair, 'bob', legs, 'b', 'r');
      pair.run(100);
      pair.inject('alice', cancel!);
    },
    'a target that moves with an offer': (pair, legs) => {
      takes(pair, 'alice');
      const moved = pair.agents.bob.reinvite(legs.bob, 'b', 'r', pair.now).map((out) => {
        if (out.type !== 'sip') return out;
        const contact = [
          { uri: { scheme: 'sip', user: 'moved', host: '192.0.2.2', port: 5070, params: {} }, params: {} },
        ];
        return { ...out, message: { ...out.message, headers: { ...out.message.headers, contact } } };
      });
      pair.do('bob', moved);
    },
  };

  for (const [name, act] of Object.entries(cases))
    test(name, () => {
      const pair = new Pair();
      answering(pair);
      const alice = pair.invite('offer', { credentials: { userName: 'alice', password: 'secret' } });
      pair.run(1_000);
      const legs = { alice, bob: pair.last('bob', 'confirmed').leg };
      pair.react.bob = null;
      let changes = 0;
      for (const side of ['alice', 'bob'] as const) {
        const agent = pair.agents[side];
        const known = (): string => {
          const { remoteSeq: _, localSeq: _l, unacked, ...rest } = agent.snapshot(legs[side])!;
          return JSON.stringify([unacked?.seq, rest]);
        };
        const told = (work: () => readonly UserAgentOut[]): readonly UserAgentOut[] => {
          const before = known();
          const out = work();
          if (known() === before) return out;
          changes++;
          const events = out.filter((o) => o.type !== 'sip' && 'leg' in o && o.leg === legs[side]);
          assert.notEqual(events.length, 0, `${side}: ${before} became ${known()}`);
          return out;
        };
        const receive = agent.receive.bind(agent);
        const tick = agent.tick.bind(agent);
        Object.assign(agent, {
          receive: (...of: Parameters<UserAgent['receive']>) => told(() => receive(...of)),
          tick: (now: number) => told(() => tick(now)),
        });
      }
      act(pair, legs);
      pair.run(60_000);
      assert.ok(changes > 0);
      for (const side of ['alice', 'bob'] as const) {
        const { unacked, open } = pair.agents[side].snapshot(legs[side])!;
        assert.deepEqual([unacked, open], [null, null]);
      }
    });
});

test('credentials are not in a snapshot; who adopts states them anew', () => {
  const credentials = { userName: 'alice', password: 'most-secret' };
  const pair = new Pair();
  answering(pair);
  const leg = pair.invite('offer', { credentials });
  pair.run(1_000);
  const text = JSON.stringify(pair.agents.alice.snapshot(leg));
  assert.ok(!text.includes('most-secret'));
  const next = pair.restart('alice');
  const adopted = next.adopt(JSON.parse(text), pair.now, { ...credentials, realms: ['b'] });
  assert.ok(adopted.ok);
  pair.react.bob = (event) => {
    if (event.type !== 'info') return;
    const known = event.request.headers.other.some(([name]) => name === 'Authorization');
    const headers = [['WWW-Authenticate', 'Digest realm="b", nonce="n1", qop="auth"']] as const;
    const [status, options] = known ? [200, {}] : [401, { headers }];
    pair.do('bob', pair.agents.bob.respondRequest(event.tx, status as number, options, pair.now));
  };
  pair.do('alice', next.requestInDialog(leg, { method: 'INFO' }, 'i', pair.now));
  pair.run(1_000);
  assert.deepEqual(pair.told('alice').slice(-1), ['inDialogResult 200 i']);
});

test('early legs have no snapshot; a 2xx that comes yet is ACKed and ended, once a fork, and only if expected', () => {
  for (const expected of [true, false]) {
    const pair = new Pair();
    let ring = '';
    pair.react.bob = (event) => {
      if (event.type === 'incoming') ring = event.leg;
    };
    const leg = pair.invite();
    pair.run(300);
    assert.equal(pair.agents.alice.snapshot(leg), null);
    const early = pair.agents.alice.early(leg);
    assert.ok(early !== null);
    const next = pair.restart('alice');
    if (expected)
      next.expectStray(early.callId, early.fromTag, pair.now + 40_000, [['Reason', 'Q.850;cause=41']]);
    else next.expectStray(early.callId, 'another', pair.now + 40_000);
    pair.do('bob', pair.agents.bob.respond(ring, 200, { sdp: 'answer' }, pair.now));
    pair.run(5_000);
    assert.equal(requests(pair, 'alice', 'BYE').length, expected ? 1 : 0);
    assert.equal(requests(pair, 'alice', 'ACK').length, expected ? 1 : 0);
    if (expected) assert.deepEqual(pair.told('bob').slice(-2), ['confirmed', 'bye']);
    assert.equal(next.early(leg), null);
    pair.run(120_000);
    assert.equal(next.deadline(), null);
  }
});

test('behind its hour a stray is nobody’s', () => {
  const pair = new Pair();
  const next = pair.restart('alice');
  next.expectStray('c', 't', pair.now + 10);
  assert.equal(next.deadline(), pair.now + 10);
  next.tick(pair.now + 10);
  assert.equal(next.deadline(), null);
});

test('what is no snapshot is refused by the name of the first wrong field, and leaves nothing', () => {
  const { pair, alice } = established();
  const good = written(pair, 'alice', alice) as Record<string, unknown>;
  const next = pair.restart('alice');
  const bad: readonly (readonly [string, unknown])[] = [
    ['leg', ''],
    ['leg', 7],
    ['role', 'proxy'],
    ['callId', null],
    ['local', 'not an address <'],
    ['local', '<sip:a@b>'],
    ['remote', {}],
    ['target', 'sip:'],
    ['routes', 'none'],
    ['routes', [1]],
    ['routes', new Array(33).fill('<sip:p;lr>')],
    ['localSeq', -1],
    ['localSeq', 1.5],
    ['localSeq', 2 ** 31],
    ['remoteSeq', '1'],
    ['acked', {}],
    ['ackSdp', 1],
    ['open', true],
    ['unacked', undefined],
    ['unacked', { seq: 1, reinvite: false, offerless: false, giveUpAt: 1, response: 'SIP/2.0', flow: {} }],
  ];
  for (const [field, value] of bad) {
    const result = next.adopt({ ...good, [field]: value }, pair.now);
    assert.deepEqual(result, { ok: false, error: { problem: 'malformed', what: field } }, field);
  }
  for (const value of [null, 1, 'x', []]) assert.equal(next.adopt(value, pair.now).ok, false);
  assert.equal(next.size, 0);
  assert.ok(next.adopt(good, pair.now).ok);
  assert.deepEqual(next.adopt(good, pair.now), { ok: false, error: { problem: 'duplicate', leg: alice } });
});

test('any JSON value is a leg or a refusal', () => {
  const { pair, alice } = established();
  const good = written(pair, 'alice', alice) as Record<string, unknown>;
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(good)),
      fc.jsonValue(),
      fc.jsonValue(),
      (field, value, all) => {
        const next = pair.restart('alice');
        next.adopt(all, 1);
        const result = next.adopt({ ...good, [field]: value }, 1);
        if (result.ok) next.bye(result.value.leg, [], 1);
      },
    ),
    { numRuns: 500, seed: 5 },
  );
});
