import { createSocket, type Socket } from 'node:dgram';
import { loadOpus } from '@sidetone/media';
import { encodePcmu, writeRtp } from '@sidetone/rtc';

export type Codec = 'PCMU' | 'OPUS';

/** A member as the generator sees it, and where the engine hears it. */
export interface Caller {
  readonly socket: Socket;
  target: number;
  received: number;
  /** Told of each packet. */
  heard: ((packet: Buffer) => void) | undefined;
}

export const PAYLOAD_TYPE: Readonly<Record<Codec, number>> = { PCMU: 0, OPUS: 111 };

const FRAME_MS = 20;
/** Members do not send in step: the frame is divided into so many moments. */
const PHASES = 10;
export const TALKERS = 4;
/** A probe every so many frames: a soft tone, so that it has a place among the speakers, and near the end of it one loud frame. */
const PROBE_FRAMES = 40;
const LOUD_AT = 35;
/** An octet of µ-law that only the loud frame reaches: more than -12 dB. */
const LOUD = 0x1f;

function lookup(
  host: string,
  _options: unknown,
  done: (error: Error | null, address: string, family: number) => void,
): void {
  done(null, host, 4);
}

export async function openCallers(count: number): Promise<Caller[]> {
  const callers: Caller[] = [];
  for (let i = 0; i < count; i++) {
    const socket = createSocket({ type: 'udp4', lookup });
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', () => resolve()));
    socket.setRecvBufferSize(1 << 19);
    const caller: Caller = { socket, target: 0, received: 0, heard: undefined };
    socket.on('message', (packet: Buffer) => {
      if ((packet[0]! & 0xc0) !== 0x80 || (packet[1]! & 0x7f) >= 72 + 128) return;
      caller.received++;
      caller.heard?.(packet);
    });
    callers.push(caller);
  }
  return callers;
}

type Sound = (second: number) => number;

/** Syllables of a voice: harmonics that come and go, in no step with another's. */
const voice =
  (base: number): Sound =>
  (t) => {
    const loud = Math.max(0, Math.sin(2 * Math.PI * (2.1 + base / 300) * t));
    const f0 = base * (1 + 0.1 * Math.sin(2 * Math.PI * 1.3 * t));
    let sum = 0;
    for (let k = 1; k < 16; k++) sum += Math.sin(2 * Math.PI * k * f0 * t) / k;
    return 7000 * loud * sum;
  };
/** A line on which nobody speaks: noise at about -70 dBFS. */
const quiet: Sound = () => (Math.random() - 0.5) * 36;
const tone =
  (level: number): Sound =>
  (t) =>
    level * Math.sin(2 * Math.PI * 400 * t);

/** The packets of a sound: one stream, the same on every socket. */
async function packetsOf(sound: Sound, codec: Codec, rate: 8000 | 48000, frames: number): Promise<Buffer[]> {
  const samples = rate / 50;
  const pcm = new Int16Array(samples);
  const opus =
    codec === 'OPUS' ? (await loadOpus()).encoder({ rate, bitrate: 24_000, fec: false }) : undefined;
  await new Promise(setImmediate);
  return Array.from({ length: frames }, (_, k) => {
    for (let i = 0; i < samples; i++) pcm[i] = sound((k * samples + i) / rate);
    let payload = new Uint8Array(160);
    if (opus === undefined) encodePcmu(pcm, payload);
    else payload = opus.encode(pcm)!.slice();
    const packet = Buffer.alloc(12 + payload.length);
    packet.set(payload, 12);
    writeRtp(packet, 0, PAYLOAD_TYPE[codec], k === 0, k + 1, k * (codec === 'OPUS' ? 960 : 160), 0x51de);
    return packet;
  });
}

export interface Sounds {
  readonly quiet: Buffer[];
  readonly voices: Buffer[][];
  readonly soft: Buffer[];
  readonly loud: Buffer[];
}

/** All that is said in `seconds`. */
export async function soundsOf(codec: Codec, rate: 8000 | 48000, seconds: number): Promise<Sounds> {
  const frames = seconds * 50;
  return {
    quiet: await packetsOf(quiet, codec, rate, frames),
    voices: await Promise.all(
      [95, 120, 165, 210].slice(0, TALKERS).map((base) => packetsOf(voice(base), codec, rate, frames)),
    ),
    soft: await packetsOf(tone(400), codec, rate, frames),
    loud: await packetsOf(tone(20_000), codec, rate, frames),
  };
}

/** All members send 50 packets a second: first four of them talk, then one after the other is a probe. */
export class Conference {
  /** Milliseconds from when a frame was sent to when another member had a packet with it. */
  readonly delays: number[] = [];
  readonly #callers: readonly Caller[];
  readonly #sounds: Sounds;
  #timer: NodeJS.Timeout | undefined;
  #started = 0;
  #next = 0;
  /** The frame that the first probe began with. */
  #probesFrom: number | undefined;
  #sentAt = 0;

  constructor(callers: readonly Caller[], sounds: Sounds) {
    this.#callers = callers;
    this.#sounds = sounds;
  }

  get received(): number {
    return this.#callers.reduce((sum, { received }) => sum + received, 0);
  }

  start(): void {
    this.#started = performance.now();
    const step = FRAME_MS / PHASES;
    const beat = (): void => {
      const due = Math.floor((performance.now() - this.#started) / step);
      while (this.#next <= due) this.#send(this.#next++);
      this.#timer = setTimeout(beat, Math.max(0, this.#started + this.#next * step - performance.now()));
    };
    beat();
  }

  /** From now on nobody talks, and delays are measured. */
  probe(): void {
    this.#probesFrom = Math.ceil(this.#next / PHASES) + 50;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #send(moment: number): void {
    const frame = Math.floor(moment / PHASES);
    for (let i = moment % PHASES; i < this.#callers.length; i += PHASES) {
      const packet = this.#says(i, frame);
      if (packet !== undefined) this.#callers[i]!.socket.send(packet, this.#callers[i]!.target, '127.0.0.1');
    }
  }

  #says(i: number, frame: number): Buffer | undefined {
    const { quiet, voices, soft, loud } = this.#sounds;
    if (this.#probesFrom === undefined) return (i < TALKERS ? voices[i]! : quiet)[frame];
    const since = frame - this.#probesFrom;
    // Members of one phase after the other, so that all ways to lie beside the engine's beat are measured.
    const probe = Math.floor(since / PROBE_FRAMES) % this.#callers.length;
    if (since < 0 || i !== probe) return quiet[frame];
    if (since % PROBE_FRAMES !== LOUD_AT) return soft[frame];
    const listener = this.#callers[(probe + 17) % this.#callers.length]!;
    this.#sentAt = performance.now();
    listener.heard = (packet) => {
      if (!packet.subarray(12).some((octet) => (octet & 0x7f) < LOUD)) return;
      this.delays.push(performance.now() - this.#sentAt);
      listener.heard = undefined;
    };
    return loud[frame];
  }
}
