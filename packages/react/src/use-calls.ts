import type { Call, TelnyxRTC } from '@sidetone/webrtc';
import { useEffect, useState } from 'react';

const NONE: readonly Call[] = [];

/**
 * The calls of a client that are not over, the oldest first. The component renders again whenever one of them changes; the objects
 * stay the same, so give their states, not the objects, to memoized components.
 */
export function useCalls(client: TelnyxRTC | undefined): readonly Call[] {
  const [calls, setCalls] = useState(NONE);
  useEffect(() => {
    if (client === undefined) return;
    const look = (): void => setCalls(client.getActiveCalls());
    client.on('telnyx.notification', look);
    look();
    return () => {
      client.off('telnyx.notification', look);
      setCalls(NONE);
    };
  }, [client]);
  return calls;
}
