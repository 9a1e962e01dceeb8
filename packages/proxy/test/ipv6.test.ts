import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Flow, formatUri, parseMessage } from '@sidetone/sip';
import { CONTACT_PARAM } from '@sidetone/wire';
import { hopOf, isUnicast } from '../src/own-address.ts';
import { address, PEOPLE, Rig, requests, responses, statuses, trunk, uri, VOICE } from './rig.ts';

const CARRIER: Flow = { transport: 'udp', host: '2001:db8:5::50', port: 5070 };
const PHONE: Flow = { transport: 'udp', host: '2001:db8:7::7', port: 40_000 };
const DIALLED = 'sip:+442071838750@sip.test';
const OURS = address('sip:v-leg@192.0.2.1:5060');

const rigWith = (host: string, addresses?: readonly string[]): Rig => {
  const rig = new Rig();
  const more = addresses === undefined ? {} : { addresses };
  rig.people({ ...PEOPLE, trunks: [trunk('first', host, more)] });
  return rig;
};

const register = (rig: Rig, flow: Flow, contact: string) =>
  rig.authenticated(flow, 'line1', {
    method: 'REGISTER',
    uri: 'sip:[2001:DB8::1]',
    from: 'sip:line1@[2001:db8::1]',
    to: 'sip:line1@[2001:db8:0::1]',
    contact: [address(contact)],
  });

describe('ipv6: a carrier', () => {
  it('is called at its literal address, and sees us by ours of its family', () => {
    const rig = rigWith('2001:DB8:5:0::50');
    const { out } = rig.send(VOICE, { uri: DIALLED, contact: [OURS] });
    const [{ flow, message }] = requests(out, 'INVITE') as [ReturnType<typeof requests>[0]];
    assert.deepEqual(flow, CARRIER);
    assert.equal(formatUri(message.uri), 'sip:+442071838750@[2001:db8:5::50]:5070');
    const [via] = message.headers.via;
    assert.deepEqual([via!.host, via!.port], ['2001:db8::1', 5060]);
    assert.match(formatUri(message.headers.recordRoute[0]!.uri), /@\[2001:db8::1\]:5060;lr$/);
    assert.deepEqual(message.headers.contact, [address('sip:v-leg@[2001:db8::1]:5060')]);
    assert.deepEqual(
      responses(rig.reply({ type: 'sip', flow, message }, 180)).map((r) => r.status),
      [180],
    );
  });

  it('over IPv4 sees us by our IPv4', () => {
    const [{ message }] = requests(
      rigWith('192.0.2.50').send(VOICE, { uri: DIALLED, contact: [OURS] }).out,
    ) as [ReturnType<typeof requests>[0]];
    assert.equal(message.headers.via[0]!.host, '192.0.2.1');
    assert.deepEqual(message.headers.contact, [OURS]);
  });

  it('calls in from its address, however either side writes it', () => {
    for (const [host, from] of [
      ['2001:DB8:5:0:0:0:0:50', '2001:db8:5::50'],
      ['[2001:db8:5::50]', '2001:db8:5::50'],
      ['::ffff:192.0.2.50', '192.0.2.50'],
      ['192.0.2.50', '192.0.2.50'],
    ] as const) {
      const flow: Flow = { transport: 'udp', host: from, port: 5070 };
      const { out } = rigWith(host).send(flow, { uri: 'sip:+13125550100@[2001:DB8::1]' });
      assert.deepEqual(
        requests(out, 'INVITE').map((s) => s.flow),
        [VOICE],
        host,
      );
    }
    const other = rigWith('2001:db8:5::50').send({ ...CARRIER, host: '2001:db8:5::51' });
    assert.deepEqual(statuses(other.out), [407]);
  });

  it('calls in from every address that its name has', () => {
    const rig = rigWith('192.0.2.50', ['192.0.2.50', '2001:db8:5::50']);
    assert.equal(requests(rig.send(CARRIER).out, 'INVITE').length, 1);
  });

  it('hears our answer with our address of its family, and its own in the Via', () => {
    const rig = rigWith('2001:db8:5::50');
    const { out } = rig.send(CARRIER, { uri: 'sip:+13125550100@[2001:db8::1]', rport: false });
    const [inside] = requests(out, 'INVITE');
    const [ok] = rig.reply(inside!, 200, { contact: [OURS] }).filter((s) => s.flow.transport !== 'local');
    assert.deepEqual(ok!.message.headers.contact, [address('sip:v-leg@[2001:db8::1]:5060')]);
    assert.deepEqual(ok!.flow, CARRIER);
    assert.equal(ok!.message.headers.via[0]!.params['received'], undefined);
  });

  it('reaches us by the Contact that it was told, without our Record-Route', () => {
    const rig = rigWith('2001:db8:5::50');
    rig.dialog('live', 'ours');
    const parts = { callId: 'live', toTag: 'ours', uri: 'sip:v-leg@[2001:DB8:0::1]:5060' };
    const bye = rig.send(CARRIER, { ...parts, method: 'BYE' });
    assert.deepEqual(
      requests(bye.out, 'BYE').map((s) => s.flow),
      [VOICE],
    );
  });
});

describe('ipv6: carriers of both families', () => {
  it('are tried from the one that voice asks for, while they are of one family', () => {
    const rig = new Rig();
    const hosts = ['192.0.2.50', '192.0.2.51', '2001:db8:5::50', '192.0.2.52'];
    rig.people({ ...PEOPLE, trunks: hosts.map((host, i) => trunk(`t${i}`, host)) });
    const tried = (first: string): string[] => {
      let [next] = requests(
        rig.send(VOICE, { uri: DIALLED, headers: [['X-Sidetone-Trunk', first]] }).out,
        'INVITE',
      );
      const at: string[] = [];
      while (next !== undefined) {
        at.push(next.flow.transport === 'local' ? '' : next.flow.host);
        assert.ok(!next.message.headers.other.some(([name]) => /^x-sidetone/i.test(name)));
        [next] = requests(rig.reply(next, 503), 'INVITE');
      }
      return at;
    };
    assert.deepEqual(tried('t0'), hosts.slice(0, 2));
    assert.deepEqual(tried('t2'), hosts.slice(2, 3));
    assert.deepEqual(tried('t3'), hosts.slice(3));
    assert.deepEqual(tried('gone'), hosts);
  });
});

describe('ipv6: a phone', () => {
  it('registers, is told to voice with its family, and called by its flow', () => {
    const rig = new Rig();
    assert.ok(statuses(register(rig, PHONE, 'sip:line1@[2001:DB8:7::7]:40000').out).includes(200));
    const list = responses(rig.send(VOICE, { method: 'OPTIONS', uri: 'sip:line1@sip.test' }).out)[0]!;
    const contact = list.headers.contact === '*' ? undefined : list.headers.contact[0];
    assert.equal(contact?.uri.params[CONTACT_PARAM.family], '6');
    const { out } = rig.send(VOICE, { uri: formatUri(contact!.uri), contact: [OURS] });
    const [invite] = requests(out, 'INVITE');
    assert.deepEqual(invite!.flow, PHONE);
    assert.equal(invite!.message.uri.params[CONTACT_PARAM.family], undefined);
    assert.deepEqual(invite!.message.headers.contact, [address('sip:v-leg@[2001:db8::1]:5060')]);
  });

  it('has one contact, however it writes its address', () => {
    const rig = new Rig();
    register(rig, PHONE, 'sip:line1@[2001:DB8:7::7]:40000');
    register(rig, PHONE, 'sip:line1@[2001:db8:7:0:0:0:0:7]:40000');
    assert.equal(rig.proxy.bindings, 1);
  });
});

describe('ipv6: the way back', () => {
  const OPTIONS = (via: string): string =>
    `OPTIONS sip:[2001:db8::1] SIP/2.0\r\nVia: ${via}\r\nFrom: <sip:a@[2001:db8::9]>;tag=1\r\nTo: <sip:[2001:db8::1]>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n`;

  it('notes where a request came from as the RFC writes it: no brackets, no zone', () => {
    for (const [host, sentBy, received] of [
      ['2001:db8::9', '[2001:DB8:0::9]:5060', '2001:db8::9'],
      ['2001:db8::9', 'phone.example.com', '2001:db8::9'],
      ['fe80::9%eth0', 'phone.example.com', 'fe80::9'],
    ] as const) {
      const parsed = parseMessage(Buffer.from(OPTIONS(`SIP/2.0/UDP ${sentBy};branch=z9hG4bK-1;rport`)));
      assert.ok(parsed.ok);
      const rig = new Rig();
      const flow: Flow = { transport: 'udp', host, port: 6000 };
      const [answer] = rig.receive(parsed.value, flow);
      assert.deepEqual(answer!.flow, flow);
      const [via] = answer!.message.headers.via;
      assert.equal(via!.params['received'], received);
      assert.equal(via!.params['rport'], '6000');
    }
  });

  it('is never to a group or to nowhere, however that is written', () => {
    for (const host of [
      '::',
      '0:0:0:0:0:0:0:0',
      '::ffff:0.0.0.0',
      'FF02::1',
      '::ffff:224.0.0.1',
      '[ff05::2]',
    ])
      assert.equal(isUnicast(host), false, host);
    assert.equal(hopOf(uri('sip:a@[::ffff:239.1.1.1]')), null);
  });

  it('names a hop in the one spelling of its address', () => {
    assert.deepEqual(hopOf(uri('sip:a@[2001:DB8:0:0::9]:5080')), {
      transport: 'udp',
      host: '2001:db8::9',
      port: 5080,
    });
    assert.deepEqual(hopOf(uri('sip:a@[::FFFF:192.0.2.9];transport=tcp')), {
      transport: 'tcp',
      host: '192.0.2.9',
      port: 5060,
    });
  });
});
