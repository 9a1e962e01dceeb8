import type { Reach, Source } from '@sidetone/wire';
import type { Branch } from '../leg/branch.ts';
import { ALONE, type Audio, heardOf, type Leg } from '../leg/leg.ts';
import { isHeld } from '../leg/negotiation.ts';
import type { Bridge, Members } from './bridge-draft.ts';
import { type Conference, type ConferencePlace, stayOf } from './conference-draft.ts';
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
 *   bridge with a supervisor                   → the room of both; who whispers or listens is heard by one, or by nobody
 *   conference: not started, or held           → what is played to who waits, music or silence; its voice reaches nobody
 *   conference                                 → the room; its voice reaches all, or whom its role names
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

/** `heldHears`: where no sound is named, or it is not there. */
export function conferenceAudio(
  conference: Conference,
  leg: Leg,
  legOf: (id: string) => Leg | undefined,
  heldHears: 'music' | 'silence',
): Audio {
  const stay = stayOf(leg);
  const isHere = leg.state.name === 'up' || heardOf(leg)?.media.phase === 'open';
  if (stay === null || !isHere) return ALONE;
  const about = { states: 'sendrecv', maySilent: true, alone: leg.state.name !== 'up' } as const;
  const waits = conference.state === 'init';
  if (waits || stay.held) {
    const wanted = stay.held && stay.hold !== null ? stay.hold : waits ? conference.waitHears : null;
    const sound = conference.sounds.find(({ id }) => id === wanted);
    const isSilent = sound?.state === 'asked';
    const hears: Source =
      sound?.file != null ? { kind: 'file', file: sound.file } : { kind: isSilent ? 'silence' : heldHears };
    return { ...about, hears };
  }
  return { ...about, hears: { kind: 'room', room: conference.id, to: reachOf(stay, legOf) } };
}

function reachOf({ muted, role, to, id }: ConferencePlace, legOf: (id: string) => Leg | undefined): Reach {
  if (muted || role === 'monitor') return 'none';
  if (role !== 'whisper') return 'all';
  const heard = to.flatMap((leg) => {
    const other = legOf(leg);
    const branch = other === undefined || stayOf(other)?.id !== id ? undefined : heardOf(other);
    return branch === undefined ? [] : [branch.id];
  });
  return heard.length === 0 ? 'none' : heard;
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
    hears: sourceOf(bridge, own, theirs, mutesDigits(other)),
    // While the other side holds, this peer need not send (RFC 3264 §8.4).
    states: isHeld(theirs) ? 'sendonly' : 'sendrecv',
    maySilent,
    alone: bridge.state !== 'up',
  };
}

const mutesDigits = (leg: Leg | undefined): boolean =>
  leg?.place?.in === 'bridge' && leg.place.side !== 'supervisor' && leg.place.mutes === true;

/** While somebody supervises it a bridge is a room; `null`: nobody does. */
export function supervisedAudio(
  bridge: Bridge,
  leg: Leg,
  other: Leg | undefined,
  { a, b, supervisors = [] }: Members,
): Audio | null {
  const { place } = leg;
  const isSupervised = supervisors.some(({ state }) => state.name === 'up');
  if (!isSupervised || bridge.state !== 'up' || bridge.swap !== null || place?.in !== 'bridge') return null;
  const room = (to: Reach): Source => ({ kind: 'room', room: bridge.id, to });
  if (place.side === 'supervisor') {
    const of = [a, b].find((one) => one?.id === place.of);
    const branch = of === undefined ? undefined : heardOf(of)?.id;
    const whispers = place.role === 'whisper' && branch !== undefined;
    const to: Reach = place.role === 'barge' ? 'all' : whispers ? [branch] : 'none';
    const isUp = leg.state.name === 'up';
    return isUp ? { hears: room(to), states: 'sendrecv', maySilent: true, alone: false } : ALONE;
  }
  const alone = bridgeAudio(bridge, leg, other);
  // Whoever is held by the other side hears what it would without supervision.
  const isHeld = other === undefined || heardOf(other)?.exchange.holding === true;
  return isHeld ? alone : { ...alone, hears: room('all'), maySilent: true };
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
