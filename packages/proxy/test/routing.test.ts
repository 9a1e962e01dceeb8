import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ExtraHeaders, type Flow, formatUri, header, headersNamed, type NameAddr } from '@sidetone/sip';
import {
  address,
  connection,
  type Parts,
  PEOPLE,
  PHONE,
  Rig,
  requests,
  responses,
  routeSet,
  statuses,
  TRUNK,
  trunk,
  VOICE,
  VSP,
} from './rig.ts';

const reg = (user: string, contact: string, callId = contact): Parts => ({
  method: 'REGISTER',
  uri: 'sip:sip.test',
  from: `sip:${user}@sip.test`,
  to: `sip:${user}@sip.test`,
  contact: [address(contact)],
  callId,
});

function registered(): Rig {
  const rig = new Rig();
  rig.send(VSP, reg('line1', 'sip:s1@vsp.sidetone.invalid'));
  rig.send(VSP, reg('line1', 'sip:s2@vsp.sidetone.invalid'));
  rig.send(VSP, reg('line2', 'sip:t1@vsp.sidetone.invalid'));
  rig.authenticated(PHONE, 'line2', reg('line2', 'sip:line2@10.0.0.5:5062'));
  return rig;
}

describe('routing: requests of voice', () => {
  const rows: [uri: string, targets: string[] | number][] = [
    ['sip:line1@sip.test', ['sip:s2@vsp.sidetone.invalid']],
    ['sip:LINE1@sip.test', 404],
    ['sip:line2@sip.test', ['sip:line2@10.0.0.5:5062', 'sip:t1@vsp.sidetone.invalid']],
    ['sip:line2@192.0.2.1', ['sip:line2@10.0.0.5:5062', 'sip:t1@vsp.sidetone.invalid']],
    ['sip:+13125550100@sip.test', ['sip:s2@vsp.sidetone.invalid']],
    ['sip:+18005550123@sip.test', ['sip:+18005550123@192.0.2.50:5070']],
    ['sip:+1(800)555-0123@sip.test', ['sip:+18005550123@192.0.2.50:5070']],
    ['sip:18005550123@sip.test', 404],
    ['sip:+18005550123;npdi;rn=+18005550000@sip.test;user=phone', ['sip:+18005550123@192.0.2.50:5070']],
    ['sip:+13125550100;cpc=ordinary@192.0.2.1', ['sip:s2@vsp.sidetone.invalid']],
    ['sip:nobody@sip.test', 404],
    ['sip:9196@sip.test', 404],
    ['sip:s1@vsp.sidetone.invalid', ['sip:s1@vsp.sidetone.invalid']],
    ['sip:gone@vsp.sidetone.invalid', 480],
    ['sip:line2@10.0.0.5:5062', ['sip:line2@10.0.0.5:5062']],
    ['sip:anybody@example.com', 480],
    ['sip:v-leg@192.0.2.1', ['sip:v-leg@192.0.2.1']],
  ];
  for (const [uri, expected] of rows) {
    it(`${uri} → ${expected}`, () => {
      const rig = registered();
      const { out } = rig.send(VOICE, { uri });
      if (typeof expected === 'number') assert.deepEqual(statuses(out), [expected]);
      else
        assert.deepEqual(
          requests(out, 'INVITE').map((r) => formatUri(r.message.uri)),
          expected,
        );
    });
  }

  it('OPTIONS tells voice where a user is: 200 with contacts, 480 without, 404 for nobody', () => {
    const rig = registered();
    const before = rig.proxy.size;
    const ask = (uri: string) => responses(rig.send(VOICE, { method: 'OPTIONS', uri }).out)[0]!;
    const contacts = ask('sip:line2@sip.test').headers.contact as NameAddr[];
    assert.deepEqual(
      contacts.map((c) => `${c.uri.user}@${c.uri.host}`),
      ['line2@10.0.0.5', 't1@vsp.sidetone.invalid'],
    );
    rig.people({ connections: [...PEOPLE.connections, connection('line3')] });
    assert.equal(ask('sip:line3@sip.test').status, 480);
    assert.equal(ask('sip:nobody@sip.test').status, 404);
    assert.equal(ask('sip:sip.test').status, 200);
    assert.equal(rig.proxy.size, before);
  });

  it('INVITE to a contact of that answer goes by the flow of the binding, as registered', () => {
    const rig = registered();
    const { contact } = responses(rig.send(VOICE, { method: 'OPTIONS', uri: 'sip:line2@sip.test' }).out)[0]!
      .headers;
    const [phone, browser] = contact as NameAddr[];
    const [toPhone] = requests(
      rig.send(VOICE, {
        uri: formatUri(phone!.uri),
        headers: [
          ['P-Asserted-Identity', '<sip:line1@sip.test>'],
          ['X-Sidetone-Session-Id', 's'],
        ],
      }).out,
    );
    assert.deepEqual(toPhone!.flow, PHONE);
    assert.equal(formatUri(toPhone!.message.uri), 'sip:line2@10.0.0.5:5062');
    assert.equal(header(toPhone!.message, 'X-Sidetone-Session-Id'), undefined);
    assert.equal(header(toPhone!.message, 'P-Asserted-Identity'), undefined);
    assert.deepEqual(
      toPhone!.message.headers.via.map((v) => v.transport),
      ['UDP'],
    );
    const [toBrowser] = requests(
      rig.send(VOICE, { uri: formatUri(browser!.uri), headers: [['X-Sidetone-Session-Id', 's']] }).out,
    );
    assert.deepEqual(toBrowser!.flow, VSP);
    assert.equal(formatUri(toBrowser!.message.uri), 'sip:t1@vsp.sidetone.invalid');
    assert.equal(header(toBrowser!.message, 'X-Sidetone-Session-Id'), 's');
    assert.equal(toBrowser!.message.headers.recordRoute.length, 0);
  });

  it('a contact that is gone meanwhile: 480', () => {
    const rig = registered();
    const { contact } = responses(rig.send(VOICE, { method: 'OPTIONS', uri: 'sip:line1@sip.test' }).out)[0]!
      .headers;
    const target = formatUri((contact as NameAddr[])[0]!.uri);
    rig.send(VSP, { ...reg('line1', 'sip:s2@vsp.sidetone.invalid'), cseq: 2, headers: [['Expires', '0']] });
    assert.deepEqual(statuses(rig.send(VOICE, { uri: target }).out), [480]);
  });

  it('a number for which voice has named a trunk is not looked up again, whoever has it by now', () => {
    const rig = registered();
    rig.people({ connections: [...PEOPLE.connections, connection('line3', { numbers: ['+18005550100'] })] });
    const to = (headers: ExtraHeaders) => rig.send(VOICE, { uri: 'sip:+18005550100@sip.test', headers }).out;
    assert.deepEqual(statuses(to([])), [480], 'line3 has it, and is not registered');
    const [invite] = requests(to([['X-Sidetone-Trunk', 'first']]), 'INVITE');
    assert.deepEqual(invite!.flow, TRUNK);
    assert.equal(header(invite!.message, 'X-Sidetone-Trunk'), undefined);
  });

  it('a trunk is told who calls; its answers carry its name', () => {
    const rig = new Rig();
    const { out } = rig.send(VOICE, {
      uri: 'sip:+1800@sip.test',
      headers: [['P-Asserted-Identity', '<sip:+1312@sip.test>']],
    });
    const [invite] = requests(out);
    assert.deepEqual(invite!.flow, TRUNK);
    assert.equal(header(invite!.message, 'P-Asserted-Identity'), '<sip:+1312@sip.test>');
    for (const status of [183, 200]) {
      const [up] = responses(rig.reply(invite!, status));
      assert.equal(up!.status, status);
      assert.equal(header(up!, 'X-Sidetone-Trunk'), 'first');
      assert.deepEqual(
        up!.headers.via.map((v) => v.transport),
        ['LOCAL'],
      );
    }
  });

  it('a TCP trunk gets TCP, in the request URI and the Record-Route too', () => {
    const rig = new Rig();
    rig.people({ trunks: [trunk('t', '192.0.2.60', { transport: 'tcp', port: 5061 })] });
    const [invite] = requests(rig.send(VOICE, { uri: 'sip:+1800@sip.test' }).out);
    assert.deepEqual(invite!.flow, { transport: 'tcp', host: '192.0.2.60', port: 5061 });
    assert.equal(formatUri(invite!.message.uri), 'sip:+1800@192.0.2.60:5061;transport=tcp');
    assert.equal(invite!.message.headers.recordRoute[0]!.uri.params['transport'], 'tcp');
    assert.equal(invite!.message.headers.via[0]!.transport, 'TCP');
  });

  it('a # in a number is escaped', () => {
    const rig = new Rig();
    rig.people({ trunks: [trunk('t', '192.0.2.60', { prefixes: ['*'] })] });
    const [invite] = requests(rig.send(VOICE, { uri: 'sip:*21%23@sip.test' }).out);
    assert.equal(invite!.message.uri.user, '*21%23');
  });

  it('nothing is sent to a broadcast address', () => {
    const rig = new Rig();
    const { out } = rig.send(VOICE, { method: 'BYE', toTag: 'x', uri: 'sip:x@255.255.255.255' });
    assert.deepEqual(statuses(out), [403]);
  });

  it('a carrier that challenges gets its credentials, once', () => {
    const rig = new Rig();
    rig.people({ trunks: [trunk('t', '192.0.2.50', { user_name: 'us', password: 'pw' })] });
    const { out } = rig.send(VOICE, { uri: 'sip:+1800@sip.test' });
    const challenge = {
      headers: [['Proxy-Authenticate', 'Digest realm="carrier", nonce="n", qop="auth"']],
    } as const;
    const second = rig.reply(requests(out)[0]!, 407, challenge);
    assert.deepEqual(
      requests(second).map((r) => r.message.method),
      ['ACK', 'INVITE'],
    );
    const [again] = requests(second, 'INVITE');
    assert.match(
      header(again!.message, 'Proxy-Authorization') ?? '',
      /username="us".*uri="sip:\+1800@192\.0\.2\.50:5070"/,
    );
    assert.notEqual(
      again!.message.headers.via[0]!.params['branch'],
      requests(out)[0]!.message.headers.via[0]!.params['branch'],
    );
    assert.deepEqual(statuses(rig.reply(again!, 407, challenge)), [407]);
    rig.pass(64_000);
    assert.equal(rig.proxy.size, 0);
  });
});

describe('routing: dialogs across the border', () => {
  const voiceContact = [address('sip:v-leg@192.0.2.1:5060')];

  it('Record-Route keeps us on the path to a trunk, and in-dialog requests follow it', () => {
    const rig = new Rig();
    const { out } = rig.send(VOICE, { uri: 'sip:+1800@sip.test', callId: 'c' });
    const [invite] = requests(out);
    const rr = invite!.message.headers.recordRoute;
    assert.equal(rr.length, 1);
    assert.equal(rr[0]!.uri.params['lr'], '');
    assert.equal(`${rr[0]!.uri.host}:${rr[0]!.uri.port}`, '192.0.2.1:5060');
    const [up] = responses(rig.reply(invite!, 200, { contact: [address('sip:gw@192.0.2.77:5090')] }));
    const route = routeSet(up!);
    const inDialog: Parts = { uri: 'sip:gw@192.0.2.77:5090', toTag: 'callee', callId: 'c', route };
    for (const method of ['ACK', 'BYE', 'INFO']) {
      const [sent] = requests(rig.send(VOICE, { ...inDialog, method, cseq: 2 }).out);
      assert.deepEqual(sent!.flow, { transport: 'udp', host: '192.0.2.77', port: 5090 });
      assert.equal(sent!.message.headers.route.length, 0);
      assert.equal(sent!.message.headers.recordRoute.length, 0);
      assert.equal(formatUri(sent!.message.uri), 'sip:gw@192.0.2.77:5090');
    }
  });

  it('routes of the carrier behind ours are followed, loose and strict', () => {
    const rig = new Rig();
    for (const lr of [true, false]) {
      const edge = address(`sip:edge@192.0.2.88:5065${lr ? ';lr' : ''}`);
      const [sent] = requests(
        rig.send(VOICE, {
          method: 'BYE',
          toTag: 'x',
          uri: 'sip:gw@10.1.1.1',
          route: [address('sip:192.0.2.1:5060;lr'), edge],
        }).out,
      );
      assert.deepEqual(sent!.flow, { transport: 'udp', host: '192.0.2.88', port: 5065 });
      assert.equal(formatUri(sent!.message.uri), lr ? 'sip:gw@10.1.1.1' : 'sip:edge@192.0.2.88:5065');
      assert.equal(
        formatUri(sent!.message.headers.route[0]!.uri),
        lr ? 'sip:edge@192.0.2.88:5065;lr' : 'sip:gw@10.1.1.1',
      );
    }
  });

  it('a phone behind a NAT is reached by its own flow, though its Contact is private', () => {
    const rig = new Rig();
    const tcp: Flow = { transport: 'tcp', host: '198.51.100.7', port: 45678, connection: 'k1' };
    const { out } = rig.authenticated(tcp, 'line1', {
      callId: 'c',
      from: 'sip:line1@sip.test',
      contact: [address('sip:line1@10.0.0.5;transport=tcp')],
    });
    const [invite] = requests(out);
    // As voice sees it: the Record-Route of the INVITE is its route set.
    const route = invite!.message.headers.recordRoute;
    assert.equal(route[0]!.uri.params['transport'], 'tcp');
    rig.reply(invite!, 200, { contact: voiceContact });
    const [bye] = requests(
      rig.send(VOICE, {
        method: 'BYE',
        toTag: 'x',
        callId: 'c',
        uri: 'sip:line1@10.0.0.5;transport=tcp',
        route,
      }).out,
    );
    assert.deepEqual(bye!.flow, tcp);
    assert.equal(bye!.message.uri.host, '10.0.0.5');
  });

  it('a registered phone that ignores Record-Route is found by its contact', () => {
    const rig = registered();
    const [bye] = requests(
      rig.send(VOICE, { method: 'BYE', toTag: 'x', uri: 'sip:line2@10.0.0.5:5062' }).out,
    );
    assert.deepEqual(bye!.flow, PHONE);
  });

  it('the caller gets answers by the Vias it sent', () => {
    const rig = new Rig();
    const { request, out } = rig.send(TRUNK, { from: 'sip:+1555@example.net' });
    const [invite] = requests(out);
    const up = rig.reply(invite!, 200, { contact: voiceContact });
    assert.deepEqual(up[0]!.flow, TRUNK);
    assert.equal(up[0]!.message.headers.via.length, 1);
    assert.equal(up[0]!.message.headers.via[0]!.params['branch'], request.headers.via[0]!.params['branch']);
    assert.equal(up[0]!.message.headers.recordRoute.length, 1);
  });

  it('a request that comes back unchanged is a loop: 482', () => {
    const rig = new Rig();
    const { request, out } = rig.send(TRUNK, { from: 'sip:+1555@example.net' });
    const looped = {
      ...request,
      headers: {
        ...request.headers,
        via: [
          { transport: 'UDP', host: '192.0.2.50', port: 5070, params: { branch: 'z9hG4bKloop' } },
          { transport: 'UDP', host: '192.0.2.1', port: 5060, params: { branch: 'z9hG4bKours' } },
          ...request.headers.via,
        ],
      },
    };
    assert.deepEqual(statuses(rig.receive(looped, TRUNK)), [482]);
    const spiral = { ...looped, uri: { ...request.uri, user: '+13125550199' } };
    assert.equal(requests(rig.receive(spiral, TRUNK), 'INVITE').length, 1);
    assert.equal(requests(out).length, 1);
  });

  it('a late 2xx of voice goes on by its Via; one from outside that matches nothing goes nowhere', () => {
    const rig = new Rig();
    const { request, out } = rig.send(TRUNK, { from: 'sip:+1555@example.net' });
    const [invite] = requests(out);
    rig.reply(invite!, 486);
    const { headers } = request;
    rig.receive(
      { ...request, method: 'ACK', headers: { ...headers, cseq: { seq: 1, method: 'ACK' } } },
      TRUNK,
    );
    rig.pass(64_000);
    const late = rig.reply(invite!, 200);
    assert.deepEqual(statuses(late), [200]);
    assert.deepEqual(late[0]!.flow, TRUNK);
    const call = rig.send(VOICE, { uri: 'sip:+1800@sip.test' });
    rig.reply(requests(call.out)[0]!, 404);
    rig.pass(64_000);
    assert.deepEqual(rig.reply(requests(call.out)[0]!, 200), []);
    assert.equal(rig.proxy.size, 0);
  });

  it('Max-Forwards 0 from voice: 483', () => {
    const rig = new Rig();
    assert.deepEqual(statuses(rig.send(VOICE, { uri: 'sip:+1800@sip.test', maxForwards: 0 }).out), [483]);
    assert.deepEqual(headersNamed(rig.request(VOICE), 'Route'), []);
  });
});
