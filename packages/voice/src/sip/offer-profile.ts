import type { Family } from '@sidetone/core';
import { parseSdp, reachable } from '@sidetone/sdp';
import { CAUSE } from '../leg/ending.ts';
import { type Plan, refuse } from '../routing/plan.ts';

/**
 * Whether an offer is that of a WebRTC endpoint (RFC 8827 §6.5): audio by RTP/SAVP(F) with a DTLS fingerprint. It is told by what it
 * offers, not by who it is: a phone in a browser and a phone on a desk are the same kind of caller.
 */
export function isWebRtcOffer(sdp: string | undefined): boolean {
  const parsed = sdp === undefined ? null : parseSdp(sdp);
  const audio = parsed?.ok === true ? parsed.value.media.find(({ kind }) => kind === 'audio') : undefined;
  return audio !== undefined && audio.fingerprints.length > 0 && /(^|\/)RTP\/SAVPF?$/.test(audio.protocol);
}

/** The plan for a call with this offer: nobody is rung for a caller that media cannot reach. */
export function within(plan: Plan, offer: string | undefined, families: readonly Family[] = [4, 6]): Plan {
  const parsed = plan.to === 'refuse' || offer === undefined ? null : parseSdp(offer);
  if (parsed?.ok !== true) return plan;
  return reachable(parsed.value, isWebRtcOffer(offer), families) === null ? refuse(CAUSE.noAddress) : plan;
}
