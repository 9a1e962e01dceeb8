import { header, type SipMessage, type SipResponse, type UserAgentOut } from '@sidetone/sip';
import { CONTACT_PARAM, HEADER, NODE_HOST } from '@sidetone/wire';
import type { Contact, LegInput } from '../message.ts';
import type { InfoBody } from './info-body.ts';
import { REFERRED } from './leg-wishes.ts';
import { customHeaders, statedCause } from './reason.ts';
import { sessionDirection } from './session-direction.ts';

/** What the user agent tells about a leg of ours. */
export type LegEvent = Exclude<
  UserAgentOut,
  { type: 'sip' | 'dialog' | 'incoming' | 'request' | 'result' | 'info' | 'refreshed' }
>;

const trunkOf = (response: SipResponse): { readonly trunk?: string } => {
  const trunk = header(response, HEADER.trunk);
  return trunk === undefined ? {} : { trunk };
};

/** Where a phone sent this from, as the proxy proved it. */
const sourceOf = (message: SipMessage | undefined): { readonly from?: string } => {
  const from = message === undefined ? undefined : header(message, HEADER.source);
  return from === undefined ? {} : { from };
};

const described = (sdp: string) => ({ sdp, direction: sessionDirection(sdp) });

/** Reads an event of the user agent as an input of the leg that `branch` belongs to. */
export function legInput(out: LegEvent, branch: string): LegInput {
  switch (out.type) {
    case 'cancelled':
      return { type: 'cancelled', headers: customHeaders(out.request) };
    case 'bye': {
      const cause = statedCause(out.request);
      const headers = customHeaders(out.request);
      // `SIP;cause=200` means "answered elsewhere" in a CANCEL only; in a BYE it is a plain end.
      const plain = cause === undefined || cause.name === 'LOSE_RACE';
      return { type: 'bye', branch, headers, ...(plain ? {} : { cause }) };
    }
    case 'confirmed':
      return { type: 'confirmed', ...(out.sdp === undefined ? {} : { sdp: out.sdp }) };
    case 'progress':
    case 'accepted': {
      const facts = {
        branch,
        ...(out.sdp === undefined ? {} : { sdp: out.sdp }),
        ...trunkOf(out.response),
        ...sourceOf(out.response),
        headers: customHeaders(out.response),
      };
      if (out.type === 'accepted') return { type: 'accepted', ...facts };
      return { type: 'progress', ...facts, status: out.response.status };
    }
    case 'failed': {
      const facts = { type: 'failed', branch, status: out.status, by: out.by } as const;
      if (out.response === undefined) return { ...facts, headers: [] };
      const cause = statedCause(out.response);
      return {
        ...facts,
        ...trunkOf(out.response),
        ...(cause === undefined ? {} : { cause }),
        headers: customHeaders(out.response),
      };
    }
    case 'reinvite': {
      const offer = out.sdp === undefined ? {} : { offer: described(out.sdp) };
      return { type: 'reinvite', branch, tx: out.tx, ...sourceOf(out.request), ...offer };
    }
    case 'reinviteConfirmed':
      return {
        type: 'reinviteConfirmed',
        branch,
        ...(out.sdp === undefined ? {} : { answer: described(out.sdp) }),
      };
    case 'reinviteResult':
      return {
        type: 'reinviteResult',
        branch,
        status: out.status,
        ...sourceOf(out.response),
        ...(out.sdp === undefined ? {} : { sdp: out.sdp }),
      };
    case 'inDialogResult':
      return out.token === REFERRED
        ? { type: 'referAnswered', status: out.status }
        : { type: 'digitSent', branch, status: out.status };
    case 'ended':
      return { type: 'ended', branch, why: out.why };
  }
}

/** What an INFO of a branch's peer means for its leg. */
export function infoInput(body: Exclude<InfoBody, { kind: 'candidates' }>, branch: string): LegInput {
  if (body.kind === 'digits') return { type: 'digits', digits: body.digits };
  if (body.kind === 'heard') return { type: 'askHeard', branch };
  return { type: 'attachment', branch, here: body.here, bare: body.bare };
}

/** Where a user is registered, by the proxy's answer to the look-up. */
export function boundContacts(
  out: Extract<UserAgentOut, { type: 'result' }>,
): readonly Omit<Contact, 'branch'>[] {
  const bound = out.status < 300 ? out.response?.headers.contact : undefined;
  if (bound === undefined || bound === '*') return [];
  return bound.map(({ uri }) => {
    const client = uri.host === NODE_HOST.vsp;
    const family = uri.params[CONTACT_PARAM.family];
    return {
      uri,
      client,
      webrtc: client || uri.params[CONTACT_PARAM.media] === 'webrtc',
      family: family === '4' ? 4 : family === '6' ? 6 : null,
    };
  });
}
