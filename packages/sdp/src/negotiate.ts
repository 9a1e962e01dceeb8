import type { Result } from '@sidetone/core';
import type { CodecName, Direction, SessionDescription } from './description.ts';
import type { LocalMedia, NegotiatedAudio, NegotiationError } from './negotiated.ts';

export interface AnswerOptions {
  readonly offer: SessionDescription;
  readonly local: LocalMedia;
  /** What may be used, most wanted first. */
  readonly codecs: readonly CodecName[];
  /** What we are willing to do; the answer is that within what the offer allows (RFC 3264 §6.1). Default `sendrecv`. */
  readonly direction?: Direction;
}

/** Answers an offer (RFC 3264 §6): as many media sections in the same order, one audio accepted, the rest refused. */
export function negotiateAnswer(
  options: AnswerOptions,
): Result<{ readonly answer: SessionDescription; readonly audio: NegotiatedAudio }, NegotiationError> {
  throw new Error(String(options));
}

export interface OfferOptions {
  readonly local: LocalMedia;
  /** What may be used, most wanted first. */
  readonly codecs: readonly CodecName[];
  /** Default `sendrecv`. */
  readonly direction?: Direction;
}

/**
 * Makes an offer: DTLS-SRTP with ICE when `local.ice` and `local.fingerprint` are set, clean RTP/AVP otherwise. With
 * `local.previous` the payload types and media order of the session are kept (RFC 3264 §8.3.2).
 */
export function createOffer(options: OfferOptions): SessionDescription {
  throw new Error(String(options));
}

/** Reads the peer's answer to our offer. */
export function applyAnswer(options: {
  readonly offer: SessionDescription;
  readonly answer: SessionDescription;
}): Result<NegotiatedAudio, NegotiationError> {
  throw new Error(String(options));
}
