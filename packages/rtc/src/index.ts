export { classify, type PacketKind } from './classify.ts';
export type {
  DtlsConnected,
  DtlsEndpoint,
  DtlsFactory,
  DtlsFailure,
  DtlsOptions,
  DtlsRole,
} from './dtls-port.ts';
export {
  createDtmfDetector,
  DTMF_DIGITS,
  type DtmfDetected,
  type DtmfDetector,
  writeTelephoneEvent,
} from './dtmf.ts';
export { decodePcma, decodePcmu, encodePcma, encodePcmu } from './g711.ts';
export {
  createIce,
  type IceCredentials,
  type IceInput,
  type IceOptions,
  type IceOutput,
  type IcePath,
  type IceState,
  iceLite,
  isApproved,
} from './ice-lite.ts';
export { createReception, type Reception } from './reception.ts';
export {
  ntpFrom,
  ntpMiddle,
  parseRtcp,
  type ReportBlock,
  type ReportDraft,
  type RtcpError,
  type RtcpPacket,
  roundTrip,
  type SenderInfo,
  writeReport,
} from './rtcp.ts';
export { newRtpHeader, RTP_HEADER_LENGTH, type RtpHeader, readRtp, writeRtp } from './rtp.ts';
export {
  createSrtpSession,
  SRTP_EXHAUSTED,
  SRTP_MALFORMED,
  SRTP_NO_ROOM,
  SRTP_REPLAYED,
  SRTP_TOO_MANY_STREAMS,
  SRTP_UNAUTHENTICATED,
  type SrtpOptions,
  type SrtpSession,
  type SrtpState,
} from './srtp.ts';
export type { SrtpMasterKey, SrtpProfile, SrtpStreamState } from './srtp-types.ts';
export {
  checkedUfrag,
  createStreamFramer,
  MAX_STREAM_PACKET,
  type StreamFramer,
  writeStreamLength,
} from './stream-framing.ts';
export {
  answerBinding,
  parseStun,
  readXorAddress,
  type StunClass,
  type StunDraft,
  type StunError,
  type StunMessage,
  type TransportAddress,
  verifyIntegrity,
  writeStun,
  xorAddress,
} from './stun.ts';
