import { CallAudio } from './call-audio.ts';
import type { CallHost } from './call-host.ts';
import {
  type CallInput,
  type CallState,
  type CommonState,
  commonStateOf,
  isOver,
  newCallState,
  type RawState,
  stepCall,
} from './call-machine.ts';
import { type Reply, text } from './connection.ts';
import { type CustomHeader, checkedHeaders } from './custom-headers.ts';
import { dialogParams, endingOf, learnFrom, type TelnyxIds, telnyxError } from './dialog-params.ts';
import { type RequestError, TelnyxError } from './errors.ts';
import { LocalControls } from './local-controls.ts';
import type { AnswerOptions, CallOptions, HangupOptions } from './options.ts';
import { Peer } from './peer.ts';
import { USER_AGENT } from './version.ts';

const SETUP_MS = 15_000;
const REQUEST_MS = 10_000;
const BYE_MS = 5_000;
const DIGITS = /^[0-9A-D*#]+$/i;

/** One call. Made by `client.newCall()`, or by the server, which then shows in `telnyx.notification`. */
export class Call extends LocalControls {
  readonly id: string;
  readonly options: CallOptions & { id: string };
  readonly telnyxIDs: TelnyxIds = { telnyxCallControlId: '', telnyxSessionId: '', telnyxLegId: '' };
  /** Why the call ended, when it did. */
  cause: string | undefined;
  causeCode: number | undefined;
  sipCode: number | undefined;
  sipReason: string | undefined;
  sipCallId: string | undefined;
  /** `peer.instance` is the RTCPeerConnection. */
  peer: Peer | undefined;

  readonly #host: CallHost;
  #state: CallState;
  #offer = '';
  /** The server knows this call and wants to hear of its end. */
  #known = false;
  #remoteDescription: Promise<void> | undefined;
  #released: Promise<void> | undefined;

  /** @internal Calls are made by a client. */
  constructor(host: CallHost, given: CallOptions, direction: CallState['direction'], rawRinging: boolean) {
    const options = { ...given, id: given.id ?? host.env.uuid() };
    super(new CallAudio(host.env, options));
    this.#host = host;
    this.id = options.id;
    this.options = options;
    this.#state = newCallState(direction, rawRinging);
  }

  /** The state with the names of the published SDK. */
  get state(): RawState {
    return this.#state.raw;
  }
  get prevState(): RawState {
    return this.#state.previous;
  }
  /** The state with the names that all platforms share. */
  get commonState(): CommonState {
    return commonStateOf(this.#state);
  }
  get direction(): CallState['direction'] {
    return this.#state.direction;
  }
  /** The custom headers as a map; `options.customHeaders` is the list. */
  get customHeaders(): Record<string, string> {
    return Object.fromEntries((this.options.customHeaders ?? []).map(({ name, value }) => [name, value]));
  }

  /**
   * Answers an incoming call. Resolves when the server knows, or the call is over; failures come as `telnyx.error`. Rejects only for
   * headers that cannot be sent.
   */
  async answer(params: AnswerOptions = {}): Promise<void> {
    const headers = checkedHeaders(params.customHeaders);
    if (this.direction !== 'inbound' || this.state !== 'ringing')
      return this.#host.warn(
        'ANSWER_WHILE_PEER_ACTIVE',
        'only a ringing incoming call can be answered',
        this,
      );
    Object.assign(this.options, params);
    this.#input('answerSent');
    await this.#setUp(async (peer, stream) => {
      const sdp = await peer.answer(this.#offer, stream);
      if (isOver(this.#state)) return;
      await this.#request('telnyx_rtc.answer', { sdp, 'User-Agent': USER_AGENT }, SETUP_MS, headers);
      this.#input('answerAccepted');
    });
  }

  /**
   * Hangs up, cancels or rejects. The server is told the causes that `params` states, and chooses them otherwise; with
   * `execute: false` it is told nothing. Resolves when the call is over (at most 5 s). Rejects only for headers that cannot be sent.
   */
  async hangup(params: HangupOptions = {}, execute = true): Promise<void> {
    const headers = checkedHeaders(params.dialogParams?.customHeaders);
    if (isOver(this.#state)) return this.#released;
    const { cause, causeCode, sipCode, sip_call_id } = params;
    const stated = cause !== undefined || causeCode !== undefined || sipCode !== undefined;
    const [usualCause, usualCode] = this.#state.answered
      ? (['NORMAL_CLEARING', 16] as const)
      : this.direction === 'outbound'
        ? (['ORIGINATOR_CANCEL', 487] as const)
        : (['CALL_REJECTED', 21] as const);
    this.cause = stated ? cause : usualCause;
    this.causeCode = stated ? causeCode : usualCode;
    this.sipCode = sipCode;
    const told =
      stated || !this.#state.answered
        ? { cause, causeCode, sipCode, sip_call_id }
        : { cause: usualCause, causeCode: usualCode, sip_call_id };
    const bye = () => this.#request('telnyx_rtc.bye', { ...told, 'User-Agent': USER_AGENT }, BYE_MS, headers);
    return this.#finish(execute && this.#known ? bye : undefined);
  }

  /** Puts the call on hold. `false` when the server refused, or the call is in no state for it. */
  hold(): Promise<boolean> {
    return this.#modify('hold');
  }
  unhold(): Promise<boolean> {
    return this.#modify('unhold');
  }
  toggleHold(): Promise<boolean> {
    return this.#modify('toggleHold');
  }

  /** Sends DTMF digits (0-9 * # A-D). `false` when the server did not take them. Throws 44002 for other characters. */
  dtmf(digits: string): Promise<boolean> {
    if (!DIGITS.test(digits)) throw new TelnyxError('INVALID_CALL_PARAMETERS', 'DTMF digits are 0-9 * # A-D');
    return this.#request('telnyx_rtc.info', { dtmf: digits }, REQUEST_MS).then(
      () => true,
      () => false,
    );
  }
  /** Another name of {@link dtmf}. */
  sendDigits(digits: string): Promise<boolean> {
    return this.dtmf(digits);
  }

  /** Changes the microphone while the call lives. `false`, and `telnyx.error`, when it cannot be opened. */
  async setAudioInDevice(deviceId: string, muted = this.isAudioMuted): Promise<boolean> {
    this.options.micId = deviceId;
    this.audio.muted = muted;
    const sender = this.peer?.instance.getSenders().find((one) => one.track?.kind === 'audio');
    if (sender === undefined) return false;
    try {
      return await this.audio.replace(sender);
    } catch (error) {
      this.#host.error(telnyxError(error), this);
      return false;
    }
  }

  /** The browser's statistics of this call; `undefined` without media. */
  async getStats(): Promise<RTCStatsReport | undefined> {
    return this.peer?.instance.getStats();
  }

  /** @internal Begins an outbound call. */
  place(): void {
    this.#notify();
    void this.#setUp(async (peer, stream) => {
      peer.send(stream);
      const sdp = await peer.offer();
      if (isOver(this.#state)) return;
      const trickle = this.options.trickleIce === true ? { trickle: true } : {};
      const params = { sdp, ...trickle, 'User-Agent': USER_AGENT };
      const reply = this.#request('telnyx_rtc.invite', params, SETUP_MS, this.options.customHeaders);
      this.#known = true;
      this.#input('inviteSent');
      await reply.catch((error: RequestError) => {
        // A reply that is late although the call went on is no reason to end it.
        if (error.reason !== 'timeout' || (this.state === 'requesting' && !this.#state.alerting)) throw error;
      });
      this.#input('inviteAccepted');
    });
  }

  /** @internal Begins an incoming call. */
  arrive(params: Reply): void {
    this.#offer = text(params['sdp']) ?? '';
    this.#known = true;
    learnFrom(params, this.options, this.telnyxIDs);
    this.#notify();
    this.#input('incoming');
  }

  /** @internal A message of the server about this call. */
  receive(method: string, params: Reply): void {
    learnFrom(params, this.options, this.telnyxIDs);
    switch (method) {
      case 'telnyx_rtc.ringing':
        return this.#input('remoteRinging');
      case 'telnyx_rtc.media':
        return void this.#accept(params, 'earlyMedia');
      case 'telnyx_rtc.answer':
        return void this.#accept(params, 'remoteAnswered');
      case 'telnyx_rtc.bye':
        return this.#remoteBye(params);
      case 'telnyx_rtc.candidate':
        return this.peer?.addCandidate({
          candidate: text(params['candidate']) ?? '',
          sdpMid: text(params['sdpMid']) ?? null,
          sdpMLineIndex: number(params['sdpMLineIndex']) ?? null,
        });
    }
  }

  /** @internal Ends the call here; the server does not know it any more. */
  drop(cause: string, causeCode: number, error: TelnyxError): void {
    if (isOver(this.#state)) return;
    this.cause = cause;
    this.causeCode = causeCode;
    this.#host.error(error, this);
    void this.#finish(undefined);
  }

  /** @internal The session ends: the call is gone without a word to the server. */
  purge(): void {
    this.#closeMedia();
    this.#host.forget(this);
    this.#input('purge');
  }

  /** Microphone and peer connection; what fails on the way ends the call. */
  async #setUp(describe: (peer: Peer, stream: MediaStream | undefined) => Promise<void>): Promise<void> {
    try {
      const stream = await this.#microphone();
      if (isOver(this.#state)) return;
      this.peer = this.#newPeer();
      await describe(this.peer, stream);
    } catch (error) {
      this.#fail(telnyxError(error));
    }
  }

  async #microphone(): Promise<MediaStream | undefined> {
    try {
      return await this.audio.open();
    } catch (error) {
      const { name: errorName, message: errorMessage } = error as TelnyxError;
      this.#host.notify({ type: 'userMediaError', call: this, error, errorName, errorMessage }, this);
      throw error;
    }
  }

  #newPeer(): Peer {
    const { iceServers, forceRelayCandidate, trickleIce, useStereo, preferred_codecs } = this.options;
    return new Peer(
      this.#host.env,
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
        state: (state) => this.#peerState(state),
        candidate: (candidate) => this.#sendCandidate(candidate),
        gatheredNothing: () =>
          this.#host.warn('ICE_GATHERING_EMPTY', 'the browser found no network address', this),
      },
    );
  }

  #sendCandidate(found: RTCIceCandidate | null): void {
    const sent =
      found === null || found.candidate === ''
        ? this.#request('telnyx_rtc.endOfCandidates', { endOfCandidates: true }, REQUEST_MS)
        : this.#request(
            'telnyx_rtc.candidate',
            { candidate: found.candidate, sdpMid: found.sdpMid, sdpMLineIndex: found.sdpMLineIndex },
            REQUEST_MS,
          );
    sent.catch(() => undefined);
  }

  #peerState(state: RTCPeerConnectionState): void {
    if (state === 'disconnected')
      this.#host.warn('ICE_CONNECTIVITY_LOST', 'the audio path is interrupted', this);
    if (state !== 'failed') return;
    const error = new Error('the audio path failed');
    this.#host.warn('PEER_CONNECTION_FAILED', error.message, this);
    this.#host.notify({ type: 'peerConnectionFailureError', call: this, error }, this);
    if (this.#state.answered && this.peer !== undefined) void this.#restartIce(this.peer);
  }

  /** A new offer with new ICE credentials (RFC 8445 §9); the server's reply carries the answer. */
  async #restartIce(peer: Peer): Promise<void> {
    this.#host.warn('MEDIA_RECOVERY_REQUIRED', 'looking for another audio path', this);
    try {
      const params = { action: 'updateMedia', callID: this.id, sdp: await peer.offer(true) };
      const reply = await this.#request('telnyx_rtc.modify', params, REQUEST_MS);
      await peer.accept(text(reply['sdp']));
    } catch (error) {
      if (!isOver(this.#state))
        this.#host.error(new TelnyxError('ICE_RESTART_FAILED', undefined, error), this);
    }
  }

  /** The SDP answer comes once, with early media or with the answer; a repeated one changes nothing. */
  async #accept(params: Reply, input: 'earlyMedia' | 'remoteAnswered'): Promise<void> {
    const sdp = text(params['sdp']);
    if (this.direction !== 'outbound' || this.peer === undefined || isOver(this.#state)) return;
    if (sdp !== undefined || input === 'remoteAnswered') this.#remoteDescription ??= this.peer.accept(sdp);
    try {
      await this.#remoteDescription;
      this.#input(input);
    } catch (error) {
      this.#fail(telnyxError(error));
    }
  }

  async #modify(action: 'hold' | 'unhold' | 'toggleHold'): Promise<boolean> {
    if (this.state !== 'active' && this.state !== 'held') return false;
    try {
      const reply = await this.#request('telnyx_rtc.modify', { action }, REQUEST_MS);
      this.#input(reply['holdState'] === 'active' ? 'resumed' : 'held');
      return true;
    } catch (error) {
      this.#host.error(new TelnyxError('HOLD_FAILED', (error as RequestError).message, error), this);
      return false;
    }
  }

  #remoteBye(params: Reply): void {
    if (isOver(this.#state)) return;
    const { answered } = this.#state;
    this.cause = text(params['cause']) ?? (answered ? 'NORMAL_CLEARING' : 'USER_BUSY');
    this.causeCode = number(params['causeCode']) ?? (answered ? 16 : 17);
    this.sipCode = number(params['sipCode']);
    this.sipReason = text(params['sipReason']);
    this.sipCallId = text(params['sip_call_id']);
    void this.#finish(undefined);
  }

  /** An error that ends the call: the application hears of it first. */
  #fail(error: TelnyxError): void {
    if (isOver(this.#state)) return;
    this.#host.error(error, this);
    void this.hangup(endingOf(error));
  }

  #finish(bye: (() => Promise<unknown>) | undefined): Promise<void> {
    this.#closeMedia();
    this.#input('end');
    this.#released = (async () => {
      await bye?.().catch((error: RequestError) => {
        if (error.reason === 'refused')
          this.#host.error(new TelnyxError('BYE_SEND_FAILED', error.message, error), this);
      });
      this.#host.forget(this);
      this.#input('released');
    })();
    return this.#released;
  }

  #closeMedia(): void {
    this.peer?.close();
    this.audio.close();
  }

  #request(method: string, params: object, timeoutMs: number, headers: CustomHeader[] = []): Promise<Reply> {
    const described = dialogParams(this.id, this.options, this.telnyxIDs, headers);
    return this.#host.request(method, { ...params, dialogParams: described }, timeoutMs);
  }

  #input(input: CallInput): void {
    const before = this.#state;
    this.#state = stepCall(before, input);
    if (this.#state === before) return;
    this.#notify();
    if (commonStateOf(before) !== 'RINGING' && this.commonState === 'RINGING') this.emit('ringing', this);
  }

  #notify(): void {
    this.#host.notify({ type: 'callUpdate', call: this }, this);
    this.emit('state', this);
  }
}

const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
