/**
 * The wire of DTLS 1.2 (RFC 6347 §4.1, §4.2.2) as far as the handshake needs it: datagrams to records, fragments to whole
 * messages in order. Total and bounded; werift's own reading trusts lengths, keeps fragments without limit and joins
 * whatever has arrived, so it only ever sees what has passed here.
 */

export const CONTENT = { handshake: 22 } as const;
export const MESSAGE = {
  clientHello: 1,
  serverHello: 2,
  helloVerifyRequest: 3,
  certificate: 11,
  serverKeyExchange: 12,
  certificateVerify: 15,
  finished: 20,
} as const;

const RECORD_HEADER = 13;
const MESSAGE_HEADER = 12;

export interface DtlsRecord {
  readonly contentType: number;
  readonly epoch: number;
  /** 48 bits. */
  readonly sequence: number;
  readonly body: Buffer;
  /** Header and body. */
  readonly bytes: Buffer;
}

/** The records of a datagram, up to the first that does not fit. */
export function readRecords(datagram: Buffer): DtlsRecord[] {
  const out: DtlsRecord[] = [];
  for (let at = 0; at + RECORD_HEADER <= datagram.length; ) {
    const end = at + RECORD_HEADER + datagram.readUInt16BE(at + 11);
    // DTLS 1.0 (fe ff) is what the first hello may carry (§4.2.1), 1.2 is fe fd.
    const version = datagram.readUInt16BE(at + 1);
    if (end > datagram.length || (version !== 0xfeff && version !== 0xfefd)) break;
    out.push({
      contentType: datagram[at]!,
      epoch: datagram.readUInt16BE(at + 3),
      sequence: datagram.readUIntBE(at + 5, 6),
      body: datagram.subarray(at + RECORD_HEADER, end),
      bytes: datagram.subarray(at, end),
    });
    at = end;
  }
  return out;
}

/** A plaintext handshake record around `body`. */
export function writeRecord(body: Buffer): Buffer {
  const header = Buffer.alloc(RECORD_HEADER);
  header[0] = CONTENT.handshake;
  header.writeUInt16BE(0xfefd, 1);
  header.writeUInt16BE(body.length, 11);
  return Buffer.concat([header, body]);
}

/** One whole handshake message. `bytes` is header and body as the transcript hashes it: unfragmented (§4.2.6). */
export interface HandshakeMessage {
  readonly type: number;
  readonly sequence: number;
  readonly encrypted: boolean;
  readonly body: Buffer;
  readonly bytes: Buffer;
}

/** A Certificate is the longest message; ours and browsers' are below 1 KiB, chains a few. */
const MAX_MESSAGE = 16_384;
/** Messages of the next flight that may arrive before the first of it. */
const MAX_AHEAD = 8;

interface Partial {
  readonly type: number;
  readonly encrypted: boolean;
  readonly body: Buffer;
  readonly filled: Uint8Array;
  missing: number;
}

/** Puts fragments of one direction together and hands out whole messages in the order of their numbers. */
export class HandshakeReader {
  #next = 0;
  readonly #partial = new Map<number, Partial>();

  /**
   * Takes the plaintext of one handshake record. `repeated`: it held (a part of) a message that was handed out before,
   * so the other side has not heard our answer.
   */
  push(plaintext: Buffer, encrypted: boolean): { messages: HandshakeMessage[]; repeated: boolean } {
    let repeated = false;
    for (let at = 0; at + MESSAGE_HEADER <= plaintext.length; ) {
      const length = plaintext.readUIntBE(at + 1, 3);
      const sequence = plaintext.readUInt16BE(at + 4);
      const offset = plaintext.readUIntBE(at + 6, 3);
      const size = plaintext.readUIntBE(at + 9, 3);
      const end = at + MESSAGE_HEADER + size;
      if (end > plaintext.length || offset + size > length || length > MAX_MESSAGE) break;
      if (sequence < this.#next) repeated = true;
      else if (sequence < this.#next + MAX_AHEAD) {
        const fragment = plaintext.subarray(at + MESSAGE_HEADER, end);
        this.#add(plaintext[at]!, sequence, length, offset, fragment, encrypted);
      }
      at = end;
    }
    return { messages: this.#take(), repeated };
  }

  #add(
    type: number,
    sequence: number,
    length: number,
    offset: number,
    fragment: Buffer,
    encrypted: boolean,
  ): void {
    let partial = this.#partial.get(sequence);
    if (partial === undefined) {
      const body = Buffer.alloc(length);
      partial = { type, encrypted, body, filled: new Uint8Array(length), missing: length };
      this.#partial.set(sequence, partial);
    }
    if (partial.type !== type || partial.body.length !== length || partial.encrypted !== encrypted) return;
    for (let i = 0; i < fragment.length; i++) {
      // The first copy of a byte stays: a later fragment cannot rewrite it.
      if (partial.filled[offset + i] === 1) continue;
      partial.filled[offset + i] = 1;
      partial.body[offset + i] = fragment[i]!;
      partial.missing--;
    }
  }

  #take(): HandshakeMessage[] {
    const out: HandshakeMessage[] = [];
    for (let p = this.#partial.get(this.#next); p?.missing === 0; p = this.#partial.get(this.#next)) {
      const { type, encrypted, body } = p;
      out.push({
        type,
        sequence: this.#next,
        encrypted,
        body,
        bytes: wholeMessage(type, this.#next, body),
      });
      this.#partial.delete(this.#next);
      this.#next++;
    }
    return out;
  }
}

export function wholeMessage(type: number, sequence: number, body: Buffer): Buffer {
  const header = Buffer.alloc(MESSAGE_HEADER);
  header[0] = type;
  header.writeUIntBE(body.length, 1, 3);
  header.writeUInt16BE(sequence, 4);
  header.writeUIntBE(body.length, 9, 3);
  return Buffer.concat([header, body]);
}
