export { authorize, realmsAnswered, realmsAsked } from './authorize.ts';
export { ACCEPTED, type BodyPart, type BodyRead, partText, readBody } from './body.ts';
export {
  createErrorResponse,
  createRequest,
  createResponse,
  type RequestParts,
  type ResponseParts,
} from './build.ts';
export { areVias, isFlow, isNameAddr, isOutsideFlow, isUri } from './checks.ts';
export {
  checkOrder,
  type Dialog,
  dialogAsUac,
  dialogAsUas,
  nextHop,
  refreshTarget,
  remoteTag,
  requestIn,
  routed,
} from './dialog.ts';
export {
  answerChallenge,
  type ChallengeOptions,
  type Credentials,
  chooseChallenge,
  createChallenge,
  type DigestAlgorithm,
  type DigestParams,
  type DigestProblem,
  type DigestUse,
  digestUserName,
  ha1,
  parseDigest,
  type VerifyOptions,
  verifyDigest,
} from './digest.ts';
export { type Flow, isReliable, type LocalNode } from './flow.ts';
export { createFramer, type Framer, type FramerEvent } from './framer.ts';
export {
  bodyText,
  header,
  headerProblem,
  headersNamed,
  listHeader,
  withHeader,
  withoutHeader,
} from './header-access.ts';
export { formatNameAddr, formatVia, parseNameAddr, splitList } from './header-grammar.ts';
export { canonicalName } from './header-names.ts';
export { isIpv4, isIpv6 } from './ipv6.ts';
export type { AdoptProblem, LegId, LegSnapshot } from './leg-snapshot.ts';
export { keyedMac, keyedTag } from './mac.ts';
export { MergedRequests } from './merged-requests.ts';
export {
  type Headers,
  type NameAddr,
  NO_BODY,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  type Uri,
  type Via,
} from './message.ts';
export { ownText } from './own-text.ts';
export { LIMITS, parseMessage, type Salvage, type SipParseError } from './parse.ts';
export { reasonPhrase } from './reason-phrase.ts';
export { createTransactionLayer, type TransactionLayerOptions } from './transaction/layer.ts';
export { hostOf, sameFlow } from './transaction/matching.ts';
export type { SipReceived, SipSend, TransactionLayer, TransactionOut } from './transport-events.ts';
export { escapeUser, formatUri, parseUri, sameUri, unescapeUser, userOf } from './uri.ts';
export { createUserAgent } from './user-agent.ts';
export type {
  AgentCredentials,
  DialogName,
  DialogNews,
  ExtraHeaders,
  InviteOptions,
  ResponseOptions,
  UserAgent,
  UserAgentOptions,
  UserAgentOut,
} from './user-agent-events.ts';
export { type Refusal, type RequestRules, validateRequest } from './validate.ts';
export { messageSize, SipWriteError, writeMessage } from './write.ts';
