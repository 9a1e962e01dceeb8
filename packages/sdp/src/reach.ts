import { type Family, familyOf, isLinkLocal, isUnspecified } from '@sidetone/core';
import type { MediaSection, SessionDescription } from './description.ts';

/** Address families at which somebody can be sent media; `null`: the description does not say (yet). */
export type Reach = readonly Family[] | null;

/** The audio section that a leg of this kind would use: the first whose profile suits, else the first that is not refused. */
export function audioOf(
  description: SessionDescription | undefined,
  webrtc: boolean,
): MediaSection | undefined {
  const audio = (description?.media ?? []).filter((m) => m.kind === 'audio' && m.port !== 0);
  return audio.find((m) => /(^|\/)RTP\/SAVPF?$/.test(m.protocol) === webrtc) ?? audio[0];
}

/**
 * Where the writer of a section can be reached. With ICE by its candidates: none yet, or names of mDNS, say nothing. Without by `c=`: an
 * unspecified address is a hold (RFC 3264 §8.4) and says nothing either. An address of one link is one at which nobody is reached.
 */
export function reachOf(section: MediaSection | undefined, webrtc: boolean): Reach {
  if (section === undefined) return null;
  const { address, candidates } = section;
  if (!webrtc) {
    const family = address === null || isUnspecified(address) ? null : familyOf(address);
    if (family === null) return null;
    return isLinkLocal(address!) ? [] : [family];
  }
  const found = candidates.map((c) => ({ ...c, family: familyOf(c.address) }));
  if (found.length === 0 || found.some(({ family }) => family === null)) return null;
  const reached = found.filter((c) => !isLinkLocal(c.address));
  return ([4, 6] as const).filter((family) => reached.some((c) => c.family === family));
}

/**
 * What is left of a description for media that speaks `ours`: audio sections that lead nowhere else count as refused (some peers offer
 * one section for each family). `null`: no audio is left.
 */
export function reachable(
  description: SessionDescription,
  webrtc: boolean,
  ours: readonly Family[],
): SessionDescription | null {
  const isAudio = (m: MediaSection): boolean => m.kind === 'audio' && m.port !== 0;
  const lost = description.media.filter((m) => isAudio(m) && !canReach(reachOf(m, webrtc), ours));
  if (lost.length === 0) return description;
  const media = description.media.map((m) => (lost.includes(m) ? { ...m, port: 0 } : m));
  return media.some(isAudio) ? { ...description, media } : null;
}

const canReach = (reach: Reach, ours: readonly Family[]): boolean =>
  reach === null || reach.some((family) => ours.includes(family));
