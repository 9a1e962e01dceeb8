/**
 * Drives the SDK under test by its public surface, whichever it is: ours, or a published package left as it is. The
 * bundler puts the package in place of `sdk-under-test`.
 */

// First, because an SDK may keep what it finds while it loads.
import './capture.ts';

// @ts-expect-error The package is chosen when the page is bundled.
import * as sdk from 'sdk-under-test';
import { addresses, hear, inboundStats, newestPeer, peers, speak } from './capture.ts';
import { toneChanges, watchTone } from './tone-watch.ts';

interface SdkCall {
  id: string;
  state: string;
  direction?: string;
  cause?: string;
  causeCode?: number;
  sipCode?: number;
  options: { customHeaders?: { name: string; value: string }[]; remoteCallerNumber?: string };
  telnyxIDs?: Record<string, string>;
  [method: string]: unknown;
}

interface CallRecord {
  id: string;
  /** States in order, repeats left out. */
  states: string[];
  call: SdkCall;
}

/** Every event a version may have; a name it does not know is never told. */
const EVENTS = [
  'telnyx.ready',
  'telnyx.notification',
  'telnyx.error',
  'telnyx.warning',
  'telnyx.socket.open',
  'telnyx.socket.close',
  'telnyx.socket.error',
  'telnyx.socket.message',
  'telnyx.stats.frame',
  'telnyx.stats.report',
  'telnyx.rtc.mediaError',
  'telnyx.rtc.peerConnectionFailureError',
  'telnyx.ai.conversation',
] as const;

const calls: CallRecord[] = [];
/** Events as they came, with what they carried. */
const told: { name: string; payload: unknown }[] = [];
const events: { name: string; detail: string }[] = [];
let client: Record<string, (...args: unknown[]) => unknown> | undefined;

function note(name: string, payload: unknown): void {
  let detail = '';
  try {
    detail = JSON.stringify(payload, (key, value) => (key === 'call' ? undefined : value)) ?? '';
  } catch {
    detail = String(payload);
  }
  events.push({ name, detail: detail.slice(0, 600) });
}

function saw(call: SdkCall): void {
  let record = calls.find((entry) => entry.id === call.id);
  if (record === undefined) {
    record = { id: call.id, states: [], call };
    calls.push(record);
  }
  record.call = call;
  if (record.states.at(-1) !== call.state) record.states.push(call.state);
}

function recordOf(id: string): CallRecord {
  const record = calls.find((entry) => entry.id === id);
  if (record === undefined) throw new Error(`no call ${id}`);
  return record;
}

const plainHeaders = (call: SdkCall): { name: string; value: string }[] =>
  (call.options.customHeaders ?? []).map(({ name, value }) => ({ name, value }));

const driver = {
  speak,
  hear,
  inboundStats,
  watchTone,
  toneChanges,
  events: () => events,

  /** Makes a client that does not connect yet. */
  make(options: Record<string, unknown>): void {
    client = new sdk.TelnyxRTC(options);
    const remote = document.createElement('audio');
    remote.autoplay = true;
    document.body.append(remote);
    (client as Record<string, unknown>)['remoteElement'] = remote;
    for (const name of EVENTS) client!['on']!(name, (payload: unknown) => told.push({ name, payload }));
    for (const name of ['telnyx.error', 'telnyx.warning', 'telnyx.socket.close', 'telnyx.socket.error'])
      client!['on']!(name, (payload: unknown) => note(name, payload));
    client!['on']!('telnyx.notification', (notification: { type: string; call?: SdkCall }) => {
      if (notification.call !== undefined) saw(notification.call);
      else note('telnyx.notification', notification);
    });
  },

  /** Makes a client and waits for `telnyx.ready`. */
  async connect(options: Record<string, unknown>): Promise<void> {
    driver.make(options);
    await new Promise<void>((resolve, reject) => {
      client!['on']!('telnyx.ready', () => resolve());
      setTimeout(() => reject(new Error(`no telnyx.ready: ${JSON.stringify(events)}`)), 20_000);
      void client!['connect']!();
    });
  },

  /** Makes a client whose login must fail; gives the events it saw. */
  async connectRefused(options: Record<string, unknown>): Promise<typeof events> {
    client = new sdk.TelnyxRTC(options);
    await new Promise<void>((resolve, reject) => {
      client!['on']!('telnyx.error', (payload: unknown) => {
        note('telnyx.error', payload);
        resolve();
      });
      client!['on']!('telnyx.ready', () => reject(new Error('the login was accepted')));
      setTimeout(() => reject(new Error('neither ready nor error')), 20_000);
      void client!['connect']!();
    });
    return events;
  },

  async disconnect(): Promise<void> {
    await client?.['disconnect']?.();
  },

  newCall(options: Record<string, unknown>): string {
    const call = client!['newCall']!({ audio: true, ...options }) as SdkCall;
    saw(call);
    return call.id;
  },

  /** The calls so far, oldest first. */
  calls: () =>
    calls.map(({ id, states, call }) => ({
      id,
      state: call.state,
      states,
      direction: call.direction ?? null,
      cause: call.cause ?? null,
      causeCode: call.causeCode ?? null,
      sipCode: call.sipCode ?? null,
      headers: plainHeaders(call),
      caller: call.options.remoteCallerNumber ?? null,
    })),

  /** Calls a method of a call; `false` when this version does not have it. */
  async act(id: string, method: string, ...args: unknown[]): Promise<boolean> {
    const { call } = recordOf(id);
    const action = call[method];
    if (typeof action !== 'function') return false;
    // Some versions give a promise that is settled by the far side, or never: what the call does is seen in its states.
    const done: unknown = action.apply(call, args);
    if (done instanceof Promise) done.catch((error: unknown) => note(`${method} failed`, String(error)));
    return true;
  },

  has: (id: string, method: string): boolean => typeof recordOf(id).call[method] === 'function',

  /** Our SDK's additions, read by name. */
  read: (id: string, property: string): unknown =>
    JSON.parse(JSON.stringify(recordOf(id).call[property] ?? null)),

  /** Presses keys on the peer connection itself (RFC 4733); times in milliseconds. */
  pressKeys: (tones: string, durationMs: number, gapMs: number): void => {
    const sender = newestPeer()
      ?.getSenders()
      .find(({ dtmf }) => dtmf !== null);
    sender?.dtmf?.insertDTMF(tones, durationMs, gapMs);
  },

  localSdp: (): string => newestPeer()?.localDescription?.sdp ?? '',
  remoteSdp: (): string => newestPeer()?.remoteDescription?.sdp ?? '',
};

export type Driver = typeof driver;

/** The SDK under test as the page of an application has it, for what is driven by expression. */
const sut = {
  sdk,
  get client() {
    return client;
  },
  /** The call that was heard of last. */
  get last() {
    return calls.at(-1)?.call;
  },
  call: (id: string) => recordOf(id).call,
  saw,
  payloads: (name: string) => told.filter((one) => one.name === name).map((one) => one.payload),
  peers,
  addresses,
};

Object.assign(window, { driver, sut });
document.title = 'loaded';
