import type { Environment } from './environment.ts';
import { type ErrorName, TelnyxError } from './errors.ts';

/** How a peer gathers and what it sends. */
export interface PeerOptions {
  readonly iceServers: RTCIceServer[];
  readonly relayOnly: boolean;
  /** Candidates go out one by one; the description does not wait for them. */
  readonly trickle: boolean;
  readonly stereo: boolean;
  readonly codecs: RTCRtpCodec[] | undefined;
}

export interface PeerEvents {
  track(stream: MediaStream): void;
  state(state: RTCPeerConnectionState): void;
  /** Only with `trickle`; `null` ends the list. */
  candidate(candidate: RTCIceCandidate | null): void;
  gatheredNothing(): void;
  /** STUN or TURN servers are named, and none gave an address. */
  onlyHost(): void;
}

/** After the first candidate the rest has this long. Our gateway learns the browser's address from its first check (RFC 8445 §7.3.1.3). */
const MORE_CANDIDATES_MS = 1_000;
/** Packets come every 20 ms; a gap of a second is no stream. */
const RECENT_MS = 1_000;
/** A browser that finds no candidate at all sends its description then. */
const NO_CANDIDATE_MS = 5_000;

/** One RTCPeerConnection: a description out, a description in. Rejects with the {@link TelnyxError} of the step that failed. */
export class Peer {
  readonly instance: RTCPeerConnection;
  readonly #env: Environment;
  #options: PeerOptions;
  readonly #events: PeerEvents;
  #early: RTCIceCandidateInit[] | null = [];
  #stopGathering = (): void => {};

  constructor(env: Environment, options: PeerOptions, events: PeerEvents) {
    this.#env = env;
    this.#options = options;
    this.#events = events;
    const peer = env.createPeer(this.#configuration(false));
    this.instance = peer;
    peer.ontrack = ({ streams, track }) => events.track(streams[0] ?? env.createStream([track]));
    peer.onconnectionstatechange = () => events.state(peer.connectionState);
    if (options.trickle) peer.onicecandidate = ({ candidate }) => events.candidate(candidate);
  }

  /** Sends the tracks of a stream, or only receives. */
  send(stream: MediaStream | undefined): void {
    const track = stream?.getAudioTracks()[0];
    if (stream !== undefined && track !== undefined) this.instance.addTrack(track, stream);
    else this.instance.addTransceiver('audio', { direction: 'recvonly' });
    this.#prefer();
  }

  /** The offer, with the candidates found in time. */
  async offer(iceRestart = false): Promise<string> {
    return this.#describe(
      await step('SDP_CREATE_OFFER_FAILED', () => this.instance.createOffer({ iceRestart })),
    );
  }

  /** An offer with new ICE credentials, by the servers of now; from now on by the relay only when that is asked for. */
  restart(iceServers: RTCIceServer[], relayOnly: boolean): Promise<string> {
    this.#options = { ...this.#options, iceServers };
    this.instance.setConfiguration(this.#configuration(relayOnly));
    return this.offer(true);
  }

  /** Media of the far side arrives at this moment. */
  async hears(): Promise<boolean> {
    const peer = this.instance;
    if (peer.connectionState !== 'connected') return false;
    for (const stat of (await peer.getStats()).values())
      if (stat.type === 'inbound-rtp' && stat.timestamp - (stat.lastPacketReceivedTimestamp ?? 0) < RECENT_MS)
        return true;
    return false;
  }

  /** The answer to an offer of the server; `stream` is sent. */
  async answer(offer: string, stream: MediaStream | undefined): Promise<string> {
    await this.#remote({ type: 'offer', sdp: offer });
    const track = stream?.getAudioTracks()[0];
    if (stream !== undefined && track !== undefined) this.instance.addTrack(track, stream);
    this.#prefer();
    return this.#describe(await step('SDP_CREATE_ANSWER_FAILED', () => this.instance.createAnswer()));
  }

  /** Takes the server's answer. */
  async accept(answer: string | undefined): Promise<void> {
    if (!answer)
      throw new TelnyxError('SDP_SET_REMOTE_DESCRIPTION_FAILED', 'the server sent no media description');
    return this.#remote({ type: 'answer', sdp: answer });
  }

  /** Takes a candidate of the server, now or once its description is there. */
  addCandidate(candidate: RTCIceCandidateInit): void {
    if (this.#early !== null) this.#early.push(candidate);
    else this.instance.addIceCandidate(candidate).catch(() => undefined);
  }

  close(): void {
    const peer = this.instance;
    peer.ontrack = peer.onicecandidate = peer.onconnectionstatechange = null;
    this.#stopGathering();
    peer.close();
  }

  #configuration(relayOnly: boolean): RTCConfiguration {
    const { iceServers, relayOnly: always } = this.#options;
    return {
      iceServers,
      iceTransportPolicy: relayOnly || always ? 'relay' : 'all',
      bundlePolicy: 'max-bundle',
    };
  }

  async #remote(description: RTCSessionDescriptionInit): Promise<void> {
    await step('SDP_SET_REMOTE_DESCRIPTION_FAILED', () => this.instance.setRemoteDescription(description));
    const early = this.#early ?? [];
    this.#early = null;
    for (const candidate of early) this.addCandidate(candidate);
  }

  async #describe(description: RTCSessionDescriptionInit): Promise<string> {
    const sdp = this.#options.stereo ? stereo(description.sdp ?? '') : (description.sdp ?? '');
    const gathered = this.#options.trickle ? undefined : this.#gather();
    await step('SDP_SET_LOCAL_DESCRIPTION_FAILED', () =>
      this.instance.setLocalDescription({ type: description.type, sdp }),
    );
    await gathered;
    return this.instance.localDescription?.sdp ?? sdp;
  }

  /**
   * Until gathering ends, or some time after the first candidate. Without STUN and TURN servers the host candidates arrive together,
   * and nothing else is to come.
   */
  #gather(): Promise<void> {
    const peer = this.instance;
    const more = this.#options.iceServers.length === 0 && !this.#options.relayOnly ? 0 : MORE_CANDIDATES_MS;
    return new Promise((resolve) => {
      let found = false;
      let cancel = this.#env.after(NO_CANDIDATE_MS, () => {
        this.#events.gatheredNothing();
        done();
      });
      const done = (): void => {
        cancel();
        if (
          found &&
          this.#options.iceServers.length > 0 &&
          !/ typ (srflx|relay)/.test(peer.localDescription?.sdp ?? '')
        )
          this.#events.onlyHost();
        peer.onicecandidate = peer.onicegatheringstatechange = null;
        this.#stopGathering = () => {};
        resolve();
      };
      this.#stopGathering = done;
      peer.onicegatheringstatechange = () => {
        if (peer.iceGatheringState === 'complete') done();
      };
      peer.onicecandidate = ({ candidate }) => {
        if (candidate === null) return done();
        if (found || candidate.candidate === '') return;
        found = true;
        cancel();
        cancel = this.#env.after(more, done);
      };
    });
  }

  #prefer(): void {
    const { codecs } = this.#options;
    if (codecs === undefined || codecs.length === 0) return;
    for (const transceiver of this.instance.getTransceivers()) transceiver.setCodecPreferences?.(codecs);
  }
}

/** A TURN server is named. */
export const hasRelay = (servers: readonly RTCIceServer[] = []): boolean =>
  servers.some(({ urls }) => /(^|,)turns?:/.test(String(urls)));

async function step<T>(name: ErrorName, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw new TelnyxError(name, error instanceof Error ? error.message : undefined, error);
  }
}

/** Asks for stereo Opus (RFC 7587 §6.1). */
function stereo(sdp: string): string {
  const opus = /^a=rtpmap:(\d+) opus\/48000\/2\r?$/im.exec(sdp)?.[1];
  return opus === undefined
    ? sdp
    : sdp.replace(new RegExp(`^(a=fmtp:${opus} [^\\r\\n]*)`, 'm'), '$1;stereo=1;sprop-stereo=1');
}
