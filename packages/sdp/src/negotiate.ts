import { err, familyOf, isUnspecified, ok, type Result } from '@sidetone/core';
import { answerPayloads, codecOf, eventsOf, findCodec, offerPayloads, opusParameters } from './codecs.ts';
import {
  type CodecName,
  type Direction,
  emptySection,
  type MediaSection,
  type SessionDescription,
  type SetupRole,
} from './description.ts';
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
  const { offer, local, codecs } = options;
  const chosen = chooseSection(offer, isWebrtc(local), codecs);
  if (!chosen.ok) return chosen;
  const { section, codec } = chosen.value;
  const ours = answerSection(section, codec, options);
  const answer = describe(
    local,
    offer.media.map((m) => (m === section ? ours : refused(m, local))),
    section.mid !== null && offer.bundle.includes(section.mid) ? [section.mid] : [],
  );
  return ok({
    answer,
    audio: settle(offer, section, ours, codec, [{ payloadType: ours.payloads[0]!.pt, codec }]),
  });
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
  const { local, codecs, direction = 'sendrecv' } = options;
  const webrtc = isWebrtc(local);
  const before = local.previous?.media ?? [];
  const audio = before.find((m) => m.kind === 'audio' && m.port !== 0);
  const payloads = offerPayloads(codecs, audio, local);
  const mid = webrtc ? (audio?.mid ?? '0') : (audio?.mid ?? null);
  const ours: MediaSection = {
    ...blank(local),
    protocol: audio?.protocol ?? (webrtc ? 'UDP/TLS/RTP/SAVPF' : 'RTP/AVP'),
    formats: payloads.map((p) => String(p.pt)),
    direction,
    payloads,
    ptime: webrtc ? null : 20,
    mid,
    rtcpMux: webrtc || (audio?.rtcpMux ?? false),
    ...transportLines(local, 'actpass'),
  };
  const media = audio === undefined ? [ours] : before.map((m) => (m === audio ? ours : refused(m, local)));
  return describe(local, media, webrtc && mid !== null ? [mid] : []);
}

/** Reads the peer's answer to our offer. */
export function applyAnswer(options: {
  readonly offer: SessionDescription;
  readonly answer: SessionDescription;
}): Result<NegotiatedAudio, NegotiationError> {
  const { offer, answer } = options;
  const index = offer.media.findIndex((m) => m.kind === 'audio' && m.port !== 0);
  const ours = offer.media[index];
  const theirs = answer.media[index];
  if (ours === undefined) return fail('no-audio', 'our offer has no audio');
  if (theirs === undefined || theirs.kind !== 'audio')
    return fail('mismatch', 'the audio section is missing');
  if (theirs.port === 0) return fail('no-audio', 'the peer refused the audio');
  const problem = transportProblem(theirs, ours.ice !== null);
  if (problem !== null) return fail('no-transport', problem);

  // RFC 3264 §6.1: the first format that both know is the preferred one. The answer's numbers are what the peer wants
  // to receive; ours are what it should send, though some send their own.
  const accepted = theirs.payloads.flatMap((p) => {
    const codec = codecOf(p);
    const mine = codec === null ? undefined : findCodec(ours, codec);
    return codec === null || mine === undefined ? [] : [{ codec, theirPt: p.pt, ourPt: mine.pt }];
  });
  const first = accepted[0];
  if (first === undefined) return fail('no-codec', 'the answer has no codec of our offer');
  const receive = new Map(accepted.map((a) => [a.ourPt, a.codec]));
  for (const a of accepted) if (!receive.has(a.theirPt)) receive.set(a.theirPt, a.codec);
  const audio = settle(
    answer,
    theirs,
    ours,
    first.codec,
    [...receive].map(([payloadType, codec]) => ({ payloadType, codec })),
  );
  return ok({ ...audio, payloadType: first.theirPt });
}

/** Why an offer can only be refused, whatever anybody answers; `null`: it can be answered. */
export function offerProblem(
  offer: SessionDescription,
  webrtc: boolean,
  codecs: readonly CodecName[],
): NegotiationError | null {
  const chosen = chooseSection(offer, webrtc, codecs);
  return chosen.ok ? null : chosen.error;
}

type Chosen = { readonly section: MediaSection; readonly codec: CodecName };

function chooseSection(
  offer: SessionDescription,
  webrtc: boolean,
  codecs: readonly CodecName[],
): Result<Chosen, NegotiationError> {
  const audio = offer.media.filter((m) => m.kind === 'audio' && m.port !== 0);
  if (audio.length === 0) return fail('no-audio', 'the offer has no audio');
  let problem: string | null = null;
  for (const section of audio) {
    problem = transportProblem(section, webrtc);
    const codec = codecs.find((c) => findCodec(section, c) !== undefined);
    if (problem === null && codec !== undefined) return ok({ section, codec });
  }
  return problem === null ? fail('no-codec', 'no codec in common') : fail('no-transport', problem);
}

/** Why a section of the peer cannot be used, or `null`. */
function transportProblem(m: MediaSection, webrtc: boolean): string | null {
  if (!webrtc) {
    if (m.protocol !== 'RTP/AVP' && m.protocol !== 'RTP/AVPF') return `${m.protocol} where RTP/AVP is due`;
    if (m.address === null || familyOf(m.address) === null) return 'no IP address';
    return null;
  }
  if (!/(^|\/)RTP\/SAVPF?$/.test(m.protocol)) return `${m.protocol} where DTLS-SRTP is due`;
  if (m.ice === null) return 'no ICE credentials';
  if (!m.fingerprints.some((f) => f.hash === 'sha-256')) return 'no SHA-256 fingerprint';
  if (!m.rtcpMux) return 'no rtcp-mux';
  return null;
}

function answerSection(section: MediaSection, codec: CodecName, options: AnswerOptions): MediaSection {
  const { local, direction = 'sendrecv' } = options;
  const webrtc = isWebrtc(local);
  const payloads = answerPayloads(section, codec, webrtc, local);
  return {
    ...blank(local),
    protocol: section.protocol,
    formats: payloads.map((p) => String(p.pt)),
    direction: within(mirror(stated(section)), direction),
    payloads,
    ptime: webrtc ? null : 20,
    // For peers that read the bandwidth line and not the parameters of Opus.
    bandwidth: codec === 'OPUS' && local.maxBitrate !== undefined ? { tias: local.maxBitrate } : {},
    mid: section.mid,
    rtcpMux: section.rtcpMux,
    ...transportLines(local, answerSetup(section.setup, local.dtlsRole)),
  };
}

/**
 * RFC 8842 §5.3: `passive` whenever the offer leaves the choice, since the browser then starts the handshake as soon as it
 * has a path; but a session that lives keeps its roles (§5.5).
 */
function answerSetup(offered: SetupRole | null, role: LocalMedia['dtlsRole']): SetupRole {
  if (offered === 'passive') return 'active';
  return offered === 'actpass' && role === 'client' ? 'active' : 'passive';
}

function transportLines(local: LocalMedia, setup: SetupRole): Partial<MediaSection> {
  const { ice, fingerprint, cname } = local;
  if (ice === undefined || fingerprint === undefined) return {};
  return {
    ice: { ufrag: ice.ufrag, pwd: ice.pwd, options: [] },
    candidates: ice.candidates,
    endOfCandidates: true,
    fingerprints: [{ hash: 'sha-256', value: fingerprint }],
    setup,
    // Without a stream id browsers hand an empty list of streams to the page.
    msid: `${cname ?? 'sidetone'} audio`,
    ssrcs: local.ssrc === undefined ? [] : [{ ssrc: local.ssrc, cname: cname ?? 'sidetone' }],
  };
}

function blank(local: LocalMedia): MediaSection {
  return {
    ...emptySection('audio', local.port, 'RTP/AVP'),
    address: local.address,
    direction: 'sendrecv',
  };
}

/** RFC 3264 §6: port zero, and at least one format, which then means nothing. */
function refused(m: MediaSection, local: LocalMedia): MediaSection {
  return {
    ...blank(local),
    kind: m.kind,
    port: 0,
    protocol: m.protocol,
    formats: m.formats.length === 0 ? ['0'] : m.formats.slice(0, 1),
    direction: 'inactive',
    mid: m.mid,
  };
}

function describe(
  local: LocalMedia,
  media: readonly MediaSection[],
  bundle: readonly string[],
): SessionDescription {
  const before = local.previous?.origin;
  return {
    origin: {
      username: '-',
      sessionId: before?.sessionId ?? local.sessionId,
      version: before === undefined ? '1' : String(BigInt(before.version) + 1n),
      address: local.address,
    },
    name: '-',
    iceLite: isWebrtc(local),
    bundle,
    media,
  };
}

/** What both descriptions together mean to us. */
function settle(
  session: SessionDescription,
  theirs: MediaSection,
  ours: MediaSection,
  codec: CodecName,
  receive: NegotiatedAudio['receive'],
): NegotiatedAudio {
  const direction = stated(theirs);
  const address = theirs.address ?? '0.0.0.0';
  return {
    codec,
    payloadType: findCodec(theirs, codec)!.pt,
    receive,
    dtmf: eventsOf(codec, theirs, ours),
    direction: within(mirror(direction), ours.direction),
    held: direction === 'sendonly' || direction === 'inactive',
    ptime: Math.min(60, Math.max(10, theirs.ptime ?? 20)),
    opus: opusParameters(theirs),
    remote: {
      address,
      port: theirs.port,
      rtcpAddress: theirs.rtcpMux && ours.rtcpMux ? address : (theirs.rtcp?.address ?? address),
      rtcpPort: theirs.rtcpMux && ours.rtcpMux ? theirs.port : (theirs.rtcp?.port ?? theirs.port + 1),
    },
    rtcpMux: theirs.rtcpMux && ours.rtcpMux,
    ice:
      theirs.ice === null
        ? null
        : {
            ufrag: theirs.ice.ufrag,
            pwd: theirs.ice.pwd,
            lite: session.iceLite,
            candidates: theirs.candidates,
          },
    dtls:
      ours.setup === null
        ? null
        : { role: roleOf(ours.setup, theirs.setup), fingerprints: theirs.fingerprints },
  };
}

/** After our answer our own word decides; after our `actpass` the peer's does, and without one it is the client. */
function roleOf(ours: SetupRole, theirs: SetupRole | null): 'client' | 'server' {
  if (ours !== 'actpass') return ours === 'active' ? 'client' : 'server';
  return theirs === 'passive' ? 'client' : 'server';
}

/** The section's direction, with RFC 2543's way to hold (RFC 3264 §8.4): an unspecified address receives nothing. */
function stated(m: MediaSection): Direction {
  const unspecified = m.ice === null && m.address !== null && isUnspecified(m.address);
  return unspecified ? within(m.direction, 'sendonly') : m.direction;
}

const sends = (d: Direction): boolean => d === 'sendrecv' || d === 'sendonly';
const receives = (d: Direction): boolean => d === 'sendrecv' || d === 'recvonly';

function directionOf(send: boolean, receive: boolean): Direction {
  if (send) return receive ? 'sendrecv' : 'sendonly';
  return receive ? 'recvonly' : 'inactive';
}

const mirror = (d: Direction): Direction => directionOf(receives(d), sends(d));

const within = (a: Direction, b: Direction): Direction =>
  directionOf(sends(a) && sends(b), receives(a) && receives(b));

const isWebrtc = (local: LocalMedia): boolean => local.ice !== undefined && local.fingerprint !== undefined;

function fail(
  code: NegotiationError['code'],
  message: string,
): { readonly ok: false; readonly error: NegotiationError } {
  return err({ code, message });
}
