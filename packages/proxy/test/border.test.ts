import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Flow, formatUri, header, headersNamed, type SipParseError } from '@sidetone/sip';
import { rejectUnparseable } from '../src/index.ts';
import {
  address,
  type Parts,
  PHONE,
  Rig,
  requests,
  responses,
  routeSet,
  STRANGER,
  statuses,
  TRUNK,
  trunk,
  VOICE,
} from './rig.ts';

const REGISTER: Parts = {
  method: 'REGISTER',
  uri: 'sip:sip.test',
  from: 'sip:line1@sip.test',
  to: 'sip:line1@sip.test',
  contact: [address('sip:line1@10.0.0.5:5062')],
};
const CALL: Parts = { uri: 'sip:+13125550100@192.0.2.1', from: 'sip:line1@sip.test' };

describe('border: strangers', () => {
  const methods = [
    'INVITE',
    'MESSAGE',
    'SUBSCRIBE',
    'NOTIFY',
    'PUBLISH',
    'REFER',
    'INFO',
    'UPDATE',
    'OPTIONS',
    'BYE',
    'REGISTER',
    'FOO',
  ];
  for (const method of methods) {
    for (const toTag of [undefined, 'x']) {
      it(`${method} ${toTag === undefined ? 'outside' : 'inside'} a dialog is challenged and nothing is kept`, () => {
        const rig = new Rig();
        rig.dialog('live', 'x');
        const parts: Parts = {
          method,
          callId: 'live',
          uri: 'sip:v-123@192.0.2.1',
          ...(toTag === undefined ? {} : { toTag }),
          body: 'v=0',
        };
        const { out } = rig.send(STRANGER, parts);
        assert.deepEqual(statuses(out), [method === 'REGISTER' ? 401 : 407]);
        assert.equal(out.length, 1);
        assert.deepEqual(out[0]!.flow, STRANGER);
        assert.equal(rig.proxy.size, 0);
        assert.equal(rig.proxy.deadline(), null);
        assert.equal(rig.proxy.bindings, 0);
      });
    }
  }

  it('ACK and CANCEL without a transaction leave nothing', () => {
    const rig = new Rig();
    assert.deepEqual(rig.send(STRANGER, { method: 'ACK', toTag: 'x', uri: 'sip:v-123@192.0.2.1' }).out, []);
    assert.deepEqual(statuses(rig.send(STRANGER, { method: 'CANCEL' }).out), [481]);
    assert.deepEqual(statuses(rig.send(TRUNK, { method: 'CANCEL' }).out), [481]);
    assert.equal(rig.proxy.size, 0);
  });

  it('gets the same answer to a copy, To tag included', () => {
    const rig = new Rig();
    const request = rig.request(STRANGER, CALL);
    const tags = [rig.receive(request, STRANGER), rig.receive(request, STRANGER)].map(
      (out) => responses(out)[0]!.headers.to.params['tag'],
    );
    assert.equal(tags[0], tags[1]);
    assert.notEqual(tags[0], undefined);
  });

  it('is answered at its source, with received and rport (RFC 3581)', () => {
    const rig = new Rig();
    const request = rig.request({ ...STRANGER, host: '10.9.9.9', port: 5062 } as Flow, CALL);
    const [send] = rig.receive(request, STRANGER);
    assert.deepEqual(send!.flow, STRANGER);
    assert.equal(send!.message.headers.via[0]!.params['received'], '203.0.113.66');
    assert.equal(send!.message.headers.via[0]!.params['rport'], '5060');
    const plain = rig.receive(
      rig.request({ ...STRANGER, port: 5099 } as Flow, { ...CALL, rport: false }),
      STRANGER,
    );
    assert.deepEqual(plain[0]!.flow, { ...STRANGER, port: 5099 });
  });

  it('is refused without memory for what a proxy must refuse', () => {
    const rows: [Parts, number][] = [
      [{ ...CALL, maxForwards: 0 }, 483],
      [{ ...CALL, uri: 'nobodyKnowsThisScheme:totallyopaquecontent' }, 416],
      [{ ...CALL, headers: [['Proxy-Require', 'nothingSupportsThis']] }, 420],
    ];
    for (const [parts, status] of rows) {
      const rig = new Rig();
      assert.deepEqual(statuses(rig.send(STRANGER, parts).out), [status]);
      assert.deepEqual(statuses(rig.send(TRUNK, parts).out), [status]);
      assert.equal(rig.proxy.size, 0);
    }
  });

  it('tel-uri: a tel URI is understood, of a carrier and of a phone, and reaches voice as it came', () => {
    const target = 'tel:+1-312-555-0100;npdi';
    const rig = new Rig();
    const [carried] = requests(rig.send(TRUNK, { uri: target, from: 'tel:+15550100200' }).out);
    assert.equal(formatUri(carried!.message.uri), target);
    assert.equal(formatUri(carried!.message.headers.from.uri), 'tel:+15550100200');
    // What a phone asserts of itself is not passed on (RFC 3325 §5), whatever its scheme.
    const headers = [['P-Asserted-Identity', '<tel:+13125550199>']] as const;
    const phone = rig.authenticated(PHONE, 'line1', { uri: target, from: 'sip:line1@sip.test', headers });
    const [dialled] = requests(phone.out);
    assert.equal(formatUri(dialled!.message.uri), target);
    assert.deepEqual(headersNamed(dialled!.message, 'P-Asserted-Identity'), ['<sip:line1@sip.test>']);
  });

  it('cannot fill the memory with credentials: a false nonce asks nobody, good ones are bounded', () => {
    const rig = new Rig({ lookups: 2 });
    const forged =
      'Digest username="line1", realm="sip.test", nonce="1-00", uri="sip:x", response="00", algorithm=MD5, qop=auth, nc=00000001, cnonce="c"';
    const { out } = rig.send(STRANGER, { ...CALL, headers: [['Proxy-Authorization', forged]] });
    assert.match(header(out[0]!.message, 'Proxy-Authenticate') ?? '', /stale=true/);
    assert.equal(rig.proxy.size, 0);
    const nonce = /nonce="([^"]+)"/.exec(header(out[0]!.message, 'Proxy-Authenticate')!)![1]!;
    const fresh = forged.replace('1-00', nonce);
    const sends = [1, 2, 3].flatMap(
      () => rig.send(STRANGER, { ...CALL, headers: [['Proxy-Authorization', fresh]] }).out,
    );
    assert.equal(rig.lookups.length, 2);
    assert.deepEqual(statuses(sends), [503]);
    assert.match(header(sends[0]!.message, 'Retry-After') ?? '', /^\d+$/);
    rig.pass(5_000);
    assert.equal(rig.proxy.size, 0);
    assert.equal(rig.proxy.deadline(), null);
  });

  it('asks once for copies of one request', () => {
    const rig = new Rig();
    const { request } = rig.authenticated(PHONE, 'line1', CALL);
    const other = new Rig();
    const challenge = responses(other.send(PHONE, CALL).out)[0]!;
    assert.equal(challenge.status, 407);
    const nonce = /nonce="([^"]+)"/.exec(header(challenge, 'Proxy-Authenticate')!)![1]!;
    const text = headersNamed(request, 'Proxy-Authorization')[0]!.replace(
      /nonce="[^"]+"/,
      `nonce="${nonce}"`,
    );
    const again = other.request(PHONE, { ...CALL, headers: [['Proxy-Authorization', text]] });
    other.receive(again, PHONE);
    other.receive(again, PHONE);
    assert.equal(other.lookups.length, 1);
  });

  it('tells the edge of each wrong digest, by user and address, and of no right one', () => {
    const rig = new Rig();
    for (const user of ['line1', 'nobody']) {
      rig.authenticated(PHONE, user, { ...CALL, from: `sip:${user}@sip.test` }, 'a guess');
      assert.deepEqual(rig.refused.splice(0), [
        { type: 'refused', user, address: (PHONE as { host: string }).host },
      ]);
    }
    rig.authenticated(PHONE, 'line1', CALL);
    assert.deepEqual(rig.refused, []);
  });
});

describe('border: addresses nothing can be sent to', () => {
  it('port 0 in a Via without rport: no answer, and no answer later', () => {
    const rig = new Rig();
    const zero = { ...STRANGER, port: 0 } as Flow;
    assert.deepEqual(rig.receive(rig.request(zero, { ...CALL, rport: false }), STRANGER), []);
    const request = rig.request({ ...TRUNK, port: 0 } as Flow, {
      ...CALL,
      from: 'sip:+1@example.net',
      rport: false,
    });
    const out = rig.receive(request, TRUNK);
    assert.deepEqual(
      requests(out).map((r) => r.flow),
      [VOICE],
    );
    assert.deepEqual(statuses(out), []);
    assert.deepEqual(statuses(rig.reply(requests(out)[0]!, 486)), []);
    rig.pass(64_000);
    assert.equal(rig.proxy.size, 0);
  });

  it('port 0 in a Contact: 403 to voice', () => {
    const rig = new Rig();
    const { out } = rig.send(VOICE, { method: 'BYE', toTag: 'x', uri: 'sip:x@192.0.2.50:0' });
    assert.deepEqual(statuses(out), [403]);
  });

  it('a CANCEL from another address than its INVITE is none of ours', () => {
    const rig = new Rig();
    const { request } = rig.send(TRUNK, { ...CALL, from: 'sip:+1@example.net' });
    const headers = { ...request.headers, cseq: { seq: 1, method: 'CANCEL' } };
    assert.deepEqual(statuses(rig.receive({ ...request, method: 'CANCEL', headers }, STRANGER)), [481]);
  });
});

describe('border: who may pass', () => {
  it('a trunk by its address, whatever its port; voice hears its name', () => {
    for (const flow of [
      TRUNK,
      { ...TRUNK, port: 33333 } as Flow,
      { transport: 'tcp', host: '192.0.2.50', port: 44444, connection: 'k' } as const,
    ]) {
      const rig = new Rig();
      const { out } = rig.send(flow, {
        ...CALL,
        from: 'sip:+15557654321@carrier.example',
        headers: [
          ['X-Sidetone-Trunk', 'forged'],
          ['X-Sidetone-Session-Id', 'forged'],
          ['x-sidetone-new', 'forged'],
          ['P-Asserted-Identity', '<sip:line2@sip.test>'],
          ['User-Agent', 'carrier 1.0'],
          ['X-Custom', 'kept'],
        ],
      });
      const [invite] = requests(out, 'INVITE');
      assert.deepEqual(invite!.flow, VOICE);
      assert.deepEqual(headersNamed(invite!.message, 'X-Sidetone-Trunk'), ['first']);
      assert.equal(header(invite!.message, 'X-Sidetone-Session-Id'), undefined);
      assert.equal(header(invite!.message, 'X-Sidetone-New'), undefined);
      assert.equal(header(invite!.message, 'P-Asserted-Identity'), undefined);
      assert.equal(header(invite!.message, 'User-Agent'), 'carrier 1.0');
      assert.equal(header(invite!.message, 'X-Custom'), 'kept');
      assert.equal(invite!.message.headers.maxForwards, 69);
      assert.deepEqual(statuses(out), [100]);
    }
  });

  it('a trunk that speaks TCP is not believed by datagram, whose source can be forged', () => {
    const rig = new Rig();
    rig.people({ trunks: [trunk('tcp', '192.0.2.50', { transport: 'tcp' })] });
    const call = { ...CALL, from: 'sip:+15557654321@carrier.example' };
    assert.deepEqual(statuses(rig.send(TRUNK, call).out), [407]);
    const flow = { transport: 'tcp', host: '192.0.2.50', port: 44444, connection: 'k' } as const;
    assert.equal(requests(rig.send(flow, call).out, 'INVITE').length, 1);
  });

  it('a phone by digest; voice hears who it is, and not its credentials', () => {
    const rig = new Rig();
    const { out } = rig.authenticated(PHONE, 'line1', {
      ...CALL,
      headers: [
        ['P-Asserted-Identity', '<sip:line2@sip.test>'],
        ['X-Sidetone-Trunk', 'first'],
      ],
    });
    const [invite] = requests(out, 'INVITE');
    assert.deepEqual(invite!.flow, VOICE);
    assert.deepEqual(headersNamed(invite!.message, 'P-Asserted-Identity'), ['<sip:line1@sip.test>']);
    assert.equal(header(invite!.message, 'X-Sidetone-Trunk'), undefined);
    assert.equal(header(invite!.message, 'Proxy-Authorization'), undefined);
  });

  it('a phone that shares the address of a trunk must still prove itself', () => {
    const rig = new Rig();
    rig.people({ trunks: [trunk('here', '198.51.100.7')] });
    assert.deepEqual(statuses(rig.send(PHONE, CALL).out), [407]);
    const carrier = { ...PHONE, port: 5070 } as Flow;
    assert.equal(requests(rig.send(carrier, CALL).out).length, 1);
    rig.authenticated(PHONE, 'line1', REGISTER);
    assert.deepEqual(statuses(rig.send(PHONE, { ...CALL, from: 'sip:+1555@example.net' }).out), [407]);
    assert.equal(
      requests(rig.send({ ...PHONE, port: 5099 } as Flow, { ...CALL, from: 'sip:+1555@example.net' }).out)
        .length,
      1,
    );
  });

  it('two trunks at one address are told apart by port', () => {
    const rig = new Rig();
    rig.people({ trunks: [trunk('a', '192.0.2.50', { port: 5080 }), trunk('b', '192.0.2.50')] });
    const [invite] = requests(rig.send(TRUNK, { ...CALL, from: 'sip:+1555@example.net' }).out);
    assert.equal(header(invite!.message, 'X-Sidetone-Trunk'), 'b');
  });

  it('follows changes at once', () => {
    const rig = new Rig();
    rig.people({ trunks: [] });
    assert.deepEqual(statuses(rig.send(TRUNK, CALL).out), [407]);
  });

  const rows: [what: string, parts: Parts, status: number][] = [
    ['OPTIONS to us', { method: 'OPTIONS', uri: 'sip:192.0.2.1' }, 200],
    ['OPTIONS to elsewhere', { method: 'OPTIONS', uri: 'sip:example.com' }, 404],
    ['MESSAGE', { method: 'MESSAGE' }, 405],
    ['SUBSCRIBE', { method: 'SUBSCRIBE' }, 405],
    ['REFER outside of a dialog', { method: 'REFER' }, 403],
    ['REFER to one of our contacts', { method: 'REFER', uri: 'sip:v-1@192.0.2.1' }, 403],
    ['an unknown method', { method: 'RE%47IST%45R' }, 501],
    ['REGISTER by a carrier', REGISTER, 401],
  ];
  for (const [what, parts, status] of rows) {
    it(`${what} by a trunk: ${status}`, () => {
      const rig = new Rig();
      const [response] = responses(rig.send(TRUNK, parts).out);
      assert.equal(response!.status, status);
      if (status === 405 || status === 501) assert.match(header(response!, 'Allow') ?? '', /INVITE/);
      rig.pass(64_000);
      assert.equal(rig.proxy.size, 0);
    });
  }

  it('sheds new calls when full, but nothing in a dialog', () => {
    const rig = new Rig({ requests: 1 });
    rig.dialog('live', 'x');
    rig.send(TRUNK, { ...CALL, from: 'sip:+1555@example.net' });
    const shed = rig.send(TRUNK, { ...CALL, from: 'sip:+1555@example.net' });
    assert.deepEqual(statuses(shed.out), [503]);
    assert.match(header(shed.out[0]!.message, 'Retry-After') ?? '', /^([2-9]|10)$/);
    assert.deepEqual(statuses(rig.send(VOICE, { uri: 'sip:+1800@sip.test' }).out), [503]);
    const bye = rig.send(TRUNK, { method: 'BYE', callId: 'live', toTag: 'x', uri: 'sip:v-1@192.0.2.1' });
    assert.deepEqual(requests(bye.out)[0]!.flow, VOICE);
  });
});

describe('border: dialogs', () => {
  it('a carrier that ignores Record-Route reaches voice by its Contact', () => {
    const rig = new Rig();
    rig.dialog('live', 'x');
    const parts = { callId: 'live', toTag: 'x', uri: 'sip:v-leg@192.0.2.1:5060' };
    for (const method of ['BYE', 'INVITE', 'INFO', 'UPDATE', 'OPTIONS']) {
      const [out] = requests(rig.send(TRUNK, { method, ...parts }).out);
      assert.deepEqual(out!.flow, VOICE);
      assert.equal(out!.message.method, method);
      assert.equal(out!.message.headers.recordRoute.length, 0);
    }
    const [ack] = requests(rig.send(TRUNK, { method: 'ACK', ...parts }).out);
    assert.deepEqual(ack!.flow, VOICE);
  });

  it('a party with the token passes from any address; one with the token of another call does not', () => {
    const rig = new Rig();
    const { out } = rig.authenticated(PHONE, 'line1', { ...CALL, callId: 'ours' });
    const [invite] = requests(out);
    const route = routeSet({ ...responses(rig.reply(invite!, 180))[0]! });
    const moved: Flow = { transport: 'udp', host: '198.51.100.99', port: 1234 };
    const bye: Parts = { method: 'BYE', toTag: 'callee', uri: 'sip:v-leg@192.0.2.1', route, cseq: 9 };
    rig.dialog('theirs', 'callee');
    assert.deepEqual(statuses(rig.send(moved, { ...bye, callId: 'theirs' }).out), [407]);
    const passed = requests(rig.send(moved, { ...bye, callId: 'ours' }).out);
    assert.deepEqual(passed[0]!.flow, VOICE);
    assert.equal(passed[0]!.message.headers.route.length, 0);
  });

  it('a registered phone passes by its flow, a strange port of its address does not', () => {
    const rig = new Rig();
    rig.authenticated(PHONE, 'line1', REGISTER);
    rig.dialog('live', 'x');
    const bye: Parts = { method: 'BYE', callId: 'live', toTag: 'x', uri: 'sip:v-leg@192.0.2.1' };
    assert.equal(requests(rig.send(PHONE, bye).out).length, 1);
    assert.deepEqual(statuses(rig.send({ ...PHONE, port: 40001 } as Flow, bye).out), [407]);
  });

  it('an unregistered phone that ignores Record-Route may still ACK its call', () => {
    const rig = new Rig();
    const { out } = rig.authenticated(PHONE, 'line1', { ...CALL, callId: 'c' });
    rig.reply(requests(out)[0]!, 200, { contact: [address('sip:v-leg@192.0.2.1')] });
    const ack: Parts = { method: 'ACK', toTag: 'callee', uri: 'sip:v-leg@192.0.2.1', callId: 'c', cseq: 2 };
    assert.deepEqual(requests(rig.send(PHONE, ack).out)[0]!.flow, VOICE);
    assert.deepEqual(rig.send(STRANGER, ack).out, []);
  });

  it('a strict router gets through', () => {
    const rig = new Rig();
    const { out } = rig.authenticated(PHONE, 'line1', { ...CALL, callId: 'ours' });
    const [ours] = routeSet(responses(rig.reply(requests(out)[0]!, 180))[0]!);
    const bye = rig.request(PHONE, {
      method: 'BYE',
      toTag: 'callee',
      callId: 'ours',
      cseq: 9,
      route: [address('sip:v-leg@192.0.2.1')],
    });
    const [passed] = requests(rig.receive({ ...bye, uri: ours!.uri }, PHONE));
    assert.deepEqual(passed!.flow, VOICE);
    assert.equal(passed!.message.uri.user, 'v-leg');
  });

  it('internal headers do not leave by responses, nor come in by them', () => {
    const rig = new Rig();
    const { out } = rig.send(TRUNK, { ...CALL, from: 'sip:+1555@example.net' });
    const [up] = responses(
      rig.reply(requests(out)[0]!, 486, {
        headers: [
          ['X-Sidetone-Cause', 'rejected'],
          ['Reason', 'SIP;cause=486'],
          ['X-Mine', 'kept'],
        ],
      }),
    );
    assert.equal(header(up!, 'X-Sidetone-Cause'), undefined);
    assert.equal(header(up!, 'Reason'), 'SIP;cause=486');
    assert.equal(header(up!, 'X-Mine'), 'kept');
    const call = rig.send(VOICE, { uri: 'sip:+1800@sip.test' });
    const [answer] = responses(
      rig.reply(requests(call.out)[0]!, 486, {
        headers: [
          ['X-Sidetone-Cause', 'forged'],
          ['X-Sidetone-Trunk', 'forged'],
        ],
      }),
    );
    assert.equal(header(answer!, 'X-Sidetone-Cause'), undefined);
    assert.deepEqual(headersNamed(answer!, 'X-Sidetone-Trunk'), ['first']);
  });
});

describe('border: what does not parse', () => {
  it('is answered by the way it came, when enough could be read', () => {
    const base: SipParseError = {
      status: 400,
      reason: 'bad CSeq',
      kind: 'request',
      salvaged: {
        method: 'INVITE',
        via: [{ transport: 'UDP', host: '10.0.0.1', params: { branch: 'z9hG4bKx', rport: '' } }],
        from: address('sip:a@b', { tag: 'f' }),
        to: address('sip:c@d'),
        callId: 'c',
        cseq: { seq: 1, method: 'INVITE' },
      },
    };
    const send = rejectUnparseable(base, STRANGER);
    assert.equal(send?.message.kind === 'response' && send.message.status, 400);
    assert.deepEqual(send?.flow, STRANGER);
    assert.equal(send?.message.headers.via[0]?.params['received'], '203.0.113.66');
    assert.deepEqual(rejectUnparseable(base, STRANGER), send);
    assert.equal(rejectUnparseable({ ...base, kind: 'response' }, STRANGER), null);
    assert.equal(rejectUnparseable({ ...base, salvaged: {} }, STRANGER), null);
  });
});
