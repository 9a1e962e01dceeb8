/** Error codes of `telnyx.error`, by name. */
export const TELNYX_ERROR_CODES = {
  SDP_CREATE_OFFER_FAILED: 40001,
  SDP_CREATE_ANSWER_FAILED: 40002,
  SDP_SET_LOCAL_DESCRIPTION_FAILED: 40003,
  SDP_SET_REMOTE_DESCRIPTION_FAILED: 40004,
  SDP_SEND_FAILED: 40005,
  MEDIA_MICROPHONE_PERMISSION_DENIED: 42001,
  MEDIA_DEVICE_NOT_FOUND: 42002,
  MEDIA_GET_USER_MEDIA_FAILED: 42003,
  HOLD_FAILED: 44001,
  INVALID_CALL_PARAMETERS: 44002,
  BYE_SEND_FAILED: 44003,
  WEBSOCKET_CONNECTION_FAILED: 45001,
  WEBSOCKET_ERROR: 45002,
  RECONNECTION_EXHAUSTED: 45003,
  GATEWAY_FAILED: 45004,
  LOGIN_FAILED: 46001,
  INVALID_CREDENTIALS: 46002,
  ICE_RESTART_FAILED: 47001,
  NETWORK_OFFLINE: 48001,
  SESSION_NOT_REATTACHED: 48501,
  UNEXPECTED_ERROR: 49001,
} as const;

/** Warning codes of `telnyx.warning`, by name. */
export const TELNYX_WARNING_CODES = {
  ICE_CONNECTIVITY_LOST: 33001,
  ICE_GATHERING_EMPTY: 33003,
  PEER_CONNECTION_FAILED: 33004,
  ANSWER_WHILE_PEER_ACTIVE: 33006,
  SIGNALING_RECOVERY_REQUIRED: 36003,
  MEDIA_RECOVERY_REQUIRED: 36004,
  RECONNECTION_FAILED_WITH_NO_AUTO_RECONNECT: 36005,
} as const;

export type ErrorName = keyof typeof TELNYX_ERROR_CODES;
export type WarningName = keyof typeof TELNYX_WARNING_CODES;

/** Errors after which a call or session may go on; all others end it. */
const NOT_FATAL: readonly ErrorName[] = [
  'HOLD_FAILED',
  'BYE_SEND_FAILED',
  'WEBSOCKET_ERROR',
  'GATEWAY_FAILED',
  'ICE_RESTART_FAILED',
  'NETWORK_OFFLINE',
];

/** What a person can do about it. */
const ADVICE: Readonly<Record<ErrorName, string>> = {
  SDP_CREATE_OFFER_FAILED: 'The browser could not describe its media',
  SDP_CREATE_ANSWER_FAILED: 'The browser could not answer the media that was offered',
  SDP_SET_LOCAL_DESCRIPTION_FAILED: 'The browser refused its own media description',
  SDP_SET_REMOTE_DESCRIPTION_FAILED: 'The browser refused the media description of the server',
  SDP_SEND_FAILED: 'The server did not accept the call',
  MEDIA_MICROPHONE_PERMISSION_DENIED: 'The page may not use the microphone: allow it in the browser',
  MEDIA_DEVICE_NOT_FOUND: 'No such microphone: connect one or choose another',
  MEDIA_GET_USER_MEDIA_FAILED: 'The microphone could not be opened: is another program using it?',
  HOLD_FAILED: 'The server did not change the hold state',
  INVALID_CALL_PARAMETERS: 'The call was given a value it cannot use',
  BYE_SEND_FAILED: 'The server did not confirm the hang-up; the call is over here',
  WEBSOCKET_CONNECTION_FAILED: 'The connection could not be opened: check `host`',
  WEBSOCKET_ERROR: 'The connection to the server broke',
  RECONNECTION_EXHAUSTED: 'The server could not be reached again: check the network, then connect()',
  GATEWAY_FAILED: 'The server could not register the user; another try follows',
  LOGIN_FAILED: 'The login was refused: check user name and password, or fetch a new token',
  INVALID_CREDENTIALS: 'Give login and password, or login_token',
  ICE_RESTART_FAILED: 'The audio path could not be repaired',
  NETWORK_OFFLINE: 'The browser is offline',
  SESSION_NOT_REATTACHED: 'The server no longer has this call',
  UNEXPECTED_ERROR: 'Something failed that should not',
};

/** What every `telnyx.error` carries. `originalError` is the cause underneath. */
export class TelnyxError extends Error {
  readonly code: number;
  /** One sentence for a person. */
  readonly description: string;
  /** The session or call cannot go on. */
  readonly fatal: boolean;
  readonly originalError: unknown;

  constructor(name: ErrorName, detail?: string, originalError?: unknown) {
    super(detail ?? ADVICE[name]);
    this.name = name;
    this.code = TELNYX_ERROR_CODES[name];
    this.description = ADVICE[name];
    this.fatal = !NOT_FATAL.includes(name);
    this.originalError = originalError;
  }

  toJSON(): { code: number; name: string; message: string; description: string; fatal: boolean } {
    const { code, name, message, description, fatal } = this;
    return { code, name, message, description, fatal };
  }
}

/**
 * Why a request to the server failed: `offline` (not sent), `timeout` (no reply in time), `lost` (the connection closed first), or
 * `refused` (an error reply, whose `code` it carries).
 */
export class RequestError extends Error {
  readonly reason: 'offline' | 'timeout' | 'lost' | 'refused';
  readonly method: string;
  readonly code: number | undefined;

  constructor(reason: RequestError['reason'], method: string, detail: string, code?: number) {
    super(`${method}: ${detail}`);
    this.name = 'RequestError';
    this.reason = reason;
    this.method = method;
    this.code = code;
  }
}

/** What `telnyx.warning` carries. */
export interface TelnyxWarning {
  readonly code: number;
  readonly name: WarningName;
  readonly message: string;
}
