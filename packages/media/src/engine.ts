import { familyOf, hexId } from '@sidetone/core';
import type { IceCredentials } from '@sidetone/rtc';
import {
  applyAnswer,
  type Candidate,
  createOffer,
  formatSdp,
  type LocalMedia,
  type NegotiatedAudio,
  negotiateAnswer,
  type SessionDescription,
} from '@sidetone/sdp';
import type { CodecName, LegKind, MediaCommand, MediaReply, OpusAsk, Source } from '@sidetone/wire';
import { advertised, defaultOf, hostCandidates } from './candidates.ts';
import { DIGITS } from './digit-sender.ts';
import { Leg } from './leg.ts';
import type { LegWorld } from './leg-world.ts';
import { PacketBuffers } from './packet-buffer.ts';
import { addressFor, addressTowards, plainPeer, withinReach } from './peer-address.ts';
import { PlainTransport } from './plain-transport.ts';
import { PortRange } from './port-range.ts';
import { DEFAULT_LIMITS, type MediaEngineOptions } from './ports.ts';
import { disagreement, NO_ADDRESS, parse, type Refusal, refuse } from './refusal.ts';
import { RestingSockets } from './resting.ts';
import { bindPlain, bindWebRtc } from './sockets.ts';
import { Tick } from './tick.ts';
import { Tracks } from './track.ts';
import { WebRtcTransport } from './webrtc-transport.ts';

/** B2BUA-RTC as its owner commands it. */
export interface MediaEngine {
  /** Never rejects. Commands for one leg take effect in the order they were given. */
  command(command: MediaCommand): Promise<MediaReply>;
  /** Ends all legs at once. */
  closeAll(): void;
}

/** Everything about a leg that signalling, not packets, cares for. */
interface Session {
  readonly leg: Leg;
  /** Where the peer is told to send. */
  port: number;
  address: string;
  readonly candidates: readonly Candidate[];
  readonly sessionId: string;
  /** Our last description. */
  local: SessionDescription | undefined;
  /** Our offer that awaits (further) answers. */
  offered: SessionDescription | undefined;
  /** What the peer shall be asked to send in Opus. */
  opus: OpusAsk;
}

type Opened = { readonly ok: true; readonly session: Session } | Refusal;

/** Makes an engine. It owns nothing of the process: sockets, time, randomness and DTLS come in by `options`. */
export function createMediaEngine(options: MediaEngineOptions): MediaEngine {
  const { now, random } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const range = new PortRange(options.ports[0], options.ports[1]);
  const sockets = new RestingSockets(options.sockets, options.schedule, now);
  const sessions = new Map<string, Session>();
  /** Who hears a leg, by the leg's id; kept for ids that do not exist (yet). */
  const hearers = new Map<string, Set<Leg>>();
  /** The last command of each leg that is not finished. */
  const queues = new Map<string, Promise<unknown>>();
  let feeders = 16;

  const world: LegWorld = {
    now,
    random,
    opus: options.opus,
    tracks: new Tracks(options.opus),
    buffers: new PacketBuffers(),
    limits,
    emit: options.emit,
    newFeeder: () => ++feeders,
    cname: hexId(random, 8),
  };

  const tick = new Tick(now, options.schedule, (at) => {
    for (const { leg } of sessions.values()) {
      const { source } = leg;
      leg.tick(at, source.kind === 'leg' ? sessions.get(source.leg)?.leg : undefined);
    }
  });

  const credentials = (): IceCredentials => ({ ufrag: hexId(random, 4), pwd: hexId(random, 16) });

  // -- routes --------------------------------------------------------------------------------------------------------

  const heardBy = (leg: Leg, source: Source): string | undefined =>
    source.kind === 'leg' ? source.leg : source.kind === 'echo' ? leg.id : undefined;

  const publish = (id: string): void => {
    const leg = sessions.get(id)?.leg;
    if (leg !== undefined) leg.hearers = [...(hearers.get(id) ?? [])];
  };

  const unhear = (leg: Leg): void => {
    const id = heardBy(leg, leg.source);
    if (id === undefined) return;
    const set = hearers.get(id);
    set?.delete(leg);
    if (set?.size === 0) hearers.delete(id);
    publish(id);
  };

  const setSource = (leg: Leg, source: Source): void => {
    unhear(leg);
    leg.setSource(source);
    const id = heardBy(leg, source);
    if (id === undefined) return;
    const set = hearers.get(id) ?? new Set<Leg>();
    set.add(leg);
    hearers.set(id, set);
    publish(id);
  };

  // -- legs ----------------------------------------------------------------------------------------------------------

  const bind = async (address: string | undefined) => {
    if (address === undefined) return NO_ADDRESS;
    const bound = await bindPlain(sockets, range, address);
    return bound ?? refuse('no-port', 'no free port in the range of media');
  };

  const openPlain = async (id: string, address: string | undefined): Promise<Opened> => {
    const bound = await bind(address);
    if ('ok' in bound) return bound;
    const leg = new Leg(id, 'rtp', world);
    leg.transport = new PlainTransport(bound, leg, now);
    return { ok: true, session: add(leg, bound.rtp.port, advertised(bound.rtp.address, options), []) };
  };

  /** Is a plain leg of another family than its peer? */
  const isApart = ({ leg: { transport } }: Session, peer: string | undefined): boolean =>
    peer !== undefined &&
    transport instanceof PlainTransport &&
    familyOf(transport.rtp.address) !== familyOf(peer);

  /** Takes a plain leg to the family of its peer: a description may move the stream (RFC 3264 §8.3.1). `true`: it moved. */
  const follow = async (
    session: Session,
    peer: string | undefined,
    from: string | undefined,
  ): Promise<boolean | Refusal> => {
    if (!isApart(session, peer)) return false;
    const bound = await bind(addressFor(options.addresses, peer, from));
    if ('ok' in bound) return bound;
    const { leg } = session;
    leg.transport.close();
    range.givePair(session.port);
    leg.transport = new PlainTransport(bound, leg, now);
    session.port = bound.rtp.port;
    session.address = advertised(bound.rtp.address, options);
    return true;
  };

  const openWebRtc = async (id: string): Promise<Opened> => {
    const bound = await bindWebRtc(sockets, range, options.addresses);
    if (bound === undefined) return refuse('no-port', 'no free port in the range of media');
    const leg = new Leg(id, 'webrtc', world);
    const door = options.streams?.open((packet, from, port) =>
      transport.receive(bound.sockets.length, packet, from, port),
    );
    const transport = new WebRtcTransport(bound.sockets, door, credentials(), leg, now, options.dtls, limits);
    bound.hears(transport);
    leg.transport = transport;
    const candidates = hostCandidates(bound.sockets, options.streams, options);
    return { ok: true, session: add(leg, bound.port, defaultOf(candidates), candidates) };
  };

  const add = (leg: Leg, port: number, address: string, candidates: readonly Candidate[]): Session => {
    const session: Session = {
      leg,
      port,
      address,
      candidates,
      sessionId: String(random.int(2 ** 31) + 1),
      local: undefined,
      offered: undefined,
      opus: {},
    };
    sessions.set(leg.id, session);
    publish(leg.id);
    tick.start();
    return session;
  };

  const remove = (session: Session): void => {
    const { leg } = session;
    unhear(leg);
    sessions.delete(leg.id);
    leg.close();
    if (leg.kind === 'webrtc') range.giveOne(session.port);
    else range.givePair(session.port);
    if (sessions.size === 0) tick.stop();
  };

  const local = (session: Session): LocalMedia => {
    const { leg } = session;
    const base: LocalMedia = {
      address: session.address,
      port: session.port,
      sessionId: session.sessionId,
      ...session.opus,
      ...(session.local === undefined ? {} : { previous: session.local }),
    };
    if (!(leg.transport instanceof WebRtcTransport)) return base;
    return {
      ...base,
      ice: { ...leg.transport.localIce, candidates: session.candidates },
      fingerprint: options.dtls.fingerprint,
      ssrc: leg.out.ssrc,
      cname: world.cname,
    };
  };

  /** Tells transport and leg what has been agreed. */
  const settle = (
    session: Session,
    audio: NegotiatedAudio,
    from: string | undefined,
  ): Refusal | undefined => {
    const { transport } = session.leg;
    if (transport instanceof WebRtcTransport) {
      if (audio.ice === null || audio.dtls === null) return refuse('bad-sdp', 'no ICE or no fingerprint');
      transport.negotiated({ ufrag: audio.ice.ufrag, pwd: audio.ice.pwd }, audio.dtls);
    } else if (transport instanceof PlainTransport) {
      transport.signal({
        address: audio.remote.address,
        port: audio.remote.port,
        rtcpAddress: audio.remote.rtcpAddress,
        rtcpPort: audio.remote.rtcpPort,
        mux: audio.rtcpMux,
        ...(from === undefined ? {} : { from }),
      });
    }
    session.leg.settle(audio);
    return undefined;
  };

  /** A browser's codec is fixed at its first answer. */
  const wanted = (session: Session, codecs: readonly CodecName[]): readonly CodecName[] => {
    const fixed = session.leg.kind === 'webrtc' ? session.leg.codec : undefined;
    return fixed === undefined ? codecs : [fixed, ...codecs.filter((c) => c !== fixed)];
  };

  // -- commands ------------------------------------------------------------------------------------------------------

  type Of<Op extends MediaCommand['op']> = Extract<MediaCommand, { op: Op }>;

  const answer = async (command: Of<'answer'>): Promise<MediaReply> => {
    const stated = parse(command.sdp);
    if ('ok' in stated) return stated;
    const offer = withinReach(stated, command.kind, options.addresses);
    if (offer === null) return NO_ADDRESS;
    const peer = plainPeer(offer);
    const isNew = !sessions.has(command.leg);
    const towards = addressFor(options.addresses, peer, command.signalledFrom);
    const opened = await ensure(command.leg, command.kind, towards);
    if (!opened.ok) return opened;
    const { session } = opened;
    if (isApart(session, peer)) {
      // What cannot be agreed on moves nothing.
      const tried = negotiateAnswer({
        offer,
        local: local(session),
        codecs: wanted(session, command.codecs),
      });
      if (!tried.ok) return disagreement(tried.error);
      const followed = await follow(session, peer, command.signalledFrom);
      if (typeof followed !== 'boolean') return followed;
    }
    const reply = answerOn(session, offer, command);
    if (!reply.ok && isNew) remove(session);
    return reply;
  };

  /** The leg of that name, opened if it is new; a plain one on `address`. */
  const ensure = async (id: string, kind: LegKind, address: string | undefined): Promise<Opened> => {
    const session = sessions.get(id);
    if (session === undefined) return kind === 'webrtc' ? openWebRtc(id) : openPlain(id, address);
    if (session.leg.kind !== kind) return refuse('wrong-state', `${id} is a leg of another kind`);
    return { ok: true, session };
  };

  const answerOn = (session: Session, offer: SessionDescription, command: Of<'answer'>): MediaReply => {
    const { transport } = session.leg;
    const ice = offer.media.find((m) => m.kind === 'audio' && m.port !== 0)?.ice;
    if (
      transport instanceof WebRtcTransport &&
      ice != null &&
      transport.remoteIce !== null &&
      transport.remoteIce.ufrag !== ice.ufrag
    ) {
      transport.restart(credentials(), { ufrag: ice.ufrag, pwd: ice.pwd });
    }
    session.opus = command.opus ?? session.opus;
    // Browsers look at the candidates; for others `c=` is of their own family.
    if (transport instanceof WebRtcTransport) session.address = defaultOf(session.candidates, offer);
    const result = negotiateAnswer({
      offer,
      local: local(session),
      codecs: wanted(session, command.codecs),
      ...(command.direction === undefined ? {} : { direction: command.direction }),
    });
    if (!result.ok) return disagreement(result.error);
    const refusal = settle(session, result.value.audio, command.signalledFrom);
    if (refusal !== undefined) return refusal;
    session.local = result.value.answer;
    session.offered = undefined;
    const { codec, direction } = result.value.audio;
    return { ok: true, sdp: formatSdp(result.value.answer), codec, direction };
  };

  const offer = async (command: Of<'offer'>): Promise<MediaReply> => {
    const opened = await ensure(
      command.leg,
      command.kind,
      addressTowards(options.addresses, undefined, command.family),
    );
    if (!opened.ok) return opened;
    const { session } = opened;
    const { transport } = session.leg;
    if (command.restart === true && transport instanceof WebRtcTransport) {
      transport.restart(credentials(), null);
    }
    session.opus = command.opus ?? session.opus;
    session.offered = createOffer({
      local: local(session),
      codecs: wanted(session, command.codecs),
      ...(command.direction === undefined ? {} : { direction: command.direction }),
    });
    session.local = session.offered;
    return { ok: true, sdp: formatSdp(session.offered) };
  };

  const accept = async (session: Session, command: Of<'accept'>): Promise<MediaReply> => {
    if (session.offered === undefined) return refuse('wrong-state', 'no offer of this leg awaits an answer');
    const description = parse(command.sdp);
    if ('ok' in description) return description;
    const result = applyAnswer({ offer: session.offered, answer: description });
    if (!result.ok) return disagreement(result.error);
    if (withinReach(description, session.leg.kind, options.addresses) === null) return NO_ADDRESS;
    const followed = await follow(session, plainPeer(description), command.signalledFrom);
    if (typeof followed !== 'boolean') return followed;
    const refusal = settle(session, result.value, command.signalledFrom);
    if (refusal !== undefined) return refusal;
    const { codec, direction } = result.value;
    return { ok: true, codec, direction, ...(followed ? { moved: true as const } : {}) };
  };

  const dtmf = (session: Session, command: Of<'dtmf'>): MediaReply => {
    const digits = command.digits.toUpperCase();
    for (const digit of digits) {
      if (!DIGITS.includes(digit)) return refuse('wrong-state', 'a digit is 0-9, *, #, A-D');
    }
    for (const digit of digits) {
      if (!session.leg.digits.add(digit, command.durationMs ?? 100, command.gapMs ?? 80)) {
        return refuse('wrong-state', 'too many digits are waiting');
      }
    }
    return { ok: true };
  };

  const claim = (legs: readonly string[]): MediaReply => {
    const named = new Set(legs);
    for (const session of [...sessions.values()]) if (!named.has(session.leg.id)) remove(session);
    // After the reply: the owner knows then which legs it has.
    options.schedule.at(now(), () => {
      for (const leg of named) sessions.get(leg)?.leg.tellAgain();
    });
    return { ok: true, missing: legs.filter((leg) => !sessions.has(leg)) };
  };

  const run = async (command: MediaCommand): Promise<MediaReply> => {
    switch (command.op) {
      case 'health':
        return { ok: true, health: { legs: sessions.size, portsFree: range.free } };
      case 'claim':
        return claim(command.legs);
      case 'answer':
        return answer(command);
      case 'offer':
        return offer(command);
    }
    const session = sessions.get(command.leg);
    if (session === undefined) {
      return command.op === 'close' ? { ok: true } : refuse('no-leg', `there is no leg ${command.leg}`);
    }
    switch (command.op) {
      case 'accept':
        return accept(session, command);
      case 'source':
        setSource(session.leg, command.source);
        return { ok: true };
      case 'dtmf':
        return dtmf(session, command);
      case 'stats':
        return { ok: true, stats: session.leg.stats() };
      case 'close': {
        const stats = session.leg.stats();
        remove(session);
        return { ok: true, stats };
      }
      default:
        return refuse('engine', 'unknown command');
    }
  };

  const safely = (command: MediaCommand): Promise<MediaReply> =>
    run(command).catch((error: unknown) =>
      refuse('engine', error instanceof Error ? error.message : 'internal error'),
    );

  return {
    command: (command) => {
      if (command.op === 'health' || command.op === 'claim') return safely(command);
      const before = queues.get(command.leg);
      const result = before === undefined ? safely(command) : before.then(() => safely(command));
      queues.set(command.leg, result);
      void result.then(() => {
        if (queues.get(command.leg) === result) queues.delete(command.leg);
      });
      return result;
    },
    closeAll: () => {
      for (const session of [...sessions.values()]) remove(session);
      sockets.closeAll();
    },
  };
}
