import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Crowd, type Move } from './crowd.ts';

const n = fc.nat(30);
const flags = fc.nat(31);
const id = fc.nat(12);

const weighted = (weight: number, arbitrary: fc.Arbitrary<Move>) => ({ weight, arbitrary });
const moves = (deaths: number) =>
  fc.oneof(
    weighted(
      5,
      fc.record({
        do: fc.constantFrom('park' as const, 'park' as const, 'arrive' as const, 'plain' as const),
        offerless: fc.nat(5).map((x) => x === 0),
      }),
    ),
    weighted(
      4,
      fc.record({
        do: fc.constant('dial' as const),
        link: fc.option(n, { nil: null }),
        flags,
        commandId: id,
      }),
    ),
    weighted(
      14,
      fc.record({
        do: fc.constant('command' as const),
        what: fc.constantFrom(
          'answer' as const,
          'answer' as const,
          'bridge' as const,
          'bridge' as const,
          'bridge' as const,
          'bridge' as const,
          'bridge' as const,
          'bridge' as const,
          'enqueue' as const,
          'enqueue' as const,
          'enqueue' as const,
          'take' as const,
          'leave' as const,
          'transfer' as const,
          'transfer' as const,
          'hangup' as const,
          'reject' as const,
          'state' as const,
          'digits' as const,
          'create' as const,
          'join' as const,
          'join' as const,
          'join' as const,
          'part' as const,
          'mute' as const,
          'hold' as const,
          'role' as const,
          'endAll' as const,
        ),
        leg: n,
        other: n,
        flags,
        commandId: id,
      }),
    ),
    weighted(2, fc.constant({ do: 'again' as const })),
    weighted(
      8,
      fc.record({
        do: fc.constant('respond' as const),
        which: n,
        status: fc.constantFrom(180, 183, 200, 200, 200, 200, 486, 603, 480),
      }),
    ),
    weighted(
      5,
      fc.record({
        do: fc.constantFrom(
          'bye' as const,
          'cancel' as const,
          'hold' as const,
          'resume' as const,
          'refer' as const,
          'refer' as const,
          'attended' as const,
        ),
        which: n,
      }),
    ),
    weighted(
      1,
      fc.record({
        do: fc.constant('media' as const),
        which: n,
        why: fc.constantFrom('ice' as const, 'rtp' as const),
      }),
    ),
    weighted(
      1,
      fc.record({
        do: fc.constant('fault' as const),
        op: fc.constantFrom('offer' as const, 'answer' as const, 'accept' as const),
        lost: fc.boolean(),
      }),
    ),
    weighted(
      2,
      fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(10, 700, 6_000, 31_000, 61_000) }),
    ),
    weighted(deaths, fc.record({ do: fc.constantFrom('restart' as const, 'dying' as const) })),
  );

/** Runs crowds; what they met. */
function run(deaths: number, numRuns: number, seed: number): Crowd['seen'] {
  const seen = {
    parked: 0,
    bridged: 0,
    queued: 0,
    transferred: 0,
    joined: 0,
    supervised: 0,
    refused: 0,
    taken: 0,
    deaths: 0,
    again: 0,
  };
  fc.assert(
    fc.property(fc.array(moves(deaths), { minLength: 10, maxLength: 60, size: 'max' }), (all) => {
      const crowd = new Crowd();
      for (const move of all) crowd.move(move);
      crowd.finish();
      for (const [name, count] of Object.entries(crowd.seen)) seen[name as keyof typeof seen] += count;
    }),
    { numRuns, seed },
  );
  return seen;
}

describe('back ends that command anything at any time', () => {
  it('places, who hears whom, answers, lanes and counts hold; nothing is left', () => {
    const seen = run(0, 400, 21);
    assert.ok(
      seen.parked > 400 && seen.bridged > 300 && seen.queued > 50 && seen.refused > 200 && seen.again > 20,
      JSON.stringify(seen),
    );
    assert.ok(seen.joined > 40 && seen.supervised > 8, JSON.stringify(seen));
  });

  it('and when the process dies in between, or behind its journal', () => {
    const seen = run(2, 300, 22);
    assert.ok(seen.deaths > 250 && seen.bridged > 150 && seen.again > 20, JSON.stringify(seen));
  });
});
