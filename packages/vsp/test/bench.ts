import assert from 'node:assert/strict';
import { type Ms, seededRandom } from '@sidetone/core';
import {
  createResponse,
  createUserAgent,
  type ExtraHeaders,
  header,
  type LegId,
  parseMessage,
  type SipMessage,
  type SipRequest,
  type UserAgent,
  type UserAgentOut,
  writeMessage,
} from '@sidetone/sip';
import { HEADER, type IceServer, NODE_HOST } from '@sidetone/wire';
import { NATIVE_PARSERS } from '../../wire/test/natives/all.ts';
import { strictProblems } from '../../wire/test/strict-clients.ts';
import { createVsp, type Vsp, type VspInput, type VspOptions, type VspOutput } from '../src/index.ts';

export const SESSION = '11111111-1111-4111-8111-111111111111';
export const LEG = '22222222-2222-4222-8222-222222222222';
export const CALL = '33333333-3333-4333-8333-333333333333';

export const sdpOf = (name: string, direction = 'sendrecv', setup = 'actpass', version = 1): string =>
  [
    'v=0',
    `o=- 4711 ${version} IN IP4 127.0.0.1`,
    `s=${name}`,
    't=0 0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    `a=ice-ufrag:${name}`,
    'a=ice-pwd:0123456789012345678901',
    `a=setup:${setup}`,
    `a=${direction}`,
    'a=rtpmap:111 opus/48000/2',
    '',
  ].join('\r\n');

export const VOICE_IDS: ExtraHeaders = [
  [HEADER.session, SESSION],
  [HEADER.leg, LEG],
  [HEADER.callControl, 'v3:control'],
];

// biome-ignore lint/suspicious/noExplicitAny: frames of the dialect, read freely by assertions
export type Json = Record<string, any>;

/**
 * vsp between scripted clients and a user agent that stands for voice, on a clock that the test moves. Every frame goes through
 * the strict client parsers; `trace` tells what happened in order, frames and SIP alike.
 */
export class Bench {
  now: Ms = 1000;
  readonly trace: string[] = [];
  readonly frames: { socket: string; json: Json }[] = [];
  readonly closed: { socket: string; code: number }[] = [];
  readonly logs: string[] = [];
  /** Sockets with calls. */
  readonly watched = new Set<string>();
  /** What the edge gives with a proven login. */
  handedOut: { readonly iceServers?: readonly IceServer[] } = {};
  /** What voice's user agent heard. */
  readonly heard: Exclude<UserAgentOut, { type: 'sip' }>[] = [];
  readonly registers: { user: string; contact: string; expires: string; seq: number; callId: string }[] = [];
  /** What vsp journalled, as text: the last value of each key. */
  readonly journal = new Map<string, string>();
  vsp: Vsp;
  readonly #create: (seed: number) => Vsp;
  readonly voice: UserAgent;
  registrar: (request: SipRequest) => number = () => 200;
  passwords: Record<string, string> = { line1: 'one', line2: 'two' };
  /** Authentication requests wait here when `answerLogins` is off. */
  answerLogins = true;
  readonly questions: Extract<VspOutput, { type: 'authenticate' }>[] = [];
  /** When set, messages to voice wait here, so that messages can cross. */
  underWay: SipMessage[] | null = null;
  readonly #used = new Map<string, Set<number>>();
  readonly #logins = new Set<unknown>();
  #queue: VspInput[] = [];

  constructor(options: Partial<VspOptions> = {}) {
    this.#create = (seed) =>
      createVsp({
        random: seededRandom(seed),
        epoch: () => 1_700_000_000_000 + this.now,
        domain: 'sip.localhost',
        dc: 'lab',
        region: 'here',
        keepMs: 120_000,
        ...options,
      });
    this.vsp = this.#create(1);
    this.voice = createUserAgent({
      random: seededRandom(2),
      sentBy: { host: NODE_HOST.voice },
      contact: (leg) => ({ scheme: 'sip', user: `v-${leg}`, host: '127.0.0.1', port: 5060, params: {} }),
      resolve: () => ({ transport: 'local', node: 'vsp' }),
      userAgent: 'voice',
      allow: ['INVITE', 'ACK', 'CANCEL', 'BYE', 'INFO', 'OPTIONS', 'REFER'],
    });
  }

  // ---- the client's side

  open(socket: string, query: Record<string, string> = {}): void {
    this.input({ type: 'open', socket, query, address: '192.0.2.1' });
  }

  send(socket: string, frame: object | string): void {
    if (typeof frame === 'object' && (frame as Json)['method'] === 'login')
      this.#logins.add((frame as Json)['id']);
    this.input({ type: 'frame', socket, text: typeof frame === 'string' ? frame : JSON.stringify(frame) });
  }

  request(socket: string, id: string | number, method: string, params: object = {}): Json {
    this.send(socket, { jsonrpc: '2.0', id, method, params });
    return this.reply(socket, id);
  }

  /** A call request with dialogParams. */
  call(socket: string, id: string, method: string, params: object = {}, dialog: object = {}): Json {
    return this.request(socket, id, `telnyx_rtc.${method}`, {
      sessid: 's',
      ...params,
      dialogParams: { callID: CALL, ...dialog },
    });
  }

  /** The last answer to `id`, or an empty object. */
  reply(socket: string, id: string | number): Json {
    const isReply = (json: Json) => json['id'] === id && ('result' in json || 'error' in json);
    return this.frames.findLast((f) => f.socket === socket && isReply(f.json))?.json ?? {};
  }

  /** The params of the last server request with this method. */
  told(socket: string, method: string): Json | undefined {
    return this.frames.findLast((f) => f.socket === socket && f.json['method'] === `telnyx_rtc.${method}`)
      ?.json['params'];
  }

  login(socket: string, user = 'line1', agent: unknown = { sdkVersion: '2.27.10', data: 'x' }): void {
    this.open(socket);
    const login = { login: user, passwd: this.passwords[user], 'User-Agent': agent };
    assert.equal(this.request(socket, `login-${socket}`, 'login', login)['result']?.message, 'logged in');
  }

  // ---- voice's side

  say(outs: readonly UserAgentOut[]): void {
    this.#fromVoice(outs);
    this.#drain();
  }

  last<T extends UserAgentOut['type']>(type: T): Extract<UserAgentOut, { type: T }> {
    const found = this.heard.findLast((out) => out.type === type);
    assert.ok(found !== undefined, `voice heard no ${type}`);
    return found as Extract<UserAgentOut, { type: T }>;
  }

  respond(status: number, options: { sdp?: string; headers?: ExtraHeaders } = {}): void {
    const { leg } = this.last('incoming');
    const headers = [...(status < 300 ? VOICE_IDS : []), ...(options.headers ?? [])];
    this.say(this.voice.respond(leg, status, { ...options, headers }, this.now));
  }

  /** Delivers what was under way. */
  arrive(): void {
    const messages = this.underWay ?? [];
    this.underWay = null;
    for (const message of messages)
      this.say(this.voice.receive(message, { transport: 'local', node: 'vsp' }, this.now));
  }

  /** Calls the client of `socket`, as voice does. */
  ring(user: string, options: { headers?: ExtraHeaders; sdp?: string | null } = {}): LegId {
    const binding = this.registers.findLast((r) => r.user === user)!;
    const sdp = options.sdp === null ? {} : { sdp: options.sdp ?? sdpOf('platform') };
    const { leg, out } = this.voice.invite(
      {
        requestUri: { scheme: 'sip', user: binding.contact, host: NODE_HOST.vsp, params: {} },
        from: {
          displayName: 'Bob',
          uri: { scheme: 'sip', user: '+1999', host: 'sip.localhost', params: {} },
          params: {},
        },
        to: { uri: { scheme: 'sip', user, host: 'sip.localhost', params: {} }, params: {} },
        callId: LEG,
        headers: [...VOICE_IDS, ...(options.headers ?? [])],
        ...sdp,
      },
      this.now,
    );
    this.say(out);
    return leg;
  }

  // ---- the world

  /** The process dies with all its sockets, and another starts from the journal. */
  restart(): void {
    this.watched.clear();
    this.#queue = [];
    this.vsp = this.#create(3);
    const entries = [...this.journal].map(([key, text]) => ({ key, value: JSON.parse(text) as unknown }));
    this.input({ type: 'restore', entries });
  }

  input(input: VspInput): void {
    this.#queue.push(input);
    this.#drain();
  }

  /** Moves the clock, stopping at every deadline on the way. */
  advance(ms: Ms): void {
    const end = this.now + ms;
    for (let steps = 0; ; steps++) {
      assert.ok(steps < 10_000, 'the clock stands still');
      const next = Math.min(this.vsp.deadline() ?? Infinity, this.voice.deadline() ?? Infinity);
      if (next > end) break;
      this.now = Math.max(this.now, next);
      if ((this.vsp.deadline() ?? Infinity) <= this.now) this.input({ type: 'tick' });
      if ((this.voice.deadline() ?? Infinity) <= this.now) this.say(this.voice.tick(this.now));
    }
    this.now = end;
  }

  #drain(): void {
    for (let input = this.#queue.shift(); input !== undefined; input = this.#queue.shift())
      for (const out of this.vsp.handle(input, this.now)) this.#carry(out);
  }

  #carry(out: VspOutput): void {
    switch (out.type) {
      case 'frame':
        return this.#frame(out.socket, out.text);
      case 'close':
        this.trace.push(`${out.socket} < close ${out.code}`);
        this.closed.push({ socket: out.socket, code: out.code });
        this.watched.delete(out.socket);
        return;
      case 'watch':
        if (out.on) this.watched.add(out.socket);
        else this.watched.delete(out.socket);
        return;
      case 'log':
        this.logs.push(`${out.event} ${JSON.stringify(out.fields)}`);
        return;
      case 'journal':
        if (out.value === null) this.journal.delete(out.key);
        else this.journal.set(out.key, JSON.stringify(out.value));
        return;
      case 'authenticate': {
        this.questions.push(out);
        if (this.answerLogins) this.authenticate(out);
        return;
      }
      case 'sip': {
        assert.equal(out.flow.transport, 'local');
        const node = out.flow.transport === 'local' ? out.flow.node : '';
        const { message } = out;
        const written = parseMessage(writeMessage(message));
        assert.ok(written.ok, 'a message that cannot be read back');
        this.trace.push(
          `${node} < ${message.kind === 'request' ? message.method : `${message.status} ${message.headers.cseq.method}`}`,
        );
        if (node === 'proxy') return this.#register(message as SipRequest);
        if (this.underWay !== null) this.underWay.push(message);
        else this.#fromVoice(this.voice.receive(message, { transport: 'local', node: 'vsp' }, this.now));
      }
    }
  }

  authenticate(question: Extract<VspOutput, { type: 'authenticate' }>): void {
    const { credentials } = question;
    const user = credentials.kind === 'password' ? credentials.login : credentials.token;
    const ok = credentials.kind === 'token' || this.passwords[user] === credentials.password;
    this.#queue.push({
      type: 'authenticated',
      request: question.request,
      result: ok ? { ok, user, ...this.handedOut } : { ok: false, why: 'Login Incorrect' },
    });
  }

  #register(request: SipRequest): void {
    const contact = request.headers.contact as Exclude<SipRequest['headers']['contact'], '*'>;
    const status = this.registrar(request);
    if (status === 0) return;
    this.registers.push({
      user: request.headers.to.uri.user!,
      contact: contact[0]!.uri.user!,
      expires: header(request, 'Expires')!,
      seq: request.headers.cseq.seq,
      callId: request.headers.callId,
    });
    const granted = contact.map((c) => ({ ...c, params: { expires: header(request, 'Expires')! } }));
    this.#queue.push({
      type: 'sip',
      message: createResponse(request, status, { toTag: 'r', contact: granted }),
      flow: { transport: 'local', node: 'proxy' },
    });
  }

  #fromVoice(outs: readonly UserAgentOut[]): void {
    for (const out of outs) {
      if (out.type === 'sip')
        this.#queue.push({ type: 'sip', message: out.message, flow: { transport: 'local', node: 'voice' } });
      else {
        this.heard.push(out);
        if (out.type === 'info') this.#fromVoice(this.voice.respondRequest(out.tx, 200, {}, this.now));
      }
    }
  }

  #frame(socket: string, text: string): void {
    if (text.startsWith('#SP')) {
      this.trace.push(`${socket} < ${text}`);
      return;
    }
    const json = JSON.parse(text) as Json;
    let usedIds = this.#used.get(socket);
    if (usedIds === undefined) this.#used.set(socket, (usedIds = new Set()));
    const answersLogin = this.#logins.has(json['id']) && !('method' in json);
    assert.deepEqual(strictProblems(text, { usedIds, answersLogin }), [], text);
    for (const parse of NATIVE_PARSERS) parse(text);
    this.frames.push({ socket, json });
    const what = json['method'] ?? ('error' in json ? `error ${json['error'].code} to` : 'result to');
    this.trace.push(`${socket} < ${what}${'method' in json ? '' : ` ${json['id']}`}`);
  }
}
