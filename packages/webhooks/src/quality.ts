import type { LegStats } from '@sidetone/wire';

/** `call_quality_stats`: all of it text. What we heard of the peer, and what we sent it. */
export const qualityOf = (stats: LegStats): object => ({
  inbound: {
    mos: mosOf(stats).toFixed(2),
    jitter_max_variance: stats.jitterMs.toFixed(2),
    jitter_packet_count: String(stats.packetsReceived),
    packet_count: String(stats.packetsReceived),
    skip_packet_count: String(stats.packetsLost),
  },
  outbound: { packet_count: String(stats.packetsSent), skip_packet_count: '0' },
});

/**
 * The mean opinion score of what was heard, 1 to 4.5: the E-model (ITU-T G.107) with its defaults, the delay from half the round trip,
 * a jitter buffer of twice the jitter, and losses as G.113 has them for a codec with concealment (Bpl 25).
 */
function mosOf({ packetsReceived, packetsLost, jitterMs, rttMs }: LegStats): number {
  if (packetsReceived === 0) return 1;
  const delay = (rttMs ?? 0) / 2 + 2 * jitterMs + 20;
  const late = 0.024 * delay + (delay > 177.3 ? 0.11 * (delay - 177.3) : 0);
  const loss = (100 * Math.max(0, packetsLost)) / (packetsReceived + Math.max(0, packetsLost));
  const r = Math.min(100, Math.max(0, 93.2 - late - (95 * loss) / (loss + 25)));
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}
