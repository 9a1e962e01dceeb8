import {
  escapeUser,
  type Flow,
  type NameAddr,
  type SipRequest,
  type SipResponse,
  type Via,
  withHeader,
} from '@sidetone/sip';
import { ASSERTED_IDENTITY, HEADER } from '@sidetone/wire';
import type { Sender } from './border.ts';
import type { Target } from './target.ts';

type Other = SipRequest['headers']['other'];

const isLocal = (flow: Flow): boolean => flow.transport === 'local';
const isInternal = (name: string): boolean => /^x-sidetone-/i.test(name);
const is = (name: string, wanted: string): boolean => name.toLowerCase() === wanted.toLowerCase();

/** Headers that a message from outside must not bring into the house. */
const enter = (other: Other): Other =>
  other.filter(([name]) => !isInternal(name) && !is(name, ASSERTED_IDENTITY));

/** Headers that may leave: a carrier is told who calls (RFC 3325: it belongs to the trust domain), a phone is not. */
const leave = (other: Other, toTrunk: boolean): Other =>
  other.filter(([name]) => !isInternal(name) && (toTrunk || !is(name, ASSERTED_IDENTITY)));

/** Credentials that were for us are taken out (RFC 3261 §22.3). */
const CREDENTIALS = /^(?:proxy-)?authorization$/i;

/** The copy that goes to a target (RFC 3261 §16.6). `recordRoute` when the request forms a dialog across the border. */
export function forwardedRequest(
  request: SipRequest,
  source: Flow,
  target: Target,
  sender: Sender | null,
  recordRoute: NameAddr | null,
): SipRequest {
  const h = request.headers;
  const outside = !isLocal(target.flow);
  const fromOutside = !isLocal(source);
  let { other } = h;
  if (fromOutside) other = enter(other).filter(([name]) => !CREDENTIALS.test(name));
  if (outside) other = leave(other, target.trunk !== undefined);
  if (fromOutside && !outside) other = [...other, ...assertion(sender, target), ...sourceOf(sender, source)];
  return {
    ...request,
    uri: target.uri,
    headers: {
      ...h,
      // Vias of our own rooms stay inside; the response context knows the way back.
      via: outside ? h.via.filter((v) => v.transport !== 'LOCAL') : h.via,
      maxForwards: Math.max(0, (h.maxForwards ?? 71) - 1),
      route: target.route,
      contact: target.contact ?? h.contact,
      recordRoute: recordRoute === null ? h.recordRoute : [recordRoute, ...h.recordRoute],
      other,
    },
  };
}

function assertion(sender: Sender | null, target: Target): Other {
  if (sender?.kind === 'trunk') return [[HEADER.trunk, sender.trunk]];
  if (sender?.user !== undefined)
    return [[ASSERTED_IDENTITY, `<sip:${escapeUser(sender.user)}@${target.domain ?? ''}>`]];
  return [];
}

/** Where a phone speaks from. A carrier is known by its address anyway. */
function sourceOf(sender: Sender | null, source: Flow): Other {
  return source.transport === 'local' || sender?.kind === 'trunk' ? [] : [[HEADER.source, source.host]];
}

/** The copy of a response that goes up (RFC 3261 §16.7 items 3 and 9), by the Vias of the request as it came. */
export function forwardedResponse(
  response: SipResponse,
  via: readonly Via[],
  to: Flow,
  from: Flow,
  trunk: string | undefined,
): SipResponse {
  let { other } = response.headers;
  if (!isLocal(from)) other = enter(other);
  if (!isLocal(to)) other = leave(other, false);
  // A phone is asked where it registered from, or last spoke from in the dialog, and nobody else knows what it was asked.
  if (trunk === undefined && isLocal(to)) other = [...other, ...sourceOf(null, from)];
  const copy = { ...response, headers: { ...response.headers, via, other } };
  return trunk !== undefined && isLocal(to) ? withHeader(copy, HEADER.trunk, trunk) : copy;
}
