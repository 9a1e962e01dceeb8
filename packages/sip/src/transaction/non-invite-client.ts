import { earliest, type Machine, type Ms, type Step } from '@sidetone/core';
import type { SipRequest } from '../message.ts';
import type { ClientInput, ClientOutput } from './invite-client.ts';
import { sending, T2, T4 } from './timers.ts';

/*
 *              request sent
 *                   │
 *            ┌──────▼──────┐ E: send again, interval ×2 up to T2 (unreliable)
 *            │   trying    │ F or transport error: tell ───┐
 *            └┬───────────┬┘                               │
 *          1xx│           │200-699                         │
 *      ┌──────▼─────┐     │                                │
 *      │ proceeding │ E: send again every T2               │
 *      └──────┬─────┘ F or transport error: tell ──────────┤
 *      200-699│           │                                │
 *            ┌▼───────────▼┐                               │
 *            │  completed  │ K (T4; 0 when reliable) ──► terminated
 *            └─────────────┘
 */
export type NonInviteClientState =
  | {
      readonly name: 'trying' | 'proceeding';
      readonly request: SipRequest;
      readonly reliable: boolean;
      /** Timer E; `null` on reliable transports. */
      readonly retransmitAt: Ms | null;
      readonly interval: Ms;
      /** Timer F. */
      readonly giveUpAt: Ms;
    }
  | { readonly name: 'completed'; readonly endAt: Ms }
  | { readonly name: 'terminated' };

type Out = Step<NonInviteClientState, ClientOutput>;

const TERMINATED: NonInviteClientState = { name: 'terminated' };
const stay = (state: NonInviteClientState): Out => ({ state, out: [] });

/** The first step: sends the request. */
export const startNonInviteClient = (request: SipRequest, reliable: boolean, now: Ms): Out => ({
  state: { name: 'trying', ...sending(request, reliable, now) },
  out: [{ type: 'send', request }],
});

/** Non-INVITE client transaction: RFC 3261 §17.1.2. */
export const nonInviteClient: Machine<NonInviteClientState, ClientInput, ClientOutput> = {
  name: 'non-invite-client',
  step(state, input, now) {
    if (state.name === 'terminated') return stay(state);
    if (state.name === 'completed')
      return stay(input.type === 'tick' && now >= state.endAt ? TERMINATED : state);
    switch (input.type) {
      case 'response': {
        const tell: ClientOutput = { type: 'response', response: input.response };
        if (input.response.status < 200) return { state: { ...state, name: 'proceeding' }, out: [tell] };
        return {
          state: state.reliable ? TERMINATED : { name: 'completed', endAt: now + T4 },
          out: [tell],
        };
      }
      case 'cancelSent':
        return stay(state);
      case 'transportError':
        return { state: TERMINATED, out: [{ type: 'transportError' }] };
      case 'tick': {
        if (now >= state.giveUpAt) return { state: TERMINATED, out: [{ type: 'timeout' }] };
        if (state.retransmitAt === null || now < state.retransmitAt) return stay(state);
        const interval = state.name === 'proceeding' ? T2 : Math.min(2 * state.interval, T2);
        return {
          state: { ...state, interval, retransmitAt: now + interval },
          out: [{ type: 'send', request: state.request }],
        };
      }
    }
  },
  deadline(state) {
    switch (state.name) {
      case 'trying':
      case 'proceeding':
        return earliest(state.retransmitAt, state.giveUpAt);
      case 'completed':
        return state.endAt;
      case 'terminated':
        return null;
    }
  },
};
