import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bodyText } from '@sidetone/sip';
import { ATTACHMENT } from '@sidetone/wire';
import { answered, CallBench, type Setup, STATS } from './call-bench.ts';
import { sdp, VoiceBench } from './voice-bench.ts';

/** An answered call of a client whose media was last heard so long ago; `undefined`: never. */
function call(heardMsAgo: number | undefined, setup: Setup = {}): CallBench {
  const bench = answered(setup);
  bench.failures.push((command) =>
    command.op === 'stats'
      ? { ok: true, stats: { ...STATS, ...(heardMsAgo === undefined ? {} : { heardMsAgo }) } }
      : undefined,
  );
  return bench;
}

const away = (bench: CallBench, leg = 'a') =>
  bench.feed({ type: 'attachment', leg, here: false, bare: false });
const back = (bench: CallBench, leg = 'a') =>
  bench.feed({ type: 'attachment', leg, here: true, bare: false });
const answers = (bench: CallBench, status: number, description?: string) =>
  bench.feed({
    type: 'reinviteResult',
    leg: 'a',
    status,
    ...(description === undefined ? {} : { sdp: description }),
  });

const RENEWAL = [
  'media stats a',
  'media offer a webrtc OPUS,PCMU,PCMA sendrecv restart',
  're-INVITE a sdp(our-offer-a-3)',
];

describe('a client that lost its signalling', () => {
  it('whose media lives finds it untouched', () => {
    const bench = call(20);
    assert.deepEqual(away(bench), []);
    assert.deepEqual(back(bench), ['media stats a']);
    bench.now += 400;
    assert.deepEqual(bench.feed({ type: 'tick' }), ['media stats a']);
    assert.equal(bench.branch('a').attachment.at, 'here');
    assert.deepEqual(bench.feed({ type: 'tick' }), []);
    assert.ok(bench.feed({ type: 'mediaFailed', leg: 'a', why: 'ice' }).includes('BYE a ICE_FAILED'));
  });

  it('whose page is another one: heard just before, never again', () => {
    const bench = answered();
    let heardMsAgo = 120;
    bench.failures.push((command) =>
      command.op === 'stats' ? { ok: true, stats: { ...STATS, heardMsAgo } } : undefined,
    );
    away(bench);
    assert.deepEqual(back(bench), ['media stats a']);
    bench.now += 400;
    heardMsAgo = 520;
    assert.deepEqual(bench.feed({ type: 'tick' }), RENEWAL);
  });

  it('that is lost again before the second look', () => {
    const bench = call(20);
    away(bench);
    back(bench);
    away(bench);
    bench.now += 400;
    assert.deepEqual(bench.feed({ type: 'tick' }), []);
    assert.equal(bench.branch('a').attachment.at, 'away');
  });

  for (const [how, heard] of [
    ['silent', 501],
    ['never heard', undefined],
  ] as const)
    it(`whose media is ${how} is offered a fresh transport`, () => {
      const bench = call(heard);
      away(bench);
      assert.deepEqual(back(bench), RENEWAL);
      assert.deepEqual(answers(bench, 200, 'rebuilt'), ['media accept a rebuilt']);
      assert.equal(bench.branch('a').attachment.at, 'here');
      assert.deepEqual(back(bench), []);
    });

  it('whose media failed meanwhile keeps its call; a fresh transport makes it whole', () => {
    const bench = call(20);
    away(bench);
    for (const why of ['rtp', 'ice'] as const)
      assert.deepEqual(bench.feed({ type: 'mediaFailed', leg: 'a', why }), []);
    assert.deepEqual(back(bench), RENEWAL);
    assert.deepEqual(bench.feed({ type: 'mediaFailed', leg: 'a', why: 'ice' }), []);
    answers(bench, 200, 'rebuilt');
    assert.equal(bench.branch('a').attachment.lost, null);
    assert.ok(bench.feed({ type: 'mediaFailed', leg: 'a', why: 'ice' }).includes('BYE b ICE_FAILED'));
  });

  it('that refuses the offer: the call ends if its media had failed, and goes on otherwise', () => {
    const failed = call(20);
    away(failed);
    failed.feed({ type: 'mediaFailed', leg: 'a', why: 'ice' });
    back(failed);
    assert.ok(answers(failed, 480).includes('BYE b ICE_FAILED'));
    const silent = call(600);
    away(silent);
    back(silent);
    assert.deepEqual(answers(silent, 480), []);
    assert.equal(silent.state, 'up');
  });

  it('that is lost again while it is offered', () => {
    const bench = call(20);
    away(bench);
    bench.feed({ type: 'mediaFailed', leg: 'a', why: 'ice' });
    back(bench);
    away(bench);
    assert.deepEqual(answers(bench, 480), []);
    assert.equal(bench.state, 'up');
    assert.equal(back(bench).length, RENEWAL.length);
  });

  it('is offered media after the exchange that is open', () => {
    const bench = call(600, { manual: true });
    while (bench.waiting.length > 0) bench.reply();
    bench.feed({ type: 'accepted', leg: 'b', sdp: 'theirs', headers: [] });
    while (bench.waiting.length > 0) bench.reply();
    assert.equal(bench.state, 'up');
    away(bench);
    const offer = { sdp: 'hold', direction: 'sendonly' } as const;
    bench.feed({ type: 'reinvite', leg: 'a', tx: 't', offer });
    back(bench);
    const probe = bench.waiting.findIndex((w) => w.tag === 'probe');
    bench.reply(probe);
    assert.ok(!bench.waiting.some((w) => w.tag === 're-offer' && w.leg === 'a'));
    while (bench.waiting.some((w) => w.tag === 're-answer')) bench.reply();
    assert.ok(bench.waiting.some((w) => w.tag === 're-offer' && w.leg === 'a'));
  });

  it('in set-up: a media leg that fails ends it, as ever', () => {
    const bench = new CallBench();
    bench.feed({ type: 'start' });
    bench.feed({ type: 'progress', leg: 'b', status: 183, sdp: 'early', headers: [] });
    away(bench);
    assert.ok(bench.feed({ type: 'mediaFailed', leg: 'a', why: 'ice' }).length > 0);
    assert.notEqual(bench.state, 'dialling');
  });

  it('is a client: a carrier that says so is not believed', () => {
    const bench = call(20);
    away(bench, 'b');
    assert.ok(bench.feed({ type: 'mediaFailed', leg: 'b', why: 'rtp' }).includes('BYE a MEDIA_TIMEOUT'));
  });

  it('is told by INFO in the dialog', () => {
    const bench = new VoiceBench();
    const { leg, out } = bench.vsp.agent.invite(
      {
        requestUri: { scheme: 'sip', user: '9196', host: 'sip.localhost', params: {} },
        from: { uri: { scheme: 'sip', user: 'line1', host: 'sip.localhost', params: {} }, params: {} },
        to: { uri: { scheme: 'sip', user: '9196', host: 'sip.localhost', params: {} }, params: {} },
        headers: [['P-Asserted-Identity', '<sip:line1@sip.localhost>']],
        sdp: sdp(),
      },
      bench.now,
    );
    bench.vsp.act(out);
    bench.vsp.take('accepted');
    const tell = (contentType: string): void => {
      const request = { method: 'INFO', contentType, body: '' };
      bench.vsp.act(bench.vsp.agent.requestInDialog(leg, request, 'attachment', bench.now));
      assert.equal(bench.vsp.take('inDialogResult').status, 200);
    };
    tell(ATTACHMENT.away);
    assert.ok(!bench.media.some((command) => command.op === 'stats'));
    tell(ATTACHMENT.back);
    assert.deepEqual(
      bench.media.slice(-2).map((c) => c.op),
      ['stats', 'offer'],
    );
    assert.equal(bench.vsp.has('reinvite'), true);
  });
});

describe('native: a client without a socket that talks on', () => {
  const asks = (bench: CallBench, leg = 'a') => bench.feed({ type: 'askHeard', leg });

  it('is known by its sound: vsp asks, and voice says when it was heard last', () => {
    const bench = call(20);
    away(bench);
    assert.deepEqual(asks(bench), ['media stats a', 'heard a 20 ms ago']);
    assert.deepEqual(bench.feed({ type: 'mediaFailed', leg: 'a', why: 'rtp' }), []);
    assert.deepEqual(asks(bench), ['media stats a', 'heard a 20 ms ago']);
    assert.equal(bench.branch('a').attachment.at, 'away');
  });

  it('that was never heard, or media that cannot say: not a word', () => {
    const never = call(undefined);
    away(never);
    assert.deepEqual(asks(never), ['media stats a']);
    const broken = answered();
    broken.failures.push((command) =>
      command.op === 'stats' ? { ok: false, error: 'engine', message: '' } : undefined,
    );
    away(broken);
    assert.deepEqual(asks(broken), ['media stats a']);
  });

  it('is asked about only while it is away, and only of a client', () => {
    const bench = call(20);
    assert.deepEqual(asks(bench), []);
    assert.deepEqual(asks(bench, 'b'), []);
    assert.deepEqual(asks(bench, 'nobody'), []);
  });

  it('back without its media is offered anew at once, however well it is heard', () => {
    const bench = call(20);
    away(bench);
    const bare = bench.feed({ type: 'attachment', leg: 'a', here: true, bare: true });
    assert.deepEqual(bare, RENEWAL.slice(1));
    assert.deepEqual(answers(bench, 200, 'rebuilt'), ['media accept a rebuilt']);
    assert.equal(bench.branch('a').attachment.at, 'here');
  });

  it('back without its media, that does not answer: what was heard goes on', () => {
    const bench = call(20);
    away(bench);
    bench.feed({ type: 'attachment', leg: 'a', here: true, bare: true });
    assert.deepEqual(answers(bench, 480), []);
    assert.equal(bench.state, 'up');
  });

  it('says so by INFO in the dialog', () => {
    const bench = new VoiceBench();
    const { leg, out } = bench.vsp.agent.invite(
      {
        requestUri: { scheme: 'sip', user: '9196', host: 'sip.localhost', params: {} },
        from: { uri: { scheme: 'sip', user: 'line1', host: 'sip.localhost', params: {} }, params: {} },
        to: { uri: { scheme: 'sip', user: '9196', host: 'sip.localhost', params: {} }, params: {} },
        headers: [['P-Asserted-Identity', '<sip:line1@sip.localhost>']],
        sdp: sdp(),
      },
      bench.now,
    );
    bench.vsp.act(out);
    bench.vsp.take('accepted');
    bench.mediaReply = (command) =>
      command.op === 'stats' ? { ok: true, stats: { ...STATS, heardMsAgo: 40 } } : undefined;
    for (const contentType of [ATTACHMENT.away, ATTACHMENT.heard]) {
      const request = { method: 'INFO', contentType, body: '' };
      bench.vsp.act(bench.vsp.agent.requestInDialog(leg, request, 'attachment', bench.now));
      assert.equal(bench.vsp.take('inDialogResult').status, 200);
    }
    const { request } = bench.vsp.take('info');
    assert.deepEqual([request.headers.contentType, bodyText(request)], [ATTACHMENT.heard, '40']);
  });
});
