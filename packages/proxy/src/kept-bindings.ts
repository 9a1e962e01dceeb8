import type { Ms } from '@sidetone/core';
import type { Flow } from '@sidetone/sip';
import { isAddress, isFlow, isRecord, isUri } from './early-invites.ts';
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

export const writeBinding = (user: string, binding: Binding): object => ({ ...binding, user });

/** Reads a journalled binding; `null` when it is over, or nothing of the kind. */
export function readBinding(
  value: unknown,
  now: Ms,
): { readonly user: string; readonly binding: Binding } | null {
  if (!isRecord(value)) return null;
  const { user, since, id, uri, displayName, params, flow, path, outbound, callId, cseq, expiresAt } = value;
  const { userAgent, hop, at, here } = value;
  if (typeof user !== 'string' || typeof since !== 'number' || typeof id !== 'string') return null;
  if (!isUri(uri) || !isRecord(params) || !isFlow(flow)) return null;
  if (typeof callId !== 'string' || typeof cseq !== 'number' || typeof expiresAt !== 'number') return null;
  if (expiresAt <= now) return null;
  if (path !== undefined && !(Array.isArray(path) && path.every(isAddress))) return null;
  if (outbound !== undefined && !isPhoneFlow(outbound)) return null;
  if (hop !== undefined && !isFlow(hop)) return null;
  const binding: Binding = {
    id,
    uri,
    ...(typeof displayName === 'string' ? { displayName } : {}),
    params: params as Binding['params'],
    flow,
    ...(hop === undefined ? {} : { hop }),
    ...(path === undefined ? {} : { path }),
    ...(outbound === undefined ? {} : { outbound }),
    callId,
    cseq,
    expiresAt,
    since,
    at: typeof at === 'number' ? at : since,
    here: typeof here === 'number' ? here : since,
    ...(typeof userAgent === 'string' ? { userAgent } : {}),
  };
  const reached = flow.transport === 'udp' ? flow : flowOfContact(binding);
  return reached === null ? null : { user, binding: { ...binding, flow: reached } };
}

const isPhoneFlow = (value: unknown): value is PhoneFlow =>
  isRecord(value) && typeof value['instance'] === 'string' && typeof value['regId'] === 'number';

/** The contact's own address (or that of the proxy before it), when that is where its REGISTER came from. */
function flowOfContact({ uri, flow, path }: Binding): Flow | null {
  const hop = hopOf(path?.[0]?.uri ?? uri);
  if (hop === null || hop.transport === 'local' || flow.transport === 'local') return null;
  return hop.host === flow.host && hop.transport === flow.transport ? hop : null;
}
