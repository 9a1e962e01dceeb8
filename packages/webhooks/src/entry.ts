import {
  type Check,
  type Checks,
  isFields,
  isFlag,
  isNumber,
  isString,
  isText,
  listOf,
  maybe,
  oneOf,
  orNull,
  recordOf,
} from '@sidetone/core';
import type {
  CallEvent,
  CallNews,
  EventConference,
  EventLeg,
  Hook,
  LegStats,
  PlayedMedia,
  SavedRecording,
  StreamedAs,
} from '@sidetone/wire';

/** What the journal keeps of an event until it is stored and told. */
export interface Entry {
  readonly version: 1;
  readonly event: CallEvent;
  /** Nothing more is tried; only the store has to have it yet. */
  readonly settled: boolean;
  /** Tries before; of an event that is told once more. */
  readonly attempts: number;
}

export const keyOf = (id: string): string => `event ${id}`;

/** What a date can tell (ECMA-262 §21.4.1.1). */
const isTime: Check = (value) => isNumber(value) && Math.abs(value) <= 8.64e15;

const hook = recordOf<Hook>({
  url: isString,
  failover: orNull(isString),
  method: oneOf('POST', 'GET'),
  timeoutMs: orNull(isNumber),
  retriesMs: orNull(listOf(isNumber)),
});
const leg = recordOf<EventLeg>({
  control: isText,
  leg: isText,
  session: isText,
  connection: orNull(isString),
  from: isString,
  to: isString,
  direction: oneOf('incoming', 'outgoing'),
  party: oneOf('pstn', 'sip'),
  startedAt: isTime,
});
const headers = listOf((value) => Array.isArray(value) && value.length === 2 && value.every(isString));
const codec = oneOf('OPUS', 'PCMU', 'PCMA', 'G722');
const media = recordOf<PlayedMedia>({ url: maybe(isString), name: maybe(isString), overlay: isFlag });
const stream = recordOf<StreamedAs>({ id: isText, url: isText, track: oneOf('inbound', 'outbound', 'both') });
/** What is shown of them. */
const stats = recordOf<
  Pick<LegStats, 'packetsReceived' | 'packetsSent' | 'packetsLost' | 'jitterMs' | 'rttMs'>
>({
  packetsReceived: isNumber,
  packetsSent: isNumber,
  packetsLost: isNumber,
  jitterMs: isNumber,
  rttMs: maybe(isNumber),
});

const recording = recordOf<SavedRecording>({
  id: isText,
  format: oneOf('wav', 'mp3'),
  channels: oneOf(1, 2),
  startedAt: isTime,
  endedAt: isTime,
  url: isText,
});
const conference: Checks<EventConference> = { conference: isText, creator: isText };

type News<T extends CallNews['type']> = Extract<CallNews, { type: T }>;
/** A field of a new kind of news without a check does not compile. */
const NEWS: { readonly [T in CallNews['type']]: Checks<Omit<News<T>, 'type'>> } = {
  initiated: {
    state: oneOf('parked', 'bridging'),
    callerName: orNull(isString),
    fromUri: orNull(isString),
    toUri: orNull(isString),
    headers,
    offeredCodecs: listOf(isString),
    connectionCodecs: listOf(codec),
  },
  answered: { codec: orNull(codec), headers, stream: maybe(stream) },
  bridged: {},
  held: {},
  unheld: {},
  hangup: {
    cause: isText,
    sip: isString,
    source: oneOf('caller', 'callee', 'unknown'),
    headers,
    quality: orNull(stats),
  },
  digit: { digit: isString },
  playStarted: { media },
  playEnded: { media, status: isText, detail: isString },
  speakStarted: {},
  speakEnded: { status: isText },
  gathered: { digits: isString, status: isText, gatherId: orNull(isString) },
  machineDetected: { result: isText },
  greetingEnded: { result: isText },
  premiumMachineDetected: { result: isText },
  premiumGreetingEnded: { result: isText },
  transcript: {
    track: oneOf('inbound', 'outbound'),
    text: isString,
    final: isFlag,
    confidence: orNull(isNumber),
  },
  forkStarted: {},
  forkStopped: {},
  streamStarted: { stream },
  streamStopped: { stream },
  streamFailed: { stream, reason: isString },
  recorded: { recording },
  recordFailed: { id: isText, problem: isText },
  enqueued: { queue: isText, position: isNumber, averageWaitSecs: isNumber },
  dequeued: {
    queue: isText,
    position: isNumber,
    waitSecs: isNumber,
    reason: oneOf('bridged', 'bridging-in-process', 'hangup', 'leave', 'timeout'),
  },
  referStarted: {},
  referCompleted: { status: isNumber },
  referFailed: { status: isNumber },
  infoReceived: { contentType: isString, body: isString },
  conferenceCreated: { conference: isText },
  conferenceEnded: { conference: isText, reason: isText },
  conferencePlayStarted: { ...conference, media },
  conferencePlayEnded: { ...conference, media, status: isText },
  conferenceSpeakStarted: conference,
  conferenceSpeakEnded: { ...conference, status: isText },
  conferenceRecorded: { conference: isText, recording },
  floorChanged: { conference: isText },
  joined: { conference: isText },
  left: { conference: isText },
  memberPlayStarted: { ...conference, media },
  memberPlayEnded: { ...conference, media, status: isText },
  memberSpeakStarted: conference,
  memberSpeakEnded: { ...conference, status: isText },
};

const news: Check = (value) => {
  if (!isFields(value) || !Object.hasOwn(NEWS, String(value['type']))) return false;
  const checks = NEWS[value['type'] as CallNews['type']] as Checks<object>;
  return recordOf(checks)(value);
};

const event = recordOf<CallEvent>({
  id: isText,
  lane: isText,
  n: isNumber,
  at: isTime,
  account: isText,
  leg,
  clientState: orNull(isString),
  hook: orNull(hook),
  what: news,
});

/** The event, when it is whole. */
export const eventOf = (value: unknown): CallEvent | null => (event(value) ? (value as CallEvent) : null);

export function entryOf(value: unknown): Entry | null {
  if (!isFields(value) || value['version'] !== 1) return null;
  const whole = eventOf(value['event']);
  if (whole === null) return null;
  const attempts = value['attempts'];
  return {
    version: 1,
    event: whole,
    settled: value['settled'] === true,
    attempts: isNumber(attempts) && attempts > 0 ? attempts : 0,
  };
}
