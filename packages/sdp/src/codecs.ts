import type { CodecName, MediaSection, Payload } from './description.ts';
import type { NegotiatedAudio, OpusParameters } from './negotiated.ts';

/** How a codec is spelled, and the payload type we give it when it is ours to choose (RFC 3551 table 4, RFC 7587). */
interface CodecSpelling {
  readonly name: string;
  readonly clockRate: number;
  readonly channels: number;
  readonly pt: number;
}

const SPELLING: Readonly<Record<CodecName, CodecSpelling>> = {
  OPUS: { name: 'opus', clockRate: 48_000, channels: 2, pt: 111 },
  PCMU: { name: 'PCMU', clockRate: 8000, channels: 1, pt: 0 },
  PCMA: { name: 'PCMA', clockRate: 8000, channels: 1, pt: 8 },
  G722: { name: 'G722', clockRate: 8000, channels: 1, pt: 9 },
};

const EVENT = 'telephone-event';
/** Our own payload types of RFC 4733 events, by clock rate. */
const EVENT_PT: Readonly<Record<number, number>> = { 8000: 101, 48000: 110 };

/** The first payload of the section that means `codec`. */
export function findCodec(section: MediaSection, codec: CodecName): Payload | undefined {
  const { name, clockRate, channels } = SPELLING[codec];
  return section.payloads.find(
    (p) =>
      p.name.toLowerCase() === name.toLowerCase() && p.clockRate === clockRate && p.channels === channels,
  );
}

export function codecOf(payload: Payload): CodecName | null {
  const name = payload.name.toUpperCase();
  if (name !== 'OPUS' && name !== 'PCMU' && name !== 'PCMA' && name !== 'G722') return null;
  const { clockRate, channels } = SPELLING[name];
  return payload.clockRate === clockRate && payload.channels === channels ? name : null;
}

export function findEvent(section: MediaSection, clockRate: number): Payload | undefined {
  return section.payloads.find((p) => p.name.toLowerCase() === EVENT && p.clockRate === clockRate);
}

/** What we want to receive in Opus. */
export interface OpusWishes {
  readonly stereo?: boolean;
  /** Bits per second. */
  readonly maxBitrate?: number;
}

export function opusFmtp(wishes: OpusWishes): Record<string, string> {
  return {
    minptime: '10',
    useinbandfec: '1',
    ...(wishes.stereo && { stereo: '1', 'sprop-stereo': '1' }),
    ...(wishes.maxBitrate !== undefined && { maxaveragebitrate: String(wishes.maxBitrate) }),
  };
}

/**
 * The payloads that answer an offer with `codec`: it, and events at its own clock. A WebRTC peer never gets 8000 beside
 * Opus: Chromium then counts durations in the wrong clock, so no events are better than broken ones.
 */
export function answerPayloads(
  offer: MediaSection,
  codec: CodecName,
  webrtc: boolean,
  wishes: OpusWishes,
): Payload[] {
  const payload = findCodec(offer, codec)!;
  const event =
    findEvent(offer, SPELLING[codec].clockRate) ??
    (codec === 'OPUS' && !webrtc ? findEvent(offer, 8000) : undefined);
  const out: Payload[] = [{ ...payload, fmtp: codec === 'OPUS' ? opusFmtp(wishes) : {} }];
  if (event !== undefined) out.push({ ...event, fmtp: { '0-15': '' } });
  return out;
}

/** The payloads of our own offer, with the numbers of `previous` where it has the codec. */
export function offerPayloads(
  codecs: readonly CodecName[],
  previous: MediaSection | undefined,
  wishes: OpusWishes,
): Payload[] {
  const taken = new Set(previous?.payloads.map((p) => p.pt));
  const choose = (kept: Payload | undefined, wanted: number): number => {
    if (kept !== undefined) return kept.pt;
    let pt = wanted;
    // A number that meant something else in this session must not change its meaning (RFC 3264 §8.3.2).
    while (taken.has(pt)) pt = pt < 96 || pt === 127 ? 96 : pt + 1;
    taken.add(pt);
    return pt;
  };
  const out: Payload[] = codecs.map((codec) => {
    const { pt, ...spelling } = SPELLING[codec];
    return {
      ...spelling,
      pt: choose(previous && findCodec(previous, codec), pt),
      fmtp: codec === 'OPUS' ? opusFmtp(wishes) : {},
    };
  });
  for (const clockRate of new Set(codecs.map((codec) => SPELLING[codec].clockRate))) {
    out.push({
      pt: choose(previous && findEvent(previous, clockRate), EVENT_PT[clockRate]!),
      name: EVENT,
      clockRate,
      channels: 1,
      fmtp: { '0-15': '' },
    });
  }
  return out;
}

/** How digits travel: sent at the codec's own clock if the peer takes that, received as either side announced. */
export function eventsOf(
  codec: CodecName,
  theirs: MediaSection,
  ours: MediaSection,
): NegotiatedAudio['dtmf'] {
  const events = (section: MediaSection): { payloadType: number; clockRate: number }[] =>
    section.payloads
      .filter((p) => p.name.toLowerCase() === EVENT)
      .map((p) => ({ payloadType: p.pt, clockRate: p.clockRate }));
  const ourClocks = new Set(events(ours).map((e) => e.clockRate));
  const usable = events(theirs).filter((e) => ourClocks.has(e.clockRate));
  const send = usable.find((e) => e.clockRate === SPELLING[codec].clockRate) ?? usable[0] ?? null;
  const receive = usable.length === 0 ? [] : events(ours);
  const known = new Set(receive.map((e) => e.payloadType));
  return { send, receive: [...receive, ...usable.filter((e) => !known.has(e.payloadType))] };
}

const MIN_BITRATE = 6000;
const MAX_BITRATE = 510_000;

/** What the peer asks of our Opus stream (RFC 7587 §6.1), limited by its bandwidth line as well. */
export function opusParameters(theirs: MediaSection): OpusParameters {
  const fmtp = findCodec(theirs, 'OPUS')?.fmtp ?? {};
  const limits: number[] = [];
  const average = Number(fmtp['maxaveragebitrate']);
  if (average >= 1) limits.push(average);
  const { as, tias } = theirs.bandwidth;
  if (tias !== undefined) limits.push(tias);
  // RFC 9429 §5.9: AS counts 40 bytes of headers at 50 packets a second, and 5 % for RTCP.
  else if (as !== undefined) limits.push(as * 950 - 16_000);
  return {
    stereo: fmtp['stereo'] === '1',
    fec: fmtp['useinbandfec'] === '1',
    dtx: fmtp['usedtx'] === '1',
    maxBitrate:
      limits.length === 0
        ? null
        : Math.min(MAX_BITRATE, Math.max(MIN_BITRATE, Math.floor(Math.min(...limits)))),
  };
}
