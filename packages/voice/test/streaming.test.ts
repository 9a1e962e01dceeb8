import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CallNews, LegIds, MediaCommand, StreamEvent, StreamWish } from '@sidetone/wire';
import { bench, carrierAnswers, dialIt, ok, park } from './command-rig.ts';
import { sdp, type VoiceBench } from './voice-bench.ts';

const STREAM: StreamWish = {
  url: 'wss://bot.example/s',
  track: 'inbound',
  rate: 8000,
  parameters: [['a', 'b']],
};

type Op<T extends MediaCommand['op']> = Extract<MediaCommand, { op: T }>;

class Rig {
  readonly b: VoiceBench = bench();
  #n = 0;

  of<T extends MediaCommand['op']>(op: T): Op<T>[] {
    return this.b.media.filter((command): command is Op<T> => command.op === op);
  }

  /** Media tells of the last stream that it was asked for. */
  streamed(state: StreamEvent['state'], reason?: string): void {
    const { leg, id } = this.of('stream').at(-1)!;
    const about = { leg, id, state, n: ++this.#n, ...(reason === undefined ? {} : { reason }) };
    this.b.tell({ type: 'mediaEvent', event: { event: 'streamed', ...about } });
  }

  told(leg: string): string[] {
    return this.b.news.filter(({ lane }) => lane === leg).map(({ what }) => spell(what));
  }

  parked(more: { readonly stream?: StreamWish } = {}): LegIds & { readonly dialog: string } {
    const [control, dialog] = park(this.b);
    ok(this.b, { type: 'answer', account: 'default', control, ...more });
    const { leg, session } = this.b.voice.legOf(control)!;
    return { control, leg, session, dialog };
  }

  dialled(stream: StreamWish): LegIds {
    const { link: _, ...command } = dialIt('', { stream }) as Extract<
      ReturnType<typeof dialIt>,
      { type: 'dial' }
    >;
    return ok(this.b, command)!;
  }

  clean(): void {
    this.b.advance(700_000);
    assert.equal(this.b.voice.deadline(), null);
    assert.equal(this.b.journal.size, 0);
  }
}

function spell(what: CallNews): string {
  switch (what.type) {
    case 'answered':
      return `answered${what.stream === undefined ? '' : ` ${what.stream.track}`}`;
    case 'streamFailed':
      return `streamFailed ${what.reason}`;
    default:
      return what.type;
  }
}

describe('a media stream of a leg', () => {
  it('begins at once on a leg that is up, is told as it goes, and ends by command', () => {
    const rig = new Rig();
    const { control, leg } = rig.parked();
    ok(rig.b, { type: 'startStream', account: 'default', control, stream: STREAM, clientState: 'aGk=' });
    const [wish, ...more] = rig.of('stream');
    assert.deepEqual(more, []);
    assert.deepEqual(
      [wish!.leg, wish!.url, wish!.track, wish!.waits],
      [leg, STREAM.url, 'inbound', undefined],
    );
    const { call_control_id, client_state, custom_parameters, tags, user_id } = JSON.parse(wish!.start);
    assert.deepEqual(
      [call_control_id, client_state, custom_parameters, tags, user_id],
      [control, 'aGk=', { a: 'b' }, [], 'default'],
    );
    assert.deepEqual(rig.told(leg), ['initiated', 'answered'], 'what is not open is not told');
    rig.streamed('open');
    rig.streamed('open');
    ok(rig.b, { type: 'stopStream', account: 'default', control, stream: wish!.id });
    assert.equal(rig.of('streamStop')[0]?.id, wish!.id);
    rig.streamed('closed');
    assert.deepEqual(rig.told(leg).slice(2), ['streamStarted', 'streamStopped']);
    ok(rig.b, { type: 'hangup', account: 'default', control });
    rig.clean();
  });

  it('ends before the leg does: stopped, then hangup', () => {
    const rig = new Rig();
    const { control, leg } = rig.parked({ stream: STREAM });
    rig.streamed('open');
    ok(rig.b, { type: 'hangup', account: 'default', control });
    rig.streamed('closed');
    assert.deepEqual(rig.told(leg), [
      'initiated',
      'answered inbound',
      'streamStarted',
      'streamStopped',
      'hangup',
    ]);
    assert.deepEqual(rig.of('streamStop'), [], 'it goes with its leg in media');
    rig.clean();
  });

  it('that is closed by its other end is stopped, one that is lost or refused failed: once', () => {
    for (const [state, begun, words] of [
      ['closed', true, ['streamStarted', 'streamStopped']],
      ['failed', true, ['streamStarted', 'streamFailed gone']],
      ['failed', false, ['streamFailed gone']],
    ] as const) {
      const rig = new Rig();
      const { control, leg } = rig.parked({ stream: STREAM });
      if (begun) rig.streamed('open');
      rig.streamed(state, 'gone');
      rig.streamed(state, 'gone');
      assert.deepEqual(rig.told(leg).slice(2), words);
      ok(rig.b, { type: 'startStream', account: 'default', control, stream: STREAM });
      assert.equal(rig.of('stream').length, 2);
      assert.notEqual(rig.of('stream')[0]!.id, rig.of('stream')[1]!.id);
      ok(rig.b, { type: 'hangup', account: 'default', control });
      rig.clean();
    }
  });

  it('that media refuses failed', () => {
    const rig = new Rig();
    rig.b.mediaReply = ({ op }) =>
      op === 'stream' ? { ok: false, error: 'engine', message: 'no' } : undefined;
    const { control, leg } = rig.parked({ stream: STREAM });
    assert.deepEqual(rig.told(leg).slice(2), ['streamFailed the stream could not be begun']);
    ok(rig.b, { type: 'hangup', account: 'default', control });
    rig.clean();
  });

  it('is one a leg, and there must be one to be stopped', () => {
    const rig = new Rig();
    const [control] = park(rig.b);
    const command = { account: 'default', control } as const;
    const why = (result: ReturnType<VoiceBench['command']>): string =>
      result.ok ? 'ok' : result.refusal.why;
    assert.equal(why(rig.b.command({ type: 'startStream', ...command, stream: STREAM })), 'unanswered');
    ok(rig.b, { type: 'answer', ...command });
    assert.equal(why(rig.b.command({ type: 'stopStream', ...command })), 'streamNotUsed');
    ok(rig.b, { type: 'startStream', ...command, stream: STREAM });
    assert.equal(why(rig.b.command({ type: 'startStream', ...command, stream: STREAM })), 'streamUsed');
    assert.equal(why(rig.b.command({ type: 'stopStream', ...command, stream: 'another' })), 'streamNotUsed');
    ok(rig.b, { type: 'stopStream', ...command });
    ok(rig.b, { type: 'hangup', ...command });
    rig.clean();
  });
});

describe('a media stream that is asked for with dial', () => {
  it('is connected while the far end rings, and begins with the answer', () => {
    const rig = new Rig();
    const { leg, control } = rig.dialled(STREAM);
    const [wish] = rig.of('stream');
    assert.deepEqual([wish?.leg, wish?.waits], [leg, true]);
    assert.deepEqual(rig.of('streamBegin'), []);
    carrierAnswers(rig.b);
    const [begin] = rig.of('streamBegin');
    assert.deepEqual([begin?.leg, begin?.id], [leg, wish?.id]);
    assert.equal(JSON.parse(begin!.start).call_control_id, control);
    rig.streamed('open');
    assert.deepEqual(rig.told(leg), ['initiated', 'answered inbound', 'streamStarted']);
    ok(rig.b, { type: 'hangup', account: 'default', control });
    rig.clean();
  });

  it('without an answer is gone without a word', () => {
    const rig = new Rig();
    const { leg } = rig.dialled(STREAM);
    const { leg: dialog } = rig.b.proxy.take('incoming');
    rig.b.proxy.act(rig.b.proxy.agent.respond(dialog, 486, {}, rig.b.now));
    rig.streamed('closed');
    assert.deepEqual(rig.told(leg), ['initiated', 'hangup']);
    assert.equal(rig.of('close').length, 1);
    rig.clean();
  });

  it('that could not be connected failed while it rings; the call goes on', () => {
    const rig = new Rig();
    const { leg, control } = rig.dialled(STREAM);
    rig.streamed('failed', 'the connection was refused');
    carrierAnswers(rig.b);
    assert.deepEqual(rig.told(leg), ['initiated', 'streamFailed the connection was refused', 'answered']);
    assert.deepEqual(rig.of('streamBegin'), []);
    ok(rig.b, { type: 'hangup', account: 'default', control });
    rig.clean();
  });

  it('to several goes to the one that answers', () => {
    const rig = new Rig();
    const command = dialIt('', { stream: STREAM, to: ['+15550100', '+15550101'] });
    const { link: _, ...alone } = command as Extract<typeof command, { type: 'dial' }>;
    const { leg, control } = ok(rig.b, alone)!;
    rig.b.proxy.take('incoming');
    const second = rig.b.proxy.take('incoming');
    rig.b.proxy.act(rig.b.proxy.agent.respond(second.leg, 200, { sdp: sdp() }, rig.b.now));
    const [early, answered, ...more] = rig.of('stream');
    assert.deepEqual(more, []);
    assert.deepEqual([early?.leg, early?.waits], [leg, true]);
    assert.deepEqual([answered?.waits, answered?.id], [true, early?.id]);
    assert.deepEqual(
      rig.of('streamBegin').map((begin) => [begin.leg, begin.id]),
      [[answered?.leg, early?.id]],
    );
    assert.notEqual(answered?.leg, leg);
    rig.streamed('open');
    assert.deepEqual(rig.told(leg), ['initiated', 'answered inbound', 'streamStarted']);
    ok(rig.b, { type: 'hangup', account: 'default', control });
    rig.clean();
  });
});

describe('a media stream when the process dies', () => {
  it('goes on: said again as it was, its end is told by the process that follows', () => {
    const rig = new Rig();
    const { control, leg } = rig.parked({ stream: STREAM });
    rig.streamed('open');
    const before = rig.of('stream').at(-1)!;
    rig.b.restart();
    const again = rig.of('stream').at(-1)!;
    assert.notEqual(again, before);
    assert.deepEqual(again, before);
    assert.deepEqual(rig.told(leg), ['initiated', 'answered inbound', 'streamStarted']);
    rig.streamed('closed');
    assert.deepEqual(rig.told(leg).slice(3), ['streamStopped']);
    ok(rig.b, { type: 'hangup', account: 'default', control });
    rig.clean();
  });

  it('before it was open is told as open by the next', () => {
    const rig = new Rig();
    const { control, leg } = rig.parked({ stream: STREAM });
    rig.b.restart();
    rig.streamed('open');
    assert.deepEqual(rig.told(leg).slice(2), ['streamStarted']);
    ok(rig.b, { type: 'hangup', account: 'default', control });
    rig.clean();
  });

  it('goes on over a bridge', () => {
    const rig = new Rig();
    const { control, leg } = rig.parked({ stream: STREAM });
    rig.streamed('open');
    const other = ok(rig.b, dialIt(control, { bridgeOnAnswer: true }))!;
    carrierAnswers(rig.b);
    rig.b.restart();
    ok(rig.b, { type: 'hangup', account: 'default', control: other.control });
    assert.deepEqual(rig.told(leg).slice(-3), ['bridged', 'streamStopped', 'hangup']);
    rig.clean();
  });
});

describe('a transcription of a leg', () => {
  const ENGINE = { url: 'ws://engine.example/', token: 'secret' };
  const rig = () => {
    const b = bench({ speechToText: ENGINE });
    const [control] = park(b);
    const { leg } = b.voice.legOf(control)!;
    const on = { account: 'default', control } as const;
    let n = 0;
    const says = (text: string, final = true, more: object = {}): void => {
      const id = b.media.findLast((c) => c.op === 'transcribe')?.id ?? '';
      const about = {
        id,
        track: 'inbound',
        text,
        final,
        confidence: null,
        ...(final ? { n: ++n } : {}),
      } as const;
      b.tell({ type: 'mediaEvent', event: { event: 'transcript', leg, ...about, ...more } });
    };
    const ends = (): void => {
      const id = b.media.findLast((c) => c.op === 'transcribe')?.id ?? '';
      b.tell({ type: 'mediaEvent', event: { event: 'transcribed', leg, id, n: ++n } });
    };
    const heard = (): string[] =>
      b.news.flatMap(({ what }) =>
        what.type === 'transcript' ? [`${what.track} ${what.text} ${what.final}`] : [],
      );
    const ops = (): string[] => b.media.map(({ op }) => op).filter((op) => op.startsWith('transcribe'));
    return { b, on, says, ends, heard, ops };
  };

  it('tells what media hears of the engine, until it is stopped and the engine has said the rest', () => {
    const { b, on, says, ends, heard, ops } = rig();
    ok(b, { type: 'answer', ...on });
    ok(b, { type: 'transcribe', ...on, ask: { tracks: 'both', interim: true } });
    const wish = b.media.findLast((c) => c.op === 'transcribe');
    assert.deepEqual([wish?.engine, wish?.tracks, wish?.interim], [ENGINE, 'both', true]);
    says('hel', false);
    says('hello');
    says('hello', true, { n: 1 });
    ok(b, { type: 'stopTranscribe', ...on });
    says('bye');
    ends();
    says('too late');
    assert.deepEqual(heard(), ['inbound hel false', 'inbound hello true', 'inbound bye true']);
    assert.deepEqual(ops(), ['transcribe', 'transcribeStop']);
    assert.equal(b.command({ type: 'stopTranscribe', ...on }).ok, false);
    ok(b, { type: 'transcribe', ...on, ask: { tracks: 'inbound' } });
    ok(b, { type: 'hangup', ...on });
    b.advance(700_000);
    assert.equal(b.voice.deadline(), null);
    assert.equal(b.journal.size, 0);
  });

  it('begins with the answer where that asks for it, and goes on in the process that follows', () => {
    const { b, on, says, heard, ops } = rig();
    ok(b, { type: 'answer', ...on, transcribe: { tracks: 'inbound' } });
    says('one');
    b.restart();
    says('two');
    assert.deepEqual(ops(), ['transcribe', 'transcribe']);
    assert.deepEqual(heard(), ['inbound one true', 'inbound two true']);
    const dialled = ok(b, dialIt(on.control, { transcribe: { tracks: 'inbound' } }))!;
    assert.equal(ops().length, 2);
    carrierAnswers(b);
    assert.equal(b.media.findLast((c) => c.op === 'transcribe')?.leg, dialled.leg);
    ok(b, { type: 'hangup', ...on });
    ok(b, { type: 'hangup', account: 'default', control: dialled.control });
  });

  it('is refused without an engine, in words that say how to add one, and twice', () => {
    const { b, on } = rig();
    const why = (result: ReturnType<VoiceBench['command']>): string =>
      result.ok ? 'ok' : `${result.refusal.why} ${result.refusal.field ?? ''}`;
    assert.equal(why(b.command({ type: 'transcribe', ...on, ask: { tracks: 'inbound' } })), 'unanswered ');
    ok(b, { type: 'answer', ...on });
    assert.equal(why(b.command({ type: 'stopTranscribe', ...on })), 'notTranscribed ');
    ok(b, { type: 'transcribe', ...on, ask: { tracks: 'inbound' } });
    assert.equal(why(b.command({ type: 'transcribe', ...on, ask: { tracks: 'inbound' } })), 'transcribed ');
    const without = bench();
    const [control] = park(without);
    const command = { account: 'default', control } as const;
    const refused = without.command({ type: 'transcribe', ...command, ask: { tracks: 'inbound' } });
    assert.ok(!refused.ok && /transcription\.url/.test(refused.refusal.detail));
    const answer = { type: 'answer', ...command, transcribe: { tracks: 'inbound' } } as const;
    assert.equal(why(without.command(answer)), 'notOffered transcription');
    assert.equal(
      why(without.command(dialIt(control, { transcribe: { tracks: 'inbound' } }))),
      'notOffered transcription',
    );
    assert.deepEqual(
      without.news.map(({ what }) => what.type),
      ['initiated'],
    );
  });
});

describe('a fork of a leg', () => {
  const ask = { rx: { address: '192.0.2.9', port: 5000 } };

  it('is told when it begins, and when it ends: by command, with the leg, over a restart', () => {
    for (const end of ['command', 'leg'] as const) {
      const rig = new Rig();
      const { control, leg } = rig.parked();
      const on = { account: 'default', control } as const;
      assert.equal(rig.b.command({ type: 'stopFork', ...on }).ok, false);
      ok(rig.b, { type: 'fork', ...on, ask });
      assert.deepEqual([rig.of('fork')[0]?.leg, rig.of('fork')[0]?.rx], [leg, ask.rx]);
      assert.equal(rig.b.command({ type: 'fork', ...on, ask }).ok, false);
      rig.b.restart();
      assert.deepEqual(rig.of('fork')[1], rig.of('fork')[0]);
      if (end === 'command') ok(rig.b, { type: 'stopFork', ...on });
      assert.equal(rig.of('forkStop').length, end === 'command' ? 1 : 0);
      ok(rig.b, { type: 'hangup', ...on });
      assert.deepEqual(rig.told(leg), ['initiated', 'answered', 'forkStarted', 'forkStopped', 'hangup']);
      rig.clean();
    }
  });

  it('that was stopped when the process died goes on nowhere: media keeps what is still there, and no more', () => {
    const rig = new Rig();
    const { control } = rig.parked();
    const on = { account: 'default', control } as const;
    ok(rig.b, { type: 'startStream', ...on, stream: STREAM });
    ok(rig.b, { type: 'fork', ...on, ask });
    const [{ id: stream }] = rig.of('stream') as [Op<'stream'>];
    rig.b.dying = true;
    rig.b.tell({ type: 'command', request: 'x', command: { type: 'stopFork', ...on } });
    assert.equal(rig.of('forkStop').length, 0);
    assert.deepEqual(
      rig.of('keep').map(({ ids }) => ids),
      [[stream]],
    );
  });

  it('takes no answer for its own that another was waiting for', () => {
    const rig = new Rig();
    rig.b.mediaReply = ({ op }) => (op === 'fork' || op === 'stream' || op === 'play' ? null : undefined);
    const { control, leg } = rig.parked();
    const on = { account: 'default', control } as const;
    const refuse = (n: number): void => {
      const id = rig.b.media.indexOf([...rig.of('fork'), ...rig.of('stream')][n]!) + 1;
      rig.b.tell({ type: 'media', id, reply: { ok: false, error: 'wrong-state', message: 'it is private' } });
    };
    ok(rig.b, { type: 'fork', ...on, ask });
    ok(rig.b, { type: 'stopFork', ...on });
    ok(rig.b, { type: 'fork', ...on, ask: { tx: ask.rx } });
    refuse(0);
    ok(rig.b, { type: 'stopFork', ...on });
    assert.deepEqual(
      rig.of('forkStop').map(({ id }) => id),
      rig.of('fork').map(({ id }) => id),
    );
    ok(rig.b, { type: 'startStream', ...on, stream: STREAM });
    ok(rig.b, { type: 'stopStream', ...on });
    ok(rig.b, { type: 'startStream', ...on, stream: STREAM });
    refuse(2);
    ok(rig.b, { type: 'stopStream', ...on });
    ok(rig.b, { type: 'hangup', ...on });
    assert.ok(!rig.told(leg).some((what) => what.includes('failed')), rig.told(leg).join());
    rig.clean();
  });

  it('to a place that must not be reached is stopped without a start', () => {
    const rig = new Rig();
    rig.b.mediaReply = ({ op }) =>
      op === 'fork' ? { ok: false, error: 'wrong-state', message: 'it is private' } : undefined;
    const { control, leg } = rig.parked();
    ok(rig.b, { type: 'fork', account: 'default', control, ask });
    ok(rig.b, { type: 'hangup', account: 'default', control });
    assert.deepEqual(rig.told(leg), ['initiated', 'answered', 'forkStopped', 'hangup']);
    rig.clean();
  });
});
