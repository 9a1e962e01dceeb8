import type { Ms } from '@sidetone/core';
import {
  createDtmfDetector,
  DTMF_DIGITS,
  newRtpHeader,
  RTP_HEADER_LENGTH,
  readRtp,
  writeRtp,
  writeTelephoneEvent,
} from '@sidetone/rtc';
import type { NegotiatedAudio } from '@sidetone/sdp';
import type { CodecName, Direction, LegKind, LegStats, Source } from '@sidetone/wire';
import { clockRate } from './codec.ts';
import { DigitSender } from './digit-sender.ts';
import { Hearing } from './hearing.ts';
import type { LegWorld } from './leg-world.ts';
import { Reports } from './reports.ts';
import { StreamIn } from './stream-in.ts';
import { StreamOut } from './stream-out.ts';
import { silence } from './track.ts';
import type { Failure, Transport, TransportEvents } from './transport.ts';
import { Watch } from './watch.ts';

/** A source that is silent for so long is filled in, so that the peer always hears something. */
const FILL_AFTER_MS = 100;
/** Then silence for as many beats, and comfort noise from there on. */
const COMFORT_AFTER_TICKS = 50;
/** A peer that must not be sent audio still gets a packet now and then: browsers restart ICE without. */
const KEEP_ALIVE_MS = 1000;
/** Digits relayed from a counterpart last at least this long: carriers miss shorter ones. */
const MIN_RELAYED_DIGIT_MS = 80;
const DIGIT_GAP_MS = 80;
/** A digit whose end packets were all lost is over when nothing of it came for this long. */
const DIGIT_LOST_MS = 100;
const CHECK_TICKS = 5;
/** The longest duration that one event packet can state (RFC 4733 §2.3.4), in units of its clock. */
const EVENT_SEGMENT = 0xffff;

/**
 * One leg: a peer's stream in, and the one stream that the peer hears.
 *
 *   transport ─ opened packet ─▶ rtp() ─┬ telephone-event ─▶ digit event; regenerated for each hearer
 *                                       └ audio ─▶ each hearer.hear(): relay | transcode ─▶ sendRtp ─▶ transport
 *   tick (20 ms) ─▶ digits being sent | what is played | silence, then comfort noise where nothing comes; reports; time-outs
 */
export class Leg implements TransportEvents {
  readonly id: string;
  readonly kind: LegKind;
  readonly in = new StreamIn();
  readonly out: StreamOut;
  readonly digits = new DigitSender();
  /** Legs that hear this one. Replaced, never changed, when a source is set. */
  hearers: readonly Leg[] = [];
  source: Source = { kind: 'silence' };
  transport!: Transport;
  negotiated: NegotiatedAudio | undefined;

  readonly #world: LegWorld;
  readonly #header = newRtpHeader();
  readonly #detector = createDtmfDetector();
  readonly #hearing: Hearing;
  readonly #watch: Watch;
  readonly #reports: Reports;
  /** By payload type: what arrives. */
  #codecs: (CodecName | undefined)[] = [];
  #eventClocks: number[] = [];
  #codec: CodecName | undefined;
  #canSend = false;
  #canHear = false;
  #feeder = 0;
  #generation = 0;
  #eventAt: Ms | undefined;
  #filling = false;
  #filled = 0;
  #ticks = 0;
  /** Of the digit being sent. */
  #segment = 0;
  #dtmfReceived = 0;
  #bytesSent = 0;
  #bytesReceived = 0;
  #heardAt: Ms | undefined;
  #aliveAt: Ms | undefined;

  constructor(id: string, kind: LegKind, world: LegWorld) {
    this.id = id;
    this.kind = kind;
    this.#world = world;
    this.out = new StreamOut(world.random);
    this.#hearing = new Hearing(this, world);
    this.#watch = new Watch(id, world.limits, world.emit, world.now());
    this.#reports = new Reports(this, world, world.now());
  }

  get direction(): Direction {
    return this.negotiated?.direction ?? 'sendrecv';
  }

  get codec(): CodecName | undefined {
    return this.#codec;
  }

  /** Changes whenever the peer's stream starts anew. */
  get feeder(): number {
    return this.#feeder;
  }

  /** May audio be sent, by description and transport? */
  get open(): boolean {
    return this.#canSend && this.transport.ready && !this.digits.busy;
  }

  /** Offer and answer have settled (again). */
  settle(audio: NegotiatedAudio): void {
    this.negotiated = audio;
    this.#codec = audio.codec;
    this.#codecs = [];
    for (const { payloadType, codec } of audio.receive) this.#codecs[payloadType] = codec;
    this.#codecs[audio.payloadType] ??= audio.codec;
    this.#eventClocks = [];
    for (const { payloadType, clockRate: rate } of audio.dtmf.receive) this.#eventClocks[payloadType] = rate;
    this.#canSend = audio.direction === 'sendrecv' || audio.direction === 'sendonly';
    this.#canHear = audio.direction === 'sendrecv' || audio.direction === 'recvonly';
    this.#watch.negotiated(this.#world.now());
    this.#hearing.reset();
  }

  setSource(source: Source): void {
    this.source = source;
    this.#filling = false;
    this.#hearing.reset();
  }

  // -- from the transport --------------------------------------------------------------------------------------------

  rtp(packet: Uint8Array, length: number, now: Ms): void {
    this.#heardAt = now;
    this.#aliveAt = now;
    const header = this.#header;
    if (!readRtp(packet, length, header)) return;
    const type = header.payloadType;
    const eventClock = this.#eventClocks[type];
    const codec = this.#codecs[type];
    // Comfort noise (RFC 3389), and whatever else was not agreed upon: it says that the peer lives.
    if (eventClock === undefined && codec === undefined) return;
    const timed = eventClock === undefined;
    const rate = clockRate(codec ?? this.#codec!);
    if (
      !this.in.accept(header.ssrc, header.sequence, header.timestamp, header.payloadLength, rate, timed, now)
    ) {
      return;
    }
    this.#bytesReceived += length;
    if (this.in.generation !== this.#generation) {
      this.#generation = this.in.generation;
      this.#feeder = this.#world.newFeeder();
    }
    this.#watch.heard(codec ?? this.#codec!);
    if (!timed) {
      this.#event(packet, eventClock, now);
      return;
    }
    // A packet without sound keeps a NAT binding (RFC 6263 §4.6).
    if (header.payloadLength === 0) return;
    if (this.#eventAt !== undefined) this.#digit(this.#detector.flush(), true);
    if (!this.#canHear) return;
    const hearers = this.hearers;
    for (let i = 0; i < hearers.length; i++) hearers[i]!.#hear(this, codec!, packet, now);
  }

  rtcp(packet: Uint8Array, length: number, now: Ms): void {
    if (!this.#reports.received(packet, length, now)) return;
    this.#heardAt = now;
    this.#aliveAt = now;
  }

  alive(now: Ms): void {
    this.#aliveAt = now;
  }

  connected(now: Ms): void {
    this.#watch.connected(now);
  }

  failed(why: Failure): void {
    this.#watch.failed(why);
  }

  /** To a new owner: how it failed, if it did. */
  tellAgain(): void {
    this.#watch.tellAgain();
  }

  // -- what the peer hears -------------------------------------------------------------------------------------------

  #hear(from: Leg, codec: CodecName, packet: Uint8Array, now: Ms): void {
    if (!this.open) return;
    const header = from.#header;
    if (codec === this.#codec) {
      const numbered = this.out.relayed(
        from.#feeder,
        header.sequence,
        header.timestamp,
        header.marker,
        now,
        clockRate(codec),
      );
      if (!numbered) return;
      this.#filling = false;
      this.#send(this.negotiated!.payloadType, packet, header.payloadOffset, header.payloadLength);
      return;
    }
    this.#filling = false;
    this.#hearing.transcode(
      from,
      codec,
      header.sequence,
      header.timestamp,
      packet.subarray(header.payloadOffset, header.payloadOffset + header.payloadLength),
    );
  }

  /** Sends a frame made here. `duration` on the codec's clock. */
  sendFrame(payload: Uint8Array, feeder: number, now: Ms, skipped = 0): void {
    if (this.#codec === undefined || !this.transport.ready) return;
    const rate = clockRate(this.#codec);
    this.out.generated(feeder, now, rate, rate / 50, skipped);
    this.#send(this.negotiated!.payloadType, payload, 0, payload.length);
  }

  #send(payloadType: number, from: Uint8Array, offset: number, length: number): void {
    const packet = this.#world.buffers.take(RTP_HEADER_LENGTH + length);
    const { out } = this;
    writeRtp(packet, 0, payloadType, out.marker, out.seq, out.timestamp, out.ssrc);
    packet.set(
      offset === 0 && length === from.length ? from : from.subarray(offset, offset + length),
      RTP_HEADER_LENGTH,
    );
    out.packets++;
    out.octets += length;
    this.#bytesSent += RTP_HEADER_LENGTH + length;
    this.transport.sendRtp(packet, RTP_HEADER_LENGTH + length);
  }

  // -- digits --------------------------------------------------------------------------------------------------------

  #event(packet: Uint8Array, clock: number, now: Ms): void {
    const { ssrc, timestamp, marker, payloadOffset, payloadLength } = this.#header;
    const payload = packet.subarray(payloadOffset, payloadOffset + payloadLength);
    const digit = this.#detector.push(ssrc, timestamp, payload, clock, marker);
    this.#eventAt = now;
    this.#digit(digit, false);
  }

  #digit(digit: ReturnType<ReturnType<typeof createDtmfDetector>['push']>, over: boolean): void {
    if (over) this.#eventAt = undefined;
    if (digit === undefined) return;
    this.#dtmfReceived++;
    this.#world.emit({
      event: 'dtmf',
      leg: this.id,
      digit: digit.digit,
      durationMs: Math.round(digit.durationMs),
    });
    if (!this.#canHear) return;
    for (const hearer of this.hearers) {
      if (hearer.source.kind === 'leg' && hearer.source.digits === false) continue;
      hearer.digits.add(digit.digit, Math.max(MIN_RELAYED_DIGIT_MS, digit.durationMs), DIGIT_GAP_MS);
    }
  }

  readonly #sendDigit = (digit: string, elapsedMs: number, first: boolean, end: boolean): void => {
    const how = this.negotiated?.dtmf.send;
    const now = this.#world.now();
    if (how === null || how === undefined) {
      this.#hearing.digitInBand(digit, elapsedMs, first, end, now);
      return;
    }
    const units = Math.round((elapsedMs * how.clockRate) / 1000);
    if (first) this.#segment = 0;
    // RFC 4733 §2.5.1.3: a segment that is full is told to its end, and the next one begins.
    while (units - this.#segment * EVENT_SEGMENT > EVENT_SEGMENT) {
      this.#sendEvent(digit, EVENT_SEGMENT, false, false);
      this.#segment++;
    }
    this.#sendEvent(digit, units - this.#segment * EVENT_SEGMENT, first, end);
  };

  #sendEvent(digit: string, units: number, first: boolean, end: boolean): void {
    const { payloadType, clockRate: clock } = this.negotiated!.dtmf.send!;
    const rate = clockRate(this.#codec!);
    const payload = this.#world.buffers.take(4);
    writeTelephoneEvent(payload, 0, DTMF_DIGITS.indexOf(digit), end, units);
    const offset = Math.round((this.#segment * EVENT_SEGMENT * rate) / clock);
    this.out.event(first, this.#world.now(), rate, offset);
    this.#send(payloadType, payload, 0, 4);
  }

  // -- the beat ------------------------------------------------------------------------------------------------------

  /** Every 20 ms. `counterpart`: the leg that this one hears, if it hears one. */
  tick(now: Ms, counterpart: Leg | undefined): void {
    if (++this.#ticks % CHECK_TICKS === 0) this.#check(now, counterpart);
    if (this.#codec === undefined || !this.transport.ready) return;
    if (!this.#canSend) {
      if (this.kind === 'webrtc' && now - (this.out.lastAt ?? Number.NEGATIVE_INFINITY) >= KEEP_ALIVE_MS) {
        this.sendFrame(silence(this.#codec), Hearing.PLAYED, now);
      }
      return;
    }
    if (this.digits.tick(this.#sendDigit)) return;
    const { source } = this;
    switch (source.kind) {
      case 'silence':
        this.sendFrame(silence(this.#codec), Hearing.PLAYED, now);
        return;
      case 'tone':
      case 'music':
      case 'ringback':
        this.#hearing.play(source, now);
        return;
      case 'leg':
      case 'echo':
        this.#fill(now);
    }
  }

  #fill(now: Ms): void {
    const last = this.out.lastAt;
    if (!this.#filling) {
      if (last !== undefined && now - last < FILL_AFTER_MS) return;
      this.#filling = true;
      this.#filled = 0;
    }
    // Who speaks no more, or has lost the network, leaves a line that is heard to stand.
    if (this.source.kind === 'leg' && this.#filled++ >= COMFORT_AFTER_TICKS)
      this.#hearing.play({ kind: 'comfort' }, now);
    else this.sendFrame(silence(this.#codec!), Hearing.PLAYED, now);
  }

  #check(now: Ms, counterpart: Leg | undefined): void {
    this.transport.tick(now);
    if (this.#eventAt !== undefined && now - this.#eventAt > DIGIT_LOST_MS) {
      this.#digit(this.#detector.flush(), true);
    }
    if (this.negotiated === undefined) return;
    this.#reports.tick(this.transport, clockRate(this.#codec!), now);
    this.#watch.check(now, this.negotiated.direction, this.#aliveAt, counterpart?.speaking(now) ?? false);
  }

  /** Is the peer sending at the moment? */
  speaking(now: Ms): boolean {
    return this.in.lastAt !== undefined && now - this.in.lastAt < 1000;
  }

  // -- the end -------------------------------------------------------------------------------------------------------

  stats(): LegStats {
    const { roundTripMs } = this.#reports;
    return {
      packetsReceived: this.in.packets,
      packetsSent: this.out.packets,
      bytesReceived: this.#bytesReceived,
      bytesSent: this.#bytesSent,
      packetsLost: this.in.lost,
      jitterMs: Math.round((this.in.reception?.jitterMs ?? 0) * 100) / 100,
      ...(roundTripMs === undefined ? {} : { rttMs: Math.round(roundTripMs * 100) / 100 }),
      ...(this.#codec === undefined ? {} : { codec: this.#codec }),
      dtmfReceived: this.#dtmfReceived,
      dropped: this.transport.dropped,
      ...(this.#heardAt === undefined
        ? {}
        : { heardMsAgo: Math.max(0, Math.round(this.#world.now() - this.#heardAt)) }),
    };
  }

  close(): void {
    this.#reports.send(this.transport, clockRate(this.#codec ?? 'PCMU'), this.#world.now(), true);
    this.#hearing.free();
    this.transport.close();
  }
}
