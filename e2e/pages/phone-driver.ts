/**
 * What the pages of SIP phones have in common: they answer to the same words as the pages of SDKs (`driver.ts`), so that one
 * `TestPage` drives both. The phone's library comes from its package, left as it is.
 */

import { hear, inboundStats, newestPeer, speak } from './capture.ts';

export interface PhoneOptions {
  /** `ws://…` of the server. */
  readonly host: string;
  readonly domain: string;
  readonly login: string;
  readonly password: string;
}

/** One call of the library, as the test's words need it. */
export interface PhoneCall {
  readonly id: string;
  readonly direction: 'inbound' | 'outbound';
  readonly caller?: string;
  readonly methods: Readonly<Record<string, (...args: never[]) => unknown>>;
}

export interface Phone {
  register(options: PhoneOptions): Promise<void>;
  unregister(): Promise<void>;
  call(destination: string): void;
}

interface CallEntry {
  readonly call: PhoneCall;
  readonly states: string[];
  cause: string | null;
  sipCode: number | null;
}

const calls: CallEntry[] = [];
const events: { name: string; detail: string }[] = [];

/** A call has come into being. */
export function begin(call: PhoneCall, state: 'ringing' | 'trying'): void {
  calls.push({ call, states: [state], cause: null, sipCode: null });
}

const recordOf = (id: string): CallEntry => {
  const found = calls.find((one) => one.call.id === id);
  if (found === undefined) throw new Error(`no call ${id}`);
  return found;
};

export function becomes(id: string, state: string, cause?: string, sipCode?: number): void {
  const record = recordOf(id);
  if (record.states.at(-1) === 'destroy') return;
  if (record.states.at(-1) !== state) record.states.push(state);
  if (cause !== undefined) record.cause = cause;
  if (sipCode !== undefined) record.sipCode = sipCode;
}

export const note = (name: string, detail: unknown): void => {
  events.push({ name, detail: String(detail).slice(0, 600) });
};

/** Puts the driver into the page. */
export function present(phone: Phone): void {
  const driver = {
    speak,
    hear,
    inboundStats,
    events: () => events,
    connect: (options: PhoneOptions): Promise<void> => phone.register(options),
    disconnect: (): Promise<void> => phone.unregister(),
    newCall({ destinationNumber }: { destinationNumber: string }): string {
      phone.call(destinationNumber);
      return calls.at(-1)!.call.id;
    },
    calls: () =>
      calls.map(({ call, states, cause, sipCode }) => ({
        id: call.id,
        state: states.at(-1),
        states,
        direction: call.direction,
        cause,
        causeCode: null,
        sipCode,
        headers: [],
        caller: call.caller ?? null,
      })),
    act(id: string, method: string, ...args: unknown[]): boolean {
      const action = recordOf(id).call.methods[method] as ((...args: unknown[]) => unknown) | undefined;
      if (action === undefined) return false;
      Promise.resolve(action(...args)).catch((error: unknown) => note(`${method} failed`, error));
      return true;
    },
    localSdp: (): string => newestPeer()?.localDescription?.sdp ?? '',
    remoteSdp: (): string => newestPeer()?.remoteDescription?.sdp ?? '',
  };
  Object.assign(window, { driver });
  document.title = 'loaded';
}
