import { parseMessage } from '@sidetone/sip';

/**
 * INVITEs of the house that the carrier lets ring. A CANCEL leaves only behind a provisional response (RFC 3261 §9.1), so where the network has
 * lost every answer of the carrier nobody tells it, and it rings until its own limit. That is the only way to get there.
 */
export class Rings {
  /** Call-IDs of which a living process has heard an answer of the carrier. */
  readonly #heard = new Set<string>();
  /** Those that ended so as they may. */
  excused = 0;
  readonly problems: string[] = [];

  /** Bytes of the carrier reach a living process. */
  heard(bytes: Uint8Array): void {
    const parsed = parseMessage(bytes);
    if (!parsed.ok || parsed.value.kind !== 'response') return;
    const { cseq, callId } = parsed.value.headers;
    if (cseq.method === 'INVITE') this.#heard.add(callId);
  }

  /** The carrier has waited for a CANCEL for as long as it rings. */
  rungOut(callId: string): void {
    if (this.#heard.has(callId))
      this.problems.push(`the house let ${callId} ring, although it could cancel it`);
    else this.excused += 1;
  }
}
