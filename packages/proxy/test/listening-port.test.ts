import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Flow, formatUri, type NameAddr, type SipRequest, type Via } from '@sidetone/sip';
import {
  address,
  type Parts,
  Rig,
  requests,
  responses,
  routeSet,
  statuses,
  VOICE,
  withCredentials,
} from './rig.ts';

const SOURCE = { transport: 'udp', host: '198.51.100.7', port: 50_933 } as const;
const LISTENS: Flow = { ...SOURCE, port: 5060 };
const CONTACT = 'sip:mallory@198.51.100.7:5060;transport=udp';

/** What a phone writes: its Via, and its Contact. */
interface Writes {
  readonly via?: string;
  readonly port?: number;
  readonly rport?: boolean;
  readonly contact?: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly headers?: Parts['headers'];
  readonly source?: Flow;
}

function made(rig: Rig, parts: Parts, writes: Writes): SipRequest {
  const { via = '198.51.100.7', port = 5060, rport = false, source = SOURCE } = writes;
  const { contact = CONTACT, params = {}, headers = [] } = writes;
  const request = rig.request(source, { ...parts, rport, contact: [address(contact, params)], headers });
  const [top] = request.headers.via;
  const named: Via = { ...top!, host: via, port };
  return { ...request, headers: { ...request.headers, via: [named] } };
}

/** Sends it as line1, challenge and all. */
function proven(rig: Rig, parts: Parts, writes: Writes) {
  rig.now += 5;
  const { source = SOURCE } = writes;
  const first = rig.receive(made(rig, parts, writes), source);
  const challenge = responses(first)[0]!;
  const again = made(rig, { ...parts, cseq: (parts.cseq ?? 1) + 1 }, writes);
  rig.receive(withCredentials(again, challenge, 'line1', 'secret of line1'), source);
  return { challenged: first, out: rig.answerLookups() };
}

const AOR = 'sip:line1@sip.test';
const register = (rig: Rig, writes: Writes, callId = 'register') =>
  proven(rig, { method: 'REGISTER', uri: 'sip:sip.test', from: AOR, to: AOR, callId }, writes);

const ring = (rig: Rig) =>
  requests(rig.send(VOICE, { uri: 'sip:line1@sip.test', callId: 'ring' }).out, 'INVITE')[0]!;

const tcp: Flow = { transport: 'tcp', host: '198.51.100.7', port: 50_933, connection: 'c' };
const BEHIND_NAT = 'sip:mallory@192.168.1.50:5060';

/** What a phone writes, and where it is reached then. */
const ROWS: readonly [what: string, writes: Writes, where: Flow][] = [
  ['Via and Contact name the port it listens at', {}, LISTENS],
  [
    'another port again in the Contact',
    { contact: 'sip:mallory@198.51.100.7:5090' },
    { ...SOURCE, port: 5090 },
  ],
  ['no port at all', { contact: 'sip:mallory@198.51.100.7' }, LISTENS],
  ['the Contact is where it sends from', { contact: 'sip:mallory@198.51.100.7:50933', port: 50_933 }, SOURCE],
  [
    'a Contact by TCP',
    { contact: 'sip:mallory@198.51.100.7:5062;transport=tcp' },
    { transport: 'tcp', host: '198.51.100.7', port: 5062 },
  ],
  ['rport', { rport: true }, SOURCE],
  ['a Contact behind a NAT', { contact: BEHIND_NAT }, SOURCE],
  ['a Via behind a NAT', { via: '192.168.1.50' }, SOURCE],
  ['a name in the Via', { via: 'phone.example.com' }, SOURCE],
  ['a name in the Contact', { contact: 'sip:mallory@phone.example.com' }, SOURCE],
  ['a maddr elsewhere', { contact: `${CONTACT};maddr=203.0.113.66` }, SOURCE],
  ['a third party in the Contact', { contact: 'sip:mallory@203.0.113.66:5060' }, SOURCE],
  ['ob (RFC 5626)', { contact: `${CONTACT};ob` }, SOURCE],
  ['TLS, which there is not', { contact: 'sips:mallory@198.51.100.7:5061' }, SOURCE],
  ['TCP', { source: tcp, contact: 'sip:mallory@198.51.100.7:5060;transport=tcp' }, tcp],
];

describe('phone-that-listens-at-another-port', () => {
  for (const [what, writes, where] of ROWS) {
    it(`REGISTER with ${what}: called there, and every request of the dialog, also after a restart`, () => {
      const rig = new Rig();
      const { challenged, out } = register(rig, writes);
      assert.deepEqual(statuses(out), [200]);
      const answered =
        writes.rport || writes.source ? (writes.source ?? SOURCE) : { ...SOURCE, port: writes.port ?? 5060 };
      for (const { flow } of [...challenged, ...out]) assert.deepEqual(flow, answered);
      const contact = writes.contact ?? CONTACT;
      const invite = ring(rig);
      assert.deepEqual(invite.flow, where);
      assert.equal(formatUri(invite.message.uri), contact);
      const [ok] = responses(rig.reply(invite, 200, { contact: [address(contact)] }));
      const route = routeSet(ok!);
      const uri = formatUri((ok!.headers.contact[0] as NameAddr).uri);
      const sends = (method: string) =>
        requests(
          rig.send(VOICE, { method, uri, toTag: 'callee', callId: 'ring', route, cseq: 9 }).out,
          method,
        )[0];
      for (const method of ['ACK', 'INVITE', 'INFO', 'NOTIFY', 'BYE']) {
        assert.deepEqual(sends(method)?.flow, where, method);
        assert.equal(formatUri(sends(method)!.message.uri), contact);
      }
      if (where.transport === 'tcp') return;
      rig.restart();
      assert.deepEqual(sends('BYE')?.flow, where);
      assert.deepEqual(ring(rig).flow, where);
    });

    it(`INVITE with ${what}: the dialog goes there`, () => {
      const rig = new Rig();
      const { out } = proven(rig, { from: AOR, callId: 'call' }, writes);
      const [invite] = requests(out, 'INVITE');
      rig.reply(invite!, 200, { contact: [address('sip:v-leg@192.0.2.1')] });
      const { recordRoute: route, contact } = invite!.message.headers;
      const bye = {
        method: 'BYE',
        uri: formatUri((contact[0] as NameAddr).uri),
        toTag: 'x',
        callId: 'call',
        route,
      };
      assert.deepEqual(requests(rig.send(VOICE, bye).out)[0]?.flow, where);
    });

    it(`re-INVITE with ${what}: the dialog goes on there`, () => {
      const rig = new Rig();
      const { out } = proven(
        rig,
        { from: AOR, callId: 'call' },
        { rport: true, source: { ...SOURCE, port: 999 } },
      );
      const [invite] = requests(out, 'INVITE');
      rig.reply(invite!, 200, { contact: [address('sip:v-leg@192.0.2.1')] });
      const { recordRoute: route } = invite!.message.headers;
      rig.dialog('call', 'x');
      const parts = {
        method: 'INVITE',
        uri: 'sip:v-leg@192.0.2.1',
        toTag: 'x',
        callId: 'call',
        cseq: 7,
        route,
      };
      const again = made(rig, parts, writes);
      const [heard] = requests(rig.receive(again, writes.source ?? SOURCE), 'INVITE');
      const uri = formatUri((heard!.message.headers.contact[0] as NameAddr).uri);
      const bye = { method: 'BYE', uri, toTag: 'x', callId: 'call', route };
      assert.deepEqual(requests(rig.send(VOICE, bye).out)[0]?.flow, where);
    });
  }

  it('is known by the port it sends from, where there are no routes', () => {
    const rig = new Rig();
    register(rig, {});
    rig.dialog('live', 'x');
    const bye = { method: 'BYE', callId: 'live', toTag: 'x', uri: 'sip:v-leg@192.0.2.1' };
    assert.equal(requests(rig.send(SOURCE, bye).out, 'BYE').length, 1);
    assert.deepEqual(statuses(rig.send({ ...SOURCE, port: 50_934 }, bye).out), [407]);
  });

  it('an answer with another port at its own host counts where the Contact does; at another host never', () => {
    for (const [contact, rport, where] of [
      ['sip:mallory@198.51.100.7:5071', false, { ...SOURCE, port: 5071 }],
      ['sip:mallory@203.0.113.66:5071', false, LISTENS],
      ['sip:mallory@198.51.100.7:5071', true, SOURCE],
    ] as const) {
      const rig = new Rig();
      register(rig, { rport });
      const [ok] = responses(rig.reply(ring(rig), 200, { contact: [address(contact)] }));
      const uri = formatUri((ok!.headers.contact[0] as NameAddr).uri);
      const bye = { method: 'BYE', uri, toTag: 'callee', callId: 'ring', route: routeSet(ok!), cseq: 2 };
      assert.deepEqual(requests(rig.send(VOICE, bye).out)[0]?.flow, where);
    }
  });

  it('behind a proxy it is the Path that counts or gives way, and with reg-id the flow', () => {
    for (const [path, where] of [
      ['<sip:198.51.100.7:5080;lr>', { ...SOURCE, port: 5080 }],
      ['<sip:10.0.0.1:5080;lr>', SOURCE],
    ] as const) {
      const rig = new Rig();
      register(rig, {
        headers: [
          ['Supported', 'path'],
          ['Path', path],
        ],
      });
      assert.deepEqual(ring(rig).flow, where);
    }
    const rig = new Rig();
    register(rig, {
      params: { '+sip.instance': '"<urn:x>"', 'reg-id': '1' },
      headers: [['Supported', 'outbound, path']],
    });
    assert.deepEqual(ring(rig).flow, SOURCE);
  });

  it('bindings of a version before are reached by their flow', () => {
    const rig = new Rig();
    register(rig, {});
    for (const [key, text] of rig.journal) {
      const { hop: _, at: __, here: ___, ...before } = JSON.parse(text) as Record<string, unknown>;
      rig.journal.set(key, JSON.stringify(before));
    }
    rig.restart();
    assert.deepEqual(ring(rig).flow, SOURCE);
  });
});
