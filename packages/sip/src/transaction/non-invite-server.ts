import type { Machine, Ms, Step } from '@sidetone/core';
import type { SipResponse } from '../message.ts';
import type { ServerInput, ServerOutput } from './invite-server.ts';
import { GIVE_UP } from './timers.ts';

/*
 *             request received
 *                    │
 *             ┌──────▼─────┐ 1xx from the user: send
 *             │   trying   ├───────────────┐
 *             └──────┬─────┘        ┌──────▼─────┐ request again: last 1xx again
 *             200-699│              │ proceeding │ transport error: tell ──┐
 *                    │       200-699└──────┬─────┘                         │
 *             ┌──────▼─────┐◄──────────────┘                               │
 *             │ completed  │ request again: answer again                   │
 *             └──────┬─────┘ transport error: tell                         │
 *                    └─ J (64·T1; 0 when reliable) ──────────────► terminated
 */
export type NonInviteServerState =
  | {
      readonly name: 'trying' | 'proceeding';
      readonly reliable: boolean;
      readonly last: SipResponse | null;
    }
  | { readonly name: 'completed'; readonly last: SipResponse; readonly endAt: Ms }
  | { readonly name: 'terminated' };

type Out = Step<NonInviteServerState, ServerOutput>;

const TERMINATED: NonInviteServerState = { name: 'terminated' };
const stay = (state: NonInviteServerState): Out => ({ state, out: [] });

export const startNonInviteServer = (reliable: boolean): NonInviteServerState => ({
  name: 'trying',
  reliable,
  last: null,
});

/** Non-INVITE server transaction: RFC 3261 §17.2.2. */
export const nonInviteServer: Machine<NonInviteServerState, ServerInput, ServerOutput> = {
  name: 'non-invite-server',
  step(state, input, now) {
    if (state.name === 'terminated') return stay(state);
    if (input.type === 'transportError') return { state: TERMINATED, out: [{ type: 'transportError' }] };
    if (input.type === 'request')
      return state.last === null ? stay(state) : { state, out: [{ type: 'send', response: state.last }] };
    if (state.name === 'completed')
      return stay(input.type === 'tick' && now >= state.endAt ? TERMINATED : state);
    if (input.type !== 'respond') return stay(state);
    const { response } = input;
    const out: ServerOutput[] = [{ type: 'send', response }];
    if (response.status < 200) return { state: { ...state, name: 'proceeding', last: response }, out };
    return {
      state: state.reliable ? TERMINATED : { name: 'completed', last: response, endAt: now + GIVE_UP },
      out,
    };
  },
  deadline: (state) => (state.name === 'completed' ? state.endAt : null),
};
