import {
  type Checks,
  isFields,
  isNumber,
  isString,
  listOf,
  type Ms,
  maybe,
  readRecord,
  recordOf,
} from '@sidetone/core';
import { type Flow, isNameAddr, isOutsideFlow, isUri } from '@sidetone/sip';
import type { Binding } from './location.ts';
import type { PhoneFlow } from './outbound.ts';
import { hopOf } from './own-address.ts';

/*
 * Bindings that outlive the process: those of phones. Our own clients log in again by themselves.
 *
 *   udp      the same flow, or what its contact names: NATs keep it, the phone notices nothing
 *   tcp, tls the connection died with the process. A phone whose contact names the address it came from is called there by a new
 *            connection; one behind a NAT is forgotten until it registers again, which it does when it sees its connection closed
 *   ws, wss  only the phone opens a WebSocket: forgotten, and it registers again by a new one
 *
 * Behind proxies it is the first of them that is reached.
 */
export const isKept = (binding: Binding): boolean =>
  binding.flow.transport === 'udp' || (binding.flow.transport !== 'local' && flowOfContact(binding) !== null);

/** Earlier releases wrote `since` alone of the three times. */
type Written = Omit<Binding, 'at' | 'here'> &
  Partial<Pick<Binding, 'at' | 'here'>> & { readonly user: string };

const WRITTEN: Checks<Written> = {
  user: isString,
  id: isString,
  uri: isUri,
  displayName: maybe(isString),
  params: (value) => isFields(value) && Object.values(value).every(isString),
  flow: isOutsideFlow,
  hop: maybe(isOutsideFlow),
  path: maybe(listOf(isNameAddr)),
  outbound: maybe(recordOf<PhoneFlow>({ instance: isString, regId: isNumber })),
  callId: isString,
  cseq: isNumber,
  expiresAt: isNumber,
  since: isNumber,
  at: maybe(isNumber),
  here: maybe(isNumber),
  userAgent: maybe(isString),
  clientAddress: maybe(isString),
};

export const writeBinding = (user: string, binding: Binding): Written => ({ ...binding, user });

/** Reads a journalled binding; `null` when it is over, or nothing of the kind. */
export function readBinding(
  value: unknown,
  now: Ms,
): { readonly user: string; readonly binding: Binding } | null {
  const written = readRecord(WRITTEN, value);
  if (written === null || written.expiresAt <= now) return null;
  const { user, ...rest } = written;
  const binding: Binding = { at: rest.since, here: rest.since, ...rest };
  const flow = binding.flow.transport === 'udp' ? binding.flow : flowOfContact(binding);
  return flow === null ? null : { user, binding: { ...binding, flow } };
}

/** The contact's own address (or that of the proxy before it), when that is where its REGISTER came from. */
function flowOfContact({ uri, flow, path }: Binding): Flow | null {
  const hop = hopOf(path?.[0]?.uri ?? uri);
  if (hop === null || hop.transport === 'local' || flow.transport === 'local') return null;
  return hop.host === flow.host && hop.transport === flow.transport ? hop : null;
}
