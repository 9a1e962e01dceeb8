import { type Abortable, abortable, onAbort } from './abort.ts';
import type { Call } from './call.ts';
import type { Client } from './client.ts';
import type { Environment } from './environment.ts';
import type { TelnyxError } from './errors.ts';
import { openMicrophone } from './media.ts';
import type {
  IceFindings,
  MicrophoneFindings,
  NetworkFindings,
  PreCallReport,
  Reason,
  Verdict,
} from './pre-call-reasons.ts';
import { IceReasonCode, MicrophoneReasonCode, NetworkReasonCode } from './pre-call-reasons.ts';
import type { StatsFrame } from './quality.ts';

/** `runPreCall`. `signal` ends the check early; what is known until then is reported. */
export interface PreCallOptions extends Abortable {
  /** What is called: an echo or a tone. Default `9196`, the echo of a Sidetone server. */
  destinationNumber?: string;
  /** Milliseconds of talk. Default 5 000. */
  durationMs?: number;
  iceServers?: RTCIceServer[];
}

/** `runMicrophoneCheck`. `signal` ends it early. */
export interface MicrophoneCheckOptions extends Abortable {
  /** Milliseconds. Default 2 000. */
  durationMs?: number;
  /** The level, of 1, below which a microphone is silent. Default 0.01. */
  silenceThreshold?: number;
}

const ECHO = '9196';
const SETUP_MS = 15_000;
const LEVELS_MS = 100;

/** A call to an echo: does it come up, how does it sound. */
export async function runCall(
  client: Client,
  env: Environment,
  options: PreCallOptions,
): Promise<PreCallReport> {
  const { destinationNumber = ECHO, durationMs = 5_000, iceServers, signal } = options;
  const began = env.now();
  const frames: StatsFrame[] = [];
  let failed: TelnyxError | undefined;
  const watch = ({ error, callId }: { error: TelnyxError; callId?: string }): void => {
    if (callId === call?.id) failed = error;
  };
  let call: Call | undefined;
  let ice: IceFindings | undefined;
  let answered = false;
  client.on('telnyx.error', watch);
  try {
    call = client.newCall({
      destinationNumber,
      ...(iceServers === undefined ? {} : { iceServers }),
      onNotification: () => undefined,
    });
    await abortable(reaches(call, env), signal);
    answered = true;
    const talked = new AbortController();
    const cancel = env.after(durationMs, () => talked.abort());
    const deaf = onAbort(signal, () => talked.abort());
    for await (const frame of call.statistics(talked)) frames.push(frame);
    deaf();
    cancel();
    ice = await iceOf(call);
  } catch {
    ice = call?.peer === undefined ? undefined : await iceOf(call).catch(() => undefined);
  } finally {
    client.off('telnyx.error', watch);
    void call?.hangup();
  }
  const network = networkOf(frames);
  const reasons = [...iceReasons(ice, answered), ...networkReasons(network)];
  return {
    version: 1,
    verdict: verdictOf(reasons, failed, frames.length > 0),
    reasons: reasons.filter(({ grave }) => grave).map(plain),
    warnings: reasons.filter(({ grave }) => !grave).map(plain),
    timings: {
      totalMs: env.now() - began,
      ...(call && { callEstablishment: call.getEstablishmentTimings() }),
    },
    ice,
    network,
    callId: call?.id,
  };
}

/** One short call for each STUN or TURN server on its own. */
export async function runServers(
  client: Client,
  env: Environment,
  servers: readonly RTCIceServer[],
  options: PreCallOptions,
): Promise<PreCallReport> {
  const urls = servers.flatMap((server) => [server.urls].flat().map((url) => ({ ...server, urls: url })));
  if (urls.length === 0) return runCall(client, env, { durationMs: 3_000, ...options });
  const serverTests: NonNullable<PreCallReport['serverTests']>[number][] = [];
  const reports: PreCallReport[] = [];
  for (const server of urls) {
    const report = await runCall(client, env, { durationMs: 3_000, ...options, iceServers: [server] });
    reports.push(report);
    const { ice, network, callId, timings } = report;
    const established = report.verdict === 'ready' || report.verdict === 'degraded';
    serverTests.push({ server, established, callId, ice, network, timings });
    if (options.signal?.aborted === true) break;
  }
  const order: readonly Verdict[] = ['ready', 'degraded', 'inconclusive', 'permission_denied', 'blocked'];
  const best = reports.sort(
    (a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict),
  )[0] as PreCallReport;
  const empty = serverTests.filter(
    ({ ice }) => ice !== undefined && ice.candidateCounts.srflx + ice.candidateCounts.relay === 0,
  );
  const warnings = empty.map(({ server }) => ({
    code: IceReasonCode.ServerNoCandidates,
    message: `${String(server.urls)} gave no address`,
    source: 'ice',
  }));
  return { ...best, warnings: [...best.warnings, ...warnings], serverTests };
}

/** Opens the microphone and listens for a while. */
export async function runMicrophone(
  client: Client,
  env: Environment,
  { durationMs = 2_000, silenceThreshold = 0.01, signal }: MicrophoneCheckOptions,
): Promise<PreCallReport> {
  const began = env.now();
  const findings: MicrophoneFindings = {
    currentPermissionState: await env.permission(),
    isPermissionGrantedCurrently: false,
    isGetUserMediaFailed: false,
    deviceAvailable: false,
    deviceCount: 0,
    devices: [],
  };
  const reasons: Reason[] = [];
  const grave = (code: string, message: string): void => {
    reasons.push({ code, message, source: 'microphone', grave: true });
  };
  try {
    const { audio } = client.mediaConstraints;
    const stream = await openMicrophone(env, audio === false ? true : audio);
    const meter = env.meter(stream);
    const levels: number[] = [];
    for (let ms = 0; ms < durationMs && signal?.aborted !== true; ms += LEVELS_MS) {
      await new Promise<void>((resume) => void env.after(LEVELS_MS, resume));
      levels.push(meter.level());
    }
    meter.close();
    for (const track of stream.getTracks()) track.stop();
    const peak = Math.max(0, ...levels);
    const average = levels.reduce((sum, level) => sum + level, 0) / Math.max(1, levels.length);
    findings.currentPermissionState = 'granted';
    findings.audioLevel = peak;
    findings.audioLevelStats = { peak, average, samples: levels.length };
    findings.audioDetected = peak >= silenceThreshold;
    findings.activeCapturePerformed = true;
    if (!findings.audioDetected) grave(MicrophoneReasonCode.Silent, 'The microphone gives silence');
  } catch (error) {
    findings.isGetUserMediaFailed = true;
    const { code, description } = error as TelnyxError;
    if (code === 42001) {
      findings.currentPermissionState = 'denied';
      grave(MicrophoneReasonCode.PermissionDenied, description);
    } else
      grave(code === 42002 ? MicrophoneReasonCode.NoDevice : MicrophoneReasonCode.CaptureFailed, description);
  }
  const devices = await client.getAudioInDevices();
  findings.isPermissionGrantedCurrently = findings.currentPermissionState === 'granted';
  findings.deviceCount = devices.length;
  findings.deviceAvailable = devices.length > 0;
  findings.devices = devices.map(({ label, deviceId }) => ({ label, deviceId, kind: 'audioinput' }));
  const denied = reasons.some(({ code }) => code === MicrophoneReasonCode.PermissionDenied);
  const silent = reasons.some(({ code }) => code === MicrophoneReasonCode.Silent);
  return {
    version: 1,
    verdict: denied ? 'permission_denied' : silent ? 'degraded' : reasons.length > 0 ? 'blocked' : 'ready',
    reasons: reasons.map(plain),
    warnings: [],
    timings: { totalMs: env.now() - began },
    microphone: findings,
  };
}

const plain = ({ code, message, source }: Reason): { code: string; message: string; source: string } => ({
  code,
  message,
  source,
});

/** Resolves when the call is active; rejects when it ends or takes too long. */
function reaches(call: Call, env: Environment): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const over = /^(hangup|destroy|purge)$/.test(call.state);
      if (call.state !== 'active' && !over) return;
      cancel();
      call.off('state', look);
      over ? reject() : resolve();
    };
    const cancel = env.after(SETUP_MS, reject);
    call.on('state', look);
  });
}

async function iceOf(call: Call): Promise<IceFindings> {
  const stats = [...((await call.getStats())?.values() ?? [])];
  const candidates = stats.filter(({ type }) => type === 'local-candidate');
  const count = (type: string): number =>
    candidates.filter(({ candidateType }) => candidateType === type).length;
  const candidateCounts = {
    host: count('host'),
    srflx: count('srflx'),
    prflx: count('prflx'),
    relay: count('relay'),
  };
  const selectedPair = stats.find(
    ({ type, nominated, state }) => type === 'candidate-pair' && nominated && state === 'succeeded',
  );
  const own = candidates.find(({ id }) => id === selectedPair?.localCandidateId);
  const networks = new Set(candidates.map(({ networkType }) => networkType).filter(Boolean));
  return {
    candidateCounts,
    candidates,
    hasRelayCandidate: candidateCounts.relay > 0,
    onlyHostCandidates: candidates.length > 0 && candidates.length === candidateCounts.host,
    hasSelectedPair: selectedPair !== undefined,
    ...(selectedPair && { selectedPair }),
    isTurnRequired: own?.candidateType === 'relay',
    hasMultipleNetworkInterfaces: networks.size > 1,
    vpnDetected: networks.has('vpn'),
    gatheringComplete: call.peer?.instance.iceGatheringState === 'complete',
    namedServers: (call.options.iceServers ?? []).length > 0,
  };
}

function networkOf(frames: readonly StatsFrame[]): NetworkFindings {
  const last = frames.at(-1);
  const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
  const spread = (name: 'rtt' | 'jitter') => {
    const values = frames.map((frame) => frame[name]);
    const average = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
    return { min: Math.min(...values, average), max: Math.max(...values, average), average };
  };
  const received = number(last?.inboundAudio['packetsReceived']);
  const lost = number(last?.inboundAudio['packetsLost']);
  const sent = number(last?.outboundAudio['packetsSent']);
  const mos = frames.reduce((sum, frame) => sum + frame.mos, 0) / Math.max(1, frames.length);
  return {
    quality: last === undefined ? 'unknown' : mos > 4 ? 'good' : mos > 3.6 ? 'fair' : 'poor',
    mos,
    rtt: spread('rtt'),
    jitter: spread('jitter'),
    packets: {
      packetsSent: sent,
      packetsReceived: received,
      packetsLost: lost,
      packetLossFraction: lost / Math.max(1, lost + received),
    },
    bytes: {
      bytesSent: number(last?.outboundAudio['bytesSent']),
      bytesReceived: number(last?.inboundAudio['bytesReceived']),
    },
    inbound: { flowing: received > 0, packets: received },
    outbound: { flowing: sent > 0, packets: sent },
  };
}

type Finding = readonly [is: boolean, code: string, message: string, grave?: boolean];

const reasonsOf = (source: string, findings: readonly Finding[]): Reason[] =>
  findings.flatMap(([is, code, message, grave = false]) => (is ? [{ code, message, source, grave }] : []));

function iceReasons(ice: IceFindings | undefined, answered: boolean): Reason[] {
  if (ice === undefined) return [];
  const { candidateCounts, namedServers, onlyHostCandidates, isTurnRequired, hasMultipleNetworkInterfaces } =
    ice;
  const names = IceReasonCode;
  return reasonsOf('ice', [
    [answered && ice.candidates.length === 0, names.NoCandidates, 'The browser has no network address', true],
    [answered && !ice.hasSelectedPair, names.NoSelectedPair, 'No path to the media gateway', true],
    [
      namedServers && onlyHostCandidates,
      names.OnlyHostCandidates,
      'The STUN and TURN servers gave no address',
    ],
    [
      candidateCounts.relay > 0 && candidateCounts.host + candidateCounts.srflx === 0,
      names.OnlyRelayCandidates,
      'There is no address but the relay',
    ],
    [isTurnRequired, names.TurnRequired, 'Audio takes the relay'],
    [hasMultipleNetworkInterfaces, names.MultipleInterfaces, 'There are several networks'],
    [ice.vpnDetected, names.VpnDetected, 'Audio may take a VPN'],
  ]);
}

function networkReasons({ quality, rtt, jitter, packets, inbound, outbound }: NetworkFindings): Reason[] {
  if (quality === 'unknown') return [];
  const names = NetworkReasonCode;
  return reasonsOf('network', [
    [!inbound.flowing && !outbound.flowing, names.NoAudioFlow, 'No audio flows', true],
    [inbound.flowing !== outbound.flowing, names.OneWayAudio, 'Audio flows one way only', true],
    [rtt.average > 0.4, names.HighRtt, 'The round trip takes more than 400 ms'],
    [jitter.average > 0.03, names.HighJitter, 'More than 30 ms of jitter'],
    [packets.packetLossFraction > 0.01, names.PacketLoss, 'More than 1 % of the packets is lost'],
    [quality === 'poor', names.PoorQuality, 'Calls will be hard to understand'],
    [quality === 'fair', names.FairQuality, 'Calls will be understandable, not good'],
  ]);
}

/** Hard reasons block; soft ones degrade, when they are about the sound. No call and no reason: nobody knows. */
function verdictOf(reasons: readonly Reason[], failed: TelnyxError | undefined, measured: boolean): Verdict {
  if (failed?.code === 42001) return 'permission_denied';
  if (reasons.some(({ grave }) => grave)) return 'blocked';
  if (failed !== undefined || !measured) return 'inconclusive';
  return reasons.some(({ source }) => source === 'network') ? 'degraded' : 'ready';
}
