import {
  type Check,
  type Checks,
  err,
  type Fields,
  isFields,
  isFlag,
  isNumber,
  isString,
  isText,
  listOf,
  maybe,
  ok,
  oneOf,
  orNull,
  type Result,
  recordOf,
} from '@sidetone/core';
import { type ExtraHeaders, headerProblem } from '@sidetone/sip';
import type { StayAsk } from '@sidetone/wire';
import { IDLE } from '../activity/activity.ts';
import { type Attachment, BLANK, type Branch, type Exchange, type MediaUse, PLAIN } from '../leg/branch.ts';
import type { Ending } from '../leg/ending.ts';
import type { Leg } from '../leg/leg.ts';
import type { HookSettings, OnAnswer, Program } from '../leg/program.ts';
import type { ConferencePlace } from '../place/conference-draft.ts';
import { type Asked, joinActivities, NOTHING_ASKED } from './asked.ts';
import type { EarlyDialog } from './journal.ts';
import { REST } from './journal.ts';
import { isActivities, isDetectionAsk, isGather, isPlay, isSoundAsk, named } from './read-activities.ts';

/** A line of the journal, read: snapshots are still unknown values, the user agent reads them. */
export type ReadEntry =
  | {
      readonly kind: 'leg';
      readonly leg: Leg;
      readonly dialogs: readonly { readonly branch: string; readonly dialog: unknown }[];
      readonly early: readonly EarlyDialog[];
      /** Plays and gathers of which nothing else is known. */
      readonly lost: number;
    }
  | {
      readonly kind: 'byes';
      readonly byes: readonly { readonly dialog: unknown; readonly headers: ExtraHeaders }[];
    };

const MOST_BRANCHES = 64;

export const isHeaders = (value: unknown): value is ExtraHeaders =>
  Array.isArray(value) &&
  value.every(
    (pair) =>
      Array.isArray(pair) &&
      isString(pair[0]) &&
      isString(pair[1]) &&
      headerProblem(pair[0], pair[1]) === null,
  );

export const isEnding = recordOf<Ending>({
  cause: isText,
  code: isNumber,
  sip: isNumber,
  by: oneOf('caller', 'callee', 'platform'),
  phrase: maybe(isString),
  headers: maybe(isHeaders),
});

const DIRECTION = oneOf('sendrecv', 'sendonly', 'recvonly', 'inactive');
const CODEC = oneOf('OPUS', 'PCMU', 'PCMA', 'G722');
const LOST = oneOf('dtls', 'ice', 'rtp');

const NEGOTIATION: Readonly<Record<string, (at: Fields) => boolean>> = {
  idle: () => true,
  answering: (at) => isText(at['tx']) && isFlag(at['before']),
  'offering-peer': (at) => isText(at['tx']),
  'awaiting-ack': () => true,
  offering: (at) => DIRECTION(at['direction']),
  reinviting: () => true,
  accepting: () => true,
};

const MEDIA: Checks<MediaUse> = {
  phase: oneOf('none', 'asked', 'open', 'closing', 'closed'),
  sdp: orNull(isString),
  sdpSent: isFlag,
  codec: orNull(CODEC),
  source: orNull(isFields),
  stats: orNull(isFields),
};
const EXCHANGE: Checks<Exchange> = {
  offer: orNull(isString),
  remote: orNull(isString),
  accepting: isNumber,
  connected: isFlag,
  negotiation: named(NEGOTIATION, 'name'),
  holding: isFlag,
  moved: isFlag,
  stated: DIRECTION,
};
const ATTACHMENT: Checks<Attachment> = {
  at: oneOf('here', 'away', 'returning'),
  probe: oneOf(null, 'first', 'second', 'heard'),
  probeAt: orNull(isNumber),
  renewing: isFlag,
  lost: orNull(LOST),
};

const BRANCH: Checks<Branch> = {
  id: isText,
  kind: oneOf('client', 'phone', 'trunk'),
  webrtc: isFlag,
  trunk: maybe(isText),
  codecs: listOf(CODEC),
  dtmf: oneOf('rfc4733', 'info'),
  policy: oneOf('quality', 'capacity'),
  family: oneOf(null, 4, 6),
  target: orNull(isFields),
  signalledFrom: orNull(isText),
  callee: isNumber,
  phase: oneOf('invited', 'preparing', 'calling', 'up', 'cancelling', 'over'),
  giveUpAt: orNull(isNumber),
  ending: orNull(isEnding),
  reported: isNumber,
  media: recordOf(MEDIA),
  exchange: recordOf(EXCHANGE),
  attachment: recordOf(ATTACHMENT),
  digits: recordOf<Branch['digits']>({
    waiting: (value) => isString(value) && /^[0-9*#A-Dw]*$/i.test(value),
    out: isFlag,
    until: orNull(isNumber),
  }),
};

const STATE: Readonly<Record<string, (state: Fields) => boolean>> = {
  offered: (state) => maybe(isNumber)(state['until']),
  answering: (state) => isHeaders(state['headers']),
  dialling: (state) => isNumber(state['until']) && (isNumber(state['looking']) || isFlag(state['looking'])),
  accepting: () => true,
  up: (state) => isNumber(state['until']),
  ending: (state) => isEnding(state['ending']),
};

const STAY: Checks<ConferencePlace> = {
  in: oneOf('conference'),
  id: isText,
  member: isText,
  ticket: isNumber,
  since: isNumber,
  updatedAt: isNumber,
  joined: isFlag,
  muted: isFlag,
  held: isFlag,
  hold: orNull(isText),
  role: oneOf('none', 'monitor', 'whisper', 'barge'),
  to: listOf(isText),
  beep: oneOf(null, 'always', 'never', 'on_enter', 'on_exit'),
  endOnExit: isFlag,
  softEndOnExit: isFlag,
  startOnEnter: isFlag,
};
const PLACE: Readonly<Record<string, (place: Fields) => boolean>> = {
  bridge: (place) =>
    isText(place['id']) &&
    (oneOf('a', 'b', 'next')(place['side']) ||
      (place['side'] === 'supervisor' &&
        oneOf('monitor', 'whisper', 'barge')(place['role']) &&
        isText(place['of']))),
  conference: (place) => recordOf(STAY)(place),
  queue: (place) =>
    isText(place['id']) &&
    isText(place['name']) &&
    isNumber(place['ticket']) &&
    isNumber(place['since']) &&
    orNull(isNumber)(place['until']),
  'built-in': (place) =>
    isText(place['id']) && isNumber(place['since']) && oneOf('echo', 'tone', 'music')(place['service']),
};

export const HOOK: Checks<HookSettings> = {
  url: orNull(isText),
  failover: orNull(isText),
  method: oneOf('POST', 'GET'),
  timeoutMs: orNull(isNumber),
  byEvent: (value) => isFields(value) && Object.values(value).every(isText),
  retriesMs: (value) => isFields(value) && Object.values(value).every(listOf(isNumber)),
};
const STAY_ASK: Checks<StayAsk> = {
  muted: maybe(isFlag),
  held: maybe(isFlag),
  hold: maybe(isSoundAsk),
  beep: maybe(oneOf('always', 'never', 'on_enter', 'on_exit')),
  endOnExit: maybe(isFlag),
  softEndOnExit: maybe(isFlag),
  startOnEnter: maybe(isFlag),
  role: maybe(oneOf('none', 'monitor', 'whisper', 'barge')),
  whisperTo: maybe(listOf(isText)),
};
const isConferenceAsk: Check = (ask) =>
  recordOf(STAY_ASK)(ask) &&
  isFields(ask) &&
  maybe(isFlag)(ask['earlyMedia']) &&
  maybe(isFlag)(ask['startOnCreate']) &&
  (isText(ask['conference']) || isText(ask['name']));
const PROGRAM: Checks<Program> = {
  account: isText,
  connection: orNull(isText),
  party: oneOf('pstn', 'sip'),
  incoming: oneOf(undefined, true),
  clientState: orNull(isString),
  hook: recordOf(HOOK),
  told: isNumber,
  hungUp: isFlag,
  after: oneOf('hangup', 'park'),
  limitMs: orNull(isNumber),
  firstCommandBy: orNull(isNumber),
  onAnswer: orNull(
    recordOf<OnAnswer>({
      detect: maybe(isDetectionAsk),
      digits: maybe(isString),
      play: maybe(isSoundAsk),
      bridge: maybe(isText),
      join: maybe(isConferenceAsk),
      supervise: maybe(
        recordOf<NonNullable<OnAnswer['supervise']>>({
          leg: isText,
          role: oneOf('monitor', 'whisper', 'barge'),
        }),
      ),
    }),
  ),
  referring: isFlag,
  done: listOf(recordOf<Program['done'][number]>({ id: isText, at: isNumber })),
};

/** What the machines rely on, by field: a field without a check does not compile. */
const LEG: Checks<Leg> = {
  id: isText,
  control: isText,
  session: isText,
  direction: oneOf('theirs', 'ours'),
  userName: maybe(isText),
  from: isString,
  to: isString,
  party: (value) => isFields(value) && isString(value['number']) && maybe(isString)(value['name']),
  state: named(STATE, 'name'),
  branches: listOf(recordOf(BRANCH), MOST_BRANCHES),
  main: orNull(isText),
  early: orNull(isText),
  place: orNull(named(PLACE, 'in')),
  program: orNull(recordOf(PROGRAM)),
  activities: isActivities,
  dial: (value) => value === null,
  answerHeaders: isHeaders,
  progressed: isFlag,
  rung: listOf(isNumber),
  audio: isFields,
  digitCount: isNumber,
  refers: isNumber,
  transfer: oneOf(null, 'transferor', 'transferee', 'target'),
  joined: maybe(isText),
  counts: listOf(isText),
  epochOffset: isNumber,
  startedAt: isNumber,
  answeredAt: orNull(isNumber),
  endedAt: orNull(isNumber),
};
const isLeg = recordOf(LEG);

function readBranch(value: unknown): unknown {
  if (!isFields(value)) return value;
  const part = (name: 'media' | 'exchange' | 'attachment' | 'digits') => ({
    ...BLANK[name],
    ...(isFields(value[name]) ? value[name] : {}),
  });
  return {
    ...PLAIN,
    ...value,
    media: part('media'),
    exchange: part('exchange'),
    attachment: part('attachment'),
    digits: part('digits'),
  };
}

/** A leg as it was written, or as an earlier record gives it. */
export function readLeg(value: unknown): Leg | null {
  if (!isFields(value) || !Array.isArray(value['branches'])) return null;
  const leg: unknown = {
    program: null,
    ...value,
    ...REST,
    activities: isFields(value['activities']) ? { ...IDLE, ...value['activities'] } : IDLE,
    branches: value['branches'].map(readBranch),
  };
  if (!isLeg(leg)) return null;
  const read = leg as Leg;
  const { main } = read;
  return main === null || read.branches.some(({ id }) => id === main) ? read : null;
}

/** BYEs that were on their way; of this release and of the one before alike. */
export function readByes({ byes }: Fields): Result<ReadEntry, string> {
  return Array.isArray(byes) && byes.every((bye) => isFields(bye) && isHeaders(bye['headers']))
    ? ok({ kind: 'byes', byes })
    : err('byes');
}

/** Reads a line that this release wrote, with what was asked of its leg; the error says what it lacks. */
export function readEntry(value: unknown, asked: Asked = NOTHING_ASKED): Result<ReadEntry, string> {
  if (!isFields(value)) return err('no record');
  if ('byes' in value) return readByes(value);
  const written = value['leg'];
  const active = isFields(written) ? written['activities'] : undefined;
  const { activities, lost } = isFields(active)
    ? joinActivities(active, asked, { isPlay, isGather })
    : { activities: IDLE, lost: 0 };
  const leg = readLeg(isFields(written) ? { ...written, activities } : written);
  if (leg === null) return err('leg');
  const { dialogs, early } = value;
  if (!Array.isArray(dialogs) || !dialogs.every((d) => isFields(d) && isText(d['branch'])))
    return err('dialogs');
  const known = recordOf<EarlyDialog>({ branch: isText, callId: isText, fromTag: isText });
  if (!Array.isArray(early) || !early.every(known)) return err('early');
  return ok({ kind: 'leg', leg, dialogs, early, lost });
}
