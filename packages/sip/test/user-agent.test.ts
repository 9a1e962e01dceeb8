import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createRequest,
  createResponse,
  header,
  type SipRequest,
  type SipResponse,
  SipWriteError,
} from '@sidetone/sip';
import { answering, established, Pair } from './two-agents.ts';

test('a call is set up and ended by the caller', () => {
  const pair = new Pair();
  answering(pair);
  const leg = pair.invite();
  pair.run(1000);
  assert.deepEqual(pair.told('bob'), ['incoming offer', 'confirmed']);
  assert.deepEqual(pair.told('alice'), ['progress', 'accepted answer']);
  pair.do('alice', pair.agents.alice.bye(leg, [['Reason', 'Q.850;cause=16']], pair.now));
  pair.run();
  assert.equal(pair.last('alice', 'ended').why, 'bye-done');
  assert.deepEqual(
    pair.last('bob', 'bye').request.headers.other.find(([n]) => n === 'Reason'),
    ['Reason', 'Q.850;cause=16'],
  );
  assert.equal(pair.agents.alice.size + pair.agents.bob.size, 0);
});

test('the callee hangs up', () => {
  const { pair, bob } = established();
  pair.do('bob', pair.agents.bob.bye(bob, [], pair.now));
  pair.run();
  assert.deepEqual(pair.told('alice'), ['bye']);
  assert.deepEqual(pair.told('bob'), ['ended bye-done']);
  assert.equal(pair.agents.alice.size + pair.agents.bob.size, 0);
});

test('a refusal reaches the caller and leaves nothing behind', () => {
  const pair = new Pair();
  pair.react.bob = (event) => {
    if (event.type === 'incoming')
      pair.do('bob', pair.agents.bob.respond(event.leg, 486, { headers: [['X-Why', 'busy']] }, pair.now));
  };
  pair.invite();
  pair.run();
  assert.deepEqual(pair.told('alice'), ['failed 486 peer']);
  assert.equal(header(pair.last('alice', 'failed').response!, 'X-Why'), 'busy');
  assert.equal(pair.agents.alice.size + pair.agents.bob.size, 0);
});

test('nobody there: 408 after 32 s', () => {
  const pair = new Pair({ onWire: () => false });
  pair.invite();
  pair.run();
  assert.deepEqual(pair.told('alice'), ['failed 408 timeout']);
  assert.equal(pair.now, 1000 + 32_000);
  assert.equal(pair.agents.alice.size, 0);
});

test('CANCEL while it rings', () => {
  const pair = new Pair();
  pair.react.bob = (event) => {
    if (event.type === 'incoming') pair.do('bob', pair.agents.bob.respond(event.leg, 180, {}, pair.now));
  };
  const leg = pair.invite();
  pair.run(1000);
  pair.do('alice', pair.agents.alice.cancel(leg, [['Reason', 'SIP;cause=200']], pair.now));
  pair.run();
  assert.deepEqual(pair.told('alice'), ['progress', 'failed 487 cancel']);
  assert.deepEqual(pair.told('bob'), ['incoming offer', 'cancelled']);
  assert.equal(header(pair.last('bob', 'cancelled').request, 'Reason'), 'SIP;cause=200');
  assert.equal(pair.agents.alice.size + pair.agents.bob.size, 0);
});

test('CANCEL before any answer waits for the first provisional', () => {
  const sent: string[] = [];
  const pair = new Pair({
    onWire: (from, m) => {
      if (from === 'alice' && m.kind === 'request') sent.push(m.method);
      return undefined;
    },
  });
  const leg = pair.invite();
  pair.do('alice', pair.agents.alice.cancel(leg, [], pair.now));
  assert.deepEqual(sent, ['INVITE']);
  pair.run();
  assert.deepEqual(sent, ['INVITE', 'CANCEL', 'ACK']);
  assert.deepEqual(pair.told('alice'), ['failed 487 cancel']);
});

test('CANCEL crosses the 200: the call is accepted and ended', () => {
  const pair = new Pair({ delay: 1 });
  let bob = '';
  pair.react.bob = (event) => {
    if (event.type !== 'incoming') return;
    bob = event.leg;
    pair.do('bob', pair.agents.bob.respond(event.leg, 180, {}, pair.now));
  };
  const leg = pair.invite();
  pair.run(1000);
  pair.do('bob', pair.agents.bob.respond(bob, 200, { sdp: 'answer' }, pair.now));
  pair.do('alice', pair.agents.alice.cancel(leg, [], pair.now));
  pair.run();
  assert.deepEqual(pair.told('alice'), ['progress', 'failed 487 cancel']);
  assert.deepEqual(pair.told('bob'), ['incoming offer', 'confirmed', 'bye']);
  assert.equal(pair.agents.alice.size + pair.agents.bob.size, 0);
});

test('a CANCEL that nobody answers ends after 64·T1', () => {
  let deaf = false;
  const pair = new Pair({ onWire: () => !deaf });
  pair.react.bob = (event) => {
    if (event.type === 'incoming') pair.do('bob', pair.agents.bob.respond(event.leg, 180, {}, pair.now));
  };
  const leg = pair.invite();
  pair.run(1000);
  deaf = true;
  const at = pair.now;
  pair.do('alice', pair.agents.alice.cancel(leg, [], pair.now));
  pair.run(60_000);
  assert.equal(pair.told('alice').at(-1), 'failed 487 cancel');
  assert.ok(pair.trace.some((line) => line === `${at + 32_000} alice failed 487 cancel`));
});

test('offerless INVITE: the 200 offers, the ACK answers', () => {
  const pair = new Pair();
  answering(pair, 'offer-in-200');
  const leg = pair.invite(null);
  pair.run(3000);
  assert.deepEqual(pair.told('alice'), ['progress', 'accepted offer-in-200']);
  assert.deepEqual(pair.told('bob'), ['incoming']);
  pair.do('alice', pair.agents.alice.ack(leg, 'answer-in-ack', pair.now));
  pair.run(1000);
  assert.deepEqual(pair.told('bob'), ['incoming', 'confirmed answer-in-ack']);
  pair.do('alice', pair.agents.alice.bye(leg, [], pair.now));
  pair.run();
  assert.equal(pair.agents.alice.size + pair.agents.bob.size, 0);
});

test('hanging up before the answer of an offerless call sends ACK and BYE', () => {
  const pair = new Pair();
  answering(pair, 'offer-in-200');
  const leg = pair.invite(null);
  pair.run(1000);
  pair.do('alice', pair.agents.alice.bye(leg, [], pair.now));
  pair.run();
  assert.deepEqual(pair.told('bob'), ['incoming', 'confirmed', 'bye']);
});

test('a lost ACK: the 200 is repeated and acknowledged again', () => {
  let drop = 3;
  const pair = new Pair({
    onWire: (_, m) => (m.kind === 'request' && m.method === 'ACK' && drop-- > 0 ? false : undefined),
  });
  answering(pair);
  pair.invite();
  pair.run(20_000);
  assert.deepEqual(pair.told('bob'), ['incoming offer', 'confirmed']);
  assert.equal(pair.trace.filter((l) => l.includes('bob > 200/INVITE')).length, 4);
});

test('no ACK in 64·T1: BYE, and the leg ends', () => {
  const pair = new Pair({
    onWire: (_, m) => (m.kind === 'request' && m.method === 'ACK' ? false : undefined),
  });
  answering(pair);
  pair.invite();
  pair.run();
  assert.deepEqual(pair.told('bob'), ['incoming offer', 'ended ack-timeout']);
  assert.deepEqual(pair.told('alice').at(-1), 'bye');
  assert.equal(pair.agents.alice.size + pair.agents.bob.size, 0);
});

test('the BYE of a callee waits for the ACK', () => {
  let drop = true;
  const pair = new Pair({
    onWire: (_, m) => (m.kind === 'request' && m.method === 'ACK' && drop ? false : undefined),
  });
  let bob = '';
  pair.react.bob = (event) => {
    if (event.type !== 'incoming') return;
    bob = event.leg;
    pair.do('bob', pair.agents.bob.respond(event.leg, 200, { sdp: 'a' }, pair.now));
  };
  pair.invite();
  pair.run(700);
  pair.do('bob', pair.agents.bob.bye(bob, [], pair.now));
  assert.equal(
    pair.trace.some((l) => l.includes('> BYE')),
    false,
  );
  drop = false;
  pair.run();
  assert.deepEqual(pair.told('bob'), ['incoming offer', 'confirmed', 'ended bye-done']);
});

test('two forks answer: the second is acknowledged and ended', () => {
  const pair = new Pair();
  answering(pair);
  pair.invite();
  let copy: SipResponse | undefined;
  const { alice } = pair.agents;
  const receive = alice.receive.bind(alice);
  alice.receive = (message, flow, now) => {
    if (message.kind === 'response' && message.status === 200 && message.headers.cseq.method === 'INVITE')
      copy = message;
    return receive(message, flow, now);
  };
  pair.run(1000);
  assert.ok(copy);
  const other: SipResponse = {
    ...copy,
    headers: { ...copy.headers, to: { ...copy.headers.to, params: { tag: 'other-fork' } } },
  };
  const from = pair.trace.length;
  pair.inject('alice', other);
  pair.inject('alice', other);
  assert.deepEqual(
    pair.trace.slice(from).map((l) => l.replace(/^\d+ /, '')),
    ['alice > ACK 1', 'alice > BYE 2', 'alice > ACK 1'],
  );
  assert.deepEqual(pair.told('alice'), ['progress', 'accepted answer']);
  pair.run(40_000);
  assert.equal(pair.agents.alice.size, 1);
});

test('early dialogs: each fork is told by its tag', () => {
  const pair = new Pair({ onWire: (from) => from === 'alice' });
  pair.invite();
  let invite: SipRequest | undefined;
  pair.react.bob = (event) => {
    if (event.type === 'incoming') invite = event.request;
  };
  pair.run(100);
  assert.ok(invite);
  for (const toTag of ['one', 'two', 'one'])
    pair.inject('alice', createResponse(invite, 183, { toTag, contentType: 'application/sdp', body: toTag }));
  assert.deepEqual(
    pair.events.alice.map((e) => e.type === 'progress' && [e.fork, e.sdp]),
    [
      ['one', 'one'],
      ['two', 'two'],
      ['one', 'one'],
    ],
  );
});

test('requests outside of dialogs', () => {
  const pair = new Pair();
  pair.react.bob = (event) => {
    if (event.type === 'request')
      pair.do('bob', pair.agents.bob.respondRequest(event.tx, 200, { headers: [['X-A', 'b']] }, pair.now));
  };
  const to = { uri: { scheme: 'sip', user: 'bob', host: '192.0.2.2', port: 5070, params: {} }, params: {} };
  pair.do(
    'alice',
    pair.agents.alice.send({ method: 'OPTIONS', requestUri: to.uri, from: to, to }, 'o', pair.now),
  );
  pair.run();
  assert.deepEqual(pair.told('alice'), ['result 200 o']);
  assert.equal(pair.agents.alice.size + pair.agents.bob.size, 0);
});

test('a broken transport fails the call with 503', () => {
  const pair = new Pair({ transport: 'tcp', onWire: () => false });
  pair.invite();
  const flow = pair.flow({ host: '192.0.2.2', port: 5070 });
  pair.do('alice', pair.agents.alice.transportFailed(flow, pair.now));
  assert.deepEqual(pair.told('alice'), ['failed 503 transport']);
  assert.equal(pair.agents.alice.size, 0);
});

test('headers that would break a message are refused, and nothing is sent', () => {
  const { pair, alice } = established();
  for (const headers of [
    [['X-A', 'b\r\nVia: x']],
    [['X-A\r\nB', 'c']],
    [['X-A', 'nul\0']],
    [['Via', 'SIP/2.0/UDP x']],
    [['l', '0']],
  ] as const) {
    assert.throws(() => pair.agents.alice.bye(alice, headers, pair.now), SipWriteError);
    assert.throws(() => pair.invite('offer', { headers }), SipWriteError);
  }
  assert.equal(pair.agents.alice.size > 0, true);
  pair.do('alice', pair.agents.alice.bye(alice, [['X-A', 'fine']], pair.now));
  pair.run();
  assert.deepEqual(pair.told('alice'), ['ended bye-done']);
  assert.equal(pair.agents.alice.size, 0);
});

test('one-call-by-two-roads-rings-twice: a merged request gets 482', () => {
  const pair = new Pair();
  const { bob } = pair.agents;
  const told: string[] = [];
  const legs: string[] = [];
  const bring = (branch: string, change: { cseq?: number; tag?: string } = {}) => {
    const uri = { scheme: 'sip', user: 'x', host: 'a.example', params: {} };
    const request = createRequest({
      method: 'INVITE',
      uri,
      from: { uri, params: { tag: change.tag ?? 'f' } },
      to: { uri, params: {} },
      callId: 'c',
      cseq: change.cseq ?? 1,
      via: [{ transport: 'UDP', host: '192.0.2.1', port: 5060, params: { branch } }],
    });
    for (const out of bob.receive(request, { transport: 'udp', host: '192.0.2.1', port: 5060 }, pair.now)) {
      if (out.type === 'incoming') legs.push(out.leg);
      told.push(out.type === 'sip' && out.message.kind === 'response' ? `${out.message.status}` : out.type);
    }
  };
  bring('z9hG4bK-1');
  bring('z9hG4bK-1');
  bring('z9hG4bK-2');
  bring('z9hG4bK-3', { cseq: 2 });
  bring('z9hG4bK-4', { tag: 'g' });
  assert.deepEqual(told, ['100', 'incoming', '100', '482', '100', 'incoming', '100', 'incoming']);
  // A proxy proves itself with the CSeq that was challenged.
  told.length = 0;
  for (const [status, branch, expected] of [
    [486, 'z9hG4bK-5', '482'],
    [407, 'z9hG4bK-6', 'incoming'],
  ] as const) {
    bring(`${branch}-first`, { tag: branch });
    const event = legs.at(-1)!;
    bob.respond(event, status, {}, pair.now);
    bring(branch, { tag: branch });
    assert.equal(told.at(-1), expected);
  }
});
