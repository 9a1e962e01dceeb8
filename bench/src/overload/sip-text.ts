/** SIP as text, as fast and as lenient as a load generator needs it. */

export interface Peer {
  readonly transport: 'UDP' | 'TCP';
  readonly host: string;
  readonly port: number;
  send(text: string): void;
}

/** The values of a header, one a line, in order. */
export function lines(text: string, name: string): string[] {
  const found: string[] = [];
  const lower = text.toLowerCase();
  const mark = `\r\n${name.toLowerCase()}:`;
  for (let at = lower.indexOf(mark); at >= 0; at = lower.indexOf(mark, at + 2)) {
    const end = text.indexOf('\r\n', at + 2);
    found.push(text.slice(at + mark.length, end).trim());
  }
  return found;
}

export const first = (text: string, name: string): string => lines(text, name)[0] ?? '';

/** The status of a response, 0 for a request. */
export const statusOf = (text: string): number =>
  text.startsWith('SIP/2.0 ') ? Number(text.slice(8, 11)) : 0;

export const methodOf = (text: string): string => text.slice(0, text.indexOf(' '));

export const tagOf = (value: string): string => /;tag=([^;>\s]+)/i.exec(value)?.[1] ?? '';

export const uriOf = (value: string): string => /<([^>]+)>/.exec(value)?.[1] ?? value;

export function message(start: string, headers: readonly string[], body = ''): string {
  return `${start}\r\n${headers.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** A response that gives back what it must (RFC 3261 §8.2.6). */
export function answer(
  request: string,
  status: string,
  tag: string,
  more: readonly string[] = [],
  body = '',
): string {
  const to = first(request, 'To');
  return message(
    `SIP/2.0 ${status}`,
    [
      ...lines(request, 'Via').map((via) => `Via: ${via}`),
      ...lines(request, 'Record-Route').map((route) => `Record-Route: ${route}`),
      `From: ${first(request, 'From')}`,
      `To: ${tagOf(to) === '' ? `${to};tag=${tag}` : to}`,
      `Call-ID: ${first(request, 'Call-ID')}`,
      `CSeq: ${first(request, 'CSeq')}`,
      ...more,
    ],
    body,
  );
}

export const SDP = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 9 RTP/AVP 0 101',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:101 telephone-event/8000',
  '',
].join('\r\n');

/** What waits for an answer and is sent again meanwhile (timers A and E: 500 ms, then twice as long each time). */
export class Repeats {
  readonly #waiting = new Map<string, { at: number; interval: number; readonly send: () => void }>();
  repeated = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  readonly #now: () => number;

  start(key: string, send: () => void): void {
    send();
    this.#waiting.set(key, { at: this.#now() + 500, interval: 500, send });
  }

  stop(key: string): void {
    this.#waiting.delete(key);
  }

  tick(): void {
    const now = this.#now();
    for (const [key, entry] of this.#waiting) {
      if (entry.at > now) continue;
      if (entry.interval > 8000) {
        this.#waiting.delete(key);
        continue;
      }
      entry.interval *= 2;
      entry.at = now + entry.interval;
      this.repeated += 1;
      entry.send();
    }
  }
}
