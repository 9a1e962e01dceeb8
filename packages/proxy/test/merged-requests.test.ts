import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Flow, SipRequest } from '@sidetone/sip';
import { fixedIdentity } from '@sidetone/wire/testing';
import {
  address,
  type Parts,
  PEOPLE,
  PHONE,
  Rig,
  requests,
  responses,
  statuses,
  TRUNK,
  trunk,
  VOICE,
  withCredentials,
} from './rig.ts';

const CALL: Parts = { callId: 'c', uri: 'sip:+13125550100@192.0.2.1' };

const onBranch = (request: SipRequest, branch: string): SipRequest => {
  const [top] = request.headers.via;
  const via = [{ ...top!, params: { ...top!.params, branch } }];
  return { ...request, headers: { ...request.headers, via } };
};

describe('one-call-by-two-roads-rings-twice', () => {
  const ROADS: readonly (readonly [string, Flow, Flow])[] = [
    ['udp twice', TRUNK, TRUNK],
    ['udp and tcp', TRUNK, { transport: 'tcp', host: '192.0.2.50', port: 41000, connection: 'x' }],
    ['tcp twice', { transport: 'tcp', host: '192.0.2.50', port: 41000, connection: 'x' }, TRUNK],
    ['two carriers', TRUNK, { transport: 'udp', host: '192.0.2.51', port: 5070 }],
  ];
  for (const [name, one, two] of ROADS)
    it(`${name}: 482 for the second, while it rings and after the answer`, () => {
      for (const answer of [undefined, 180, 200, 486]) {
        const rig = new Rig();
        const { request, out } = rig.send(one, CALL);
        const [toVoice] = requests(out, 'INVITE');
        if (answer !== undefined) rig.reply(toVoice!, answer);
        const merged = rig.receive(onBranch(request, 'z9hG4bK-other'), two);
        assert.deepEqual(statuses(merged), [482]);
        assert.equal(requests(merged).length, 0);
        // Each copy of it hears the same; the first way goes on.
        assert.deepEqual(statuses(rig.receive(onBranch(request, 'z9hG4bK-other'), two)), [482]);
        if (answer === undefined) assert.deepEqual(statuses(rig.reply(toVoice!, 180)), [180]);
      }
    });

  it('after a restart while it rings', () => {
    const rig = new Rig();
    const { request, out } = rig.send(TRUNK, CALL);
    rig.reply(requests(out, 'INVITE')[0]!, 180);
    rig.restart();
    assert.deepEqual(statuses(rig.receive(onBranch(request, 'z9hG4bK-other'), TRUNK)), [482]);
    assert.equal(statuses(rig.pass(1000))[0], 503);
  });

  it('of a phone: the credentials are the same, and one call is made', () => {
    for (const together of [true, false]) {
      const rig = new Rig();
      const first = rig.request(PHONE, { ...CALL, from: 'sip:line1@sip.test' });
      const [challenge] = responses(rig.receive(first, PHONE));
      const proven = withCredentials(
        rig.request(PHONE, { ...CALL, from: 'sip:line1@sip.test', cseq: 2 }),
        challenge!,
        'line1',
        'secret of line1',
      );
      const other = onBranch(proven, 'z9hG4bK-other');
      const seen = together
        ? [...rig.receive(proven, PHONE), ...rig.receive(other, PHONE), ...rig.answerLookups()]
        : [...rig.receive(proven, PHONE), ...rig.answerLookups(), ...rig.receive(other, PHONE)];
      assert.equal(requests(seen, 'INVITE').length, 1);
      assert.deepEqual(
        statuses(seen).filter((status) => status !== 100),
        [482],
      );
    }
  });

  it('no merged requests: the next CSeq, another tag, another Call-ID, another method, a dialog', () => {
    const others: Parts[] = [{ cseq: 2 }, { callId: 'd' }, { method: 'MESSAGE' }, { toTag: 'x' }];
    for (const change of others) {
      const rig = new Rig();
      rig.send(TRUNK, CALL);
      const { out } = rig.send(TRUNK, { ...CALL, ...change });
      assert.equal(statuses(out).includes(482), false);
    }
    const rig = new Rig();
    const { request } = rig.send(TRUNK, CALL);
    const tagged = { ...request.headers, from: address('sip:caller@example.net', { tag: 'another' }) };
    const { out } = { out: rig.receive(onBranch({ ...request, headers: tagged }, 'z9hG4bK-n'), TRUNK) };
    assert.equal(requests(out, 'INVITE').length, 1);
  });

  it('a new call with everything of an old one, once that is over', () => {
    const rig = new Rig();
    const { out } = rig.send(TRUNK, CALL);
    rig.reply(requests(out, 'INVITE')[0]!, 200);
    rig.pass(64_000);
    assert.equal(rig.proxy.size, 0);
    assert.equal(requests(rig.send(TRUNK, CALL).out, 'INVITE').length, 1);
  });

  it('our own calls to several carriers are not merged on their way out', () => {
    const rig = new Rig();
    const { out } = rig.send(VOICE, { uri: 'sip:+1800@sip.test', callId: 'c' });
    const next = rig.reply(requests(out)[0]!, 503);
    assert.equal(requests(next, 'INVITE').length, 1);
  });

  it('who is called next is somebody else; and what was sent away may come by another way', () => {
    for (const [status, uri] of [
      [486, 'sip:line2@192.0.2.1'],
      [503, 'sip:+13125550100@192.0.2.1'],
    ] as const) {
      const rig = new Rig();
      const call = { callId: 'c', from: 'sip:+1555@example.net', uri: 'sip:+13125550100@192.0.2.1' };
      const [first] = requests(rig.send(TRUNK, call).out, 'INVITE');
      assert.deepEqual(statuses(rig.reply(first!, status)), [status]);
      assert.equal(requests(rig.send(TRUNK, { ...call, uri }).out, 'INVITE').length, 1, `${status}`);
    }
  });

  it('a carrier of several addresses is one: its copy is absorbed, its CANCEL is heard', () => {
    const rig = new Rig();
    const other: Flow = { transport: 'udp', host: '192.0.2.51', port: 5060 };
    const carrier = { ...trunk('first', '192.0.2.50'), addresses: ['192.0.2.50', '192.0.2.51'] };
    rig.identity = fixedIdentity({ ...PEOPLE, trunks: [carrier] });
    const { request } = rig.send(TRUNK, { callId: 'c', from: 'sip:+1555@example.net' });
    assert.deepEqual(
      statuses(rig.receive(request, other)).filter((status) => status > 100),
      [],
    );
    const cancel = {
      ...request,
      method: 'CANCEL',
      headers: { ...request.headers, cseq: { seq: 1, method: 'CANCEL' } },
    };
    assert.ok(statuses(rig.receive(cancel, other)).includes(200));
  });
});
