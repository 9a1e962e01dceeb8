import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PRESENCE } from '@sidetone/wire';
import { callDeadline } from '../src/call.ts';
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

const away = (bench: CallBench, leg = 'a') => bench.feed({ type: 'presence', leg, here: false, bare: false });
const back = (bench: CallBench, leg = 'a') => bench.feed({ type: 'presence', leg, here: true, bare: false });
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
    assert.equal(bench.call.legs[0]!.presence, 'here');
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
    assert.equal(bench.call.legs[0]!.presence, 'away');
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
      assert.equal(bench.call.legs[0]!.presence, 'here');
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
    assert.equal(bench.call.legs[0]!.mediaLost, null);
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
    assert.equal(silent.call.state.name, 'up');
  });

  it('that is lost again while it is offered', () => {
    const bench = call(20);
    away(bench);
    bench.feed({ type: 'mediaFailed', leg: 'a', why: 'ice' });
    back(bench);
    away(bench);
    assert.deepEqual(answers(bench, 480), []);
    assert.equal(bench.call.state.name, 'up');
    assert.equal(back(bench).length, RENEWAL.length);
  });

  it('is offered media after the exchange that is open', () => {
    const bench = call(600, { manual: true });
    while (bench.waiting.length > 0) bench.reply();
    bench.feed({ type: 'accepted', leg: 'b', sdp: 'theirs', headers: [] });
    while (bench.waiting.length > 0) bench.reply();
    assert.equal(bench.call.state.name, 'up');
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
    assert.notEqual(bench.call.state.name, 'calling');
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
      bench.vsp.act(bench.vsp.agent.requestInDialog(leg, request, 'presence', bench.now));
      assert.equal(bench.vsp.take('inDialogResult').status, 200);
    };
    tell(PRESENCE.away);
    assert.ok(!bench.media.some((command) => command.op === 'stats'));
    tell(PRESENCE.back);
    assert.deepEqual(
      bench.media.slice(-2).map((c) => c.op),
      ['stats', 'offer'],
    );
    assert.equal(bench.vsp.has('reinvite'), true);
  });
});

describe('native: a client without a socket that talks on', () => {
  const tick = (bench: CallBench, ms: number) => {
    bench.now += ms;
    return bench.feed({ type: 'tick' });
  };

  it('keeps its call while it is heard; the time counts from its last packet', () => {
    const bench = answered();
    let heardMsAgo = 20;
    bench.failures.push((command) =>
      command.op === 'stats' ? { ok: true, stats: { ...STATS, heardMsAgo } } : undefined,
    );
    away(bench);
    assert.equal(callDeadline(bench.call), bench.now + 120_000);
    assert.deepEqual(tick(bench, 119_999), []);
    assert.deepEqual(tick(bench, 1), ['media stats a']);
    assert.equal(callDeadline(bench.call), bench.now + 119_980);
    // Minutes of talking, and then silence.
    for (let i = 0; i < 5; i++) assert.deepEqual(tick(bench, 120_000), ['media stats a']);
    heardMsAgo = 70_000;
    assert.deepEqual(tick(bench, 120_000), ['media stats a']);
    assert.equal(callDeadline(bench.call), bench.now + 50_000);
    heardMsAgo = 120_000;
    const end = tick(bench, 50_000);
    assert.ok(end.includes('BYE a NETWORK_LOST') && end.includes('BYE b NETWORK_LOST'), end.join());
  });

  for (const [how, stats] of [
    ['was never heard', {}],
    ['has been silent for as long', { heardMsAgo: 120_000 }],
  ] as const)
    it(`that ${how} loses it`, () => {
      const bench = answered();
      bench.failures.push((command) =>
        command.op === 'stats' ? { ok: true, stats: { ...STATS, ...stats } } : undefined,
      );
      away(bench);
      assert.ok(tick(bench, 120_000).includes('BYE b NETWORK_LOST'));
    });

  it('loses it when media cannot say', () => {
    const bench = answered();
    bench.failures.push((command) =>
      command.op === 'stats' ? { ok: false, error: 'engine', message: '' } : undefined,
    );
    away(bench);
    assert.ok(tick(bench, 120_000).includes('BYE b NETWORK_LOST'));
  });

  it('whose media failed meanwhile is given up at its time, not before', () => {
    const bench = call(30_000);
    away(bench);
    assert.deepEqual(bench.feed({ type: 'mediaFailed', leg: 'a', why: 'rtp' }), []);
    assert.deepEqual(tick(bench, 120_000), ['media stats a']);
    assert.equal(bench.call.state.name, 'up');
  });

  it('that is back in time, and lost again, has its whole time again', () => {
    const bench = call(20);
    away(bench);
    tick(bench, 119_000);
    back(bench);
    assert.deepEqual(tick(bench, 400), ['media stats a']);
    assert.equal(bench.call.legs[0]!.presence, 'here');
    assert.deepEqual(tick(bench, 500_000), []);
    away(bench);
    assert.deepEqual(tick(bench, 119_999), []);
  });

  it('back without its media is offered anew at once, however well it is heard', () => {
    const bench = call(20);
    away(bench);
    const bare = bench.feed({ type: 'presence', leg: 'a', here: true, bare: true });
    assert.deepEqual(bare, RENEWAL.slice(1));
    assert.deepEqual(answers(bench, 200, 'rebuilt'), ['media accept a rebuilt']);
    assert.equal(bench.call.legs[0]!.presence, 'here');
  });

  it('back without its media, that does not answer: what was heard goes on', () => {
    const bench = call(20);
    away(bench);
    bench.feed({ type: 'presence', leg: 'a', here: true, bare: true });
    assert.deepEqual(answers(bench, 480), []);
    assert.equal(bench.call.state.name, 'up');
  });
});
