import { createSocket, type Socket } from 'node:dgram';
import { createDecoder, createEncoder, type OpusDecoderHandle, type OpusEncoderHandle } from 'libopus-wasm';
import { decodeG711, encodeG711 } from './g711.ts';
import { freePort } from './ports.ts';
import { eventPayloads, TelephoneEvents } from './telephone-events.ts';
import { measureTone, sine, type Tone } from './tone.ts';
import { LIMIT_MS, until } from './wait.ts';

export type PeerCodec = 'OPUS' | 'PCMU' | 'PCMA';

/** What the session description agreed on: our codec, its payload type, and that of telephone-event at its clock. */
export interface PeerFormat {
  readonly codec: PeerCodec;
  readonly payloadType: number;
  readonly eventPayloadType?: number;
}

/** Telephone events run on the clock of the audio they stand among (RFC 4733 §2.1). */
export const eventClock = (codec: PeerCodec): 8_000 | 48_000 => (codec === 'OPUS' ? 48_000 : 8_000);

/** One synchronisation source as the peer counted it. */
export interface HeardStream {
  readonly ssrc: number;
  readonly packets: number;
  /** By sequence numbers: expected minus received, duplicates not counted twice. */
  readonly lost: number;
  readonly duplicates: number;
  /** Packets by payload type. */
  readonly payloadTypes: Readonly<Record<number, number>>;
  readonly firstAt: number;
}

interface Stream {
  first: number;
  highest: number;
  cycles: number;
  seen: Set<number>;
  duplicates: number;
  packets: number;
  payloadTypes: Record<number, number>;
  firstAt: number;
}

const FRAME_MS = 20;

/**
 * The carrier's media behind a SIPp scenario: plain RTP over UDP, sending a tone, keeping what it hears. It shares no
 * code with the product.
 */
export class RtpPeer {
  readonly port: number;
  readonly events = new TelephoneEvents();
  /** Milliseconds between packets as they arrived; the largest gap shows up as a break in the sound. */
  largestGapMs = 0;
  /** Gets every decoded frame. */
  onSound: ((pcm: Int16Array) => void) | undefined;
  readonly #socket: Socket;
  #format: PeerFormat;
  readonly #encoder: OpusEncoderHandle | undefined;
  readonly #decoder: OpusDecoderHandle | undefined;
  readonly #streams = new Map<number, Stream>();
  readonly #pcm: Int16Array[] = [];
  readonly #queue: Uint8Array[] = [];
  #target: { host: string; port: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #hz: number | undefined = 440;
  #sequence = 100;
  #timestamp = 1_000;
  #eventTimestamp: number | undefined;
  #sample = 0;
  #lastAt = 0;
  #sent = 0;
  #badPackets = 0;
  #closed = false;

  private constructor(
    socket: Socket,
    port: number,
    format: PeerFormat,
    encoder: OpusEncoderHandle | undefined,
    decoder: OpusDecoderHandle | undefined,
  ) {
    this.#socket = socket;
    this.port = port;
    this.#format = format;
    this.#encoder = encoder;
    this.#decoder = decoder;
    socket.on('message', (packet) => this.#receive(packet));
  }

  static async open(format: PeerFormat, host = '127.0.0.1'): Promise<RtpPeer> {
    const port = await freePort();
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, host, () => resolve());
    });
    const opus = format.codec === 'OPUS';
    const encoder = opus
      ? await createEncoder({ sampleRate: 48_000, channels: 1, frameSize: 960 })
      : undefined;
    const decoder = opus ? await createDecoder({ sampleRate: 48_000, channels: 1 }) : undefined;
    return new RtpPeer(socket, port, format, encoder, decoder);
  }

  get rate(): number {
    return eventClock(this.#format.codec);
  }

  get sent(): number {
    return this.#sent;
  }

  /** Datagrams that were no RTP or could not be decoded. */
  get badPackets(): number {
    return this.#badPackets;
  }

  /**
   * Starts (or redirects) the tone towards an address; `hz` null sends nothing but digits. With `formats` (payload type by
   * `NAME/clock`) it takes over the other side's payload types, as an answer does.
   */
  send(
    target: {
      readonly host: string;
      readonly port: number;
      readonly formats?: Readonly<Record<string, number>>;
    },
    hz: number | null = 440,
  ): void {
    this.#target = { host: target.host, port: target.port };
    this.#hz = hz ?? undefined;
    const formats = target.formats ?? {};
    const events = formats[`TELEPHONE-EVENT/${this.rate}`] ?? this.#format.eventPayloadType;
    this.#format = {
      codec: this.#format.codec,
      payloadType: formats[`${this.#format.codec}/${this.rate}`] ?? this.#format.payloadType,
      ...(events === undefined ? {} : { eventPayloadType: events }),
    };
    if (this.#timer !== undefined) return;
    const started = performance.now();
    let frames = 0;
    this.#timer = setInterval(() => {
      const due = Math.floor((performance.now() - started) / FRAME_MS);
      while (frames < due) {
        frames++;
        this.#frame();
      }
    }, FRAME_MS / 2);
  }

  /** Sends digits as RFC 4733 events of 100 ms with 60 ms of tone between them; resolves when the last has left. */
  async sendDigits(digits: string): Promise<void> {
    for (const digit of digits) {
      for (const payload of eventPayloads(digit, (FRAME_MS * this.rate) / 1_000, 5))
        this.#queue.push(payload);
      for (let i = 0; i < 3; i++) this.#queue.push(new Uint8Array(0));
    }
    await until('digits to leave the RTP peer', () => this.#queue.length === 0);
  }

  #frame(): void {
    const target = this.#target;
    if (target === undefined) return;
    const samples = this.#format.codec === 'OPUS' ? 960 : 160;
    const next = this.#queue.shift();
    if (next !== undefined && next.length > 0) {
      const begins = this.#eventTimestamp === undefined;
      this.#eventTimestamp ??= this.#timestamp;
      const pt = this.#format.eventPayloadType;
      if (pt !== undefined) this.#packet(pt, begins, this.#eventTimestamp, next);
    } else {
      this.#eventTimestamp = undefined;
      if (this.#hz !== undefined) {
        const pcm = sine(this.#hz, this.rate, samples, 0.5, this.#sample);
        const payload =
          this.#format.codec === 'OPUS' ? this.#encoder!.encode(pcm) : encodeG711(this.#format.codec, pcm);
        this.#packet(this.#format.payloadType, this.#sent === 0, this.#timestamp, payload);
      }
    }
    this.#sample += samples;
    this.#timestamp = (this.#timestamp + samples) >>> 0;
  }

  #packet(payloadType: number, marker: boolean, timestamp: number, payload: Uint8Array): void {
    const head = Buffer.alloc(12);
    head[0] = 0x80;
    head[1] = payloadType | (marker ? 0x80 : 0);
    head.writeUInt16BE(this.#sequence, 2);
    head.writeUInt32BE(timestamp, 4);
    head.writeUInt32BE(0x5e1f0000 + (this.port & 0xffff), 8);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#sent++;
    this.#socket.send(Buffer.concat([head, payload]), this.#target!.port, this.#target!.host);
  }

  #receive(packet: Buffer): void {
    if (packet.length < 12 || packet[0]! >> 6 !== 2) {
      this.#badPackets++;
      return;
    }
    const second = packet[1]!;
    if (second >= 192 && second <= 223) return;
    const now = performance.now();
    const ssrc = packet.readUInt32BE(8);
    const sequence = packet.readUInt16BE(2);
    const timestamp = packet.readUInt32BE(4);
    const payloadType = second & 0x7f;
    let at = 12 + 4 * (packet[0]! & 0x0f);
    if (packet[0]! & 0x10) at += 4 + 4 * packet.readUInt16BE(at + 2);
    const end = packet[0]! & 0x20 ? packet.length - packet[packet.length - 1]! : packet.length;
    const payload = packet.subarray(at, end);
    this.#count(ssrc, sequence, payloadType, now);
    if (payloadType === this.#format.eventPayloadType) this.events.packet(ssrc, timestamp, payload);
    else if (payloadType === this.#format.payloadType) this.#keep(payload);
  }

  #count(ssrc: number, sequence: number, payloadType: number, now: number): void {
    let stream = this.#streams.get(ssrc);
    if (stream === undefined) {
      stream = {
        first: sequence,
        highest: sequence,
        cycles: 0,
        seen: new Set(),
        duplicates: 0,
        packets: 0,
        payloadTypes: {},
        firstAt: now,
      };
      this.#streams.set(ssrc, stream);
    }
    const ahead = (sequence - stream.highest) & 0xffff;
    if (ahead < 0x8000) {
      if (sequence < stream.highest) stream.cycles++;
      stream.highest = sequence;
    }
    const behind = (stream.highest - sequence) & 0xffff;
    const extended = stream.cycles * 65_536 + stream.highest - behind;
    if (stream.seen.has(extended)) stream.duplicates++;
    stream.seen.add(extended);
    stream.packets++;
    stream.payloadTypes[payloadType] = (stream.payloadTypes[payloadType] ?? 0) + 1;
    if (this.#lastAt > 0) this.largestGapMs = Math.max(this.largestGapMs, now - this.#lastAt);
    this.#lastAt = now;
  }

  #keep(payload: Uint8Array): void {
    try {
      const codec = this.#format.codec;
      const pcm = codec === 'OPUS' ? this.#decoder!.decode(payload) : decodeG711(codec, payload);
      this.#pcm.push(pcm);
      this.onSound?.(pcm);
      if (this.#pcm.length > 2_000) this.#pcm.splice(0, 1_000);
    } catch {
      this.#badPackets++;
    }
  }

  get streams(): readonly HeardStream[] {
    return [...this.#streams].map(([ssrc, s]) => ({
      ssrc,
      packets: s.packets,
      lost: s.cycles * 65_536 + s.highest - s.first + 1 - s.seen.size,
      duplicates: s.duplicates,
      payloadTypes: { ...s.payloadTypes },
      firstAt: s.firstAt,
    }));
  }

  get packets(): number {
    return this.streams.reduce((sum, stream) => sum + stream.packets, 0);
  }

  /** The last `frames` decoded frames, joined. */
  sound(frames: number): Int16Array {
    const last = this.#pcm.slice(-frames);
    const out = new Int16Array(last.reduce((sum, frame) => sum + frame.length, 0));
    let at = 0;
    for (const frame of last) {
      out.set(frame, at);
      at += frame.length;
    }
    return out;
  }

  /** The tone in the last `frames` frames (default 35 = 700 ms). */
  tone(frames = 35): Tone {
    return measureTone(this.sound(frames), this.rate);
  }

  /** Forgets sound, digits and counts, so that the next measurement starts here. */
  forget(): void {
    this.#pcm.length = 0;
    this.#streams.clear();
    this.events.clear();
    this.largestGapMs = 0;
    this.#lastAt = 0;
  }

  /** Waits until the last second sounds like `hz`. */
  async hears(hz: number, limitMs: number = LIMIT_MS): Promise<Tone> {
    let last: Tone | undefined;
    return await until(
      `${hz} Hz at the RTP peer on port ${this.port}`,
      () => {
        if (this.#pcm.length < 35) return undefined;
        last = this.tone();
        return Math.abs(last.hz - hz) <= hz * 0.02 && last.level > 0.02 ? last : undefined;
      },
      {
        limitMs,
        detail: () => `heard ${JSON.stringify(last ?? null)}, streams ${JSON.stringify(this.streams)}`,
      },
    );
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#socket.close();
    this.#encoder?.free();
    this.#decoder?.free();
  }
}
