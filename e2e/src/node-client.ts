import { randomUUID } from 'node:crypto';
import type { DtlsFactory } from '@sidetone/rtc';
import { WebSocket } from 'ws';
import { createWeriftDtls } from '../../apps/server/src/dtls/werift.ts';
import { IcePeer } from './ice-peer.ts';
import type { Frame } from './raw-client.ts';
import { pause, until } from './wait.ts';

const RETRY_MS = 300;
/** So long it comes back again and again, where signalling dies again and again. */
const PATIENCE_MS = 120_000;

/** A second certificate, for all clients: making one takes a while. */
let spare: Promise<DtlsFactory> | undefined;

/** One call of a `NodeClient`. */
export class NodeCall {
  readonly id: string;
  media: IcePeer;
  state: 'new' | 'ringing' | 'active' | 'over' = 'new';
  cause: string | undefined;
  /** It says so little that the server cannot know whether its media lives when it comes back. */
  quiet = false;
  /** `attach`es of the server that came, and those that gave it the media that it has. */
  attaches = 0;
  attached = 0;

  constructor(id: string, media: IcePeer) {
    this.id = id;
    this.media = media;
  }
}

export interface NodeClientOptions {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly dtls: DtlsFactory;
  /** Where its media lives: an address from which the server's media can be reached. */
  readonly address: string;
  readonly userAgent?: string;
}

/**
 * A client of the dialect in Node, with real ICE and DTLS-SRTP. As a page does, it comes back by itself when its socket is
 * lost, names the session it had, and answers an `attach` with fresh media.
 */
export class NodeClient {
  readonly calls = new Map<string, NodeCall>();
  /** When the socket was lost last, and when the client was logged in last (process clock, ms). */
  lostAt = 0;
  readyAt = 0;
  readonly #options: NodeClientOptions;
  #socket: WebSocket | undefined;
  #sessid: string | undefined;
  #voiceSdkId: string | undefined;
  #replies = new Map<string, (frame: Frame) => void>();
  #ready = false;
  #closed = false;

  private constructor(options: NodeClientOptions) {
    this.#options = options;
  }

  static async loggedIn(options: NodeClientOptions): Promise<NodeClient> {
    const client = new NodeClient(options);
    client.#open();
    await client.ready();
    return client;
  }

  get isReady(): boolean {
    return this.#ready;
  }

  async ready(): Promise<void> {
    await until(
      'a test client to be logged in',
      () => {
        if (this.#closed) throw new Error('the test client is closed');
        return this.#ready;
      },
      { limitMs: PATIENCE_MS },
    );
  }

  #open(): void {
    if (this.#closed) return;
    const id = this.#voiceSdkId;
    const socket = new WebSocket(`${this.#options.url}/${id === undefined ? '' : `?voice_sdk_id=${id}`}`);
    this.#socket = socket;
    socket.on('open', () => void this.#login());
    socket.on('message', (data) => this.#heard(String(data)));
    socket.setMaxListeners(0);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#ready) this.lostAt = performance.now();
      this.#ready = false;
      setTimeout(() => this.#open(), RETRY_MS);
    });
  }

  async #login(): Promise<void> {
    const { user, password } = this.#options;
    const reply = await this.#request('login', {
      login: user,
      passwd: password,
      ...(this.#sessid === undefined ? {} : { sessid: this.#sessid, reconnection: true }),
      'User-Agent': { SdkVersion: '2.27.10', data: this.#options.userAgent ?? 'Web-2.27.10' },
    });
    // A server that just began may say that it is busy.
    if (reply?.result === undefined) return this.#socket?.terminate();
    this.#sessid = String(reply.result['sessid']);
    // Every SDK asks for this; a client that is back hears of its calls after the reply.
    const state = await this.#request('telnyx_rtc.gatewayState', {});
    if (state?.result === undefined) return this.#socket?.terminate();
    this.#ready = true;
    this.readyAt = performance.now();
  }

  #heard(text: string): void {
    const frame = JSON.parse(text) as Frame;
    if (frame.voice_sdk_id !== undefined) this.#voiceSdkId = frame.voice_sdk_id;
    if (frame.method === undefined) {
      const answer = this.#replies.get(String(frame.id));
      this.#replies.delete(String(frame.id));
      return answer?.(frame);
    }
    if (frame.method !== 'telnyx_rtc.clientReady')
      this.#send({ id: frame.id, result: { method: frame.method } });
    const params = frame.params ?? {};
    if (frame.method === 'telnyx_rtc.clientReady') this.#compare(params['reattached_sessions']);
    const call = this.calls.get(String(params['callID']));
    if (call === undefined) return;
    if (typeof params['sdp'] === 'string' && frame.method !== 'telnyx_rtc.attach')
      call.media.connect(params['sdp']);
    if (frame.method === 'telnyx_rtc.ringing') call.state = 'ringing';
    else if (frame.method === 'telnyx_rtc.answer') call.state = 'active';
    else if (frame.method === 'telnyx_rtc.attach') void this.#attach(call, String(params['sdp']));
    else if (frame.method === 'telnyx_rtc.bye') {
      call.state = 'over';
      call.cause = String(params['cause']);
      call.media.close();
    }
  }

  /** A call that the server does not name is over: its BYE went into the dead socket. So the SDKs see it. */
  #compare(reattached: unknown): void {
    const known = JSON.stringify(reattached ?? []);
    for (const call of this.calls.values()) {
      if (call.state !== 'active' || known.includes(call.id)) continue;
      call.state = 'over';
      call.media.close();
    }
  }

  /** The server did not hear this call's media: it goes another way from now on, which the server agrees to. */
  async #attach(call: NodeCall, offer: string): Promise<void> {
    call.attaches += 1;
    // With the certificate that it has it would be taken for the old one (RFC 8842 §5.1).
    const other = call.attached % 2 === 0 ? await (spare ??= createWeriftDtls()) : this.#options.dtls;
    const media = await IcePeer.open(other, this.#options.address);
    media.connect(offer);
    const reply = await this.#request('telnyx_rtc.attach', {
      sessid: this.#sessid,
      sdp: media.description('answer'),
      dialogParams: { callID: call.id, attach: true, recoveredCallId: call.id },
    });
    // Without its socket it is attached anew.
    if (reply?.result === undefined || call.state === 'over' || this.#closed) return media.close();
    call.attached += 1;
    media.follow(call.media);
    call.media.close();
    call.media = media;
  }

  #send(frame: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN)
      this.#socket.send(JSON.stringify({ jsonrpc: '2.0', ...frame }));
  }

  /** `undefined`: no reply, because the socket went. */
  async #request(method: string, params: object): Promise<Frame | undefined> {
    const id = randomUUID();
    const socket = this.#socket;
    return await new Promise((resolve) => {
      this.#replies.set(id, resolve);
      socket?.once('close', () => resolve(undefined));
      this.#send({ id, method, params });
    });
  }

  /** Asks until there is a reply, over as many sockets as it takes; `again` is told of each more. */
  async ask(method: string, params: object, again?: () => void): Promise<Frame> {
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end; ) {
      await this.ready();
      const reply = await this.#request(`telnyx_rtc.${method}`, { sessid: this.#sessid, ...params });
      if (reply !== undefined) return reply;
      again?.();
      await pause(50);
    }
    throw new Error(`no reply to ${method}`);
  }

  /** Calls `destination`; resolves when the call is up and its media is keyed. */
  async call(destination: string, callerNumber: string): Promise<NodeCall> {
    const media = await IcePeer.open(this.#options.dtls, this.#options.address);
    const call = new NodeCall(randomUUID(), media);
    this.calls.set(call.id, call);
    const reply = await this.ask('invite', {
      sdp: media.description('offer'),
      dialogParams: {
        callID: call.id,
        destination_number: destination,
        caller_id_number: callerNumber,
        caller_id_name: 'Node',
      },
      'User-Agent': 'Web-2.27.10',
    });
    if (reply.error !== undefined) throw new Error(`invite: ${reply.error.message}`);
    const settled = (): boolean => call.state === 'active' || call.state === 'over';
    await until('a call of a test client to be answered', settled, { detail: () => call.state }).catch(
      async (error: unknown) => {
        // Nobody waits for it any more.
        if (!this.#closed) await this.bye(call);
        throw error;
      },
    );
    if (call.state === 'over') throw new Error(`a call of a test client ended: ${call.cause}`);
    await media.connected();
    return call;
  }

  async #inCall(method: string, call: NodeCall, params: object, again?: () => void): Promise<Frame> {
    const reply = await this.ask(method, { ...params, dialogParams: { callID: call.id } }, again);
    if (reply.error !== undefined) throw new Error(`${method}: ${reply.error.message}`);
    return reply;
  }

  async modify(call: NodeCall, action: 'hold' | 'unhold'): Promise<string> {
    const reply = await this.#inCall('modify', call, { action });
    return String(reply.result?.['holdState']);
  }

  async dtmf(call: NodeCall, digits: string, again?: () => void): Promise<void> {
    await this.#inCall('info', call, { dtmf: digits }, again);
  }

  async bye(call: NodeCall): Promise<void> {
    await this.#inCall('bye', call, { cause: 'NORMAL_CLEARING', causeCode: 16 });
    call.state = 'over';
    call.media.close();
  }

  close(): void {
    this.#closed = true;
    for (const call of this.calls.values()) if (call.state !== 'over') call.media.close();
    this.#socket?.terminate();
  }
}
