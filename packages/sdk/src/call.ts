import { type Abortable, abortable, onAbort } from './abort.ts';
import type { CallEventsOf, CallHost } from './call-host.ts';
import { REQUEST_MS, SETUP_MS } from './call-leg.ts';
import { type CallState, isOver, newCallState } from './call-machine.ts';
import { type Reply, text } from './connection.ts';
import { checkedHeaders } from './custom-headers.ts';
import { endingOf, learnFrom, telnyxError } from './dialog-params.ts';
import { contain } from './emitter.ts';
import { type ErrorName, type RequestError, TelnyxError } from './errors.ts';
import { MeasuredCall } from './measured-call.ts';
import type { AnswerOptions, CallOptionsOf, HangupOptions } from './options.ts';
import type { Peer } from './peer.ts';
import { USER_AGENT } from './version.ts';

const BYE_MS = 5_000;
/** The far side of a transfer may ring for a minute. */
const TRANSFER_MS = 65_000;
const DIGITS = /^[0-9A-D*#]+$/i;

/** Payloads of `call.on(…)`. */
export type CallEvents = CallEventsOf<Call>;

/** One call. Made by `client.newCall()`, or by the server, which then shows in `telnyx.notification`. */
export class Call extends MeasuredCall<Call> {
  /** @internal */
  protected readonly self: Call = this;
  #offer = '';
  #remoteDescription: Promise<void> | undefined;
  #released: Promise<void> | undefined;

  /** @internal Calls are made by a client. */
  constructor(
    host: CallHost<Call>,
    given: CallOptionsOf<Call>,
    direction: CallState['direction'],
    rawRinging: boolean,
    wasHeld = false,
  ) {
    super(host, given, newCallState(direction, rawRinging, wasHeld));
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
      return this.host.warn(
        this.state === 'answering' ? 'DUPLICATE_INBOUND_ANSWER' : 'ANSWER_WHILE_PEER_ACTIVE',
        this,
      );
    const { signal, ...changed } = params;
    Object.assign(this.options, changed);
    const deaf = onAbort(signal, () => void this.hangup());
    this.input('answerSent');
    await this.#setUp(
      async () => undefined,
      async (peer, stream) => {
        const sdp = await peer.answer(this.#offer, stream);
        if (isOver(this.current)) return;
        await this.request('telnyx_rtc.answer', { sdp, 'User-Agent': USER_AGENT }, SETUP_MS, headers);
        this.input('answerAccepted');
      },
    );
    deaf();
  }

  /**
   * Hangs up, cancels or rejects. The server is told the causes that `params` states, and chooses them otherwise; with
   * `execute: false` it is told nothing. Resolves when the call is over (at most 5 s). Rejects only for headers that cannot be sent.
   */
  hangup(params: HangupOptions = {}, execute = true): Promise<void> {
    return this.#end(params, execute, 'end');
  }

  async #end(params: HangupOptions, execute: boolean, input: 'end' | 'fail'): Promise<void> {
    const headers = checkedHeaders(params.dialogParams?.customHeaders);
    if (isOver(this.current)) return this.#released;
    const { cause, causeCode, sipCode, sip_call_id } = params;
    const stated = cause !== undefined || causeCode !== undefined || sipCode !== undefined;
    const [usualCause, usualCode] = this.current.answered
      ? (['NORMAL_CLEARING', 16] as const)
      : this.direction === 'outbound'
        ? (['ORIGINATOR_CANCEL', 487] as const)
        : (['CALL_REJECTED', 21] as const);
    this.cause = stated ? cause : usualCause;
    this.causeCode = stated ? causeCode : usualCode;
    this.sipCode = sipCode;
    const told =
      stated || !this.current.answered
        ? { cause, causeCode, sipCode, sip_call_id }
        : { cause: usualCause, causeCode: usualCode, sip_call_id };
    const bye = () => this.request('telnyx_rtc.bye', { ...told, 'User-Agent': USER_AGENT }, BYE_MS, headers);
    return this.finish(execute && this.known ? bye : undefined, input);
  }

  /** @internal Tells the server late that the call is over: it could not be told when it ended. */
  sayBye(): void {
    const { cause, causeCode } = this;
    this.request('telnyx_rtc.bye', { cause, causeCode, 'User-Agent': USER_AGENT }, BYE_MS).catch(
      () => undefined,
    );
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

  /**
   * Hands the far side over: to a number, a user name or a SIP URI (blind), or to the far side of another call of this client
   * (attended). Resolves when they talk; the server then ends our part of it (`NORMAL_CLEARING`). Rejects with error 44006 and the
   * call goes on. `signal` ends the waiting, not the transfer.
   */
  transfer(target: string | Call, { signal }: Abortable = {}): Promise<void> {
    return abortable(this.#transfer(target), signal);
  }

  async #transfer(target: string | Call): Promise<void> {
    try {
      const params =
        typeof target === 'string'
          ? { action: 'transfer', destination: target }
          : { action: 'replace', replaceCallID: target.id };
      while (this.broken !== undefined) await this.broken;
      if (this.state !== 'active' && this.state !== 'held') throw new Error(`the call is ${this.state}`);
      await this.request('telnyx_rtc.modify', params, TRANSFER_MS);
    } catch (error) {
      throw new TelnyxError('TRANSFER_FAILED', (error as Error).message, error);
    }
  }

  /** Sends DTMF digits (0-9 * # A-D). `false` when the server did not take them. Throws 44002 for other characters. */
  dtmf(digits: string): Promise<boolean> {
    if (!DIGITS.test(digits)) throw new TelnyxError('INVALID_CALL_PARAMETERS', 'DTMF digits are 0-9 * # A-D');
    return this.#info({ dtmf: digits });
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
    if (sender === undefined) {
      this.host.warn('AUDIO_INPUT_DEVICE_CHANGE_SKIPPED', this);
      return false;
    }
    try {
      return await this.audio.replace(sender);
    } catch (error) {
      this.host.error(telnyxError(error), this);
      return false;
    }
  }

  /** Sends a text to somebody. `false` when the server did not take it. */
  message(to: string, body: string): Promise<boolean> {
    return this.#info({ msg: { from: this.options.callerNumber ?? '', to, body } });
  }

  #info(params: object): Promise<boolean> {
    return this.request('telnyx_rtc.info', params, REQUEST_MS).then(
      () => true,
      () => false,
    );
  }

  /** @internal Begins an outbound call. */
  place(): void {
    this.notify();
    const deaf = onAbort(this.options.signal, () => void this.hangup());
    this.on('state', () => isOver(this.current) && deaf());
    const online = () => this.host.online();
    void this.#setUp(online, async (peer, stream) => {
      peer.send(stream);
      const sdp = await peer.offer();
      if (isOver(this.current)) return;
      const trickle = this.options.trickleIce === true ? { trickle: true } : {};
      const params = { sdp, ...trickle, 'User-Agent': USER_AGENT };
      const reply = this.request('telnyx_rtc.invite', params, SETUP_MS, this.options.customHeaders);
      this.known = true;
      this.input('inviteSent');
      await reply.catch((error: RequestError) => {
        // A reply that is late although the call went on is no reason to end it.
        if (error.reason !== 'timeout' || (this.state === 'requesting' && !this.current.alerting))
          throw error;
      });
      this.input('inviteAccepted');
    });
  }

  /** @internal Begins an incoming call. */
  arrive(params: Reply): void {
    this.#offer = text(params['sdp']) ?? '';
    this.known = true;
    learnFrom(params, this.options, this.telnyxIDs);
    this.notify();
    this.input('incoming');
  }

  /** @internal A message of the server about this call. */
  receive(method: string, params: Reply): void {
    learnFrom(params, this.options, this.telnyxIDs);
    switch (method) {
      case 'telnyx_rtc.ringing':
        return this.input('remoteRinging');
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

  /** Microphone and peer connection; what fails on the way ends the call. */
  async #setUp(
    may: () => Promise<void>,
    describe: (peer: Peer, stream: MediaStream | undefined) => Promise<void>,
  ): Promise<void> {
    try {
      const stream = await this.microphone();
      if (isOver(this.current)) return;
      await may();
      if (isOver(this.current)) return;
      this.peer = this.newPeer();
      await describe(this.peer, stream);
    } catch (error) {
      this.fail(telnyxError(error));
    }
  }

  /** @internal */
  protected override async microphone(): Promise<MediaStream | undefined> {
    const { permissions, env } = this.host;
    const patience = permissions?.timeout ?? 0;
    const deadline = { at: env.now() + patience, told: env.epoch() + patience };
    for (let tries = 0; ; tries++) {
      try {
        const stream = await this.audio.open();
        if (tries > 0) contain(() => permissions?.onSuccess?.());
        return stream;
      } catch (error) {
        const { name: errorName, message: errorMessage } = error as TelnyxError;
        const recoverable = permissions?.enabled === true && this.direction === 'inbound';
        if (recoverable && (await this.#askAgain(error as TelnyxError, deadline))) continue;
        if (recoverable) contain(() => permissions?.onError?.(error as Error));
        this.host.notify({ type: 'userMediaError', call: this, error, errorName, errorMessage }, this);
        throw error;
      }
    }
  }

  /** Whether the application wants another try before the deadline, which it is told as a time of day. */
  #askAgain(
    { name, message, originalError }: TelnyxError,
    deadline: { readonly at: number; readonly told: number },
  ): Promise<boolean> {
    const left = deadline.at - this.host.env.now();
    if (left <= 0 || isOver(this.current)) return Promise.resolve(false);
    return new Promise((resolve) => {
      const cancel = this.host.env.after(left, () => resolve(false));
      const choose = (again: boolean) => (): void => {
        cancel();
        resolve(again);
      };
      const error = new TelnyxError(name as ErrorName, message, originalError, false);
      const event = { error, callId: this.id, recoverable: true, retryDeadline: deadline.told } as const;
      this.host.recoverable({ ...event, resume: choose(true), reject: choose(false) }, this);
    });
  }

  /** The SDP answer comes once, with early media or with the answer; a repeated one changes nothing. */
  async #accept(params: Reply, input: 'earlyMedia' | 'remoteAnswered'): Promise<void> {
    const sdp = text(params['sdp']);
    if (this.direction !== 'outbound' || this.peer === undefined || isOver(this.current)) return;
    if (sdp !== undefined || input === 'remoteAnswered') this.#remoteDescription ??= this.peer.accept(sdp);
    try {
      await this.#remoteDescription;
      this.input(input);
    } catch (error) {
      this.fail(telnyxError(error));
    }
  }

  async #modify(action: 'hold' | 'unhold' | 'toggleHold'): Promise<boolean> {
    while (this.broken !== undefined) await this.broken;
    if (this.state !== 'active' && this.state !== 'held') return false;
    try {
      const reply = await this.request('telnyx_rtc.modify', { action }, REQUEST_MS);
      this.input(reply['holdState'] === 'active' ? 'resumed' : 'held');
      return true;
    } catch (error) {
      this.host.error(new TelnyxError('HOLD_FAILED', (error as RequestError).message, error), this);
      return false;
    }
  }

  #remoteBye(params: Reply): void {
    if (isOver(this.current)) return;
    const { answered } = this.current;
    this.cause = text(params['cause']) ?? (answered ? 'NORMAL_CLEARING' : 'USER_BUSY');
    this.causeCode = number(params['causeCode']) ?? (answered ? 16 : 17);
    this.sipCode = number(params['sipCode']);
    this.sipReason = text(params['sipReason']);
    this.sipCallId = text(params['sip_call_id']);
    void this.finish(undefined);
  }

  /** @internal */
  protected fail(error: TelnyxError): void {
    if (isOver(this.current)) return;
    this.tellError(error);
    void this.#end(endingOf(error), true, 'fail');
  }

  /** @internal */
  protected finish(
    bye: (() => Promise<unknown>) | undefined,
    input: 'end' | 'drop' | 'fail' = 'end',
  ): Promise<void> {
    this.closeMedia();
    this.input(input);
    this.#released = (async () => {
      await bye?.().catch((error: RequestError) => {
        if (error.reason !== 'refused') return this.host.unsaid(this);
        this.host.error(new TelnyxError('BYE_SEND_FAILED', error.message, error), this);
      });
      this.host.forget(this);
      this.input('released');
      this.host.report(this);
    })();
    return this.#released;
  }
}

const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
