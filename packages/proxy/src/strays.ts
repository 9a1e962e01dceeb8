import type { Ms } from '@sidetone/core';
import { canonicalHost } from '@sidetone/core';
import type { Flow, SipResponse, SipSend, Via } from '@sidetone/sip';
import { NODE_HOST } from '@sidetone/wire';
import { forwardedResponse } from './forward.ts';
import { isOwnVia, isReachable } from './own-address.ts';
import type { ProxyOptions } from './proxy-events.ts';

/** A peer repeats its 2xx for 64·T1 (RFC 3261 §13.3.1.4). */
export const STRAYS_MS: Ms = 32_000;

const VOICE: Flow = { transport: 'local', node: 'voice' };

/** On top of a response that voice gets without having asked. */
const STRAY_VIA: Via = { transport: 'LOCAL', host: NODE_HOST.voice, params: { branch: 'z9hG4bK-stray' } };

/**
 * Where a 2xx goes whose transactions are gone (RFC 3261 §16.7 item 5), most likely with the process before. From a room: by the
 * next Via, without state. From outside (only soon after a restart): to voice, which knows its dialogs by their tags, acknowledges
 * those, and ends what it was told to expect.
 */
export function strayOnward(
  response: SipResponse,
  flow: Flow,
  address: ProxyOptions['address'],
): SipSend | null {
  const [own, next, ...rest] = response.headers.via;
  if (flow.transport !== 'local')
    return next === undefined && own !== undefined && isOwnVia(address, own)
      ? upToVoice(response, [STRAY_VIA], flow)
      : null;
  if (next === undefined || next.transport === 'LOCAL') return null;
  const host = canonicalHost(next.params['received'] || next.host);
  const port = Number(next.params['rport'] || next.port || 5060);
  const to: Flow =
    next.transport === 'TCP' ? { transport: 'tcp', host, port } : { transport: 'udp', host, port };
  const message = forwardedResponse(response, [next, ...rest], to, flow, undefined);
  return isReachable(to) ? { type: 'sip', message, flow: to } : null;
}

/** A 2xx that nobody waits for any more, for voice. */
export const upToVoice = (response: SipResponse, back: readonly Via[], from: Flow): SipSend => ({
  type: 'sip',
  message: forwardedResponse(response, back, VOICE, from, undefined),
  flow: VOICE,
});
