import type { Direction, Source } from '@sidetone/wire';
import { otherSide } from './call.ts';
import type { Draft } from './draft.ts';
import type { Leg } from './leg.ts';

/*
 * Who hears what, as a function of the state:
 *
 *   this leg's peer holds us        → silence (it does not want to hear, and what it sends goes nowhere)
 *   the other side holds            → music (or silence, by setting)
 *   other side a built-in service   → its echo, tone or music
 *   its early media is gone         → ringback, while other forks ring
 *   a transfer is under way         → ringback on both sides
 *   otherwise                       → the other side
 */
function sourceOf(draft: Draft, leg: Leg): Source | null {
  const other = otherSide(draft.call, leg);
  if (leg.holding) return { kind: 'silence' };
  if (other === undefined) return leg.source === null ? null : { kind: 'ringback' };
  if (other.kind === 'service') {
    if (other.service === null) return { kind: 'silence' };
    return other.service === 'tone' ? { kind: 'tone', hz: 1000 } : { kind: other.service };
  }
  if (other.holding) return { kind: draft.call.settings.heldHears };
  if (other.media !== 'open') return { kind: 'silence' };
  return { kind: 'leg', leg: other.id, ...(leg.dtmf === 'info' ? { digits: false as const } : {}) };
}

const same = (a: Source | null, b: Source): boolean =>
  a !== null &&
  a.kind === b.kind &&
  (a.kind !== 'leg' || b.kind !== 'leg' || (a.leg === b.leg && a.digits === b.digits)) &&
  (a.kind !== 'tone' || b.kind !== 'tone' || a.hz === b.hz);

/** Tells media what each leg hears, where that changed. */
export function connect(draft: Draft): void {
  for (const leg of draft.call.legs) {
    if (leg.media !== 'open') continue;
    const source = sourceOf(draft, leg);
    if (source === null || same(leg.source, source)) continue;
    draft.set(leg.id, { source });
    draft.media('aside', { op: 'source', leg: leg.id, source });
  }
}

/** What we state towards `leg`'s peer: while the other side holds, this peer need not send (RFC 3264 §8.4). */
export function wanted(draft: Draft, leg: Leg): Direction {
  return otherSide(draft.call, leg)?.holding === true ? 'sendonly' : 'sendrecv';
}

/** Our answer to an offer of direction `offered` (RFC 3264 §6.1), wanting `want`. */
export function answerDirection(offered: Direction, want: Direction): Direction {
  const send =
    (offered === 'sendrecv' || offered === 'recvonly') && (want === 'sendrecv' || want === 'sendonly');
  const receive =
    (offered === 'sendrecv' || offered === 'sendonly') && (want === 'sendrecv' || want === 'recvonly');
  if (send) return receive ? 'sendrecv' : 'sendonly';
  return receive ? 'recvonly' : 'inactive';
}
