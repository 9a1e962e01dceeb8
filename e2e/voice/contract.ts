import assert from 'node:assert/strict';
import type { Json } from './back-end.ts';

/** What docs/webhooks.md promises of every payload: the fields of each event, no more and no less. */
type Check = (value: Json) => boolean;

const text: Check = (value) => typeof value === 'string' && value !== '';
const anyText: Check = (value) => typeof value === 'string';
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const is =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);
const count: Check = (value) => Number.isInteger(value) && value >= 0;
const bool: Check = (value) => typeof value === 'boolean';
const matches =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value);
const uuid = matches(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
const time = matches(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
const base64 = matches(/^[A-Za-z0-9+/]+=*$/);
const headers: Check = (value) =>
  Array.isArray(value) && value.every((one) => text(one.name) && anyText(one.value));
const codecs = matches(/^(\w+(,\w+)*)?$/);
const texts: Check = (value) => Object.values(value).every((one) => typeof one === 'string');
const quality: Check = (value) =>
  texts(value.inbound) && texts(value.outbound) && Number(value.inbound.mos) >= 0;

const BASE: Readonly<Record<string, Check>> = {
  call_control_id: matches(/^v3:/),
  call_leg_id: uuid,
  call_session_id: uuid,
  connection_id: matches(/^\d+$/),
  client_state: orNull(base64),
  from: text,
  to: text,
  calling_party_type: is('pstn', 'sip'),
};

const HEADERS = { custom_headers: headers, sip_headers: headers };
const tags: Check = (value) => Array.isArray(value);
const MEDIA = { 'media_url?': text, 'media_name?': text, overlay: bool };

const RECORDED: Readonly<Record<string, Check>> = {
  recording_id: uuid,
  channels: is('single', 'dual'),
  format: is('wav', 'mp3'),
  recording_started_at: time,
  recording_ended_at: time,
  recording_urls: (value) =>
    Object.entries(value).every(([format, url]) => /^(wav|mp3)$/.test(format) && text(url)),
  public_recording_urls: (value) => Object.keys(value).length === 0,
};

/** By the name of the event; a field with `?` may be absent. */
export const EVENTS: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  'call.initiated': {
    direction: is('incoming', 'outgoing'),
    state: is('parked', 'bridging'),
    start_time: time,
    caller_id_name: orNull(anyText),
    from_sip_uri: orNull(text),
    to_sip_uri: orNull(text),
    ...HEADERS,
    offered_codecs: codecs,
    connection_codecs: codecs,
    shaken_stir_attestation: orNull(text),
    shaken_stir_validated: bool,
    call_screening_result: orNull(text),
    tags,
  },
  'call.answered': {
    state: is('answered'),
    start_time: time,
    ...HEADERS,
    codec: orNull(text),
    sampling_rate: orNull((value) => typeof value === 'number'),
    'stream_url?': text,
    'stream_track?': is('inbound_track', 'outbound_track', 'both_tracks'),
    tags,
  },
  'call.fork.started': { stream_type: is('decrypted') },
  'call.fork.stopped': { stream_type: is('decrypted') },
  'call.transcription': {
    transcription_data: (value) =>
      text(value.transcript) &&
      bool(value.is_final) &&
      is('inbound', 'outbound')(value.transcription_track) &&
      orNull((share) => share >= 0 && share <= 1)(value.confidence),
  },
  'streaming.started': { stream_url: text, stream_id: uuid },
  'streaming.stopped': { stream_url: text, stream_id: uuid },
  'streaming.failed': {
    failure_reason: text,
    stream_id: uuid,
    stream_type: is('websocket'),
    stream_params: texts,
  },
  'call.bridged': { state: is('bridged') },
  'call.hangup': {
    state: is('hangup'),
    start_time: time,
    hangup_cause: text,
    hangup_source: is('caller', 'callee', 'unknown'),
    sip_hangup_cause: text,
    call_quality_stats: orNull(quality),
    ...HEADERS,
    tags,
  },
  'call.hold': {},
  'call.unhold': {},
  'call.dtmf.received': { digit: matches(/^[0-9A-D*#]$/) },
  'call.gather.ended': {
    digits: matches(/^[0-9A-D*#]*$/),
    status: is('valid', 'invalid', 'timeout', 'call_hangup', 'cancelled'),
    'gather_id?': text,
  },
  'call.playback.started': MEDIA,
  'call.playback.ended': {
    ...MEDIA,
    status: is('completed', 'cancelled', 'call_hangup', 'file_not_found', 'failed'),
    status_detail: anyText,
  },
  'call.speak.started': {},
  'call.speak.ended': { status: is('completed', 'cancelled', 'call_hangup', 'failed') },
  'call.enqueued': { queue: text, current_position: count, queue_avg_wait_time_secs: count },
  'call.dequeued': {
    queue: text,
    queue_position: count,
    wait_time_secs: count,
    reason: is('bridged', 'bridging-in-process', 'hangup', 'leave', 'timeout'),
  },
  'call.machine.detection.ended': { result: text },
  'call.machine.greeting.ended': { result: text },
  'call.machine.premium.detection.ended': { result: text },
  'call.machine.premium.greeting.ended': { result: text },
  'call.recording.saved': RECORDED,
  'call.recording.error': { recording_id: uuid, reason: text },
  'call.refer.started': {},
  'call.refer.completed': { sip_notify_response: (value) => value >= 200 && value < 300 },
  'call.refer.failed': { sip_notify_response: (value) => value >= 300 },
  'call.sip_info.received': { content_type: text, body: anyText },
};

const CONFERENCE: Readonly<Record<string, Check>> = {
  conference_id: uuid,
  connection_id: matches(/^\d+$/),
  occurred_at: time,
};
const PARTY: Readonly<Record<string, Check>> = {
  ...CONFERENCE,
  call_control_id: matches(/^v3:/),
  call_leg_id: uuid,
  call_session_id: uuid,
  client_state: orNull(base64),
};
const CREATOR = { creator_call_session_id: uuid };
const PLAYED = { 'media_url?': text, 'media_name?': text };
const STATUS = { status: is('completed', 'cancelled', 'call_hangup', 'file_not_found', 'failed') };

/** What docs/conferences.md promises: all fields. */
const CONFERENCES: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  'conference.created': PARTY,
  'conference.ended': {
    ...PARTY,
    reason: is('all_left', 'ended_via_api', 'host_left', 'time_exceeded'),
  },
  'conference.participant.joined': PARTY,
  'conference.participant.left': PARTY,
  'conference.playback.started': { ...CONFERENCE, ...CREATOR, ...PLAYED },
  'conference.playback.ended': { ...CONFERENCE, ...CREATOR, ...PLAYED, ...STATUS },
  'conference.speak.started': { ...CONFERENCE, ...CREATOR },
  'conference.speak.ended': { ...CONFERENCE, ...CREATOR, ...STATUS },
  'conference.participant.playback.started': { ...PARTY, ...CREATOR, ...PLAYED },
  'conference.participant.playback.ended': { ...PARTY, ...CREATOR, ...PLAYED, ...STATUS },
  'conference.participant.speak.started': { ...PARTY, ...CREATOR },
  'conference.participant.speak.ended': { ...PARTY, ...CREATOR, ...STATUS },
  'conference.recording.saved': { ...PARTY, ...RECORDED },
  'conference.floor.changed': PARTY,
};

/** Throws a sentence when an event is not as documented. */
export function conforms(event: Json): void {
  const { data, meta } = event;
  const { data: _, meta: __, ...beside } = event;
  // This one is told both ways.
  assert.deepEqual(beside, data.event_type === 'conference.floor.changed' ? data : {});
  assert.deepEqual(Object.keys(data).sort(), ['event_type', 'id', 'occurred_at', 'payload', 'record_type']);
  assert.equal(data.record_type, 'event');
  assert.ok(uuid(data.id), `id ${data.id}`);
  assert.ok(time(data.occurred_at), `occurred_at ${data.occurred_at}`);
  assert.deepEqual(Object.keys(meta).sort(), ['attempt', 'delivered_to']);
  const own = CONFERENCES[data.event_type] ?? { ...BASE, ...EVENTS[data.event_type] };
  assert.ok(
    Object.hasOwn(EVENTS, data.event_type) || Object.hasOwn(CONFERENCES, data.event_type),
    `${data.event_type} is no documented event`,
  );
  const fields = new Set<string>();
  for (const [key, check] of Object.entries(own)) {
    const optional = key.endsWith('?');
    const name = optional ? key.slice(0, -1) : key;
    fields.add(name);
    const value = data.payload[name];
    if (value === undefined && optional) continue;
    assert.ok(value !== undefined && check(value), `${data.event_type}: ${name} is ${JSON.stringify(value)}`);
  }
  const more = Object.keys(data.payload).filter((name) => !fields.has(name));
  assert.deepEqual(more, [], `${data.event_type}: fields that nobody documents`);
}
