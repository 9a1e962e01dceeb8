/** Why `verdict` says what it says about the way to the media. */
export const IceReasonCode = {
  NoCandidates: 'ice_no_candidates',
  OnlyHostCandidates: 'ice_only_host_candidates',
  GatheringTimeout: 'ice_gathering_timeout',
  NoSelectedPair: 'ice_no_selected_pair',
  TurnRequired: 'ice_turn_required',
  ServerNoCandidates: 'ice_server_no_candidates',
  StrictNetwork: 'ice_strict_network',
  MultipleInterfaces: 'ice_multiple_interfaces',
  VpnDetected: 'ice_vpn_detected',
} as const;

/** The same about the sound. */
export const NetworkReasonCode = {
  HighJitter: 'network_high_jitter',
  HighRtt: 'network_high_rtt',
  PacketLoss: 'network_packet_loss',
  LowBitrate: 'network_low_bitrate',
  PoorQuality: 'network_poor_quality',
  FairQuality: 'network_fair_quality',
  NoAudioFlow: 'network_no_audio_flow',
  OneWayAudio: 'network_one_way_audio',
} as const;

/** The same about the microphone. */
export const MicrophoneReasonCode = {
  PermissionDenied: 'microphone_permission_denied',
  NoDevice: 'microphone_no_device',
  CapturePermissionDenied: 'microphone_capture_permission_denied',
  CaptureNoDevice: 'microphone_capture_no_device',
  CaptureNotSupported: 'microphone_capture_not_supported',
  CaptureFailed: 'microphone_capture_failed',
  Silent: 'microphone_silent',
} as const;

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
  ice?: IceFindings;
  network?: NetworkFindings;
  microphone?: MicrophoneFindings;
  serverTests?: {
    server: RTCIceServer;
    established: boolean;
    callId?: string;
    ice?: IceFindings;
    network?: NetworkFindings;
    timings?: PreCallTimings;
  }[];
  callId?: string;
}
