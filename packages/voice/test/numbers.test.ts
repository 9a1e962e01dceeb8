import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRequest, formatUri, parseNameAddr, parseUri } from '@sidetone/sip';
import type { Trunk } from '@sidetone/wire';
import { arrive } from '../src/routing/plan.ts';
import { parseReferTo } from '../src/sip/refer.ts';
import { Table } from './transfer-table.ts';
import { connection, people, trunk } from './voice-bench.ts';

const NUMBER = '+13125550100';

const ownHost = (host: string): boolean => host === '203.0.113.10';

const arrived = (
  target: string,
  from: string,
  by: { user: string } | { trunk: Partial<Trunk> } = { trunk: {} },
) => {
  const uri = parseUri(target);
  const who = parseNameAddr(from);
  const to = parseNameAddr('<sip:+19998887777@example.com>');
  assert.ok(uri.ok && who.ok && to.ok);
  const headers = [
    'user' in by
      ? (['P-Asserted-Identity', `<sip:${by.user}@sip.localhost>`] as const)
      : (['X-Sidetone-Trunk', 'carrier'] as const),
  ];
  const parts = {
    method: 'INVITE',
    uri: uri.value,
    from: who.value,
    to: to.value,
    callId: 'c',
    cseq: 1,
    headers,
  };
  const identity = people({
    connections: [
      connection('line1', { numbers: [NUMBER] }),
      connection('line2', { numbers: ['+13125550101', '+13125550102'] }),
    ],
    trunks: [trunk('trunk' in by ? by.trunk : {})],
  })();
  const { caller, plan } = arrive(createRequest(parts), 'proxy', identity, ownHost, () => 'fresh', 0);
  const rings = plan.to === 'user' ? plan.userName : plan.to === 'trunk' ? plan.number : plan.to;
  return { caller, rings };
};

describe('number-parameters-in-the-user-part', () => {
  for (const params of [
    ';rn=+13125550000;npdi',
    ';cpc=ordinary',
    ';isup-oli=00',
    ';verstat=TN-Validation-Passed',
    ';ext=7',
    ';phone-context=+1',
  ])
    it(`${params}: not of the number, called or calling, by any host of ours`, () => {
      for (const host of ['sip.localhost', '203.0.113.10', '203.0.113.10:5060']) {
        const { caller, rings } = arrived(
          `sip:${NUMBER}${params}@${host};user=phone`,
          `<sip:+15550100200${params}@198.51.100.9;user=phone>;tag=1`,
        );
        assert.deepEqual([rings, caller.number, caller.dialled], ['line1', '+15550100200', NUMBER]);
      }
      const phone = arrived(`sip:+12025550123${params}@sip.localhost`, `<sip:+13125550102${params}@x>`, {
        user: 'line2',
      });
      assert.deepEqual([phone.rings, phone.caller.number], ['+12025550123', '+13125550102']);
      assert.ok(phone.caller.numbers.includes('+13125550102'));
    });
});

describe('tel-uri', () => {
  it('as request URI and From of a carrier', () => {
    for (const [uri, from] of [
      [`tel:${NUMBER}`, '<tel:+15550100200>;tag=1'],
      ['tel:+1-312-555-0100;npdi', '<tel:+1-555-010-0200;cpc=ordinary>;tag=1'],
      ['tel:312-555-0100;phone-context=+1', 'tel:+15550100200;tag=1'],
    ] as const) {
      const { caller, rings } = arrived(uri, from);
      assert.deepEqual([rings, caller.number, caller.dialled], ['line1', '+15550100200', NUMBER], uri);
    }
  });

  it('as request URI and From of a phone', () => {
    const { caller, rings } = arrived('tel:+1-202-555-0123', '<tel:+13125550102>', { user: 'line2' });
    assert.deepEqual([rings, caller.number], ['+12025550123', '+13125550102']);
  });

  it('that has no number in it calls nobody, and is called by nobody', () => {
    const { caller, rings } = arrived('tel:line1', '<tel:boss>;tag=1');
    assert.deepEqual([rings, caller.number, caller.dialled], ['refuse', 'anonymous', '']);
  });

  it('as Refer-To', () => {
    const table = new Table();
    const { client } = table.talk();
    assert.equal(table.refer(client, '<tel:+1-555-555-0199;ext=7>'), 202);
    const target = table.rings();
    assert.equal(formatUri(target.request.uri), 'sip:+15555550199@sip.localhost');
  });
});

describe('pasted-numbers', () => {
  it('what phones dial and refer to', () => {
    const pasted = (area: string, last: string) => [
      `%E2%80%AD+1${area}555${last}%E2%80%AC`,
      `+1%E2%80%91${area}%E2%80%91555%E2%80%91${last}`,
      `+1${area}%E2%80%8B555${last}`,
      `+1${area}555%C2%AD${last}`,
      `+1%20${area}%20555%E2%80%93${last}`,
      `+1-(${area})-555.${last}`,
    ];
    const callers = pasted('312', '0102');
    for (const [i, user] of pasted('202', '0123').entries()) {
      const target = `sip:${user}@203.0.113.10`;
      const { rings, caller } = arrived(target, `<sip:${callers[i]}@x>`, { user: 'line2' });
      assert.deepEqual([rings, caller.number], ['+12025550123', '+13125550102'], user);
      const here = { uri: { scheme: 'sip', host: 'x', params: {} }, params: {} };
      const asks = createRequest({
        method: 'REFER',
        uri: here.uri,
        from: here,
        to: here,
        callId: 'c',
        cseq: 1,
        headers: [['Refer-To', `<${target}>`]],
      });
      const value = { kind: 'dial', dialled: '+12025550123' };
      assert.deepEqual(parseReferTo(asks, ownHost), { ok: true, value });
    }
  });
});

describe('called-number-without-plus', () => {
  for (const [called, from, told] of [
    ['13125550100', '15550100200', '+15550100200'],
    ['+13125550100', '+15550100200', '+15550100200'],
    ['0013125550100', '0015550100200', '+15550100200'],
    ['01113125550100', '01115550100200', '+15550100200'],
    ['3125550100', '5550100200', '+15550100200'],
    ['1-312-555-0100', '1-555-010-0200', '+15550100200'],
  ] as const)
    it(`${called} from ${from}`, () => {
      const { caller, rings } = arrived(
        `sip:${called}@203.0.113.10:5060`,
        `<sip:${from}@198.51.100.9>;tag=1`,
      );
      assert.deepEqual([rings, caller.number, caller.dialled], ['line1', told, NUMBER]);
    });

  it('a trunk may be set to write national numbers of a country', () => {
    const { caller } = arrived(`sip:${NUMBER}@203.0.113.10`, '<sip:030123456@198.51.100.9>', {
      trunk: { country: 'DE', number_format: 'national' },
    });
    assert.equal(caller.number, '+4930123456');
  });

  it('a user shows its own number, however it states it', () => {
    for (const stated of ['13125550102', '3125550102', '+13125550102', '01113125550102']) {
      const { caller } = arrived('sip:+12025550123@sip.localhost', `<sip:${stated}@x>`, { user: 'line2' });
      assert.equal(caller.number, '+13125550102', stated);
    }
  });
});
