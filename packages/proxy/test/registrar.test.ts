import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Flow, formatUri, header, headersNamed, type NameAddr, type SipResponse } from '@sidetone/sip';
import {
  address,
  connection,
  type Parts,
  PEOPLE,
  PHONE,
  Rig,
  requests,
  responses,
  STRANGER,
  statuses,
  VOICE,
  VSP,
} from './rig.ts';

const REGISTER: Parts = {
  method: 'REGISTER',
  uri: 'sip:sip.test',
  from: 'sip:line1@sip.test',
  to: 'sip:line1@sip.test',
};
const contact = (text: string, params: Record<string, string> = {}): NameAddr[] => [address(text, params)];
const expires = (seconds: number): (readonly [string, string])[] => [['Expires', String(seconds)]];

/** A REGISTER of our own room: trusted. */
function byVsp(rig: Rig, parts: Parts, flow: Flow = VSP): SipResponse {
  const [response] = responses(rig.send(flow, { ...REGISTER, callId: 'reg', ...parts }).out);
  return response!;
}

/** A REGISTER of a phone, challenge and all. */
function byPhone(rig: Rig, parts: Parts, flow: Flow = PHONE, user = 'line1'): SipResponse {
  const aor = `sip:${user}@sip.test`;
  const all = responses(
    rig.authenticated(flow, user, { ...REGISTER, from: aor, to: aor, callId: 'reg', ...parts }).out,
  );
  return all.at(-1)!;
}

const contacts = (response: SipResponse): string[] =>
  response.headers.contact === '*' ? ['*'] : response.headers.contact.map((c) => formatUri(c.uri));

const bindingsOf = (rig: Rig, user: string): string[] => {
  const out = responses(rig.send(VOICE, { method: 'OPTIONS', uri: `sip:${user}@sip.test` }).out);
  return out[0]!.status === 200 ? contacts(out[0]!).map((c) => c.split(';')[0]!) : [String(out[0]!.status)];
};

describe('registrar', () => {
  it('believes our own room and lists what is registered, the last first', () => {
    const rig = new Rig();
    assert.equal(byVsp(rig, { contact: contact('sip:a@vsp.sidetone.invalid') }).status, 200);
    const second = byVsp(rig, { contact: contact('sip:b@vsp.sidetone.invalid'), callId: 'other' });
    assert.deepEqual(contacts(second), ['sip:b@vsp.sidetone.invalid', 'sip:a@vsp.sidetone.invalid']);
    assert.equal((second.headers.contact[0] as NameAddr).params['expires'], '3600');
    assert.match(header(second, 'Date') ?? '', /GMT$/);
    assert.equal(rig.proxy.bindings, 2);
    assert.deepEqual(bindingsOf(rig, 'line1'), contacts(second));
  });

  it('a refresh keeps its place; who registers again goes to the front', () => {
    const rig = new Rig();
    byVsp(rig, { contact: contact('sip:a@vsp.sidetone.invalid'), callId: 'a' });
    rig.now += 5;
    byVsp(rig, { contact: contact('sip:b@vsp.sidetone.invalid'), callId: 'b' });
    rig.now += 5;
    byVsp(rig, { contact: contact('sip:a@vsp.sidetone.invalid'), callId: 'a', cseq: 2 });
    assert.deepEqual(bindingsOf(rig, 'line1'), ['sip:b@vsp.sidetone.invalid', 'sip:a@vsp.sidetone.invalid']);
    rig.now += 5;
    byVsp(rig, { contact: contact('sip:a@vsp.sidetone.invalid'), callId: 'after a restart', cseq: 1 });
    assert.deepEqual(bindingsOf(rig, 'line1'), ['sip:a@vsp.sidetone.invalid', 'sip:b@vsp.sidetone.invalid']);
  });

  it('keeps what a phone calls itself, also over a restart, and when it registered; a client address only of our own rooms', () => {
    const rig = new Rig();
    const says = (more: (readonly [string, string])[]) => ({ headers: more });
    byPhone(rig, {
      contact: contact('sip:line1@198.51.100.7:5060'),
      ...says([
        ['User-Agent', 'x'.repeat(500)],
        ['X-Sidetone-Client-Address', '203.0.113.9'],
      ]),
    });
    const [phone] = rig.proxy.bindingsOf('line1', rig.now);
    assert.deepEqual([phone?.userAgent, phone?.clientAddress], ['x'.repeat(128), undefined]);
    const { since } = phone!;
    rig.now += 1000;
    rig.restart();
    const [after] = rig.proxy.bindingsOf('line1', rig.now);
    assert.deepEqual([after?.userAgent, after?.since], ['x'.repeat(128), since]);
    byVsp(rig, {
      contact: contact('sip:a@vsp.sidetone.invalid'),
      callId: 'a',
      ...says([
        ['User-Agent', 'Web-1.0'],
        ['X-Sidetone-Client-Address', '203.0.113.9'],
      ]),
    });
    const [browser] = rig.proxy.bindingsOf('line1', rig.now);
    assert.deepEqual([browser?.userAgent, browser?.clientAddress], ['Web-1.0', '203.0.113.9']);
  });

  it('fetches without contacts and changes nothing', () => {
    const rig = new Rig();
    assert.deepEqual(contacts(byVsp(rig, { contact: [] })), []);
    byVsp(rig, { contact: contact('sip:a@vsp.sidetone.invalid') });
    assert.deepEqual(contacts(byVsp(rig, { contact: [], cseq: 2 })), ['sip:a@vsp.sidetone.invalid']);
  });

  it('removes by Expires 0, by expires=0, and by *', () => {
    for (const parts of [
      { contact: contact('sip:a@vsp.sidetone.invalid'), headers: expires(0) },
      { contact: contact('sip:a@vsp.sidetone.invalid', { expires: '0' }) },
      { contact: '*' as const, headers: expires(0) },
    ]) {
      const rig = new Rig();
      byVsp(rig, { contact: contact('sip:a@vsp.sidetone.invalid') });
      assert.deepEqual(contacts(byVsp(rig, { ...parts, cseq: 2 })), []);
      assert.equal(rig.proxy.bindings, 0);
      assert.equal(rig.proxy.deadline(), null);
    }
  });

  it('forgets at expiry', () => {
    const rig = new Rig();
    byVsp(rig, { contact: contact('sip:a@vsp.sidetone.invalid'), headers: expires(100) });
    rig.pass(99_999);
    assert.deepEqual(bindingsOf(rig, 'line1'), ['sip:a@vsp.sidetone.invalid']);
    rig.pass(2);
    assert.deepEqual(bindingsOf(rig, 'line1'), ['480']);
    assert.equal(rig.proxy.bindings, 0);
  });

  const rows: [what: string, parts: Parts, status: number][] = [
    ['* without Expires', { contact: '*' }, 400],
    ['* with Expires 60', { contact: '*', headers: expires(60) }, 400],
    ['too brief', { contact: contact('sip:a@198.51.100.7'), headers: expires(59) }, 423],
    [
      'too brief by parameter',
      { contact: contact('sip:a@198.51.100.7', { expires: '1' }), headers: expires(600) },
      423,
    ],
    ['brief enough', { contact: contact('sip:a@198.51.100.7'), headers: expires(60) }, 200],
    [
      'malformed expires counts as the default',
      { contact: contact('sip:a@198.51.100.7', { expires: 'soon' }) },
      200,
    ],
    ['tel contact', { contact: contact('tel:+1') }, 400],
    ['contact in our own house', { contact: contact('sip:x@vsp.sidetone.invalid') }, 400],
    ['broadcast contact', { contact: contact('sip:x@255.255.255.255') }, 400],
    ['multicast contact', { contact: contact('sip:x@224.0.1.75') }, 400],
    ['another user', { contact: contact('sip:a@198.51.100.7'), to: 'sip:line2@sip.test' }, 403],
    ['an unknown user', { contact: contact('sip:a@198.51.100.7'), to: 'sip:nobody@sip.test' }, 403],
    ['another domain', { contact: contact('sip:a@198.51.100.7'), uri: 'sip:example.com' }, 404],
    [
      'our address as domain',
      { contact: contact('sip:a@198.51.100.7'), uri: 'sip:192.0.2.1', to: 'sip:line1@192.0.2.1' },
      200,
    ],
    ['a tel AOR', { contact: contact('sip:a@198.51.100.7'), to: 'tel:+1' }, 400],
    ['unknown Require', { contact: contact('sip:a@198.51.100.7'), headers: [['Require', 'magic']] }, 420],
  ];
  for (const [what, parts, status] of rows) {
    it(`${what}: ${status}`, () => {
      const rig = new Rig();
      const response = byPhone(rig, parts);
      assert.equal(response.status, status);
      assert.equal(rig.proxy.bindings, status === 200 ? 1 : 0);
      if (status === 423) assert.equal(header(response, 'Min-Expires'), '60');
      if (status === 420) assert.equal(header(response, 'Unsupported'), 'magic');
    });
  }

  it('cuts a long registration', () => {
    const response = byPhone(new Rig(), {
      contact: contact('sip:a@198.51.100.7'),
      headers: expires(9_999_999),
    });
    assert.equal((response.headers.contact[0] as NameAddr).params['expires'], '7200');
  });

  it('refuses an older request of the same Call-ID, whole', () => {
    const rig = new Rig();
    byVsp(rig, { contact: contact('sip:a@vsp.sidetone.invalid'), cseq: 5 });
    const both = [...contact('sip:b@vsp.sidetone.invalid'), ...contact('sip:a@vsp.sidetone.invalid')];
    assert.equal(byVsp(rig, { contact: both, cseq: 4 }).status, 500);
    assert.equal(byVsp(rig, { contact: both, cseq: 5 }).status, 500);
    assert.equal(byVsp(rig, { contact: '*', headers: expires(0), cseq: 3 }).status, 500);
    assert.deepEqual(bindingsOf(rig, 'line1'), ['sip:a@vsp.sidetone.invalid']);
    assert.equal(byVsp(rig, { contact: both, cseq: 1, callId: 'after a restart' }).status, 200);
  });

  it('takes several contacts of one request and bounds them', () => {
    const rig = new Rig({ contactsPerUser: 10 });
    const many = (from: number, to: number): NameAddr[] =>
      Array.from({ length: to - from }, (_, i) => address(`sip:c${from + i}@vsp.sidetone.invalid`));
    assert.equal(byVsp(rig, { contact: many(0, 10) }).status, 200);
    const refused = byVsp(rig, { contact: many(10, 21), cseq: 2 });
    assert.deepEqual([refused.status, refused.reason], [403, 'Forbidden (too many contacts)']);
    assert.equal(rig.proxy.bindings, 10);
    assert.deepEqual(contacts(byVsp(rig, { contact: many(10, 20), cseq: 3 })).length, 10);
    assert.equal(byVsp(rig, { contact: many(0, 10), cseq: 4 }).status, 200);
  });

  it('reaches a phone at the source of its REGISTER, by the contact it gave', () => {
    const rig = new Rig();
    byPhone(rig, { contact: contact('sip:line1@10.0.0.5:5062;ob') });
    byPhone(
      rig,
      { contact: contact('sip:line1@10.0.0.5:5062;ob'), callId: 'two' },
      { transport: 'udp', host: '198.51.100.8', port: 40000 },
      'line2',
    );
    const asked = responses(rig.send(VOICE, { method: 'OPTIONS', uri: 'sip:line1@sip.test' }).out)[0]!;
    const target = (asked.headers.contact as NameAddr[])[0]!.uri;
    const [invite] = requests(rig.send(VOICE, { uri: formatUri(target) }).out);
    assert.deepEqual(invite!.flow, PHONE);
    assert.equal(formatUri(invite!.message.uri), 'sip:line1@10.0.0.5:5062;ob');
  });

  it('takes headers out of a contact and keeps parameters where they were written', () => {
    const rig = new Rig();
    const response = byPhone(rig, {
      contact: [
        address('sip:a@198.51.100.7;unknown=1?Route=%3Csip:evil.example%3E', {
          '+sip.instance': '"<urn:x>"',
        }),
      ],
    });
    assert.deepEqual(contacts(response), ['sip:a@198.51.100.7;unknown=1']);
    assert.equal((response.headers.contact as NameAddr[])[0]!.params['+sip.instance'], '"<urn:x>"');
  });

  it('loses contacts with their connection', () => {
    const rig = new Rig();
    const tcp: Flow = { transport: 'tcp', host: '198.51.100.7', port: 40001, connection: 'k1' };
    byPhone(rig, { contact: contact('sip:a@198.51.100.7;transport=tcp') }, tcp);
    rig.transportFailed({ ...tcp, connection: 'k2' });
    assert.equal(rig.proxy.bindings, 1);
    rig.transportFailed(tcp);
    assert.equal(rig.proxy.bindings, 0);
  });

  it('challenges with the algorithms it was told, in order, and keeps nothing', () => {
    for (const digest of [undefined, ['MD5'], ['SHA-256', 'MD5'], ['SHA-256']] as const) {
      const rig = new Rig({}, 1, digest);
      const [response] = responses(rig.send(STRANGER, { ...REGISTER }).out);
      assert.equal(response!.status, 401);
      const values = headersNamed(response!, 'WWW-Authenticate');
      const offered = values.map((value) => /algorithm=([^,]+)/.exec(value)?.[1]);
      assert.deepEqual(offered, digest ?? ['MD5']);
      assert.equal(rig.proxy.size, 0);
      assert.equal(byPhone(rig, { contact: contact('sip:a@198.51.100.7') }).status, 200);
    }
  });

  it('tells a wrong password and an unknown user apart in nothing', () => {
    for (const [user, password] of [
      ['line1', 'wrong'],
      ['nobody', 'wrong'],
    ] as const) {
      const rig = new Rig();
      const { out } = rig.authenticated(
        PHONE,
        user,
        { ...REGISTER, contact: contact('sip:a@198.51.100.7') },
        password,
      );
      assert.deepEqual(statuses(out), [401]);
      assert.equal(rig.proxy.size, 0);
      assert.equal(rig.proxy.bindings, 0);
    }
  });

  it('follows changes at once', () => {
    const rig = new Rig();
    const parts = { to: 'sip:line3@sip.test', contact: contact('sip:a@vsp.sidetone.invalid') };
    assert.equal(byVsp(rig, parts).status, 404);
    rig.people({ connections: [...PEOPLE.connections, connection('line3')] });
    assert.equal(byVsp(rig, { ...parts, cseq: 2 }).status, 200);
  });
});
