import { parseMessage, type SipMessage } from '@sidetone/sip';

interface Exchange {
  /** Copies of the 2xx that arrived. */
  answers: number;
  /** ACKs that left for them. */
  acks: number;
  /** One of them reached a living process. */
  heard: boolean;
}

const isAck = (message: SipMessage): boolean => message.kind === 'request' && message.method === 'ACK';
const isAnswer = (message: SipMessage): boolean =>
  message.kind === 'response' &&
  message.headers.cseq.method === 'INVITE' &&
  message.status >= 200 &&
  message.status < 300;

/** What becomes of the 2xx that the house sends to the carrier, and of their ACKs. */
export class Acks {
  readonly #exchanges = new Map<string, Exchange>();

  sent(bytes: Uint8Array): void {
    this.#note(bytes, isAnswer, () => {}, true);
  }

  arrived(bytes: Uint8Array): void {
    this.#note(bytes, isAnswer, (exchange) => (exchange.answers += 1));
  }

  acked(bytes: Uint8Array): void {
    this.#note(bytes, isAck, (exchange) => (exchange.acks += 1));
  }

  heard(bytes: Uint8Array): void {
    this.#note(bytes, isAck, (exchange) => (exchange.heard = true));
  }

  /** The carrier has ACKed every copy of some 2xx that it got, and the network has lost all of these. */
  get lost(): boolean {
    return [...this.#exchanges.values()].some(({ answers, acks, heard }) => !heard && acks === answers);
  }

  #note(
    bytes: Uint8Array,
    isMeant: (message: SipMessage) => boolean,
    note: (exchange: Exchange) => void,
    isNew = false,
  ): void {
    const parsed = parseMessage(bytes);
    if (!parsed.ok || !isMeant(parsed.value)) return;
    const { callId, cseq } = parsed.value.headers;
    const key = `${callId} ${cseq.seq}`;
    if (isNew && !this.#exchanges.has(key)) this.#exchanges.set(key, { answers: 0, acks: 0, heard: false });
    const exchange = this.#exchanges.get(key);
    // Without a 2xx it is the ACK of a refusal.
    if (exchange !== undefined) note(exchange);
  }
}
