import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { header, parseNameAddr, parseUri } from '@sidetone/sip';
import type { MediaCommand, MediaReply } from '@sidetone/wire';
import { inRuns } from '../src/leg/trunk-runs.ts';
import type { Wish } from '../src/message.ts';
import type { Plan } from '../src/routing/plan.ts';
import { CallBench, contact, trunkPlan, userPlan } from './call-bench.ts';
import { people, sdp, trunk, VoiceBench } from './voice-bench.ts';

const offers = (bench: CallBench): Extract<MediaCommand, { op: 'offer' }>[] =>
  bench.outs.flatMap((o) => (o.type === 'media' && o.command.op === 'offer' ? [o.command] : []));

/** Media goes to another family with the first answer of this leg. */
const moves =
  (leg: string, times = 1) =>
  (command: MediaCommand): MediaReply | undefined =>
    command.op === 'accept' && command.leg === leg && times-- > 0
      ? { ok: true, codec: 'OPUS', moved: true }
      : undefined;

const lacks = (command: MediaCommand): MediaReply | undefined =>
  command.op === 'accept' ? { ok: false, error: 'no-address', message: '' } : undefined;

/** A client's call to the carrier, whose answer is of another family than our offer. */
function crossed(times = 1): CallBench {
  const bench = new CallBench();
  bench.failures.push(moves('b', times));
  bench.feed({ type: 'start' });
  return bench;
}

describe('ipv6: our first offer', () => {
  it('goes by the family that its peer is signalled by', () => {
    const byTrunk = new CallBench({ plan: trunkPlan({ family: 6 }) });
    byTrunk.feed({ type: 'start' });
    assert.deepEqual(
      offers(byTrunk).map((o) => o.family),
      [6],
    );

    const byPhone = new CallBench({ plan: userPlan() });
    byPhone.feed({ type: 'start' });
    const contacts = [
      { ...contact('b', false), family: 6 as const },
      { ...contact('c', false), family: 4 as const },
    ];
    byPhone.feed({ type: 'bindings', target: 0, status: 200, contacts: [...contacts, contact('d')] });
    assert.deepEqual(
      offers(byPhone).map((o) => o.family),
      [6, 4, undefined],
    );

    const offerless = new CallBench({ kind: 'trunk', plan: userPlan(), offerless: true, family: 6 });
    offerless.feed({ type: 'start' });
    offerless.feed({ type: 'bindings', target: 0, status: 200, contacts: [contact('b')] });
    offerless.feed({ type: 'accepted', leg: 'b', sdp: 'theirs', headers: [] });
    assert.deepEqual(
      offers(offerless).map((o) => [o.leg, o.family]),
      [
        ['b', undefined],
        ['a', 6],
      ],
    );
  });
});

describe('ipv6: trunks of both families behind one prefix', () => {
  const carrier = { codecs: ['PCMU'], dtmf: 'rfc4733', policy: 'quality' } as const;
  const plan: Plan = {
    to: 'trunk',
    number: '+15550100',
    trunks: inRuns(
      [
        { name: 'a', family: 4, ...carrier },
        { name: 'b', family: 4, ...carrier },
        { name: 'c', family: 6, ...carrier },
      ],
      () => 'second',
    ),
  };

  it('are each offered their own: a run that is down is followed by the next, with a branch of its own', () => {
    const bench = new CallBench({ plan });
    bench.feed({ type: 'start' });
    const failed = { type: 'failed', status: 503, by: 'peer', headers: [], trunk: 'b' } as const;
    const said = bench.feed({ ...failed, leg: 'b' });
    assert.ok(
      said.some((line) => line.startsWith('INVITE second ')),
      said.join(),
    );
    assert.deepEqual(
      offers(bench).map((o) => o.family),
      [4, 6],
    );
    assert.equal(bench.branch('second').trunk, 'c');
    const answered = bench.feed({ type: 'accepted', leg: 'second', sdp: 'theirs', headers: [], trunk: 'c' });
    assert.ok(answered.some((line) => line.startsWith('a 200')));
    assert.deepEqual(bench.records(), []);
  });

  it('hear nothing of a call that the callee refused, or that is down everywhere', () => {
    const refused = new CallBench({ plan });
    refused.feed({ type: 'start' });
    const busy = refused.feed({
      type: 'failed',
      leg: 'b',
      status: 486,
      by: 'peer',
      headers: [],
      trunk: 'a',
    });
    assert.ok(busy.includes('a 486'));

    const down = new CallBench({ plan });
    down.feed({ type: 'start' });
    const failed = { type: 'failed', status: 503, by: 'peer', headers: [] } as const;
    down.feed({ ...failed, leg: 'b', trunk: 'b' });
    assert.ok(down.feed({ ...failed, leg: 'second', trunk: 'c' }).includes('a 503'));
  });
});

describe('ipv6: an answer of another family than our offer', () => {
  it('is followed, and the peer is told at once where media is now', () => {
    const bench = crossed();
    const answered = bench.feed({ type: 'accepted', leg: 'b', sdp: 'theirs', headers: [] });
    assert.deepEqual(answered.slice(-2), [
      'media offer b rtp OPUS,PCMU,PCMA sendrecv',
      're-INVITE b sdp(our-offer-b-3)',
    ]);
    bench.feed({ type: 'reinviteResult', leg: 'b', status: 200, sdp: 'theirs again' });
    assert.equal(bench.state, 'up');
    assert.equal(bench.branch('b').exchange.moved, false);
  });

  it('of early media waits for the answer of the call', () => {
    const bench = crossed();
    const early = bench.feed({ type: 'progress', leg: 'b', status: 183, sdp: 'theirs', headers: [] });
    assert.ok(!early.some((line) => line.startsWith('re-INVITE')));
    const answered = bench.feed({ type: 'accepted', leg: 'b', sdp: 'theirs', headers: [] });
    assert.equal(answered.filter((line) => line.startsWith('re-INVITE b')).length, 1);
  });

  it('ends the call when the peer takes no other, or changes it for ever', () => {
    const refused = crossed();
    refused.feed({ type: 'accepted', leg: 'b', sdp: 'theirs', headers: [] });
    assert.ok(
      refused
        .feed({ type: 'reinviteResult', leg: 'b', status: 488 })
        .includes('BYE b INCOMPATIBLE_DESTINATION'),
    );

    const fickle = crossed(2);
    fickle.feed({ type: 'accepted', leg: 'b', sdp: 'theirs', headers: [] });
    const again = fickle.feed({ type: 'reinviteResult', leg: 'b', status: 200, sdp: 'theirs again' });
    assert.ok(again.includes('BYE b INCOMPATIBLE_DESTINATION'));
  });

  it('ends the call with a reason where media has none of that family', () => {
    const bench = new CallBench();
    bench.failures.push(lacks);
    bench.feed({ type: 'start' });
    const said = bench.feed({ type: 'accepted', leg: 'b', sdp: 'theirs', headers: [] });
    assert.ok(said.includes('a 488'), said.join());
    assert.ok(said.includes('BYE b INCOMPATIBLE_DESTINATION'));
    const bye = bench.outs.find((o): o is Extract<Wish, { type: 'bye' }> => o.type === 'bye')!;
    assert.deepEqual(
      [bye.ending.code, bye.ending.headers],
      [88, [['Warning', '301 sidetone "Incompatible network address formats"']]],
    );
  });

  it('to a re-INVITE that cannot be taken is refused, and the session stands', () => {
    const bench = crossed(0);
    bench.feed({ type: 'accepted', leg: 'b', sdp: 'theirs', headers: [] });
    bench.failures.push((c) =>
      c.op === 'answer' ? { ok: false, error: 'no-address', message: '' } : undefined,
    );
    const offer = { sdp: 'elsewhere', direction: 'sendrecv' as const };
    const said = bench.feed({ type: 'reinvite', leg: 'b', tx: 't', offer });
    assert.deepEqual(said.at(-1), 'b re 488');
    assert.equal(bench.state, 'up');
  });
});

describe('ipv6: a caller that media cannot reach', () => {
  const IPV6 = sdp().replaceAll('IN IP4 192.0.2.1', 'IN IP6 2001:db8::9');

  /** A carrier calls line2. */
  function called(offer: string, families: readonly (4 | 6)[]): VoiceBench {
    const bench = new VoiceBench({
      families,
      identity: people({ trunks: [trunk({ host: '2001:db8::9' })] }),
    });
    const to = parseUri('sip:+13125550101@[2001:DB8:0::1]:5060');
    const from = parseNameAddr('<sip:+15550100@192.0.2.10>');
    assert.ok(to.ok && from.ok);
    const { out } = bench.proxy.agent.invite(
      {
        requestUri: to.value,
        from: from.value,
        to: { uri: to.value, params: {} },
        sdp: offer,
        headers: [['X-Sidetone-Trunk', 'carrier']],
      },
      bench.now,
    );
    bench.proxy.act(out);
    return bench;
  }

  it('hears 488 with the reason, and nobody is rung', () => {
    const bench = called(IPV6, [4]);
    const failed = bench.proxy.take('failed');
    assert.equal(failed.status, 488);
    assert.match(header(failed.response!, 'Warning')!, /^301 /);
    assert.match(header(failed.response!, 'Reason')!, /^Q\.850;cause=88/);
    assert.equal(bench.media.length, 0);
    assert.equal(bench.records[0]?.cause, 'INCOMPATIBLE_DESTINATION');
  });

  it('goes on where it can be reached', () => {
    assert.ok(called(IPV6, [4, 6]).proxy.has('request'));
    assert.ok(called(sdp(), [4]).proxy.has('request'));
  });
});
