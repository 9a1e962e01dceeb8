import assert from 'node:assert/strict';
import type { Source } from '@sidetone/wire';
import { endingOf, type Leg, mainOf } from '../src/leg/leg.ts';
import type { Conference } from '../src/place/conference-draft.ts';

/*
 * Who hears whom in conferences and in supervised bridges, said a second time: from what the journal says of legs and conferences, and
 * from what media was told.
 */

const branchOf = (leg: Leg | undefined): string | undefined => leg?.main ?? undefined;

/** What must be so of a leg in a conference. */
export function checkStay(
  leg: Leg,
  source: Source | undefined,
  conference: Conference | undefined,
  legs: readonly Leg[],
): void {
  const { place } = leg;
  if (place?.in !== 'conference') return;
  assert.ok(conference !== undefined, 'a leg is in a conference that is not there');
  assert.ok(conference.state !== 'over', 'a leg is in a conference that is over');
  if (leg.state.name === 'up') assert.ok(place.joined, 'nobody was told that it has joined');
  if (mainOf(leg)?.exchange.holding === true) return;
  if (conference.state === 'init' || place.held) {
    assert.ok(
      source !== undefined && source.kind !== 'room' && source.kind !== 'leg',
      `who waits hears ${source?.kind}`,
    );
    return;
  }
  if (conference.state === 'ending') return;
  const whispers = place.to.flatMap((id) => {
    const other = legs.find((one) => one.id === id);
    const isHere = other?.place?.in === 'conference' && other.place.id === place.id;
    return isHere && !endingOf(other) ? (branchOf(other) ?? []) : [];
  });
  const to =
    place.muted || place.role === 'monitor' || (place.role === 'whisper' && whispers.length === 0)
      ? 'none'
      : place.role === 'whisper'
        ? whispers
        : 'all';
  assert.deepEqual(source, { kind: 'room', room: place.id, to });
}

/** Of a bridge of two that are up and do not hold each other: a relay, or the room of who supervises it. */
export function checkSupervised(
  leg: Leg,
  other: Leg,
  source: Source | undefined,
  legs: readonly Leg[],
): boolean {
  const { place } = leg;
  if (place?.in !== 'bridge' || place.side === 'supervisor') return false;
  const isSupervised = legs.some(
    (one) =>
      one.place?.in === 'bridge' &&
      one.place.side === 'supervisor' &&
      one.place.id === place.id &&
      one.state.name === 'up',
  );
  if (isSupervised && other.state.name === 'up')
    assert.deepEqual(source, { kind: 'room', room: place.id, to: 'all' });
  return isSupervised;
}

export function checkSupervisor(leg: Leg, source: Source | undefined, legs: readonly Leg[]): void {
  const { place } = leg;
  if (place?.in !== 'bridge' || place.side !== 'supervisor') return;
  const two = legs.filter(
    (one) =>
      one.place?.in === 'bridge' &&
      (one.place.side === 'a' || one.place.side === 'b') &&
      one.place.id === place.id &&
      !endingOf(one),
  );
  const swaps = legs.some(
    (one) => one.place?.in === 'bridge' && one.place.id === place.id && one.place.side === 'next',
  );
  if (swaps) return;
  assert.equal(two.length, 2, `a supervisor of ${two.length}`);
  if (mainOf(leg)?.exchange.holding === true) return;
  const of = two.find(({ id }) => id === place.of);
  const branch = branchOf(of);
  const to =
    place.role === 'barge' ? 'all' : place.role === 'whisper' && branch !== undefined ? [branch] : 'none';
  assert.deepEqual(source, { kind: 'room', room: place.id, to });
}
