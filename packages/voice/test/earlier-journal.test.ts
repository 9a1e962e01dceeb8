import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { LegSnapshot } from '@sidetone/sip';
import fc from 'fast-check';
import { callOfKey, readCall } from '../src/journal/earlier.ts';
import type { ReadEntry } from '../src/journal/read.ts';
import { sdp, VoiceBench } from './voice-bench.ts';

/** What the release before wrote of calls in several states: entries `call <id>`, as its own tests made them. */
const EARLIER = JSON.parse(
  readFileSync(new URL('./earlier-journal.json', import.meta.url), 'utf8'),
) as Record<string, { readonly key: string; readonly value: Record<string, unknown> }[]>;
type LegEntry = Extract<ReadEntry, { kind: 'leg' }>;

function legsOf(state: string): LegEntry[] {
  return EARLIER[state]!.flatMap(({ key, value }) => {
    const read = readCall(callOfKey(key) ?? '', value);
    assert.ok(read.ok, state);
    return read.value.filter((entry) => entry.kind === 'leg');
  });
}

/** The other end of a dialog. */
const mirrored = ({ dialog }: { readonly dialog: unknown }): LegSnapshot => {
  const ours = dialog as LegSnapshot;
  return {
    ...ours,
    role: ours.role === 'uac' ? 'uas' : 'uac',
    local: ours.remote,
    remote: ours.local,
    target: 'sip:v-x@127.0.0.1:5060',
    routes: [],
    localSeq: ours.remoteSeq ?? 0,
    remoteSeq: ours.localSeq,
    acked: null,
    open: null,
    unacked: null,
  };
};

/** A process of this release that takes over what the one before left; the peers and media are as they were. */
function takenOver(state: string): {
  bench: VoiceBench;
  peers: Map<string, { far: VoiceBench['vsp']; leg: string }>;
} {
  const bench = new VoiceBench();
  const peers = new Map<string, { far: VoiceBench['vsp']; leg: string }>();
  for (const { leg, dialogs } of legsOf(state)) {
    for (const branch of leg.branches)
      if (branch.media.phase === 'open' || branch.media.phase === 'closing') bench.engine.add(branch.id);
    for (const entry of dialogs) {
      const kind = leg.branches.find(({ id }) => id === entry.branch)?.kind;
      const far = kind === 'client' && leg.direction === 'theirs' ? bench.vsp : bench.proxy;
      const adopted = far.agent.adopt(mirrored(entry), bench.now);
      assert.ok(adopted.ok, JSON.stringify(adopted));
      peers.set(leg.direction, { far, leg: adopted.value.leg });
    }
  }
  for (const { key, value } of EARLIER[state]!) bench.journal.set(key, JSON.stringify(value));
  bench.restart();
  return { bench, peers };
}

function clean(bench: VoiceBench): void {
  bench.advance(120_000);
  assert.deepEqual(bench.voice.size, { calls: 0, media: 0, dialogs: 0 });
  assert.deepEqual([...bench.journal.keys()], []);
  assert.equal(bench.engine.size, 0);
}

describe('the journal of the release before', () => {
  it('says the same of each state: who is there, by which way, and where', () => {
    const seen = Object.keys(EARLIER).map((state) => [
      state,
      legsOf(state).map(({ leg }) => {
        const place = leg.place?.in === 'bridge' ? leg.place.side : leg.place?.in;
        return `${leg.direction} ${leg.state.name} ${leg.branches.length} ${place}`;
      }),
    ]);
    assert.deepEqual(seen, [
      ['ringing', ['theirs offered 1 a', 'ours dialling 1 b']],
      ['up', ['theirs up 1 a', 'ours up 1 b']],
      ['held, our offer on its way', ['theirs up 1 a', 'ours up 1 b']],
      ['echo', ['theirs up 1 built-in']],
      ['ending', ['theirs ending 1 a', 'ours ending 1 b']],
      ['up, a fork being cancelled', ['theirs up 1 a', 'ours up 1 b']],
      ['transfer under way', ['theirs up 1 a', 'ours up 1 b', 'ours dialling 1 b']],
      ['transferred', ['ours up 1 a', 'ours up 1 b']],
    ]);
  });

  for (const state of [
    'up',
    'held, our offer on its way',
    'up, a fork being cancelled',
    'transfer under way',
  ])
    it(`${state}: the call goes on, holds, and ends by either side`, () => {
      const { bench, peers } = takenOver(state);
      const [caller, callee] = [peers.get('theirs')!, peers.get('ours')!];
      assert.ok(!caller.far.has('bye') && !callee.far.has('bye'), 'the call was ended');
      assert.ok(![...bench.journal.keys()].some((key) => callOfKey(key) !== null), 'old lines are left');
      for (const one of [caller, callee])
        while (one.far.has('reinvite')) {
          const { leg, tx } = one.far.take('reinvite');
          one.far.act(one.far.agent.respondReinvite(leg, tx, 200, { sdp: sdp() }, bench.now));
        }
      caller.far.act(caller.far.agent.reinvite(caller.leg, sdp('sendonly'), 'h', bench.now));
      assert.equal(caller.far.take('reinviteResult').status, 200);
      callee.far.act(callee.far.agent.bye(callee.leg, [], bench.now));
      assert.ok(caller.far.has('bye'));
      clean(bench);
      const answered = bench.records.filter((record) => record.answered_at !== undefined);
      assert.deepEqual(
        answered.map(({ cause, ended_by }) => [cause, ended_by]),
        [
          ['NORMAL_CLEARING', 'callee'],
          ['NORMAL_CLEARING', 'callee'],
        ],
      );
    });

  it('echo: the built-in goes on, and is recorded as a leg of its own', () => {
    const { bench, peers } = takenOver('echo');
    const caller = peers.get('theirs')!;
    caller.far.act(caller.far.agent.bye(caller.leg, [], bench.now));
    clean(bench);
    assert.deepEqual(bench.records.map((r) => r.kind).sort(), ['client', 'service']);
  });

  it('ringing: ends as restarted, one record a leg', () => {
    const { bench } = takenOver('ringing');
    clean(bench);
    assert.deepEqual(
      bench.records.map((r) => [r.kind, r.cause]),
      [
        ['client', 'restarted'],
        ['trunk', 'restarted'],
      ],
    );
  });

  for (const state of ['ending', 'transferred'])
    it(`${state}: nothing is left, and nothing is recorded twice`, () => {
      const { bench } = takenOver(state);
      bench.tell({ type: 'drain' });
      clean(bench);
      assert.equal(new Set(bench.records.map((r) => r.leg_id)).size, bench.records.length);
    });

  it('damaged anywhere, is read or refused, and never throws', () => {
    const values = Object.values(EARLIER)
      .flat()
      .map(({ value }) => value);
    const junk = fc.constantFrom<unknown>(null, 7, -1, '', 'x', [], {}, true, undefined);
    fc.assert(
      fc.property(fc.constantFrom(...values), fc.nat(), junk, (value, at, other) => {
        const damaged = structuredClone(value);
        const places = placesIn(damaged);
        const [holder, key] = places[at % places.length]!;
        holder[key] = other;
        readCall('x', damaged);
        const bench = new VoiceBench();
        bench.journal.set('call x', JSON.stringify(damaged));
        bench.restart();
        bench.tell({ type: 'drain' });
        bench.advance(120_000);
        assert.equal(bench.voice.size.calls, 0);
      }),
      { numRuns: 600 },
    );
  });
});

/** Every value inside of a value, as where it stands. */
function placesIn(value: unknown): [Record<string, unknown>, string][] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((key) => [
    [holder, key] as [Record<string, unknown>, string],
    ...placesIn(holder[key]),
  ]);
}
