import { createHash, createHmac, timingSafeEqual, verify, X509Certificate } from 'node:crypto';
import type { DtlsFailure, DtlsRole } from '@sidetone/rtc';
import { type HandshakeMessage, MESSAGE, wholeMessage } from './records.ts';

/**
 * What makes a handshake worth its name, and what werift 0.25.2 leaves out on both sides:
 *
 *   certificate          is the one that the session description names            RFC 8122 §5
 *   possession of key    server: CertificateVerify over the transcript            RFC 5246 §7.4.8
 *                        client: the signature in ServerKeyExchange               RFC 8422 §5.4
 *   same handshake       Finished, encrypted, over the transcript                 RFC 5246 §7.4.9
 *
 * Messages come in the order they are sent and received; each must be admitted before werift sees it.
 */
export class HandshakeProof {
  readonly #role: DtlsRole;
  readonly #fingerprints: readonly string[];
  readonly #now: () => number;
  #transcript: Buffer[] = [];
  #certificate: X509Certificate | undefined;
  #possession = false;
  #clientRandom: Buffer | undefined;
  #serverRandom: Buffer | undefined;
  #complete = false;

  /** `fingerprints`: the peer's, SHA-256 only. `now`: wall clock, for the certificate's dates. */
  constructor(role: DtlsRole, fingerprints: readonly string[], now: () => number) {
    this.#role = role;
    this.#fingerprints = fingerprints;
    this.#now = now;
  }

  /** The peer's certificate, if it is proven and the handshake finished. */
  get remoteFingerprint(): string | undefined {
    return this.#complete ? this.#certificate?.fingerprint256 : undefined;
  }

  /** One of our own messages, in the clear. */
  sent(message: HandshakeMessage): void {
    this.#record(message);
  }

  /** One of the peer's messages. `masterSecret` is needed for Finished only. */
  received(message: HandshakeMessage, masterSecret: () => Buffer | undefined): DtlsFailure | null {
    const encryptedOnly = message.type === MESSAGE.finished;
    if (message.encrypted !== encryptedOnly || this.#complete) return 'handshake';
    let failure: DtlsFailure | null = null;
    switch (message.type) {
      case MESSAGE.certificate:
        failure = this.#onCertificate(message.body);
        break;
      case MESSAGE.certificateVerify:
        failure = this.#role === 'server' ? this.#onCertificateVerify(message.body) : 'handshake';
        break;
      case MESSAGE.serverKeyExchange:
        failure = this.#role === 'client' ? this.#onKeyExchange(message.body) : 'handshake';
        break;
      case MESSAGE.finished:
        failure = this.#onFinished(message, masterSecret());
        break;
    }
    if (failure === null) this.#record(message);
    return failure;
  }

  #record(message: HandshakeMessage): void {
    // RFC 6347 §4.2.1: the first hello and the request to repeat it are not part of the handshake.
    if (message.type === MESSAGE.helloVerifyRequest) {
      this.#transcript = [];
      return;
    }
    if (message.type === MESSAGE.clientHello) {
      this.#transcript = [];
      this.#clientRandom = message.body.subarray(2, 34);
    }
    if (message.type === MESSAGE.serverHello) this.#serverRandom = message.body.subarray(2, 34);
    this.#transcript.push(message.bytes);
  }

  #onCertificate(body: Buffer): DtlsFailure | null {
    if (this.#certificate !== undefined || body.length < 6) return 'handshake';
    const length = body.readUIntBE(3, 3);
    if (length === 0 || 6 + length > body.length) return 'handshake';
    try {
      this.#certificate = new X509Certificate(body.subarray(6, 6 + length));
      if (Date.parse(this.#certificate.validTo) < this.#now()) return 'handshake';
    } catch {
      return 'handshake';
    }
    return this.#fingerprints.includes(this.#certificate.fingerprint256) ? null : 'fingerprint';
  }

  #onCertificateVerify(body: Buffer): DtlsFailure | null {
    this.#possession = this.#signed(Buffer.concat(this.#transcript), body);
    return this.#possession ? null : 'handshake';
  }

  #onKeyExchange(body: Buffer): DtlsFailure | null {
    // Named curve (3), curve, point; then algorithm and signature.
    const end = 4 + (body[3] ?? 0);
    if (body[0] !== 3 || end > body.length || !this.#clientRandom || !this.#serverRandom) return 'handshake';
    const data = Buffer.concat([this.#clientRandom, this.#serverRandom, body.subarray(0, end)]);
    this.#possession = this.#signed(data, body.subarray(end));
    return this.#possession ? null : 'handshake';
  }

  /** A DigitallySigned (RFC 5246 §4.7) by the certificate's key: SHA-256 with ECDSA or RSA, as we advertise. */
  #signed(data: Buffer, signature: Buffer): boolean {
    if (this.#certificate === undefined || signature.length < 4) return false;
    const expected =
      signature.readUInt16BE(0) === 0x0403 ? 'ec' : signature.readUInt16BE(0) === 0x0401 ? 'rsa' : '';
    if (signature.length !== 4 + signature.readUInt16BE(2)) return false;
    try {
      const key = this.#certificate.publicKey;
      return key.asymmetricKeyType === expected && verify('sha256', data, key, signature.subarray(4));
    } catch {
      return false;
    }
  }

  #onFinished(message: HandshakeMessage, masterSecret: Buffer | undefined): DtlsFailure | null {
    if (!this.#possession || masterSecret === undefined) return 'handshake';
    if (this.#role === 'client') {
      // Our own Finished left encrypted; it is the message before the server's in the transcript.
      const own = verifyData(masterSecret, 'client finished', this.#transcript);
      const sequence = this.#lastOwnSequence() + 1;
      this.#transcript.push(wholeMessage(MESSAGE.finished, sequence, own));
    }
    const label = this.#role === 'client' ? 'server finished' : 'client finished';
    const expected = verifyData(masterSecret, label, this.#transcript);
    if (message.body.length !== expected.length || !timingSafeEqual(message.body, expected))
      return 'handshake';
    this.#complete = true;
    return null;
  }

  /** The last message before Finished is our own in the client's flight. */
  #lastOwnSequence(): number {
    return this.#transcript.at(-1)!.readUInt16BE(4);
  }
}

/** RFC 5246 §7.4.9 with the PRF of §5 (SHA-256). */
function verifyData(masterSecret: Buffer, label: string, transcript: readonly Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const bytes of transcript) hash.update(bytes);
  const seed = Buffer.concat([Buffer.from(label), hash.digest()]);
  const a1 = createHmac('sha256', masterSecret).update(seed).digest();
  return createHmac('sha256', masterSecret).update(a1).update(seed).digest().subarray(0, 12);
}
