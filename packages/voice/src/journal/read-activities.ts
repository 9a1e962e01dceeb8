import {
  type Check,
  type Fields,
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
  EventConference,
  ForkAsk,
  ForkTarget,
  MachineDetectionAsk,
  RecordAsk,
  StreamAsk,
  StreamBack,
  TranscribeAsk,
} from '@sidetone/wire';
import {
  type Activities,
  type Detection,
  type Forking,
  type Gather,
  MOST_PLAYS,
  type Play,
  type Recording,
  type Stream,
  type Transcribing,
} from '../activity/activity.ts';

/* What a leg does beside talking, as it is written. */

/** A record whose other fields depend on one of them. */
export const named =
  (table: Readonly<Record<string, (at: Fields) => boolean>>, name: string): Check =>
  (value) =>
    isFields(value) && isText(value[name]) && Object.hasOwn(table, value[name]) && table[value[name]]!(value);

const SOUND_ASK: Readonly<Record<string, (ask: Fields) => boolean>> = {
  url: ({ url }) => isText(url),
  media: ({ name }) => isText(name),
  content: ({ content }) => isText(content),
  speech: ({ text, voice, ssml, language }) =>
    isText(text) && isString(voice) && maybe(isFlag)(ssml) && maybe(isString)(language),
};
export const isSoundAsk = named(SOUND_ASK, 'kind');
export const isDetectionAsk = recordOf<MachineDetectionAsk>({
  mode: oneOf('detect', 'detect_beep', 'detect_words', 'greeting_end', 'premium'),
  totalMs: isNumber,
  initialSilenceMs: isNumber,
  greetingMs: isNumber,
  afterGreetingSilenceMs: isNumber,
  maxWords: isNumber,
  greetingTotalMs: isNumber,
  greetingSilenceMs: isNumber,
});
const isDetection = recordOf<Detection>({
  ask: isDetectionAsk,
  state: oneOf('listening', 'greeting'),
  began: isNumber,
  spokeAt: orNull(isNumber),
  quietAt: orNull(isNumber),
  words: isNumber,
  until: isNumber,
});

export const isPlay = recordOf<Play>({
  id: isText,
  state: oneOf('preparing', 'ready', 'playing'),
  ask: orNull(isSoundAsk),
  file: orNull(isText),
  loop: orNull(isNumber),
  told: oneOf('speech', 'media'),
  media: recordOf<Play['media']>({ url: maybe(isText), name: maybe(isText), overlay: isFlag }),
  of: maybe(recordOf<EventConference>({ conference: isText, creator: isText })),
});
export const isGather = recordOf<Gather>({
  id: isText,
  ask: recordOf<Gather['ask']>({
    gatherId: maybe(isText),
    minDigits: isNumber,
    maxDigits: isNumber,
    timeoutMs: isNumber,
    initialMs: isNumber,
    interDigitMs: isNumber,
    terminating: orNull(isText),
    valid: isString,
    tries: isNumber,
    prompt: maybe(isSoundAsk),
    invalidPrompt: maybe(isSoundAsk),
  }),
  state: oneOf('prompting', 'collecting'),
  digits: isString,
  tries: isNumber,
  until: orNull(isNumber),
  allBy: orNull(isNumber),
});
const TRACK = oneOf('inbound', 'outbound', 'both');
const STREAM_CODEC = oneOf('PCMU', 'PCMA', 'G722', 'OPUS', 'L16');
const isStream = recordOf<Stream>({
  id: isText,
  ask: recordOf<StreamAsk>({
    url: isText,
    token: maybe(isString),
    track: TRACK,
    codec: maybe(STREAM_CODEC),
    rate: oneOf(8000, 16_000, 24_000, 48_000),
    bigEndian: maybe(isFlag),
    back: maybe(
      recordOf<StreamBack>({
        mode: oneOf('rtp', 'mp3'),
        codec: STREAM_CODEC,
        rate: oneOf(8000, 16_000, 22_050, 24_000, 48_000),
        target: oneOf('self', 'opposite', 'both'),
      }),
    ),
    reconnects: maybe(isFlag),
  }),
  parameters: listOf((pair) => Array.isArray(pair) && isString(pair[0]) && isString(pair[1])),
  branch: orNull(isText),
  state: oneOf('asked', 'connecting', 'beginning', 'open'),
});
const isRecordAsk = recordOf<RecordAsk>({
  format: oneOf('wav', 'mp3'),
  channels: oneOf(1, 2),
  track: oneOf('both', 'inbound', 'outbound'),
  beep: maybe(isFlag),
  maxMs: maybe(isNumber),
  silenceMs: maybe(isNumber),
  trim: maybe(isFlag),
  fileName: maybe(isText),
});
export const isRecording = recordOf<Recording>({
  id: isText,
  state: oneOf('waiting', 'starting', 'running', 'paused'),
  ask: isRecordAsk,
  by: oneOf('StartCallRecordingAPI', 'OutboundAPI', 'StartConferenceRecordingAPI'),
  startedAt: orNull(isNumber),
});
const isTranscribing = recordOf<Transcribing>({
  id: isText,
  ask: recordOf<TranscribeAsk>({ tracks: TRACK, language: maybe(isString), interim: maybe(isFlag) }),
  state: oneOf('asked', 'on', 'stopping'),
});
const forkTarget = recordOf<ForkTarget>({ address: isText, port: isNumber });
const isForking = recordOf<Forking>({
  id: isText,
  ask: recordOf<ForkAsk>({ rx: maybe(forkTarget), tx: maybe(forkTarget) }),
  state: oneOf('asked', 'beginning', 'on'),
});
export const isActivities = recordOf<Activities>({
  plays: listOf(isPlay, MOST_PLAYS),
  overlay: orNull(isPlay),
  gather: orNull(isGather),
  detection: orNull(isDetection),
  stream: orNull(isStream),
  transcription: orNull(isTranscribing),
  fork: orNull(isForking),
  recording: orNull(isRecording),
});
