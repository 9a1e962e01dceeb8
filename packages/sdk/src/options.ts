import type { Abortable } from './abort.ts';
import { type CustomHeader, receivedHeaders } from './custom-headers.ts';
import { TelnyxError } from './errors.ts';
import type { NotificationOf } from './events.ts';

/** A media element, the id of one, or a function that finds one. */
export type MediaElementChoice = HTMLMediaElement | string | (() => HTMLMediaElement | null | undefined);

/** Who logs in: a token, or user name and password. With both, the password wins at the server. */
export interface Credentials {
  login_token?: string;
  login?: string;
  password?: string;
  /** Another name of `password`. */
  passwd?: string;
}

/** What a client is made with. */
export interface ClientOptions extends Credentials {
  /** `wss://voice.example.com`, or a bare host name, which gets `wss://`. Default: the origin of the page. */
  host?: string;
  /** Prefix of hosts named `rtc.…`, for example `eu`. */
  region?: string;
  /** `development` uses the host `rtcdev.…` in place of `rtc.…`. */
  env?: 'production' | 'development';
  /** STUN and TURN servers. Default: none; a Sidetone server is reached without. */
  iceServers?: RTCIceServer[];
  /** Use relayed candidates only. */
  forceRelayCandidate?: boolean;
  /** Send candidates one by one, behind the offer. Default `false`: they travel inside it. */
  trickleIce?: boolean;
  /** Connect again when the connection breaks. Default `true`. */
  autoReconnect?: boolean;
  /** Tries after a broken connection; 0 = without limit. Default 10. */
  maxReconnectAttempts?: number;
  /** Milliseconds that a call waits for its connection before it is DROPPED. Default 30 000. */
  reconnectBudget?: number;
  /** Of no effect: media that never stopped always goes on as it is. Accepted for apps that set it. */
  keepConnectionAliveOnSocketClose?: boolean;
  /** Begin calls muted. */
  mutedMicOnStart?: boolean;
  /** Hang up when the page goes away. Default `true`. `false`: a page that is reloaded within two minutes takes its calls over. */
  hangupOnBeforeUnload?: boolean;
  /**
   * `TelnyxRTC` only: while the far side of an outbound call rings, `call.state` is `ringing`. Default `false`, because apps
   * written for the published SDK take `ringing` for an incoming call; `commonState` and `call.on('ringing')` always tell.
   */
  outboundRinging?: boolean;
  /** Sent at login. */
  userVariables?: Record<string, unknown>;
  /** Played while an incoming call rings. */
  ringtoneFile?: string;
  /** Played while the far side of an outbound call rings and sends no sound of its own. */
  ringbackFile?: string;
  /** Several servers, in place of `host`: the one with the shortest round trip is taken and remembered, the others are tried when it fails. */
  hosts?: readonly string[];
  /** Tells `telnyx.stats.frame` every second of a call, and `telnyx.stats.report` at its end. */
  debug?: boolean;
  /** Sends a report of each call to a server that asks for it. Default `true`. */
  enableCallReports?: boolean;
  /** Milliseconds that one entry of a report stands for. Default 5 000. */
  callReportInterval?: number;
  /** A call that lasts longer than this many milliseconds is reported in segments. Default 180 000. */
  callReportFlushInterval?: number;
  /** For incoming calls: a microphone that cannot be opened is a question to the application, not the end of the call. */
  mediaPermissionsRecovery?: PermissionsRecovery;
  /** Calls ring on the user's mobiles too while this client is there. */
  pushWhenActive?: boolean;
}

export interface PermissionsRecovery {
  enabled: boolean;
  /** Milliseconds. */
  timeout: number;
  onSuccess?: () => void;
  onError?: (error: Error) => void;
}

/** What a call is made with. Media settings not given are those of the client. */
export interface CallSettings {
  /** A number as people write or paste it, `user@domain`, a SIP URI, or a `tel:` link. */
  destinationNumber: string;
  callerNumber?: string;
  callerName?: string;
  remoteCallerNumber?: string;
  remoteCallerName?: string;
  /** A UUID. Default: a new one. */
  id?: string;
  /** base64 text that travels with the call. */
  clientState?: string;
  customHeaders?: CustomHeader[];
  /** Constraints of the microphone, or `false` for no microphone. Default `true`. */
  audio?: boolean | MediaTrackConstraints;
  /** Receive only; with `audio: false`. */
  receiveOnlyAudio?: boolean;
  useStereo?: boolean;
  /** Device ids. */
  micId?: string;
  speakerId?: string;
  /** Used in place of the microphone. The SDK does not stop its tracks. */
  localStream?: MediaStream;
  localElement?: MediaElementChoice;
  remoteElement?: MediaElementChoice;
  iceServers?: RTCIceServer[];
  forceRelayCandidate?: boolean;
  trickleIce?: boolean;
  mutedMicOnStart?: boolean;
  keepConnectionAliveOnSocketClose?: boolean;
  /** Codecs in order of preference. */
  preferred_codecs?: RTCRtpCodec[];
  /** Tells `telnyx.stats.frame` of this call. Default: that of the client. */
  debug?: boolean;
  userVariables?: Record<string, unknown>;
  /** Hangs up, when the call is not over. */
  signal?: AbortSignal | undefined;
}

/** The same, with who is told of it: a call of class `C`. */
export interface CallOptionsOf<C> extends CallSettings {
  /** Gets the notifications of this call in place of the client's `telnyx.notification`. */
  onNotification?: (notification: NotificationOf<C>) => void;
}

/** What `answer` may change. `signal` hangs up while the answer is on its way. */
export interface AnswerOptions extends Abortable {
  customHeaders?: CustomHeader[];
  localElement?: MediaElementChoice;
  remoteElement?: MediaElementChoice;
}

/** What the server is told at a hang-up. Only what is stated here is sent; otherwise the server chooses. */
export interface HangupOptions {
  cause?: string;
  causeCode?: number;
  sipCode?: number;
  sip_call_id?: string;
  dialogParams?: { customHeaders?: CustomHeader[] };
}

const filled = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** Whether a client can log in with this. */
export function hasCredentials(given: Credentials): boolean {
  return filled(given.login_token) || (filled(given.login) && filled(given.password ?? given.passwd));
}

/** The parameters of `login` that say who. */
export function loginFields(given: Credentials): Record<string, string> {
  const password = given.password ?? given.passwd;
  return {
    ...(filled(given.login) && filled(password) ? { login: given.login, passwd: password } : {}),
    ...(filled(given.login_token) ? { login_token: given.login_token } : {}),
  };
}

/** The destination, or error 44002 thrown. */
export function checkedDestination(options: CallSettings | undefined): string {
  const destination = options?.destinationNumber;
  if (!filled(destination))
    throw new TelnyxError('INVALID_CALL_PARAMETERS', 'newCall needs a destinationNumber');
  return destination;
}

const NAMES = [
  'destinationNumber',
  'callerNumber',
  'callerName',
  'remoteCallerNumber',
  'remoteCallerName',
  'clientState',
] as const;

/** The options of a call that are plain words, and outlive the page. */
export type RememberedOptions = Pick<CallSettings, (typeof NAMES)[number] | 'customHeaders'>;

/** The part of a call's options that outlives the page. */
export function namedOptions(options: Partial<CallSettings> | undefined): RememberedOptions {
  const named = NAMES.flatMap((name) => {
    const value = options?.[name];
    return typeof value === 'string' ? [[name, value]] : [];
  });
  const customHeaders = receivedHeaders(options?.customHeaders);
  return { destinationNumber: '', ...Object.fromEntries(named), customHeaders };
}

/** Those that have a value, and text that is not empty. */
export const present = <T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && value !== '' && value?.length !== 0),
  ) as never;
