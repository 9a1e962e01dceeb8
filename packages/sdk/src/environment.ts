import type { PageLocation } from './host.ts';

/** What the SDK needs of a browser. Tests bring their own. */
export interface Environment {
  readonly location: PageLocation | undefined;
  readonly userAgent: string;
  readonly mediaDevices: MediaDevices | undefined;
  /** What outlives a reload of the page: sessionStorage. */
  readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | undefined;
  /** Whether no other page of this browser has the name; then this one keeps it until it goes. */
  claim(name: string): Promise<boolean>;
  /** Milliseconds; only differences count. */
  now(): number;
  /** Milliseconds since 1970. */
  epoch(): number;
  /** Runs once after some milliseconds; returns what cancels it. */
  after(ms: number, run: () => void): () => void;
  /** In [0, 1). */
  random(): number;
  uuid(): string;
  openSocket(url: string): WebSocket;
  createPeer(configuration: RTCConfiguration): RTCPeerConnection;
  createStream(tracks: MediaStreamTrack[]): MediaStream;
  /** What the page may do with the microphone, as far as the browser tells. */
  permission(): Promise<'granted' | 'denied' | 'prompt' | 'unknown'>;
  /** Measures how loud a stream is: 0 to 1. */
  meter(stream: MediaStream): { level(): number; close(): void };
  /** Plays a sound again and again; returns what stops it. */
  playLoop(url: string): () => void;
  /** Whether a POST was taken. It is finished even when the page goes. */
  post(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<boolean>;
  element(id: string): HTMLMediaElement | null;
  /** Returns what ends it. */
  listen(event: PageEvent, run: () => void): () => void;
}

/** `visible`: the page is looked at again. `network`: the kind of network changed. */
export type PageEvent = 'online' | 'offline' | 'pagehide' | 'pageshow' | 'visible' | 'network';

/** Times of day whose differences are true: the clock's at the first, and from there what has passed, however the clock is set. */
export function stamps(env: Pick<Environment, 'now' | 'epoch'>): () => number {
  const offset = env.epoch() - env.now();
  return () => Math.round(offset + env.now());
}

/** The browser this runs in. */
export function browserEnvironment(): Environment {
  return {
    location: globalThis.location,
    userAgent: globalThis.navigator?.userAgent ?? '',
    mediaDevices: globalThis.navigator?.mediaDevices,
    storage: pageStorage(),
    claim: (name) =>
      new Promise((resolve) => {
        const hold = (lock: Lock | null): Promise<never> | null => {
          resolve(lock !== null);
          return lock && new Promise(() => undefined);
        };
        // Pages that are no secure context have no locks.
        const { locks } = navigator as Partial<Navigator>;
        if (locks === undefined) resolve(true);
        else locks.request(`sidetone:${name}`, { ifAvailable: true }, hold).catch(() => resolve(true));
      }),
    now: () => performance.now(),
    epoch: Date.now,
    after: (ms, run) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    random: Math.random,
    uuid,
    openSocket: (url) => new WebSocket(url),
    createPeer: (configuration) => new RTCPeerConnection(configuration),
    createStream: (tracks) => new MediaStream(tracks),
    permission: async () => {
      const asked = await navigator.permissions?.query({ name: 'microphone' }).catch(() => undefined);
      return asked?.state ?? 'unknown';
    },
    meter,
    playLoop: (url) => {
      const audio = new Audio(url);
      audio.loop = true;
      audio.play().catch(() => undefined);
      return () => audio.pause();
    },
    // A body beyond 64 kB may not outlive the page (Fetch §4.7), so it is sent plainly.
    post: async (url, headers, body) =>
      (await fetch(url, { method: 'POST', headers, body, keepalive: body.length < 60_000 })).ok,
    element: (id) => document.getElementById(id) as HTMLMediaElement | null,
    listen: (event, run) => {
      if (event === 'visible')
        return listenTo(globalThis.document, 'visibilitychange', () => document.hidden || run());
      if (event === 'network')
        return listenTo((navigator as { connection?: EventTarget }).connection, 'change', run);
      return listenTo(globalThis.window, event, run);
    },
  };
}

function listenTo(target: EventTarget | undefined, event: string, run: () => void): () => void {
  target?.addEventListener(event, run);
  return () => target?.removeEventListener(event, run);
}

function meter(stream: MediaStream): { level(): number; close(): void } {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  return {
    level: () => {
      analyser.getFloatTimeDomainData(samples);
      return samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
    },
    close: () => void context.close(),
  };
}

/** The storage of this tab, unless the browser forbids it. */
function pageStorage(): Storage | undefined {
  try {
    return globalThis.sessionStorage;
  } catch {
    return undefined;
  }
}

/** A UUID (RFC 9562 §5.4), also on pages that are no secure context, where `crypto.randomUUID` does not exist. */
export function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
