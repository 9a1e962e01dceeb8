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
  'call.machine.detection.ended': { result: text },
  'call.machine.greeting.ended': { result: text },
  'call.machine.premium.detection.ended': { result: text },
  'call.machine.premium.greeting.ended': { result: text },
  'call.refer.started': {},
  'call.refer.completed': { sip_notify_response: (value) => value >= 200 && value < 300 },
  'call.refer.failed': { sip_notify_response: (value) => value >= 300 },
  'call.sip_info.received': { content_type: text, body: anyText },
};

/** Throws a sentence when an event is not as documented. */
export function conforms(event: Json): void {
  const { data, meta } = event;
  assert.deepEqual(Object.keys(event).sort(), ['data', 'meta']);
  assert.deepEqual(Object.keys(data).sort(), ['event_type', 'id', 'occurred_at', 'payload', 'record_type']);
  assert.equal(data.record_type, 'event');
  assert.ok(uuid(data.id), `id ${data.id}`);
  assert.ok(time(data.occurred_at), `occurred_at ${data.occurred_at}`);
  assert.deepEqual(Object.keys(meta).sort(), ['attempt', 'delivered_to']);
  const own = EVENTS[data.event_type];
  assert.ok(own !== undefined, `${data.event_type} is no documented event`);
  const fields = new Set<string>();
  for (const [key, check] of Object.entries({ ...BASE, ...own })) {
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
