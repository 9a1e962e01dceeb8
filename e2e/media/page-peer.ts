import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { measureTone, type Tone } from '../src/tone.ts';

/**
 * A bare RTCPeerConnection in a page, driven from the test: no SDK, no signalling, so that what fails is media. The page
 * side is text because it runs in the browser.
 */
const PAGE = `
const say = (error) => { throw new Error(String(error && error.stack || error)); };
const gathered = (pc) => new Promise((done) => {
  if (pc.iceGatheringState === 'complete') return done();
  pc.addEventListener('icegatheringstatechange', () => pc.iceGatheringState === 'complete' && done());
});
window.media = {
  async open() {
    this.pc?.close();
    const pc = (this.pc = new RTCPeerConnection());
    this.states = [];
    pc.onconnectionstatechange = () => this.states.push(pc.connectionState);
    this.mic ??= await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
    this.sender = pc.addTrack(this.mic.getAudioTracks()[0], this.mic);
    pc.ontrack = async ({ track }) => {
      const stream = new MediaStream([track]);
      // Chromium feeds Web Audio only from streams that some element plays.
      const element = (this.element ??= document.body.appendChild(document.createElement('audio')));
      element.muted = true;
      element.srcObject = stream;
      await element.play().catch(() => {});
      this.audio ??= new AudioContext({ sampleRate: 48000 });
      this.audio.resume();
      this.stream = stream;
      this.analyser = new AnalyserNode(this.audio, { fftSize: 16384 });
      new MediaStreamAudioSourceNode(this.audio, { mediaStream: stream }).connect(this.analyser);
    };
  },
  async offer(options) {
    await this.pc.setLocalDescription(await this.pc.createOffer(options));
    await gathered(this.pc);
    return this.pc.localDescription.sdp;
  },
  accept(sdp) {
    return this.pc.setRemoteDescription({ type: 'answer', sdp });
  },
  async answer(sdp) {
    await this.pc.setRemoteDescription({ type: 'offer', sdp });
    await this.pc.setLocalDescription(await this.pc.createAnswer());
    await gathered(this.pc);
    return this.pc.localDescription.sdp;
  },
  // Firefox without a sound device never starts a live audio clock; its recorder and decoder need none.
  async recorded() {
    const recorder = new MediaRecorder(this.stream);
    const parts = [];
    recorder.ondataavailable = (event) => parts.push(event.data);
    const stopped = new Promise((done) => { recorder.onstop = done; });
    recorder.start();
    setTimeout(() => recorder.stop(), 900);
    await stopped;
    const bytes = await new Blob(parts).arrayBuffer();
    const sound = await new OfflineAudioContext(1, 1, 48000).decodeAudioData(bytes).catch(() => null);
    return sound === null ? [] : Array.from(sound.getChannelData(0)).slice(-16384);
  },
  sound() {
    if (!this.analyser) return [];
    if (this.audio.state !== 'running') return this.recorded();
    const samples = new Float32Array(this.analyser.fftSize);
    this.analyser.getFloatTimeDomainData(samples);
    return Array.from(samples);
  },
  dtmf(digits, duration, gap) {
    this.sender.dtmf.insertDTMF(digits, duration, gap);
  },
  mute(muted) {
    this.mic.getAudioTracks()[0].enabled = !muted;
  },
  async inbound() {
    for (const report of (await this.pc.getStats()).values()) {
      if (report.type === 'inbound-rtp') {
        return { packets: report.packetsReceived, lost: report.packetsLost, bytes: report.bytesReceived };
      }
    }
    return { packets: 0, lost: 0, bytes: 0 };
  },
  async roundTrip() {
    for (const report of (await this.pc.getStats()).values()) {
      if (report.type === 'remote-inbound-rtp') return report.roundTripTime ?? null;
    }
    return null;
  },
};
`;

/** Whatever can run an expression in a page: playwright or puppeteer. */
export interface Runner {
  evaluate(expression: string): Promise<unknown>;
}

export interface Inbound {
  readonly packets: number;
  readonly lost: number;
  readonly bytes: number;
}

export class PagePeer {
  readonly #page: Runner;

  constructor(page: Runner) {
    this.#page = page;
  }

  async #call<T>(method: string, ...args: unknown[]): Promise<T> {
    return (await this.#page.evaluate(
      `window.media.${method}(${args.map((a) => JSON.stringify(a)).join(', ')})`,
    )) as T;
  }

  open(): Promise<void> {
    return this.#call('open');
  }

  offer(options: object = {}): Promise<string> {
    return this.#call('offer', options);
  }

  accept(sdp: string): Promise<void> {
    return this.#call('accept', sdp);
  }

  answer(sdp: string): Promise<string> {
    return this.#call('answer', sdp);
  }

  dtmf(digits: string, duration: number, gap: number): Promise<void> {
    return this.#call('dtmf', digits, duration, gap);
  }

  mute(muted: boolean): Promise<void> {
    return this.#call('mute', muted);
  }

  inbound(): Promise<Inbound> {
    return this.#call('inbound');
  }

  roundTrip(): Promise<number | null> {
    return this.#call('roundTrip');
  }

  state(): Promise<string> {
    return this.#page.evaluate('window.media.pc.connectionState') as Promise<string>;
  }

  async sound(): Promise<Float32Array> {
    return Float32Array.from(await this.#call<number[]>('sound'));
  }

  /** The tone in the last third of a second. */
  async tone(): Promise<Tone> {
    return measureTone(await this.sound(), 48_000);
  }
}

/** Serves the page on 127.0.0.1, which counts as a secure context. */
export async function servePage(): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    const script = request.url === '/peer.js';
    response
      .writeHead(200, { 'content-type': script ? 'text/javascript' : 'text/html; charset=utf-8' })
      .end(script ? PAGE : '<!doctype html><title>peer</title><body><script src="/peer.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
