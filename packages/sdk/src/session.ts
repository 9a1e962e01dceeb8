import { Connection, type Frame, offline, type Reply, record, text } from './connection.ts';
import type { Environment } from './environment.ts';
import { type ErrorName, type RequestError, TelnyxError } from './errors.ts';
import { serverUrl, withQuery } from './host.ts';
import { type ClientOptions, loginFields } from './options.ts';
import { afterClose, CONNECTED, lossReason, type ReconnectState } from './reconnect.ts';
import type { Remembered } from './resume-store.ts';
import type { SessionEvents } from './session-events.ts';
import { USER_AGENT } from './version.ts';

const LOGIN_MS = 15_000;
/** How long a call may wait to be placed. */
const ONLINE_MS = 15_000;
const BUDGET_MS = 30_000;
const STATE_MS = 10_000;
/** A server that forgets `clientReady` is asked for its state then. */
const CLIENT_READY_MS = 3_000;
const MOST_POLLS = 5;
/** A socket that is younger than this may still open. */
const FRESH_MS = 1_000;

interface Waiter {
  resolve(): void;
  reject(error: TelnyxError): void;
}

/**
 * The way to `telnyx.ready` and back to it: connect, log in, be registered; and again after a broken connection, with the server's
 * token and session id.
 */
export class Session {
  sessionId = '';
  region: string | undefined;
  dc: string | undefined;
  callReportId: string | undefined;
  autoReconnect: boolean;

  readonly #env: Environment;
  readonly #options: ClientOptions;
  readonly #events: SessionEvents;
  #connection: Connection | undefined;
  #token: string | undefined;
  #ready = false;
  /** The application wants to be connected. */
  #wanted = false;
  #refused: TelnyxError | undefined;
  #everReady = false;
  #skipLast = false;
  #generation = 0;
  #url: string | undefined;
  /** When the last connection was begun. */
  #begun = 0;
  #opened = false;
  #reconnect: ReconnectState = CONNECTED;
  #network: 'same' | 'offline' | 'changed' = 'same';
  #cancelBudget = (): void => {};
  #probing = 'probe';
  #polls = 0;
  #reattached: string[] | undefined;
  #cancelTimer = (): void => {};
  #waiters: Waiter[] = [];

  constructor(env: Environment, options: ClientOptions, events: SessionEvents) {
    this.#env = env;
    this.#options = options;
    this.#events = events;
    this.autoReconnect = options.autoReconnect !== false;
  }

  get connected(): boolean {
    return this.#connection?.open === true;
  }

  connect(): void {
    this.#wanted = true;
    this.#reconnect = CONNECTED;
    const again = this.#refused !== undefined;
    this.#refused = undefined;
    if (this.#connection === undefined) {
      this.#cancelTimer();
      this.#open();
    } else if (again) this.#begin(this.#connection);
  }

  /** Closes for good. */
  disconnect(): void {
    this.#wanted = false;
    this.#cancelTimer();
    this.#cancelBudget();
    this.#connection?.close();
    this.#settle(new TelnyxError('WEBSOCKET_CONNECTION_FAILED', 'the client was disconnected'));
  }

  /** Resolves when ready; at once when it is. Rejects when the login was refused, or the session ended. */
  ready(): Promise<void> {
    if (this.#ready) return Promise.resolve();
    if (this.#refused !== undefined) return Promise.reject(this.#refused);
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  get isReady(): boolean {
    return this.#ready;
  }
  get token(): string | undefined {
    return this.#token;
  }
  /** Where it is or was connected. */
  get url(): string | undefined {
    return this.#url;
  }
  /** Connections so far. */
  get generation(): number {
    return this.#generation;
  }
  /** What another page needs to take this session over. */
  get resumption(): { readonly token: string; readonly sessid: string } | undefined {
    return this.#token === undefined || !this.#everReady
      ? undefined
      : { token: this.#token, sessid: this.sessionId };
  }

  /** Takes over the session of a page that is gone. Before `connect`. */
  resume({ token, sessid }: Remembered): void {
    this.#token = token;
    this.sessionId = sessid;
    this.#everReady = true;
  }

  /** The next connection is a new session. */
  clearToken(): void {
    this.#token = undefined;
    this.#everReady = false;
  }

  resetAttempts(): void {
    this.#reconnect = { ...this.#reconnect, attempt: 0 };
  }

  /** Resolves when requests can be sent; waits while a connection is on its way. Rejects with {@link RequestError}. */
  async online(method: string): Promise<void> {
    if (this.#ready) return;
    const refuse = (): RequestError => offline(method);
    if (!this.#wanted || this.#refused !== undefined) throw refuse();
    let cancel = (): void => {};
    const late = new Promise<never>((_, reject) => {
      cancel = this.#env.after(ONLINE_MS, () => reject(refuse()));
    });
    const ready = this.ready().catch(() => Promise.reject(refuse()));
    await Promise.race([ready, late]).finally(cancel);
  }

  /** A request with the session's id. An expired login is renewed once; the request still fails. */
  request(method: string, params: object, timeoutMs: number): Promise<Reply> {
    const sent = this.#send(method, { sessid: this.sessionId, ...params }, timeoutMs);
    sent.catch((error: RequestError) => {
      if (error.code !== -32000) return;
      if (!this.autoReconnect)
        return this.#events.error(new TelnyxError('AUTHENTICATION_REQUIRED', error.message, error, true));
      this.#error('AUTHENTICATION_REQUIRED', error.message, error);
      this.login().catch(() => undefined);
    });
    return sent;
  }

  acknowledge(id: string | number, method: string): void {
    this.#connection?.send({ jsonrpc: '2.0', id, result: { method } });
  }

  /** Asks the server whether it has us registered. */
  async registered(): Promise<boolean> {
    const reply = await this.#gatewayState();
    return /^REG(ED|ISTER)$/.test(text(record(reply['params'])['state']) ?? '');
  }

  /** The network came back: no use in waiting. */
  networkBack(): void {
    if (!this.#wanted || this.#refused !== undefined) return;
    if (this.connected) return this.probe('probe');
    // A socket that was begun without a network is not worth waiting for; one that was begun just now is.
    if (this.#connection !== undefined && this.#env.now() - this.#begun < FRESH_MS) return;
    this.#connection?.close();
    if (!this.#wanted) return;
    this.#cancelTimer();
    this.#open();
  }

  /** What is known of the network; it names the reason of a loss. */
  network(state: 'offline' | 'changed'): void {
    this.#network = state;
    if (state === 'changed') this.probe('probe');
  }

  /** The connection has to prove that it lives; `source`: who doubts it. */
  probe(source: string): void {
    this.#probing = source;
    this.#connection?.probe(this.#tokenField());
  }

  /** Logs in on the open connection, with the options as they are now. */
  async login(): Promise<void> {
    const { userVariables } = this.#options;
    const reconnection = this.#everReady;
    const params = {
      ...loginFields(this.#options),
      userVariables: { ...userVariables, push_when_active: this.#options.pushWhenActive === true },
      reconnection,
      loginParams: {},
      ...(reconnection && this.sessionId !== '' ? { sessid: this.sessionId } : {}),
      'User-Agent': { sdkVersion: USER_AGENT, data: this.#env.userAgent },
    };
    try {
      const reply = await this.#send('login', params, LOGIN_MS);
      this.sessionId = text(reply['sessid']) ?? this.sessionId;
      if (Array.isArray(reply['ice_servers'])) this.#events.iceServers(reply['ice_servers']);
      this.#refused = undefined;
    } catch (error) {
      const { reason, message } = error as RequestError;
      if (reason === 'lost' || reason === 'offline') throw error;
      if (reason === 'timeout') {
        this.#error('GATEWAY_FAILED', message, error);
        this.#connection?.close();
        throw error;
      }
      this.#refuse(new TelnyxError('LOGIN_FAILED', message, error));
      throw this.#refused;
    }
  }

  #open(): void {
    const query = {
      voice_sdk_id: this.#token,
      skip_last_voice_sdk_id: this.#skipLast && this.#token !== undefined ? 'true' : undefined,
    };
    this.#skipLast = false;
    this.#ready = false;
    this.#generation++;
    this.#begun = this.#env.now();
    this.#opened = false;
    try {
      const choice = { ...this.#options, host: this.#events.host() };
      this.#url = serverUrl(choice, this.#env.location);
      const url = withQuery(this.#url, query);
      const connection: Connection = new Connection(this.#env, url, {
        opened: (event) => {
          this.#opened = true;
          this.#events.socketOpen(event);
          this.#begin(connection);
        },
        frame: (frame) => this.#frame(frame),
        token: (token) => {
          this.#token = token;
        },
        failed: (error) => {
          this.#events.socketError(error);
          this.#error('WEBSOCKET_ERROR', undefined, error);
        },
        inCall: () => this.#events.inCall(),
        closed: (event, silent) => this.#closed(event, silent),
      });
      this.#connection = connection;
    } catch (error) {
      this.#give(new TelnyxError('WEBSOCKET_CONNECTION_FAILED', (error as Error).message, error));
    }
  }

  #begin(connection: Connection): void {
    this.#reattached = undefined;
    this.#polls = 0;
    this.login().then(
      () => {
        if (this.#connection !== connection || this.#ready) return;
        this.#after(CLIENT_READY_MS, () => this.#poll());
      },
      () => undefined,
    );
  }

  #closed(event: { readonly code: number; readonly reason: string }, silent: boolean): void {
    if (!this.#ready) this.#events.unreachable();
    this.#connection = undefined;
    this.#ready = false;
    this.#cancelTimer();
    if (silent) this.#events.warn('SIGNALING_RECOVERY_REQUIRED', event.reason, this.#probing);
    this.#events.socketClose(event);
    if (!this.#wanted || this.#refused !== undefined) return;
    if (!this.autoReconnect) {
      this.#events.warn('RECONNECTION_FAILED_WITH_NO_AUTO_RECONNECT', undefined);
      return this.#give(undefined);
    }
    const { maxReconnectAttempts: most = 10, reconnectBudget: budget = BUDGET_MS } = this.#options;
    const first = this.#reconnect.since === null;
    const at = { now: this.#env.now(), random: this.#env.random(), inCall: this.#events.inCall() };
    const { state, waitMs } = afterClose(this.#reconnect, at, { most, budget });
    this.#reconnect = state;
    if (waitMs === null) return this.#give(new TelnyxError('RECONNECTION_EXHAUSTED'));
    if (first) this.#cancelBudget = this.#env.after(budget, () => this.#events.budgetSpent());
    this.#events.away(lossReason(event.code, this.#network));
    // What a try took before it failed is part of the pause.
    const tried = this.#opened ? 0 : at.now - this.#begun;
    if (this.#connection === undefined && this.#wanted)
      this.#after(Math.max(0, waitMs - tried), () => this.#open());
  }

  #frame(frame: Frame): void {
    this.#events.message(frame);
    const { method } = frame;
    const params = record(frame.params ?? record(frame.result)['params']);
    if (method === 'telnyx_rtc.ping') return this.probe('probe');
    if (method === 'telnyx_rtc.clientReady') {
      const ids = params['reattached_sessions'];
      if (Array.isArray(ids)) this.#reattached = ids.map(String);
      return this.#poll();
    }
    if (method === 'telnyx_rtc.punt') return this.#punted();
    if ('state' in params && (method === undefined || method === 'telnyx_rtc.gatewayState'))
      return this.#state(params);
    if (method !== undefined) this.#events.request(method, params, frame);
  }

  #punted(): void {
    this.#wanted = false;
    this.#events.lost(undefined);
    this.disconnect();
  }

  #poll(): void {
    this.#cancelTimer();
    this.#gatewayState().then(
      (reply) => this.#state(record(reply['params'])),
      // In time or not, the connection notices by itself; a refusal is like an unknown state.
      (error: RequestError) => error.reason === 'refused' && this.#state({}),
    );
  }

  #state(params: Reply): void {
    const state = text(params['state']) ?? '';
    if (state === 'REGED' || state === 'REGISTER') {
      if (this.#ready) return;
      this.callReportId = text(params['call_report_id']);
      this.dc = text(params['dc']);
      this.region = text(params['region']);
      this.#ready = this.#everReady = true;
      this.#reconnect = CONNECTED;
      this.#network = 'same';
      this.#cancelTimer();
      this.#cancelBudget();
      this.#events.ready(this.#reattached);
      return this.#settle(undefined);
    }
    if (this.#ready) return;
    const pause = 2_000 + 4_000 * this.#env.random();
    if (/^(FAILED|FAIL_WAIT|TIMEOUT)$/.test(state)) {
      this.#error('GATEWAY_FAILED', `the server reports ${state}`);
      this.#after(pause, () => {
        this.#skipLast = true;
        this.#connection?.close();
      });
    } else if (++this.#polls < MOST_POLLS) this.#after(pause, () => this.#poll());
    else this.#refuse(new TelnyxError('LOGIN_FAILED', `the server did not register the user (${state})`));
  }

  #gatewayState(): Promise<Reply> {
    return this.#send('telnyx_rtc.gatewayState', {}, STATE_MS, this.#tokenField());
  }

  #tokenField(): object {
    return this.#token === undefined ? {} : { voice_sdk_id: this.#token };
  }

  #send(method: string, params: object, timeoutMs: number, top?: object): Promise<Reply> {
    return this.#connection?.request(method, params, timeoutMs, top) ?? Promise.reject(offline(method));
  }

  /** The login was refused: no other try until the application makes one. */
  #refuse(error: TelnyxError): void {
    this.#refused = error;
    this.#events.error(error);
    this.#settle(error);
  }

  /** Gives up. */
  #give(error: TelnyxError | undefined): void {
    this.#wanted = false;
    this.#cancelBudget();
    if (error !== undefined) this.#events.error(error);
    this.#events.lost(error);
    this.#settle(error ?? new TelnyxError('WEBSOCKET_CONNECTION_FAILED', 'the connection closed'));
  }

  #settle(error: TelnyxError | undefined): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { resolve, reject } of waiters) error === undefined ? resolve() : reject(error);
  }

  #error(name: ErrorName, detail?: string, original?: unknown): void {
    this.#events.error(new TelnyxError(name, detail, original));
  }

  #after(ms: number, run: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#env.after(ms, run);
  }
}
