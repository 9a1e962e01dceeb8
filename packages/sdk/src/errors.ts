import { ERRORS, WARNINGS } from './error-table.ts';

export type ErrorName = keyof typeof ERRORS;
export type WarningName = keyof typeof WARNINGS;

/** Error codes of `telnyx.error`, by name. */
export const TELNYX_ERROR_CODES = /* @__PURE__ */ codes(ERRORS);
/** Warning codes of `telnyx.warning`, by name. */
export const TELNYX_WARNING_CODES = /* @__PURE__ */ codes(WARNINGS);

function codes<T extends Record<string, readonly [number, ...unknown[]]>>(
  rows: T,
): { readonly [K in keyof T]: T[K][0] } {
  return Object.fromEntries(Object.entries(rows).map(([name, [code]]) => [name, code])) as never;
}

/** What is known of an error or a warning beforehand. */
export interface Explained {
  readonly name: string;
  readonly message: string;
  /** One sentence for a person. */
  readonly description: string;
  readonly causes: readonly string[];
  readonly solutions: readonly string[];
}

function registry(
  rows: Readonly<Record<string, readonly [code: number, ...texts: unknown[]]>>,
): Readonly<Record<number, Explained>> {
  return Object.fromEntries(
    Object.entries(rows).map(([name, row]) => {
      const [message, cause, remedy] = row.filter((cell) => typeof cell === 'string');
      return [row[0], { name, message, description: message, causes: [cause], solutions: [remedy] }];
    }),
  ) as Record<number, Explained>;
}

/** Every error by its code, with causes and solutions in words. */
export const SDK_ERRORS = /* @__PURE__ */ registry(ERRORS);
/** Every warning by its code, with causes and solutions in words. */
export const SDK_WARNINGS = /* @__PURE__ */ registry(WARNINGS);

/** What `JSON.stringify` makes of a {@link TelnyxError}. */
export interface TelnyxErrorJson extends Explained {
  readonly code: number;
  readonly fatal: boolean;
}

/** What every `telnyx.error` carries. `originalError` is the cause underneath. */
export class TelnyxError extends Error implements TelnyxErrorJson {
  readonly code: number;
  /** One sentence for a person. */
  readonly description: string;
  readonly causes: string[];
  readonly solutions: string[];
  /** The session or call cannot go on. */
  readonly fatal: boolean;
  readonly originalError: unknown;

  constructor(name: ErrorName, detail?: string, originalError?: unknown, fatal: boolean = ERRORS[name][1]) {
    const [code, , description, cause, solution] = ERRORS[name];
    super(detail ?? description);
    this.name = name;
    this.code = code;
    this.description = description;
    this.causes = [cause];
    this.solutions = [solution];
    this.fatal = fatal;
    this.originalError = originalError;
  }

  toJSON(): TelnyxErrorJson {
    const { code, name, message, description, causes, solutions, fatal } = this;
    return { code, name, message, description, causes, solutions, fatal };
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
  readonly description: string;
  readonly causes: string[];
  readonly solutions: string[];
}

/** A warning with its words; `detail` is the message. */
export function telnyxWarning(name: WarningName, detail?: string): TelnyxWarning {
  const [code, description, cause, solution] = WARNINGS[name];
  return { code, name, message: detail ?? description, description, causes: [cause], solutions: [solution] };
}

/** `telnyx.error` of a session or call. */
export interface StandardErrorEvent {
  error: TelnyxError;
  sessionId: string;
  callId?: string;
  recoverable?: false;
}

/** `telnyx.error` of a microphone that could not be opened, when `mediaPermissionsRecovery` waits for the person. */
export interface MediaRecoveryErrorEvent {
  error: TelnyxError;
  sessionId: string;
  callId: string;
  recoverable: true;
  /** When waiting ends: milliseconds since 1970. */
  retryDeadline: number;
  /** Opens the microphone again and goes on with the answer. */
  resume(): void;
  /** Ends the call. */
  reject(): void;
}

export type TelnyxErrorEvent = StandardErrorEvent | MediaRecoveryErrorEvent;

/** Whether the application can resume the call after this error. */
export function isMediaRecoveryErrorEvent(event: TelnyxErrorEvent): event is MediaRecoveryErrorEvent {
  return event.recoverable === true;
}
