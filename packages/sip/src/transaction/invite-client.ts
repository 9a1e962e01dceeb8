import { earliest, type Machine, type Ms, type Step } from '@sidetone/core';
import { NO_BODY, type SipRequest, type SipResponse } from '../message.ts';
import { GIVE_UP, sending, TIMER_D } from './timers.ts';

/*
 *                 INVITE sent
 *                      │
 *               ┌──────▼──────┐ A: send again, interval ×2 (unreliable)
 *               │   calling   │ B or transport error: tell ──────────────┐
 *               └┬─────┬─────┬┘                                          │
 *             1xx│     │2xx  │300-699: ACK                               │
 *        ┌───────▼───┐ │     └──────────┐                                │
 *        │ proceeding│ │                │                                │
 *        └┬─────────┬┘ │          ┌─────▼─────┐ 300-699: ACK again       │
 *  300-699│ ACK  2xx│  │          │ completed │ D: done ─────────────────┤
 *         └─────────┼──┼─────────►└───────────┘                          │
 *                 ┌─▼──▼─────┐ 2xx: tell (each, RFC 6026 §7.2)           │
 *                 │ accepted │ M: done ──────────────────────────────────┤
 *                 └──────────┘                                     terminated
 */
export type InviteClientState =
  | {
      readonly name: 'calling';
      readonly request: SipRequest;
      readonly reliable: boolean;
      /** Timer A; `null` on reliable transports. */
      readonly retransmitAt: Ms | null;
      readonly interval: Ms;
      /** Timer B. */
      readonly giveUpAt: Ms;
    }
  | {
      readonly name: 'proceeding';
      readonly request: SipRequest;
      readonly reliable: boolean;
      /** Set by a sent CANCEL: no final answer until then counts as a timeout (RFC 3261 §9.1). */
      readonly giveUpAt: Ms | null;
    }
  | { readonly name: 'completed'; readonly ack: SipRequest; readonly endAt: Ms }
  | { readonly name: 'accepted'; readonly endAt: Ms }
  | { readonly name: 'terminated' };

export type ClientInput =
  | { readonly type: 'response'; readonly response: SipResponse }
  /** A CANCEL for this INVITE has been sent. */
  | { readonly type: 'cancelSent' }
  | { readonly type: 'transportError' }
  | { readonly type: 'tick' };

export type ClientOutput =
  | { readonly type: 'send'; readonly request: SipRequest }
  | { readonly type: 'response'; readonly response: SipResponse }
  | { readonly type: 'timeout' }
  | { readonly type: 'transportError' };

type Out = Step<InviteClientState, ClientOutput>;

const TERMINATED: InviteClientState = { name: 'terminated' };
const stay = (state: InviteClientState): Out => ({ state, out: [] });

/** The first step: sends the INVITE. */
export const startInviteClient = (request: SipRequest, reliable: boolean, now: Ms): Out => ({
  state: { name: 'calling', ...sending(request, reliable, now) },
  out: [{ type: 'send', request }],
});

/** INVITE client transaction: RFC 3261 §17.1.1 as corrected by RFC 6026 §7.2 and §8.4. */
export const inviteClient: Machine<InviteClientState, ClientInput, ClientOutput> = {
  name: 'invite-client',
  step(state, input, now) {
    if (state.name === 'terminated') return stay(state);
    switch (input.type) {
      case 'response':
        return onResponse(state, input.response, now);
      case 'cancelSent':
        return state.name === 'proceeding' && state.giveUpAt === null
          ? stay({ ...state, giveUpAt: now + GIVE_UP })
          : stay(state);
      case 'transportError':
        // An ACK that cannot be delivered ends the transaction too; before the final answer the user must know.
        return state.name === 'accepted'
          ? stay(state)
          : { state: TERMINATED, out: [{ type: 'transportError' }] };
      case 'tick':
        return onTick(state, now);
    }
  },
  deadline(state) {
    switch (state.name) {
      case 'calling':
        return earliest(state.retransmitAt, state.giveUpAt);
      case 'proceeding':
        return state.giveUpAt;
      case 'completed':
      case 'accepted':
        return state.endAt;
      case 'terminated':
        return null;
    }
  },
};

function onResponse(state: InviteClientState, response: SipResponse, now: Ms): Out {
  const { status } = response;
  const tell: ClientOutput = { type: 'response', response };
  if (state.name === 'calling' || state.name === 'proceeding') {
    const { request, reliable } = state;
    if (status < 200) {
      const giveUpAt = state.name === 'proceeding' ? state.giveUpAt : null;
      return { state: { name: 'proceeding', request, reliable, giveUpAt }, out: [tell] };
    }
    if (status < 300) return { state: { name: 'accepted', endAt: now + GIVE_UP }, out: [tell] };
    const ack = ackFor(request, response);
    const out: ClientOutput[] = [{ type: 'send', request: ack }, tell];
    // Timer D is zero on reliable transports: there are no further copies to absorb.
    if (reliable) return { state: TERMINATED, out };
    return { state: { name: 'completed', ack, endAt: now + TIMER_D }, out };
  }
  if (state.name === 'completed' && status >= 300)
    return { state, out: [{ type: 'send', request: state.ack }] };
  if (state.name === 'accepted' && status >= 200 && status < 300) return { state, out: [tell] };
  return stay(state);
}

function onTick(state: InviteClientState, now: Ms): Out {
  switch (state.name) {
    case 'calling': {
      if (now >= state.giveUpAt) return { state: TERMINATED, out: [{ type: 'timeout' }] };
      if (state.retransmitAt === null || now < state.retransmitAt) return stay(state);
      const interval = 2 * state.interval;
      return {
        state: { ...state, interval, retransmitAt: now + interval },
        out: [{ type: 'send', request: state.request }],
      };
    }
    case 'proceeding':
      return state.giveUpAt !== null && now >= state.giveUpAt
        ? { state: TERMINATED, out: [{ type: 'timeout' }] }
        : stay(state);
    case 'completed':
    case 'accepted':
      return stay(now >= state.endAt ? TERMINATED : state);
    case 'terminated':
      return stay(state);
  }
}

/** The ACK of a refusal belongs to the transaction (RFC 3261 §17.1.1.3): top Via and Route of the INVITE, To of the answer. */
export function ackFor(invite: SipRequest, response: SipResponse): SipRequest {
  const h = invite.headers;
  return {
    kind: 'request',
    method: 'ACK',
    uri: invite.uri,
    headers: {
      via: h.via.slice(0, 1),
      from: h.from,
      to: response.headers.to,
      callId: h.callId,
      cseq: { seq: h.cseq.seq, method: 'ACK' },
      maxForwards: 70,
      contact: [],
      route: h.route,
      recordRoute: [],
      other: [],
    },
    body: NO_BODY,
  };
}
