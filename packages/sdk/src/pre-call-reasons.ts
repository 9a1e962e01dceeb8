type Snake<S extends string> = S extends `${infer C}${infer Rest}`
  ? `${C extends Lowercase<C> ? C : `_${Lowercase<C>}`}${Snake<Rest>}`
  : '';

/** `NoDevice` of `microphone` is `microphone_no_device`. */
function codes<P extends string, N extends string>(
  prefix: P,
  ...names: N[]
): { readonly [K in N]: `${P}${Snake<K>}` } {
  return Object.fromEntries(
    names.map((name) => [name, prefix + name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)]),
  ) as never;
}

/** Why `verdict` says what it says about the way to the media. */
export const IceReasonCode = /* @__PURE__ */ codes(
  'ice',
  'NoCandidates',
  'OnlyHostCandidates',
  'OnlyRelayCandidates',
  'GatheringTimeout',
  'NoSelectedPair',
  'TurnRequired',
  'ServerNoCandidates',
  'StrictNetwork',
  'MultipleInterfaces',
  'VpnDetected',
);

/** The same about the sound. `HighPacketLoss` is a name of the published SDK that no check gives. */
export const NetworkReasonCode = /* @__PURE__ */ codes(
  'network',
  'HighJitter',
  'HighRtt',
  'PacketLoss',
  'HighPacketLoss',
  'LowBitrate',
  'PoorQuality',
  'FairQuality',
  'NoAudioFlow',
  'OneWayAudio',
);

/** The same about the microphone. `SilenceDetected` is a name of the published SDK that no check gives. */
export const MicrophoneReasonCode = /* @__PURE__ */ codes(
  'microphone',
  'PermissionDenied',
  'NoDevice',
  'CapturePermissionDenied',
  'CaptureNoDevice',
  'CaptureNotSupported',
  'CaptureFailed',
  'Silent',
  'SilenceDetected',
);

export type Verdict = 'ready' | 'degraded' | 'blocked' | 'permission_denied' | 'inconclusive';

export interface PreCallReason {
  code: string;
  /** For a person. */
  message: string;
  source: string;
}

/** @internal */
export interface Reason extends PreCallReason {
  /** Calls cannot work. */
  readonly grave: boolean;
}

export interface IceFindings {
  candidateCounts: { host: number; srflx: number; prflx: number; relay: number };
  /** The browser's statistics of its own addresses. */
  candidates: Readonly<Record<string, unknown>>[];
  hasRelayCandidate: boolean;
  onlyHostCandidates: boolean;
  hasSelectedPair: boolean;
  selectedPair?: Readonly<Record<string, unknown>>;
  isTurnRequired: boolean;
  hasMultipleNetworkInterfaces: boolean;
  vpnDetected: boolean;
  gatheringComplete: boolean;
  namedServers: boolean;
}

/** Seconds. */
export interface Spread {
  min: number;
  max: number;
  average: number;
}

export interface NetworkFindings {
  quality: 'good' | 'fair' | 'poor' | 'unknown';
  /** 1 to 5; 0 when unknown. */
  mos: number;
  rtt: Spread;
  jitter: Spread;
  packets: { packetsSent: number; packetsReceived: number; packetsLost: number; packetLossFraction: number };
  bytes: { bytesSent: number; bytesReceived: number };
  inbound: { flowing: boolean; packets: number };
  outbound: { flowing: boolean; packets: number };
}

export interface MicrophoneFindings {
  currentPermissionState: 'granted' | 'denied' | 'prompt' | 'unknown';
  isPermissionGrantedCurrently: boolean;
  isGetUserMediaFailed: boolean;
  deviceAvailable: boolean;
  deviceCount: number;
  devices: { label: string; deviceId: string; kind: 'audioinput' }[];
  activeCapturePerformed?: boolean;
  /** The loudest level, of 1. */
  audioLevel?: number;
  audioLevelStats?: { peak: number; average: number; samples: number };
  audioDetected?: boolean;
}

export interface PreCallTimings {
  /** Milliseconds. */
  totalMs: number;
  callEstablishment?: {
    mode: 'trickle' | 'non-trickle';
    direction: 'inbound' | 'outbound';
    steps: { label: string; fromStart: number; delta: number }[];
  };
}

/** What a check found. */
export interface PreCallReport {
  version: 1;
  verdict: Verdict;
  reasons: PreCallReason[];
  warnings: PreCallReason[];
  timings?: PreCallTimings;
  ice?: IceFindings | undefined;
  network?: NetworkFindings;
  microphone?: MicrophoneFindings;
  serverTests?: {
    server: RTCIceServer;
    established: boolean;
    callId?: string | undefined;
    ice?: IceFindings | undefined;
    network?: NetworkFindings | undefined;
    timings?: PreCallTimings | undefined;
  }[];
  callId?: string | undefined;
}
