/** RFC 4733 events counted at the far end, by a decoder of the tests' own. */

const NAMES = '0123456789*#ABCD';

export interface HeardDigit {
  readonly digit: string;
  /** Duration in clock ticks as the last packet stated it. */
  readonly ticks: number;
  readonly ended: boolean;
  readonly packets: number;
}

/** One event is one (SSRC, RTP timestamp, code); its packets are updates and, at the end, three with the E bit. */
export class TelephoneEvents {
  readonly #events = new Map<string, { digit: string; ticks: number; ended: boolean; packets: number }>();

  packet(ssrc: number, timestamp: number, payload: Uint8Array): void {
    if (payload.length < 4) return;
    const code = payload[0]!;
    const digit = NAMES[code] ?? `(${code})`;
    const key = `${ssrc}/${timestamp}/${code}`;
    const event = this.#events.get(key) ?? { digit, ticks: 0, ended: false, packets: 0 };
    event.ticks = Math.max(event.ticks, (payload[2]! << 8) | payload[3]!);
    event.ended ||= (payload[1]! & 0x80) !== 0;
    event.packets++;
    this.#events.set(key, event);
  }

  /** In the order they began. */
  get heard(): readonly HeardDigit[] {
    return [...this.#events.values()];
  }

  /** The digits whose end was heard. */
  get digits(): string {
    return this.heard
      .filter((event) => event.ended)
      .map((event) => event.digit)
      .join('');
  }

  clear(): void {
    this.#events.clear();
  }
}

/** The payloads of one event in sending order: an update each 20 ms, then three ends. */
export function eventPayloads(digit: string, ticksPerPacket: number, updates: number): readonly Uint8Array[] {
  const code = NAMES.indexOf(digit.toUpperCase());
  if (code < 0) throw new Error(`no telephone event for ${digit}`);
  const at = (count: number, end: boolean): Uint8Array => {
    const ticks = count * ticksPerPacket;
    return Uint8Array.of(code, (end ? 0x80 : 0) | 10, ticks >> 8, ticks & 0xff);
  };
  const out = Array.from({ length: updates }, (_, i) => at(i + 1, false));
  return [...out, at(updates, true), at(updates, true), at(updates, true)];
}
