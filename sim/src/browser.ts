import type { Random } from '@sidetone/core';
import { parseClientFrame, traitsOf } from '@sidetone/wire';
import { lines } from './engine.ts';
import type { World } from './world.ts';

type Frame = {
  id?: string | number;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { code: number; message: string };
  voice_sdk_id?: string;
};

/** What this client does with a call, drawn from the seed. Times are milliseconds of virtual time. */
export interface ClientHabits {
  /** Dials this once it is ready. */
  readonly dials?: string;
  /** Hangs up this long after dialling, whatever happened. */
  readonly givesUpAfter?: number;
  readonly answersAfter: number;
  /** `reject`: hangs up instead of answering; `ignore`: lets it ring. */
  readonly incoming: 'answer' | 'reject' | 'ignore';
  readonly holdsAfter?: number;
  readonly digits?: string;
  readonly hangsUpAfter?: number;
  /** The socket breaks this long after the start, for ever. */
  readonly vanishesAfter?: number;
  /** The socket breaks, and the client comes back with what it kept. */
  readonly drop?: Drop;
  /** What it hung up without a socket it never says, like the published SDK. */
  readonly forgetsByes: boolean;
  /** Whose client it is; it comes back here by itself, whatever the family. */
  readonly agent: string;
}

export interface Drop {
  readonly after: number;
  /** How long until it logs in again. */
  readonly away: number;
  /** The server hears nothing of it, and must notice by itself. */
  readonly halfOpen: boolean;
}

/** Does this family hear of its calls before it is registered? */
function hearsAtClientReady(agent: string): boolean {
  const params = { 'User-Agent': agent };
  const read = parseClientFrame(JSON.stringify({ id: 1, method: 'login', params }));
  return read.ok && read.value.kind === 'login' && traitsOf(read.value.agent).hearsAt === 'clientReady';
}

/** A client of the dialect as the published SDK behaves: it keeps the same states and the same replies. */
export class PretendClient {
  state: 'offline' | 'connecting' | 'ready' | 'refused' | 'gone' = 'offline';
  readonly calls = new Map<
    string,
    'requesting' | 'trying' | 'early' | 'ringing' | 'answering' | 'active' | 'held' | 'recovering' | 'done'
  >();
  readonly problems: string[] = [];
  /** Calls that went on over another socket, and how many of them with fresh media. */
  reattached = 0;
  attached = 0;
  /** The ICE user name of each call's peer connection. */
  readonly #peers = new Map<string, string>();
  /** When the platform last named a call of its own to it, on its return. */
  readonly heardOf = new Map<string, number>();
  /** Calls it made, and what it dialled. */
  readonly dialled = new Map<string, string>();
  /** What it comes back with. */
  voiceSdkId: string | undefined;
  #sessid: string | undefined;
  #connections = 0;
  /** Calls it hung up, or gave up, while nobody could hear it. */
  readonly #unsaid = new Set<string>();
  readonly #world: World;
  readonly #random: Random;
  readonly name: string;
  readonly #habits: ClientHabits;
  readonly #listensEarly: boolean;
  readonly #send: (text: string) => void;
  readonly #pending = new Map<string | number, (frame: Frame) => void>();
  #requests = 0;

  constructor(
    world: World,
    random: Random,
    name: string,
    habits: ClientHabits,
    send: (text: string) => void,
  ) {
    this.#world = world;
    this.#random = random;
    this.name = name;
    this.#habits = habits;
    this.#listensEarly = hearsAtClientReady(habits.agent);
    this.#send = send;
  }

  login(login: string, passwd: string): void {
    this.state = 'connecting';
    this.#connections += 1;
    const kept = this.#sessid === undefined ? {} : { sessid: this.#sessid, reconnection: true };
    const params = {
      login,
      passwd,
      userVariables: {},
      loginParams: {},
      'User-Agent': this.#habits.agent,
      ...kept,
    };
    this.#request('login', params, (frame) => {
      if (frame.error !== undefined) this.state = 'refused';
      else this.#sessid = String(frame.result?.['sessid']);
    });
  }

  /** The socket is gone: requests fail, calls stay as they are. */
  lost(): void {
    if (this.state === 'gone') return;
    this.state = 'offline';
    this.#pending.clear();
    for (const [id, state] of this.calls) {
      // A request of a call in set-up that fails ends it.
      if (state !== 'requesting' && state !== 'answering') continue;
      this.calls.set(id, 'done');
      this.#unsaid.add(id);
    }
  }

  /** It did not come back, or too late for its calls; or the run is over. */
  get stayedAway(): boolean {
    const { vanishesAfter, drop } = this.#habits;
    return (
      this.state === 'gone' || vanishesAfter !== undefined || (drop !== undefined && drop.away > 115_000)
    );
  }

  gone(): void {
    this.state = 'gone';
    for (const id of this.calls.keys()) this.calls.set(id, 'done');
  }

  receive(text: string): void {
    if (this.state === 'gone' || this.state === 'offline') return;
    const frame = JSON.parse(text) as Frame;
    this.voiceSdkId = frame.voice_sdk_id;
    if (frame.method === undefined) {
      const waiting = frame.id === undefined ? undefined : this.#pending.get(frame.id);
      if (waiting === undefined) this.problems.push(`reply to nothing: ${text.slice(0, 120)}`);
      if (frame.id !== undefined) this.#pending.delete(frame.id);
      waiting?.(frame);
      return;
    }
    this.#world.note(`${this.name} ← ${frame.method}`);
    if (
      frame.id !== undefined &&
      frame.method !== 'telnyx_rtc.clientReady' &&
      frame.method !== 'telnyx_rtc.ping'
    ) {
      this.#send(JSON.stringify({ jsonrpc: '2.0', id: frame.id, result: { method: frame.method } }));
    }
    this.#handle(frame.method, frame.params ?? {});
  }

  #handle(method: string, params: Record<string, unknown>): void {
    const callID = String(params['callID'] ?? '');
    const state = this.calls.get(callID);
    switch (method) {
      case 'telnyx_rtc.clientReady':
        this.#compare(params['reattached_sessions'] as string[]);
        this.#request('telnyx_rtc.gatewayState', {}, (frame) => {
          const inner = frame.result?.['params'] as { state?: string } | undefined;
          if (inner?.state !== 'REGED') this.problems.push(`gateway state ${inner?.state}`);
          this.state = 'ready';
          if (!this.#habits.forgetsByes) for (const id of this.#unsaid) this.#bye(id, true);
          this.#unsaid.clear();
          if (this.#connections === 1 && this.#habits.dials !== undefined) this.#dial(this.#habits.dials);
        });
        return;
      case 'telnyx_rtc.ping':
        return this.#request('telnyx_rtc.ping', {}, () => {});
      case 'telnyx_rtc.invite':
        return this.#ring(callID);
      case 'telnyx_rtc.ringing':
      case 'telnyx_rtc.media':
        if (state === 'requesting') this.problems.push(`${method} before the reply to invite`);
        if (method === 'telnyx_rtc.media' && state === 'trying') this.calls.set(callID, 'early');
        return;
      case 'telnyx_rtc.answer':
        if (state === 'requesting') this.problems.push('answer before the reply to invite');
        if (state === 'trying' && this.#connections === 1 && params['sdp'] === undefined)
          this.problems.push('answer without SDP and no media before');
        if (state === 'trying' || state === 'early') this.#active(callID);
        return;
      case 'telnyx_rtc.bye':
        if (state === undefined && this.#connections === 1) this.problems.push('bye for an unknown call');
        this.calls.set(callID, 'done');
        return;
      case 'telnyx_rtc.attach':
        return this.#attach(callID, String(params['sdp']));
    }
  }

  /** What the server does not have any more is over, as the published SDK sees it: unless some call is left, nothing is judged. */
  #compare(alive: readonly string[]): void {
    const own = [...this.calls].filter(([, state]) => state !== 'done').map(([id]) => id);
    if (this.#connections === 1 && alive.length > 0) this.problems.push('calls of a session that is new');
    const known = alive.filter((id) => own.includes(id));
    for (const id of known) this.heardOf.set(id, this.#world.now);
    this.reattached += known.filter((id) => ['active', 'held'].includes(this.calls.get(id)!)).length;
    if (known.length === 0) for (const id of own) this.calls.set(id, 'done');
  }

  /** Has one of its calls media under this ICE user name? */
  speaks(ufrag: string): boolean {
    return [...this.#peers].some(
      ([id, name]) => name === ufrag && ['early', 'active', 'held'].includes(this.calls.get(id) ?? ''),
    );
  }

  #described(callID: string, sdp: string): string {
    this.#peers.set(callID, /a=ice-ufrag:(\S+)/.exec(sdp)![1]!);
    return sdp;
  }

  #attach(callID: string, sdp: string): void {
    const state = this.calls.get(callID);
    if (this.state !== 'ready' && !this.#listensEarly) this.problems.push('attach before REGED');
    if (!sdp.includes('a=setup:actpass')) this.problems.push('attach without an offer');
    if (state === undefined || state === 'done') return this.#bye(callID, true);
    this.attached += 1;
    this.calls.set(callID, 'recovering');
    this.#world.after(200, () => {
      if (this.calls.get(callID) !== 'recovering') return;
      const params = {
        sdp: this.#described(callID, answer(this.#random)),
        dialogParams: { callID, attach: true },
      };
      this.#request('telnyx_rtc.attach', params, (frame) => {
        if (this.calls.get(callID) !== 'recovering') return;
        if (frame.error !== undefined) this.calls.set(callID, 'done');
        else this.calls.set(callID, state === 'held' ? 'held' : 'active');
      });
    });
  }

  #dial(destination: string): void {
    const callID = this.#uuid();
    this.calls.set(callID, 'requesting');
    this.dialled.set(callID, destination);
    this.#request(
      'telnyx_rtc.invite',
      {
        sdp: this.#described(callID, offer(this.#random)),
        dialogParams: {
          callID,
          destination_number: destination,
          caller_id_number: '',
          custom_headers: [{ name: 'X-Seed', value: 'yes' }],
        },
      },
      (frame) => {
        if (frame.error !== undefined) this.calls.set(callID, 'done');
        else if (this.calls.get(callID) === 'requesting') this.calls.set(callID, 'trying');
      },
    );
    if (this.#habits.givesUpAfter !== undefined)
      this.#world.after(this.#habits.givesUpAfter, () => this.#hangUp(callID));
  }

  #ring(callID: string): void {
    const before = this.calls.get(callID);
    if (before !== undefined && this.#connections === 1) this.problems.push('invite twice');
    if (before === 'done') return this.#bye(callID, true);
    this.calls.set(callID, 'ringing');
    if (this.#habits.incoming === 'ignore') return;
    this.#world.after(this.#habits.answersAfter, () => {
      if (this.calls.get(callID) !== 'ringing') return;
      if (this.#habits.incoming === 'reject') return this.#hangUp(callID);
      this.calls.set(callID, 'answering');
      const sdp = this.#described(callID, answer(this.#random));
      this.#request('telnyx_rtc.answer', { sdp, dialogParams: { callID } }, (frame) => {
        if (this.calls.get(callID) !== 'answering') return;
        if (frame.error !== undefined) this.calls.set(callID, 'done');
        else this.#active(callID);
      });
    });
  }

  #active(callID: string): void {
    this.calls.set(callID, 'active');
    const { holdsAfter, digits, hangsUpAfter } = this.#habits;
    if (holdsAfter !== undefined) this.#world.after(holdsAfter, () => this.#modify(callID, 'hold', 'held'));
    if (holdsAfter !== undefined)
      this.#world.after(holdsAfter + 400, () => this.#modify(callID, 'unhold', 'active'));
    if (digits !== undefined)
      this.#world.after(150, () => this.#inCall(callID, 'telnyx_rtc.info', { dtmf: digits }));
    if (hangsUpAfter !== undefined) this.#world.after(hangsUpAfter, () => this.#hangUp(callID));
  }

  #modify(callID: string, action: string, expected: 'held' | 'active'): void {
    const state = this.calls.get(callID);
    if (state !== 'active' && state !== 'held') return;
    this.#request('telnyx_rtc.modify', { action, dialogParams: { callID } }, (frame) => {
      const now = this.calls.get(callID);
      if (now !== 'active' && now !== 'held') return;
      if (frame.error !== undefined) return;
      if (frame.result?.['holdState'] !== expected)
        this.problems.push(`${action} answered ${String(frame.result?.['holdState'])}`);
      this.calls.set(callID, expected);
    });
  }

  #inCall(callID: string, method: string, params: Record<string, unknown>): void {
    if (this.calls.get(callID) === 'active')
      this.#request(method, { ...params, dialogParams: { callID } }, () => {});
  }

  #hangUp(callID: string): void {
    const state = this.calls.get(callID);
    if (state === undefined || state === 'done') return;
    this.calls.set(callID, 'done');
    if (this.state !== 'ready') this.#unsaid.add(callID);
    else this.#bye(callID, state !== 'active' && state !== 'held');
  }

  #bye(callID: string, early: boolean): void {
    this.#request(
      'telnyx_rtc.bye',
      {
        cause: early ? 'USER_BUSY' : 'NORMAL_CLEARING',
        causeCode: early ? 17 : 16,
        sipCode: null,
        dialogParams: { callID },
      },
      () => {},
    );
  }

  #request(method: string, params: Record<string, unknown>, reply: (frame: Frame) => void): void {
    if (this.state === 'gone' || this.state === 'offline') return;
    const id = `${this.name}-${++this.#requests}`;
    this.#pending.set(id, reply);
    this.#world.note(`${this.name} → ${method}`);
    this.#send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  }

  /** Requests that never got their reply. */
  get unanswered(): number {
    return this.state === 'gone' || this.state === 'offline' ? 0 : this.#pending.size;
  }

  #uuid(): string {
    const hex = Array.from({ length: 32 }, () => this.#random.int(16).toString(16)).join('');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  }
}

const browserSdp = (random: Random, setup: string): string =>
  lines([
    'v=0',
    `o=- ${random.int(1e9)} 2 IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'm=audio 40000 UDP/TLS/RTP/SAVPF 111 0 8 126',
    'c=IN IP4 192.0.2.9',
    'a=mid:0',
    'a=rtcp-mux',
    `a=ice-ufrag:b${random.int(1e6)}`,
    'a=ice-pwd:bbbbbbbbbbbbbbbbbbbbbbbb',
    `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'CD').join(':')}`,
    `a=setup:${setup}`,
    'a=rtpmap:111 opus/48000/2',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:126 telephone-event/48000',
    'a=candidate:1 1 udp 2122260223 192.0.2.9 40000 typ host',
    'a=sendrecv',
  ]);
const offer = (random: Random): string => browserSdp(random, 'actpass');
const answer = (random: Random): string => browserSdp(random, 'active');
