import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MediaCommand } from '@sidetone/wire';
import fc from 'fast-check';
import { BackEnd, type Party } from './back-end.ts';

const DETECT = {
  mode: 'premium',
  totalMs: 3500,
  initialSilenceMs: 3500,
  greetingMs: 3500,
  afterGreetingSilenceMs: 800,
  maxWords: 5,
  greetingTotalMs: 5000,
  greetingSilenceMs: 1500,
} as const;
const speech = (text: string) => ({ kind: 'speech', text, voice: 'female' }) as const;
const GATHER = {
  gatherId: 'g',
  minDigits: 1,
  maxDigits: 4,
  timeoutMs: 60_000,
  initialMs: 5000,
  interDigitMs: 5000,
  terminating: '#',
  valid: '0123456789',
  tries: 3,
  prompt: speech('which'),
  invalidPrompt: speech('no'),
} as const;
const HOOK = {
  url: 'https://a.example/',
  byEvent: { 'call.answered': 'https://b.example/' },
  retriesMs: { 'call.hangup': [1] },
} as const;

/** A journal with something of everything that back ends bring about. */
function full(): { readonly b: BackEnd; readonly controls: readonly string[] } {
  const b = new BackEnd({ speechToText: { url: 'ws://127.0.0.1:2700/', token: 'secret' } });
  const about = { clientState: 'QUFB', commandId: 'c1', hook: HOOK };
  const w = b.talking();
  b.do('play', w, { sound: { kind: 'url', url: 'https://a.example/a.wav' }, ...about });
  b.do('play', w, { sound: { kind: 'content', content: 'QUFB' }, loop: null, overlay: true });
  b.do('play', w, { sound: speech('hello') });
  const sound = b.sounds[0]!;
  b.tell({ type: 'sound', id: sound.id, result: { ok: true, file: 'a.wav', ms: 10 } });
  const g = b.talking();
  b.do('gather', g, { ...GATHER, ...about, commandId: 'c2' });
  const d = b.up({ detect: DETECT, commandId: 'd1', play: speech('x'), digits: '1w2' });
  const waits = b.dialled({ link: w.control, bridgeOnAnswer: true, commandId: 'd2', detect: DETECT });
  const t = b.talking();
  b.do('transfer', t, { to: '+15550144', targetClientState: 'QUFB', detect: DETECT });
  const over = b.up();
  b.do('hangup', over, { commandId: 'c3' });
  b.hangsUp(over);
  const parked = b.parked();
  const beside = [...leaving(b), ...meeting(b), ...queued(b)];
  return { b, controls: [w, g, d, waits, t, over, parked, ...beside].map(({ control }) => control) };
}

/** Sound that leaves legs: recorded, streamed, copied, written down; recordings that are closing, saved and late. */
function leaving(b: BackEnd): Party[] {
  const ask = { format: 'wav', channels: 2, track: 'both', fileName: 'x' } as const;
  const s = b.talking();
  b.do('record', s, { ...ask, commandId: 'r1' });
  b.do('startStream', s, {
    stream: { url: 'wss://a.example/', track: 'both', rate: 8000, token: 'secret', parameters: [['a', 'b']] },
  });
  b.do('fork', s, { ask: { rx: { address: '192.0.2.9', port: 5000 } } });
  b.do('transcribe', s, { ask: { tracks: 'both', language: 'en', interim: true } });
  const closing = b.talking();
  b.do('record', closing, ask);
  b.do('stopRecord', closing);
  const late = b.talking();
  b.do('record', late, ask);
  b.do('setClientState', late, { clientState: 'QUFB', hook: HOOK });
  b.hangsUp(late);
  const { leg, id } = b.media.findLast((command) => command.op === 'record') as Op<'record'> & {
    leg: string;
  };
  const end = { durationMs: 4000, wallMs: 5000, lostMs: 0 } as const;
  b.tell({ type: 'mediaEvent', event: { event: 'recorded', leg, n: 1, id, why: 'stopped', ...end } });
  return [s, closing, late];
}

/** Conferences with sounds and roles, one that is over, and a bridge that is supervised. */
function meeting(b: BackEnd): Party[] {
  const make = (party: Party, name: string): string => {
    const { control } = party;
    const result = b.command({
      type: 'createConference',
      account: 'default',
      control,
      name,
      startOnCreate: name !== 'waits',
      beep: 'always',
      maxMembers: 10,
      hold: { kind: 'url', url: 'https://a.example/hold.wav' },
      clientState: 'QUFB',
      commandId: name,
    });
    assert.ok(result.ok);
    return result.conference!;
  };
  const parties = [b.talking(), b.talking(), b.talking(), b.talking()];
  const [x, y, z, o] = parties as [Party, Party, Party, Party];
  const conference = make(x, 'room');
  const on = { account: 'default', conference } as const;
  b.ok({ type: 'joinConference', ...on, control: y.control, role: 'whisper', whisperTo: [x.control] });
  b.ok({ type: 'joinConference', ...on, control: z.control, held: true, hold: speech('wait') });
  b.ok({ type: 'playInto', ...on, controls: [], sound: speech('all') });
  b.ok({ type: 'playInto', ...on, controls: [y.control], sound: speech('one') });
  make(o, 'over');
  make(o, 'waits');
  const [l, r] = [b.talking(), b.talking()];
  b.do('bridge', l, { with: r.control });
  const supervisor = b.up({ supervise: { control: l.control, role: 'whisper' } });
  return [...parties, l, r, supervisor];
}

/** A queue with one who waits, and one who has hung up and stays. */
function queued(b: BackEnd): Party[] {
  const [q, gone] = [b.talking(), b.talking()];
  b.do('enqueue', gone, { queue: 'desk', keepAfterHangup: true });
  b.do('enqueue', q, { queue: 'desk', maxWaitMs: 60_000 });
  b.hangsUp(gone);
  b.ok({ type: 'queue', account: 'default', queue: 'empty', ask: { do: 'create', maxSize: 5 } });
  return [q, gone];
}

type Op<T extends MediaCommand['op']> = Extract<MediaCommand, { op: T }>;

type Path = readonly (string | number)[];

function pathsOf(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([name, inner]) => pathsOf(inner, [...at, name]))];
}

function spoilt(value: unknown, path: Path, by: unknown): unknown {
  if (path.length === 0) return by;
  const copy = structuredClone(value) as Record<string, unknown>;
  let into = copy;
  for (const part of path.slice(0, -1)) into = into[part] as Record<string, unknown>;
  const last = path.at(-1)!;
  if (by === undefined) delete into[last];
  else into[last] = by;
  return copy;
}

const value = fc.oneof(
  fc.constant(undefined),
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(-1, 0, 1e300, -1e300, '', '__proto__', [], {}, null, 'up', 'x'.repeat(5000)),
);

describe('a journal of anybody, with what back ends bring about', () => {
  it('has all kinds of entries', () => {
    const kinds = new Set([...full().b.journal.keys()].map((key) => key.split(' ')[0]));
    assert.deepEqual([...kinds].sort(), [
      'asked',
      'conference',
      'dialled',
      'leg',
      'over',
      'queue',
      'recording',
    ]);
  });

  it('of legs that are over and dials that makes no sense is told and gone, what is only old is gone', () => {
    const { b } = full();
    const own = (kind: string): string[] => [...b.journal.keys()].filter((key) => key.startsWith(kind));
    const [over, dialled] = [own('over ')[0]!, own('dialled ')[0]!];
    b.journal.set(over, JSON.stringify({ ...JSON.parse(b.journal.get(over)!), account: 7 }));
    b.journal.set(dialled, '[]');
    b.journal.set(
      'over old',
      JSON.stringify({ ...JSON.parse(b.journal.get(over)!), account: 'a', until: -1 }),
    );
    b.restart();
    const told = b.logs.filter(({ event }) => event === 'journal unreadable');
    assert.deepEqual(
      told.map(({ fields }) => fields),
      [{ what: 'queues, conferences, recordings and calls that are over', entries: 2 }],
    );
    for (const key of [over, dialled, 'over old']) assert.ok(!b.journal.has(key), key);
  });

  it('never stops the start, nor what comes behind it; what is not taken is told and gone', () => {
    let dropped = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(), fc.nat(), value), { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        (changes, late) => {
          const { b, controls } = full();
          const keys = [...b.journal.keys()];
          for (const [which, where, by] of changes) {
            const key = keys[which % keys.length]!;
            const good: unknown = JSON.parse(b.journal.get(key)!);
            const paths = pathsOf(good);
            const bad = JSON.stringify(spoilt(good, paths[where % paths.length]!, by));
            b.journal.set(key, bad ?? 'null');
          }
          const before = new Set(b.journal.keys());
          b.restart();
          const unread = b.logs.filter(
            ({ event, fields }) => event === 'journal unreadable' && fields['key'] !== undefined,
          );
          for (const { fields } of unread) {
            dropped += 1;
            assert.ok(before.has(String(fields['key'])));
            assert.ok(!b.journal.has(String(fields['key'])), 'it is gone');
          }
          if (late) b.advance(120_000);
          for (const control of controls)
            for (const command of [
              { type: 'play', sound: speech('again') },
              { type: 'stopPlay', stop: 'all' },
              { type: 'gather', ...GATHER },
              { type: 'sendDigits', digits: '12' },
              { type: 'bridge', with: controls[0]! },
              { type: 'bridge', with: { queue: 'desk' } },
              { type: 'pauseRecord' },
              { type: 'stopRecord' },
              { type: 'stopStream' },
              { type: 'stopFork' },
              { type: 'stopTranscribe' },
              { type: 'switchRole', role: 'barge' },
              { type: 'enqueue', queue: 'desk' },
              { type: 'hangup' },
            ] as const)
              b.command({ account: 'default', control, ...command });
          for (const name of ['desk', 'empty'])
            for (const ask of [{ do: 'resize', maxSize: 3 }, { do: 'delete' }] as const)
              b.command({ type: 'queue', account: 'default', queue: name, ask });
          for (const { id: conference } of b.voice.conferences.viewsOf('default')) {
            const on = { account: 'default', conference, controls: [] } as const;
            for (const command of [
              { type: 'muteMembers', muted: true },
              { type: 'holdMembers', held: true, hold: speech('again') },
              { type: 'playInto', sound: speech('again') },
              { type: 'stopInto' },
            ] as const)
              b.command({ ...on, ...command });
            for (const control of controls) b.command({ type: 'joinConference', ...on, control });
            b.voice.conferences.membersOf('default', conference);
            b.command({ type: 'endConference', account: 'default', conference });
          }
          for (const { id } of [...b.sounds])
            b.tell({ type: 'sound', id, result: { ok: false, why: 'failed', detail: 'x' } });
          b.advance(5 * 3_600_000);
          b.tell({ type: 'drain' });
          b.advance(700_000);
          const problem = 'Internal server error';
          for (const { id } of [...b.saves]) b.tell({ type: 'saved', id, result: { ok: false, problem } });
          assert.deepEqual(
            [...b.journal.keys()].filter((key) => /^(conference|recording) /.test(key)),
            [],
            'all of it is over',
          );
        },
      ),
      { numRuns: 120 },
    );
    assert.ok(dropped > 20, `${dropped} were dropped`);
  });
});
