export type { OpusWishes } from './codecs.ts';
export type {
  Bandwidth,
  Candidate,
  CodecName,
  Direction,
  Fingerprint,
  IceParameters,
  MediaSection,
  Origin,
  Payload,
  SessionDescription,
  SetupRole,
} from './description.ts';
export { formatSdp } from './format.ts';
export {
  type AnswerOptions,
  applyAnswer,
  createOffer,
  negotiateAnswer,
  type OfferOptions,
  offerProblem,
} from './negotiate.ts';
export type { LocalMedia, NegotiatedAudio, NegotiationError, OpusParameters } from './negotiated.ts';
export { opusWishes } from './opus-wishes.ts';
export { parseSdp, SDP_LIMITS, type SdpError } from './parse.ts';
export { audioOf, type Reach, reachable, reachOf } from './reach.ts';
export { sameTransport, withDirection } from './revise.ts';
