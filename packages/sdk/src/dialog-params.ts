import { type Reply, record, text } from './connection.ts';
import { type CustomHeader, receivedHeaders } from './custom-headers.ts';
import { RequestError, TelnyxError } from './errors.ts';
import type { CallSettings, HangupOptions } from './options.ts';

/** The server's names of a call. */
export interface TelnyxIds {
  telnyxCallControlId: string;
  telnyxSessionId: string;
  telnyxLegId: string;
}

/** `dialogParams`: the description of a call that goes with every request about it. It never holds TURN credentials. */
export function dialogParams(
  id: string,
  options: CallSettings,
  ids: TelnyxIds,
  headers: readonly CustomHeader[],
): object {
  return {
    callID: id,
    destination_number: options.destinationNumber,
    caller_id_name: options.callerName ?? '',
    caller_id_number: options.callerNumber ?? '',
    remote_caller_id_name: options.remoteCallerName ?? '',
    remote_caller_id_number: options.remoteCallerNumber ?? '',
    audio: options.audio !== false,
    video: false,
    clientState: options.clientState,
    userVariables: options.userVariables,
    ...(ids.telnyxLegId === '' ? {} : ids),
    custom_headers: headers,
  };
}

/** Takes over what the messages of the server carry beside their meaning. */
export function learnFrom(params: Reply, options: CallSettings, ids: TelnyxIds): void {
  ids.telnyxCallControlId = text(params['telnyx_call_control_id']) ?? ids.telnyxCallControlId;
  ids.telnyxSessionId = text(params['telnyx_session_id']) ?? ids.telnyxSessionId;
  ids.telnyxLegId = text(params['telnyx_leg_id']) ?? ids.telnyxLegId;
  const clientState = text(params['client_state']);
  if (clientState !== undefined) options.clientState = clientState;
  const headers = receivedHeaders(record(params['dialogParams'])['custom_headers']);
  if (headers.length > 0) options.customHeaders = headers;
}

/** The options of a call that an `invite` of the server describes. The perspective is ours: the caller is the remote side. */
export function inboundOptions(params: Reply): CallSettings {
  const own = text(params['callee_id_number']) ?? '';
  return {
    destinationNumber: own,
    callerNumber: own,
    callerName: text(params['callee_id_name']) ?? '',
    remoteCallerName: text(params['caller_id_name']) ?? '',
    remoteCallerNumber: text(params['caller_id_number']) ?? '',
  };
}

/** How a call ends that an error ended: what the other side is told, and what `call.cause` says. */
export function endingOf(
  error: TelnyxError,
): Required<Pick<HangupOptions, 'cause' | 'causeCode'>> & HangupOptions {
  const { originalError } = error;
  if (originalError instanceof RequestError)
    return originalError.reason === 'timeout'
      ? { cause: 'RECOVERY_ON_TIMER_EXPIRE', causeCode: 102 }
      : originalError.reason === 'refused'
        ? { cause: 'CALL_REJECTED', causeCode: 21 }
        : { cause: 'NETWORK_OUT_OF_ORDER', causeCode: 38 };
  const noMicrophone = error.code >= 42000 && error.code < 43000;
  return noMicrophone
    ? { cause: 'NO_USER_RESPONSE', causeCode: 18, sipCode: 480 }
    : { cause: 'INCOMPATIBLE_DESTINATION', causeCode: 88, sipCode: 488 };
}

/** Any failure as a {@link TelnyxError}. */
export function telnyxError(error: unknown): TelnyxError {
  if (error instanceof TelnyxError) return error;
  if (error instanceof RequestError) return new TelnyxError('SDP_SEND_FAILED', error.message, error);
  return new TelnyxError('UNEXPECTED_ERROR', String(error), error);
}
