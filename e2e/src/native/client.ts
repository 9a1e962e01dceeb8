import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { createWeriftDtls } from '../../../apps/server/src/dtls/werift.ts';
import type { NativeFrame } from '../../../packages/wire/test/natives/rules.ts';
import { IcePeer } from '../ice-peer.ts';
import { until } from '../wait.ts';
import type { Kept, NativeSdk, Params } from './sdk.ts';

const FRAME_MS = 20;

/** One call of a `NativeClient`. */
export interface NativeCall {
  readonly id: string;
  media: IcePeer;
  state: 'new' | 'ringing' | 'active' | 'held' | 'reconnecting' | 'over';
  /** Its offer, while it rings here. */
  offer: string | undefined;
  /** Attaches that it has answered. */
  attaches: number;
  reason: Params | undefined;
}

export interface NativeOptions {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** Where its media lives. */
  readonly address: string;
}

/**
 * A scripted client of one published SDK line: it says what that SDK says, in its spelling and order, reads every frame with its parser, and
 * speaks with real ICE and DTLS-SRTP. It comes back only when it is told to, as a device whose network changed.
 */
export class NativeClient {
  readonly sdk: NativeSdk;
  readonly calls = new Map<string, NativeCall>();
  /** Methods of requests, and `reply to` others, as they came over the last socket. */
  heard: string[] = [];
  /** Calls that the server named at the last login. */
  reattached: readonly string[] = [];
  registered = false;
  kept: Kept | undefined;
  closed: number | undefined;
  onAttach: (callId: string) => void = () => undefined;
  readonly #options: NativeOptions;
  #socket: WebSocket | undefined;
  #waiting = new Map<string, { readonly method: string; readonly done: (frame: NativeFrame) => void }>();
  #clientReady = false;
  #again = false;
  #problem: unknown;
  #talking: NodeJS.Timeout | undefined;

  constructor(sdk: NativeSdk, options: NativeOptions) {
    this.sdk = sdk;
    this.#options = options;
    this.#talking = setInterval(() => {
      for (const { media } of this.calls.values()) media.frame();
    }, FRAME_MS);
  }

  static async loggedIn(sdk: NativeSdk, options: NativeOptions): Promise<NativeClient> {
    const client = new NativeClient(sdk, options);
    await client.open();
    await client.login();
    return client;
  }

  /** What a parser refused, or an application would never see. */
  check(): void {
    if (this.#problem !== undefined) throw this.#problem;
  }

  async #until<T>(what: string, probe: () => T): Promise<Exclude<T, undefined | null | false>> {
    return await until(
      `${what} (${this.sdk.line})`,
      () => {
        this.check();
        return probe();
      },
      { detail: () => JSON.stringify({ heard: this.heard, closed: this.closed }) },
    );
  }

  /** Opens a socket, and says nothing on it yet. `kept`: what the app remembers of a session. */
  async open(kept: Kept | undefined = this.kept, cold = false): Promise<void> {
    this.kept = kept;
    this.#again = kept !== undefined && !cold;
    this.heard = [];
    this.registered = false;
    this.#clientReady = false;
    this.closed = undefined;
    const socket = new WebSocket(`${this.#options.url}${this.sdk.path(kept, cold)}`);
    this.#socket = socket;
    socket.on('message', (data) => {
      if (socket === this.#socket) this.#hear(String(data));
    });
    socket.on('error', () => undefined);
    socket.on('close', (code) => {
      if (socket === this.#socket) this.closed = code;
    });
    await this.#until('the socket to open', () => socket.readyState === WebSocket.OPEN);
    const sessid = this.sdk.sessid(kept, cold);
    this.#session = { sessid: sessid ?? '', voiceSdkId: kept?.voiceSdkId };
  }

  #session: Kept = { sessid: '', voiceSdkId: undefined };

  /** Logs in on the open socket, and is ready by the rules of its SDK. */
  async login(): Promise<void> {
    const { user, password } = this.#options;
    const { sessid } = this.#session;
    const reply = await this.#ask('login', {
      ...this.sdk.login(user, password),
      ...(sessid === '' ? {} : { sessid }),
      'User-Agent': this.sdk.agent,
    });
    if (reply.result === undefined) throw new Error(`login: ${JSON.stringify(reply.error)}`);
    this.#session = { sessid: String(reply.result['sessid']), voiceSdkId: reply.voiceSdkId };
    this.kept = this.#session;
    await this.#until('clientReady', () => this.#clientReady);
    if (this.sdk.asksState(this.#again)) await this.#until('REGED', () => this.registered);
  }

  #send(frame: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN)
      this.#socket.send(JSON.stringify({ jsonrpc: '2.0', ...frame }));
  }

  async #ask(method: string, params: Params, id: string = randomUUID()): Promise<NativeFrame> {
    let reply: NativeFrame | undefined;
    this.#waiting.set(id, { method, done: (frame) => (reply = frame) });
    this.#send({ id, method: method === 'login' ? method : `telnyx_rtc.${method}`, params });
    return await this.#until(`the reply to ${method}`, () => reply);
  }

  /** A request about a call, in the spelling of the SDK. */
  async #inCall(method: string, call: NativeCall, fields: Params, dialog: Params = {}): Promise<NativeFrame> {
    const spelt = this.sdk.about(method, this.#session.sessid, call.id);
    const reply = await this.#ask(method, {
      ...spelt.params,
      ...fields,
      dialogParams: { ...spelt.dialog, ...dialog },
    });
    if (reply.error !== undefined) throw new Error(`${method}: ${JSON.stringify(reply.error)}`);
    return reply;
  }

  #hear(text: string): void {
    try {
      const frame = this.sdk.parse(text);
      if (frame.method === undefined || frame.result !== undefined) this.#reply(frame, text);
      else this.#request(frame.method, frame, text);
    } catch (problem) {
      this.#problem ??= problem;
    }
  }

  #reply(frame: NativeFrame, text: string): void {
    const asked = this.#waiting.get(String(frame.id));
    this.#waiting.delete(String(frame.id));
    if (asked === undefined) return;
    this.heard.push(`reply to ${asked.method}`);
    if (asked.method === 'gatewayState') this.registered = frame.result !== undefined;
    this.sdk.expects?.(asked.method, frame, text);
    asked.done(frame);
  }

  #request(method: string, frame: NativeFrame, text: string): void {
    this.heard.push(method);
    const { params } = frame;
    if (method === 'ping') {
      const pong = this.sdk.pong(text, this.#session.sessid);
      if (pong !== null) this.#send(pong);
      return;
    }
    if (method === 'clientReady') return this.#ready(params['reattached_sessions'] as readonly string[]);
    const id = String(params['callID']);
    const call = this.calls.get(id);
    const sdp = typeof params['sdp'] === 'string' ? params['sdp'] : undefined;
    if (method === 'invite')
      void this.#rings(id, sdp!).catch((problem: unknown) => (this.#problem ??= problem));
    else if (method === 'attach')
      void this.#attach(id, sdp!).catch((problem: unknown) => (this.#problem ??= problem));
    if (call === undefined) return;
    if (method === 'ringing') {
      call.state = 'ringing';
      if (this.sdk.line.startsWith('Flutter')) this.#send({ id: frame.id, result: { method: frame.method } });
    } else if (method === 'media' || method === 'answer') {
      if (sdp !== undefined) call.media.connect(sdp);
      if (method === 'answer') call.state = 'active';
    } else if (method === 'bye') {
      call.state = 'over';
      call.reason = params;
      call.media.close();
    }
  }

  #ready(reattached: readonly string[]): void {
    this.#clientReady = true;
    this.reattached = reattached;
    if (!this.sdk.asksState(this.#again)) return;
    void this.#ask('gatewayState', {}, this.sdk.stateId()).catch(
      (problem: unknown) => (this.#problem ??= problem),
    );
  }

  async #peer(): Promise<IcePeer> {
    // A certificate of its own, as each new peer connection has.
    return await IcePeer.open(await createWeriftDtls(), this.#options.address);
  }

  async #rings(id: string, offer: string): Promise<void> {
    const media = await this.#peer();
    this.calls.set(id, { id, media, state: 'ringing', offer, attaches: 0, reason: undefined });
  }

  /** Fresh media for a call that is up, as the SDK builds it. */
  async #attach(id: string, offer: string): Promise<void> {
    if (this.sdk.attachBehindState && !this.registered)
      throw new Error(`${this.sdk.line} dropped an attach that came before it was registered`);
    this.onAttach(id);
    const known = this.calls.get(id);
    if (known === undefined && this.sdk.attachOnlyKnown)
      throw new Error(`${this.sdk.line} has no call ${id}`);
    const media = await this.#peer();
    media.connect(offer);
    const call = known ?? {
      id,
      media,
      state: 'reconnecting',
      offer: undefined,
      attaches: 0,
      reason: undefined,
    };
    known?.media.close();
    call.media = media;
    this.calls.set(id, call);
    call.attaches += 1;
    const dialog = { attach: true, destination_number: '' };
    await this.#inCall(
      'attach',
      call,
      { sdp: media.description('answer'), 'User-Agent': this.sdk.agent },
      dialog,
    );
    call.state = 'active';
  }

  // ---- what a person does

  /** Calls, and waits for the answer. */
  async call(destination: string, callerNumber: string): Promise<NativeCall> {
    const media = await this.#peer();
    const call: NativeCall = {
      id: randomUUID(),
      media,
      state: 'new',
      offer: undefined,
      attaches: 0,
      reason: undefined,
    };
    this.calls.set(call.id, call);
    const dialog = {
      destination_number: destination,
      caller_id_number: callerNumber,
      caller_id_name: 'Native',
    };
    await this.#inCall(
      'invite',
      call,
      { sdp: media.description('offer'), 'User-Agent': this.sdk.agent },
      dialog,
    );
    await this.#until('the answer', () => call.state === 'active');
    await this.#until('media', () => media.ready);
    return call;
  }

  /** The call that rings here. */
  async ringing(): Promise<NativeCall> {
    return await this.#until('a call that rings', () =>
      [...this.calls.values()].find((call) => call.offer !== undefined && call.state === 'ringing'),
    );
  }

  async answer(call: NativeCall): Promise<void> {
    call.media.connect(call.offer!);
    call.offer = undefined;
    const fields = { sdp: call.media.description('answer'), 'User-Agent': this.sdk.agent };
    await this.#inCall('answer', call, fields, { destination_number: '' });
    call.state = 'active';
    await this.#until('media', () => call.media.ready);
  }

  async modify(call: NativeCall, action: 'hold' | 'unhold' | 'toggleHold'): Promise<string> {
    const reply = await this.#inCall('modify', call, { action });
    const state = String(reply.result?.['holdState']);
    call.state = state === 'held' ? 'held' : 'active';
    return state;
  }

  async dtmf(call: NativeCall, digit: string): Promise<void> {
    await this.#inCall('info', call, { dtmf: digit });
  }

  async hangUp(call: NativeCall): Promise<void> {
    await this.#inCall('bye', call, { cause: 'NORMAL_CLEARING', causeCode: 16 });
    call.state = 'over';
    call.media.close();
  }

  /** Packets of the call come, from now on. */
  async hears(call: NativeCall, packets = 25): Promise<void> {
    const { media } = call;
    const before = media.packets;
    await this.#until('sound', () => media.packets >= before + packets);
  }

  /** Its socket dies without a word; `silent`: so does the media of its calls. */
  lose(silent: boolean): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.terminate();
    for (const call of this.calls.values()) {
      if (call.state === 'over') continue;
      if (call.state !== 'ringing') call.state = 'reconnecting';
      if (silent) call.media.close();
    }
  }

  /** The network is there again. */
  async comesBack(): Promise<void> {
    await this.open();
    await this.login();
  }

  /** Each call that is not over has been attached once more and is heard. */
  async attached(calls: readonly NativeCall[], before: readonly number[]): Promise<void> {
    for (const [i, call] of calls.entries()) {
      await this.#until('an attach', () => call.attaches > before[i]! && call.state === 'active');
      await this.hears(call);
    }
  }

  async over(call: NativeCall): Promise<Params> {
    await this.#until('the BYE', () => call.state === 'over');
    return call.reason ?? {};
  }

  /** A login on the socket that is logged in. */
  async loginAgain(more: Params = {}): Promise<void> {
    const { user, password } = this.#options;
    const { sessid } = this.#session;
    const reply = await this.#ask('login', {
      ...this.sdk.login(user, password),
      sessid,
      'User-Agent': this.sdk.agent,
      ...more,
    });
    if (reply.result === undefined) throw new Error(`login: ${JSON.stringify(reply.error)}`);
  }

  close(): void {
    clearInterval(this.#talking);
    for (const call of this.calls.values()) call.media.close();
    this.#socket?.terminate();
  }
}
