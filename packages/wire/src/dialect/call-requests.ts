import { err, ok, type Result } from '@sidetone/core';
import { type CustomHeader, type HeaderProblem, parseCustomHeaders } from '../custom-headers.ts';
import { parseCallerName, parseCallerNumber, parseDestination, parseDigits } from '../dialled.ts';
import { parseClientAgent } from './client-agent.ts';
import type { CallDescription, ClientFrame, FrameError, FrameId } from './client-frame.ts';
import { type JsonObject, member, numberMember, objectMember, textMember } from './json.ts';

/** A call id becomes a SIP Call-ID and part of keys, so only what is safe in both (RFC 3261 §25.1 `word`, narrowed). */
const CALL_ID = /^[A-Za-z0-9._~:+-]{1,128}$/;
const MAX_CLIENT_STATE = 4096;
const MAX_CANDIDATE = 512;
const UNPRINTABLE = /[^\x20-\x7e]/;

/** Each SDK spells it in its own way, some in two ways. */
const callIdIn = (object: JsonObject): string | undefined =>
  ['callID', 'callId', 'call_id'].map((name) => textMember(object, name)).find((id) => id);

/** Reads a request about a call; `method` has its prefix. */
export function parseCallRequest(
  method: string,
  id: FrameId,
  params: JsonObject,
): Result<ClientFrame, FrameError> {
  const dialog = objectMember(params, 'dialogParams');
  const callId = callIdIn(dialog) ?? callIdIn(params);
  const bad = (message: string): Result<never, FrameError> =>
    err({ problem: 'bad-params', code: -32602, message, id, method });
  const known = READERS[method];
  if (known === undefined) return ok({ kind: 'unknown', id });
  if (callId === undefined) return bad('dialogParams.callID is missing');
  if (!CALL_ID.test(callId)) return bad('dialogParams.callID is no valid call id');
  return known({ id, callId, params, dialog, bad });
}

interface CallRequest {
  readonly id: FrameId;
  readonly callId: string;
  readonly params: JsonObject;
  readonly dialog: JsonObject;
  readonly bad: (message: string) => Result<never, FrameError>;
}

type Reader = (request: CallRequest) => Result<ClientFrame, FrameError>;

const READERS: Readonly<Record<string, Reader>> = Object.assign(
  Object.create(null) as Record<string, Reader>,
  {
    'telnyx_rtc.invite': invite,
    'telnyx_rtc.answer': answer,
    'telnyx_rtc.attach': attach,
    'telnyx_rtc.bye': bye,
    'telnyx_rtc.modify': modify,
    'telnyx_rtc.info': info,
    'telnyx_rtc.candidate': candidate,
    'telnyx_rtc.endOfCandidates': ({ id, callId }: CallRequest) =>
      ok<ClientFrame>({ kind: 'endOfCandidates', id, callId }),
  },
);

/** Both spellings: the oldest published package does not rename the option, and `hangup` appends under the option's name. */
function headersOf(dialog: JsonObject): Result<readonly CustomHeader[], HeaderProblem> {
  const renamed = member(dialog, 'custom_headers');
  const plain = member(dialog, 'customHeaders');
  if (Array.isArray(renamed) && Array.isArray(plain)) return parseCustomHeaders([...renamed, ...plain]);
  return parseCustomHeaders(renamed ?? plain);
}

function invite({ id, callId, params, dialog, bad }: CallRequest): Result<ClientFrame, FrameError> {
  const sdp = textMember(params, 'sdp');
  if (sdp === undefined || sdp === '') return bad('sdp is missing');
  const destination = parseDestination(textMember(dialog, 'destination_number') ?? '');
  if (!destination.ok) return bad(destination.error);
  const callerName = parseCallerName(textMember(dialog, 'caller_id_name') ?? '');
  if (!callerName.ok) return bad(callerName.error);
  const callerNumber = parseCallerNumber(textMember(dialog, 'caller_id_number') ?? '');
  if (!callerNumber.ok) return bad(callerNumber.error);
  const headers = headersOf(dialog);
  if (!headers.ok) return bad(headers.error.message);
  const clientState = textMember(dialog, 'clientState') ?? textMember(dialog, 'client_state');
  if (clientState !== undefined && (clientState.length > MAX_CLIENT_STATE || UNPRINTABLE.test(clientState)))
    return bad(`clientState must be base64 text of at most ${MAX_CLIENT_STATE} characters`);
  const call: CallDescription = {
    callId,
    destination: destination.value,
    callerName: callerName.value,
    callerNumber: callerNumber.value,
    ...(clientState === undefined || clientState === '' ? {} : { clientState }),
    customHeaders: headers.value,
  };
  return ok({ kind: 'invite', id, call, sdp, agent: parseClientAgent(params) });
}

function answer({ id, callId, params, dialog, bad }: CallRequest): Result<ClientFrame, FrameError> {
  const sdp = textMember(params, 'sdp');
  if (sdp === undefined || sdp === '') return bad('sdp is missing');
  const headers = headersOf(dialog);
  if (!headers.ok) return bad(headers.error.message);
  return ok({ kind: 'answer', id, callId, sdp, customHeaders: headers.value });
}

function attach({ id, callId, params, bad }: CallRequest): Result<ClientFrame, FrameError> {
  const sdp = textMember(params, 'sdp');
  return sdp === undefined || sdp === '' ? bad('sdp is missing') : ok({ kind: 'attach', id, callId, sdp });
}

/** A `bye` always ends its call: what cannot be sent with it is left out. */
function bye({ id, callId, params, dialog }: CallRequest): Result<ClientFrame, FrameError> {
  const headers = headersOf(dialog);
  const cause = textMember(params, 'cause');
  const causeCode = numberMember(params, 'causeCode');
  const sipCode = numberMember(params, 'sipCode');
  return ok({
    kind: 'bye',
    id,
    callId,
    ...(cause === undefined ? {} : { cause }),
    ...(causeCode === undefined ? {} : { causeCode }),
    ...(sipCode === undefined ? {} : { sipCode }),
    agent: parseClientAgent(params),
    customHeaders: headers.ok ? headers.value : [],
    ...(headers.ok ? {} : { headerProblem: headers.error.message }),
  });
}

function modify({ id, callId, params, bad }: CallRequest): Result<ClientFrame, FrameError> {
  const action = textMember(params, 'action');
  if (action === undefined) return bad('action is missing');
  if (action === 'hold' || action === 'unhold' || action === 'toggleHold')
    return ok({ kind: 'hold', id, callId, action });
  if (action === 'transfer') {
    const destination = parseDestination(textMember(params, 'destination') ?? '');
    return destination.ok
      ? ok({ kind: 'transfer', id, callId, destination: destination.value })
      : bad(destination.error.replace('destination_number', 'destination'));
  }
  if (action === 'replace') {
    const otherCallId = textMember(params, 'replaceCallID') ?? '';
    return CALL_ID.test(otherCallId)
      ? ok({ kind: 'replace', id, callId, otherCallId })
      : bad('replaceCallID is no valid call id');
  }
  if (action !== 'updateMedia') return ok({ kind: 'modify', id, callId, action });
  const sdp = textMember(params, 'sdp');
  return sdp === undefined || sdp === ''
    ? bad('sdp is missing')
    : ok({ kind: 'updateMedia', id, callId, sdp });
}

function info({ id, callId, params, bad }: CallRequest): Result<ClientFrame, FrameError> {
  const dtmf = member(params, 'dtmf');
  if (dtmf === undefined) return ok({ kind: 'message', id, callId });
  const digits = parseDigits(typeof dtmf === 'string' || typeof dtmf === 'number' ? String(dtmf) : '');
  return digits.ok ? ok({ kind: 'dtmf', id, callId, digits: digits.value }) : bad(digits.error);
}

function candidate({ id, callId, params, bad }: CallRequest): Result<ClientFrame, FrameError> {
  const text = (textMember(params, 'candidate') ?? '').replace(/^a=/, '').trim();
  if (text === '') return ok({ kind: 'endOfCandidates', id, callId });
  if (text.length > MAX_CANDIDATE || UNPRINTABLE.test(text) || !text.startsWith('candidate:'))
    return bad('candidate is not one candidate line');
  return ok({ kind: 'candidate', id, callId, candidate: text });
}
