/**
 * When a tone was heard, to the block of 20 ms: an audio worklet listens to every remote track of the newest peer connection. Its
 * clock is that of the sound, so a busy page makes no gaps.
 */

import { newestPeer } from './capture.ts';

const WORKLET = `registerProcessor('tone-watch', class extends AudioWorkletProcessor {
  constructor({ processorOptions: { hz } }) {
    super();
    this.size = Math.round(sampleRate / 50);
    this.block = new Float32Array(this.size);
    this.filled = 0;
    this.factor = 2 * Math.cos((2 * Math.PI * hz) / sampleRate);
    this.on = false;
  }
  process([input]) {
    const samples = input[0] ?? new Float32Array(128);
    for (const sample of samples) {
      this.block[this.filled++] = sample;
      if (this.filled < this.size) continue;
      this.filled = 0;
      let a = 0, b = 0, energy = 0;
      for (const one of this.block) {
        const next = one + this.factor * a - b;
        b = a;
        a = next;
        energy += one * one;
      }
      const share = energy < this.size * 1e-5 ? 0 : (2 * (a * a + b * b - this.factor * a * b)) / (this.size * energy);
      const on = share > 0.5;
      if (on !== this.on) this.port.postMessage({ on, at: currentTime });
      this.on = on;
    }
    return true;
  }
});`;

/** A change: the tone began or ended. Milliseconds since 1970. */
export interface ToneChange {
  readonly on: boolean;
  readonly at: number;
}

const changes: ToneChange[] = [];

/** Begins to watch; the tracks of later peer connections are heard too. */
export async function watchTone(hz: number): Promise<void> {
  const audio = new AudioContext();
  await audio.resume();
  await audio.audioWorklet.addModule(URL.createObjectURL(new Blob([WORKLET], { type: 'text/javascript' })));
  const node = new AudioWorkletNode(audio, 'tone-watch', { processorOptions: { hz } });
  node.port.onmessage = ({ data }: MessageEvent<{ on: boolean; at: number }>) =>
    changes.push({ on: data.on, at: Date.now() - (audio.currentTime - data.at) * 1_000 });
  // A worklet that nobody listens to is not run.
  node.connect(new GainNode(audio, { gain: 0 })).connect(audio.destination);
  const heard = new Set<MediaStreamTrack>();
  setInterval(() => {
    for (const { track } of newestPeer()?.getReceivers() ?? []) {
      if (track.kind !== 'audio' || heard.has(track)) continue;
      heard.add(track);
      const stream = new MediaStream([track]);
      const element = new Audio();
      element.srcObject = stream;
      element.muted = true;
      void element.play().catch(() => undefined);
      new MediaStreamAudioSourceNode(audio, { mediaStream: stream }).connect(node);
    }
  }, 20);
}

export const toneChanges = (): readonly ToneChange[] => changes;
