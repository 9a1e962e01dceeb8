import type { Environment } from '../src/environment.ts';

/** A JSON-RPC object as the tests read it. */
// biome-ignore lint/suspicious/noExplicitAny: frames are read by many names.
export type Json = Record<string, any>;

/** Lets promises that are due go on; no time passes. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 40; i++) await Promise.resolve();
}

/** The server's end of one WebSocket. */
export class FakeSocket {
  readyState = 0;
  answersPings = false;
  readonly sent: Json[] = [];
  readonly url: string;
  onopen: ((event: unknown) => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;

  constructor(url: string) {
    this.url = url;
  }

  send(text: string): void {
    const frame = JSON.parse(text) as Json;
    this.sent.push(frame);
    if (this.answersPings && frame['method'] === 'telnyx_rtc.ping')
      queueMicrotask(() => this.says({ jsonrpc: '2.0', id: frame['id'], result: {} }));
  }
  close(): void {
    this.readyState = 3;
  }

  opens(): void {
    this.readyState = 1;
    this.onopen?.({});
  }
  breaks(code = 1006): void {
    this.readyState = 3;
    this.onclose?.({ code, reason: '' });
  }
  says(frame: Json | string): void {
    this.onmessage?.({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) });
  }

  requests(method: string): Json[] {
    return this.sent.filter((frame) => frame['method'] === method);
  }
  /** The last request of a method. */
  last(method: string): Json {
    const frame = this.requests(method).at(-1);
    if (frame === undefined) throw new Error(`no ${method} was sent`);
    return frame;
  }
  async replies(method: string, result: Json): Promise<void> {
    this.says({ jsonrpc: '2.0', id: this.last(method)['id'], result });
    await settle();
  }
  async refuses(method: string, code: number, message: string): Promise<void> {
    this.says({ jsonrpc: '2.0', id: this.last(method)['id'], error: { code, message } });
    await settle();
  }
  async asks(method: string, params: Json, id = 7): Promise<void> {
    this.says({ jsonrpc: '2.0', id, method, params });
    await settle();
  }
}

class FakeTrack {
  readonly kind = 'audio';
  enabled = true;
  readyState: 'live' | 'ended' = 'live';
  readonly deviceId: unknown;
  constructor(deviceId?: unknown) {
    this.deviceId = deviceId;
  }
  stop(): void {
    this.readyState = 'ended';
  }
}

export class FakeStream {
  readonly tracks: FakeTrack[];
  constructor(tracks: FakeTrack[] = [new FakeTrack()]) {
    this.tracks = tracks;
  }
  getAudioTracks(): FakeTrack[] {
    return this.tracks;
  }
  getTracks(): FakeTrack[] {
    return this.tracks;
  }
}

export class FakePeer {
  readonly configuration: RTCConfiguration;
  readonly remote: RTCSessionDescriptionInit[] = [];
  readonly candidates: RTCIceCandidateInit[] = [];
  readonly senders: { track: FakeTrack | null; replaceTrack: (track: FakeTrack | null) => Promise<void> }[] =
    [];
  readonly receiving: string[] = [];
  localDescription: RTCSessionDescriptionInit | null = null;
  iceGatheringState = 'new';
  connectionState = 'new';
  closed = false;
  offers = 0;
  /** What getStats gives. */
  stats: Json[] = [];
  signalingState = 'stable';
  refuseRemote = false;
  ontrack: ((event: { streams: FakeStream[]; track: FakeTrack }) => void) | null = null;
  onconnectionstatechange: (() => void) | null = null;
  onicecandidate: ((event: { candidate: Json | null }) => void) | null = null;
  onicegatheringstatechange: (() => void) | null = null;

  constructor(configuration: RTCConfiguration) {
    this.configuration = configuration;
  }
  addTrack(track: FakeTrack): void {
    const sender = {
      track: track as FakeTrack | null,
      replaceTrack: async (next: FakeTrack | null) => {
        sender.track = next;
      },
    };
    this.senders.push(sender);
  }
  addTransceiver(_kind: string, { direction }: { direction: string }): void {
    this.receiving.push(direction);
  }
  getSenders(): FakePeer['senders'] {
    return this.senders;
  }
  getTransceivers(): never[] {
    return [];
  }
  async createOffer({ iceRestart }: { iceRestart?: boolean }): Promise<RTCSessionDescriptionInit> {
    this.offers++;
    return { type: 'offer', sdp: `offer ${this.offers}${iceRestart === true ? ' restart' : ''}` };
  }
  async createAnswer(): Promise<RTCSessionDescriptionInit> {
    return { type: 'answer', sdp: 'our answer' };
  }
  async setLocalDescription(description: RTCSessionDescriptionInit): Promise<void> {
    this.localDescription = description;
  }
  async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
    if (this.refuseRemote) throw new Error('bad SDP');
    this.remote.push(description);
  }
  async getStats(): Promise<Map<string, Json>> {
    return new Map(this.stats.map((stat, index) => [String(stat['id'] ?? index), stat]));
  }
  setConfiguration(configuration: RTCConfiguration): void {
    Object.assign(this.configuration, configuration);
  }
  async addIceCandidate(candidate: RTCIceCandidateInit): Promise<void> {
    this.candidates.push(candidate);
  }
  close(): void {
    this.closed = true;
  }
  /** A candidate is found, and stands in the description. */
  finds(candidate: string): void {
    if (this.localDescription !== null)
      this.localDescription = { ...this.localDescription, sdp: `${this.localDescription.sdp} +${candidate}` };
    this.onicecandidate?.({ candidate: { candidate, sdpMid: '0', sdpMLineIndex: 0 } });
  }
  gatheringEnds(): void {
    this.iceGatheringState = 'complete';
    this.onicecandidate?.({ candidate: null });
  }
  becomes(state: string): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
  hears(): FakeStream {
    const stream = new FakeStream();
    this.ontrack?.({ streams: [stream], track: stream.tracks[0]! });
    return stream;
  }
}

/** A browser whose time stands still until `passes`. */
export class FakeBrowser {
  readonly sockets: FakeSocket[] = [];
  readonly peers: FakePeer[] = [];
  readonly streams: FakeStream[] = [];
  /** What getUserMedia rejects with. */
  microphoneError: unknown;
  badUrl = false;
  /** Changes what new peer connections can do. */
  onPeer: (peer: FakePeer) => void = () => undefined;
  /** What a microphone gives, of 1. */
  loudness = 0.2;
  readonly playing: string[] = [];
  readonly posts: { url: string; headers: Record<string, string>; body: Json }[] = [];
  postsAreTaken = true;
  /** Names that another page has. */
  readonly claimedElsewhere = new Set<string>();
  readonly stored = new Map<string, string>();
  readonly storage = {
    getItem: (key: string): string | null => this.stored.get(key) ?? null,
    setItem: (key: string, value: string): void => void this.stored.set(key, value),
    removeItem: (key: string): void => void this.stored.delete(key),
  };
  #now = 0;
  /** How far the clock of the machine was set. */
  set = 0;
  #ids = 0;
  #timers: { at: number; run: () => void }[] = [];
  readonly #listeners = new Map<string, Set<() => void>>();

  get socket(): FakeSocket {
    return this.sockets.at(-1)!;
  }
  get peer(): FakePeer {
    return this.peers.at(-1)!;
  }
  get timers(): number {
    return this.#timers.length;
  }

  /** Time passes; timers run in order. */
  async passes(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#now = Math.max(this.#now, due.at);
      this.#timers = this.#timers.filter((timer) => timer !== due);
      due.run();
      await settle();
    }
    this.#now = end;
  }

  fires(event: string): void {
    for (const run of this.#listeners.get(event) ?? []) run();
  }

  environment(): Environment {
    const environment = {
      location: { protocol: 'https:', host: 'phone.example.com' },
      userAgent: 'fake',
      mediaDevices: {
        getUserMedia: async ({ audio }: { audio: { deviceId?: unknown } }) => {
          if (this.microphoneError !== undefined) throw this.microphoneError;
          const stream = new FakeStream([new FakeTrack(audio.deviceId)]);
          this.streams.push(stream);
          return stream;
        },
        enumerateDevices: async () => [
          { kind: 'audioinput', deviceId: 'mic-1' },
          { kind: 'audiooutput', deviceId: 'out-1' },
          { kind: 'videoinput', deviceId: 'cam-1' },
        ],
      },
      storage: this.storage,
      claim: async (name: string) => !this.claimedElsewhere.has(name),
      epoch: () => 1_000_000 + this.#now + this.set,
      now: () => this.#now,
      after: (ms: number, run: () => void) => {
        const timer = { at: this.#now + ms, run };
        this.#timers.push(timer);
        return () => {
          this.#timers = this.#timers.filter((other) => other !== timer);
        };
      },
      random: () => 0.5,
      uuid: () => `uuid-${++this.#ids}`,
      openSocket: (url: string) => {
        if (this.badUrl) throw new Error('bad address');
        const socket = new FakeSocket(url);
        this.sockets.push(socket);
        return socket;
      },
      createPeer: (configuration: RTCConfiguration) => {
        const peer = new FakePeer(configuration);
        this.onPeer(peer);
        this.peers.push(peer);
        return peer;
      },
      createStream: (tracks: FakeTrack[]) => new FakeStream(tracks),
      permission: async () => 'prompt',
      meter: () => ({ level: () => this.loudness, close: () => undefined }),
      playLoop: (url: string) => {
        this.playing.push(url);
        return () => void this.playing.splice(this.playing.indexOf(url), 1);
      },
      post: async (url: string, headers: Record<string, string>, body: string) => {
        this.posts.push({ url, headers, body: JSON.parse(body) as Json });
        return this.postsAreTaken;
      },
      element: () => null,
      listen: (event: string, run: () => void) => {
        const runs = this.#listeners.get(event) ?? new Set();
        this.#listeners.set(event, runs.add(run));
        return () => runs.delete(run);
      },
    };
    return environment as unknown as Environment;
  }
}
