import type { MediaCommand, MediaReply } from '@sidetone/wire';
import type { Call, ContactFacts, Plan } from '../src/call.ts';
import type { CallInput, CallOut, MediaTag } from '../src/call-events.ts';
import { type Leg, newLeg } from '../src/leg.ts';
import { step } from '../src/step.ts';

export const OFFER = 'offer of the caller';

export interface Setup {
  readonly kind?: 'client' | 'phone' | 'trunk';
  readonly offerless?: boolean;
  readonly plan?: Plan;
  readonly leg?: Partial<Leg>;
  readonly numbers?: readonly string[];
  readonly number?: string;
  /** Replies of media wait for `reply`. */
  readonly manual?: boolean;
  readonly heldHears?: 'music' | 'silence';
}

export const trunkPlan = (change: Partial<Extract<Plan, { to: 'trunk' }>['trunks'][0]> = {}): Plan => ({
  to: 'trunk',
  number: '+15550100',
  trunks: [
    { name: 'carrier', codecs: ['OPUS', 'PCMU', 'PCMA'], dtmf: 'rfc4733', policy: 'quality', ...change },
  ],
  leg: { leg: 'b', control: 'v3:b' },
});

export const userPlan = (change: Partial<Extract<Plan, { to: 'user' }>> = {}): Plan => ({
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

export const contact = (leg: string, client = true): ContactFacts => ({
  leg,
  control: `v3:${leg}`,
  uri: { scheme: 'sip', user: leg, host: client ? 'vsp.sidetone.invalid' : '192.0.2.7', params: {} },
  client,
  webrtc: client,
  family: null,
});

export function newCall(setup: Setup = {}): Call {
  const kind = setup.kind ?? 'client';
  return {
    id: 'session',
    program: 'route-and-bridge',
    state: { name: 'routing' },
    plan: setup.plan ?? trunkPlan(),
    caller: {
      name: 'Ann',
      number: setup.number ?? '+13125550100',
      ...(kind === 'trunk' ? {} : { userName: 'line1' }),
      domain: 'sip.localhost',
      numbers: setup.numbers ?? ['+13125550100'],
      dialled: '+15550100',
      headers: [['X-In', 'yes']],
    },
    legs: [
      newLeg({
        id: 'a',
        control: 'v3:a',
        role: 'caller',
        kind,
        phase: 'invited',
        codecs: ['OPUS', 'PCMU', 'PCMA'],
        offer: setup.offerless === true ? null : OFFER,
        startedAt: 0,
        ...(kind === 'trunk' ? { trunk: 'carrier' } : { userName: 'line1' }),
        ...setup.leg,
      }),
    ],
    early: null,
    answerHeaders: [],
    heard: [],
    epochOffset: 1_700_000_000_000,
    settings: { ringMs: 90_000, callMs: 1_000_000, cancelMs: 40_000, heldHears: setup.heldHears ?? 'music' },
    transfer: null,
    origin: null,
    charges: [],
  };
}

/** A short spelling of an output, so that a test reads like a ladder. */
export function spell(out: CallOut): string {
  switch (out.type) {
    case 'media':
      return `media ${mediaWords(out.command)}`;
    case 'respond':
      return `${out.leg} ${out.status}${out.sdp === undefined ? '' : ` sdp(${out.sdp})`}`;
    case 'invite':
      return `INVITE ${out.leg} ${out.shown.number} sdp(${out.sdp})`;
    case 'cancel':
    case 'bye':
      return `${out.type.toUpperCase()} ${out.leg} ${out.ending.cause}`;
    case 'reinvite':
      return `re-INVITE ${out.leg} sdp(${out.sdp})`;
    case 'respondReinvite':
      return `${out.leg} re ${out.status}${out.sdp === undefined ? '' : ` sdp(${out.sdp})`}`;
    case 'sendDigit':
      return `INFO ${out.leg} ${out.digit}`;
    case 'lookup':
      return `lookup ${out.user}`;
    case 'record':
      return `record ${out.record.leg_id} ${out.record.cause} ${out.record.ended_by}`;
    case 'answerRefer':
      return `${out.leg} REFER ${out.status}`;
    case 'notify':
      return `NOTIFY ${out.leg} ${out.status}${out.final ? ' final' : ''}`;
    case 'dial':
      return `dial ${out.dialled} for ${out.keeps}`;
    case 'hangUpDial':
      return `hang up dial ${out.ending.cause}`;
    case 'news':
      return `news ${out.news.kind}`;
    case 'join':
      return `join ${out.keeps} ${out.leg}`;
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
    case 'candidate':
      return `candidate ${command.leg} ${command.candidate}`;
    case 'stats':
    case 'close':
      return `${command.op} ${command.leg}`;
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

/** Drives one call; media answers at once unless `manual`. */
export class CallBench {
  call: Call;
  now = 0;
  readonly outs: CallOut[] = [];
  readonly waiting: { leg: string; tag: MediaTag; command: MediaCommand }[] = [];
  readonly #manual: boolean;
  #answers = 0;
  /** Replies for the next commands that match, instead of the usual ones. */
  readonly failures: ((command: MediaCommand) => MediaReply | undefined)[] = [];
  codecOf: Readonly<Record<string, 'OPUS' | 'PCMU' | 'PCMA'>> = {};

  constructor(setup: Setup = {}) {
    this.call = newCall(setup);
    this.#manual = setup.manual ?? false;
  }

  /** Feeds one input; returns what the call wanted, without log lines, in order (media's answers included). */
  feed(input: CallInput): string[] {
    const from = this.outs.length;
    this.#apply(input);
    if (!this.#manual) while (this.waiting.length > 0) this.reply();
    return this.outs
      .slice(from)
      .filter((o) => o.type !== 'log')
      .map(spell);
  }

  /** Answers the oldest (or the given) waiting media command. */
  reply(index = 0, reply?: MediaReply): void {
    const [asked] = this.waiting.splice(index, 1);
    if (asked === undefined) return;
    this.#apply({ type: 'media', leg: asked.leg, tag: asked.tag, reply: reply ?? this.usual(asked.command) });
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

  records(): Extract<CallOut, { type: 'record' }>['record'][] {
    return this.outs.flatMap((o) => (o.type === 'record' ? [o.record] : []));
  }

  #apply(input: CallInput): void {
    const { state, out } = step(this.call, input, this.now);
    this.call = state;
    for (const wish of out) {
      this.outs.push(wish);
      if (wish.type === 'media') this.waiting.push(wish);
    }
  }
}

/** A client's call to the carrier, answered. */
export function answered(setup: Setup = {}): CallBench {
  const bench = new CallBench(setup);
  bench.feed({ type: 'start' });
  bench.feed({ type: 'accepted', leg: 'b', sdp: 'theirs', headers: [] });
  return bench;
}
