import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Direction } from '@sidetone/wire';
import { answered, CallBench as Bench, type CallBench, contact, trunkPlan, userPlan } from './call-bench.ts';

const reinvite = (bench: CallBench, leg: string, direction: Direction, sdp = 'again'): string[] =>
  bench.feed({ type: 'reinvite', leg, tx: `tx-${leg}`, offer: { sdp, direction } });

describe('hold by a client', () => {
  it('gates media, answers at once, then tells the carrier; and back', () => {
    const bench = answered();
    assert.deepEqual(reinvite(bench, 'a', 'sendonly'), [
      'media source a silence',
      'media answer a webrtc OPUS,PCMU,PCMA recvonly',
      'media source b music',
      'a re 200 sdp(our-answer-a-3)',
      'media offer b rtp OPUS,PCMU,PCMA sendonly',
      're-INVITE b sdp(our-offer-b-4)',
    ]);
    assert.deepEqual(bench.feed({ type: 'reinviteResult', leg: 'b', status: 200, sdp: 'held' }), [
      'media accept b held',
    ]);
    assert.deepEqual(reinvite(bench, 'a', 'sendrecv'), [
      'media source a leg b',
      'media answer a webrtc OPUS,PCMU,PCMA sendrecv',
      'media source b leg a',
      'a re 200 sdp(our-answer-a-5)',
      'media offer b rtp OPUS,PCMU,PCMA sendrecv',
      're-INVITE b sdp(our-offer-b-6)',
    ]);
  });

  it('can play silence instead of music', () => {
    const bench = answered({ heldHears: 'silence' });
    assert.ok(reinvite(bench, 'a', 'sendonly').includes('media source b silence'));
  });

  it('keeps the gates when the carrier refuses, and does not ask again', () => {
    const bench = answered();
    reinvite(bench, 'a', 'sendonly');
    assert.deepEqual(bench.feed({ type: 'reinviteResult', leg: 'b', status: 488 }), []);
    assert.equal(bench.branch('b').media.source?.kind, 'music');
    assert.ok(reinvite(bench, 'a', 'sendrecv').includes('media source b leg a'));
  });

  it('tells the carrier the last word when the client changes its mind in between', () => {
    const bench = answered();
    reinvite(bench, 'a', 'sendonly');
    const meanwhile = reinvite(bench, 'a', 'sendrecv');
    assert.ok(!meanwhile.some((l) => l.startsWith('re-INVITE')));
    const after = bench.feed({ type: 'reinviteResult', leg: 'b', status: 200, sdp: 'held' });
    assert.deepEqual(after.slice(0, 2), ['media accept b held', 'media offer b rtp OPUS,PCMU,PCMA sendrecv']);
  });

  it('that was called: the carrier that called it is told', () => {
    const bench = new Bench({ plan: userPlan(), kind: 'trunk' });
    bench.feed({ type: 'start' });
    bench.feed({ type: 'bindings', target: 0, status: 200, contacts: [contact('b')] });
    bench.feed({ type: 'accepted', leg: 'b', sdp: 'theirs', headers: [] });
    assert.deepEqual(reinvite(bench, 'b', 'sendonly'), [
      'media source b silence',
      'media answer b webrtc OPUS,PCMU,PCMA recvonly',
      'media source a music',
      'b re 200 sdp(our-answer-b-3)',
      'media offer a rtp OPUS,PCMU,PCMA sendonly',
      're-INVITE a sdp(our-offer-a-4)',
    ]);
  });

  it('sends a client no re-INVITE: it hears music', () => {
    const bench = new Bench({ plan: userPlan() });
    bench.feed({ type: 'start' });
    bench.feed({ type: 'bindings', target: 0, status: 200, contacts: [contact('b')] });
    bench.feed({ type: 'accepted', leg: 'b', sdp: 'theirs', headers: [] });
    const ladder = reinvite(bench, 'b', 'sendonly');
    assert.deepEqual(ladder, [
      'media source b silence',
      'media answer b webrtc OPUS,PCMU,PCMA recvonly',
      'media source a music',
      'b re 200 sdp(our-answer-b-3)',
    ]);
  });
});

describe('hold by the carrier', () => {
  for (const direction of ['sendonly', 'inactive'] as const)
    it(direction, () => {
      const bench = answered();
      assert.deepEqual(reinvite(bench, 'b', direction), [
        'media source b silence',
        `media answer b rtp OPUS,PCMU,PCMA ${direction === 'sendonly' ? 'recvonly' : 'inactive'}`,
        'media source a music',
        'b re 200 sdp(our-answer-b-3)',
      ]);
      const free = reinvite(bench, 'b', 'sendrecv');
      for (const line of ['media source a leg b', 'media source b leg a']) assert.ok(free.includes(line));
    });

  it('both sides at once, released one by one', () => {
    const bench = answered();
    reinvite(bench, 'b', 'sendonly');
    const client = reinvite(bench, 'a', 'sendonly');
    assert.deepEqual(client.slice(0, 1), ['media source a silence']);
    assert.ok(client.includes('media offer b rtp OPUS,PCMU,PCMA sendonly'));
    bench.feed({ type: 'reinviteResult', leg: 'b', status: 200, sdp: 'inactive' });
    // The carrier comes back: it is still held by the client.
    const carrier = reinvite(bench, 'b', 'sendrecv');
    assert.ok(carrier.includes('media source b music'));
    assert.ok(carrier.includes('media answer b rtp OPUS,PCMU,PCMA sendonly'));
    assert.ok(!carrier.some((l) => l.startsWith('media source a')));
    const free = reinvite(bench, 'a', 'sendrecv');
    for (const line of ['media source a leg b', 'media source b leg a']) assert.ok(free.includes(line));
  });

  it('is undone when we cannot answer the offer', () => {
    const bench = answered();
    bench.failures.push((c) =>
      c.op === 'answer' ? { ok: false, error: 'bad-sdp', message: '' } : undefined,
    );
    const ladder = reinvite(bench, 'b', 'sendonly');
    assert.ok(ladder.includes('b re 488'));
    assert.equal(bench.branch('a').media.source?.kind, 'leg');
    assert.equal(bench.state, 'up');
  });

  it('offerless re-INVITE: our offer in the 200, the answer in the ACK', () => {
    const bench = answered();
    assert.deepEqual(bench.feed({ type: 'reinvite', leg: 'b', tx: 't' }), [
      'media offer b rtp OPUS,PCMU,PCMA sendrecv',
      'b re 200 sdp(our-offer-b-3)',
    ]);
    assert.deepEqual(reinvite(bench, 'b', 'sendonly'), ['b re 491']);
    assert.deepEqual(
      bench.feed({ type: 'reinviteConfirmed', leg: 'b', answer: { sdp: 'ack', direction: 'inactive' } }),
      ['media source b silence', 'media accept b ack', 'media source a music'],
    );
  });

  it('glare: an offer of the carrier against ours hears 491', () => {
    const bench = answered();
    reinvite(bench, 'a', 'sendonly');
    assert.deepEqual(reinvite(bench, 'b', 'sendonly'), ['b re 491']);
  });
});

describe('ICE restart', () => {
  it('a new offer of the client is answered, nothing else moves', () => {
    const bench = answered();
    assert.deepEqual(reinvite(bench, 'a', 'sendrecv', 'new ufrag'), [
      'media answer a webrtc OPUS,PCMU,PCMA sendrecv',
      'a re 200 sdp(our-answer-a-3)',
    ]);
  });
  it('hears 491 before the call is answered', () => {
    const bench = new Bench();
    bench.feed({ type: 'start' });
    assert.deepEqual(reinvite(bench, 'a', 'sendrecv'), ['a re 491']);
  });
});

describe('digits', () => {
  it('become RFC 4733 on the trunk, all of them', () => {
    assert.deepEqual(answered().feed({ type: 'digits', leg: 'a', digits: '0123456789*#ABCD' }), [
      'media dtmf b 0123456789*#ABCD',
    ]);
  });
  it('leave one by one as INFO where the trunk wants it', () => {
    const bench = answered({ plan: trunkPlan({ dtmf: 'info' }) });
    assert.deepEqual(bench.feed({ type: 'digits', leg: 'a', digits: '12' }), ['INFO b 1']);
    assert.deepEqual(bench.feed({ type: 'digits', leg: 'a', digits: '3' }), []);
    assert.deepEqual(bench.feed({ type: 'digitSent', leg: 'b', status: 200 }), ['INFO b 2']);
    assert.deepEqual(bench.feed({ type: 'digitSent', leg: 'b', status: 408 }), ['INFO b 3']);
    assert.deepEqual(bench.feed({ type: 'digitSent', leg: 'b', status: 200 }), []);
  });
  it('a-key-held-long-is-several-digits: one of the media leaves as one INFO where the trunk wants it, and by media elsewhere', () => {
    const bench = answered({ plan: trunkPlan({ dtmf: 'info' }) });
    assert.deepEqual(bench.branch('b').media.source, { kind: 'leg', leg: 'a', digits: false });
    assert.deepEqual(bench.branch('a').media.source, { kind: 'leg', leg: 'b' });
    assert.deepEqual(bench.feed({ type: 'mediaDigit', leg: 'a', digit: '5' }), ['INFO b 5']);
    assert.deepEqual(bench.feed({ type: 'mediaDigit', leg: 'b', digit: '6' }), []);
    assert.deepEqual(answered().feed({ type: 'mediaDigit', leg: 'a', digit: '5' }), []);
    assert.deepEqual(
      ['a', 'b'].map((id) => bench.leg(id)?.digitCount),
      [1, 1],
    );
  });
  it('of the carrier by INFO reach the client as RFC 4733', () => {
    assert.deepEqual(answered().feed({ type: 'digits', leg: 'b', digits: '5' }), ['media dtmf a 5']);
  });
  it('come back from the echo', () => {
    const bench = new Bench({ plan: { to: 'service', service: 'echo' } });
    bench.feed({ type: 'start' });
    assert.deepEqual(bench.feed({ type: 'digits', leg: 'a', digits: '7' }), ['media dtmf a 7']);
  });
  it('wait for the answer when they leave as INFO', () => {
    const bench = new Bench({ plan: trunkPlan({ dtmf: 'info' }) });
    bench.feed({ type: 'start' });
    bench.feed({ type: 'progress', leg: 'b', status: 183, sdp: 'early', headers: [] });
    assert.deepEqual(bench.feed({ type: 'digits', leg: 'a', digits: '9' }), []);
    assert.ok(bench.feed({ type: 'accepted', leg: 'b', headers: [] }).includes('INFO b 9'));
  });
  it('never reach a log line', () => {
    const bench = answered();
    bench.feed({ type: 'digits', leg: 'a', digits: '4711' });
    bench.feed({ type: 'mediaDigit', leg: 'b', digit: '4711' });
    const lines = bench.outs.filter((o) => o.type === 'log').map((o) => JSON.stringify(o));
    assert.ok(lines.length > 0);
    assert.ok(lines.every((line) => !line.includes('4711')));
  });
});

describe('endings', () => {
  for (const [why, cause] of [
    ['ice', 'ICE_FAILED'],
    ['dtls', 'DTLS_FAILED'],
    ['rtp', 'MEDIA_TIMEOUT'],
  ] as const)
    it(`media failed ${why} → BYE to both, ${cause}`, () => {
      assert.deepEqual(answered().feed({ type: 'mediaFailed', leg: 'a', why }), [
        `BYE a ${cause}`,
        'media close a',
        `BYE b ${cause}`,
        'media close b',
        `record a ${cause} platform`,
        `record b ${cause} platform`,
      ]);
    });
  it('silence on hold is no failure', () => {
    const bench = answered();
    reinvite(bench, 'a', 'sendonly');
    assert.deepEqual(bench.feed({ type: 'mediaFailed', leg: 'b', why: 'rtp' }), []);
  });
  it('one-way audio is a warning', () => {
    const bench = answered();
    bench.feed({ type: 'mediaFlag', leg: 'a', flag: 'one-way' });
    assert.ok(bench.outs.some((o) => o.type === 'log' && o.level === 'warn' && o.event === 'media one-way'));
  });
  for (const [why, cause, by] of [
    ['ack-timeout', 'RECOVERY_ON_TIMER_EXPIRE', 'platform'],
    ['no-answer', 'RECOVERY_ON_TIMER_EXPIRE', 'platform'],
    ['dialog-gone', 'NORMAL_CLEARING', 'caller'],
    ['bye-done', 'NORMAL_CLEARING', 'caller'],
  ] as const)
    it(`bye-behind-481: a dialog that ends without a BYE of the peer (${why}): the other side hears it`, () => {
      const bench = answered();
      assert.ok(bench.feed({ type: 'ended', leg: 'a', why }).includes(`BYE b ${cause}`));
      for (const record of bench.records()) assert.deepEqual([record.cause, record.ended_by], [cause, by]);
    });
  it('the longest call', () => {
    const bench = answered();
    bench.now = 1_000_000;
    assert.ok(bench.feed({ type: 'tick' }).includes('BYE a ALLOTTED_TIMEOUT'));
  });
  it('records without statistics when media is away', () => {
    const bench = answered();
    bench.failures.push((c) => (c.op === 'close' ? { ok: false, error: 'engine', message: '' } : undefined));
    bench.feed({ type: 'bye', leg: 'a', headers: [] });
    assert.deepEqual(
      bench.records().map((r) => [r.leg_id, r.media]),
      [
        ['a', undefined],
        ['b', undefined],
      ],
    );
    assert.equal(bench.state, 'over');
  });
});
