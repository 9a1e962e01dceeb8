import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bodyText, createRequest, formatUri, parseNameAddr, type SipRequest } from '@sidetone/sip';
import { answering, established, Pair } from './two-agents.ts';

test('re-INVITE both ways, with and without an offer', () => {
  const { pair, alice, bob } = established();
  const legs = { alice, bob };
  for (const [from, to] of [
    ['alice', 'bob'],
    ['bob', 'alice'],
  ] as const) {
    pair.react[to] = (event) => {
      if (event.type === 'reinvite')
        pair.do(to, pair.agents[to].respondReinvite(event.leg, event.tx, 200, { sdp: 'theirs' }, pair.now));
    };
    pair.do(from, pair.agents[from].reinvite(legs[from], 'ours', 't1', pair.now));
    pair.run(1000);
    assert.deepEqual(pair.told(to), ['reinvite ours', 'refreshed']);
    assert.deepEqual(pair.told(from), ['reinviteResult 200 t1 theirs']);
    pair.do(from, pair.agents[from].reinvite(legs[from], undefined, 't2', pair.now));
    pair.run(1000);
    assert.deepEqual(pair.told(to), ['reinvite ours', 'refreshed', 'reinvite']);
    pair.do(from, pair.agents[from].ack(legs[from], 'mine', pair.now));
    pair.run(1000);
    const told = ['reinvite ours', 'refreshed', 'reinvite', 'reinviteConfirmed mine'];
    assert.deepEqual(pair.told(to), told);
    pair.react[to] = null;
    pair.events.alice.length = 0;
    pair.events.bob.length = 0;
  }
});

test('a second re-INVITE waits for the first', () => {
  const { pair, alice } = established();
  const seen: string[] = [];
  pair.react.bob = (event) => {
    if (event.type !== 'reinvite') return;
    seen.push(event.sdp ?? '');
    pair.do('bob', pair.agents.bob.respondReinvite(event.leg, event.tx, 200, { sdp: 'x' }, pair.now));
  };
  pair.do('alice', pair.agents.alice.reinvite(alice, 'one', '1', pair.now));
  pair.do('alice', pair.agents.alice.reinvite(alice, 'two', '2', pair.now));
  assert.equal(pair.trace.filter((l) => l.includes('> INVITE')).length, 2);
  pair.run(5000);
  assert.deepEqual(seen, ['one', 'two']);
  assert.deepEqual(pair.told('alice'), ['reinviteResult 200 1 x', 'reinviteResult 200 2 x']);
});

test('old-offer-behind-a-new-one: a re-INVITE that waits states what holds when it is sent', () => {
  let holds = 'old';
  const { pair, alice, bob } = established({ offer: (_, given) => (given === 'old' ? holds : given) });
  const seen: (string | undefined)[] = [];
  for (const side of ['alice', 'bob'] as const)
    pair.react[side] = (event) => {
      if (event.type !== 'reinvite') return;
      if (side === 'bob') seen.push(event.sdp);
      else holds = 'new';
      pair.do(side, pair.agents[side].respondReinvite(event.leg, event.tx, 200, { sdp: 'x' }, pair.now));
    };
  // In a queue: behind one of ours. Then in the pause behind a collision, in which the peer's offer comes first.
  pair.do('alice', pair.agents.alice.reinvite(alice, 'first', '1', pair.now));
  pair.do('alice', pair.agents.alice.reinvite(alice, 'old', '2', pair.now));
  holds = 'changed';
  pair.run(1_000);
  assert.deepEqual(seen, ['first', 'changed']);
  pair.do('alice', pair.agents.alice.reinvite(alice, 'old', '3', pair.now));
  pair.do('bob', pair.agents.bob.reinvite(bob, 'b', 'b', pair.now));
  pair.run(10_000);
  assert.deepEqual(seen, ['first', 'changed', 'new']);
  pair.do('alice', pair.agents.alice.reinvite(alice, undefined, '4', pair.now));
  pair.run(1_000);
  assert.equal(seen.at(-1), undefined, 'one without an offer stays without');
});

test('glare: both get 491 and try again after the pause of §14.1', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { pair, alice, bob } = established({ seed });
    for (const side of ['alice', 'bob'] as const)
      pair.react[side] = (event) => {
        if (event.type === 'reinvite')
          pair.do(side, pair.agents[side].respondReinvite(event.leg, event.tx, 200, { sdp: 'x' }, pair.now));
      };
    pair.do('alice', pair.agents.alice.reinvite(alice, 'a', 'a', pair.now));
    pair.do('bob', pair.agents.bob.reinvite(bob, 'b', 'b', pair.now));
    pair.run(30_000);
    assert.ok(pair.told('alice').includes('reinviteResult 200 a x'));
    assert.ok(pair.told('bob').includes('reinviteResult 200 b x'));
    assert.equal(pair.trace.filter((l) => l.includes('> 491/INVITE')).length >= 2, true);
  }
});

test('INFO, in-dialog OPTIONS and UPDATE', () => {
  const { pair, alice, bob } = established();
  pair.react.bob = (event) => {
    if (event.type === 'info') pair.do('bob', pair.agents.bob.respondRequest(event.tx, 200, {}, pair.now));
    if (event.type === 'reinvite')
      pair.do('bob', pair.agents.bob.respondReinvite(bob, event.tx, 200, { sdp: 'y' }, pair.now));
  };
  const body = 'Signal=5\r\nDuration=160\r\n';
  const contentType = 'application/dtmf-relay';
  pair.do(
    'alice',
    pair.agents.alice.requestInDialog(alice, { method: 'INFO', contentType, body }, 'i', pair.now),
  );
  pair.do('alice', pair.agents.alice.requestInDialog(alice, { method: 'OPTIONS' }, 'o', pair.now));
  const update = { method: 'UPDATE', contentType: 'application/sdp', body: 'x' };
  pair.do('alice', pair.agents.alice.requestInDialog(alice, update, 'u', pair.now));
  pair.run(5000);
  assert.equal(bodyText(pair.last('bob', 'info').request), body);
  assert.deepEqual(pair.told('bob'), ['info', 'reinvite x']);
  assert.deepEqual(pair.told('alice').sort(), [
    'inDialogResult 200 i',
    'inDialogResult 200 o',
    'inDialogResult 200 u',
  ]);
});

test('requests out of order, of unknown dialogs and of unknown extensions are refused', () => {
  const { pair, alice } = established();
  const answers: string[] = [];
  const { bob } = pair.agents;
  const send = (request: SipRequest) => {
    for (const out of bob.receive(request, pair.flow({ host: '192.0.2.1', port: 5060 }), pair.now))
      if (out.type === 'sip' && out.message.kind === 'response') answers.push(String(out.message.status));
      else answers.push(out.type);
  };
  let info: SipRequest | undefined;
  pair.react.bob = (event) => {
    if (event.type === 'info') info = event.request;
  };
  pair.do('alice', pair.agents.alice.requestInDialog(alice, { method: 'INFO' }, 'i', pair.now));
  pair.run(100);
  assert.ok(info);
  const again = (n: number, change: Partial<SipRequest['headers']>): SipRequest => {
    const via = [{ transport: 'UDP', host: '192.0.2.1', port: 5060, params: { branch: `z9hG4bKnew${n}` } }];
    return { ...info!, headers: { ...info!.headers, via, ...change } };
  };
  send(again(1, {}));
  send(again(2, { cseq: { seq: 1, method: 'INFO' } }));
  send(again(3, { callId: 'unknown', cseq: { seq: 99, method: 'INFO' } }));
  send(
    again(4, { from: { ...info.headers.from, params: { tag: 'wrong' } }, cseq: { seq: 99, method: 'INFO' } }),
  );
  send(again(5, { other: [['Require', '100rel, timer']], cseq: { seq: 99, method: 'INFO' } }));
  send({ ...again(6, { cseq: { seq: 99, method: 'PUBLISH' } }), method: 'PUBLISH' });
  send({ ...again(7, { cseq: { seq: 99, method: 'CANCEL' } }), method: 'CANCEL' });
  assert.deepEqual(answers, ['500', '500', '481', '481', '420', '405', '481']);
});

test('481 inside the dialog ends it', () => {
  const { pair, alice } = established();
  pair.react.bob = (event) => {
    if (event.type === 'info') pair.do('bob', pair.agents.bob.respondRequest(event.tx, 481, {}, pair.now));
  };
  pair.do('alice', pair.agents.alice.requestInDialog(alice, { method: 'INFO' }, 'i', pair.now));
  pair.run();
  assert.deepEqual(pair.told('alice'), ['inDialogResult 481 i', 'ended dialog-gone']);
});

test('no answer inside the dialog ends it, too', () => {
  let deaf = false;
  const { pair, alice } = established({ onWire: () => !deaf });
  deaf = true;
  pair.do('alice', pair.agents.alice.requestInDialog(alice, { method: 'INFO' }, 'i', pair.now));
  pair.run();
  assert.deepEqual(pair.told('alice'), ['inDialogResult 408 i', 'ended no-answer']);
});

test('a BYE without an answer still ends the leg', () => {
  let deaf = false;
  const { pair, alice } = established({ onWire: () => !deaf });
  deaf = true;
  pair.do('alice', pair.agents.alice.bye(alice, [], pair.now));
  pair.run();
  assert.deepEqual(pair.told('alice'), ['ended bye-done']);
  assert.equal(pair.agents.alice.size, 0);
});

test('both hang up at once', () => {
  const { pair, alice, bob } = established();
  pair.do('alice', pair.agents.alice.bye(alice, [], pair.now));
  pair.do('bob', pair.agents.bob.bye(bob, [], pair.now));
  pair.run();
  assert.deepEqual(pair.told('alice'), ['ended bye-done']);
  assert.deepEqual(pair.told('bob'), ['ended bye-done']);
  assert.equal(pair.agents.alice.size + pair.agents.bob.size, 0);
});

test('a BYE that arrives while it rings refuses the INVITE', () => {
  const pair = new Pair();
  let incoming: SipRequest | undefined;
  pair.react.bob = (event) => {
    if (event.type !== 'incoming') return;
    incoming = event.request;
    pair.do('bob', pair.agents.bob.respond(event.leg, 180, {}, pair.now));
  };
  pair.invite();
  pair.run(100);
  const early = pair.last('alice', 'progress').response;
  const bye = createRequest({
    method: 'BYE',
    uri: incoming!.uri,
    from: early.headers.from,
    to: early.headers.to,
    callId: early.headers.callId,
    cseq: 2,
    via: [{ transport: 'UDP', host: '192.0.2.1', port: 5060, params: { branch: 'z9hG4bKbye' } }],
  });
  pair.inject('bob', bye);
  pair.run();
  assert.deepEqual(pair.told('bob'), ['incoming offer', 'bye']);
  assert.deepEqual(pair.told('alice'), ['progress', 'failed 487 peer']);
});

test('hanging up cancels a re-INVITE that nobody has answered', () => {
  const { pair, alice } = established();
  pair.do('alice', pair.agents.alice.reinvite(alice, 'hold', 'h', pair.now));
  pair.run(100);
  pair.do('alice', pair.agents.alice.bye(alice, [], pair.now));
  pair.run();
  assert.equal(pair.trace.filter((l) => l.includes('alice > CANCEL')).length, 1);
  assert.deepEqual(pair.told('alice'), ['ended bye-done']);
  assert.deepEqual(pair.told('bob'), ['reinvite hold', 'bye']);
  assert.equal(pair.agents.alice.size + pair.agents.bob.size, 0);
});

describe('strict-router: a route set that begins without lr (RFC 3261 §12.2.1.1)', () => {
  const route = (text: string) => {
    const read = parseNameAddr(text);
    assert.ok(read.ok);
    return read.value;
  };
  const STRICT = [route('<sip:strict@192.0.2.2:5070;method=BYE?X=y>;p=1'), route('<sip:loose@192.0.2.3;lr>')];

  test('the first INVITE, its CANCEL, ACK and BYE', () => {
    const seen: [string, string, string[]][] = [];
    const pair = new Pair({
      onWire: (from, m) => {
        if (from === 'alice' && m.kind === 'request')
          seen.push([m.method, formatUri(m.uri), m.headers.route.map((r) => formatUri(r.uri))]);
        return undefined;
      },
    });
    answering(pair);
    const leg = pair.invite('offer', { route: STRICT });
    pair.run(1_000);
    assert.deepEqual(seen[0], [
      'INVITE',
      'sip:strict@192.0.2.2:5070',
      ['sip:loose@192.0.2.3;lr', 'sip:bob@192.0.2.2:5070'],
    ]);
    const written = pair.agents.alice.snapshot(leg)!;
    const next = pair.restart('alice');
    const routes = ['<sip:strict@192.0.2.2:5070;method=BYE>', '<sip:loose@192.0.2.3;lr>'];
    assert.ok(next.adopt({ ...written, routes }, pair.now).ok);
    pair.do('alice', next.bye(leg, [], pair.now));
    const [method, uri, left] = seen.at(-1)!;
    assert.deepEqual([method, uri, left[0]], ['BYE', 'sip:strict@192.0.2.2:5070', 'sip:loose@192.0.2.3;lr']);
    assert.equal(left.length, 2);
  });
});
