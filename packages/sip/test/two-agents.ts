import { type Ms, seededRandom } from '@sidetone/core';
import {
  createUserAgent,
  type Flow,
  type LegId,
  parseMessage,
  type SipMessage,
  type UserAgent,
  type UserAgentOptions,
  type UserAgentOut,
  writeMessage,
} from '@sidetone/sip';

export type Side = 'alice' | 'bob';
export type Event = Exclude<UserAgentOut, { type: 'sip' }>;

const ADDRESS: Record<Side, { host: string; port: number }> = {
  alice: { host: '192.0.2.1', port: 5060 },
  bob: { host: '192.0.2.2', port: 5070 },
};

export const ALLOW = ['INVITE', 'ACK', 'BYE', 'CANCEL', 'INFO', 'OPTIONS', 'UPDATE', 'MESSAGE'];

export interface PairOptions {
  readonly seed?: number;
  /** Share of packets that are lost, 0 to 1. */
  readonly loss?: number;
  /** Longest one-way delay in ms; the shortest is 1. */
  readonly delay?: Ms;
  readonly transport?: 'udp' | 'tcp';
  /** The offers of re-INVITEs when they are sent. */
  readonly offer?: UserAgentOptions['offer'];
  /** Looks at (and may drop, by `false`) each message on the wire. */
  readonly onWire?: (from: Side, message: SipMessage, now: Ms) => boolean | undefined;
}

/** Two user agents joined by a simulated link on a virtual clock; every message passes as bytes. */
export class Pair {
  readonly agents: Record<Side, UserAgent>;
  readonly trace: string[] = [];
  now: Ms = 1000;
  /** What each side was told, and who reacts to it. */
  readonly events: Record<Side, Event[]> = { alice: [], bob: [] };
  readonly react: Record<Side, ((event: Event) => void) | null> = { alice: null, bob: null };
  readonly #options: PairOptions;
  readonly #fresh: (side: Side, seed: number) => UserAgent;
  readonly #random;
  readonly #wire: { at: Ms; order: number; to: Side; bytes: Uint8Array }[] = [];
  #order = 0;

  constructor(options: PairOptions = {}) {
    this.#options = options;
    this.#random = seededRandom(options.seed ?? 1);
    const agent = (side: Side, seed: number): UserAgent => {
      const own = ADDRESS[side];
      const settings: UserAgentOptions = {
        sentBy: own,
        contact: (leg: LegId) => ({ scheme: 'sip', user: leg, ...own, params: {} }),
        resolve: (uri) => this.flow({ host: uri.host, port: uri.port ?? 5060 }),
        userAgent: side,
        allow: ALLOW,
        ...(options.offer === undefined ? {} : { offer: options.offer }),
      };
      return createUserAgent({ ...settings, random: seededRandom(seed) });
    };
    this.#fresh = agent;
    this.agents = {
      alice: agent('alice', 2 + (options.seed ?? 1)),
      bob: agent('bob', 70 + (options.seed ?? 1)),
    };
  }

  flow(to: { host: string; port: number }): Flow {
    return { transport: this.#options.transport ?? 'udp', host: to.host, port: to.port };
  }

  /** The process of `side` dies; another one, without memory, has its address. */
  restart(side: Side): UserAgent {
    this.agents[side] = this.#fresh(side, 900 + this.now);
    return this.agents[side];
  }

  /** Carries out what an agent wants. */
  do(side: Side, out: readonly UserAgentOut[]): void {
    for (const event of out) {
      if (event.type === 'sip') this.#send(side, event.message, event.flow);
      else {
        this.trace.push(`${this.now} ${side} ${describe(event)}`);
        this.events[side].push(event);
        this.react[side]?.(event);
      }
    }
  }

  /** Alice calls Bob; `null` without an offer. */
  invite(sdp: string | null = 'offer', more: Partial<Parameters<UserAgent['invite']>[0]> = {}): LegId {
    const { leg, out } = this.agents.alice.invite(
      {
        requestUri: { scheme: 'sip', user: 'bob', ...ADDRESS.bob, params: {} },
        from: { uri: { scheme: 'sip', user: 'alice', host: 'a.example', params: {} }, params: {} },
        to: { uri: { scheme: 'sip', user: 'bob', host: 'b.example', params: {} }, params: {} },
        ...(sdp === null ? {} : { sdp }),
        ...more,
      },
      this.now,
    );
    this.do('alice', out);
    return leg;
  }

  /** Runs until nothing is left to do, or until `limit` (ms from now). */
  run(limit = 400_000): void {
    const end = this.now + limit;
    for (let steps = 0; steps < 100_000; steps++) {
      let next: Ms | null = this.#wire.reduce<Ms | null>(
        (least, p) => (least === null || p.at < least ? p.at : least),
        null,
      );
      for (const side of ['alice', 'bob'] as const) {
        const due = this.agents[side].deadline();
        if (due !== null && (next === null || due < next)) next = due;
      }
      if (next === null || next > end) {
        this.now = next === null ? this.now : end;
        return;
      }
      this.now = Math.max(this.now, next);
      this.#deliver();
      for (const side of ['alice', 'bob'] as const) {
        const due = this.agents[side].deadline();
        if (due !== null && due <= this.now) this.do(side, this.agents[side].tick(this.now));
      }
    }
    throw new Error('the pair does not come to rest');
  }

  told(side: Side): string[] {
    return this.events[side].map(describe);
  }

  last<T extends Event['type']>(side: Side, type: T): Extract<Event, { type: T }> {
    const found = this.events[side].findLast((e) => e.type === type);
    if (found === undefined)
      throw new Error(`${side} was not told ${type}, but ${this.told(side).join(', ')}`);
    return found as Extract<Event, { type: T }>;
  }

  /** Hands a message to one side as if it came from the other. */
  inject(to: Side, message: SipMessage): void {
    const from = ADDRESS[to === 'alice' ? 'bob' : 'alice'];
    this.do(to, this.agents[to].receive(reparse(message), this.flow(from), this.now));
  }

  #send(from: Side, message: SipMessage, flow: Flow): void {
    const to: Side = from === 'alice' ? 'bob' : 'alice';
    const label =
      message.kind === 'request' ? message.method : `${message.status}/${message.headers.cseq.method}`;
    this.trace.push(`${this.now} ${from} > ${label} ${message.headers.cseq.seq}`);
    if (flow.transport === 'local' || flow.host !== ADDRESS[to].host || flow.port !== ADDRESS[to].port)
      throw new Error(`${from} sends to ${JSON.stringify(flow)}`);
    if (this.#options.onWire?.(from, message, this.now) === false) return;
    if (this.#random.int(1_000_000) < (this.#options.loss ?? 0) * 1_000_000) return;
    const at = this.now + 1 + this.#random.int(this.#options.delay ?? 1);
    this.#wire.push({ at, order: this.#order++, to, bytes: writeMessage(message) });
  }

  #deliver(): void {
    for (;;) {
      let index = -1;
      for (let i = 0; i < this.#wire.length; i++) {
        const packet = this.#wire[i]!;
        const best = this.#wire[index];
        if (packet.at > this.now) continue;
        if (best === undefined || packet.at < best.at || (packet.at === best.at && packet.order < best.order))
          index = i;
      }
      const [packet] = index < 0 ? [] : this.#wire.splice(index, 1);
      if (packet === undefined) return;
      const parsed = parseMessage(packet.bytes);
      if (!parsed.ok) throw new Error(`unreadable: ${parsed.error.reason}`);
      const from = ADDRESS[packet.to === 'alice' ? 'bob' : 'alice'];
      this.do(packet.to, this.agents[packet.to].receive(parsed.value, this.flow(from), this.now));
    }
  }
}

function reparse(message: SipMessage): SipMessage {
  const parsed = parseMessage(writeMessage(message));
  if (!parsed.ok) throw new Error(parsed.error.reason);
  return parsed.value;
}

function describe(event: Event): string {
  const e = event as Event & { status?: number; sdp?: string; why?: string; by?: string; token?: string };
  return [e.type, e.status, e.by, e.why, e.token, e.sdp].filter((x) => x !== undefined && x !== '').join(' ');
}

/** Bob rings and answers. */
export function answering(pair: Pair, sdp = 'answer'): void {
  pair.react.bob = (event) => {
    if (event.type !== 'incoming') return;
    pair.do('bob', pair.agents.bob.respond(event.leg, 180, {}, pair.now));
    pair.do('bob', pair.agents.bob.respond(event.leg, 200, { sdp }, pair.now));
  };
}

/** A call that is up, with nothing told yet. */
export function established(options: ConstructorParameters<typeof Pair>[0] = {}) {
  const pair = new Pair(options);
  answering(pair);
  const alice = pair.invite();
  pair.run(1000);
  const bob = pair.last('bob', 'confirmed').leg;
  pair.react.bob = null;
  pair.events.alice.length = 0;
  pair.events.bob.length = 0;
  return { pair, alice, bob };
}
