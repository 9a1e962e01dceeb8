import { CallAudio } from './call-audio.ts';
import type { CallHost } from './call-host.ts';
import {
  type CallInput,
  type CallState,
  type CommonState,
  commonStateOf,
  isOver,
  type LossReason,
  type RawState,
  stepCall,
} from './call-machine.ts';
import { type Reply, text } from './connection.ts';
import type { CustomHeader } from './custom-headers.ts';
import { dialogParams, learnFrom, type TelnyxIds, telnyxError } from './dialog-params.ts';
import { RequestError, TelnyxError } from './errors.ts';
import { LocalControls } from './local-controls.ts';
import type { CallOptionsOf } from './options.ts';
import { hasRelay, Peer } from './peer.ts';
import { NO_REPAIR, type RepairInput, type RepairState, stepRepair } from './repair-machine.ts';
import { USER_AGENT } from './version.ts';

export const SETUP_MS = 15_000;
export const REQUEST_MS = 10_000;
/** A server that offers no new media by then hears us. */
const NO_ATTACH_MS = 4_000;
/** The same when the audio path failed for certain: the offer comes at once, or never. */
const FAILED_MS = 1_000;
/** After a change of network or a new path, until silence counts. */
const CHANGED_MS = 1_500;

/** The part of a call that is the same for both directions: its state, its media, and how both come back after a broken network. */
export abstract class CallLeg<C> extends LocalControls<C> {
  readonly id: string;
  readonly options: CallOptionsOf<C> & { id: string };
  readonly telnyxIDs: TelnyxIds = { telnyxCallControlId: '', telnyxSessionId: '', telnyxLegId: '' };
  /** Why the call ended, when it did. */
  cause: string | undefined;
  causeCode: number | undefined;
  sipCode: number | undefined;
  sipReason: string | undefined;
  sipCallId: string | undefined;
  /** The id of the call, once it came back after a lost connection or a reload of the page. */
  recoveredCallId: string | undefined;
  /** `peer.instance` is the RTCPeerConnection. */
  peer: Peer | undefined;

  /** @internal */
  protected readonly host: CallHost<C>;
  /** @internal */
  protected current: CallState;
  /** @internal The server knows this call and wants to hear of its end. */
  protected known = false;
  /** @internal From a lost connection, or an offer of new media, until both sides agree on the media; then it resolves. */
  protected broken: Promise<void> | undefined;
  #mended = (): void => {};
  #error: TelnyxError | undefined;
  #repair: RepairState = NO_REPAIR;
  #cancelRepair = (): void => {};
  #cancelWait = (): void => {};
  #recovery = 0;
  /** The peer connection of a recovery that is under way. */
  #next: Peer | undefined;

  /** @internal Calls are made by a client. */
  constructor(host: CallHost<C>, given: CallOptionsOf<C>, state: CallState) {
    const options = { ...given, id: given.id ?? host.env.uuid() };
    super(new CallAudio(host.env, options));
    this.host = host;
    this.id = options.id;
    this.options = options;
    this.current = state;
  }

  /** The state with the names of the published SDK. */
  get state(): RawState {
    return this.current.raw;
  }
  get prevState(): RawState {
    return this.current.previous;
  }
  /** The state with the names that all platforms share. */
  get commonState(): CommonState {
    return commonStateOf(this.current);
  }
  /**
   * Why the call is in its common state: a {@link LossReason} while RECONNECTING and when DROPPED, the cause when DONE, the name of
   * the error at ERROR.
   */
  get commonStateReason(): LossReason | string | undefined {
    switch (this.commonState) {
      case 'RECONNECTING':
      case 'DROPPED':
        return this.current.away ?? 'networkLost';
      case 'ERROR':
        return this.#error?.name;
      case 'DONE':
        return this.cause;
      default:
        return undefined;
    }
  }
  get direction(): CallState['direction'] {
    return this.current.direction;
  }
  /** The peer connection is being made. */
  get creatingPeer(): boolean {
    return this.peer === undefined && this.state !== 'new' && !isOver(this.current);
  }
  /** The peer connection is closed. */
  get signalingStateClosed(): boolean {
    return this.peer?.instance.signalingState === 'closed';
  }
  /** A voice platform: always `false`. */
  get isVideoCall(): boolean {
    return false;
  }

  /** @internal The whole call, for the application. */
  protected abstract readonly self: C;

  /** @internal The way to the server is broken. */
  away(reason: LossReason): void {
    this.#cancelWait();
    if (!this.current.answered) return;
    this.#break();
    this.input({ away: reason });
  }

  /**
   * @internal The way to the server is there again, and the server still has this call. Media went another way and may never have
   * stopped. If it did, the server offers new media (`attach`), or, when it does not notice, this side asks for another path.
   */
  async returned(): Promise<void> {
    this.#cancelWait();
    const { peer } = this;
    const heard =
      peer !== undefined && this.state !== 'recovering' && (await peer.hears().catch(() => false));
    if (heard) {
      this.#mended();
      return this.input('back');
    }
    // What was tried without a connection was not heard.
    this.#cancelRepair();
    this.#repair = NO_REPAIR;
    const at = (): RTCPeerConnectionState | undefined => peer?.instance.connectionState;
    this.#cancelWait();
    this.#cancelWait = this.host.env.after(at() === 'failed' ? FAILED_MS : NO_ATTACH_MS, () => {
      this.#mended();
      if (at() === 'failed' || at() === 'disconnected') this.repair();
      else this.input('back');
    });
  }

  /** @internal The network may be another one: unless audio still arrives soon after, the audio needs another path. */
  async networkChanged(): Promise<void> {
    const { peer } = this;
    const fine = await this.#flowsSoon(peer);
    if (!fine && peer === this.peer && this.host.isReady() && this.broken === undefined) this.repair();
  }

  /** Whether audio arrives after a while. On hold it may not; then the path has to stand. */
  async #flowsSoon(peer: Peer | undefined): Promise<boolean> {
    await new Promise<void>((resume) => void this.host.env.after(CHANGED_MS, resume));
    if (this.state === 'held') return peer?.instance.connectionState === 'connected';
    return peer !== undefined && (await peer.hears().catch(() => false));
  }

  /**
   * @internal The server still has this call after a lost connection and offers new media for it. A new peer connection answers; the
   * old one stays until the server agreed.
   */
  async recover(params: Reply): Promise<void> {
    if (isOver(this.current)) return;
    const run = ++this.#recovery;
    this.#cancelWait();
    this.#cancelRepair();
    this.#repair = NO_REPAIR;
    this.known = true;
    learnFrom(params, this.options, this.telnyxIDs);
    this.recoveredCallId = this.id;
    this.#break();
    this.input('recover');
    const old = this.peer;
    const overtaken = (): boolean => run !== this.#recovery || isOver(this.current);
    try {
      const stream = this.audio.live ?? (await this.microphone());
      if (overtaken()) return;
      this.#next?.close();
      const peer = this.newPeer();
      this.#next = peer;
      const sdp = await peer.answer(text(params['sdp']) ?? '', stream);
      if (overtaken()) return;
      await this.#attach(sdp);
      if (overtaken()) return;
      this.#next = undefined;
      this.peer = peer;
      this.mediaAnew();
      old?.close();
      this.#mended();
      this.input('recovered');
    } catch (error) {
      if (overtaken()) return;
      // The connection broke once more: the next `attach` of the server begins anew.
      if (error instanceof RequestError && (error.reason === 'lost' || error.reason === 'offline')) return;
      this.fail(telnyxError(error));
    }
  }

  /** @internal Ends the call here; the server does not know it any more. */
  drop(error: TelnyxError): void {
    if (isOver(this.current)) return;
    this.cause = 'NETWORK_OUT_OF_ORDER';
    this.causeCode = 38;
    this.tellError(error);
    void this.finish(undefined, 'drop');
  }

  /** @internal The session ends: the call is gone without a word to the server. */
  purge(): void {
    this.closeMedia();
    this.host.forget(this.self);
    this.input('purge');
  }

  /** @internal Media stands still although it should flow. */
  repair(): void {
    this.#stepRepair('failed');
  }

  /** @internal */
  protected async microphone(): Promise<MediaStream | undefined> {
    return this.audio.open();
  }

  /** @internal An error that ends the call: the application hears of it first. */
  protected abstract fail(error: TelnyxError): void;
  /** @internal */
  protected abstract finish(
    bye: (() => Promise<unknown>) | undefined,
    input: 'end' | 'drop' | 'fail',
  ): Promise<void>;

  /** @internal The counters of the media begin at nothing. */
  protected abstract mediaAnew(): void;

  /** @internal */
  protected tellError(error: TelnyxError): void {
    this.#error = error;
    this.host.error(error, this.self);
  }

  /** @internal */
  protected newPeer(): Peer {
    const { iceServers, forceRelayCandidate, trickleIce, useStereo, preferred_codecs } = this.options;
    const peer: Peer = new Peer(
      this.host.env,
      {
        iceServers: iceServers ?? [],
        relayOnly: forceRelayCandidate === true,
        trickle: trickleIce === true,
        stereo: useStereo === true,
        codecs: preferred_codecs,
      },
      {
        track: (stream) => {
          this.audio.receive(stream);
          this.emit('remoteStream', stream);
        },
        state: (state) => {
          if (this.peer === peer) this.#peerState(state);
        },
        candidate: (candidate) => {
          if (this.peer === peer || this.#next === peer) this.#sendCandidate(candidate);
        },
        gatheredNothing: () => this.host.warn('ICE_GATHERING_EMPTY', this.self),
        onlyHost: () => this.host.warn('ONLY_HOST_ICE_CANDIDATES', this.self),
      },
    );
    return peer;
  }

  /** @internal */
  protected closeMedia(): void {
    this.#recovery++;
    this.#mended();
    this.#cancelWait();
    this.#cancelRepair();
    this.peer?.close();
    this.#next?.close();
    this.audio.close();
  }

  /** @internal */
  protected request(
    method: string,
    params: object,
    timeoutMs: number,
    headers: CustomHeader[] = [],
    more: object = {},
  ): Promise<Reply> {
    const described = { ...dialogParams(this.id, this.options, this.telnyxIDs, headers), ...more };
    return this.host.request(method, { ...params, dialogParams: described }, timeoutMs);
  }

  /** @internal */
  protected input(input: CallInput): void {
    const before = this.current;
    this.current = stepCall(before, input);
    if (this.current === before) return;
    this.notify();
    if (commonStateOf(before) !== 'RINGING' && this.commonState === 'RINGING')
      this.emit('ringing', this.self);
  }

  /** @internal */
  protected notify(): void {
    this.host.notify({ type: 'callUpdate', call: this.self }, this.self);
    this.emit('state', this.self);
  }

  async #attach(sdp: string): Promise<void> {
    const params = { sdp, 'User-Agent': USER_AGENT };
    const more = { attach: true, recoveredCallId: this.id };
    await this.request('telnyx_rtc.attach', params, SETUP_MS, this.options.customHeaders, more);
  }

  #sendCandidate(found: RTCIceCandidate | null): void {
    const sent =
      found === null || found.candidate === ''
        ? this.request('telnyx_rtc.endOfCandidates', { endOfCandidates: true }, REQUEST_MS)
        : this.request(
            'telnyx_rtc.candidate',
            { candidate: found.candidate, sdpMid: found.sdpMid, sdpMLineIndex: found.sdpMLineIndex },
            REQUEST_MS,
          );
    sent.catch(() => undefined);
  }

  #break(): void {
    this.broken ??= new Promise((resolve) => {
      this.#mended = () => {
        this.broken = undefined;
        resolve();
      };
    });
  }

  #peerState(state: RTCPeerConnectionState): void {
    if (state === 'disconnected') {
      this.host.warn('ICE_CONNECTIVITY_LOST', this.self);
      this.host.probe('peer_failure');
    }
    if (state === 'failed') {
      const error = new Error('the audio path failed');
      this.host.warn('PEER_CONNECTION_FAILED', this.self);
      this.host.notify({ type: 'peerConnectionFailureError', call: this.self, error }, this.self);
    }
    // Media found its way: so will the connection, and need not wait for its next try.
    if (state === 'connected' && !this.host.isReady()) this.host.networkBack();
    if (state === 'connected' || state === 'disconnected' || state === 'failed') this.#stepRepair(state);
  }

  #stepRepair(input: RepairInput): void {
    const { peer } = this;
    if (peer === undefined || !this.current.answered || isOver(this.current)) return;
    if (this.state === 'recovering') return;
    const step = stepRepair(this.#repair, input, hasRelay(this.options.iceServers));
    this.#repair = step.state;
    if (input === 'failed') this.input({ away: 'networkSwitch' });
    if (input === 'connected' && this.host.isReady()) this.input('back');
    if (step.waitMs !== undefined) {
      this.#cancelRepair();
      this.#cancelRepair = this.host.env.after(step.waitMs, () => this.#stepRepair('timer'));
    }
    if (step.restart !== undefined) void this.#restartIce(peer, step.restart === 'relay');
    if (step.gaveUp) this.tellError(new TelnyxError('ICE_RESTART_FAILED'));
  }

  /** A new offer with new ICE credentials (RFC 8445 §9); the server's reply carries the answer. Without a connection, `attach` does it. */
  async #restartIce(peer: Peer, relayOnly: boolean): Promise<void> {
    if (!this.host.isReady()) return;
    const run = this.#recovery;
    this.host.warn('MEDIA_RECOVERY_REQUIRED', this.self);
    try {
      const sdp = await peer.restart(this.options.iceServers ?? [], relayOnly);
      const params = { action: 'updateMedia', callID: this.id, sdp };
      const reply = await this.request('telnyx_rtc.modify', params, REQUEST_MS);
      if (run !== this.#recovery) return;
      await peer.accept(text(reply['sdp']));
      // A path that stood all the time tells of no change.
      if ((await this.#flowsSoon(peer)) && run === this.#recovery) this.#stepRepair('connected');
    } catch (error) {
      if (run === this.#recovery && this.host.isReady())
        this.host.error(new TelnyxError('ICE_RESTART_FAILED', undefined, error), this.self);
    }
  }
}
