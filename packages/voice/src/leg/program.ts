import type { Ms } from '@sidetone/core';
import {
  type AfterBridge,
  type CallNews,
  type ConferenceAsk,
  EVENT_NAME,
  type Hook,
  type HookAsk,
  type MachineDetectionAsk,
  type SoundAsk,
  type SupervisorRole,
  type WebhookSettings,
} from '@sidetone/wire';

/**
 * What a back end is told of a leg, and has asked of it. A leg that nobody is told of, and nobody has commanded, has none. Programs do
 * not own legs: several may command one, in the order in which they come.
 */
export interface Program {
  readonly account: string;
  /** A credential connection or an application. */
  readonly connection: string | null;
  /** The other end is a carrier, or a client or phone. */
  readonly party: 'pstn' | 'sip';
  /** It has called an application, whoever it is. */
  readonly incoming?: true;
  readonly clientState: string | null;
  readonly hook: HookSettings;
  /** Events so far: the number of the next one. */
  readonly told: number;
  /** `hangup` is told, the last event. */
  readonly hungUp: boolean;
  /** What it does when the other side of its bridge is gone. */
  readonly after: AfterBridge;
  /** The longest that it may be up. */
  readonly limitMs: Ms | null;
  /** It ends when no command has come by then. */
  readonly firstCommandBy: Ms | null;
  readonly onAnswer: OnAnswer | null;
  /** Its peer was asked to call somebody else (REFER), and has not told the end of that. */
  readonly referring: boolean;
  /** Commands of the last minute, by their id. */
  readonly done: readonly { readonly id: string; readonly at: Ms }[];
}

/** Where the events of a leg are told. */
export interface HookSettings {
  readonly url: string | null;
  readonly failover: string | null;
  readonly method: 'POST' | 'GET';
  readonly timeoutMs: Ms | null;
  /** By the name of the event. */
  readonly byEvent: Readonly<Record<string, string>>;
  readonly retriesMs: Readonly<Record<string, readonly Ms[]>>;
}

/** What happens when a leg that we call has answered, in this order. */
export interface OnAnswer {
  readonly detect?: MachineDetectionAsk;
  readonly digits?: string;
  readonly play?: SoundAsk;
  /** The leg that it is bridged with. */
  readonly bridge?: string;
  /** The conference that it goes into. */
  readonly join?: ConferenceAsk;
  /** The leg that it supervises, in its bridge. */
  readonly supervise?: { readonly leg: string; readonly role: SupervisorRole };
}

const NO_HOOK: HookSettings = {
  url: null,
  failover: null,
  method: 'POST',
  timeoutMs: null,
  byEvent: {},
  retriesMs: {},
};

/** Where a connection or application has its events told. Documents (`texml`) hear of nothing here. */
export const hookSettings = (webhook: WebhookSettings | null): HookSettings =>
  webhook === null || webhook.apiVersion === 'texml'
    ? NO_HOOK
    : {
        ...NO_HOOK,
        url: webhook.url,
        failover: webhook.failoverUrl,
        timeoutMs:
          webhook.timeoutSecs === null || webhook.timeoutSecs === 0 ? null : webhook.timeoutSecs * 1000,
      };

/** A URL of a command takes the place of the connection's, and of its failover. */
export function withHook(hook: HookSettings, ask: HookAsk | undefined): HookSettings {
  if (ask === undefined) return hook;
  return {
    ...hook,
    ...(ask.url === undefined ? {} : { url: ask.url, failover: null }),
    ...(ask.method === undefined ? {} : { method: ask.method }),
    ...(ask.byEvent === undefined ? {} : { byEvent: ask.byEvent }),
    ...(ask.retriesMs === undefined ? {} : { retriesMs: ask.retriesMs }),
  };
}

export function newProgram(
  facts: Pick<Program, 'account' | 'connection' | 'party'> &
    Partial<
      Pick<Program, 'incoming' | 'clientState' | 'hook' | 'after' | 'limitMs' | 'firstCommandBy' | 'onAnswer'>
    >,
): Program {
  return {
    clientState: null,
    hook: NO_HOOK,
    after: 'hangup',
    limitMs: null,
    firstCommandBy: null,
    onAnswer: null,
    ...facts,
    told: 0,
    hungUp: false,
    referring: false,
    done: [],
  };
}

/** Where this event is told: its own URL, else the leg's. */
export function hookOf({ hook }: Pick<Program, 'hook'>, type: CallNews['type']): Hook | null {
  const name = EVENT_NAME[type];
  const own = Object.hasOwn(hook.byEvent, name) ? hook.byEvent[name] : undefined;
  const url = own ?? hook.url;
  if (url === null) return null;
  const { failover, method, timeoutMs, retriesMs } = hook;
  const retries = Object.hasOwn(retriesMs, name) ? retriesMs[name] : undefined;
  return { url, failover, method, timeoutMs, retriesMs: retries ?? null };
}

/** How long a `command_id` is known. */
export const DONE_MS: Ms = 60_000;
const MOST_DONE = 64;

export const isDone = (done: Program['done'], commandId: string | undefined, now: Ms): boolean =>
  commandId !== undefined && done.some(({ id, at }) => id === commandId && now - at < DONE_MS);

export const withDone = (done: Program['done'], commandId: string | undefined, now: Ms): Program['done'] =>
  commandId === undefined
    ? done
    : [...done.filter(({ at }) => now - at < DONE_MS), { id: commandId, at: now }].slice(-MOST_DONE);
