/** SIP messages read back from SIPp's message trace, for assertions; a reader of the tests' own. */

export interface TracedMessage {
  readonly direction: 'sent' | 'received';
  /** `INVITE sip:… SIP/2.0` or `SIP/2.0 200 OK`. */
  readonly startLine: string;
  /** Method of a request, or status of a response as text. */
  readonly what: string;
  /** Names in lower case; several values in the order they came. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: string;
}

export const header = (message: TracedMessage, name: string): string | undefined =>
  message.headers.get(name.toLowerCase())?.[0];

function parseMessage(direction: TracedMessage['direction'], text: string): TracedMessage | undefined {
  const split = text.indexOf('\r\n\r\n');
  const head = split < 0 ? text : text.slice(0, split);
  const [startLine, ...lines] = head.split('\r\n');
  if (startLine === undefined) return undefined;
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
  }
  const words = startLine.split(' ');
  const what = (startLine.startsWith('SIP/2.0 ') ? words[1] : words[0]) ?? '';
  return { direction, startLine, what, headers, body: split < 0 ? '' : text.slice(split + 4) };
}

/** All whole messages of a trace file; bytes are counted by the trace's own length line. */
export function parseTrace(file: Buffer): TracedMessage[] {
  const text = file.toString('latin1');
  const mark = /UDP message (sent|received) (?:\((\d+) bytes\)|\[(\d+)\] bytes ?):\r?\n\r?\n/g;
  const out: TracedMessage[] = [];
  for (let found = mark.exec(text); found !== null; found = mark.exec(text)) {
    const length = Number(found[2] ?? found[3]);
    const at = found.index + found[0].length;
    if (at + length > text.length) break;
    const message = parseMessage(found[1] === 'sent' ? 'sent' : 'received', text.slice(at, at + length));
    if (message !== undefined) out.push(message);
    mark.lastIndex = at + length;
  }
  return out;
}

/** What a session description says about its first audio stream. */
export interface AudioDescription {
  readonly host: string;
  readonly port: number;
  readonly payloadTypes: readonly number[];
  /** Payload type by `NAME/clock` in upper case, for example `OPUS/48000`. */
  readonly formats: Readonly<Record<string, number>>;
  readonly direction: string;
}

export function audioOf(sdp: string): AudioDescription | undefined {
  const media = /m=audio (\d+) [A-Z/]+ ([\d ]+)/.exec(sdp);
  if (media === null) return undefined;
  const section = sdp.slice(media.index).split(/\r?\nm=/)[0] ?? '';
  const formats: Record<string, number> = { 'PCMU/8000': 0, 'PCMA/8000': 8, 'G722/8000': 9 };
  for (const [, pt, name, clock] of section.matchAll(/a=rtpmap:(\d+) ([A-Za-z0-9.-]+)\/(\d+)/g))
    formats[`${name!.toUpperCase()}/${clock}`] = Number(pt);
  const host = /c=IN IP[46] (\S+)/.exec(section)?.[1] ?? /c=IN IP[46] (\S+)/.exec(sdp)?.[1] ?? '';
  const direction = /a=(sendrecv|sendonly|recvonly|inactive)/.exec(section)?.[1] ?? 'sendrecv';
  return {
    host,
    port: Number(media[1]),
    payloadTypes: media[2]!.trim().split(' ').map(Number),
    formats,
    direction,
  };
}
