import assert from 'node:assert/strict';

// biome-ignore lint/suspicious/noExplicitAny: a test looks into frames as deep as it likes
type Fields = Readonly<Record<string, any>>;

export interface Frame {
  readonly jsonrpc?: string;
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: Fields;
  readonly result?: Fields;
  readonly error?: { readonly code: number; readonly message: string };
  readonly voice_sdk_id?: string;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** What the strictest published parsers demand of any frame of a server. */
export function checkFrame(text: string): Frame {
  const frame = JSON.parse(text) as Frame;
  assert.equal(frame.jsonrpc, '2.0', text);
  assert.ok(!/[:,[]null[,}\]]/.test(text), `no null: ${text}`);
  assert.ok(
    frame.voice_sdk_id !== undefined && typeof frame.voice_sdk_id === 'string',
    `voice_sdk_id: ${text}`,
  );
  if (frame.method !== undefined) {
    assert.ok(Number.isInteger(frame.id), `integer id: ${text}`);
    assert.ok(frame.result === undefined && frame.error === undefined, text);
    assert.ok(frame.params !== undefined && !Array.isArray(frame.params), text);
    assert.equal('state' in frame.params!, false, `params.state means a gateway state: ${text}`);
  } else if (frame.error !== undefined) {
    assert.ok(Number.isInteger(frame.error.code) && typeof frame.error.message === 'string', text);
  } else {
    assert.ok(typeof frame.result === 'object' && !Array.isArray(frame.result), text);
    if ('params' in frame.result!) assert.equal(typeof frame.result!['sessid'], 'string', text);
  }
  const params = frame.params ?? {};
  for (const key of ['callID', 'telnyx_session_id', 'telnyx_leg_id'])
    if (key in params) assert.match(String(params[key]), UUID, `${key}: ${text}`);
  if ('dialogParams' in params) {
    assert.ok(Array.isArray(params['dialogParams'].custom_headers), `custom_headers: ${text}`);
    assert.equal('userVariables' in params['dialogParams'], false, text);
  }
  const { method } = frame;
  if (method === 'telnyx_rtc.ringing' || method === 'telnyx_rtc.invite' || method === 'telnyx_rtc.answer')
    for (const key of ['telnyx_session_id', 'telnyx_leg_id', 'callID'])
      assert.equal(typeof params[key], 'string', `${key}: ${text}`);
  if (method === 'telnyx_rtc.ringing' || method === 'telnyx_rtc.invite')
    for (const key of ['caller_id_name', 'caller_id_number'])
      assert.equal(typeof params[key], 'string', `${key}: ${text}`);
  if (method === 'telnyx_rtc.invite') assert.equal(typeof params['sdp'], 'string', text);
  if (method === 'telnyx_rtc.bye') {
    assert.ok(typeof params['cause'] === 'string' && params['cause'] !== '', text);
    assert.ok(Number.isInteger(params['causeCode']) && Number.isInteger(params['sipCode']), text);
  }
  return frame;
}
