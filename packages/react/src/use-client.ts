import { type ClientOptions, type TelnyxError, TelnyxRTC } from '@sidetone/webrtc';
import { type RefObject, useEffect, useState } from 'react';

/**
 * `off`: there are no options. `connecting`: not ready yet, or again after a broken connection. `ready`: calls can be made and
 * taken. `failed`: the login was refused, or the server cannot be reached; other options begin anew.
 */
export type ClientState = 'off' | 'connecting' | 'ready' | 'failed';

export interface ClientConnection {
  /** `undefined` before the first effect, and without options. */
  readonly client: TelnyxRTC | undefined;
  readonly state: ClientState;
  /** The last error of the session (not of a call), until the client is ready. */
  readonly error: TelnyxError | undefined;
}

const OFF: ClientConnection = { client: undefined, state: 'off', error: undefined };

/**
 * A client that lives as long as the component: logs in with it, hangs up and logs out when it goes. Options with other values make
 * another client; `undefined` is none, for example before the person logged in. The functions in the options are those of the first
 * render. `audio`: the element that plays the far side.
 */
export function useClient(
  options: ClientOptions | undefined,
  audio?: RefObject<HTMLMediaElement | null>,
): ClientConnection {
  const [connection, setConnection] = useState(OFF);
  const key = options === undefined ? undefined : JSON.stringify(options);
  // biome-ignore lint/correctness/useExhaustiveDependencies: options are compared by value.
  useEffect(() => {
    if (options === undefined) return;
    const client = new TelnyxRTC(options);
    let here = true;
    const become = (change: Partial<ClientConnection>): void => {
      if (here) setConnection((before) => ({ ...before, ...change, client }));
    };
    if (audio !== undefined) client.remoteElement = () => audio.current;
    client
      .on('telnyx.ready', () => become({ state: 'ready', error: undefined }))
      .on('telnyx.socket.close', () =>
        setConnection((now) =>
          here && now.client === client && now.state === 'ready' ? { ...now, state: 'connecting' } : now,
        ),
      )
      .on('telnyx.error', ({ error, callId }) => {
        if (callId === undefined) become(error.fatal ? { error, state: 'failed' } : { error });
      });
    setConnection({ client, state: 'connecting', error: undefined });
    // StrictMode mounts twice in one go: the first client is gone before it connects.
    void Promise.resolve().then(() => (here ? client.connect() : undefined));
    return () => {
      here = false;
      setConnection(OFF);
      void client.disconnect();
    };
  }, [key]);
  return connection;
}
