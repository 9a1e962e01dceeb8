import { parseSdp } from '@sidetone/sdp';

/**
 * Whether an offer is that of a WebRTC endpoint (RFC 8827 §6.5): audio by RTP/SAVP(F) with a DTLS fingerprint. It is told by what it
 * offers, not by who it is: a phone in a browser and a phone on a desk are the same kind of caller.
 */
export function isWebRtcOffer(sdp: string | undefined): boolean {
  const parsed = sdp === undefined ? null : parseSdp(sdp);
  const audio = parsed?.ok === true ? parsed.value.media.find(({ kind }) => kind === 'audio') : undefined;
  return audio !== undefined && audio.fingerprints.length > 0 && /(^|\/)RTP\/SAVPF?$/.test(audio.protocol);
}
