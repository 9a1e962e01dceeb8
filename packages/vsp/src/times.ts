import type { Deadlines } from '@sidetone/core';

/** Who wants a tick: a session by its socket, a client that is waited for or is being told by its contact, a call by `keyOf`. */
export type Times = Deadlines<`${'session' | 'kept' | 'return' | 'call'} ${string}`>;
