/** One program of an application, compiled against this package and against the published one; see both.test.ts. It is never run. */
import {
  Call,
  ERROR_TYPE,
  type ICallOptions,
  type IClientOptions,
  IceReasonCode,
  type INotification,
  type ITelnyxErrorEvent,
  type ITelnyxWarning,
  isMediaRecoveryErrorEvent,
  MicrophoneReasonCode,
  NetworkReasonCode,
  NOTIFICATION_TYPE,
  Region,
  SDK_ERRORS,
  SDK_WARNINGS,
  SwEvent,
  TELNYX_ERROR_CODES,
  TELNYX_WARNING_CODES,
  TelnyxError,
  TelnyxRTC,
} from 'voice-sdk';

const options: IClientOptions = {
  login_token: 'token',
  iceServers: [{ urls: 'stun:stun.example.com' }],
  region: Region.EU,
  ringtoneFile: '/in.mp3',
  ringbackFile: '/out.mp3',
  maxReconnectAttempts: 5,
  keepConnectionAliveOnSocketClose: true,
  hangupOnBeforeUnload: false,
  trickleIce: true,
  forceRelayCandidate: false,
  mutedMicOnStart: true,
  debug: true,
  enableCallReports: true,
  callReportInterval: 5000,
  mediaPermissionsRecovery: {
    enabled: true,
    timeout: 20_000,
    onSuccess: () => {},
    onError: (error) => error.message,
  },
};

export async function application(): Promise<void> {
  const client = new TelnyxRTC(options);
  client.remoteElement = 'remote';
  client.localElement = 'local';
  client.speaker = 'out-1';
  client
    .on(SwEvent.Ready, () => {})
    .on(SwEvent.StatsFrame, ({ mos, quality }: { mos: number; quality: string }) => [mos, quality])
    .on(SwEvent.Error, (event: ITelnyxErrorEvent) => {
      if (isMediaRecoveryErrorEvent(event)) event.resume();
      const { code, name, message, description, causes, solutions, fatal } = event.error;
      const known =
        code === TELNYX_ERROR_CODES.LOGIN_FAILED || code === TELNYX_ERROR_CODES.SESSION_NOT_REATTACHED;
      return [
        name,
        message,
        description,
        causes[0],
        solutions[0],
        fatal,
        known,
        event.sessionId,
        event.callId,
      ];
    })
    .on(SwEvent.Warning, ({ warning }: { warning: ITelnyxWarning }) => {
      if (warning.code === TELNYX_WARNING_CODES.TOKEN_EXPIRING_SOON) return warning.solutions[0];
      return warning.description;
    })
    .on(SwEvent.Notification, (notification: INotification) => {
      const { call } = notification;
      if (notification.type !== NOTIFICATION_TYPE.callUpdate || call === undefined) return;
      const simple = TelnyxRTC.telnyxStateCall(call as never);
      if (simple.state === 'ringing' && call.direction === 'inbound')
        void call.answer({ customHeaders: [{ name: 'X-A', value: 'b' }] });
      const { remoteCallerName, remoteCallerNumber, clientState, customHeaders } = call.options;
      return [remoteCallerName, remoteCallerNumber, clientState, customHeaders?.[0]?.name, call.prevState];
    });
  client.off(SwEvent.SocketMessage);
  await client.connect();
  const registered: boolean = await client.getIsRegistered();
  const devices: MediaDeviceInfo[] = [
    ...(await client.getDevices()),
    ...(await client.getAudioInDevices()),
    ...(await client.getAudioOutDevices()),
  ];
  await client.checkPermissions(true, false);
  await client.setAudioSettings({
    micId: devices[0]!.deviceId,
    micLabel: 'Built-in',
    echoCancellation: true,
  });
  client.disableMicrophone();
  client.enableMicrophone();
  const given: ICallOptions = {
    destinationNumber: '+13125550100',
    callerName: 'Alice',
    callerNumber: '1001',
    clientState: btoa('state'),
    customHeaders: [{ name: 'X-Key', value: 'value' }],
    audio: true,
    useStereo: false,
    micId: devices[0]!.deviceId,
    remoteElement: 'remote-1',
    debug: true,
    onNotification: (notification: INotification) => void notification.type,
  };
  const call = client.newCall(given);
  call.dtmf('1');
  call.muteAudio();
  call.unmuteAudio();
  call.toggleAudioMute();
  call.deaf();
  call.undeaf();
  const held: [boolean, boolean, boolean] = [await call.hold(), await call.unhold(), await call.toggleHold()];
  await call.setAudioInDevice('mic-1');
  await call.setAudioOutDevice('out-1');
  call.getStats((stats: unknown) => stats, {});
  call.getEstablishmentTimings();
  call.message('1002', 'hello');
  const ids = [
    call.telnyxIDs.telnyxCallControlId,
    call.telnyxIDs.telnyxLegId,
    call.telnyxIDs.telnyxSessionId,
  ];
  const ended = [
    call.id,
    call.state,
    call.cause,
    call.causeCode,
    call.sipCode,
    call.sipReason,
    call.recoveredCallId,
  ];
  const streams: (MediaStream | undefined)[] = [call.localStream, call.remoteStream];
  const peer: RTCPeerConnection | undefined = call.peer?.instance;
  await call.hangup({ cause: 'USER_BUSY', causeCode: 17, sipCode: 486 });
  const { verdict, reasons } = await client.runPreCall({ destinationNumber: '9196', durationMs: 3000 });
  await client.runNetworkCheck();
  await client.runMicrophoneCheck({ durationMs: 1000, silenceThreshold: 0.02 });
  const codes: string[] = [
    IceReasonCode.TurnRequired,
    NetworkReasonCode.HighRtt,
    MicrophoneReasonCode.Silent,
  ];
  const words = [
    SDK_ERRORS[42001]?.message,
    SDK_WARNINGS[31001]?.description,
    ERROR_TYPE.invalidCredentialsOptions,
  ];
  try {
    client.newCall({ destinationNumber: '' });
  } catch (error) {
    if (error instanceof TelnyxError) JSON.stringify(error.toJSON());
  }
  const info = TelnyxRTC.webRTCInfo();
  const where = TelnyxRTC.webRTCSupportedBrowserList().map(({ operationSystem }) => operationSystem);
  const state = [
    client.connected,
    client.sessionid,
    client.calls[call.id] instanceof Call,
    client.iceServers,
  ];
  await client.login({ creds: { login_token: 'fresh' }, onSuccess: () => {}, onError: () => {} });
  client.clearReconnectToken();
  client.triggerIceRestart(call.id);
  await client.disconnect();
  console.log(
    registered,
    held,
    ids,
    ended,
    streams,
    peer,
    verdict,
    reasons,
    codes,
    words,
    info,
    where,
    state,
  );
}
