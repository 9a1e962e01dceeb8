import type { Ms } from '@sidetone/core';
import { createDtmfDetector, type DtmfDetected, newRtpHeader, readRtp } from '@sidetone/rtc';
import type { NegotiatedAudio } from '@sidetone/sdp';
import type { CodecName, LegKind, LegStats, Source } from '@sidetone/wire';
import { clockRate } from './codec.ts';
import { DigitsOut } from './digits-out.ts';
import { Ears, type EarsOut } from './ears.ts';
import type { Feed } from './feed.ts';
import { FeedOut } from './feed-out.ts';
import { FilePlay } from './file-play.ts';
import { LegRecordings, type LegRecordWish } from './leg-recordings.ts';
import type { LegWorld } from './leg-world.ts';
import { Outlet, PLAYED } from './outlet.ts';
import { Plays, type PlayWish } from './plays.ts';
import { Relay } from './relay.ts';
import type { Voice } from './remote/voice.ts';
import { Reports } from './reports.ts';
import type { Feeder, Hearer, Sink } from './sink.ts';
import { Sinks } from './sinks.ts';
import type { Sounding } from './sound-watch.ts';
import { StreamIn } from './stream-in.ts';
import { SynthOut } from './synth-out.ts';
import { silence } from './track.ts';
import type { Failure, Transport, TransportEvents } from './transport.ts';
import { Watch } from './watch.ts';

/** A peer that must not be sent audio still gets a packet now and then: browsers restart ICE without. */
const KEEP_ALIVE_MS = 1000;
/** Digits relayed from a counterpart last at least this long: carriers miss shorter ones. */
const MIN_RELAYED_DIGIT_MS = 80;
const DIGIT_GAP_MS = 80;
/** A digit whose end packets were all lost is over when nothing of it came for this long. */
const DIGIT_LOST_MS = 100;
const CHECK_TICKS = 5;

/**
 * One leg: a peer's stream in, and the one stream that the peer hears.
 *
 *   transport ─ opened packet ─▶ rtp() ─┬ telephone-event ─▶ digit event; regenerated for each hearer
 *                                       └ audio ─▶ sinks ─┬ inlet of each hearer: relay | overlay | none ─▶ outlet ─▶ transport
 *                                                         ├ ears, if it has any: digits as tones, speech, silence, beep
 *                                                         └ taps, if it has any: the slot of a room
 *   tick (20 ms) ─▶ digits being sent | a file | a room | what is played | silence, then comfort noise where nothing comes; reports; time-outs
 */
export class Leg implements TransportEvents, Feeder, Hearer, EarsOut {
  readonly id: string;
  readonly kind: LegKind;
  readonly in = new StreamIn();
  readonly outlet: Outlet;
  readonly digits: DigitsOut;
  source: Source = { kind: 'silence' };
  /** What takes the packets of the source: chosen by wishes, so that a packet asks for nothing. */
  inlet: Sink;
  /** Changes whenever the peer's stream starts anew. */
  feeder = 0;

  readonly #world: LegWorld;
  readonly #header = newRtpHeader();
  readonly #detector = createDtmfDetector();
  readonly #relay: Relay;
  readonly #synth: SynthOut;
  readonly #feed: FeedOut;
  readonly #watch: Watch;
  readonly #reports: Reports;
  readonly #sinks: Sinks<Leg>;
  #ears: Ears | undefined;
  /** Of a source of that kind. */
  #file: FilePlay | undefined;
  #listening = false;
  #plays: Plays | undefined;
  #recordings: LegRecordings | undefined;
  /** By payload type: what arrives. */
  #codecs: (CodecName | undefined)[] = [];
  #eventClocks: number[] = [];
  #codec: CodecName | undefined;
  #canHear = false;
  #generation = 0;
  #eventAt: Ms | undefined;
  #ticks = 0;
  #dtmfReceived = 0;
  #bytesReceived = 0;
  #heardAt: Ms | undefined;
  #aliveAt: Ms | undefined;

  constructor(id: string, kind: LegKind, world: LegWorld) {
    this.id = id;
    this.kind = kind;
    this.#world = world;
    this.outlet = new Outlet(world.random, world.buffers);
    this.digits = new DigitsOut(this.outlet, world);
    this.#relay = new Relay(this.outlet, world);
    this.#synth = new SynthOut(this.outlet, world);
    this.#feed = new FeedOut(this.outlet, world);
    this.inlet = this.#relay;
    this.#sinks = new Sinks(this.outlet);
    this.#watch = new Watch(id, world, world.now());
    this.#reports = new Reports({ in: this.in, out: this.outlet.numbers }, world, world.now());
  }

  get transport(): Transport {
    return this.outlet.transport;
  }

  set transport(transport: Transport) {
    this.outlet.transport = transport;
  }

  get negotiated(): NegotiatedAudio | undefined {
    return this.outlet.negotiated;
  }

  get codec(): CodecName | undefined {
    return this.#codec;
  }

  // -- wishes --------------------------------------------------------------------------------------------------------

  /** Offer and answer have settled (again). */
  settle(audio: NegotiatedAudio): void {
    const before = this.negotiated;
    this.outlet.settle(audio);
    this.#codec = audio.codec;
    this.#codecs = [];
    for (const { payloadType, codec } of audio.receive) this.#codecs[payloadType] = codec;
    this.#codecs[audio.payloadType] ??= audio.codec;
    this.#eventClocks = [];
    for (const { payloadType, clockRate: rate } of audio.dtmf.receive) this.#eventClocks[payloadType] = rate;
    this.#canHear = audio.direction === 'sendrecv' || audio.direction === 'recvonly';
    this.#watch.negotiated(this.#world.now());
    if (before === undefined || !isHeardAlike(before, audio)) this.#resetSound();
    this.#chooseEars();
  }

  /** `room`: what is heard of the room that the source names. */
  setSource(source: Source, room?: Feed): void {
    this.source = source;
    this.#file?.free();
    this.#file = source.kind === 'file' ? new FilePlay(this.#world.sounds, source.file, null, 0) : undefined;
    this.#feed.feed = room ?? this.#file;
    this.#resetSound();
    this.#relay.restart();
    this.#plays?.sourceChanged();
  }

  setHearers(hearers: readonly Leg[]): void {
    this.#sinks.hearers = hearers;
    this.#sinks.settle();
  }

  /** `tap` is given the packets, too, or no more. */
  tap(tap: Hearer, on: boolean): void {
    this.#sinks.tap(tap, on);
  }

  /** `tap` is given what the peer hears, or no more. */
  tapOut(tap: Sink, on: boolean): void {
    this.#sinks.tapOut(tap, on);
  }

  get hearers(): readonly Leg[] {
    return this.#sinks.hearers;
  }

  /** The voice of a stream is heard by the peer, whenever it speaks (`spoken` says that it begins). */
  addVoice(voice: Voice): void {
    this.#plays ??= new Plays(this.id, this.outlet, this.#world);
    this.#plays.setVoices([...this.#plays.voices, voice]);
    this.#chooseInlet();
  }

  removeVoice(voice: Voice): void {
    this.#plays?.setVoices(this.#plays.voices.filter((one) => one !== voice));
    this.#chooseInlet();
  }

  /** A voice begins to speak. */
  spoken(): void {
    this.#chooseInlet();
  }

  /** `false`: too many are recorded already. */
  record(wish: LegRecordWish): boolean {
    this.#recordings ??= new LegRecordings(this.id, this.outlet, this.#world, () => this.#sinks.settle());
    this.#sinks.recorded = this.#recordings;
    const begins = this.#recordings.start(wish);
    if (begins === 'begun' && wish.beep === true) {
      this.#plays ??= new Plays(this.id, this.outlet, this.#world);
      this.#plays.beep();
      this.#chooseInlet();
    }
    return begins !== 'full';
  }

  pauseRecording(id: string, on: boolean): void {
    this.#recordings?.pause(id, on);
  }

  stopRecording(id: string): void {
    this.#recordings?.stop(id);
  }

  play(wish: PlayWish): void {
    this.#plays ??= new Plays(this.id, this.outlet, this.#world);
    this.#plays.start(wish);
    this.#chooseInlet();
  }

  stopPlays(isMeant: (id: string) => boolean): void {
    this.#plays?.stop(isMeant);
    this.#chooseInlet();
  }

  listen(on: boolean): void {
    this.#listening = on;
    this.#chooseEars();
  }

  #resetSound(): void {
    this.#relay.reset();
    this.#synth.reset();
    this.#feed.reset();
    this.digits.reset();
  }

  #chooseInlet(): void {
    const inlet = this.#plays?.chooseInlet() ?? this.#relay;
    if (inlet === this.inlet) return;
    // What stood still while something else was heard is no beginning of what comes now.
    this.#resetSound();
    this.inlet = inlet;
  }

  /** A peer that has not agreed to telephone-events may send its digits as tones. */
  #chooseEars(): void {
    const forDigits = this.negotiated?.dtmf.receive.length === 0;
    const needed = forDigits || this.#listening;
    if (needed) {
      this.#ears ??= new Ears(this.#world, this);
      this.#ears.forDigits = forDigits;
      this.#ears.forSound = this.#listening;
    } else {
      this.#ears?.free();
      this.#ears = undefined;
    }
    this.#sinks.ears = this.#ears;
    this.#sinks.settle();
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
      this.feeder = this.#world.newFeeder();
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
    const sinks = this.#sinks.inbound;
    for (let i = 0; i < sinks.length; i++) sinks[i]!.inlet.packet(this, codec!, header, packet, now);
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

  /** To a new owner that does not say what it has read: how it failed, if it did. */
  tellAgain(): void {
    this.#watch.tellAgain();
  }

  // -- digits --------------------------------------------------------------------------------------------------------

  #event(packet: Uint8Array, clock: number, now: Ms): void {
    const { ssrc, timestamp, marker, payloadOffset, payloadLength } = this.#header;
    const payload = packet.subarray(payloadOffset, payloadOffset + payloadLength);
    const digit = this.#detector.push(ssrc, timestamp, payload, clock, marker);
    this.#eventAt = now;
    this.#digit(digit, false);
  }

  #digit(digit: DtmfDetected | undefined, over: boolean): void {
    if (over) this.#eventAt = undefined;
    if (digit === undefined) return;
    this.digit(digit);
    if (!this.#canHear) return;
    for (const hearer of this.#sinks.hearers) {
      if (hearer.source.kind === 'leg' && hearer.source.digits === false) continue;
      hearer.digits.add(digit.digit, Math.max(MIN_RELAYED_DIGIT_MS, digit.durationMs), DIGIT_GAP_MS);
    }
  }

  /** Tells a digit. One that the ears found is in the sound, which its hearers have. */
  digit({ digit, durationMs }: DtmfDetected): void {
    this.#dtmfReceived++;
    this.#world.report({ event: 'dtmf', leg: this.id, digit, durationMs: Math.round(durationMs) });
  }

  heard(what: Sounding, ms: Ms): void {
    this.#world.report({ event: 'heard', leg: this.id, what, ms });
  }

  // -- the beat ------------------------------------------------------------------------------------------------------

  /** Every 20 ms. `counterpart`: the leg that this one hears, if it hears one. */
  tick(now: Ms, counterpart: Leg | undefined): void {
    if (++this.#ticks % CHECK_TICKS === 0) this.#check(now, counterpart);
    this.#recordings?.tick(now);
    const { outlet } = this;
    if (this.#codec === undefined || !outlet.transport.ready) return;
    if (!outlet.sends) {
      if (
        this.kind === 'webrtc' &&
        now - (outlet.numbers.lastAt ?? Number.NEGATIVE_INFINITY) >= KEEP_ALIVE_MS
      ) {
        outlet.frame(silence(this.#codec), PLAYED, now);
      }
      if (this.#plays?.playing) {
        this.#plays.pass();
        this.#chooseInlet();
      }
      return;
    }
    if (this.digits.tick()) {
      if (this.#ears !== undefined && this.digits.toneAt !== undefined)
        this.#ears.toneSent(this.digits.toneAt);
      return;
    }
    if (this.#plays?.playing) {
      const heard = this.#plays.tick(this.#feed.feed ?? this.source, now);
      this.#chooseInlet();
      if (heard) return;
    }
    const { source } = this;
    switch (source.kind) {
      case 'silence':
        outlet.frame(silence(this.#codec), PLAYED, now);
        return;
      case 'tone':
      case 'music':
      case 'ringback':
        this.#synth.play(source, now);
        return;
      case 'leg':
        this.#relay.fill(now, this.#synth);
        return;
      case 'echo':
        this.#relay.fill(now, undefined);
        return;
      case 'file':
      case 'room':
        this.#feed.play(now);
    }
  }

  #check(now: Ms, counterpart: Leg | undefined): void {
    this.transport.tick(now);
    if (this.#eventAt !== undefined && now - this.#eventAt > DIGIT_LOST_MS) {
      this.#digit(this.#detector.flush(), true);
    }
    this.#ears?.tick(now);
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
      packetsSent: this.outlet.numbers.packets,
      bytesReceived: this.#bytesReceived,
      bytesSent: this.outlet.bytesSent,
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
    this.#plays?.stopAll();
    this.#recordings?.close();
    this.#ears?.free();
    this.#file?.free();
    this.#resetSound();
    this.transport.close();
  }
}

/** Does the peer go on hearing in the same way? Then nothing begins anew. */
function isHeardAlike(a: NegotiatedAudio, b: NegotiatedAudio): boolean {
  return (
    a.codec === b.codec &&
    a.direction === b.direction &&
    a.opus.fec === b.opus.fec &&
    a.opus.maxBitrate === b.opus.maxBitrate
  );
}
