import { type ClientFrame, parseClientFrame } from '@sidetone/wire';
import type { CallFrame } from './call.ts';
import type { SessionFrame } from './session.ts';

/** Who a frame is for. Without a login everything is for the session, which refuses it. */
export type Heard =
  | { readonly to: 'session'; readonly frame: SessionFrame }
  | {
      readonly to: 'calls';
      readonly frame: CallFrame | Extract<ClientFrame, { kind: 'invite' | 'attachCalls' }>;
    }
  | { readonly to: 'nobody' };

const NOBODY: Heard = { to: 'nobody' };

export function readFrame(text: string, loggedIn: boolean): Heard {
  const read = parseClientFrame(text);
  if (!read.ok) {
    const { id, code, message } = read.error;
    if (id === undefined) return NOBODY;
    return loggedIn || read.error.method === 'login'
      ? { to: 'session', frame: { kind: 'refused', id, code, message } }
      : { to: 'session', frame: { kind: 'other', id } };
  }
  const frame = read.value;
  switch (frame.kind) {
    case 'login':
    case 'anonymousLogin':
    case 'gatewayState':
    case 'ping':
    case 'speedTest':
      return { to: 'session', frame };
    case 'reply':
      return NOBODY;
    case 'channels':
    case 'disablePush':
      return { to: 'session', frame: loggedIn ? frame : { kind: 'other', id: frame.id } };
    case 'conversation':
    case 'debugReport':
    case 'unknown':
    case 'ringingAck':
      return { to: 'session', frame: { kind: 'other', ...(frame.id === undefined ? {} : { id: frame.id }) } };
    default:
      return loggedIn ? { to: 'calls', frame } : { to: 'session', frame: { kind: 'other', id: frame.id } };
  }
}
