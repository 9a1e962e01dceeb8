import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRequest, type ExtraHeaders, parseNameAddr, parseUri } from '@sidetone/sip';
import { type Arrival, arrive } from '../src/routing/plan.ts';
import { connection, PEOPLE, people, trunk } from './voice-bench.ts';

function arrival(
  target: string,
  from: 'vsp' | 'proxy',
  headers: ExtraHeaders,
  caller = '<sip:+13125550100@sip.localhost>',
): Arrival {
  const uri = parseUri(target);
  const who = parseNameAddr(caller);
  assert.ok(uri.ok && who.ok);
  const request = createRequest({
    method: 'INVITE',
    uri: uri.value,
    from: who.value,
    to: { uri: uri.value, params: {} },
    callId: 'c',
    cseq: 1,
    headers,
  });
  const identity = people({
    connections: [...PEOPLE.connections, connection('open', { sipUriCalling: 'unrestricted' })],
    trunks: [trunk(), trunk({ name: 'second', prefixes: ['+1555'], dtmf: 'info' })],
  });
  return arrive(
    request,
    from,
    identity(),
    (host) => host === '203.0.113.5',
    () => 'fresh',
    1_000,
  );
}

const user = (name: string): ExtraHeaders => [['P-Asserted-Identity', `<sip:${name}@sip.localhost>`]];
const carrier: ExtraHeaders = [['X-Sidetone-Trunk', 'carrier']];
const summary = ({ plan }: Arrival): unknown =>
  plan.to === 'refuse'
    ? plan.ending.sip
    : plan.to === 'user'
      ? plan.userName
      : plan.to === 'trunk'
        ? plan.trunks.map((t) => t.name)
        : plan.to === 'service'
          ? plan.service
          : plan.to;

describe('who calls, and where that leads', () => {
  for (const [target, from, headers, expected] of [
    ['sip:9196@sip.localhost', 'vsp', user('line1'), 'echo'],
    ['sip:9196@203.0.113.5:5060', 'proxy', user('line1'), 'echo'],
    ['sip:9196@203.0.113.5', 'proxy', carrier, 404],
    ['sip:line2@sip.localhost', 'vsp', user('line1'), 'line2'],
    ['sip:line2@203.0.113.5', 'proxy', user('line1'), 'line2'],
    ['sip:line2@elsewhere.example', 'vsp', user('line1'), 404],
    ['sip:line2@203.0.113.5', 'proxy', carrier, 403],
    ['sip:open@203.0.113.5', 'proxy', carrier, 'open'],
    ['sip:+13125550101@203.0.113.5', 'proxy', carrier, 'line2'],
    ['sip:+13125550101@sip.localhost', 'vsp', user('line1'), 'line2'],
    ['sip:+15550000@sip.localhost', 'vsp', user('line1'), ['second', 'carrier']],
    ['sip:+44@203.0.113.5', 'proxy', carrier, 404],
    ['sip:closed@sip.localhost', 'vsp', user('line1'), 403],
    ['sip:9196@sip.localhost', 'vsp', user('stranger'), 403],
    ['sip:9196@sip.localhost', 'vsp', [], 403],
    // Only the proxy may name a trunk.
    ['sip:line2@sip.localhost', 'vsp', carrier, 403],
  ] as const)
    it(`${target} from ${from} ${JSON.stringify(headers)} → ${expected}`, () => {
      assert.deepEqual(summary(arrival(target, from, headers)), expected);
    });

  it('takes the caller as given, and the proven user beside it', () => {
    const { caller, leg } = arrival(
      'sip:%23123@sip.localhost',
      'vsp',
      user('line1'),
      '"Eve" <sip:boss@sip.localhost>',
    );
    assert.equal(caller.name, 'Eve');
    assert.equal(caller.number, 'boss');
    assert.equal(caller.userName, 'line1');
    assert.equal(caller.dialled, '#123');
    assert.deepEqual(caller.numbers, ['+13125550100']);
    assert.equal(leg.kind, 'client');
  });

  it('knows the digits mode and codecs of the trunk that calls', () => {
    const { leg } = arrival('sip:+13125550101@203.0.113.5', 'proxy', [['X-Sidetone-Trunk', 'second']]);
    assert.deepEqual(leg, { kind: 'trunk', codecs: ['PCMU'], dtmf: 'info', trunk: 'second', family: null });
  });
});
