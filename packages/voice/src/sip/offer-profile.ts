import type { Family } from '@sidetone/core';
import { offerProblem, parseSdp, reachable } from '@sidetone/sdp';
import type { Branch } from '../leg/branch.ts';
import { CAUSE } from '../leg/ending.ts';
import { type Plan, refuse } from '../routing/plan.ts';

/**
 * Whether an offer is that of a WebRTC endpoint (RFC 8827 §6.5): audio by RTP/SAVP(F) with a DTLS fingerprint. It is told by what it
 * offers, not by who it is: a phone in a browser and a phone on a desk are the same kind of caller.
 */
export function isWebRtcOffer(sdp: string | undefined): boolean {
  const parsed = sdp === undefined ? null : parseSdp(sdp);
  const audio =
    parsed?.ok === true
      ? parsed.value.media.find(({ kind, port }) => kind === 'audio' && port !== 0)
      : undefined;
  return audio !== undefined && audio.fingerprints.length > 0 && /(^|\/)RTP\/SAVPF?$/.test(audio.protocol);
}

/** The plan for a call with this offer: nobody is rung for a caller that media cannot reach, or whose offer can only be refused. */
export function within(
  plan: Plan,
  offer: string | undefined,
  { codecs }: Pick<Branch, 'codecs'>,
  families: readonly Family[] = [4, 6],
): Plan {
  if (plan.to === 'refuse' || offer === undefined) return plan;
  const parsed = parseSdp(offer);
  if (!parsed.ok) return refuse(CAUSE.noCodec);
  const webrtc = isWebRtcOffer(offer);
  const reached = reachable(parsed.value, webrtc, families);
  if (reached === null) return refuse(CAUSE.noAddress);
  return offerProblem(reached, webrtc, codecs) === null ? plan : refuse(CAUSE.noCodec);
}
