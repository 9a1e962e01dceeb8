import { Call } from './call.ts';
import type { CallHost } from './call-host.ts';
import type { Frame, Reply } from './connection.ts';
import { text } from './connection.ts';
import { checkedHeaders } from './custom-headers.ts';
import { inboundOptions } from './dialog-params.ts';
import { contain, Emitter } from './emitter.ts';
import { browserEnvironment, type Environment } from './environment.ts';
import { TELNYX_WARNING_CODES, TelnyxError, type WarningName } from './errors.ts';
import { elementOf } from './media.ts';
import {
  type CallOptions,
  type ClientEvents,
  type ClientOptions,
  type Credentials,
  checkedDestination,
  hasCredentials,
  type MediaElementChoice,
  type Notification,
} from './options.ts';
import { Session } from './session.ts';

/** Requests of the server that are acknowledged, known call or not, so that it never waits for one. */
const ACKNOWLEDGED = /^telnyx_rtc\.(invite|ringing|media|answer|display|candidate|bye)$/;

/**
 * A session with a Sidetone server: logs in, makes calls, takes calls. Throws `Invalid init options` when the options hold neither
 * `login_token` nor `login` and `password`.
 *
 * In `Client` an outbound call whose far side rings is `ringing` in `call.state` too. {@link TelnyxRTC} keeps to the raw states of
 * the published SDK.
 */
export class Client extends Emitter<ClientEvents> {
  readonly options: ClientOptions;
  /** The calls that are not over, by id. */
  readonly calls: Record<string, Call> = Object.create(null);
  /** Names this client, not the session. */
  readonly uuid: string;
  /** The output device of new calls. */
  speaker: string | undefined;
  iceServers: RTCIceServer[];

  /** @internal */
  protected rawRinging = true;
  readonly #env: Environment;
  readonly #session: Session;
  readonly #host: CallHost;
  #micId: string | undefined;
  #localMedia: MediaElementChoice | undefined;
  #remoteMedia: MediaElementChoice | undefined;
  #listening: (() => void)[] = [];

  constructor(options: ClientOptions, environment: Environment = browserEnvironment()) {
    super();
    if (!hasCredentials(options ?? {})) throw new Error('Invalid init options');
    this.options = { ...options };
    this.iceServers = Array.isArray(options.iceServers) ? options.iceServers : [];
    this.#env = environment;
    this.uuid = environment.uuid();
    this.#session = this.#newSession();
    this.#host = {
      env: environment,
      request: (method, params, timeoutMs) => this.#session.request(method, params, timeoutMs),
      notify: (notification, call) => this.#notify(notification, call),
      error: (error, call) => this.#error(error, call.id),
      warn: (name, message, call) => this.#warn(name, message, { callId: call.id }),
      forget: (call) => {
        if (this.calls[call.id] === call) delete this.calls[call.id];
      },
    };
  }

  /** The socket is open. */
  get connected(): boolean {
    return this.#session.connected;
  }
  get sessionid(): string {
    return this.#session.sessionId;
  }
  get region(): string | undefined {
    return this.#session.region;
  }
  get dc(): string | undefined {
    return this.#session.dc;
  }
  get callReportId(): string | undefined {
    return this.#session.callReportId;
  }
  get autoReconnect(): boolean {
    return this.#session.autoReconnect;
  }
  set autoReconnect(on: boolean) {
    this.#session.autoReconnect = on;
  }

  /** Where the microphone shows; muted. An element, its id, or a function. */
  get localElement(): HTMLMediaElement | null {
    return elementOf(this.#localMedia, this.#env);
  }
  set localElement(choice: MediaElementChoice | null) {
    this.#localMedia = choice ?? undefined;
  }
  /** Where the far side is heard. An element, its id, or a function. */
  get remoteElement(): HTMLMediaElement | null {
    return elementOf(this.#remoteMedia, this.#env);
  }
  set remoteElement(choice: MediaElementChoice | null) {
    this.#remoteMedia = choice ?? undefined;
  }

  /** Opens the connection and logs in. Resolves at once; see {@link ready}. */
  async connect(): Promise<void> {
    if (this.#listening.length === 0) {
      this.#listening = [
        this.#env.listen('online', () => this.#session.online()),
        this.#env.listen('offline', () => this.#error(new TelnyxError('NETWORK_OFFLINE'))),
        this.#env.listen('pagehide', () => this.#leavePage()),
      ];
    }
    this.#session.connect();
  }

  /** Resolves when calls can be made, at once when they can. Rejects when the login is refused or the session ends. */
  ready(): Promise<void> {
    return this.#session.ready();
  }

  /** Hangs up all calls and closes the connection for good. */
  async disconnect(): Promise<void> {
    for (const stop of this.#listening) stop();
    this.#listening = [];
    const calls = this.getActiveCalls();
    for (const call of calls) void call.hangup();
    this.#session.disconnect();
    for (const call of calls) call.purge();
  }

  /** Logs in again on the open connection, for example with a fresh token. */
  async login(
    params: { creds?: Credentials; onSuccess?: () => void; onError?: (error: unknown) => void } = {},
  ): Promise<void> {
    const { creds } = params;
    if (creds !== undefined) {
      if (!hasCredentials(creds)) return this.#refuseLogin(params.onError);
      for (const name of ['login_token', 'login', 'password', 'passwd'] as const) delete this.options[name];
      Object.assign(this.options, creds);
    }
    try {
      await this.#session.login();
      params.onSuccess?.();
    } catch (error) {
      params.onError?.(error);
    }
  }

  /** Asks the server whether it has this client registered. */
  getIsRegistered(): Promise<boolean> {
    return this.#session.registered();
  }

  /** Makes a call. Throws {@link TelnyxError} 44002 without a destination, or with headers that cannot be sent. */
  newCall(options: CallOptions): Call {
    const destination = checkedDestination(options);
    const customHeaders = checkedHeaders(options.customHeaders);
    const call = this.#add(
      {
        remoteCallerName: 'Outbound Call',
        remoteCallerNumber: destination,
        ...options,
        ...(options.customHeaders === undefined ? {} : { customHeaders }),
      },
      'outbound',
    );
    call.place();
    return call;
  }

  getActiveCalls(): Call[] {
    return Object.values(this.calls);
  }
  hasActiveCall(): boolean {
    return this.getActiveCalls().length > 0;
  }

  /** Microphones, speakers and cameras; names are empty until the page may use the microphone. `[]` when the browser tells none. */
  async getDevices(): Promise<MediaDeviceInfo[]> {
    return (await this.#env.mediaDevices?.enumerateDevices().catch(() => undefined)) ?? [];
  }
  async getAudioInDevices(): Promise<MediaDeviceInfo[]> {
    return (await this.getDevices()).filter(({ kind }) => kind === 'audioinput');
  }
  async getAudioOutDevices(): Promise<MediaDeviceInfo[]> {
    return (await this.getDevices()).filter(({ kind }) => kind === 'audiooutput');
  }
  /** The microphone of new calls, and of those that live. `false` when one could not be changed. */
  async setAudioInDevice(deviceId: string): Promise<boolean> {
    this.#micId = deviceId;
    const live = this.getActiveCalls().filter((call) => call.peer !== undefined);
    return (await Promise.all(live.map((call) => call.setAudioInDevice(deviceId)))).every(Boolean);
  }
  /** The output device of new calls, and of those that live. `false` when one could not be changed. */
  async setAudioOutDevice(deviceId: string): Promise<boolean> {
    this.speaker = deviceId;
    const live = this.getActiveCalls().filter((call) => call.remoteStream !== undefined);
    return (await Promise.all(live.map((call) => call.setAudioOutDevice(deviceId)))).every(Boolean);
  }

  #newSession(): Session {
    return new Session(this.#env, this.options, {
      socketOpen: (event) => this.emit('telnyx.socket.open', event),
      socketClose: (event) => this.emit('telnyx.socket.close', { event }),
      socketError: (error) => this.emit('telnyx.socket.error', { error, sessionId: this.sessionid }),
      ready: (reattached) => this.#ready(reattached),
      message: (frame) => this.emit('telnyx.socket.message', frame as Record<string, unknown>),
      request: (method, params, frame) => this.#request(method, params, frame),
      error: (error) => this.#error(error),
      warn: (name, message, source) => this.#warn(name, message, source === undefined ? {} : { source }),
      lost: (error) => {
        for (const call of this.getActiveCalls())
          if (error === undefined) call.purge();
          else call.drop('NETWORK_OUT_OF_ORDER', 38, error);
      },
    });
  }

  /** Calls that the server no longer has end here; those it never heard of may go on. */
  #ready(reattached: string[] | undefined): void {
    if (reattached !== undefined)
      for (const call of this.getActiveCalls())
        if (call.state !== 'new' && !reattached.includes(call.id))
          call.drop('NETWORK_OUT_OF_ORDER', 38, new TelnyxError('SESSION_NOT_REATTACHED'));
    this.emit('telnyx.ready', {
      type: 'vertoClientReady',
      ...(reattached === undefined ? {} : { reattached_sessions: reattached }),
    });
  }

  #request(method: string, params: Reply, { id }: Frame): void {
    if (id !== undefined && ACKNOWLEDGED.test(method)) this.#session.acknowledge(id, method);
    const callId = text(params['callID']) ?? '';
    const call = this.calls[callId];
    if (method === 'telnyx_rtc.invite') {
      if (call === undefined && callId !== '')
        this.#add({ ...inboundOptions(params), id: callId }, 'inbound').arrive(params);
    } else if (method === 'telnyx_rtc.display') {
      if (call !== undefined) this.#display(call, params);
    } else if (method === 'telnyx_rtc.info' || method === 'telnyx_rtc.event')
      this.emit('telnyx.notification', { ...params, type: 'event' });
    else call?.receive(method, params);
  }

  #display(call: Call, params: Reply): void {
    const notification: Notification = {
      type: 'participantData',
      call,
      displayName: text(params['display_name']) ?? '',
      displayNumber: text(params['display_number']) ?? '',
      displayDirection: params['display_direction'] === 'inbound' ? 'outbound' : 'inbound',
    };
    this.#notify(notification, call);
  }

  #add(given: CallOptions, direction: 'inbound' | 'outbound'): Call {
    const { forceRelayCandidate, trickleIce, mutedMicOnStart } = this.options;
    const defaults: Partial<CallOptions> = { iceServers: this.iceServers };
    if (forceRelayCandidate !== undefined) defaults.forceRelayCandidate = forceRelayCandidate;
    if (trickleIce !== undefined) defaults.trickleIce = trickleIce;
    if (mutedMicOnStart !== undefined) defaults.mutedMicOnStart = mutedMicOnStart;
    if (this.#localMedia !== undefined) defaults.localElement = this.#localMedia;
    if (this.#remoteMedia !== undefined) defaults.remoteElement = this.#remoteMedia;
    if (this.#micId !== undefined) defaults.micId = this.#micId;
    if (this.speaker !== undefined) defaults.speakerId = this.speaker;
    const call = new Call(this.#host, { ...defaults, ...given }, direction, this.rawRinging);
    this.calls[call.id] = call;
    return call;
  }

  #notify(notification: Notification, call: Call): void {
    const { onNotification } = call.options;
    if (onNotification === undefined) this.emit('telnyx.notification', notification);
    else contain(() => onNotification(notification));
  }

  #error(error: TelnyxError, callId?: string): void {
    this.emit('telnyx.error', {
      error,
      sessionId: this.sessionid,
      ...(callId === undefined ? {} : { callId }),
    });
  }

  #warn(name: WarningName, message: string, about: { callId?: string; source?: string }): void {
    const warning = { code: TELNYX_WARNING_CODES[name], name, message };
    this.emit('telnyx.warning', { warning, sessionId: this.sessionid, ...about });
  }

  #refuseLogin(onError: ((error: unknown) => void) | undefined): void {
    const error = new TelnyxError('INVALID_CREDENTIALS');
    this.#error(error);
    onError?.(error);
  }

  #leavePage(): void {
    if (this.options.hangupOnBeforeUnload !== false) void this.disconnect();
  }
}

/** {@link Client} with the name and the raw call states of the published SDK; see `outboundRinging`. */
export class TelnyxRTC extends Client {
  constructor(options: ClientOptions, environment?: Environment) {
    super(options, environment);
    this.rawRinging = options.outboundRinging === true;
  }
}
