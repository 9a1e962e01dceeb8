import type { WebSocket } from 'ws';
import { logIn } from '../login-client.ts';
import { TALK_MS } from './caller.ts';
import type { Counts } from './counts.ts';

interface Call {
  readonly socket: WebSocket;
  readonly startedAt: number;
  readonly counts: Counts;
  state: 'calling' | 'up' | 'leaving';
  hangUpAt: number;
}

interface Frame {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: {
    readonly callID?: string;
    readonly sipCode?: number;
    readonly dialogParams?: { readonly custom_headers?: readonly { readonly name: string }[] };
  };
  readonly error?: { readonly data?: object };
}

/** Clients of the dialect, one a user, that call a number in turn, talk, and hang up. */
export class Clients {
  readonly #sockets: readonly WebSocket[];
  readonly #number: string;
  readonly #calls = new Map<string, Call>();
  readonly #asked = new Map<string, string>();
  readonly #leaving: [string, Call][] = [];
  #next = 0;

  private constructor(sockets: readonly WebSocket[], number: string) {
    this.#sockets = sockets;
    this.#number = number;
    for (const socket of sockets)
      socket.on('message', (data) => this.#heard(JSON.parse(String(data)) as Frame, performance.now()));
  }

  static async open(
    url: string,
    users: readonly { readonly login: string; readonly passwd: string }[],
    number: string,
  ): Promise<Clients> {
    const sockets = [];
    for (const user of users) sockets.push(await logIn(url, user));
    return new Clients(sockets, number);
  }

  get live(): number {
    return this.#calls.size;
  }

  call(counts: Counts, now: number): void {
    counts.offered += 1;
    const callID = crypto.randomUUID();
    const socket = this.#sockets[this.#next++ % this.#sockets.length]!;
    this.#calls.set(callID, { socket, startedAt: now, counts, state: 'calling', hangUpAt: 0 });
    const id = `i${this.#next}`;
    this.#asked.set(id, callID);
    const dialogParams = { callID, destination_number: this.#number };
    this.#say(socket, id, 'invite', { sdp: OFFER, dialogParams });
  }

  #say(socket: WebSocket, id: string, method: string, params: object): void {
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: `telnyx_rtc.${method}`, params }));
  }

  #heard(frame: Frame, now: number): void {
    const asked = this.#asked.get(String(frame.id));
    if (frame.method === undefined && asked !== undefined) {
      this.#asked.delete(String(frame.id));
      const call = this.#calls.get(asked);
      if (call === undefined) return;
      if (call.state === 'leaving') {
        this.#calls.delete(asked);
        if (frame.error === undefined) call.counts.good += 1;
        else call.counts.lost += 1;
      } else if (frame.error !== undefined) {
        this.#calls.delete(asked);
        // -32002: with `retry_after` it is the 503 of the dialect.
        const saysWhen = 'retry_after' in (frame.error.data ?? {});
        call.counts.refused(now - call.startedAt, saysWhen ? 503 : -32002, saysWhen);
      }
      return;
    }
    const callID = frame.params?.callID ?? '';
    const call = this.#calls.get(callID);
    if (call === undefined) return;
    if (frame.method === 'telnyx_rtc.answer' && call.state === 'calling') {
      call.state = 'up';
      call.counts.setUp.push(now - call.startedAt);
      call.hangUpAt = now + TALK_MS;
      this.#leaving.push([callID, call]);
    } else if (frame.method === 'telnyx_rtc.bye') {
      this.#calls.delete(callID);
      const headers = frame.params?.dialogParams?.custom_headers ?? [];
      const saysWhen = headers.some(({ name }) => name === 'Retry-After');
      if (call.state === 'calling')
        call.counts.refused(now - call.startedAt, frame.params?.sipCode ?? 0, saysWhen);
      else call.counts.hungUp += 1;
    }
  }

  tick(now: number): void {
    while (this.#leaving[0] !== undefined && this.#leaving[0][1].hangUpAt <= now) {
      const [callID, call] = this.#leaving.shift()!;
      if (call.state !== 'up' || this.#calls.get(callID) !== call) continue;
      call.state = 'leaving';
      const id = `b${callID}`;
      this.#asked.set(id, callID);
      this.#say(call.socket, id, 'bye', {
        cause: 'NORMAL_CLEARING',
        causeCode: 16,
        dialogParams: { callID },
      });
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.terminate();
  }
}

/** What a browser offers; nobody comes for the media of these calls. */
const OFFER = `${[
  'v=0',
  'o=- 1000 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 0 8 126',
  'c=IN IP4 0.0.0.0',
  'a=mid:0',
  'a=sendrecv',
  'a=rtcp-mux',
  'a=ice-ufrag:u123',
  'a=ice-pwd:0123456789abcdefghijklmn',
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => '0A').join(':')}`,
  'a=setup:actpass',
  'a=rtpmap:111 opus/48000/2',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:126 telephone-event/8000',
].join('\r\n')}\r\n`;
