import type { Call, CallOptions, CommonState, Notification, TelnyxRTC } from '@sidetone/webrtc';
import { useCallback, useEffect, useState } from 'react';

/** A call as it is shown: values that change with it. */
export interface CallView {
  readonly call: Call;
  readonly state: CommonState;
  /** Why: the cause of an ended call, the loss of one that is RECONNECTING. */
  readonly reason: string | undefined;
  readonly direction: 'inbound' | 'outbound';
  /** The far side. */
  readonly name: string;
  readonly number: string;
  readonly muted: boolean;
  readonly held: boolean;
  /** It is over; it is shown until the next one. */
  readonly ended: boolean;
  setMuted(muted: boolean): void;
}

/**
 * The call of a client that has one at a time: the newest, also for a while after it ended. `dial` makes one; it throws what
 * `client.newCall` throws, and does nothing without a client.
 */
export function useCall(client: TelnyxRTC | undefined): {
  readonly current: CallView | undefined;
  dial(options: CallOptions): Call | undefined;
} {
  const [current, setCurrent] = useState<CallView>();
  useEffect(() => {
    if (client === undefined) return;
    let newest: Call | undefined;
    const show = (call: Call): void => setCurrent(viewOf(call, () => show(call)));
    const look = (notification: Notification): void => {
      if (notification.type !== 'callUpdate') return;
      const { call } = notification;
      if (call !== newest && (newest === undefined || call.state === 'new' || isOver(newest))) newest = call;
      if (call === newest) show(call);
    };
    client.on('telnyx.notification', look);
    return () => {
      client.off('telnyx.notification', look);
      setCurrent(undefined);
    };
  }, [client]);
  const dial = useCallback((options: CallOptions) => client?.newCall(options), [client]);
  return { current, dial };
}

function viewOf(call: Call, changed: () => void): CallView {
  const { commonState, commonStateReason, direction, options, isAudioMuted, state } = call;
  return {
    call,
    state: commonState,
    reason: commonStateReason,
    direction,
    name: options.remoteCallerName ?? '',
    number: options.remoteCallerNumber ?? '',
    muted: isAudioMuted,
    held: state === 'held',
    ended: isOver(call),
    setMuted(muted) {
      if (muted) call.mute();
      else call.unmute();
      changed();
    },
  };
}

const isOver = ({ state }: Call): boolean => /^(hangup|destroy|purge)$/.test(state);
