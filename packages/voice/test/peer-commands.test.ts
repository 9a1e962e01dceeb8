import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { header } from '@sidetone/sip';
import { APPLICATION, bench, carrierAnswers, ok } from './command-rig.ts';
import { connection, people, trunk } from './voice-bench.ts';

const ACCOUNT = { account: 'default' } as const;

/** A leg to the carrier that has answered. */
function answered(b = bench()) {
  const ids = ok(b, {
    ...ACCOUNT,
    type: 'dial',
    connection: '1900',
    to: ['+15550100'],
    from: '+13125550100',
  })!;
  const far = carrierAnswers(b);
  b.news.length = 0;
  b.media.length = 0;
  const command = { ...ACCOUNT, control: ids.control };
  const told = (): unknown[] =>
    b.news.map(({ what }) => ('status' in what ? [what.type, what.status] : what.type));
  return { b, far, command, told };
}

describe('a peer is referred to somebody else', () => {
  const refer = { type: 'refer', address: 'sip:+15550199@carrier.example' } as const;
  const notify = (status: string, state = 'active;expires=60') =>
    ({
      method: 'NOTIFY',
      contentType: 'message/sipfrag;version=2.0',
      body: `SIP/2.0 ${status}\r\n`,
      headers: [
        ['Event', 'refer'],
        ['Subscription-State', state],
      ],
    }) as const;

  for (const [status, told] of [
    ['200 OK', ['referCompleted', 200]],
    ['486 Busy Here', ['referFailed', 486]],
  ] as const)
    it(`and tells ${status}`, () => {
      const { b, far, command, told: news } = answered();
      ok(b, { ...command, ...refer });
      const { request, tx } = b.proxy.take('request');
      assert.equal(header(request, 'Refer-To'), '<sip:+15550199@carrier.example>');
      b.proxy.act(b.proxy.agent.respondRequest(tx, 202, {}, b.now));
      b.proxy.act(b.proxy.agent.requestInDialog(far, notify('100 Trying'), 'n', b.now));
      b.proxy.act(b.proxy.agent.requestInDialog(far, notify(status, 'terminated'), 'n', b.now));
      assert.deepEqual(news(), ['referStarted', told]);
      assert.equal(b.proxy.take('inDialogResult').status, 200);
      ok(b, { ...command, ...refer });
    });

  it('refuses, or says nothing', () => {
    for (const act of ['refuse', 'end'] as const) {
      const { b, far, command, told } = answered();
      ok(b, { ...command, ...refer });
      const { tx } = b.proxy.take('request');
      b.proxy.act(b.proxy.agent.respondRequest(tx, act === 'refuse' ? 405 : 202, {}, b.now));
      if (act === 'end')
        b.proxy.act(
          b.proxy.agent.requestInDialog(far, { ...notify('100 Trying', 'terminated') }, 'n', b.now),
        );
      assert.deepEqual(told(), ['referStarted', ['referFailed', act === 'refuse' ? 405 : 487]]);
    }
  });

  it('is not referred twice at a time, nor to what is no SIP URI', () => {
    const { b, command } = answered();
    const no = b.command({ ...command, ...refer, address: 'tel:+1' });
    assert.equal(!no.ok && no.refusal.field, 'sip_address');
    ok(b, { ...command, ...refer });
    assert.equal(b.command({ ...command, ...refer }).ok, false);
  });

  it('a NOTIFY that nobody asked for hears 481', () => {
    const { b, far } = answered();
    b.proxy.act(b.proxy.agent.requestInDialog(far, notify('200 OK'), 'n', b.now));
    assert.equal(b.proxy.take('inDialogResult').status, 481);
  });
});

describe('an INFO', () => {
  it('for the peer, and of the peer', () => {
    const { b, far, command, told } = answered();
    ok(b, { ...command, type: 'sendInfo', contentType: 'application/json', body: '{"a":1}' });
    assert.equal(b.proxy.take('info').request.headers.contentType, 'application/json');
    const info = { method: 'INFO', contentType: 'text/plain', body: 'hello' } as const;
    b.proxy.act(b.proxy.agent.requestInDialog(far, info, 'i', b.now));
    assert.deepEqual(told(), ['infoReceived']);
    assert.deepEqual(b.news[0]?.what, { type: 'infoReceived', contentType: 'text/plain', body: 'hello' });
  });
});

describe('digits with pauses', () => {
  it('leave in runs, each behind the pause before it', () => {
    const { b, command } = answered();
    ok(b, { ...command, type: 'sendDigits', digits: '1w23W4' });
    const sent = (): string[] => b.media.flatMap((c) => (c.op === 'dtmf' ? [c.digits] : []));
    assert.deepEqual(sent(), ['1']);
    b.advance(349);
    assert.deepEqual(sent(), ['1']);
    b.advance(501);
    assert.deepEqual(sent(), ['1', '23']);
    b.advance(2_000);
    assert.deepEqual(sent(), ['1', '23', '4']);
    assert.equal(b.voice.deadline() === null || b.voice.deadline()! > b.now + 1_000, true);
  });

  it('by INFO, one behind the answer to the other', () => {
    const identity = people({
      connections: [connection('line1', { numbers: ['+13125550100'] })],
      trunks: [trunk({ dtmf: 'info' })],
      applications: [APPLICATION],
    });
    const { b, command } = answered(bench({ identity }));
    ok(b, { ...command, type: 'sendDigits', digits: '1w2' });
    const digits: string[] = [];
    for (let i = 0; i < 2; i++) {
      const { request, tx } = b.proxy.take('info');
      digits.push(/Signal=(.)/.exec(new TextDecoder().decode(request.body))![1]!);
      b.proxy.act(b.proxy.agent.respondRequest(tx, 200, {}, b.now));
      b.advance(600);
    }
    assert.deepEqual(digits, ['1', '2']);
  });
});
