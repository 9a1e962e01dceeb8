import { err, ok, type Result } from '@sidetone/core';
import { type ExtraHeaders, headerProblem } from '@sidetone/sip';
import type { Call, CallSettings } from './call.ts';
import type { EarlyDialog } from './journal.ts';
import { type Leg, newLeg } from './leg.ts';

/** A line of the journal, read: snapshots are still unknown values, the user agent reads them. */
export type ReadEntry =
  | {
      readonly kind: 'call';
      readonly call: Call;
      readonly dialogs: readonly { readonly leg: string; readonly dialog: unknown }[];
      readonly early: readonly EarlyDialog[];
    }
  | {
      readonly kind: 'byes';
      readonly byes: readonly { readonly dialog: unknown; readonly headers: ExtraHeaders }[];
    };

type Fields = Readonly<Record<string, unknown>>;

const MOST_LEGS = 64;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isTime = (value: unknown): value is number => Number.isFinite(value);
const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((v) => typeof v === 'string');
const isEnding = (value: unknown): boolean =>
  isFields(value) &&
  isText(value['cause']) &&
  isTime(value['code']) &&
  isTime(value['sip']) &&
  (value['by'] === 'caller' || value['by'] === 'callee' || value['by'] === 'platform') &&
  (value['headers'] === undefined || isHeaders(value['headers']));

function isHeaders(value: unknown): value is ExtraHeaders {
  return (
    Array.isArray(value) &&
    value.every(
      (pair) =>
        Array.isArray(pair) &&
        typeof pair[0] === 'string' &&
        typeof pair[1] === 'string' &&
        headerProblem(pair[0], pair[1]) === null,
    )
  );
}

const oneOf =
  (...words: readonly unknown[]) =>
  (value: unknown): boolean =>
    words.includes(value);
const DIRECTION = oneOf('sendrecv', 'sendonly', 'recvonly', 'inactive');
const orNull =
  (is: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === null || is(value);

const NEGOTIATION: Readonly<Record<string, (at: Fields) => boolean>> = {
  idle: () => true,
  answering: (at) => isText(at['tx']) && typeof at['before'] === 'boolean',
  'offering-peer': (at) => isText(at['tx']),
  'awaiting-ack': () => true,
  offering: (at) => DIRECTION(at['direction']),
  reinviting: () => true,
  accepting: () => true,
};

const isNegotiation = (value: unknown): boolean =>
  isFields(value) && isText(value['name']) && NEGOTIATION[value['name']]?.(value) === true;

const isOrigin = (value: unknown): boolean =>
  isFields(value) &&
  isText(value['session']) &&
  ['caller', 'dialled', 'number'].every((name) => typeof value[name] === 'string');

/** What the machine relies on, by field; what is not named here is carried as it is. */
const LEG: Readonly<Record<string, (value: unknown) => boolean>> = {
  control: isText,
  role: oneOf('caller', 'callee'),
  kind: oneOf('client', 'phone', 'trunk', 'service'),
  webrtc: oneOf(true, false),
  phase: oneOf('invited', 'preparing', 'calling', 'up', 'cancelling', 'over'),
  media: oneOf('none', 'asked', 'open', 'closing', 'closed'),
  codecs: isTexts,
  dtmf: oneOf('rfc4733', 'info'),
  connected: oneOf(true, false),
  signalledFrom: orNull(isText),
  negotiation: isNegotiation,
  holding: oneOf(true, false),
  stated: DIRECTION,
  source: orNull(isFields),
  presence: oneOf('here', 'away', 'returning'),
  mediaLost: oneOf(null, 'dtls', 'ice', 'rtp'),
  digits: (value) => typeof value === 'string' && /^[0-9*#A-D]*$/i.test(value),
  digitOut: oneOf(true, false),
  startedAt: isTime,
  answeredAt: orNull(isTime),
  endedAt: orNull(isTime),
  giveUpAt: orNull(isTime),
  ending: orNull(isEnding),
  stats: orNull(isFields),
  recorded: oneOf(true, false),
  service: oneOf(null, 'echo', 'tone', 'music'),
  from: orNull(isOrigin),
  transfer: oneOf(null, 'transferor', 'transferee', 'target'),
  refers: isTime,
};

function readLeg(value: unknown): Leg | null {
  if (!isFields(value) || !isText(value['id'])) return null;
  const leg = { ...newLeg(value as unknown as Parameters<typeof newLeg>[0]), codecs: [], ...value };
  const fields: Fields = leg;
  for (const [name, is] of Object.entries(LEG)) if (!is(fields[name])) return null;
  return leg;
}

const STATE: Readonly<Record<string, (state: Fields) => boolean>> = {
  routing: () => true,
  'looking-up': (state) => isTime(state['until']),
  calling: (state) => isTime(state['until']),
  answering: (state) => isText(state['peer']),
  up: (state) => isText(state['peer']) && isTime(state['until']),
  ending: (state) => isEnding(state['ending']),
};

const PLAN: Readonly<Record<string, (plan: Fields) => boolean>> = {
  refuse: (plan) => isEnding(plan['ending']),
  service: (plan) => isText(plan['service']),
  user: (plan) => isText(plan['userName']) && isTexts(plan['codecs']),
  trunk: (plan) =>
    Array.isArray(plan['trunks']) && plan['trunks'].length > 0 && plan['trunks'].every(isFields),
};

function readCall(value: Fields, settings: CallSettings): Call | null {
  const { id, program, state, legs, plan, caller, epochOffset, origin } = value;
  if (!isText(id) || program !== 'route-and-bridge' || !isTime(epochOffset)) return null;
  if (origin !== null && !isText(origin)) return null;
  if (!isFields(state) || !isText(state['name']) || STATE[state['name']]?.(state) !== true) return null;
  if (!isFields(plan) || PLAN[String(plan['to'])]?.(plan) !== true) return null;
  if (!isFields(caller) || !isText(caller['domain']) || typeof caller['number'] !== 'string') return null;
  if (typeof caller['dialled'] !== 'string' || !isTexts(caller['numbers']) || !isHeaders(caller['headers']))
    return null;
  if (caller['userName'] !== undefined && !isText(caller['userName'])) return null;
  if (!Array.isArray(legs) || legs.length === 0 || legs.length > MOST_LEGS) return null;
  const read = legs.map(readLeg);
  if (!read.every((leg) => leg !== null)) return null;
  if ('peer' in state && !read.some((leg) => leg.id === state['peer'])) return null;
  const charges = isTexts(value['charges']) ? value['charges'] : [];
  const call = {
    ...value,
    charges,
    legs: read,
    early: null,
    answerHeaders: [],
    heard: [],
    transfer: null,
    settings,
  };
  return call as unknown as Call;
}

/** Reads a line that this release or an earlier one wrote; the error says what it lacks. */
export function readEntry(value: unknown, settings: CallSettings): Result<ReadEntry, string> {
  if (!isFields(value)) return err('no record');
  if (Array.isArray(value['byes'])) {
    const { byes } = value;
    return byes.every((b) => isFields(b) && isHeaders(b['headers']))
      ? ok({ kind: 'byes', byes })
      : err('byes');
  }
  const { dialogs, early } = value;
  const call = isFields(value['call']) ? readCall(value['call'], settings) : null;
  if (call === null) return err('call');
  if (!Array.isArray(dialogs) || !dialogs.every((d) => isFields(d) && isText(d['leg'])))
    return err('dialogs');
  const known = (e: unknown) =>
    isFields(e) && isText(e['leg']) && isText(e['callId']) && isText(e['fromTag']);
  if (!Array.isArray(early) || !early.every(known)) return err('early');
  return ok({ kind: 'call', call, dialogs, early });
}
