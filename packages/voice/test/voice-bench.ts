import { type LogLine, type Ms, seededRandom } from '@sidetone/core';
import {
  createUserAgent,
  type Flow,
  header,
  type LocalNode,
  type UserAgent,
  type UserAgentOut,
} from '@sidetone/sip';
import {
  type CallEvent,
  type CallRecord,
  type Command,
  type CommandResult,
  HEADER,
  type Identity,
  type MediaCommand,
  type MediaReply,
  type NODE_HOST,
  type Trunk,
} from '@sidetone/wire';
import { type FixedConnection, type FixedPeople, fixedIdentity } from '@sidetone/wire/testing';
import { createVoice, type QueueReads, type Voice, type VoiceOptions } from '../src/index.ts';
import type { VoiceOutput } from '../src/voice-events.ts';

export const connection = (userName: string, change: Partial<FixedConnection> = {}): FixedConnection => ({
  userName,
  password: 'not used here',
  simultaneousRinging: true,
  ...change,
});

export const trunk = (change: Partial<Trunk> = {}): Trunk => ({
  name: 'carrier',
  host: '192.0.2.10',
  port: 5060,
  transport: 'udp',
  prefixes: ['+'],
  codecs: ['PCMU'],
  dtmf: 'rfc4733',
  policy: 'quality',
  ...change,
});

export const PEOPLE: FixedPeople = {
  domain: 'sip.localhost',
  connections: [
    connection('line1', { numbers: ['+13125550100'] }),
    connection('line2', { numbers: ['+13125550101'] }),
    connection('closed', { sipUriCalling: 'disabled' }),
  ],
  trunks: [trunk()],
};

/** Who there is, with a change. */
export const people = (change: Partial<FixedPeople> = {}): (() => Identity) => {
  const identity = fixedIdentity({ ...PEOPLE, ...change });
  return () => identity;
};
const DEFAULT = people();

export const sdp = (direction = 'sendrecv', port = 4000, extra: readonly string[] = []): string =>
  [
    'v=0',
    'o=- 1 1 IN IP4 192.0.2.1',
    's=-',
    'c=IN IP4 192.0.2.1',
    't=0 0',
    `m=audio ${port} RTP/AVP 0`,
    'a=rtpmap:0 PCMU/8000',
    ...extra,
    `a=${direction}`,
    '',
  ].join('\r\n');

type Event = Exclude<UserAgentOut, { type: 'sip' }>;

/** One room beside voice: a user agent whose events are kept. */
export class Far {
  readonly agent: UserAgent;
  readonly node: 'vsp' | 'proxy';
  readonly events: Event[] = [];
  readonly #bench: VoiceBench;

  constructor(
    bench: VoiceBench,
    node: 'vsp' | 'proxy',
    host: (typeof NODE_HOST)['vsp' | 'proxy'],
    seed: number,
  ) {
    this.node = node;
    this.#bench = bench;
    this.agent = createUserAgent({
      random: seededRandom(seed),
      sentBy: { host },
      contact: (leg) => ({ scheme: 'sip', user: leg, host, params: {} }),
      resolve: () => ({ transport: 'local', node: 'voice' }),
      userAgent: 'far',
      allow: ['INVITE', 'ACK', 'CANCEL', 'BYE', 'INFO', 'UPDATE', 'OPTIONS', 'NOTIFY', 'REFER'],
    });
  }

  /** Does something with the agent and carries out what it wants. */
  act(outs: readonly UserAgentOut[]): void {
    for (const out of outs) {
      if (out.type === 'sip') this.#bench.toVoice(this.node, out.message);
      else this.events.push(out);
    }
    this.#bench.run();
  }

  /** Takes the oldest event of this type. */
  take<T extends Event['type']>(type: T): Extract<Event, { type: T }> {
    const index = this.events.findIndex((e) => e.type === type);
    if (index < 0)
      throw new Error(`${this.node} has no ${type}, only ${this.events.map((e) => e.type).join(' ')}`);
    return this.events.splice(index, 1)[0] as Extract<Event, { type: T }>;
  }

  has(type: Event['type']): boolean {
    return this.events.some((e) => e.type === type);
  }
}

type BenchOptions = Omit<Partial<VoiceOptions>, 'limits'> & {
  readonly limits?: Partial<VoiceOptions['limits']>;
};

/** voice between two far rooms and a media engine that answers at once; time stands still unless `advance`d. */
export class VoiceBench {
  voice: Voice;
  readonly vsp: Far;
  readonly proxy: Far;
  readonly media: MediaCommand[] = [];
  readonly records: CallRecord[] = [];
  /** What back ends have heard, in order. */
  readonly news: CallEvent[] = [];
  /** What was asked for to be heard. */
  readonly sounds: Extract<VoiceOutput, { type: 'sound' }>[] = [];
  /** Recordings that are to be saved. */
  readonly saves: Extract<VoiceOutput, { type: 'save' }>[] = [];
  readonly #results = new Map<string, CommandResult>();
  /** What is on disk: the last value of each key, as text. */
  readonly journal = new Map<string, string>();
  /** How many lines were written, and their bytes. */
  readonly written = { lines: 0, bytes: 0 };
  /** The process dies at its next input: behind the disk, before the wire. */
  dying = false;
  /** The legs that the media process has. */
  readonly engine = new Set<string>();
  readonly #options: BenchOptions;
  readonly logs: LogLine[] = [];
  /** The leg of each branch that was called, by the branch's Call-ID. */
  readonly #legOf = new Map<string, string>();
  /** Branches that media was asked for in one input beside the first: further ways to a leg. */
  readonly #forks = new Set<string>();
  /** Replies in place of the usual; `null`: none ever. */
  mediaReply: (command: MediaCommand) => MediaReply | null | undefined = () => undefined;
  now: Ms = 1_000;
  #queue: { to: LocalNode; from: LocalNode; message: Extract<UserAgentOut, { type: 'sip' }>['message'] }[] =
    [];
  #replies: { id: number; reply: MediaReply }[] = [];
  #running = false;
  #processes = 0;

  constructor(options: BenchOptions = {}) {
    this.#options = options;
    this.voice = this.#process(1);
    this.vsp = new Far(this, 'vsp', 'vsp.sidetone.invalid', 2);
    this.proxy = new Far(this, 'proxy', 'proxy.sidetone.invalid', 3);
  }

  #process(seed: number): Voice {
    return createVoice({
      random: seededRandom(seed),
      epoch: () => 1_700_000_000_000 + this.now,
      identity: DEFAULT,
      publicAddress: { hosts: ['127.0.0.1'], port: 5060 },
      ringMs: 90_000,
      ...this.#options,
      limits: { calls: 500, callsPerUser: 100, mediaPorts: 10_000, ...this.#options.limits },
    });
  }

  get queues(): QueueReads {
    return this.voice.queues(this.now);
  }

  /** The process dies; the next one hears what was written. Media and the far rooms live on. */
  restart(): void {
    this.#replies = [];
    this.#processes += 1;
    this.voice = this.#process(1_000 + this.#processes);
    const entries = [...this.journal].map(([key, text]) => ({ key, value: JSON.parse(text) as unknown }));
    this.tell({ type: 'restore', entries });
  }

  toVoice(from: 'vsp' | 'proxy', message: Extract<UserAgentOut, { type: 'sip' }>['message']): void {
    this.#queue.push({ to: 'voice', from, message });
  }

  tell(input: Parameters<Voice['handle']>[0]): void {
    if (this.dying) {
      this.dying = false;
      for (const out of this.voice.handle(input, this.now)) {
        if (out.type === 'journal') this.#write(out.key, out.value);
        // Events are kept in the unit of the records that changed.
        else if (out.type === 'event') this.news.push(out.event);
      }
      this.#queue = [];
      this.restart();
      return;
    }
    let told = false;
    let offered = false;
    for (const out of this.voice.handle(input, this.now)) {
      if (out.type === 'journal') {
        if (told) throw new Error(`${out.key} is written after something was told`);
        this.#write(out.key, out.value);
        continue;
      }
      told ||= out.type !== 'log';
      if (out.type === 'sip') {
        if (out.flow.transport !== 'local') throw new Error('voice sends to its own rooms only');
        const { message } = out;
        const leg = message.kind === 'request' ? header(message, HEADER.leg) : undefined;
        if (leg !== undefined) this.#legOf.set(message.headers.callId, leg);
        this.#queue.push({ to: out.flow.node, from: 'voice', message: out.message });
      } else if (out.type === 'media') {
        this.media.push(out.command);
        if (out.command.op === 'offer' && out.command.direction === undefined) {
          if (offered) this.#forks.add(out.command.leg);
          offered = true;
        }
        const special = this.mediaReply(out.command);
        // A refused or lost reply to a close: the leg is gone all the same.
        const done = special == null || out.command.op === 'close' ? this.#answer(out.command) : special;
        if (special !== null) this.#replies.push({ id: out.id, reply: special ?? done });
      } else if (out.type === 'record') this.records.push(out.record);
      else if (out.type === 'sound') this.sounds.push(out);
      else if (out.type === 'save') this.saves.push(out);
      else if (out.type === 'event') this.news.push(out.event);
      else if (out.type === 'commandDone') this.#results.set(out.request, out.result);
      else if (out.type === 'log') this.logs.push(out);
    }
    this.run();
  }

  /** Commands, and gives the answer of that turn. */
  command(command: Command): CommandResult {
    const request = `command-${this.#results.size}`;
    this.tell({ type: 'command', request, command });
    const result = this.#results.get(request);
    if (result === undefined) throw new Error('a command without an answer');
    return result;
  }

  /** A branch whose leg has a record: the leg's id is that of its first branch. */
  isRecorded(branch: string): boolean {
    const leg = this.#legOf.get(branch) ?? branch;
    return this.#forks.has(leg) || this.records.some((record) => record.leg_id === leg);
  }

  #write(key: string, value: object | null): void {
    const text = JSON.stringify(value);
    this.written.lines += 1;
    this.written.bytes += key.length + text.length;
    if (value === null) this.journal.delete(key);
    else this.journal.set(key, text);
  }

  #answer(command: MediaCommand): MediaReply {
    if (command.op === 'offer' || command.op === 'answer') this.engine.add(command.leg);
    else if (command.op === 'close') this.engine.delete(command.leg);
    else if (command.op === 'claim') {
      for (const leg of this.engine) if (!command.legs.includes(leg)) this.engine.delete(leg);
      return { ok: true, missing: command.legs.filter((leg) => !this.engine.has(leg)) };
    }
    return usual(command);
  }

  run(): void {
    if (this.#running) return;
    this.#running = true;
    for (;;) {
      const next = this.#queue.shift();
      if (next !== undefined) {
        const flow: Flow = { transport: 'local', node: next.from };
        if (next.to === 'voice') this.tell({ type: 'sip', message: next.message, flow });
        else {
          const far = next.to === 'vsp' ? this.vsp : this.proxy;
          far.act(far.agent.receive(next.message, flow, this.now));
        }
        continue;
      }
      const reply = this.#replies.shift();
      if (reply === undefined) break;
      this.tell({ type: 'media', id: reply.id, reply: reply.reply });
    }
    this.#running = false;
  }

  /** Moves the clock to every deadline on the way. */
  advance(ms: Ms): void {
    const end = this.now + ms;
    for (let i = 0; i < 10_000; i++) {
      const due = [this.voice.deadline(), this.vsp.agent.deadline(), this.proxy.agent.deadline()]
        .filter((d) => d !== null)
        .reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
      if (due > end) break;
      this.now = Math.max(this.now, due);
      this.tell({ type: 'tick' });
      this.vsp.act(this.vsp.agent.tick(this.now));
      this.proxy.act(this.proxy.agent.tick(this.now));
    }
    this.now = end;
  }
}

function usual(command: MediaCommand): MediaReply {
  if (command.op === 'offer' || command.op === 'answer')
    return { ok: true, sdp: sdp(command.direction ?? 'sendrecv', 20_000), codec: 'PCMU' };
  if (command.op === 'accept') return { ok: true, codec: 'PCMU' };
  if (command.op === 'close')
    return {
      ok: true,
      stats: {
        packetsReceived: 1,
        packetsSent: 1,
        bytesReceived: 1,
        bytesSent: 1,
        packetsLost: 0,
        jitterMs: 0,
        dtmfReceived: 0,
        dropped: 0,
      },
    };
  return { ok: true };
}
