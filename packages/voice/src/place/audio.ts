import type { Source } from '@sidetone/wire';
import type { Branch } from '../leg/branch.ts';
import { ALONE, type Audio, heardOf, type Leg } from '../leg/leg.ts';
import { isHeld } from '../leg/negotiation.ts';
import type { Bridge } from './bridge-draft.ts';
import type { Place } from './place.ts';

/*
 * Who hears what, as a function of a leg, its place and the leg on the other side. The first line that holds:
 *
 *   its peer holds us                          → silence, and nobody hears it           (`negotiation.ts`, whatever the place says)
 *   parked                                     → a ring tone before its answer, where its media is open; silence behind it
 *   nowhere else                               → nothing
 *   a built-in service                         → its echo, tone or music
 *   bridge, a transfer is under way            → ringback on both sides
 *   bridge, nobody to be heard (yet, any more) → what the bridge says for a side that is up; ringback once it has heard somebody
 *   bridge, the other side holds               → music (or silence, by setting)
 *   bridge                                     → the other leg
 */

/** Parked: nobody is on the other side. */
export function parkedAudio(leg: Leg): Audio {
  const isUp = leg.state.name === 'up';
  const hears: Source | null = isUp ? { kind: 'silence' } : { kind: 'ringback' };
  return { hears, states: 'sendrecv', maySilent: true, alone: !isUp };
}

export function builtInAudio(leg: Leg, place: Extract<Place, { in: 'built-in' }>): Audio {
  const hears: Source = place.service === 'tone' ? { kind: 'tone', hz: 1000 } : { kind: place.service };
  return {
    hears,
    states: 'sendrecv',
    maySilent: leg.state.name !== 'up' || heardOf(leg)?.exchange.holding === true,
    alone: false,
  };
}

export function bridgeAudio(bridge: Bridge, leg: Leg, other: Leg | undefined): Audio {
  const own = heardOf(leg);
  const mayHear = other !== undefined && bridge.swap === null && (bridge.early || other.state.name === 'up');
  const theirs = mayHear ? heardOf(other) : undefined;
  const holding = own?.exchange.holding === true || theirs?.exchange.holding === true;
  const maySilent = bridge.state !== 'up' || bridge.swap !== null || holding;
  if (theirs === undefined) {
    const had = own !== undefined && own.media.source !== null;
    const waits = bridge.swap === null && leg.program !== null && leg.state.name === 'up';
    const hears: Source | null = waits ? { kind: bridge.ring } : had ? { kind: 'ringback' } : null;
    return { ...ALONE, hears, maySilent };
  }
  return {
    hears: sourceOf(bridge, own, theirs, other?.place?.in === 'bridge' && other.place.mutes === true),
    // While the other side holds, this peer need not send (RFC 3264 §8.4).
    states: isHeld(theirs) ? 'sendonly' : 'sendrecv',
    maySilent,
    alone: bridge.state !== 'up',
  };
}

function sourceOf(bridge: Bridge, own: Branch | undefined, theirs: Branch, mutes: boolean): Source | null {
  if (theirs.exchange.holding) return { kind: bridge.heldHears };
  if (theirs.media.phase === 'open')
    return {
      kind: 'leg',
      leg: theirs.id,
      ...(mutes || own?.dtmf === 'info' ? { digits: false as const } : {}),
    };
  return own?.media.source == null ? null : { kind: 'silence' };
}
