import assert from 'node:assert/strict';
import type { RemoteDatagrams, RemoteEvents, RemoteLine, RemotePort, RemoteTarget } from '../src/index.ts';

/** A frame as the other end reads it. */
export interface Frame {
  readonly event: string;
  readonly stream_id?: string;
  readonly sequence_number?: string;
  readonly start?: Readonly<Record<string, unknown>>;
  readonly stop?: Readonly<Record<string, unknown>>;
  readonly media?: {
    readonly track: string;
    readonly chunk: string;
    readonly timestamp: string;
    readonly payload: string;
  };
  readonly mark?: { readonly name: string };
  readonly dtmf?: { readonly digit: string };
  readonly payload?: { readonly code: number; readonly title: string; readonly detail: string };
}

/** The other end of a WebSocket, which the test speaks for. */
export class FakeLine implements RemoteLine {
  readonly url: string;
  readonly token: string | undefined;
  readonly events: RemoteEvents;
  waiting = 0;
  readonly bytes: Uint8Array[] = [];
  closed = false;
  #sent: string[] = [];

  constructor(url: string, token: string | undefined, events: RemoteEvents) {
    this.url = url;
    this.token = token;
    this.events = events;
  }

  send(text: string): void {
    assert.ok(!this.closed, 'sent to a closed line');
    this.#sent.push(text);
  }

  sendBytes(bytes: Uint8Array): void {
    assert.ok(!this.closed, 'sent to a closed line');
    this.bytes.push(bytes.slice());
  }

  close(): void {
    this.closed = true;
  }

  /** Forgets what was sent, and returns it. */
  take(): Frame[] {
    return this.#sent.splice(0).map((text) => JSON.parse(text) as Frame);
  }

  takeMedia(track?: string): Uint8Array[] {
    return this.take().flatMap(({ media }) =>
      media === undefined || (track !== undefined && media.track !== track)
        ? []
        : [Uint8Array.from(Buffer.from(media.payload, 'base64'))],
    );
  }

  says(frame: object | string): void {
    this.events.text(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  speaks(payload: Uint8Array): void {
    this.says({ event: 'media', media: { payload: Buffer.from(payload).toString('base64') } });
  }
}

export class FakeRemote implements RemotePort {
  readonly lines: FakeLine[] = [];
  /** What a file is, by its first octet. */
  readonly files = new Map<number, Int16Array>();

  connect({ url, token }: RemoteTarget, events: RemoteEvents): FakeLine {
    const line = new FakeLine(url, token, events);
    this.lines.push(line);
    return line;
  }

  /** By `address:port`; what is not named must not be reached. */
  readonly datagramsTo = new Map<string, Uint8Array[]>();

  datagrams(address: string, port: number): RemoteDatagrams | string {
    const to = this.datagramsTo.get(`${address}:${port}`);
    return to === undefined ? 'it must not be reached' : { send: (packet) => to.push(packet) };
  }

  async decodeMp3(bytes: Uint8Array): Promise<Int16Array | undefined> {
    return this.files.get(bytes[0]!);
  }

  epoch(): number {
    return Date.UTC(2026, 10, 30, 12);
  }

  get last(): FakeLine {
    return this.lines.at(-1)!;
  }
}
