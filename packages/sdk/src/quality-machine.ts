import type { WarningName } from './errors.ts';
import type { StatsFrame } from './quality.ts';

/**
 * Which warnings the statistics of a call give rise to: a record, and a total step per frame (one a second).
 *
 * A limit passed in three frames in a row is a warning, and the same warning is not repeated for 15 s. Silence of the microphone
 * or of the far side counts after 30 s, and only once it was heard.
 */
export interface QualityState {
  /** Frames in a row beyond each limit. */
  readonly bad: Readonly<Partial<Record<WarningName, number>>>;
  /** When each warning was given. */
  readonly told: Readonly<Partial<Record<WarningName, number>>>;
  readonly before: StatsFrame | undefined;
  readonly heardLocal: boolean;
  readonly heardRemote: boolean;
}

export const NO_QUALITY: QualityState = {
  bad: {},
  told: {},
  before: undefined,
  heardLocal: false,
  heardRemote: false,
};

/** What the call is doing, as far as silence is concerned. */
export interface Listening {
  readonly muted: boolean;
  readonly held: boolean;
}

const IN_A_ROW = 3;
const SILENT_FRAMES = 30;
const REPEAT_MS = 15_000;
const SILENCE = 0.001;

export function stepQuality(
  state: QualityState,
  frame: StatsFrame,
  now: number,
  { muted, held }: Listening,
): { readonly state: QualityState; readonly warnings: readonly WarningName[] } {
  const { before } = state;
  const bytes = (
    one: StatsFrame | undefined,
    side: 'inboundAudio' | 'outboundAudio',
    name: string,
  ): unknown => one?.[side][name];
  const stands = (side: 'inboundAudio' | 'outboundAudio', name: string): boolean =>
    before !== undefined &&
    typeof bytes(frame, side, name) === 'number' &&
    bytes(frame, side, name) === bytes(before, side, name);
  const local = frame.outboundAudio['audioLevel'];
  const remote = frame.inboundAudio['audioLevel'];
  const silent = (level: unknown): boolean => typeof level === 'number' && level < SILENCE;
  const loud = (level: unknown): boolean => typeof level === 'number' && level >= SILENCE;
  const heardLocal = state.heardLocal || loud(local);
  const heardRemote = state.heardRemote || loud(remote);
  const beyond: readonly (readonly [name: WarningName, is: boolean, frames: number])[] = [
    ['HIGH_RTT', frame.rtt > 0.4, IN_A_ROW],
    ['HIGH_JITTER', frame.jitter > 0.03, IN_A_ROW],
    ['HIGH_PACKET_LOSS', frame.packetLoss > 0.01, IN_A_ROW],
    ['LOW_MOS', frame.mos < 3.5, IN_A_ROW],
    ['LOW_LOCAL_AUDIO', heardLocal && !muted && !held && silent(local), SILENT_FRAMES],
    ['LOW_INBOUND_AUDIO', heardRemote && !held && silent(remote), SILENT_FRAMES],
    ['LOW_BYTES_RECEIVED', !held && stands('inboundAudio', 'bytesReceived'), IN_A_ROW],
    ['LOW_BYTES_SENT', !held && stands('outboundAudio', 'bytesSent'), IN_A_ROW],
  ];
  const bad: Partial<Record<WarningName, number>> = {};
  const told: Partial<Record<WarningName, number>> = { ...state.told };
  const warnings: WarningName[] = [];
  for (const [name, is, frames] of beyond) {
    if (!is) continue;
    bad[name] = (state.bad[name] ?? 0) + 1;
    const last = told[name];
    if (bad[name] < frames || (last !== undefined && now - last < REPEAT_MS)) continue;
    told[name] = now;
    warnings.push(name);
  }
  const [was, is] = [before?.outboundAudio['pair'], frame.outboundAudio['pair']];
  if (was !== undefined && is !== undefined && was !== is) warnings.push('ICE_CANDIDATE_PAIR_CHANGED');
  return { state: { bad, told, before: frame, heardLocal, heardRemote }, warnings };
}
