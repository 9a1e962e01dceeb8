import { type Flow, type SipRequest, type Uri, unescapeUser } from '@sidetone/sip';
import { hopOf } from './own-address.ts';

/** Where requests to a phone go. */
export interface Way {
  readonly flow: Flow;
  /** `flow` is what its Contact names; without this it is the flow that the phone was heard by, which stands in for the Contact. */
  readonly byContact?: true;
}

/**
 * The way to the phone that sent a request; `next` is the hop it names: its Contact, or the first proxy before it (RFC 3261 §16.6
 * item 7). Its flow stands in for that where a connection is kept, where the phone asks for it (`rport`, RFC 3581; `ob`, RFC 5626
 * §4.3), and where there is a NAT: the Via or the hop names another host than the source. So nobody names a third party.
 */
export function wayOf({ headers }: SipRequest, next: Uri | undefined, source: Flow): Way {
  const byFlow: Way = { flow: source };
  if (source.transport !== 'udp' || next === undefined || next.params['ob'] !== undefined) return byFlow;
  const [top] = headers.via;
  if (top === undefined || top.params['rport'] !== undefined || !sameHost(top.host, source.host))
    return byFlow;
  return namedBy(next, source) ?? byFlow;
}

/** What `next` names, when that is at the host of a flow; `null` otherwise. There is no TLS to phones. */
export function namedBy(next: Uri, flow: Flow): Way | null {
  const hop = hopOf(next);
  if (hop === null || hop.transport === 'local' || hop.transport === 'tls') return null;
  return flow.transport !== 'local' && sameHost(hop.host, flow.host) ? { flow: hop, byContact: true } : null;
}

/** Whether two Contacts of one user are one place: by what a socket is known by, since parameters come and go. */
export const samePlace = (a: Uri, b: Uri): boolean => placeOf(a) === placeOf(b);

const placeOf = ({ user = '', host, port, params }: Uri): string =>
  `${unescapeUser(user)} ${host.toLowerCase()} ${port ?? 5060} ${params['transport']?.toLowerCase() ?? 'udp'}`;

const sameHost = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
