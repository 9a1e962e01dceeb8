import { X509Certificate } from 'node:crypto';
import type {
  DtlsEndpoint,
  DtlsFactory,
  DtlsFailure,
  DtlsOptions,
  DtlsRole,
  SrtpProfile,
} from '@sidetone/rtc';
import {
  CipherContext,
  DtlsClient,
  DtlsServer,
  HashAlgorithm,
  NamedCurveAlgorithm,
  SignatureAlgorithm,
} from 'werift';
import { epoch } from '../clock.ts';
import { HandshakeProof } from './proof.ts';
import { CONTENT, type HandshakeMessage, HandshakeReader, readRecords, writeRecord } from './records.ts';

/*
 * The DTLS port on werift's handshake. werift makes and understands the messages and derives the keys; everything that a
 * hostile or lossy network touches is done here, because its own is too trusting (`proof.ts`) or absent:
 *
 *   datagram ─▶ records ─▶ whole messages in order ─▶ proof ─▶ werift ─▶ our flight ─▶ datagrams
 *                              │ one seen before                              ▲
 *                              └──────────────── send the last flight again ──┤
 *                                                  timer, doubling ───────────┘     (RFC 6347 §4.2.4)
 *
 * After the handshake nothing reaches werift any more: keys that are established are never replaced.
 */

export interface WeriftDtlsOptions {
  /** First retransmission, in milliseconds; doubles up to 15 times that. Default 200. */
  readonly retransmitMs?: number;
  /** From the first datagram to the end. Default 15,000. */
  readonly timeoutMs?: number;
  /** Handshakes at the same time, at least two (the first one is with ourselves); more wait for a place. Default 256. */
  readonly maxHandshakes?: number;
  /** What we take, most wanted first. Default AES-CM, then GCM: both are sound, and the first costs us less. */
  readonly profiles?: readonly SrtpProfile[];
}

interface Settings extends Required<WeriftDtlsOptions> {
  readonly certificate: { readonly certPem: string; readonly keyPem: string };
  /** Handshakes under way. */
  readonly active: Set<Endpoint>;
}

const P256_SHA256 = { hash: HashAlgorithm.sha256_4, signature: SignatureAlgorithm.ecdsa_3 };

/** RFC 5764 §4.1.2 and RFC 7714 §14.2. */
const PROFILES: Readonly<Record<SrtpProfile, { readonly id: 1 | 7; readonly saltLength: number }>> = {
  AES_CM_128_HMAC_SHA1_80: { id: 1, saltLength: 14 },
  AEAD_AES_128_GCM: { id: 7, saltLength: 12 },
};

/** Makes the process's certificate, and one handshake with itself so that the first caller does not wait for a cold start. */
export async function createWeriftDtls(options: WeriftDtlsOptions = {}): Promise<DtlsFactory> {
  const certificate = await CipherContext.createSelfSignedCertificateWithKey(
    P256_SHA256,
    NamedCurveAlgorithm.secp256r1_23,
  );
  const settings: Settings = {
    retransmitMs: options.retransmitMs ?? 200,
    timeoutMs: options.timeoutMs ?? 15_000,
    maxHandshakes: options.maxHandshakes ?? 256,
    profiles: options.profiles ?? ['AES_CM_128_HMAC_SHA1_80', 'AEAD_AES_128_GCM'],
    certificate,
    active: new Set(),
  };
  const factory: DtlsFactory = {
    fingerprint: new X509Certificate(certificate.certPem).fingerprint256,
    create: (endpoint) => new Endpoint(endpoint, settings),
  };
  // The patience asked for is for peers; our own first handshake compiles code and may take longer.
  const patient: Settings = { ...settings, retransmitMs: 200, timeoutMs: 15_000, active: new Set() };
  await warmUp({ ...factory, create: (endpoint) => new Endpoint(endpoint, patient) });
  return factory;
}

function warmUp(factory: DtlsFactory): Promise<void> {
  return new Promise((resolve, reject) => {
    const fingerprints = [{ hash: 'sha-256', value: factory.fingerprint }];
    let open = 2;
    const end = (to: () => DtlsEndpoint): DtlsEndpoint =>
      factory.create({
        fingerprints,
        send: (datagram) => setImmediate(() => to().receive(datagram)),
        connected: () => {
          if (--open > 0) return;
          client.close();
          server.close();
          resolve();
        },
        failed: (reason) => reject(new Error(`DTLS self-handshake: ${reason}`)),
      });
    const server: DtlsEndpoint = end(() => client);
    const client: DtlsEndpoint = end(() => server);
    server.start('server');
    client.start('client');
  });
}

/** Bytes of a datagram below which no path of today fragments. */
const MTU = 1200;
/** Flights sent again, by timer or on request, in all. */
const MAX_REPEATS = 24;
const MAX_HELD = 4;

class Endpoint implements DtlsEndpoint {
  readonly #options: DtlsOptions;
  readonly #settings: Settings;
  readonly #incoming = new HandshakeReader();
  readonly #outgoing = new HandshakeReader();
  #state: 'new' | 'waiting' | 'handshaking' | 'connected' | 'over' = 'new';
  #proof: HandshakeProof | undefined;
  #socket: DtlsClient | DtlsServer | undefined;
  #toWerift: (datagram: Buffer) => void = () => {};
  /** Our last flight, and the buffers of werift that were in any: it sends the same ones again by timers of its own. */
  #flight: Buffer[] = [];
  readonly #seen = new WeakSet<Buffer>();
  #answered = true;
  #flushing = false;
  #recordSequence = 0;
  #repeats = 0;
  #timer: NodeJS.Timeout | undefined;
  #timeout: NodeJS.Timeout | undefined;
  /** Encrypted records that came before the keys. */
  #held: { sequence: number; body: Buffer; version: number }[] = [];

  constructor(options: DtlsOptions, settings: Settings) {
    this.#options = options;
    this.#settings = settings;
  }

  start(role: DtlsRole): void {
    if (this.#state !== 'new') return;
    const fingerprints = this.#options.fingerprints
      .filter((f) => f.hash.toLowerCase() === 'sha-256')
      .map((f) => f.value.toUpperCase());
    this.#proof = new HandshakeProof(role, fingerprints, epoch);
    this.#state = 'waiting';
    if (fingerprints.length === 0) queueMicrotask(() => this.#fail('fingerprint'));
    else if (role === 'server') this.#socket = this.#open(DtlsServer);
    else this.#connect();
  }

  receive(datagram: Uint8Array): void {
    if (this.#state === 'new' || this.#state === 'over' || this.#socket === undefined) return;
    if (this.#state === 'waiting' && !this.#begin()) return;
    // Fragments and bodies outlive the call.
    const bytes = Buffer.from(datagram);
    let repeated = false;
    for (const record of readRecords(bytes)) {
      if (record.contentType !== CONTENT.handshake) continue;
      if (record.epoch === 0) repeated = this.#take(record.body, false) || repeated;
      else if (record.epoch === 1) {
        this.#held.push({ sequence: record.sequence, body: record.body, version: bytes.readUInt16BE(1) });
        if (this.#held.length > MAX_HELD) this.#held.shift();
      }
    }
    repeated = this.#decrypt() || repeated;
    if (repeated) this.#repeat();
  }

  close(): void {
    this.#end();
  }

  /** Takes a place among the handshakes under way; `false`: none is free. */
  #begin(): boolean {
    const { active, maxHandshakes, timeoutMs } = this.#settings;
    if (active.size >= maxHandshakes) return false;
    active.add(this);
    this.#state = 'handshaking';
    this.#timeout = setTimeout(() => this.#fail('timeout'), timeoutMs);
    return true;
  }

  #connect(): void {
    if (this.#state !== 'waiting') return;
    if (!this.#begin()) {
      this.#timer = setTimeout(() => this.#connect(), this.#settings.retransmitMs);
      return;
    }
    const client = this.#open(DtlsClient);
    this.#socket = client;
    client.connect().catch(() => this.#fail('handshake'));
  }

  #open<T extends DtlsClient | DtlsServer>(
    Kind: new (options: ConstructorParameters<typeof DtlsServer>[0]) => T,
  ): T {
    const send = (buffer: Buffer): Promise<void> => {
      this.#collect(buffer);
      return Promise.resolve();
    };
    const transport = {
      type: 'port',
      address: { address: '', port: 0, family: 'IPv4' },
      closed: false,
      onData: (_: Buffer): void => {},
      send,
      close: () => Promise.resolve(),
    };
    const socket = new Kind({
      transport,
      cert: this.#settings.certificate.certPem,
      key: this.#settings.certificate.keyPem,
      signatureHash: P256_SHA256,
      srtpProfiles: this.#settings.profiles.map((name) => PROFILES[name].id),
      certificateRequest: Kind === (DtlsServer as unknown),
      extendedMasterSecret: true,
    });
    this.#toWerift = (datagram) => transport.onData(datagram);
    socket.onConnect.subscribe(() => this.#finish());
    socket.onError.subscribe(() => this.#fail('handshake'));
    return socket;
  }

  /** Plaintext of a handshake record; `true`: it repeated something. */
  #take(plaintext: Buffer, encrypted: boolean): boolean {
    const { messages, repeated } = this.#incoming.push(plaintext, encrypted);
    for (const message of messages) {
      if (this.#state !== 'handshaking') break;
      const failure = this.#proof!.received(message, () => this.#socket?.cipher.masterSecret);
      if (failure !== null) {
        this.#fail(failure);
        break;
      }
      this.#deliver(message);
    }
    return repeated;
  }

  #deliver(message: HandshakeMessage): void {
    this.#answered = true;
    try {
      this.#toWerift(writeRecord(message.bytes));
    } catch {
      this.#fail('handshake');
    }
  }

  /** Opens what is held, once there are keys. A wrong tag is a forgery: it is dropped, not a failure. */
  #decrypt(): boolean {
    const cipher = this.#socket?.cipher;
    if (cipher?.cipher === undefined) return false;
    let repeated = false;
    const held = this.#held;
    this.#held = [];
    for (const { sequence, body, version } of held) {
      if (this.#state === 'connected') {
        repeated = true;
        continue;
      }
      if (body.length < 24) continue;
      try {
        const plaintext = cipher.cipher.decrypt(cipher.sessionType, body, {
          type: CONTENT.handshake,
          version,
          epoch: 1,
          sequenceNumber: sequence,
        });
        repeated = this.#take(plaintext, true) || repeated;
      } catch {}
    }
    return repeated;
  }

  /** One buffer from werift: a message or more of our flight. */
  #collect(buffer: Buffer): void {
    if (this.#state !== 'handshaking' || this.#seen.has(buffer)) return;
    this.#seen.add(buffer);
    if (this.#answered) this.#flight = [];
    this.#answered = false;
    this.#flight.push(buffer);
    for (const record of readRecords(buffer)) {
      if (record.contentType !== CONTENT.handshake || record.epoch !== 0) continue;
      for (const message of this.#outgoing.push(record.body, false).messages) this.#proof!.sent(message);
    }
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      if (!this.#flushing) return;
      this.#flush();
      this.#decrypt();
      this.#arm(this.#settings.retransmitMs);
    });
  }

  /** Sends the flight in as few datagrams as it fits. Plaintext records get fresh numbers, so that no replay check drops them. */
  #flush(): void {
    this.#flushing = false;
    let datagram: Buffer[] = [];
    let size = 0;
    for (const { bytes, epoch } of this.#flight.flatMap(readRecords)) {
      if (epoch === 0) bytes.writeUIntBE(this.#recordSequence++, 5, 6);
      if (size + bytes.length > MTU && size > 0) {
        this.#options.send(Buffer.concat(datagram));
        datagram = [];
        size = 0;
      }
      datagram.push(bytes);
      size += bytes.length;
    }
    if (size > 0) this.#options.send(Buffer.concat(datagram));
  }

  #arm(delay: number): void {
    clearTimeout(this.#timer);
    if (this.#state !== 'handshaking') return;
    this.#timer = setTimeout(() => {
      this.#repeat();
      this.#arm(Math.min(delay * 2, this.#settings.retransmitMs * 15));
    }, delay);
  }

  #repeat(): void {
    if (this.#state === 'over' || this.#flight.length === 0 || this.#repeats >= MAX_REPEATS) return;
    this.#repeats++;
    this.#flush();
  }

  /** werift has what it wants; the proof decides. */
  #finish(): void {
    if (this.#state !== 'handshaking') return;
    const socket = this.#socket!;
    const remoteFingerprint = this.#proof!.remoteFingerprint;
    const profile = this.#settings.profiles.find((name) => PROFILES[name].id === socket.srtp.srtpProfile);
    // RFC 7627 §5.2: without the extended master secret the keys are not bound to this handshake.
    if (remoteFingerprint === undefined || !socket.dtls.remoteExtendedMasterSecret)
      return this.#fail('handshake');
    if (profile === undefined) return this.#fail('profile');
    if (this.#flushing) this.#flush();
    this.#leave('connected');
    const keys = socket.extractSessionKeys(16, PROFILES[profile].saltLength);
    this.#options.connected({
      profile,
      localKeys: { key: keys.localKey, salt: keys.localSalt },
      remoteKeys: { key: keys.remoteKey, salt: keys.remoteSalt },
      remoteFingerprint,
    });
  }

  #fail(reason: DtlsFailure): void {
    if (this.#state === 'connected' || this.#state === 'over') return;
    this.#end();
    this.#options.failed(reason);
  }

  #end(): void {
    this.#leave('over');
    this.#flight = [];
    this.#held = [];
  }

  #leave(to: 'connected' | 'over'): void {
    this.#state = to;
    clearTimeout(this.#timer);
    clearTimeout(this.#timeout);
    this.#settings.active.delete(this);
    // Ends werift's own retransmission loops at their next turn.
    if (this.#socket !== undefined) this.#socket.dtls.flight = Number.MAX_SAFE_INTEGER;
  }
}
