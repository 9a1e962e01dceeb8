/** What one second of a call sounded like. Times in seconds, loss as a fraction of 1. */
export interface StatsFrame {
  jitter: number;
  rtt: number;
  /** 1 to 5; see {@link mosOf}. */
  mos: number;
  quality: Quality;
  packetLoss: number;
  inboundAudio: Readonly<Record<string, unknown>>;
  outboundAudio: Readonly<Record<string, unknown>>;
  remoteInboundAudio: Readonly<Record<string, unknown>>;
  remoteOutboundAudio: Readonly<Record<string, unknown>>;
}

export type Quality = 'excellent' | 'good' | 'fair' | 'poor' | 'bad';

/**
 * The mean opinion score by the E-model (ITU-T G.107, reduced to delay and loss), the same in the server and in all SDKs. Seconds,
 * and loss as a fraction.
 */
export function mosOf(jitter: number, rtt: number, loss: number): number {
  const latency = jitter * 1000 + rtt * 500;
  const delay = 0.024 * latency + (latency > 177.3 ? 0.11 * (latency - 177.3) : 0);
  const r = 93.2 - delay - 20 * Math.log(1 + loss * 100);
  const mos = 1 + 0.035 * r + 0.000007 * r * (r - 60) * (100 - r);
  return Math.min(5, Math.max(1, r <= 0 ? 1 : mos));
}

/** The word for a score. There are no gaps between the bands. */
export function qualityOf(mos: number): Quality {
  if (mos > 4.2) return 'excellent';
  if (mos > 4) return 'good';
  if (mos > 3.6) return 'fair';
  return mos >= 3.1 ? 'poor' : 'bad';
}

/** A statistics report in the terms of a call; `before` is the one a second ago. */
export function frameOf(
  report: Iterable<Readonly<Record<string, unknown>>>,
  before: StatsFrame | undefined,
): StatsFrame {
  const found: Record<string, Readonly<Record<string, unknown>>> = {};
  let pair: Readonly<Record<string, unknown>> = {};
  for (const stat of report) {
    const type = String(stat['type']);
    if (type === 'candidate-pair' && stat['nominated'] === true && stat['state'] === 'succeeded') pair = stat;
    else if (stat['kind'] === 'audio' || type === 'media-source') found[type] = stat;
  }
  const inbound = found['inbound-rtp'] ?? {};
  const remoteInbound = found['remote-inbound-rtp'] ?? {};
  const jitter = num(inbound['jitter']) || num(remoteInbound['jitter']);
  const rtt = num(pair['currentRoundTripTime']) || num(remoteInbound['roundTripTime']);
  const lost = num(inbound['packetsLost']) - num(before?.inboundAudio['packetsLost']);
  const received = num(inbound['packetsReceived']) - num(before?.inboundAudio['packetsReceived']);
  const packetLoss = lost > 0 && received >= 0 ? lost / (lost + received) : 0;
  const mos = mosOf(jitter, rtt, packetLoss);
  return {
    jitter,
    rtt,
    mos,
    quality: qualityOf(mos),
    packetLoss,
    inboundAudio: inbound,
    outboundAudio: {
      ...found['outbound-rtp'],
      audioLevel: found['media-source']?.['audioLevel'],
      pair: pair['id'],
    },
    remoteInboundAudio: remoteInbound,
    remoteOutboundAudio: found['remote-outbound-rtp'] ?? {},
  };
}

const num = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0);
