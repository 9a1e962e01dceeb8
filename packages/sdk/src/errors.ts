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

type Row = readonly [code: number, ...texts: unknown[]];

/** A row of the table in words. */
function explain(name: string, row: Row): Explained & { causes: string[]; solutions: string[] } {
  const [description, cause, solution] = row.slice(-3) as [string, string, string];
  return { name, message: description, description, causes: [cause], solutions: [solution] };
}

function registry(rows: Readonly<Record<string, Row>>): Readonly<Record<number, Explained>> {
  return Object.fromEntries(Object.entries(rows).map(([name, row]) => [row[0], explain(name, row)]));
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
  declare readonly code: number;
  /** One sentence for a person. */
  declare readonly description: string;
  declare readonly causes: string[];
  declare readonly solutions: string[];
  /** The session or call cannot go on. */
  declare readonly fatal: boolean;
  declare readonly originalError: unknown;

  constructor(name: ErrorName, detail?: string, originalError?: unknown, fatal: boolean = ERRORS[name][1]) {
    const { message, ...words } = explain(name, ERRORS[name]);
    super(detail ?? message);
    Object.assign(this, words, { code: ERRORS[name][0], fatal, originalError });
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
  declare readonly reason: 'offline' | 'timeout' | 'lost' | 'refused';
  declare readonly method: string;
  declare readonly code: number | undefined;

  constructor(reason: RequestError['reason'], method: string, detail: string, code?: number) {
    super(`${method}: ${detail}`);
    Object.assign(this, { name: 'RequestError', reason, method, code });
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
  const row = WARNINGS[name];
  const words = explain(name, row);
  return { code: row[0], ...words, name, message: detail ?? words.message };
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
