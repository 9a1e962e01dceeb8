import { type NegotiationError, parseSdp, type SessionDescription } from '@sidetone/sdp';
import type { MediaReply } from '@sidetone/wire';

/** Why a command is not done. */
export type Refusal = Extract<MediaReply, { ok: false }>;

const MAX_SDP = 64 * 1024;

export const refuse = (error: Refusal['error'], message: string): Refusal => ({ ok: false, error, message });
export const NO_ADDRESS = refuse('no-address', 'no media address of the family of the peer');

export const disagreement = (error: NegotiationError): Refusal =>
  refuse(error.code === 'no-codec' ? 'no-codec' : 'bad-sdp', error.message);

/** The peer's description. */
export function parse(sdp: string): SessionDescription | Refusal {
  if (typeof sdp !== 'string' || sdp.length > MAX_SDP) return refuse('bad-sdp', 'too long');
  const parsed = parseSdp(sdp);
  return parsed.ok ? parsed.value : refuse('bad-sdp', parsed.error.message);
}
