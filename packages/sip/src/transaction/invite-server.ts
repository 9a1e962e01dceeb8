import { earliest, type Machine, type Ms, type Step } from '@sidetone/core';
import type { SipRequest, SipResponse } from '../message.ts';
import { GIVE_UP, T1, T2, T4 } from './timers.ts';

/*
 *               INVITE received
 *                      │
 *               ┌──────▼──────┐ INVITE again: last 1xx again
 *               │ proceeding  │ 1xx from the user: send
 *               └┬───────────┬┘ transport error: tell ───────────────────┐
 *             2xx│           │300-699                                    │
 *        ┌───────▼──┐  ┌─────▼─────┐ INVITE again, G: answer again       │
 *        │ accepted │  │ completed │ H or transport error: tell ─────────┤
 *        └───────┬──┘  └─────┬─────┘                                     │
 *   2xx: send    │        ACK│                                           │
 *   ACK: to user │     ┌─────▼─────┐                                     │
 *   L: done      │     │ confirmed │ I (T4; 0 when reliable) ────────────┤
 *                │     └───────────┘                                     │
 *                └────────────────────────────────────────────────► terminated
 */
export type InviteServerState =
  | { readonly name: 'proceeding'; readonly reliable: boolean; readonly last: SipResponse | null }
  | { readonly name: 'accepted'; readonly endAt: Ms }
  | {
      readonly name: 'completed';
      readonly reliable: boolean;
      readonly last: SipResponse;
      /** Timer G; `null` on reliable transports. */
      readonly retransmitAt: Ms | null;
      readonly interval: Ms;
      /** Timer H. */
      readonly giveUpAt: Ms;
    }
  | { readonly name: 'confirmed'; readonly endAt: Ms }
  | { readonly name: 'terminated' };

export type ServerInput =
  /** A copy of the request. */
  | { readonly type: 'request' }
  | { readonly type: 'ack'; readonly request: SipRequest }
  /** The user answers. */
  | { readonly type: 'respond'; readonly response: SipResponse }
  | { readonly type: 'transportError' }
  | { readonly type: 'tick' };

export type ServerOutput =
  | { readonly type: 'send'; readonly response: SipResponse }
  /** The ACK of a 2xx. */
  | { readonly type: 'ack'; readonly request: SipRequest }
  | { readonly type: 'timeout' }
  | { readonly type: 'transportError' };

type Out = Step<InviteServerState, ServerOutput>;

const TERMINATED: InviteServerState = { name: 'terminated' };
const stay = (state: InviteServerState): Out => ({ state, out: [] });

export const startInviteServer = (reliable: boolean): InviteServerState => ({
  name: 'proceeding',
  reliable,
  last: null,
});

/** INVITE server transaction: RFC 3261 §17.2.1 as corrected by RFC 6026 §7.1. Its user repeats a 2xx, not the machine. */
export const inviteServer: Machine<InviteServerState, ServerInput, ServerOutput> = {
  name: 'invite-server',
  step(state, input, now) {
    switch (state.name) {
      case 'proceeding':
        return onProceeding(state, input, now);
      case 'accepted':
        if (input.type === 'ack') return { state, out: [{ type: 'ack', request: input.request }] };
        if (input.type === 'respond' && input.response.status >= 200 && input.response.status < 300)
          return { state, out: [{ type: 'send', response: input.response }] };
        return stay(input.type === 'tick' && now >= state.endAt ? TERMINATED : state);
      case 'completed':
        return onCompleted(state, input, now);
      case 'confirmed':
        return stay(input.type === 'tick' && now >= state.endAt ? TERMINATED : state);
      case 'terminated':
        return stay(state);
    }
  },
  deadline(state) {
    switch (state.name) {
      case 'completed':
        return earliest(state.retransmitAt, state.giveUpAt);
      case 'accepted':
      case 'confirmed':
        return state.endAt;
      case 'proceeding':
      case 'terminated':
        return null;
    }
  },
};

function onProceeding(
  state: Extract<InviteServerState, { name: 'proceeding' }>,
  input: ServerInput,
  now: Ms,
): Out {
  switch (input.type) {
    case 'request':
      return state.last === null ? stay(state) : { state, out: [{ type: 'send', response: state.last }] };
    case 'respond': {
      const { response } = input;
      const out: ServerOutput[] = [{ type: 'send', response }];
      if (response.status < 200) return { state: { ...state, last: response }, out };
      if (response.status < 300) return { state: { name: 'accepted', endAt: now + GIVE_UP }, out };
      const { reliable } = state;
      return {
        state: {
          name: 'completed',
          reliable,
          last: response,
          retransmitAt: reliable ? null : now + T1,
          interval: T1,
          giveUpAt: now + GIVE_UP,
        },
        out,
      };
    }
    case 'transportError':
      return { state: TERMINATED, out: [{ type: 'transportError' }] };
    case 'ack':
    case 'tick':
      return stay(state);
  }
}

function onCompleted(
  state: Extract<InviteServerState, { name: 'completed' }>,
  input: ServerInput,
  now: Ms,
): Out {
  switch (input.type) {
    case 'request':
      return { state, out: [{ type: 'send', response: state.last }] };
    case 'ack':
      // Timer I is zero on reliable transports.
      return stay(state.reliable ? TERMINATED : { name: 'confirmed', endAt: now + T4 });
    case 'transportError':
      return { state: TERMINATED, out: [{ type: 'transportError' }] };
    case 'respond':
      return stay(state);
    case 'tick': {
      if (now >= state.giveUpAt) return { state: TERMINATED, out: [{ type: 'timeout' }] };
      if (state.retransmitAt === null || now < state.retransmitAt) return stay(state);
      const interval = Math.min(2 * state.interval, T2);
      return {
        state: { ...state, interval, retransmitAt: now + interval },
        out: [{ type: 'send', response: state.last }],
      };
    }
  }
}
