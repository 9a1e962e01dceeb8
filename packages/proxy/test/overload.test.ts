import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Flow, header, type SipRequest, type SipResponse, withoutHeader } from '@sidetone/sip';
import { fixedIdentity } from '@sidetone/wire/testing';
import fc from 'fast-check';
import type { ProxyOutput } from '../src/index.ts';
import { SentAway } from '../src/sent-away.ts';
import {
  address,
  type Parts,
  PEOPLE,
  PHONE,
  Rig,
  requests,
  responses,
  STRANGER,
  statuses,
  TRUNK,
  trunk,
  VOICE,
  withCredentials,
} from './rig.ts';

const REGISTER: Parts = {
  method: 'REGISTER',
  uri: 'sip:sip.test',
  from: 'sip:line1@sip.test',
  to: 'sip:line1@sip.test',
  contact: [address('sip:line1@198.51.100.7:40000')],
};
const FORGED: Parts = { method: 'OPTIONS', uri: 'sip:x@sip.test', from: 'sip:a@sip.test', toTag: '2' };
const CARRIER: Parts = { uri: 'sip:+13125550100@192.0.2.1', from: 'sip:+1555@example.net' };
const OTHER: Flow = { transport: 'udp', host: '192.0.2.51', port: 5070 };
const from = (host: string): Flow => ({ transport: 'udp', host, port: 5060 });
const saysWhen = (response: SipResponse | undefined): boolean =>
  /^([2-9]|10)$/.test(header(response!, 'Retry-After') ?? '');
/** A send but for its Retry-After. */
const withoutRetry = (out: ProxyOutput): ProxyOutput =>
  out.type === 'sip' ? { ...out, message: withoutHeader(out.message, 'Retry-After') } : out;

describe('one-peer-takes-every-place', () => {
  it('what only looks as if it were in a dialog gets 481 and nothing else, whoever sends it', () => {
    const rig = new Rig({ requests: 10 });
    rig.authenticated(PHONE, 'line1', REGISTER);
    const before = rig.proxy.size;
    for (const flow of [PHONE, TRUNK, STRANGER])
      for (const method of ['OPTIONS', 'INVITE', 'INFO', 'UPDATE', 'BYE', 'REFER', 'NOTIFY', 'FOO'])
        for (let i = 0; i < 30; i++)
          assert.deepEqual(statuses(rig.send(flow, { ...FORGED, method }).out), [481], method);
    assert.equal(rig.proxy.size, before, 'nothing is kept');
    assert.equal(rig.lookups.length, 0);
    assert.equal(requests(rig.send(OTHER, CARRIER).out, 'INVITE').length, 1);
    assert.equal(requests(rig.send(VOICE, { uri: 'sip:line1@sip.test' }).out, 'INVITE').length, 1);
    assert.deepEqual(rig.send(PHONE, { ...FORGED, method: 'ACK' }).out, [], 'an ACK gets nothing');
  });

  it('nor does the tag of a dialog that is over, or of another call', () => {
    const rig = new Rig();
    rig.dialog('call', 'tag');
    const bye: Parts = { method: 'INFO', callId: 'call', toTag: 'tag', uri: 'sip:v-1@192.0.2.1' };
    assert.equal(requests(rig.send(TRUNK, bye).out).length, 1);
    assert.deepEqual(statuses(rig.send(TRUNK, { ...bye, callId: 'other' }).out), [481]);
    rig.dialog('call', 'tag', false);
    assert.deepEqual(statuses(rig.send(TRUNK, bye).out), [481]);
  });

  it('a To tag takes a REGISTER past no limit', () => {
    const rig = new Rig({ requests: 1 });
    rig.dialog('call-1', '2');
    rig.send(TRUNK, CARRIER);
    const { out } = rig.authenticated(PHONE, 'line1', { ...REGISTER, callId: 'call-1', toTag: '2' });
    assert.deepEqual(statuses(out), [503]);
  });

  it('one trunk, phone or room leaves a place for the others', () => {
    const rig = new Rig({ requests: 100 });
    rig.identity = fixedIdentity({
      ...PEOPLE,
      trunks: [trunk('first', '192.0.2.50'), trunk('second', '192.0.2.51')],
    });
    let passed = 0;
    for (let i = 0; i < 300; i++) passed += requests(rig.send(TRUNK, CARRIER).out, 'INVITE').length;
    assert.equal(passed, 90);
    const refused = rig.send(TRUNK, CARRIER);
    assert.deepEqual(statuses(refused.out), [503]);
    assert.ok(saysWhen(responses(refused.out)[0]));
    assert.equal(requests(rig.send(OTHER, CARRIER).out, 'INVITE').length, 1);
    assert.equal(requests(rig.authenticated(PHONE, 'line1', CARRIER).out, 'INVITE').length, 1);
    assert.equal(requests(rig.send(VOICE, { uri: 'sip:+1800@sip.test' }).out, 'INVITE').length, 1);
  });

  it('in one dialog so many requests are under way and no more, but a BYE passes', () => {
    const rig = new Rig({ requestsPerDialog: 4 });
    rig.dialog('live', 'x');
    const parts: Parts = { callId: 'live', toTag: 'x', uri: 'sip:v-1@192.0.2.1' };
    const seen = Array.from({ length: 6 }, () => rig.send(TRUNK, { ...parts, method: 'INFO' }).out);
    assert.deepEqual(
      seen.map((out) => requests(out).length),
      [1, 1, 1, 1, 0, 0],
    );
    assert.deepEqual(statuses(seen[5]!), [503]);
    assert.equal(requests(rig.send(TRUNK, { ...parts, method: 'BYE' }).out).length, 1);
    rig.reply(requests(seen[0]!)[0]!, 200);
    assert.equal(requests(rig.send(TRUNK, { ...parts, method: 'INFO' }).out).length, 1, 'one is over');
  });

  it('a call that is answered holds no place, and copies of all its messages still find their way', () => {
    const rig = new Rig({ requests: 1 });
    for (let i = 0; i < 50; i++) {
      const { request, out } = rig.send(TRUNK, { ...CARRIER, callId: `call-${i}` });
      const [invite] = requests(out, 'INVITE');
      assert.deepEqual(statuses(rig.reply(invite!, 200)), [200], `call ${i}`);
      assert.deepEqual(rig.receive(request, TRUNK), [], 'a copy of the INVITE is absorbed');
      assert.deepEqual(statuses(rig.reply(invite!, 200)), [200], 'a copy of the 2xx is passed on');
      assert.deepEqual(statuses(rig.reply(invite!, 200, { toTag: 'fork' })), [200], 'and another one');
    }
    rig.pass(40_000);
    assert.equal(rig.proxy.size, 0);
  });

  it('OPTIONS to ourselves and what nobody serves leave nothing behind', () => {
    const rig = new Rig();
    for (let i = 0; i < 50; i++) {
      assert.deepEqual(statuses(rig.send(TRUNK, { method: 'OPTIONS', uri: 'sip:192.0.2.1' }).out), [200]);
      assert.deepEqual(statuses(rig.send(TRUNK, { method: 'MESSAGE' }).out), [405]);
    }
    assert.equal(rig.proxy.size, 0);
  });

  it('passwords are looked up for everybody, however many one address asks for', () => {
    const rig = new Rig({ lookups: 20 });
    const ask = (host: string, callId: string): number[] => {
      const flow = from(host);
      const challenged = responses(rig.send(flow, { ...REGISTER, callId }).out)[0]!;
      const value = header(challenged, 'WWW-Authenticate')!;
      const nonce = /nonce="([^"]+)"/.exec(value)![1];
      const authorization = `Digest username="line1", realm="sip.test", nonce="${nonce}", uri="sip:sip.test", response="${'0'.repeat(32)}", qop=auth, nc=00000001, cnonce="c"`;
      const headers = [['Authorization', authorization]] as const;
      return statuses(rig.send(flow, { ...REGISTER, callId, headers }).out);
    };
    const seen = Array.from({ length: 30 }, (_, i) => ask('203.0.113.1', `greedy-${i}`));
    assert.equal(seen.filter(([status]) => status === undefined).length, 18);
    assert.equal(seen.filter(([status]) => status === 503).length, 12);
    assert.deepEqual(ask('203.0.113.2', 'modest'), []);
  });
});

describe('goodput-falls-under-overload', () => {
  it('what waited too long is refused before anything is kept or looked up', () => {
    const rig = new Rig();
    const late = (flow: Flow, parts: Parts) => {
      const message = rig.request(flow, parts);
      const out = rig.proxy.handle({ type: 'sip', message, flow, late: true }, rig.now);
      return out.flatMap((o) => (o.type === 'sip' ? [o] : []));
    };
    const answer = late(TRUNK, CARRIER);
    assert.deepEqual(statuses(answer), [503]);
    assert.ok(saysWhen(responses(answer)[0]));
    // A challenge costs as little as a refusal; its answer would be looked up.
    const [challenge] = responses(late(STRANGER, REGISTER));
    assert.equal(challenge!.status, 401);
    const proof = withCredentials(rig.request(STRANGER, REGISTER), challenge!, 'line1', 'secret of line1');
    const proven = rig.proxy.handle({ type: 'sip', message: proof, flow: STRANGER, late: true }, rig.now);
    assert.deepEqual(statuses(proven.flatMap((o) => (o.type === 'sip' ? [o] : []))), [503]);
    assert.deepEqual(statuses(late(TRUNK, { method: 'OPTIONS', uri: 'sip:192.0.2.1' })), [200]);
    assert.deepEqual(statuses(late(TRUNK, FORGED)), [481]);
    rig.dialog('live', 'x');
    const inDialog: Parts = { callId: 'live', toTag: 'x', uri: 'sip:v-1@192.0.2.1' };
    assert.equal(requests(late(TRUNK, { ...inDialog, method: 'BYE' })).length, 1);
    rig.pass(64_000);
    assert.equal(rig.proxy.size, 0);
    assert.equal(rig.lookups.length, 0);
    const times = new Set(
      Array.from({ length: 40 }, () => header(responses(late(TRUNK, CARRIER))[0]!, 'Retry-After')),
    );
    assert.ok(times.size > 3, 'not all at the same time');
  });

  it('a new INVITE of a carrier or a phone is refused without a run of the proxy; the rest is not', () => {
    const rig = new Rig();
    rig.authenticated(PHONE, 'line1', REGISTER);
    rig.dialog('live', 'x');
    const underWay = rig.send(TRUNK, CARRIER).request;
    const ofBlank: Parts = { ...CARRIER, rport: false };
    const ipv6: Flow = { transport: 'udp', host: '2001:db8::66', port: 5060 };
    const rows: readonly [string, Flow, SipRequest, boolean][] = [
      ['of a carrier', TRUNK, rig.request(TRUNK, CARRIER), true],
      ['of one from another port', from('192.0.2.50'), rig.request(TRUNK, ofBlank), true],
      ['of a phone', PHONE, rig.request(PHONE, CARRIER), true],
      ['of a stranger', STRANGER, rig.request(STRANGER, CARRIER), false],
      ['of a stranger by IPv6', ipv6, rig.request(ipv6, CARRIER), false],
      ['a copy of one under way', TRUNK, underWay, false],
      ['in a dialog', TRUNK, rig.request(TRUNK, { callId: 'live', toTag: 'x' }), false],
      ['with a tag of nothing', TRUNK, rig.request(TRUNK, { ...CARRIER, toTag: 'y' }), false],
    ];
    for (const [what, flow, request, refused] of rows) {
      const answer = rig.proxy.turns.refusal(request, flow, rig.now);
      assert.equal(answer !== null, refused, what);
      if (answer !== null) assert.ok(saysWhen(answer.message as SipResponse), what);
    }
    for (const method of ['ACK', 'BYE', 'CANCEL', 'OPTIONS', 'INFO', 'UPDATE', 'REGISTER', 'FOO']) {
      const request = rig.request(TRUNK, { ...CARRIER, method });
      assert.equal(rig.proxy.turns.refusal(request, TRUNK, rig.now), null, method);
    }
  });

  it('what is so refused hears what the proxy would have said', () => {
    const parts = fc.record({
      method: fc.constantFrom('INVITE', 'INVITE', 'ACK', 'BYE', 'OPTIONS', 'INFO', 'REGISTER'),
      toTag: fc.option(fc.constantFrom('x', 'y'), { nil: undefined }),
      callId: fc.constantFrom('live', 'other', 'a@b'),
      branch: fc.constantFrom('z9hG4bKone', 'z9hG4bKtwo', 'old', ''),
      rport: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 8 }), fc.constantFrom(TRUNK, STRANGER), (sent, flow) => {
        // Both hear the same, but for when to come back; one is asked before.
        const [quick, thorough] = [new Rig(), new Rig()];
        for (const rig of [quick, thorough]) rig.dialog('live', 'x');
        for (const { toTag, ...part } of sent) {
          const given = { ...CARRIER, ...part, ...(toTag === undefined ? {} : { toTag }) };
          const message = quick.request(flow, given);
          const [nobodys, before] = [quick.proxy.turns.isNobodys(message, flow), quick.proxy.size];
          const answer = quick.proxy.turns.refusal(message, flow, quick.now);
          const out = thorough.proxy.handle({ type: 'sip', message, flow, late: true }, thorough.now);
          if (answer !== null || nobodys) {
            assert.deepEqual(answer === null ? [] : [withoutRetry(answer)], out.map(withoutRetry));
            assert.equal(quick.proxy.size, before);
            continue;
          }
          quick.proxy.handle({ type: 'sip', message, flow, late: true }, quick.now);
          if (flow === TRUNK && message.method === 'INVITE')
            assert.ok(!out.some((o) => o.type === 'sip' && statuses([o])[0] === 503));
        }
      }),
    );
  });

  it("the ACK of a refusal is nobody's, that of a call is not", () => {
    const rig = new Rig();
    const refused = rig.request(TRUNK, CARRIER);
    rig.proxy.turns.refusal(refused, TRUNK, rig.now);
    const nobodys = (parts: Parts) =>
      rig.proxy.turns.isNobodys(rig.request(TRUNK, { method: 'ACK', ...parts }), TRUNK);
    const { callId } = refused.headers;
    const branch = refused.headers.via[0]!.params['branch']!;
    assert.equal(nobodys({ callId, branch, toTag: 't' }), true);
    rig.dialog('live', 'x');
    assert.equal(nobodys({ callId: 'live', toTag: 'x' }), false);
    rig.send(TRUNK, { ...CARRIER, callId: 'c', branch: 'z9hG4bKc' });
    assert.equal(nobodys({ callId: 'c', branch: 'z9hG4bKc', toTag: 't' }), false, 'of what is under way');
    assert.equal(nobodys({ callId: 'n' }), false, 'without a tag it is for the proxy to judge');
    assert.equal(rig.proxy.turns.isNobodys(rig.request(TRUNK, { ...CARRIER, toTag: 'y' }), TRUNK), false);
  });

  it('every 503 that leaves us says when to come back, also one of a carrier or of voice', () => {
    const rig = new Rig();
    const incoming = rig.send(TRUNK, CARRIER);
    const [own] = responses(rig.reply(requests(incoming.out)[0]!, 503));
    assert.ok(saysWhen(own));
    const next = rig.send(TRUNK, CARRIER);
    const stated = { headers: [['Retry-After', '77']] as const };
    const [kept] = responses(rig.reply(requests(next.out)[0]!, 503, stated));
    assert.equal(header(kept!, 'Retry-After'), '77');
  });

  it('what lives goes first, and the rest by who sends it', () => {
    const rig = new Rig();
    rig.authenticated(PHONE, 'line1', REGISTER);
    rig.dialog('live', 'x');
    const turn = (flow: Flow, parts: Parts): string | null =>
      rig.proxy.turns.of(rig.request(flow, parts), flow, rig.now);
    assert.equal(turn(TRUNK, CARRIER), 'trunk first');
    assert.equal(turn(PHONE, CARRIER), 'phone 198.51.100.7 40000');
    assert.equal(turn(STRANGER, CARRIER), 'strangers');
    assert.equal(turn(from('203.0.113.67'), CARRIER), 'strangers');
    const tcp: Flow = { transport: 'tcp', host: '203.0.113.68', port: 5060, connection: 'c' };
    assert.equal(turn(tcp, CARRIER), 'stranger 203.0.113.68');
    const inDialog: Parts = { callId: 'live', toTag: 'x' };
    for (const method of ['BYE', 'OPTIONS', 'INVITE', 'ACK'])
      assert.equal(turn(STRANGER, { ...inDialog, method }), null, method);
    assert.equal(turn(TRUNK, FORGED), 'trunk first', 'a tag alone is no dialog');
    assert.equal(turn(TRUNK, { ...inDialog, method: 'REGISTER' }), 'trunk first');
    const invite = rig.send(TRUNK, CARRIER);
    assert.equal(rig.proxy.turns.of(invite.request, TRUNK, rig.now), null, 'a copy');
    const { via, cseq } = invite.request.headers;
    const cancel = { ...rig.request(TRUNK, { ...CARRIER, method: 'CANCEL' }) };
    const same = { ...cancel, headers: { ...cancel.headers, via, cseq: { ...cseq, method: 'CANCEL' } } };
    assert.equal(rig.proxy.turns.of(same, TRUNK, rig.now), null, 'a CANCEL of what is under way');
    assert.equal(turn(TRUNK, { ...CARRIER, method: 'CANCEL' }), 'trunk first', 'behind its INVITE');
    const [sent] = requests(rig.send(VOICE, { uri: 'sip:+1800@sip.test' }).out);
    const ringing = responses(rig.reply(sent!, 180));
    assert.equal(rig.proxy.turns.of(ringing[0]!, STRANGER, rig.now), null, 'responses');
  });

  it('a copy of an INVITE that was sent away is sent away, too, and does not ring; the next try does', () => {
    const rig = new Rig();
    const request = rig.request(TRUNK, { ...CARRIER, callId: 'c', branch: 'z9hG4bKone' });
    rig.proxy.turns.refusal(request, TRUNK, rig.now);
    rig.now += 500;
    assert.deepEqual(statuses(rig.receive(request, TRUNK)), [503]);
    assert.equal(requests(rig.send(TRUNK, { ...CARRIER, callId: 'c', cseq: 2 }).out, 'INVITE').length, 1);
    rig.now += 33_000;
    assert.equal(requests(rig.receive(request, TRUNK), 'INVITE').length, 1);
  });
});

describe('INVITEs that were sent away', () => {
  const rig = new Rig();
  const request = (branch: string): SipRequest => rig.request(TRUNK, { ...CARRIER, branch });

  it('are remembered up to a bound, the last ones for certain', () => {
    const sentAway = new SentAway(() => 'source');
    for (let i = 0; i < 45_000; i++) {
      sentAway.add(request(`z9hG4bK${i}`), TRUNK, 0);
      assert.ok(sentAway.size <= 20_000);
    }
    for (let i = 36_000; i < 45_000; i++) assert.ok(sentAway.has(request(`z9hG4bK${i}`), TRUNK, 1));
    assert.equal(sentAway.has(request('z9hG4bK1'), TRUNK, 1), false);
    assert.equal(sentAway.has(request('z9hG4bK44999'), TRUNK, 32_001), false);
  });

  it('unless their names are longer than any real one', () => {
    const sentAway = new SentAway(() => 'source');
    sentAway.add(request(`z9hG4bK${'x'.repeat(10_000)}`), TRUNK, 0);
    assert.equal(sentAway.size, 0);
  });
});
