import { type Call, type Notification, type TelnyxError, TelnyxRTC } from '@sidetone/webrtc/source';
import { type Account, keep, keptAccount, redeemLink, takeLinkToken } from './account.ts';
import { type Devices, listDevices, loadChoice, saveChoice } from './devices.ts';
import { Sounds } from './sounds.ts';
import { cleaned, endingInWords, nameOf } from './words.ts';

/** A call as the page shows it. */
export interface CallView {
  readonly id: string;
  readonly direction: 'inbound' | 'outbound';
  readonly name: string;
  readonly number: string;
  readonly state: 'calling' | 'ringing' | 'incoming' | 'answering' | 'active' | 'held';
  /** When it became active, by the page's clock. */
  readonly since: number | undefined;
  readonly muted: boolean;
  /** Digits sent so far. */
  readonly digits: string;
  readonly localStream: MediaStream | undefined;
  readonly remoteStream: MediaStream | undefined;
}

/** A call that is over. */
export interface PastCall {
  readonly id: string;
  readonly direction: 'inbound' | 'outbound';
  readonly name: string;
  readonly number: string;
  readonly reason: string;
  readonly answered: boolean;
  /** Somebody called, and nobody took it. */
  readonly missed: boolean;
  readonly seconds: number;
  readonly at: Date;
}

export type Line = 'connecting' | 'ready' | 'reconnecting' | 'offline';

/** Everything the page shows. Never changed in place. */
export interface PhoneState {
  readonly screen: 'starting' | 'login' | 'phone';
  readonly loggingIn: boolean;
  readonly loginProblem: string | undefined;
  readonly account: Account | undefined;
  readonly line: Line;
  readonly destination: string;
  readonly call: CallView | undefined;
  /** An incoming call while another one lives. */
  readonly waiting: CallView | undefined;
  readonly ended: PastCall | undefined;
  readonly past: readonly PastCall[];
  /** Something that went wrong and is no end of a call. */
  readonly problem: string | undefined;
  readonly devices: Devices;
}

interface Held {
  readonly call: Call;
  since: number | undefined;
  digits: string;
  byUs: boolean;
  error: number | undefined;
}

const MOST_PAST = 20;

/** The softphone without its looks: a login, a line, one call and one that waits. */
export class Phone {
  state: PhoneState = {
    screen: 'starting',
    loggingIn: false,
    loginProblem: undefined,
    account: undefined,
    line: 'connecting',
    destination: '9196',
    call: undefined,
    waiting: undefined,
    ended: undefined,
    past: [],
    problem: undefined,
    devices: { microphones: [], speakers: [], ...loadChoice() },
  };

  readonly #watchers = new Set<() => void>();
  readonly #farSide = new Audio();
  readonly #sounds = new Sounds();
  readonly #calls = new Map<string, Held>();
  #client: TelnyxRTC | undefined;

  /** Tells of every change; returns what ends that. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Logs in by the link in the address, or as before a reload, or asks. */
  async start(): Promise<void> {
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.#refreshDevices());
    const token = takeLinkToken();
    const account = token === undefined ? keptAccount() : await redeemLink(token);
    if (typeof account === 'object') return this.#connect(account);
    this.#set({ screen: 'login', loginProblem: account });
  }

  logIn(login: string, password: string): void {
    this.#connect({ userName: login, others: [], credentials: { login, password } });
  }

  logOut(problem?: string): void {
    keep(undefined);
    void this.#client?.disconnect();
    this.#client = undefined;
    this.#calls.clear();
    this.#sounds.play(undefined);
    this.#set({
      screen: 'login',
      loggingIn: false,
      loginProblem: problem,
      account: undefined,
      call: undefined,
      waiting: undefined,
      ended: undefined,
      past: [],
      problem: undefined,
    });
  }

  /** Tries to reach the server again. */
  reconnect(): void {
    this.#set({ line: 'connecting' });
    void this.#client?.connect();
  }

  dial(destination: string): void {
    this.#set({ destination, ended: undefined, problem: undefined });
  }

  /** Calls what is typed, or what is given. */
  callTo(destination = this.state.destination): void {
    const number = cleaned(destination);
    if (number === '' || this.state.call !== undefined || this.#client === undefined) return;
    this.#set({ destination: number, ended: undefined, problem: undefined });
    try {
      this.#client.newCall({ destinationNumber: number, callerName: this.state.account?.userName ?? '' });
    } catch (error) {
      this.#set({ problem: (error as Error).message });
    }
  }

  /** A key: a digit of the destination, or of the call. */
  key(key: string): void {
    const { call, destination } = this.state;
    if (call === undefined) {
      this.#sounds.key(key);
      return this.dial(destination + key);
    }
    const held = this.#calls.get(call.id);
    if (held === undefined || (call.state !== 'active' && call.state !== 'held')) return;
    this.#sounds.key(key);
    held.digits += key;
    void held.call.dtmf(key);
    this.#show();
  }

  /** Answers; a call that lives is ended first. */
  answer(id: string): void {
    const { call } = this.state;
    if (call !== undefined && call.id !== id) this.hangUp(call.id);
    this.#set({ ended: undefined, problem: undefined });
    void this.#calls.get(id)?.call.answer();
  }

  hangUp(id: string): void {
    const held = this.#calls.get(id);
    if (held === undefined) return;
    held.byUs = true;
    void held.call.hangup();
  }

  toggleMute(id: string): void {
    this.#calls.get(id)?.call.toggleAudioMute();
    this.#show();
  }

  toggleHold(id: string): void {
    void this.#calls.get(id)?.call.toggleHold();
  }

  chooseMicrophone(micId: string): void {
    saveChoice({ micId, speakerId: this.state.devices.speakerId });
    this.#set({ devices: { ...this.state.devices, micId } });
    void this.#client?.setAudioInDevice(micId);
  }

  chooseSpeaker(speakerId: string): void {
    saveChoice({ micId: this.state.devices.micId, speakerId });
    this.#set({ devices: { ...this.state.devices, speakerId } });
    void this.#client?.setAudioOutDevice(speakerId);
  }

  #connect(account: Account): void {
    void this.#client?.disconnect();
    const client = new TelnyxRTC({ ...account.credentials, maxReconnectAttempts: 0 });
    this.#client = client;
    client.remoteElement = this.#farSide;
    const { micId, speakerId } = this.state.devices;
    if (micId !== '') void client.setAudioInDevice(micId);
    if (speakerId !== '') client.speaker = speakerId;
    const mine = (run: () => void): void => {
      if (this.#client === client) run();
    };
    client.on('telnyx.ready', () => mine(() => this.#ready(account)));
    client.on('telnyx.socket.close', () =>
      mine(() => this.#set({ line: navigator.onLine ? 'reconnecting' : 'offline' })),
    );
    client.on('telnyx.error', ({ error, callId }) => mine(() => this.#failed(error, callId)));
    client.on('telnyx.notification', (notification) => mine(() => this.#notified(notification)));
    this.#set({ loggingIn: true, loginProblem: undefined, line: 'connecting', account });
    void client.connect();
    if (this.state.screen === 'starting') this.#set({ screen: 'phone' });
  }

  #ready(account: Account): void {
    keep(account);
    this.#set({ screen: 'phone', loggingIn: false, line: 'ready' });
    void this.#refreshDevices();
  }

  #failed(error: TelnyxError, callId: string | undefined): void {
    if (error.code === 46001) return this.logOut('User name or password is wrong, or the login is too old.');
    if (error.code === 45001) return this.logOut('The server cannot be reached.');
    const held = callId === undefined ? undefined : this.#calls.get(callId);
    if (held === undefined) {
      // While logging in the form says so; afterwards the line's state does.
      if (this.state.screen === 'login' && error.code === 45002)
        this.#set({ loggingIn: false, loginProblem: 'The server cannot be reached. Trying again …' });
      return;
    }
    if (error.fatal) held.error = error.code;
    else this.#set({ problem: error.description });
  }

  #notified(notification: Notification): void {
    if (notification.type !== 'callUpdate') return;
    const { call } = notification;
    const held = this.#calls.get(call.id) ?? {
      call,
      since: undefined,
      digits: '',
      byUs: false,
      error: undefined,
    };
    if (isOver(call)) {
      if (this.#calls.delete(call.id)) this.#over(held);
    } else {
      if (!this.#calls.has(call.id)) {
        this.#calls.set(call.id, held);
        call.on('remoteStream', () => this.#show());
      }
      if (call.commonState === 'ACTIVE' && held.since === undefined) {
        held.since = performance.now();
        void this.#refreshDevices();
      }
    }
    this.#show();
  }

  #over({ call, since, byUs, error }: Held): void {
    const { direction, cause, sipCode } = call;
    const answered = since !== undefined;
    const past: PastCall = {
      id: call.id,
      direction,
      ...otherSide(call),
      reason: endingInWords({ direction, answered, byUs, cause, sipCode, error }),
      answered,
      missed:
        direction === 'inbound' && !answered && !byUs && cause !== 'LOSE_RACE' && cause !== 'PICKED_OFF',
      seconds: answered ? (performance.now() - since) / 1000 : 0,
      at: new Date(),
    };
    this.#set({ ended: past, past: [past, ...this.state.past].slice(0, MOST_PAST) });
  }

  /** Makes the views anew: the first live call is shown, an incoming one beside it waits. */
  #show(): void {
    const views = [...this.#calls.values()].map(viewOf);
    const call = views.find((view) => view.state !== 'incoming') ?? views[0];
    const waiting = views.find((view) => view !== call && view.state === 'incoming');
    this.#sounds.play(
      call?.state === 'incoming'
        ? 'ringing'
        : call?.state === 'ringing' && !call.remoteStream
          ? 'ringback'
          : undefined,
    );
    this.#set({ call, waiting });
  }

  async #refreshDevices(): Promise<void> {
    if (this.#client === undefined) return;
    const found = listDevices(await this.#client.getDevices());
    this.#set({ devices: { ...this.state.devices, ...found } });
  }

  #set(change: Partial<PhoneState>): void {
    this.state = { ...this.state, ...change };
    for (const watcher of this.#watchers) watcher();
  }
}

const isOver = ({ commonState }: Call): boolean => /^(DONE|DROPPED|ERROR)$/.test(commonState);

function otherSide({ options }: Call): { name: string; number: string } {
  const number = options.remoteCallerNumber ?? '';
  return { name: nameOf(number, options.remoteCallerName), number };
}

function viewOf({ call, since, digits }: Held): CallView {
  const states = {
    NEW: 'calling',
    CONNECTING: call.direction === 'inbound' ? 'answering' : 'calling',
    RINGING: call.direction === 'inbound' ? 'incoming' : 'ringing',
    ACTIVE: 'active',
    HELD: 'held',
    RECONNECTING: since === undefined ? 'calling' : 'active',
    DONE: 'active',
    DROPPED: 'active',
    ERROR: 'active',
  } as const;
  return {
    id: call.id,
    direction: call.direction,
    ...otherSide(call),
    state: states[call.commonState],
    since,
    muted: call.isAudioMuted,
    digits,
    localStream: call.localStream,
    remoteStream: call.remoteStream,
  };
}
