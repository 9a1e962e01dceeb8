/**
 * What the browser hears and says, measured in the page without touching the SDK under test: the constructors that every
 * SDK uses are wrapped before it loads.
 */

export interface Heard {
  /** 16-bit samples, base64. */
  readonly pcm: string;
  readonly rate: number;
}

/** Every peer connection that was made, oldest first. */
export const peers: RTCPeerConnection[] = [];
const taps = new Map<MediaStreamTrack, AnalyserNode>();
let context: AudioContext | undefined;

const Native = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Native {
  constructor(configuration?: RTCConfiguration) {
    super(configuration);
    peers.push(this);
  }
};

/** Where sockets were opened to, oldest first. */
export const addresses: string[] = [];

const NativeSocket = window.WebSocket;
window.WebSocket = class extends NativeSocket {
  constructor(url: string | URL, protocols?: string | string[]) {
    addresses.push(String(url));
    // For tests that only want to know where the SDK would go.
    super('goNowhere' in window ? 'ws://127.0.0.1:9/' : url, protocols);
  }
};

const media = navigator.mediaDevices;
const getUserMedia = media.getUserMedia.bind(media);

/** `undefined` = the microphone; otherwise an oscillator of that frequency takes its place. */
let voice: number | undefined;

export function speak(hz: number | undefined): void {
  voice = hz;
}

media.getUserMedia = async (constraints) => {
  if (voice === undefined) {
    const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const audio = constraints?.audio;
    return await getUserMedia({
      ...constraints,
      audio: typeof audio === 'object' ? { ...audio, ...plain } : plain,
    });
  }
  const audio = await audioContext();
  const oscillator = new OscillatorNode(audio, { frequency: voice });
  const gain = new GainNode(audio, { gain: 0.5 });
  const out = new MediaStreamAudioDestinationNode(audio);
  oscillator.connect(gain).connect(out);
  oscillator.start();
  return out.stream;
};

/** How long a browser without a sound device is given to start its audio clock. */
const CLOCK_LIMIT_MS = 1_000;
/** How much is recorded where only a recorder hears. */
const RECORD_MS = 900;

async function audioContext(): Promise<AudioContext> {
  context ??= new AudioContext();
  if (context.state !== 'running')
    await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, CLOCK_LIMIT_MS))]);
  return context;
}

/** The peer connection of the newest call that is not closed. */
export const newestPeer = (): RTCPeerConnection | undefined =>
  peers.filter((peer) => peer.signalingState !== 'closed').at(-1);

function incomingTrack(): MediaStreamTrack | undefined {
  return newestPeer()
    ?.getReceivers()
    .map((receiver) => receiver.track)
    .find((track) => track.kind === 'audio' && track.readyState === 'live');
}

/** About 0.7 s of what the newest call hears now; `null` while there is no track. */
export async function hear(): Promise<Heard | null> {
  const track = incomingTrack();
  if (track === undefined) return null;
  const audio = await audioContext();
  // Firefox without a sound device never starts a live audio clock, but its recorder and decoder work.
  return audio.state === 'running' ? tapped(audio, track) : await recorded(track);
}

function tapped(audio: AudioContext, track: MediaStreamTrack): Heard {
  let tap = taps.get(track);
  if (tap === undefined) {
    const stream = new MediaStream([track]);
    // A remote stream flows in Chromium only while some element plays it.
    const element = new Audio();
    element.srcObject = stream;
    element.muted = true;
    void element.play().catch(() => undefined);
    tap = new AnalyserNode(audio, { fftSize: 32_768 });
    new MediaStreamAudioSourceNode(audio, { mediaStream: stream }).connect(tap);
    taps.set(track, tap);
  }
  const samples = new Float32Array(tap.fftSize);
  tap.getFloatTimeDomainData(samples);
  return { pcm: base64Pcm(samples), rate: audio.sampleRate };
}

async function recorded(track: MediaStreamTrack): Promise<Heard | null> {
  const recorder = new MediaRecorder(new MediaStream([track]));
  const parts: Blob[] = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const stopped = new Promise((resolve) => {
    recorder.onstop = resolve;
  });
  recorder.start();
  setTimeout(() => recorder.stop(), RECORD_MS);
  await stopped;
  const decoder = new OfflineAudioContext(1, 1, 48_000);
  const bytes = await new Blob(parts).arrayBuffer();
  const sound = await decoder.decodeAudioData(bytes).catch(() => null);
  return sound === null ? null : { pcm: base64Pcm(sound.getChannelData(0)), rate: sound.sampleRate };
}

function base64Pcm(samples: Float32Array): string {
  const bytes = new Uint8Array(samples.length * 2);
  const view = new DataView(bytes.buffer);
  samples.forEach((sample, i) => {
    view.setInt16(i * 2, Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_767))), true);
  });
  let text = '';
  for (let i = 0; i < bytes.length; i += 8_192) text += String.fromCharCode(...bytes.subarray(i, i + 8_192));
  return btoa(text);
}

/** Inbound audio statistics of the newest call. */
export async function inboundStats(): Promise<Record<string, unknown> | null> {
  const peer = newestPeer();
  if (peer === undefined) return null;
  const report = await peer.getStats();
  for (const entry of report.values())
    if (entry.type === 'inbound-rtp' && entry.kind === 'audio') {
      const codec = report.get(entry.codecId);
      return { ...entry, mimeType: codec?.mimeType, iceState: peer.iceConnectionState };
    }
  return { iceState: peer.iceConnectionState, connectionState: peer.connectionState };
}
