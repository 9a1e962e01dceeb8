import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { application, BACK_ENDS, BackEnd, type Party } from './back-end.ts';
import { dial, nameAddr, uri } from './callers.ts';
import { connection, people, sdp } from './voice-bench.ts';

const HOST = 'sip.localhost';
const PEOPLE = {
  ...BACK_ENDS,
  connections: [...BACK_ENDS.connections, connection('foreign1', { accountId: 'other' })],
  applications: [
    application('1900', { numbers: ['+13125550190'] }),
    application('1910', { subdomain: { name: 'shop', from: 'anyone' } }),
    application('1911', { subdomain: { name: 'staff', from: 'account' } }),
    application('1912', { subdomain: { name: 'closed', from: 'anyone' }, active: false }),
    application('1913', { subdomain: { name: 'few', from: 'anyone' }, inboundChannelLimit: 1 }),
  ],
};

/** A house with applications that have subdomains; public addresses as given. */
const house = (hosts?: readonly [string, ...string[]]): BackEnd =>
  new BackEnd({
    identity: people(PEOPLE),
    ...(hosts === undefined ? {} : { publicAddress: { hosts, port: 5060 } }),
  });

interface Call {
  readonly by: 'line2' | 'foreign1' | 'line1' | 'trunk' | 'stranger' | 'phone';
  readonly to: string;
}

let calls = 0;
/** Calls; the far room's name of the dialog. */
function call(b: BackEnd, { by, to }: Call): string {
  const far = by === 'trunk' || by === 'stranger' || by === 'phone' ? b.proxy : b.vsp;
  const user = by === 'phone' ? 'line2' : by;
  const { leg, out } = far.agent.invite(
    {
      requestUri: uri(to),
      from: nameAddr('"Eve" <sip:eve@far.example>'),
      to: nameAddr(`<${to}>`),
      sdp: sdp(),
      headers:
        by === 'stranger'
          ? []
          : by === 'trunk'
            ? [['X-Sidetone-Trunk', 'carrier']]
            : [['P-Asserted-Identity', `<sip:${user}@${HOST}>`]],
      callId: `call-${++calls}`,
    },
    b.now,
  );
  far.act(out);
  return leg;
}

/** What an application heard of the call: its id, direction, state, party, from, to; or the status that the caller heard. */
function outcome(b: BackEnd, from: Call): unknown {
  const before = b.news.length;
  const dialog = call(b, from);
  const news = b.news[before];
  if (news === undefined || news.what.type !== 'initiated') {
    const far = from.by === 'trunk' || from.by === 'stranger' || from.by === 'phone' ? b.proxy : b.vsp;
    const end = far.events.find((event) => event.type === 'failed' && event.leg === dialog);
    return end?.type === 'failed' ? end.status : 'nothing';
  }
  const { leg, what } = news;
  return [leg.connection, leg.direction, what.state, leg.party, leg.from, leg.to];
}

describe('the subdomain of an application', () => {
  const SHOP = `sip:orders@shop.${HOST}`;
  const STAFF = `sip:orders@staff.${HOST}`;
  const parked = (id: string, party: string, from: string, to: string) => [
    id,
    'incoming',
    'parked',
    party,
    from,
    to,
  ];

  it('is called by anybody, if it says so: incoming, parked', () => {
    const b = house();
    const to = `orders@shop.${HOST}`;
    assert.deepEqual(outcome(b, { by: 'line2', to: SHOP }), parked('1910', 'sip', 'eve', to));
    assert.deepEqual(outcome(b, { by: 'foreign1', to: SHOP }), parked('1910', 'sip', 'eve', to));
    assert.deepEqual(outcome(b, { by: 'phone', to: SHOP }), parked('1910', 'sip', 'eve', to));
    assert.deepEqual(outcome(b, { by: 'trunk', to: SHOP }), parked('1910', 'pstn', 'eve', to));
    // Whoever it says that it is, it is one of another domain.
    assert.deepEqual(outcome(b, { by: 'stranger', to: SHOP }), parked('1910', 'sip', 'eve@far.example', to));
    assert.deepEqual(
      outcome(b, { by: 'line2', to: `sip:SHOP.${HOST.toUpperCase()}` }),
      parked('1910', 'sip', 'eve', `shop.${HOST}`),
    );
    b.clean();
  });

  it('is called by users of the account alone, if it says so', () => {
    const b = house();
    const to = `orders@staff.${HOST}`;
    assert.deepEqual(outcome(b, { by: 'line2', to: STAFF }), parked('1911', 'sip', 'eve', to));
    assert.deepEqual(outcome(b, { by: 'phone', to: STAFF }), parked('1911', 'sip', 'eve', to));
    for (const by of ['foreign1', 'trunk', 'stranger'] as const)
      assert.equal(outcome(b, { by, to: STAFF }), 403, by);
    b.clean();
  });

  it('that is unknown, or out of service, is nobody; nor is a stranger let in anywhere else', () => {
    const b = house();
    for (const to of [`sip:x@none.${HOST}`, `sip:x@closed.${HOST}`, `sip:x@a.shop.${HOST}`])
      assert.equal(outcome(b, { by: 'line2', to }), 404, to);
    for (const to of [
      `sip:line2@${HOST}`,
      `sip:+13125550190@${HOST}`,
      `sip:9196@${HOST}`,
      `sip:x@none.${HOST}`,
    ])
      assert.equal(outcome(b, { by: 'stranger', to }), 403, to);
    b.clean();
  });

  it('does not take what is called at our own address', () => {
    const b = house([`shop.${HOST}`]);
    assert.deepEqual(
      outcome(b, { by: 'trunk', to: `sip:+13125550190@shop.${HOST}` }),
      parked('1900', 'pstn', 'eve', '+13125550190'),
    );
    assert.equal(outcome(b, { by: 'stranger', to: SHOP }), 403);
    b.clean();
  });

  it('leaves the calls of a connection that parks to its own back end', () => {
    const b = house();
    assert.deepEqual(outcome(b, { by: 'line1', to: SHOP }), [
      'line1',
      'outgoing',
      'parked',
      'sip',
      'eve',
      'orders',
    ]);
    b.clean();
  });

  it('keeps to the limit of the application, and strangers have a quarter of the platform', () => {
    const b = house();
    assert.notEqual(outcome(b, { by: 'stranger', to: `sip:x@few.${HOST}` }), 403);
    assert.equal(outcome(b, { by: 'line2', to: `sip:x@few.${HOST}` }), 403);
    b.clean();
    const small = new BackEnd({
      identity: people(PEOPLE),
      limits: { calls: 8, callsPerUser: 9, mediaPorts: 99 },
    });
    for (const expected of ['parked', 'parked', 503]) {
      const got = outcome(small, { by: 'stranger', to: SHOP });
      assert.equal(Array.isArray(got) ? got[2] : got, expected);
    }
    assert.ok(Array.isArray(outcome(small, { by: 'trunk', to: SHOP })));
    small.clean();
  });

  it('gives a leg that is commanded like any other, over a death, too', () => {
    const b = house();
    const dialog = call(b, { by: 'stranger', to: SHOP });
    const { leg } = b.news.at(-1)!;
    const party: Party = { far: b.proxy, dialog, control: leg.control, leg: leg.leg };
    b.talking(party);
    b.restart();
    const agent = b.up({ link: party.control });
    b.do('bridge', agent, { with: party.control });
    b.pair(agent, party);
    assert.equal(b.last(party).leg.direction, 'incoming');
    b.hangsUp(party);
    b.clean();
  });
});

describe('a number of an application', () => {
  it('that a user calls is a call to the application, and goes by no carrier', () => {
    const b = house();
    const to = `sip:+13125550190@${HOST}`;
    const expected = ['1900', 'incoming', 'parked', 'sip', 'eve', '+13125550190'];
    assert.deepEqual(outcome(b, { by: 'line2', to }), expected);
    assert.deepEqual(outcome(b, { by: 'foreign1', to: `sip:3125550190@${HOST}` }), expected);
    assert.equal(b.proxy.events.length, 0);
    // By a connection that parks it is that one's call.
    dial(b, '+13125550190', { user: 'line1', callId: 'of-line1' });
    assert.deepEqual([b.news.at(-1)?.leg.connection, b.news.at(-1)?.leg.direction], ['line1', 'outgoing']);
    b.clean();
  });
});
