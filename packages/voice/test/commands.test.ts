import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BackEnd } from './back-end.ts';
import { bindings } from './callers.ts';
import { bench, carrierAnswers, dialIt, names, ok, park } from './command-rig.ts';

describe('Pattern 1', () => {
  it('parked, answered, a second party dialled, bridged; the client hangs up, the other is parked, and hung up', () => {
    const b = bench();
    const [w, client] = park(b);
    assert.deepEqual(names(b.news), ['initiated sip']);
    assert.deepEqual(b.news[0]?.what.type === 'initiated' && b.news[0].what.state, 'parked');
    assert.equal(b.vsp.take('progress').response.status, 180);
    assert.equal(b.proxy.has('incoming'), false);
    ok(b, { type: 'answer', account: 'default', control: w, clientState: 'aGk=' });
    b.vsp.take('accepted');
    assert.deepEqual(names(b.news), ['initiated sip', 'answered sip']);
    assert.equal(b.news[1]?.clientState, 'aGk=');
    const p = ok(b, dialIt(w))!;
    assert.equal(p.session, b.news[0]?.leg.session);
    carrierAnswers(b);
    assert.deepEqual(names(b.news.slice(2)), ['initiated pstn', 'answered pstn']);
    ok(b, { type: 'bridge', account: 'default', control: p.control, with: w, after: 'park' });
    assert.deepEqual(names(b.news.slice(4)), ['bridged sip', 'bridged pstn']);
    const sources = b.media.filter((c) => c.op === 'source').slice(-2);
    assert.deepEqual(new Set(sources.map((c) => c.op === 'source' && c.source.kind)), new Set(['leg']));
    b.vsp.act(b.vsp.agent.bye(client, [], b.now));
    assert.deepEqual(names(b.news.slice(6)), ['hangup sip']);
    assert.equal(b.voice.legOf(p.control)?.alive, true);
    assert.equal(b.voice.legOf(w)?.alive, false);
    assert.deepEqual(b.command({ type: 'hangup', account: 'default', control: w }), {
      ok: false,
      refusal: {
        why: 'ended',
        detail: 'This call is no longer active and can no longer be commanded.',
      },
    });
    ok(b, { type: 'hangup', account: 'default', control: p.control });
    assert.deepEqual(names(b.news.slice(7)), ['hangup pstn']);
    assert.deepEqual(
      b.news
        .filter(({ what }) => what.type === 'hangup')
        .map(({ what }) => what.type === 'hangup' && what.cause),
      ['normal_clearing', 'normal_clearing'],
    );
    for (const lane of new Set(b.news.map((event) => event.lane)))
      assert.deepEqual(
        b.news.filter((event) => event.lane === lane).map(({ n }) => n),
        [0, 1, 2, 3],
      );
    b.advance(700_000);
    assert.deepEqual(b.voice.size, { calls: 0, media: 0, dialogs: 0 });
    assert.equal(b.voice.deadline(), null);
    assert.equal(b.journal.size, 0);
  });
});

describe('what is told of an offer', () => {
  it('is its codecs; digits, comfort noise and redundancy are none', () => {
    const b = new BackEnd();
    const formats = [
      '111 opus/48000/2',
      '63 red/48000/2',
      '0 PCMU/8000',
      '13 CN/8000',
      '101 telephone-event/8000',
    ];
    const lines = formats.map((format) => `a=rtpmap:${format}`);
    const sdp = [
      ...['v=0', 'o=- 1 1 IN IP4 192.0.2.7', 's=-', 'c=IN IP4 192.0.2.7', 't=0 0'],
      ...['m=audio 4000 RTP/AVP 111 63 0 13 101', ...lines, ''],
    ].join('\r\n');
    b.arrived('+13125550190', sdp);
    const [first] = b.news;
    assert.deepEqual(first?.what.type === 'initiated' && first.what.offeredCodecs, ['OPUS', 'PCMU']);
  });
});

describe('several who are dialled at once', () => {
  it('all ring, the first answer wins, and the leg is who answered', () => {
    const b = bench();
    const leg = ok(b, {
      type: 'dial',
      account: 'default',
      connection: '1900',
      to: ['line2', '+15550199', 'nobody'],
      from: '+13125550100',
    })!;
    assert.deepEqual(names(b.news), ['initiated pstn']);
    bindings(b, ['sip:line2@vsp.sidetone.invalid']);
    assert.equal(b.proxy.events.filter(({ type }) => type === 'incoming').length, 2);
    carrierAnswers(b);
    assert.equal(b.proxy.has('cancelled'), true);
    assert.deepEqual(
      b.news.map(({ what, leg: { to } }) => [what.type, to]),
      [
        ['initiated', 'line2'],
        ['answered', '+15550199'],
      ],
    );
    assert.equal(b.voice.legsOf('1900').length, 1);
    ok(b, { type: 'hangup', account: 'default', control: leg.control });
    b.advance(700_000);
    assert.equal(b.records.length, 1);
    assert.deepEqual(b.voice.size, { calls: 0, media: 0, dialogs: 0 });
  });

  it('nobody of them is to be reached: it begins and ends', () => {
    const b = bench();
    ok(b, {
      type: 'dial',
      account: 'default',
      connection: '1900',
      to: ['line2', 'nobody'],
      from: '+13125550100',
    });
    bindings(b, [], 480);
    assert.deepEqual(
      b.news.map(({ what }) => (what.type === 'hangup' ? [what.cause, what.sip] : what.type)),
      ['initiated', ['no_answer', '480']],
    );
  });
});
