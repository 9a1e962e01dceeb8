import type { Random } from '@sidetone/core';
import {
  createUserAgent,
  type Flow,
  type LegId,
  parseMessage,
  type UserAgent,
  type UserAgentOut,
  writeMessage,
} from '@sidetone/sip';
import { lines } from './engine.ts';
import type { Rings } from './rings.ts';
import { HOUSE } from './services.ts';
import type { World } from './world.ts';

/** What the carrier does with calls, drawn from the seed. */
export interface CarrierHabits {
  /** Calls this number at the start. */
  readonly dials?: string;
  readonly offerless: boolean;
  readonly cancelsAfter?: number;
  readonly incoming: 'answer' | 'busy' | 'silent' | 'ring' | 'unavailable';
  readonly earlyMedia: boolean;
  readonly answersAfter: number;
  readonly holdsAfter?: number;
  readonly hangsUpAfter?: number;
}

export const CARRIER = { host: '192.0.2.50', port: 5070 };

/** A carrier rings for so long, whoever calls; the house gives up far earlier. */
const RINGS_MS = 180_000;

/** A carrier: a SIP user agent on the far side of a lossy datagram network. */
export class PretendCarrier {
  readonly legs = new Map<LegId, 'calling' | 'ringing' | 'active' | 'done'>();
  readonly #world: World;
  readonly #random: Random;
  readonly #habits: CarrierHabits;
  readonly #agent: UserAgent;
  readonly #rings: Rings;
  readonly #send: (bytes: Uint8Array) => void;
  #armedFor: number | null = null;

  constructor(
    world: World,
    random: Random,
    habits: CarrierHabits,
    rings: Rings,
    send: (bytes: Uint8Array) => void,
  ) {
    this.#world = world;
    this.#random = random;
    this.#habits = habits;
    this.#rings = rings;
    this.#send = send;
    this.#agent = createUserAgent({
      sentBy: CARRIER,
      contact: (leg) => ({
        scheme: 'sip',
        user: `c-${leg}`,
        host: CARRIER.host,
        port: CARRIER.port,
        params: {},
      }),
      resolve: () => ({ transport: 'udp', ...HOUSE }),
      userAgent: 'carrier',
      allow: ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'INFO', 'UPDATE', 'REFER'],
      random,
    });
  }

  start(): void {
    const { dials, offerless, cancelsAfter } = this.#habits;
    if (dials === undefined) return;
    const uri = (user: string, host: string) => ({ scheme: 'sip', user, host, params: {} });
    const { leg, out } = this.#agent.invite(
      {
        requestUri: { ...uri(dials, HOUSE.host), port: HOUSE.port },
        from: { uri: uri('+15557654321', CARRIER.host), params: {} },
        to: { uri: uri(dials, HOUSE.host), params: {} },
        headers: [['X-From-Carrier', 'yes']],
        ...(offerless ? {} : { sdp: this.#description('sendrecv') }),
      },
      this.#world.now,
    );
    this.legs.set(leg, 'calling');
    this.#take(out);
    if (cancelsAfter !== undefined) {
      this.#world.after(cancelsAfter, () => {
        if (this.legs.get(leg) === 'calling') this.#take(this.#agent.cancel(leg, [], this.#world.now));
      });
    }
  }

  datagram(bytes: Uint8Array): void {
    const parsed = parseMessage(bytes);
    if (!parsed.ok) throw new Error(`the house sent what does not parse: ${parsed.error.reason}`);
    const flow: Flow = { transport: 'udp', ...HOUSE };
    this.#take(this.#agent.receive(parsed.value, flow, this.#world.now));
  }

  get size(): number {
    return this.#agent.size;
  }

  #take(out: readonly UserAgentOut[]): void {
    for (const o of out) this.#one(o);
    const due = this.#agent.deadline();
    if (
      due === null ||
      (this.#armedFor !== null && this.#armedFor <= due && this.#armedFor > this.#world.now)
    )
      return;
    this.#armedFor = due;
    this.#world.after(Math.max(0, due - this.#world.now), () => {
      this.#armedFor = null;
      this.#take(this.#agent.tick(this.#world.now));
    });
  }

  #one(out: UserAgentOut): void {
    const { now } = this.#world;
    switch (out.type) {
      case 'sip': {
        const { message } = out;
        this.#world.note(
          `carrier → ${message.kind === 'request' ? message.method : `${message.status} ${message.headers.cseq.method}`}`,
        );
        return this.#send(writeMessage(message));
      }
      case 'incoming':
        return this.#ring(out.leg, out.request.headers.callId, out.sdp === undefined);
      case 'accepted':
        if (this.#habits.offerless && out.sdp !== undefined)
          this.#take(this.#agent.ack(out.leg, this.#description('sendrecv'), now));
        return this.#active(out.leg);
      case 'confirmed':
        return this.#active(out.leg);
      case 'reinvite':
        return this.#take(
          this.#agent.respondReinvite(out.leg, out.tx, 200, { sdp: this.#description('sendrecv') }, now),
        );
      case 'info':
        return this.#take(this.#agent.respondRequest(out.tx, 200, {}, now));
      case 'request':
        if (out.request.method === 'REFER' && out.leg !== undefined) return this.#refered(out.leg, out.tx);
        return this.#take(this.#agent.respondRequest(out.tx, 200, {}, now));
      case 'cancelled':
      case 'failed':
      case 'bye':
      case 'ended':
        this.legs.set(out.leg, 'done');
        return;
    }
  }

  #ring(leg: LegId, callId: string, offerless: boolean): void {
    const { incoming, earlyMedia, answersAfter } = this.#habits;
    this.legs.set(leg, 'ringing');
    const respond = (status: number, sdp?: string): void => {
      if (this.legs.get(leg) !== 'ringing') return;
      if (status >= 300) this.legs.set(leg, 'done');
      this.#take(this.#agent.respond(leg, status, sdp === undefined ? {} : { sdp }, this.#world.now));
    };
    this.#world.after(RINGS_MS, () => {
      if (this.legs.get(leg) !== 'ringing') return;
      this.#rings.rungOut(callId);
      respond(480);
    });
    if (incoming === 'busy') return this.#world.after(20, () => respond(486));
    if (incoming === 'unavailable') return this.#world.after(20, () => respond(503));
    if (incoming === 'silent') return;
    this.#world.after(30, () =>
      respond(
        earlyMedia && !offerless ? 183 : 180,
        earlyMedia && !offerless ? this.#description('sendrecv') : undefined,
      ),
    );
    if (incoming === 'answer')
      this.#world.after(answersAfter + 40, () => respond(200, this.#description('sendrecv')));
  }

  /** It is to call somebody else: it refuses, does it and says so, says nothing more, or hangs up. */
  #refered(leg: LegId, tx: string): void {
    const how = this.#random.int(5);
    this.#take(this.#agent.respondRequest(tx, how === 0 ? 603 : 202, {}, this.#world.now));
    if (how === 0) return;
    const notify = (line: string, state: string): void => {
      if (this.legs.get(leg) !== 'active') return;
      const headers = [
        ['Event', 'refer'],
        ['Subscription-State', state],
      ] as const;
      const about = { method: 'NOTIFY', contentType: 'message/sipfrag;version=2.0', body: line, headers };
      this.#take(this.#agent.requestInDialog(leg, about, 'notify', this.#world.now));
    };
    notify('SIP/2.0 100 Trying', 'active;expires=60');
    if (how === 1) return;
    const line = how === 2 ? 'SIP/2.0 486 Busy Here' : 'SIP/2.0 200 OK';
    this.#world.after(this.#random.int(6_000), () => notify(line, 'terminated;reason=noresource'));
    if (how < 4) return;
    this.#world.after(7_000, () => {
      if (this.legs.get(leg) !== 'active') return;
      this.legs.set(leg, 'done');
      this.#take(this.#agent.bye(leg, [], this.#world.now));
    });
  }

  #active(leg: LegId): void {
    if (this.legs.get(leg) === 'active' || this.legs.get(leg) === 'done') return;
    this.legs.set(leg, 'active');
    const { holdsAfter, hangsUpAfter } = this.#habits;
    const again = (direction: string, token: string): void => {
      if (this.legs.get(leg) === 'active')
        this.#take(this.#agent.reinvite(leg, this.#description(direction), token, this.#world.now));
    };
    if (holdsAfter !== undefined) {
      this.#world.after(holdsAfter, () => again('sendonly', 'hold'));
      this.#world.after(holdsAfter + 700, () => again('sendrecv', 'resume'));
    }
    if (hangsUpAfter !== undefined) {
      this.#world.after(hangsUpAfter, () => {
        if (this.legs.get(leg) !== 'active') return;
        this.legs.set(leg, 'done');
        this.#take(this.#agent.bye(leg, [], this.#world.now));
      });
    }
  }

  #description(direction: string): string {
    return lines([
      'v=0',
      `o=carrier ${this.#random.int(1e9)} 1 IN IP4 ${CARRIER.host}`,
      's=-',
      `c=IN IP4 ${CARRIER.host}`,
      't=0 0',
      'm=audio 30000 RTP/AVP 0 8 101',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:101 telephone-event/8000',
      `a=${direction}`,
    ]);
  }
}
