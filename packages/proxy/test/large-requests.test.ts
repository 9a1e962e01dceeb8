import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Flow, messageSize, writeMessage } from '@sidetone/sip';
import type { Trunk } from '@sidetone/wire';
import { address, PEOPLE, Rig, requests, responses, statuses, TRUNK, trunk, VOICE } from './rig.ts';

const LARGE = 'a'.repeat(1300);
const STREAM: Flow = { transport: 'tcp', host: '192.0.2.50', port: 5070 };
const DIALLED = 'sip:+442071838750@sip.test';

const rigWith = (more: Partial<Trunk> = { large_requests: 'tcp' }, second = false): Rig => {
  const rig = new Rig();
  const others = second ? [trunk('second', '192.0.2.51')] : [];
  rig.people({ ...PEOPLE, trunks: [trunk('first', '192.0.2.50', more), ...others] });
  return rig;
};

const dial = (rig: Rig, body = LARGE, callId = 'call') => {
  const { request, out } = rig.send(VOICE, { uri: DIALLED, callId, body });
  return { request, sent: requests(out, 'INVITE')[0]! };
};

const via = ({ message }: ReturnType<typeof dial>['sent']) => message.headers.via[0]!;

describe('mtu: a request that is too large for UDP', () => {
  it('goes by TCP to a trunk that takes it, its Via with it', () => {
    const { sent } = dial(rigWith());
    assert.deepEqual(sent.flow, STREAM);
    assert.equal(via(sent).transport, 'TCP');
    assert.equal(via(sent).params['rport'], undefined);
    // The peer chooses for itself, too: our Record-Route names no transport.
    assert.equal(sent.message.headers.recordRoute[0]?.uri.params['transport'], undefined);
    assert.equal(sent.message.uri.params['transport'], undefined);
  });

  it('goes by UDP where nothing says that TCP is taken', () => {
    for (const more of [{}, { large_requests: 'udp' }] as const)
      assert.deepEqual(dial(rigWith(more)).sent.flow, TRUNK);
  });

  it('is one of more than 1300 bytes, our Via among them', () => {
    const rig = rigWith();
    const bare = messageSize(dial(rig, 'a', 'call-a').sent.message) - 1;
    const exact = dial(rig, 'a'.repeat(1300 - bare - 2), 'call-b').sent;
    assert.equal(writeMessage(exact.message).length, 1300);
    assert.equal(exact.flow.transport, 'udp');
    assert.equal(dial(rig, 'a'.repeat(1300 - bare - 1), 'call-c').sent.flow.transport, 'tcp');
  });

  it('goes by UDP after all when no connection is made: a transaction of its own', () => {
    const rig = rigWith();
    const { sent } = dial(rig);
    const again = requests(rig.transportFailed(STREAM), 'INVITE');
    assert.equal(again.length, 1);
    assert.deepEqual(again[0]!.flow, TRUNK);
    assert.equal(via(again[0]!).transport, 'UDP');
    assert.equal(via(again[0]!).params['rport'], '');
    assert.notEqual(via(again[0]!).params['branch'], via(sent).params['branch']);
    assert.equal(again[0]!.message.headers.cseq.seq, sent.message.headers.cseq.seq);
    // It is retransmitted as UDP asks for, answered, and nothing of the first attempt is left.
    assert.equal(requests(rig.pass(500), 'INVITE').length, 1);
    assert.deepEqual(statuses(rig.reply(again[0]!, 200)), [200]);
    rig.pass(64_000);
    assert.equal(rig.proxy.size, 0);
  });

  it('spares a peer that took no connection for ten minutes', () => {
    const rig = rigWith();
    rig.reply(dial(rig).sent, 486);
    const second = dial(rig, LARGE, 'second');
    assert.deepEqual(second.sent.flow, STREAM);
    rig.transportFailed(STREAM);
    assert.deepEqual(dial(rig, LARGE, 'third').sent.flow, TRUNK);
    rig.pass(10 * 60_000);
    assert.deepEqual(dial(rig, LARGE, 'fourth').sent.flow, STREAM);
  });

  it('is not sent again once it is cancelled; its CANCEL goes the way it went', () => {
    const rig = rigWith();
    const { request } = dial(rig);
    rig.receive(
      { ...request, method: 'CANCEL', headers: { ...request.headers, cseq: { seq: 1, method: 'CANCEL' } } },
      VOICE,
    );
    assert.deepEqual(requests(rig.transportFailed(STREAM)), []);
    assert.ok(responses(rig.sent).some((r) => r.status === 487));

    const by = rigWith();
    const { request: ringing, sent: rung } = dial(by, LARGE, 'ringing');
    by.reply(rung, 180);
    const out = by.receive(
      { ...ringing, method: 'CANCEL', headers: { ...ringing.headers, cseq: { seq: 1, method: 'CANCEL' } } },
      VOICE,
    );
    const cancel = requests(out, 'CANCEL')[0]!;
    assert.deepEqual(cancel.flow, STREAM);
    assert.deepEqual(via(cancel), via(rung));
  });

  it('has its full time by UDP before the next trunk is asked', () => {
    const rig = rigWith({ large_requests: 'tcp' }, true);
    dial(rig);
    rig.pass(3_000);
    assert.equal(requests(rig.transportFailed(STREAM), 'INVITE')[0]!.flow.transport, 'udp');
    const later = requests(rig.pass(3_000), 'INVITE');
    assert.ok(later.length > 0);
    assert.ok(later.every(({ flow }) => flow.transport !== 'local' && flow.host === '192.0.2.50'));
  });

  it('is judged with the credentials that a challenge asks for', () => {
    const rig = rigWith({ large_requests: 'tcp', user_name: 'us', password: 'secret' });
    const bare = messageSize(dial(rig, 'a', 'call-a').sent.message) - 1;
    const { sent } = dial(rig, 'a'.repeat(1300 - bare - 3), 'call-b');
    assert.equal(sent.flow.transport, 'udp');
    const challenge = { headers: [['WWW-Authenticate', 'Digest realm="c", nonce="n"'] as const] };
    const again = requests(rig.reply(sent, 401, challenge), 'INVITE')[0]!;
    assert.deepEqual(again.flow, STREAM);
    assert.deepEqual(requests(rig.transportFailed(STREAM), 'INVITE')[0]!.flow, TRUNK);
  });

  it('in a dialog goes where the carrier wants it, unless that is by UDP', () => {
    for (const [contact, transport] of [
      ['sip:c@192.0.2.50:5080', 'tcp'],
      ['sip:c@198.51.100.66:5080', 'udp'],
      ['sip:c@192.0.2.50:5080;transport=udp', 'udp'],
    ] as const) {
      const rig = rigWith();
      const { sent, request } = dial(rig);
      rig.reply(sent, 200, { contact: [address(contact)] });
      const routes = [...sent.message.headers.recordRoute].reverse();
      const { out } = rig.send(VOICE, {
        uri: contact,
        callId: request.headers.callId,
        toTag: 'callee',
        cseq: 2,
        route: routes,
        body: LARGE,
      });
      const [again] = requests(out, 'INVITE');
      const host = contact.includes('192.0.2.50') ? '192.0.2.50' : '198.51.100.66';
      assert.deepEqual(again!.flow, { transport, host, port: 5080 });
    }
  });

  it('to a phone that registered by UDP goes by TCP when its Contact says so, from where it is', () => {
    for (const [contact, flow] of [
      ['sip:line1@198.51.100.7:5062;transport=tcp', { transport: 'tcp', host: '198.51.100.7', port: 5062 }],
      ['sip:line1@198.51.100.7:5062', { transport: 'udp', host: '198.51.100.7', port: 40_000 }],
      // Behind a NAT nobody listens, and to a third party nothing is ever sent.
      ['sip:line1@10.0.0.5:5062;transport=tcp', { transport: 'udp', host: '198.51.100.7', port: 40_000 }],
    ] as const) {
      const rig = new Rig();
      const phone: Flow = { transport: 'udp', host: '198.51.100.7', port: 40_000 };
      rig.authenticated(phone, 'line1', {
        method: 'REGISTER',
        uri: 'sip:sip.test',
        from: 'sip:line1@sip.test',
        to: 'sip:line1@sip.test',
        contact: [address(contact)],
      });
      const { out } = rig.send(VOICE, { uri: 'sip:line1@sip.test', body: LARGE });
      assert.deepEqual(requests(out, 'INVITE')[0]!.flow, flow);
      const small = rig.send(VOICE, { uri: 'sip:line1@sip.test', body: 'a' });
      assert.deepEqual(requests(small.out, 'INVITE')[0]!.flow, phone);
    }
  });
});
