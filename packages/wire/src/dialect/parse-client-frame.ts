import { err, ok, type Result } from '@sidetone/core';
import { parseCallRequest } from './call-requests.ts';
import { parseClientAgent } from './client-agent.ts';
import type { ClientFrame, FrameError, FrameId, LoginCredentials } from './client-frame.ts';
import { isObject, type JsonObject, member, nestsDeeper, objectMember, textMember } from './json.ts';

/** The largest frame a client may send, in UTF-8 bytes, and how deep its JSON may nest. */
export const MAX_FRAME_BYTES = 65_536;
export const MAX_FRAME_DEPTH = 32;

const MAX_ID_LENGTH = 256;
const MAX_CREDENTIAL_LENGTH = 4096;

/**
 * Reads one text frame of a client: JSON-RPC 2.0 as the published clients write it, or a `#SP` frame of the speed test. Total: every
 * text has an answer, in time linear in its length.
 */
export function parseClientFrame(text: string): Result<ClientFrame, FrameError> {
  if (text.startsWith('#SP') && isSmall(text)) return ok(speedTest(text));
  const object = readObject(text);
  return object.ok ? parseObject(object.value) : object;
}

/**
 * The id of a frame that begins a call: what a refusal needs, without reading what the call is to be. `undefined` for every other frame
 * that `parseClientFrame` accepts.
 */
export function inviteId(text: string): FrameId | undefined {
  const object = readObject(text);
  if (!object.ok || member(object.value, 'method') !== 'telnyx_rtc.invite') return undefined;
  return idOf(member(object.value, 'id'));
}

function readObject(text: string): Result<JsonObject, FrameError> {
  if (!isSmall(text))
    return err({
      problem: 'too-large',
      code: -32600,
      message: `a frame may have at most ${MAX_FRAME_BYTES} bytes`,
    });
  if (nestsDeeper(text, MAX_FRAME_DEPTH))
    return err({
      problem: 'too-deep',
      code: -32600,
      message: `a frame may nest at most ${MAX_FRAME_DEPTH} levels deep`,
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err({ problem: 'not-json', code: -32700, message: 'the frame is not JSON' });
  }
  if (!isObject(value))
    return err({ problem: 'not-an-object', code: -32600, message: 'the frame is not a JSON object' });
  return ok(value);
}

const isSmall = (text: string): boolean =>
  text.length * 3 <= MAX_FRAME_BYTES ||
  (text.length <= MAX_FRAME_BYTES && new TextEncoder().encode(text).length <= MAX_FRAME_BYTES);

/** `#SPU <bytes>` begins, `#SPB` carries, `#SPE` ends. */
function speedTest(text: string): ClientFrame {
  const letter = text[3];
  return {
    kind: 'speedTest',
    step: letter === 'U' ? 'start' : letter === 'E' ? 'end' : 'bytes',
  };
}

function idOf(value: unknown): FrameId | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  return typeof value === 'string' && value.length <= MAX_ID_LENGTH ? value : undefined;
}

function parseObject(frame: JsonObject): Result<ClientFrame, FrameError> {
  const id = idOf(member(frame, 'id'));
  const method = member(frame, 'method');
  const identity = id === undefined ? {} : { id };
  if (typeof method !== 'string') {
    const type = textMember(frame, 'type');
    if (type?.startsWith('debug_report_')) return ok({ kind: 'debugReport', ...identity });
    if (id !== undefined && (member(frame, 'result') !== undefined || member(frame, 'error') !== undefined))
      return ok({ kind: 'reply', id });
    return ok({ kind: 'unknown', ...identity });
  }
  if (method === 'ai_conversation') return ok({ kind: 'conversation', ...identity });
  // Whatever else has no id asks for nothing that could be answered.
  if (id === undefined) return ok({ kind: 'unknown' });
  const params = objectMember(frame, 'params');
  switch (method) {
    case 'login':
      return login(id, params);
    case 'anonymous_login':
      return ok({ kind: 'anonymousLogin', id });
  }
  if (!method.startsWith('telnyx_rtc.')) return ok({ kind: 'unknown', id });
  switch (method.slice('telnyx_rtc.'.length)) {
    case 'gatewayState':
      return ok({ kind: 'gatewayState', id });
    case 'ping':
      // Only our own pings carry a serial number, so this one came back from a client that echoes.
      return ok({ kind: 'ping', id, echo: member(params, 'serno') !== undefined });
    case 'subscribe':
      return ok({ kind: 'channels', id, action: 'subscribe' });
    case 'unsubscribe':
      return ok({ kind: 'channels', id, action: 'unsubscribe' });
    case 'broadcast':
      return ok({ kind: 'channels', id, action: 'broadcast' });
    case 'attachCalls':
      return ok({ kind: 'attachCalls', id });
    case 'disable_push_notification':
      return ok({ kind: 'disablePush', id });
    case 'ringing_ack':
      return ok({ kind: 'ringingAck', id });
  }
  return parseCallRequest(method, id, params);
}

function login(id: FrameId, params: JsonObject): Result<ClientFrame, FrameError> {
  const name = textMember(params, 'login');
  const password = textMember(params, 'passwd');
  const token = textMember(params, 'login_token');
  for (const text of [name, password, token])
    if (text !== undefined && text.length > MAX_CREDENTIAL_LENGTH)
      return err({
        problem: 'bad-params',
        code: -32602,
        message: `a credential may have at most ${MAX_CREDENTIAL_LENGTH} characters`,
        id,
        method: 'login',
      });
  // Both given: login and password win (wire rule of the published clients).
  let credentials: LoginCredentials | null = null;
  if (name !== undefined && name !== '' && password !== undefined)
    credentials = { kind: 'password', login: name, password };
  else if (token !== undefined && token !== '') credentials = { kind: 'token', token };
  const sessid = ['sessid', 'sessionId', 'sessId']
    .map((spelling) => textMember(params, spelling))
    .find((text) => text !== undefined && UUID.test(text));
  return ok({
    kind: 'login',
    id,
    credentials,
    ...(sessid === undefined ? {} : { sessid }),
    agent: parseClientAgent(params),
    ...(isSaid(member(objectMember(params, 'loginParams'), 'decline_push')) ? { declines: true } : {}),
  });
}

/** Flags are booleans, or texts. */
const isSaid = (flag: unknown): boolean => flag === true || flag === 'true';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
