import {
  applyAnswer,
  createOffer,
  formatSdp,
  type LocalMedia,
  type NegotiatedAudio,
  negotiateAnswer,
  type SessionDescription,
} from '@sidetone/sdp';
import type { CodecName, MediaCommand, MediaReply } from '@sidetone/wire';
import { defaultOf } from './candidates.ts';
import type { OpenLeg, OpenLegs } from './open-legs.ts';
import { addressFor, addressTowards, plainPeer, withinReach } from './peer-address.ts';
import { PlainTransport } from './plain-transport.ts';
import type { MediaEngineOptions } from './ports.ts';
import { disagreement, NO_ADDRESS, parse, type Refusal, refuse } from './refusal.ts';
import { WebRtcTransport } from './webrtc-transport.ts';

type Of<Op extends MediaCommand['op']> = Extract<MediaCommand, { op: Op }>;

/** Offers and answers (RFC 3264): what is agreed with a leg's peer, and told to its transport. */
export class Descriptions {
  readonly #legs: OpenLegs;
  readonly #options: MediaEngineOptions;
  readonly #cname: string;

  constructor(legs: OpenLegs, options: MediaEngineOptions, cname: string) {
    this.#legs = legs;
    this.#options = options;
    this.#cname = cname;
  }

  async answer(command: Of<'answer'>): Promise<MediaReply> {
    const stated = parse(command.sdp);
    if ('ok' in stated) return stated;
    const { addresses } = this.#options;
    const offer = withinReach(stated, command.kind, addresses);
    if (offer === null) return NO_ADDRESS;
    const peer = plainPeer(offer);
    const isNew = this.#legs.get(command.leg) === undefined;
    const towards = addressFor(addresses, peer, command.signalledFrom);
    const opened = await this.#legs.ensure(command.leg, command.kind, towards);
    if (!opened.ok) return opened;
    const { open } = opened;
    if (this.#legs.isApart(open, peer)) {
      // What cannot be agreed on moves nothing.
      const codecs = wanted(open, command.codecs);
      const tried = negotiateAnswer({ offer, local: this.#local(open), codecs });
      if (!tried.ok) return disagreement(tried.error);
      const followed = await this.#legs.follow(open, peer, command.signalledFrom);
      if (typeof followed !== 'boolean') return followed;
    }
    const reply = this.#answerOn(open, offer, command);
    if (!reply.ok && isNew) this.#legs.remove(open);
    return reply;
  }

  async offer(command: Of<'offer'>): Promise<MediaReply> {
    const towards = addressTowards(this.#options.addresses, undefined, command.family);
    const opened = await this.#legs.ensure(command.leg, command.kind, towards);
    if (!opened.ok) return opened;
    const { open } = opened;
    const { transport } = open.leg;
    if (command.restart === true && transport instanceof WebRtcTransport) {
      transport.restart(this.#legs.credentials(), null);
    }
    open.opus = command.opus ?? open.opus;
    open.offered = createOffer({
      local: this.#local(open),
      codecs: wanted(open, command.codecs),
      ...(command.direction === undefined ? {} : { direction: command.direction }),
    });
    open.local = open.offered;
    return { ok: true, sdp: formatSdp(open.offered) };
  }

  async accept(open: OpenLeg, command: Of<'accept'>): Promise<MediaReply> {
    if (open.offered === undefined) return refuse('wrong-state', 'no offer of this leg awaits an answer');
    const description = parse(command.sdp);
    if ('ok' in description) return description;
    const result = applyAnswer({ offer: open.offered, answer: description });
    if (!result.ok) return disagreement(result.error);
    if (withinReach(description, open.leg.kind, this.#options.addresses) === null) return NO_ADDRESS;
    const followed = await this.#legs.follow(open, plainPeer(description), command.signalledFrom);
    if (typeof followed !== 'boolean') return followed;
    const refusal = settle(open, result.value, command.signalledFrom);
    if (refusal !== undefined) return refusal;
    const { codec, direction } = result.value;
    return { ok: true, codec, direction, ...(followed ? { moved: true as const } : {}) };
  }

  #answerOn(open: OpenLeg, offer: SessionDescription, command: Of<'answer'>): MediaReply {
    const { transport } = open.leg;
    const ice = offer.media.find((m) => m.kind === 'audio' && m.port !== 0)?.ice;
    if (
      transport instanceof WebRtcTransport &&
      ice != null &&
      transport.remoteIce !== null &&
      transport.remoteIce.ufrag !== ice.ufrag
    ) {
      transport.restart(this.#legs.credentials(), { ufrag: ice.ufrag, pwd: ice.pwd });
    }
    open.opus = command.opus ?? open.opus;
    // Browsers look at the candidates; for others `c=` is of their own family.
    if (transport instanceof WebRtcTransport) open.address = defaultOf(open.candidates, offer);
    const result = negotiateAnswer({
      offer,
      local: this.#local(open),
      codecs: wanted(open, command.codecs),
      ...(command.direction === undefined ? {} : { direction: command.direction }),
    });
    if (!result.ok) return disagreement(result.error);
    const refusal = settle(open, result.value.audio, command.signalledFrom);
    if (refusal !== undefined) return refusal;
    open.local = result.value.answer;
    open.offered = undefined;
    const { codec, direction } = result.value.audio;
    return { ok: true, sdp: formatSdp(result.value.answer), codec, direction };
  }

  #local(open: OpenLeg): LocalMedia {
    const { leg } = open;
    const base: LocalMedia = {
      address: open.address,
      port: open.port,
      sessionId: open.sessionId,
      ...open.opus,
      ...(open.local === undefined ? {} : { previous: open.local }),
    };
    if (!(leg.transport instanceof WebRtcTransport)) return base;
    return {
      ...base,
      ice: { ...leg.transport.localIce, candidates: open.candidates },
      fingerprint: this.#options.dtls.fingerprint,
      ssrc: leg.outlet.numbers.ssrc,
      cname: this.#cname,
    };
  }
}

/** Tells transport and leg what has been agreed. */
function settle({ leg }: OpenLeg, audio: NegotiatedAudio, from: string | undefined): Refusal | undefined {
  const { transport } = leg;
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
  leg.settle(audio);
  return undefined;
}

/** A browser's codec is fixed at its first answer. */
function wanted({ leg }: OpenLeg, codecs: readonly CodecName[]): readonly CodecName[] {
  const fixed = leg.kind === 'webrtc' ? leg.codec : undefined;
  return fixed === undefined ? codecs : [fixed, ...codecs.filter((c) => c !== fixed)];
}
