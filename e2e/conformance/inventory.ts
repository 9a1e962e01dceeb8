import type { Row } from './row.ts';

/**
 * What has to be shown: the scenarios of the wire protocol, and every row of the published surface that applications rely on or
 * find useful. Each is covered by a row of the table or excused in {@link CANNOT}.
 */
const INVENTORY: readonly string[] = [
  ...`login, login_token, anonymous_login, outbound call, ringing, hold, DTMF, display, hangup, inbound call, server BYE,
    early media\\, answer without SDP, early media\\, SDP repeated, trickle outbound, trickle inbound, ICE restart,
    socket loss\\, media alive, socket loss → attach, page reload, reattached_sessions [], 486, invite error, ping, ping unanswered,
    hold unanswered, NOREG, TRYING, pushed REGED, FAILED, login -32001, login -32000, debug with replies, debug without replies, punt,
    ignored frames, info, URL, ICE options, getIsRegistered, call reports, reconnect, attach in mid-call`
    .split(/(?<!\\),\s*/)
    .map((name) => `wire: ${name.trim().replaceAll('\\', '')}`),
  ...`TelnyxRTC, Call, SwEvent, NOTIFICATION_TYPE, SDK_ERRORS, TELNYX_ERROR_CODES, TelnyxError, isMediaRecoveryErrorEvent, Region, reason codes,
    PreCallDiagnosis`
    .split(/,\s*/)
    .map((name) => `export ${name.trim()}`),
  ...`login_token, login, anonymous_login, host, iceServers, region, ringtoneFile, ringbackFile, autoReconnect, autoReconnect off,
    maxReconnectAttempts, keepConnectionAliveOnSocketClose, hangupOnBeforeUnload, trickleIce, forceRelayCandidate, mutedMicOnStart,
    pushWhenActive, userVariables, debug, enableCallReports, enableCallReports off, callReportInterval, mediaPermissionsRecovery, invalid,
    debugOutput file, callReportFlushInterval, debugLogLevel`
    .split(/,\s*/)
    .map((name) => `option ${name.trim()}`),
  ...`connect, disconnect, logout, newCall, login, on, connected, getIsRegistered, calls, getActiveCalls, hasActiveCall, session data, callReportId,
    localElement, remoteElement, speaker, iceServers, mediaConstraints, getDevices, checkPermissions, setAudioSettings, microphone, runPreCall,
    runNetworkCheck, runMicrophoneCheck, clearReconnectToken, resetReconnectAttempts, statics, telnyxStateCall`
    .split(/,\s*/)
    .map((name) => `member ${name.trim()}`),
  ...`telnyx.ready, telnyx.ready again, telnyx.notification, telnyx.error, telnyx.warning, telnyx.socket.open, telnyx.socket.close,
    telnyx.socket.error, telnyx.socket.message, telnyx.stats.frame, telnyx.stats.report, telnyx.rtc.mediaError, delivery rule, handlers`
    .split(/,\s*/)
    .map((name) => `event ${name.trim()}`),
  ...'callUpdate, userMediaError, peerConnectionFailureError, participantData, event'
    .split(', ')
    .map((name) => `notification ${name}`),
  ...`destinationNumber, callerNumber, remoteCaller, id, clientState, customHeaders, customHeaders in, audio, video, useStereo, micId, speakerId, localStream,
    elements, iceServers, forceRelayCandidate, mutedMicOnStart, preferred_codecs, receiveOnlyAudio, onNotification, answer params, hangup params, camId`
    .split(/,\s*/)
    .map((name) => `call option ${name.trim()}`),
  ...`id, state, direction, cause, sipCode, options, telnyxIDs, streams, recoveredCallId, answer, hangup, hold, dtmf, mute, deaf, setAudioInDevice,
    setAudioOutDevice, getStats, getEstablishmentTimings, message, sendConversationMessage, methods`
    .split(/,\s*/)
    .map((name) => `call member ${name.trim()}`),
  'state mapping',
  'device output',
  'device remote element',
  'quality hold',
  'quality mute',
  'quality frame',
  'quality warnings',
  'pre-call report',
  'pre-call reason codes',
  'constants errors',
  'constants warnings',
  ...[
    40004, 40005, 42001, 42002, 42003, 44001, 44002, 44003, 45002, 45003, 45004, 46001, 46002, 47001, 48001,
    48501,
  ].map((code) => (code === 46001 ? 'wire: login -32001' : `error ${code}`)),
  ...[
    31003, 31005, 31006, 32001, 32002, 33001, 33002, 33003, 33004, 33005, 33006, 33007, 33008, 33009, 33010,
    33011, 34001, 35002, 36003, 36004, 36005,
  ].map((code) => `warning ${code}`),
  ...[40001, 40002, 40003, 44004, 44005, 45001, 46003, 49001].map((code) => `error ${code}`),
];

/** What no row shows, and why. */
export const CANNOT: Readonly<Record<string, string>> = {
  'export PreCallDiagnosis':
    'makes a client of its own without a host, so it cannot be pointed at another server; ours: docs/out-of-scope.md',
  'option debugOutput file': 'offers a file for download; a headless browser has nobody to take it',
  'option callReportFlushInterval': 'three minutes; ours sends one report at the end (docs/out-of-scope.md)',
  'option debugLogLevel': 'words of a log inside the report; ours writes states only (docs/out-of-scope.md)',
  'call option camId': 'no video on this platform',
  'error 40001':
    'a browser refuses createOffer only in states that an SDK does not reach; raised in the SDK’s unit tests',
  'error 40002': 'the same of createAnswer',
  'error 40003': 'the same of setLocalDescription',
  'error 44004': 'conference leftovers of another server',
  'error 44005': 'a race of some milliseconds; raised in the SDK’s unit tests',
  'error 45001':
    'new WebSocket throws for malformed addresses only, which host rules repair or pass; raised in the SDK’s unit tests',
  'error 46003': 'our server never says -32000; raised in the SDK’s unit tests',
  'error 49001': 'by its definition nothing that can be provoked',
  'warning 31003':
    'loss needs a bad network; the limit is unit-tested, and 31001, 31002 and 31004 run through the same path here',
  'warning 31005': 'half a minute of a microphone that falls silent; unit-tested',
  'warning 31006': 'the same of the far side',
  'warning 32002': 'a browser that stops sending; 32001 runs through the same path here',
  'warning 33002':
    'no limit to run into in ours (docs/out-of-scope.md); 15 s of an unreachable server in the published one',
  'warning 33003': 'a machine without any network address',
  'warning 33008': 'a second network interface; diagnostic only',
  'warning 33009': 'a call without an audio sender whose microphone is changed; unit-tested',
};

/** Items that no row covers and nothing excuses, and rows that cover what is not in the list. */
export function uncovered(rows: readonly Row[]): string[] {
  const covered = new Set(rows.flatMap(({ covers }) => covers));
  return INVENTORY.filter((item) => !covered.has(item) && CANNOT[item] === undefined);
}
