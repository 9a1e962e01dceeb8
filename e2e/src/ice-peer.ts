import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import {
  classify,
  createSrtpSession,
  type DtlsEndpoint,
  type DtlsFactory,
  newRtpHeader,
  parseStun,
  readRtp,
  type SrtpSession,
  verifyIntegrity,
  writeRtp,
  writeStun,
} from '@sidetone/rtc';
import { until } from './wait.ts';

/** RFC 8489 §18.2, RFC 8445 §16.1. */
const BINDING = 1;
const USERNAME = 0x0006;
const PRIORITY = 0x0024;
const USE_CANDIDATE = 0x0025;
const ICE_CONTROLLING = 0x802a;

/** Until there is an answer, and then for consent (RFC 7675 §5.1). */
const CHECK_MS = 100;
const CONSENT_MS = 4_000;
const DIGIT_STEPS = 8;

/**
 * The media of a browser, without one: a full ICE agent with one candidate that controls, DTLS-SRTP, PCMU. It runs on the product's own
 * codec of STUN, DTLS and SRTP, and is cheap enough to have fifty of.
 */
export class IcePeer {
  readonly port: number;
  /** Authenticated RTP packets that came, and when the last did (process clock, ms). */
  packets = 0;
  lastAt = 0;
  /** Gets the payload of each. */
  onPayload: ((payload: Uint8Array) => void) | undefined;
  readonly #socket: Socket;
  readonly #dtls: DtlsFactory;
  readonly #ufrag = randomBytes(4).toString('hex');
  readonly #pwd = randomBytes(16).toString('hex');
  readonly #tieBreaker = randomBytes(8);
  readonly #ssrc = randomBytes(4).readUInt32BE();
  readonly #header = newRtpHeader();
  readonly #payload = new Uint8Array(160);
  #remote: { ufrag: string; pwd: string; host: string; port: number; events: number | undefined } | undefined;
  #endpoint: DtlsEndpoint | undefined;
  #srtp: SrtpSession | undefined;
  #checks: NodeJS.Timeout | undefined;
  #consented = false;
  #closed = false;
  #sequence = 1;
  #timestamp = 8_000;
  #digit: { event: number; step: number; timestamp: number } | undefined;

  private constructor(socket: Socket, dtls: DtlsFactory) {
    this.#socket = socket;
    this.#dtls = dtls;
    this.port = socket.address().port;
    socket.on('message', (packet) => this.#receive(packet));
  }

  static async open(dtls: DtlsFactory, address: string): Promise<IcePeer> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(0, address, () => resolve());
    });
    return new IcePeer(socket, dtls);
  }

  /** What its packets say: any bytes, since a relayed PCMU payload is compared as it is; or the next 20 ms. */
  say(what: number | Uint8Array): void {
    if (typeof what === 'number') this.#payload.fill(what);
    else this.#payload.set(what);
  }

  /** Goes on where another one was: what it says, who listens to it, what it has counted. */
  follow(other: IcePeer): void {
    this.#payload.set(other.#payload);
    this.onPayload = other.onPayload;
    this.packets += other.packets;
  }

  description(type: 'offer' | 'answer', direction = 'sendrecv'): string {
    const { address } = this.#socket.address();
    return [
      'v=0',
      `o=- ${this.#ssrc} 1 IN IP4 127.0.0.1`,
      's=-',
      't=0 0',
      'a=group:BUNDLE 0',
      'm=audio 9 UDP/TLS/RTP/SAVPF 0 101',
      'c=IN IP4 0.0.0.0',
      `a=candidate:1 1 udp 2113937151 ${address} ${this.port} typ host`,
      `a=ice-ufrag:${this.#ufrag}`,
      `a=ice-pwd:${this.#pwd}`,
      `a=fingerprint:sha-256 ${this.#dtls.fingerprint}`,
      `a=setup:${type === 'offer' ? 'actpass' : 'active'}`,
      'a=mid:0',
      `a=${direction}`,
      'a=rtcp-mux',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      '',
    ].join('\r\n');
  }

  /** Goes to work with the other side's description. The first counts; later ones change nothing here. */
  connect(sdp: string): void {
    if (this.#remote !== undefined) return;
    const line = (pattern: RegExp): string => pattern.exec(sdp)?.[1] ?? '';
    const own = this.#socket.address().address;
    const candidates = [...sdp.matchAll(/a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host/gi)];
    const candidate = candidates.find(([, host]) => host === own) ?? candidates[0];
    if (candidate === undefined) throw new Error(`no candidate in\n${sdp}`);
    const events = line(/a=rtpmap:(\d+) telephone-event\/8000/i);
    this.#remote = {
      ufrag: line(/a=ice-ufrag:(\S+)/),
      pwd: line(/a=ice-pwd:(\S+)/),
      host: candidate[1]!,
      port: Number(candidate[2]),
      events: events === '' ? undefined : Number(events),
    };
    const client = line(/a=setup:(\S+)/) !== 'active';
    this.#endpoint = this.#dtls.create({
      fingerprints: [{ hash: 'sha-256', value: line(/a=fingerprint:sha-256 (\S+)/i) }],
      send: (datagram) => this.#send(datagram, datagram.length),
      connected: (result) => {
        this.#srtp = createSrtpSession({
          profile: result.profile,
          keys: { local: result.localKeys, remote: result.remoteKeys },
        });
      },
      failed: (why) => {
        throw new Error(`DTLS of a test client failed: ${why}`);
      },
    });
    this.#check();
    this.#checks = setInterval(() => this.#check(), CHECK_MS);
    this.#role = client ? 'client' : 'server';
  }

  #role: 'client' | 'server' = 'client';
  #checkedAt = 0;

  #check(): void {
    const remote = this.#remote!;
    if (this.#consented && performance.now() - this.#checkedAt < CONSENT_MS) return;
    this.#checkedAt = performance.now();
    const draft = {
      class: 'request',
      method: BINDING,
      transactionId: new Uint8Array(randomBytes(12)),
      attributes: [
        [USERNAME, Buffer.from(`${remote.ufrag}:${this.#ufrag}`)],
        [PRIORITY, Buffer.from([0x7e, 0, 0, 0xff])],
        [ICE_CONTROLLING, this.#tieBreaker],
        [USE_CANDIDATE, new Uint8Array(0)],
      ] as [number, Uint8Array][],
    } as const;
    const bytes = writeStun(draft, Buffer.from(remote.pwd));
    this.#send(bytes, bytes.length);
  }

  #receive(packet: Buffer): void {
    const kind = classify(packet);
    if (kind === 'dtls') this.#endpoint?.receive(packet);
    else if (kind === 'stun') this.#heardStun(packet);
    else if (kind === 'rtp' && this.#srtp !== undefined) {
      const length = this.#srtp.unprotectRtp(packet, packet.length);
      if (length <= 0 || !readRtp(packet, length, this.#header)) return;
      this.packets += 1;
      this.lastAt = performance.now();
      const { payloadOffset, payloadLength } = this.#header;
      this.onPayload?.(packet.subarray(payloadOffset, payloadOffset + payloadLength));
    }
  }

  #heardStun(packet: Buffer): void {
    const parsed = parseStun(packet);
    if (!parsed.ok || parsed.value.class !== 'success' || this.#consented) return;
    if (!verifyIntegrity(parsed.value, Buffer.from(this.#remote!.pwd))) return;
    this.#consented = true;
    this.#endpoint?.start(this.#role);
  }

  get ready(): boolean {
    return this.#srtp !== undefined;
  }

  async connected(): Promise<void> {
    await until('the DTLS handshake of a test client', () => this.ready);
  }

  /** Sends the next 20 ms. */
  frame(): void {
    const srtp = this.#srtp;
    if (srtp === undefined) return;
    this.#timestamp = (this.#timestamp + 160) >>> 0;
    const digit = this.#digit;
    const events = this.#remote?.events;
    if (digit !== undefined && events !== undefined) {
      const duration = Math.min(digit.step, DIGIT_STEPS - 3) * 160;
      const end = digit.step > DIGIT_STEPS - 3 ? 0x80 : 0;
      const payload = Uint8Array.of(digit.event, end | 10, duration >> 8, duration & 0xff);
      this.#packet(srtp, events, digit.step === 1, digit.timestamp, payload);
      this.#digit = digit.step === DIGIT_STEPS ? undefined : { ...digit, step: digit.step + 1 };
    } else this.#packet(srtp, 0, false, this.#timestamp, this.#payload);
  }

  /** Sends a digit as an RFC 4733 event with the coming frames. */
  press(digit: string): void {
    this.#digit = { event: '0123456789*#ABCD'.indexOf(digit), step: 1, timestamp: this.#timestamp };
  }

  /** Is a digit on its way? */
  get pressing(): boolean {
    return this.#digit !== undefined;
  }

  #packet(srtp: SrtpSession, type: number, marker: boolean, timestamp: number, payload: Uint8Array): void {
    const packet = new Uint8Array(12 + payload.length + srtp.rtpOverhead);
    writeRtp(packet, 0, type, marker, this.#sequence, timestamp, this.#ssrc);
    packet.set(payload, 12);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const sealed = srtp.protectRtp(packet, 12 + payload.length);
    if (sealed > 0) this.#send(packet, sealed);
  }

  #send(bytes: Uint8Array, length: number): void {
    if (this.#closed) return;
    const remote = this.#remote!;
    this.#socket.send(bytes, 0, length, remote.port, remote.host);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#checks);
    this.#endpoint?.close();
    this.#socket.close();
  }
}
