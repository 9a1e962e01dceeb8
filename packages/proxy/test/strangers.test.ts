import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Flow, formatUri, header, type SipSend } from '@sidetone/sip';
import type { ApplicationEntry } from '@sidetone/wire';
import { fixedIdentity } from '@sidetone/wire/testing';
import { type Parts, PEOPLE, PHONE, Rig, requests, responses, STRANGER, statuses, TRUNK } from './rig.ts';

const application = (
  id: string,
  subdomain: ApplicationEntry['subdomain'],
  more: Partial<ApplicationEntry> = {},
): ApplicationEntry => ({
  id,
  accountId: 'default',
  name: id,
  active: true,
  webhook: { url: 'https://a.example', failoverUrl: null, apiVersion: '2', timeoutSecs: null },
  firstCommandSecs: null,
  subdomain,
  profileId: null,
  inboundChannelLimit: null,
  outboundChannelLimit: null,
  ...more,
});

const house = (limits: ConstructorParameters<typeof Rig>[0] = {}): Rig => {
  const rig = new Rig(limits);
  rig.identity = fixedIdentity({
    ...PEOPLE,
    applications: [
      application('1', { name: 'shop', from: 'anyone' }),
      application('2', { name: 'staff', from: 'account' }),
      application('3', { name: 'closed', from: 'anyone' }, { active: false }),
    ],
  });
  return rig;
};

const SHOP: Parts = { uri: 'sip:orders@shop.sip.test', body: 'v=0' };
const TCP: Flow = { transport: 'tcp', host: '203.0.113.66', port: 40_000, connection: 'c1' };

/** The Contact of a 302. */
const again = (out: readonly SipSend[]): string => {
  const [answer] = responses(out);
  assert.equal(answer?.status, 302);
  const { contact } = answer!.headers;
  assert.ok(contact !== '*' && contact.length === 1);
  return formatUri(contact[0]!.uri);
};

describe('strangers who call the subdomain of an application', () => {
  it('by UDP are told to come again, of which nothing is kept, and then come in', () => {
    const rig = house();
    const { out } = rig.send(STRANGER, { ...SHOP, callId: 'one' });
    assert.equal(out.length, 1);
    const uri = again(out);
    assert.equal(rig.proxy.size, 0);
    const next = requests(rig.send(STRANGER, { ...SHOP, uri, callId: 'one', cseq: 2 }).out);
    assert.equal(next.length, 1);
    assert.deepEqual(next[0]!.message.uri.host, 'shop.sip.test');
    assert.equal(header(next[0]!.message, 'P-Asserted-Identity'), undefined);
    assert.equal(header(next[0]!.message, 'X-Sidetone-Trunk'), undefined);
    // Also within the minute behind that, from another port, and not later.
    rig.now += 60_000;
    assert.equal(requests(rig.send({ ...STRANGER, port: 5099 } as Flow, { ...SHOP, uri }).out).length, 1);
    rig.now += 60_000;
    assert.notEqual(again(rig.send(STRANGER, { ...SHOP, uri }).out), uri);
  });

  it('have a proof that is good for their address alone', () => {
    const rig = house();
    const uri = again(rig.send(STRANGER, SHOP).out);
    const other = { ...STRANGER, host: '203.0.113.67' } as Flow;
    assert.notEqual(again(rig.send(other, { ...SHOP, uri }).out), uri);
    for (const wrong of ['sip:orders@shop.sip.test;came', 'sip:orders@shop.sip.test;came=00'])
      again(rig.send(STRANGER, { ...SHOP, uri: wrong }).out);
  });

  it('by a connection come in at once', () => {
    const rig = house();
    assert.equal(requests(rig.send(TCP, SHOP).out).length, 1);
  });

  it('bring no headers of ours along, and no identity', () => {
    const rig = house();
    const headers = [
      ['P-Asserted-Identity', '<sip:line1@sip.test>'],
      ['X-Sidetone-Trunk', 'first'],
      ['X-Order', '7'],
    ] as const;
    const [sent] = requests(rig.send(TCP, { ...SHOP, headers }).out);
    assert.equal(header(sent!.message, 'P-Asserted-Identity'), undefined);
    assert.equal(header(sent!.message, 'X-Sidetone-Trunk'), undefined);
    assert.equal(header(sent!.message, 'X-Order'), '7');
  });

  it('prove who they are when they say that they are users of ours, and are challenged everywhere else', () => {
    const rig = house();
    for (const flow of [TCP, STRANGER]) {
      for (const parts of [
        { ...SHOP, from: 'sip:line1@sip.test' },
        { uri: 'sip:orders@staff.sip.test' },
        { uri: 'sip:orders@closed.sip.test' },
        { uri: 'sip:orders@none.sip.test' },
        { uri: 'sip:orders@a.shop.sip.test' },
        { uri: 'sip:orders@shop.sip.test.example' },
        { uri: 'sip:line1@sip.test' },
        { ...SHOP, method: 'OPTIONS' },
        { ...SHOP, method: 'MESSAGE' },
        { ...SHOP, method: 'REFER' },
      ])
        assert.deepEqual(statuses(rig.send(flow, parts).out), [407], JSON.stringify(parts));
      assert.equal(rig.proxy.size, 0);
    }
    const registers = { ...SHOP, method: 'REGISTER', uri: 'sip:shop.sip.test' };
    assert.deepEqual(statuses(rig.send(TCP, registers).out), [401]);
  });

  it('that are carriers or phones of ours are these', () => {
    const rig = house();
    const [sent] = requests(rig.send(TRUNK, SHOP).out);
    assert.equal(header(sent!.message, 'X-Sidetone-Trunk'), 'first');
    const call = rig.send(PHONE, { ...SHOP, from: 'sip:line1@sip.test' });
    assert.deepEqual(statuses(call.out), [407]);
  });

  it('share their places where nothing says who they are', () => {
    const rig = house({ requests: 10 });
    const uri = again(rig.send(STRANGER, SHOP).out);
    const answers: number[] = [];
    for (let i = 0; i < 12; i++) answers.push(...statuses(rig.send(STRANGER, { ...SHOP, uri }).out));
    assert.equal(answers.filter((status) => status === 503).length, 3);
    // Others have room.
    assert.equal(requests(rig.send(TRUNK, { uri: 'sip:+13125550100@192.0.2.1' }).out).length, 1);
  });
});
