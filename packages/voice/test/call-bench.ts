import type { Ms } from '@sidetone/core';
import type { MediaCommand, MediaReply } from '@sidetone/wire';
import type { Branch } from '../src/leg/branch.ts';
import type { Ending } from '../src/leg/ending.ts';
import type { Leg } from '../src/leg/leg.ts';
import type { Contact, LegInput, MediaTag, Wish } from '../src/message.ts';
import { newBridge } from '../src/place/bridge-draft.ts';
import { Conferences } from '../src/place/conferences.ts';
import { Registry } from '../src/registry.ts';
import { dialFor, dialledLeg, offeredLeg } from '../src/routing/arrival.ts';
import type { Arrival, Routed } from '../src/routing/plan.ts';
import { Transactions } from '../src/transaction.ts';

export const OFFER = 'offer of the caller';

export interface Setup {
  readonly kind?: 'client' | 'phone' | 'trunk';
  readonly offerless?: boolean;
  readonly plan?: Routed;
  readonly codecs?: Branch['codecs'];
  readonly offer?: string;
  readonly numbers?: readonly string[];
  readonly number?: string;
  /** Replies of media wait for `reply`. */
  readonly manual?: boolean;
  readonly heldHears?: 'music' | 'silence';
  /** By which IP version the caller signals. */
  readonly family?: 4 | 6;
}

export const trunkPlan = (change: Partial<Extract<Routed, { to: 'trunk' }>['trunks'][0]> = {}): Routed => ({
  to: 'trunk',
  number: '+15550100',
  trunks: [
    { name: 'carrier', codecs: ['OPUS', 'PCMU', 'PCMA'], dtmf: 'rfc4733', policy: 'quality', ...change },
  ],
});

export const userPlan = (change: Partial<Extract<Routed, { to: 'user' }>> = {}): Routed => ({
  to: 'user',
  userName: 'line2',
  ringAll: true,
  rejectCode: 487,
  codecs: ['OPUS', 'PCMU', 'PCMA'],
  dtmf: 'rfc4733',
  ringMs: 90_000,
  ani: { format: '+E.164', country: 'US' },
  foreign: false,
  policy: 'quality',
  ...change,
});

/** A contact of the callee; the first one becomes branch `b`, as the leg is called. */
export const contact = (branch: string, client = true): Contact => ({
  branch,
  uri: { scheme: 'sip', user: branch, host: client ? 'vsp.sidetone.invalid' : '192.0.2.7', params: {} },
  client,
  webrtc: client,
  family: null,
});

/** An input as a test spells it: `leg` names the branch it is for; without one it is for leg `b`, which is called. */
export type BenchInput =
  | LegInput
  | { readonly type: 'start' }
  | { readonly type: 'everybody'; readonly ending: Ending }
  | (LegInput extends infer I
      ? I extends { readonly branch: string }
        ? Omit<I, 'branch'> & { readonly leg: string }
        : I & { readonly leg: string }
      : never);

/** A short spelling of an output, so that a test reads like a ladder. Branches are named, which are legs where there is one. */
export function spell(out: Wish): string {
  switch (out.type) {
    case 'media':
      return `media ${mediaWords(out.command)}`;
    case 'respond':
      return `${out.branch} ${out.status}${out.sdp === undefined ? '' : ` sdp(${out.sdp})`}`;
    case 'invite':
      return `INVITE ${out.branch} ${out.shown.number} sdp(${out.sdp})`;
    case 'cancel':
    case 'bye':
      return `${out.type.toUpperCase()} ${out.branch} ${out.ending.cause}`;
    case 'reinvite':
      return `re-INVITE ${out.branch} sdp(${out.sdp})`;
    case 'respondReinvite':
      return `${out.branch} re ${out.status}${out.sdp === undefined ? '' : ` sdp(${out.sdp})`}`;
    case 'tellHeard':
      return `heard ${out.branch} ${out.msAgo} ms ago`;
    case 'sendDigit':
      return `INFO ${out.branch} ${out.digit}`;
    case 'lookup':
      return `lookup ${out.user}`;
    case 'record':
      return `record ${out.record.leg_id} ${out.record.cause} ${out.record.ended_by}`;
    case 'answerRefer':
      return `${out.leg} REFER ${out.status}`;
    case 'notify':
      return `NOTIFY ${out.branch} ${out.status}${out.final ? ' final' : ''}`;
    case 'news':
      return `news ${out.leg} ${out.n} ${out.what.type}`;
    case 'sound':
      return `sound ${out.leg} ${out.ask.kind}`;
    case 'recorded':
      return `recorded ${out.leg} ${out.recording.id}`;
    case 'onAnswer':
      return `onAnswer ${out.leg}`;
    case 'sendRefer':
      return `REFER ${out.branch} ${out.address}`;
    case 'keptInQueue':
    case 'leftUntold':
      return `${out.type} ${out.leg} ${out.place.name}`;
    case 'sendInfo':
      return `INFO ${out.branch} ${out.contentType}`;
    case 'log':
      return `log ${out.event}`;
  }
}

function mediaWords(command: MediaCommand): string {
  switch (command.op) {
    case 'claim':
      return `claim ${command.legs.join(',')}`;
    case 'answer':
    case 'offer':
      return `${command.op} ${command.leg} ${command.kind} ${command.codecs.join(',')}${
        command.direction === undefined ? '' : ` ${command.direction}`
      }${command.op === 'offer' && command.restart === true ? ' restart' : ''}`;
    case 'source':
      return `source ${command.leg} ${command.source.kind}${
        command.source.kind === 'leg' ? ` ${command.source.leg}` : ''
      }`;
    case 'dtmf':
      return `dtmf ${command.leg} ${command.digits}`;
    case 'accept':
      return `accept ${command.leg} ${command.sdp}`;
    case 'play':
    case 'stop':
    case 'stream':
    case 'streamBegin':
    case 'streamDigits':
    case 'streamStop':
    case 'transcribe':
    case 'transcribeStop':
    case 'fork':
    case 'forkStop':
      return `${command.op} ${command.leg} ${command.id}`;
    case 'stats':
    case 'keep':
    case 'close':
    case 'listen':
      return `${command.op} ${command.leg}`;
    case 'record':
    case 'recordPause':
    case 'recordResume':
    case 'recordStop':
      return `${command.op} ${'leg' in command ? command.leg : command.room} ${command.id}`;
    case 'roomPlay':
    case 'roomStop':
    case 'roomBeep':
      return `${command.op} ${command.room}`;
    case 'health':
      return 'health';
  }
}

export const STATS = {
  packetsReceived: 5,
  packetsSent: 5,
  bytesReceived: 800,
  bytesSent: 800,
  packetsLost: 0,
  jitterMs: 1,
  dtmfReceived: 0,
  dropped: 0,
} as const;

const SETTINGS = { callMs: 1_000_000, cancelMs: 40_000, parkMs: 180_000, heldHears: 'music' as const };
const RING_MS = 90_000;

/** Drives the machines of one call, without SIP and without media: both answer at once, unless `manual`. */
export class CallBench {
  now: Ms = 0;
  readonly registry = new Registry();
  readonly outs: Wish[] = [];
  readonly waiting: { leg: string; tag: MediaTag; command: MediaCommand }[] = [];
  /** Replies for the next commands that match, instead of the usual ones. */
  readonly failures: ((command: MediaCommand) => MediaReply | undefined)[] = [];
  codecOf: Readonly<Record<string, 'OPUS' | 'PCMU' | 'PCMA'>> = {};
  readonly #setup: Setup;
  readonly #legs: Transactions;
  #answers = 0;

  constructor(setup: Setup = {}) {
    this.#setup = setup;
    this.#legs = new Transactions(this.registry, new Conferences(this.registry), SETTINGS, {
      wish: (wish) => this.#heard(wish),
      dial: () => {
        throw new Error('no transfer here');
      },
      conference: () => {
        throw new Error('no conference here');
      },
    });
  }

  #start(): void {
    const { kind = 'client', plan = trunkPlan(), heldHears = 'music', offerless = false } = this.#setup;
    const { number = '+13125550100', numbers = ['+13125550100'], offer = OFFER } = this.#setup;
    const codecs = this.#setup.codecs ?? ['OPUS', 'PCMU', 'PCMA'];
    const who = kind === 'trunk' ? { trunk: 'carrier' } : { userName: 'line1' };
    const arrival: Arrival = {
      caller: {
        name: 'Ann',
        number,
        ...(kind === 'trunk' ? {} : { userName: 'line1' }),
        domain: 'sip.localhost',
        numbers,
        dialled: '+15550100',
        headers: [['X-In', 'yes']],
      },
      plan,
      asker: undefined,
      leg: { kind, codecs, dtmf: 'rfc4733', ...who, family: this.#setup.family ?? null },
    };
    const beginning = { session: 'session', counts: [], now: this.now, epoch: 1_700_000_000_000 };
    const description = offerless ? undefined : offer;
    const fresh = (leg: string) => ({ leg, control: `v3:${leg}` });
    if (plan.to === 'service' || plan.to === 'refuse') {
      const place =
        plan.to === 'service'
          ? ({ in: 'built-in', service: plan.service, id: 's', since: this.now } as const)
          : null;
      const leg = offeredLeg(arrival, fresh('a'), description, place, beginning);
      this.#legs.begin(leg);
      if (plan.to === 'refuse') this.#legs.post('a', { type: 'end', ending: plan.ending });
      else {
        const { opus } = dialFor({ to: 'trunk', number: '', trunks: [] }, arrival.caller, 's', leg, 0);
        this.#legs.post('a', { type: 'answer', codecs, opus, headers: [] });
      }
      return;
    }
    this.registry.bridges.set('bridge', newBridge({ id: 'bridge', session: 'session', heldHears }));
    const a = offeredLeg(
      arrival,
      fresh('a'),
      description,
      { in: 'bridge', id: 'bridge', side: 'a' },
      beginning,
    );
    this.#legs.begin(a);
    const dial = dialFor(plan, arrival.caller, 'b', a, RING_MS);
    this.#legs.begin(dialledLeg(dial, fresh('b'), { in: 'bridge', id: 'bridge', side: 'b' }, beginning));
    this.#legs.post('b', { type: 'dial' });
  }

  /** Feeds one input; returns what the call wanted, without log lines, in order (media's answers included). */
  feed(input: BenchInput): string[] {
    const from = this.outs.length;
    this.#apply(input);
    if (this.#setup.manual !== true) while (this.waiting.length > 0) this.reply();
    return this.outs
      .slice(from)
      .filter((o) => o.type !== 'log')
      .map(spell);
  }

  /** Answers the oldest (or the given) waiting media command. */
  reply(index = 0, reply?: MediaReply): void {
    const [asked] = this.waiting.splice(index, 1);
    if (asked === undefined) return;
    const { leg, tag, command } = asked;
    const of = 'id' in command ? command.id : null;
    this.#apply({ type: 'media', leg, tag, of, reply: reply ?? this.usual(command) });
  }

  usual(command: MediaCommand): MediaReply {
    for (const failure of this.failures) {
      const reply = failure(command);
      if (reply !== undefined) return reply;
    }
    const leg = 'leg' in command ? command.leg : '';
    const codec = this.codecOf[leg] ?? 'OPUS';
    if (command.op === 'offer') return { ok: true, sdp: `our-offer-${leg}-${++this.#answers}` };
    if (command.op === 'answer') return { ok: true, sdp: `our-answer-${leg}-${++this.#answers}`, codec };
    if (command.op === 'accept') return { ok: true, codec };
    if (command.op === 'close') return { ok: true, stats: STATS };
    return { ok: true };
  }

  records(): Extract<Wish, { type: 'record' }>['record'][] {
    return this.outs.flatMap((o) => (o.type === 'record' ? [o.record] : []));
  }

  leg(id: string): Leg | undefined {
    return this.registry.legs.get(id);
  }

  branch(id: string): Branch {
    const branch = this.registry.branch(id);
    if (branch === undefined) throw new Error(`no branch ${id}`);
    return branch;
  }

  /** Over: nobody is left. Up: both legs talk. Otherwise how far the leg is that is called. */
  get state(): 'over' | 'up' | Leg['state']['name'] {
    const legs = [...this.registry.legs.values()];
    if (legs.length === 0) return 'over';
    if (legs.every((leg) => leg.state.name === 'up')) return 'up';
    return (this.leg('b') ?? this.leg('a'))!.state.name;
  }

  deadline(): Ms | null {
    return this.#legs.deadline();
  }

  #heard(wish: Wish): void {
    this.outs.push(wish);
    if (wish.type === 'media') this.waiting.push({ leg: wish.branch, tag: wish.tag, command: wish.command });
  }

  #apply(input: BenchInput): void {
    if (input.type === 'start') this.#start();
    else if (input.type === 'tick') this.#legs.tick(this.now);
    else if (input.type === 'everybody') {
      for (const id of this.registry.legs.keys()) this.#legs.post(id, { type: 'end', ending: input.ending });
    } else if ('leg' in input) {
      const { leg, ...rest } = input;
      const owner = this.registry.legOfBranch(leg)?.id ?? leg;
      this.#legs.post(owner, { ...rest, branch: leg } as LegInput);
    } else this.#legs.post('b', input);
    this.#legs.run(this.now);
  }
}

/** A client's call to the carrier, answered. */
export function answered(setup: Setup = {}): CallBench {
  const bench = new CallBench(setup);
  bench.feed({ type: 'start' });
  bench.feed({ type: 'accepted', leg: 'b', sdp: 'theirs', headers: [] });
  return bench;
}
