import { type Abortable, abortable } from './abort.ts';
import { Call } from './call.ts';
import type { CallHost } from './call-host.ts';
import { CallReports } from './call-report.ts';
import { ClientDevices } from './client-devices.ts';
import type { CallOptions, Notification } from './client-events.ts';
import type { Frame, Reply } from './connection.ts';
import { text } from './connection.ts';
import { checkedHeaders } from './custom-headers.ts';
import { inboundOptions } from './dialog-params.ts';
import { contain } from './emitter.ts';
import { browserEnvironment, type Environment } from './environment.ts';
import { TelnyxError, telnyxWarning, type WarningName } from './errors.ts';
import { HostChoice } from './host-choice.ts';
import {
  type ClientOptions,
  type Credentials,
  checkedDestination,
  hasCredentials,
  present,
} from './options.ts';
import { type Remembered, type RememberedCall, ResumeStore, rememberedOf } from './resume-store.ts';
import { RingSounds } from './ring-sounds.ts';
import { Session } from './session.ts';
import { renewalDue } from './token.ts';

/** The part of a call that one report may tell. */
const REPORT_EVERY_MS = 180_000;
/** Requests of the server that are acknowledged, known call or not, so that it never waits for one. */
const ACKNOWLEDGED = /^telnyx_rtc\.(invite|attach|ringing|media|answer|display|candidate|bye)$/;

/**
 * A session with a Sidetone server: logs in, makes calls, takes calls. Throws `Invalid init options` when the options hold neither
 * `login_token` nor `login` and `password`.
 *
 * In `Client` an outbound call whose far side rings is `ringing` in `call.state` too. `TelnyxRTC` keeps to the raw states of
 * the published SDK.
 */
export class Client extends ClientDevices {
  readonly options: ClientOptions;
  /** The calls that are not over, by id. */
  readonly calls: Record<string, Call> = Object.create(null);
  /** Names this client, not the session. */
  readonly uuid: string;
  iceServers: RTCIceServer[];

  /** @internal */
  protected rawRinging = true;
  readonly #session: Session;
  readonly #host: CallHost<Call>;
  #listening: (() => void)[] = [];
  #hosts: HostChoice | undefined;
  readonly #sounds: RingSounds;
  readonly #reports: CallReports;
  #forgetToken = (): void => {};
  #store: ResumeStore | undefined;
  /** Calls of the page before this one, which this one takes over. */
  #inherited: readonly RememberedCall[] = [];
  /** Calls that ended while the server could not be told. */
  readonly #unsaid = new Map<string, Call>();

  constructor(options: ClientOptions, environment: Environment = browserEnvironment()) {
    super(environment);
    if (!hasCredentials(options ?? {})) throw new Error('Invalid init options');
    this.options = { ...options };
    this.iceServers = Array.isArray(options.iceServers) ? options.iceServers : [];
    this.uuid = environment.uuid();
    this.#sounds = new RingSounds(environment);
    this.#reports = new CallReports(environment);
    this.#session = this.#newSession();
    this.#host = {
      env: environment,
      permissions: options.mediaPermissionsRecovery,
      isReady: () => this.#session.isReady,
      online: () => this.#session.online('telnyx_rtc.invite'),
      request: (method, params, timeoutMs) => this.#session.request(method, params, timeoutMs),
      networkBack: () => this.#session.networkBack(),
      probe: (source) => this.#session.probe(source),
      notify: (notification, call) => this.#notify(notification, call),
      error: (error, call) => this.#error(error, call.id),
      warn: (name, call, message) => this.#warn(name, message, { callId: call.id }),
      frame: (frame, call) => {
        if (call.unreported >= (this.options.callReportFlushInterval ?? REPORT_EVERY_MS) / 1_000)
          this.#sendReport(call);
        if (call.options.debug ?? this.options.debug)
          this.emit('telnyx.stats.frame', { ...frame, callId: call.id });
      },
      report: (call) => this.#report(call),
      recoverable: (event) => this.emit('telnyx.error', { ...event, sessionId: this.sessionid }),
      unsaid: (call) => void this.#unsaid.set(call.id, call),
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
  /** Opens the connection and logs in. Resolves at once, or when the best of `hosts` is known; see {@link ready}. */
  async connect({ signal }: Abortable = {}): Promise<void> {
    signal?.throwIfAborted();
    const { hosts } = this.options;
    if (hosts !== undefined && this.#hosts === undefined) {
      this.#hosts = new HostChoice(this.env, hosts);
      await abortable(this.#hosts.choose(), signal);
    }
    if (this.#listening.length === 0) {
      const remembered = this.#attend();
      // The copy of a duplicated tab finds the same; only one of them may have it.
      if (remembered !== undefined && (await this.env.claim(remembered.token))) {
        this.#inherited = remembered.calls;
        this.#session.resume(remembered);
      }
    }
    this.#session.connect();
  }

  /**
   * Resolves when calls can be made, at once when they can. Rejects when the login is refused or the session ends. `signal` ends the
   * waiting, not the connection.
   */
  ready({ signal }: Abortable = {}): Promise<void> {
    return abortable(this.#session.ready(), signal);
  }

  /**
   * Hangs up all calls and closes the connection for good. A connection that is away while there are calls has 15 s to come back,
   * so that the far sides need not wait; reports that are on their way have 10 s.
   */
  async disconnect(): Promise<void> {
    this.#forgetToken();
    this.#sounds.follow([], undefined, undefined);
    for (const stop of this.#listening) stop();
    this.#listening = [];
    const calls = this.getActiveCalls();
    const over = calls.map((call) => call.hangup());
    const away = calls.length > 0 && !this.#session.isReady;
    if (!away) this.#session.disconnect();
    for (const call of calls) call.purge();
    this.#store?.forget();
    this.#store?.release();
    this.#store = undefined;
    await Promise.allSettled(over);
    if (away) {
      await this.#session.online('telnyx_rtc.bye').catch(() => undefined);
      // Unless the application connected again meanwhile.
      if (this.#listening.length === 0) this.#session.disconnect();
    }
    await this.#reports.sent();
  }
  /** Another name of {@link disconnect}. */
  logout(): Promise<void> {
    return this.disconnect();
  }

  /** Logs in again on the open connection, for example with a fresh token. */
  async login(
    params: { creds?: Credentials; onSuccess?: () => void; onError?: (error: unknown) => void } = {},
  ): Promise<void> {
    const { creds } = params;
    if (creds !== undefined) {
      if (!hasCredentials(creds)) {
        const error = new TelnyxError('INVALID_CREDENTIALS');
        this.#error(error);
        return params.onError?.(error);
      }
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

  /** Whether a broken connection is made again. */
  hasAutoReconnect(): boolean {
    return this.autoReconnect;
  }
  /** The next connection is a new session: calls of this one are not taken over. */
  clearReconnectToken(): void {
    this.#session.clearToken();
    this.#store?.forget();
  }
  /** Counts tries anew. */
  resetReconnectAttempts(): void {
    this.#session.resetAttempts();
  }
  /** Looks for another audio path for a call, as the SDK does by itself when the path fails. */
  triggerIceRestart(callId: string): void {
    this.calls[callId]?.repair();
  }

  getActiveCalls(): Call[] {
    return Object.values(this.calls);
  }
  hasActiveCall(): boolean {
    return this.getActiveCalls().length > 0;
  }

  #newSession(): Session {
    return new Session(this.env, this.options, {
      host: () => this.#hosts?.current ?? this.options.host,
      unreachable: () => this.#hosts?.failed(),
      socketOpen: (event) => this.emit('telnyx.socket.open', event),
      socketClose: (event) =>
        this.emit('telnyx.socket.close', { event, socketGeneration: this.#session.generation }),
      socketError: (error) =>
        this.emit('telnyx.socket.error', {
          error,
          sessionId: this.sessionid,
          socketGeneration: this.#session.generation,
        }),
      inCall: () => this.hasActiveCall(),
      away: (reason) => {
        for (const call of this.getActiveCalls()) call.away(reason);
      },
      budgetSpent: () => {
        for (const call of this.getActiveCalls())
          if (call.state !== 'new') call.drop(new TelnyxError('RECONNECTION_EXHAUSTED'));
      },
      iceServers: (servers) => {
        if (this.options.iceServers !== undefined) return;
        for (const { options } of this.getActiveCalls())
          if (options.iceServers === this.iceServers) options.iceServers = servers;
        this.iceServers = servers;
      },
      ready: (reattached) => this.#ready(reattached),
      message: (frame) => this.emit('telnyx.socket.message', frame as Record<string, unknown>),
      request: (method, params, frame) => this.#request(method, params, frame),
      error: (error) => this.#error(error),
      warn: (name, message, source) => this.#warn(name, message, source === undefined ? {} : { source }),
      lost: (error) => {
        for (const call of this.getActiveCalls())
          if (error === undefined) call.purge();
          else call.drop(error);
      },
    });
  }

  /** Calls that the server no longer has end here; those it never heard of may go on. */
  #ready(reattached: string[] | undefined): void {
    for (const call of this.getActiveCalls()) {
      if (reattached === undefined || reattached.includes(call.id)) void call.returned();
      else if (call.state !== 'new') call.drop(new TelnyxError('SESSION_NOT_REATTACHED'));
    }
    this.#inherited = this.#inherited.filter(({ id }) => reattached?.includes(id) !== false);
    for (const [id, call] of this.#unsaid) if (reattached?.includes(id)) call.sayBye();
    if (!this.hasActiveCall() && this.#inherited.length === 0 && reattached !== undefined)
      this.#inherited = reattached
        .filter((id) => !this.#unsaid.has(id))
        .map((id) => ({
          id,
          direction: 'inbound',
          muted: false,
          held: false,
          options: { destinationNumber: '' },
        }));
    this.#unsaid.clear();
    this.#watchToken();
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
    } else if (method === 'telnyx_rtc.attach') this.#attach(callId, call, params);
    else if (method === 'telnyx_rtc.display') {
      if (call !== undefined) this.#display(call, params);
    } else if (method === 'telnyx_rtc.info' || method === 'telnyx_rtc.event')
      this.emit('telnyx.notification', { ...params, type: 'event', ...(call === undefined ? {} : { call }) });
    else if (method === 'ai_conversation') this.emit('telnyx.ai.conversation', { method, params });
    else call?.receive(method, params);
  }

  /** The server still has this call. A page that was reloaded makes the object anew, with what the page before knew of it. */
  #attach(id: string, call: Call | undefined, params: Reply): void {
    if (call !== undefined) return void call.recover(params);
    const before = this.#inherited.find((one) => one.id === id);
    if (before === undefined) return this.#warn('UNKNOWN_REATTACHED_SESSION', undefined, { callId: id });
    this.#inherited = this.#inherited.filter((one) => one !== before);
    const options = { ...inboundOptions(params), ...present(before.options), id };
    const mute = before.muted ? { mutedMicOnStart: true } : {};
    void this.#add({ ...options, ...mute }, before.direction, before.held).recover(params);
  }

  #display(call: Call, params: Reply): void {
    const displayDirection = params['display_direction'] === 'inbound' ? 'outbound' : 'inbound';
    const displayName = text(params['display_name']) ?? '';
    const displayNumber = text(params['display_number']) ?? '';
    this.#notify({ type: 'participantData', call, displayName, displayNumber, displayDirection }, call);
  }

  #add(given: CallOptions, direction: 'inbound' | 'outbound', wasHeld = false): Call {
    const { forceRelayCandidate, trickleIce, mutedMicOnStart } = this.options;
    const of = { forceRelayCandidate, trickleIce, mutedMicOnStart };
    const defaults = { ...present(of), ...this.deviceDefaults(), iceServers: this.iceServers };
    const others = this.getActiveCalls();
    if (others.length > 0) this.#warn('MULTIPLE_ACTIVE_CALLS_DETECTED', undefined, {});
    const call = new Call(this.#host, { ...defaults, ...given }, direction, this.rawRinging, wasHeld);
    const { remoteElement } = call.options;
    if (remoteElement !== undefined && others.some(({ options }) => options.remoteElement === remoteElement))
      this.#warn('SHARED_REMOTE_ELEMENT_OVERWRITE', undefined, { callId: call.id });
    this.calls[call.id] = call;
    return call;
  }

  /** Warns two minutes before the login token expires, or at once when that is nearer. */
  #watchToken(): void {
    this.#forgetToken();
    const due = renewalDue(this.options.login_token, this.env.epoch());
    if (due === undefined) return;
    this.#forgetToken = this.env.after(due, () => this.#warn('TOKEN_EXPIRING_SOON', undefined, {}));
  }

  /** A call is over: what was measured goes to the application and, when it asked for it, to the server. */
  #report(call: Call): void {
    if (call.options.debug ?? this.options.debug)
      this.emit('telnyx.stats.report', { callId: call.id, frames: call.frames });
    this.#sendReport(call);
  }

  #sendReport(call: Call): void {
    const { callReportId, token, url } = this.#session;
    if (this.options.enableCallReports === false || callReportId === undefined || url === undefined) return;
    const headers = { 'x-call-report-id': callReportId, 'x-call-id': call.id, 'x-voice-sdk-id': token ?? '' };
    this.#reports.send(url, headers, call.takeReport(), this.options.callReportInterval);
  }

  #notify(notification: Notification, call: Call): void {
    this.#sounds.follow(this.getActiveCalls(), this.options.ringtoneFile, this.options.ringbackFile);
    if (notification.type === 'peerConnectionFailureError')
      this.emit('telnyx.rtc.peerConnectionFailureError', { error: notification.error, callId: call.id });
    if (notification.type === 'userMediaError')
      this.emit('telnyx.rtc.mediaError', { error: notification.error, callId: call.id });
    const { onNotification } = call.options;
    if (onNotification === undefined) this.emit('telnyx.notification', notification);
    else contain(() => onNotification(notification));
  }

  #error(error: TelnyxError, callId?: string): void {
    this.emit('telnyx.error', { error, sessionId: this.sessionid, ...(callId !== undefined && { callId }) });
  }

  #warn(name: WarningName, message: string | undefined, about: { callId?: string; source?: string }): void {
    const warning = telnyxWarning(name, message);
    this.emit('telnyx.warning', { warning, sessionId: this.sessionid, ...about });
  }

  /** Listens to the page; gives what the page before left. */
  #attend(): Remembered | undefined {
    const on = this.env.listen;
    this.#listening = [
      on('online', () => {
        this.#session.networkBack();
        this.#networkChanged();
      }),
      on('visible', () => this.#session.networkBack()),
      on('pageshow', () => this.#store?.forget()),
      on('network', () => {
        this.#session.network('changed');
        this.#networkChanged();
      }),
      on('offline', () => {
        this.#session.network('offline');
        this.#error(new TelnyxError('NETWORK_OFFLINE'));
      }),
      on('pagehide', () => this.#leavePage()),
    ];
    if (this.options.hangupOnBeforeUnload !== false) return undefined;
    this.#store = new ResumeStore(this.env, this.options);
    return this.#store.take();
  }

  #networkChanged(): void {
    for (const call of this.getActiveCalls()) void call.networkChanged();
  }

  #leavePage(): void {
    if (this.#store === undefined) return void this.disconnect();
    const { resumption } = this.#session;
    const calls = rememberedOf(this.getActiveCalls());
    if (resumption !== undefined) this.#store.save({ ...resumption, at: this.env.epoch(), calls });
  }
}
