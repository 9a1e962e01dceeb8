import type { EpochMs, Ms, Random } from '@sidetone/core';
import type { DtlsFactory } from '@sidetone/rtc';
import type { MediaEvent } from '@sidetone/wire';
import type { OpusFactory } from './opus.ts';

/** One bound UDP socket. */
export interface Datagrams {
  readonly address: string;
  readonly port: number;
  /** Sends at once, best effort. The bytes must stay unchanged until the operating system has them. */
  send(packet: Uint8Array, address: string, port: number): void;
  close(): void;
}

/** Called for each datagram; the buffer belongs to the receiver. */
export type Receive = (packet: Uint8Array, address: string, port: number) => void;

/** The network, as the engine needs it. */
export interface SocketPort {
  /** Binds `address:port`; `undefined` when the operating system refuses (in use, no such address). */
  bind(address: string, port: number, receive: Receive): Promise<Datagrams | undefined>;
}

/**
 * The port that takes ICE-TCP connections for all legs (RFC 6544, passive; framing by RFC 4571). Whoever implements it keeps nothing
 * for a peer that has not passed a check, and limits what strangers may open and send.
 */
export interface StreamPort {
  /** Interface addresses on which it listens, most wanted first. */
  readonly addresses: readonly string[];
  readonly port: number;
  /** A door for one leg. `receive` gets the packets of its connections, with the peer's address and port. */
  open(receive: Receive): StreamDoor;
}

/** One leg's share of the port. `send` goes to its connection from that peer, or nowhere when that is gone or congested. */
export interface StreamDoor extends Datagrams {
  /**
   * Connections that begin with a check for this ufrag belong to the leg; the one before it still counts (ICE restart). What is
   * sent to a connection while its packet is being received proves its peer: an ICE-lite agent answers nobody else.
   */
  admit(ufrag: string): void;
}

/** Timers, as the engine needs them: one call at `at` on the engine's monotonic clock. Returns what cancels it. */
export interface SchedulePort {
  at(at: Ms, call: () => void): () => void;
}

/** What `SoundReader.read` says instead of a number of samples. */
export const LATE = -1;
export const BROKEN = -2;

/** A sound file that is being read: 16-bit PCM, one channel. Whoever implements it reads ahead, in pieces of a bounded size. */
export interface SoundReader {
  /** Samples a second, 8000 to 48,000. */
  readonly rate: number;
  /** Samples from the beginning of the file to its end. */
  readonly samples: number;
  /**
   * Fills `out` with the samples that come next. Returns at once how many there are, which are fewer than asked for where a piece ends;
   * 0: the file is at its end; `LATE`: they have not been read yet; `BROKEN`: they never will be.
   */
  read(out: Int16Array): number;
  /** Goes on at the beginning of the file, which is kept at hand. */
  rewind(): void;
  close(): void;
}

/** Sound files, as the engine needs them. */
export interface SoundPort {
  /** Opens a file for reading from `fromMs` on; `undefined`: there is no such file, or it is no sound. Never rejects. */
  open(file: string, fromMs: Ms): Promise<SoundReader | undefined>;
}

/** A WebSocket that we open. */
export interface RemoteLine {
  /** Octets that the network has not taken yet. */
  readonly waiting: number;
  send(text: string): void;
  /** As a binary frame. */
  sendBytes(bytes: Uint8Array): void;
  /** Ends it in order, behind what was sent; nothing is told of it any more. */
  close(): void;
}

export interface RemoteEvents {
  opened(): void;
  text(text: string): void;
  /** A frame that is no text. */
  binary(): void;
  /** It is over, told once. `closed`: by the other end, in order; `lost`: without; `refused`: it never was. `reason`: for people, without the URL. */
  ended(how: 'closed' | 'lost' | 'refused', reason: string): void;
}

export interface RemoteDatagrams {
  send(packet: Uint8Array): void;
}

export interface RemoteTarget {
  readonly url: string;
  /** Of `Authorization: Bearer`. */
  readonly token?: string;
  /** The operator's own choice: it may lie anywhere. */
  readonly trusted?: true;
}

/** Where the sound of legs goes besides their peers. Whoever implements it bounds what others send, in size and in rate, and guards where it connects to. */
export interface RemotePort {
  /** Opens a WebSocket; nothing is told within the call. */
  connect(target: RemoteTarget, events: RemoteEvents): RemoteLine;
  /** To send to an IP address, best effort; the bytes must stay unchanged. Text: why it must not be reached. */
  datagrams(address: string, port: number): RemoteDatagrams | string;
  /** A whole MP3 file as 16-bit PCM of 16 kHz, one channel; `undefined`: it is none. Never rejects. */
  decodeMp3(bytes: Uint8Array): Promise<Int16Array | undefined>;
  /** The wall clock. */
  epoch(): EpochMs;
}

/** A file that is being recorded. */
export interface RecordingFile {
  /**
   * Takes interleaved samples, which are its own from now on, and returns at once. `false`: too much waits for the disk, or the disk has
   * refused; these are not in the file.
   */
  write(block: Int16Array): boolean;
  /** Never rejects. `frames`: samples of each channel in the file; `failed`: the disk has refused. */
  close(): Promise<{ readonly frames: number; readonly failed: boolean }>;
}

/** Files that are recorded, as the engine needs them: WAV, 16-bit PCM, a valid file whenever something has been written. */
export interface RecordingPort {
  /** Makes a file that must not exist; `failed` is called, once at most, when the disk refuses. Nothing waits for the disk. */
  open(
    file: string,
    form: { readonly rate: number; readonly channels: 1 | 2 },
    failed: () => void,
  ): RecordingFile;
}

/** Times after which a leg is judged, in milliseconds. */
export interface MediaLimits {
  /** No RTP from a peer that ought to send (default 60,000). */
  readonly rtpTimeoutMs: Ms;
  /** No RTP from a peer on hold (default 3,600,000). */
  readonly heldTimeoutMs: Ms;
  /** No valid connectivity check since the leg was negotiated (default 30,000). */
  readonly iceSetupMs: Ms;
  /** No consent from the peer on a selected pair (RFC 7675 §5.1: default 30,000). */
  readonly consentMs: Ms;
  /** DTLS not finished since ICE was (default 15,000). */
  readonly dtlsSetupMs: Ms;
  /** The counterpart sends, the peer never has (default 10,000). */
  readonly oneWayMs: Ms;
}

export interface MediaEngineOptions {
  readonly sockets: SocketPort;
  /** The monotonic clock. */
  readonly now: () => Ms;
  readonly schedule: SchedulePort;
  readonly random: Random;
  readonly dtls: DtlsFactory;
  readonly opus: OpusFactory;
  /**
   * Interface addresses to bind and advertise, most wanted first. A plain RTP leg takes the first of its peer's family, or the loopback
   * one towards a loopback peer; a WebRTC leg takes all.
   */
  readonly addresses: readonly string[];
  /** Behind a one-to-one NAT: what peers call the first address of its family that is not loopback. */
  readonly publicAddress?: string;
  /** Takes ICE-TCP connections of WebRTC legs; absent: UDP only. */
  readonly streams?: StreamPort;
  /** The files that can be played; absent: none. */
  readonly sounds?: SoundPort;
  /** WebSockets of media streams; absent: there are none. */
  readonly remote?: RemotePort;
  /** Where recordings are written; absent: each fails. */
  readonly recordings?: RecordingPort;
  /** First and last UDP port, inclusive. */
  readonly ports: readonly [number, number];
  /** Hears every event. Called synchronously; it must not call back into the engine. */
  readonly emit: (event: MediaEvent) => void;
  /** How long an active leg may hear nothing is for the operator to say. */
  readonly limits: Pick<MediaLimits, 'rtpTimeoutMs'> & Partial<MediaLimits>;
}

export const DEFAULT_LIMITS: Omit<MediaLimits, 'rtpTimeoutMs'> = {
  heldTimeoutMs: 3_600_000,
  iceSetupMs: 30_000,
  consentMs: 30_000,
  dtlsSetupMs: 15_000,
  oneWayMs: 10_000,
};
