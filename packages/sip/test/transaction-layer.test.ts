import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@sidetone/core';
import {
  createRequest,
  createResponse,
  createTransactionLayer,
  type Flow,
  type SipMessage,
  type SipRequest,
  type TransactionOut,
  type Via,
} from '@sidetone/sip';

const uri = { scheme: 'sip', user: 'b', host: 'b.example', params: {} };
const flow: Flow = { transport: 'udp', host: '192.0.2.9', port: 5099 };
const layer = () =>
  createTransactionLayer({ sentBy: { host: '192.0.2.1', port: 5060 }, random: seededRandom(3) });
const request = (method: string, via: readonly Via[] = [], more: { toTag?: string; callId?: string } = {}) =>
  createRequest({
    method,
    uri,
    from: { uri, params: { tag: 'f' } },
    to: { uri, params: more.toTag === undefined ? {} : { tag: more.toTag } },
    callId: more.callId ?? 'c',
    cseq: 1,
    via,
  });
const via = (params: Record<string, string>, host = '192.0.2.9', port = 5099): Via => ({
  transport: 'UDP',
  host,
  port,
  params,
});
const show = (out: readonly TransactionOut[]): string[] =>
  out.map((o) =>
    o.type === 'sip'
      ? `> ${o.message.kind === 'request' ? o.message.method : o.message.status}`
      : o.type === 'request'
        ? `request ${o.request.method} ${o.tx === null ? '-' : 'tx'}`
        : o.type === 'response'
          ? `response ${o.response.status}`
          : o.type,
  );
const sent = (out: readonly TransactionOut[]): SipMessage => {
  const found = out.find((o) => o.type === 'sip');
  assert.ok(found);
  return found.message;
};

test('our Via: transport, sent-by, a fresh branch, rport on UDP only', () => {
  const l = layer();
  const seen = new Set<string>();
  for (const to of [
    flow,
    { transport: 'tcp', host: 'h', port: 1 },
    { transport: 'local', node: 'voice' },
  ] as const) {
    const top = sent(l.request(request('OPTIONS'), to, 0).out).headers.via[0]!;
    assert.equal(top.transport, to.transport.toUpperCase());
    assert.equal(top.host, '192.0.2.1');
    assert.equal(top.params['rport'], to.transport === 'udp' ? '' : undefined);
    assert.match(top.params['branch']!, /^z9hG4bK[0-9a-f]{20}$/);
    seen.add(top.params['branch']!);
  }
  assert.equal(seen.size, 3);
});

test('received and rport are noted, and the answer goes to the source', () => {
  for (const [top, source, received, rport, answerPort] of [
    [via({ branch: 'z9hG4bKa', rport: '' }, '10.0.0.1', 5060), 5099, '192.0.2.9', '5099', 5099],
    [via({ branch: 'z9hG4bKb' }, '10.0.0.1', 5060), 5099, '192.0.2.9', undefined, 5060],
    [via({ branch: 'z9hG4bKc' }), 5099, undefined, undefined, 5099],
    [via({ branch: 'z9hG4bKd', maddr: '203.0.113.1' }), 5099, undefined, undefined, 5099],
  ] as const) {
    const l = layer();
    const [told] = l.receive(
      request('OPTIONS', [top]),
      { transport: 'udp', host: '192.0.2.9', port: source },
      0,
    );
    assert.equal(told?.type, 'request');
    if (told?.type !== 'request') return;
    assert.equal(told.request.headers.via[0]?.params['received'], received);
    assert.equal(told.request.headers.via[0]?.params['rport'], rport);
    const out = l.respond(told.tx!, createResponse(told.request, 200), 0);
    assert.deepEqual(out[0]?.type === 'sip' && out[0].flow, {
      transport: 'udp',
      host: '192.0.2.9',
      port: answerPort,
    });
  }
});

test('copies are absorbed; another branch, host or method is another transaction', () => {
  const l = layer();
  const first = request('OPTIONS', [via({ branch: 'z9hG4bKx' })]);
  assert.deepEqual(show(l.receive(first, flow, 0)), ['request OPTIONS tx']);
  assert.deepEqual(show(l.receive(first, flow, 0)), []);
  for (const other of [
    request('OPTIONS', [via({ branch: 'z9hG4bKy' })]),
    request('OPTIONS', [via({ branch: 'z9hG4bKx' }, '192.0.2.10')]),
    request('INFO', [via({ branch: 'z9hG4bKx' })]),
  ])
    assert.equal(l.receive(other, flow, 0).length, 1);
  assert.equal(l.size, 4);
});

test('RFC 2543 peers without a branch are matched by the old rules', () => {
  const l = layer();
  const invite = request('INVITE', [via({})]);
  const out = l.receive(invite, flow, 0);
  assert.deepEqual(show(out), ['request INVITE tx']);
  assert.deepEqual(show(l.receive(invite, flow, 1)), []);
  assert.equal(out[0]?.type, 'request');
  if (out[0]?.type !== 'request') return;
  l.respond(out[0].tx!, createResponse(out[0].request, 486, { toTag: 't' }), 2);
  assert.deepEqual(show(l.receive(request('ACK', [via({})], { toTag: 't' }), flow, 3)), ['over']);
  assert.deepEqual(show(l.receive(request('INVITE', [via({})], { callId: 'other' }), flow, 3)), [
    'request INVITE tx',
  ]);
});

test('CANCEL: 200, told once, without effect after the final answer; unmatched it is a request', () => {
  const l = layer();
  const top = [via({ branch: 'z9hG4bKinv' })];
  const [told] = l.receive(request('INVITE', top), flow, 0);
  assert.equal(told?.type, 'request');
  if (told?.type !== 'request') return;
  l.respond(told.tx!, createResponse(told.request, 180, { toTag: 'mine' }), 0);
  const out = l.receive(request('CANCEL', top), flow, 1);
  assert.deepEqual(show(out), ['> 200', 'over', 'cancelled']);
  assert.equal(sent(out).headers.to.params['tag'], 'mine');
  assert.deepEqual(show(l.receive(request('CANCEL', top), flow, 2)), ['> 200']);
  l.respond(told.tx!, createResponse(told.request, 487, { toTag: 'mine' }), 3);
  assert.deepEqual(show(l.receive(request('ACK', top, { toTag: 'mine' }), flow, 4)), ['over']);

  const late = [via({ branch: 'z9hG4bKlate' })];
  const [other] = l.receive(request('INVITE', late), flow, 5);
  if (other?.type === 'request') l.respond(other.tx!, createResponse(other.request, 200, { toTag: 'x' }), 5);
  assert.deepEqual(show(l.receive(request('CANCEL', late), flow, 6)), ['> 200', 'over']);
  assert.deepEqual(show(l.receive(request('CANCEL', [via({ branch: 'z9hG4bKno' })]), flow, 7)), [
    'request CANCEL tx',
  ]);
});

test('our CANCEL has the branch of its INVITE, waits for a 1xx and stays silent', () => {
  const l = layer();
  const { tx, out } = l.request(request('INVITE'), flow, 0);
  const invite = sent(out) as SipRequest;
  assert.deepEqual(show(l.cancel(tx, [['Reason', 'SIP;cause=200']], 1)), []);
  const proceeding = l.receive(createResponse(invite, 180, { toTag: 't' }), flow, 2);
  assert.deepEqual(show(proceeding), ['response 180', '> CANCEL']);
  const cancel = sent(proceeding) as SipRequest;
  assert.deepEqual(cancel.headers.via, invite.headers.via);
  assert.deepEqual(cancel.headers.cseq, { seq: 1, method: 'CANCEL' });
  assert.deepEqual(cancel.headers.other, [['Reason', 'SIP;cause=200']]);
  assert.deepEqual(cancel.headers.to, invite.headers.to);
  assert.deepEqual(show(l.receive(createResponse(cancel, 200), flow, 3)), []);
  assert.deepEqual(show(l.receive(createResponse(invite, 487, { toTag: 't' }), flow, 4)), [
    '> ACK',
    'response 487',
    'over',
  ]);
});

test('a 2xx after its transaction is a stray; other responses that match nothing are dropped', () => {
  const l = layer();
  const invite = request('INVITE', [via({ branch: 'z9hG4bKgone' })]);
  assert.deepEqual(show(l.receive(createResponse(invite, 200), flow, 0)), ['stray']);
  assert.deepEqual(show(l.receive(createResponse(invite, 486), flow, 0)), []);
  assert.deepEqual(show(l.receive(createResponse(request('BYE', [via({})]), 200), flow, 0)), []);
});

test('a lost hop ends what depends on it', () => {
  const l = layer();
  const tcp: Flow = { transport: 'tcp', host: 'h', port: 1, connection: 'c1' };
  l.request(request('OPTIONS'), tcp, 0);
  l.request(request('OPTIONS'), flow, 0);
  assert.deepEqual(show(l.transportFailed({ ...tcp, connection: 'c2' }, 1)), []);
  assert.deepEqual(show(l.transportFailed(tcp, 1)), ['transportError', 'terminated']);
  assert.equal(l.size, 1);
  assert.deepEqual(show(l.transportFailed(flow, 1)), ['transportError', 'terminated']);
  assert.equal(l.deadline(), null);
});

test('an ACK for a 2xx is told without a transaction', () => {
  const l = layer();
  const out = l.receive(request('ACK', [via({ branch: 'z9hG4bKack' })], { toTag: 't' }), flow, 0);
  assert.deepEqual(show(out), ['request ACK -']);
  assert.equal(l.size, 0);
  const ours = l.ack(request('ACK'), flow);
  assert.deepEqual(show(ours), ['> ACK']);
  assert.equal(l.size, 0);
});

test('one-peer-takes-every-place: what is over counts no more, and its copies get the same answer', () => {
  const l = layer();
  const top = [via({ branch: 'z9hG4bKbye', rport: '' })];
  const bye = request('BYE', top, { toTag: 'mine' });
  const [told] = l.receive(bye, flow, 0);
  assert.equal(told?.type, 'request');
  if (told?.type !== 'request') return;
  assert.equal(l.live, 1);
  const parts = { headers: [['Server', 'x'] as const], contentType: 'text/plain', body: 'gone' };
  const answered = sent(l.respond(told.tx!, createResponse(told.request, 200, parts), 0));
  assert.equal(l.live, 0);
  assert.equal(l.size, 1);
  for (const now of [500, 1500, 31_000])
    assert.deepEqual(sent(l.receive(bye, flow, now)), answered, `after ${now} ms`);
  l.tick(32_000);
  assert.equal(l.size, 0);
});

test('one-peer-takes-every-place: all that waits for copies is over, an answer that is repeated is not', () => {
  const l = layer();
  const invite = (branch: string): string => {
    const [out] = l.receive(request('INVITE', [via({ branch })], { callId: branch }), flow, 0);
    return out?.type === 'request' ? out.tx! : '';
  };
  const asked = request('INVITE', [via({ branch: 'z9hG4bKtwo' })], { callId: 'z9hG4bKtwo' });
  assert.deepEqual(show(l.respond(invite('z9hG4bKone'), createResponse(asked, 200, { toTag: 't' }), 0)), [
    '> 200',
    'over',
  ]);
  assert.deepEqual(show(l.respond(invite('z9hG4bKtwo'), createResponse(asked, 486, { toTag: 't' }), 0)), [
    '> 486',
  ]);
  assert.equal(l.live, 1, 'timer G runs');
  assert.deepEqual(show(l.receive({ ...asked, method: 'ACK' }, flow, 1)), ['over']);
  const call = sent(l.request(request('INVITE'), flow, 2).out) as SipRequest;
  assert.equal(l.live, 1);
  const ok = createResponse(call, 200, { toTag: 't' });
  assert.deepEqual(show(l.receive(ok, flow, 3)), ['response 200', 'over']);
  assert.deepEqual(show(l.receive(ok, flow, 4)), ['response 200'], 'timer M: each 2xx is told');
  assert.equal(l.live, 0);
  l.tick(40_000);
  assert.equal(l.size, 0);
});

test('one-peer-takes-every-place: the shelf of what is over is bounded, and who fills it loses its own', () => {
  const random = seededRandom(3);
  const l = createTransactionLayer({ sentBy: { host: '192.0.2.1' }, random, finished: 10 });
  const options = (branch: string, holder: string): boolean => {
    const [out] = l.receive(request('OPTIONS', [via({ branch })]), flow, 0, holder);
    if (out?.type !== 'request') return false;
    l.respond(out.tx!, createResponse(out.request, 200), 0);
    return true;
  };
  assert.ok(options('z9hG4bKmodest', 'modest'));
  for (let i = 0; i < 100; i++) assert.ok(options(`z9hG4bKgreedy${i}`, 'greedy'));
  assert.equal(l.size, 10);
  assert.equal(options('z9hG4bKmodest', 'modest'), false, 'still a copy');
  assert.equal(options('z9hG4bKgreedy99', 'greedy'), false, 'still a copy');
  assert.ok(options('z9hG4bKgreedy0', 'greedy'), 'forgotten');
});
