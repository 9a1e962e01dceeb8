import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '@sidetone/core';
import {
  createErrorResponse,
  type NameAddr,
  parseMessage,
  type SipMessage,
  type Uri,
  writeMessage,
} from '@sidetone/sip';
import fc from 'fast-check';

const lines = (...more: string[]): string =>
  [
    'OPTIONS sip:b@example.com SIP/2.0',
    'Via: SIP/2.0/UDP h;branch=z9hG4bK1',
    'From: <sip:a@h>;tag=1',
    'To: <sip:b@h>',
    'Call-ID: c',
    'CSeq: 1 OPTIONS',
    ...more,
    '',
    '',
  ].join('\r\n');
// ---- generated messages

const word = (chars: string, min = 1, max = 12) =>
  fc.array(fc.constantFrom(...chars), { minLength: min, maxLength: max }).map((a) => a.join(''));
const token = word("abcXYZ019-.!%*_+`'~");
const host = fc.oneof(
  word('abcxyz019').map((w) => `${w}.example`),
  fc.constant('2001:db8::1'),
  fc.constant('192.0.2.1'),
);
const paramValue = fc.oneof(fc.constant(''), token, fc.constant('"a; \\"b\\", c"'));
const params = fc
  .array(
    fc.tuple(
      token.map((t) => t.toLowerCase()),
      paramValue,
    ),
    { maxLength: 3 },
  )
  .map((pairs) => Object.fromEntries(pairs));
const uriParams = fc
  .array(fc.tuple(word('abcxyz01-'), fc.oneof(fc.constant(''), word('abc019-%'))), { maxLength: 3 })
  .map((pairs) => Object.fromEntries(pairs));
const optional = <T>(name: string, value: fc.Arbitrary<T>) =>
  fc.option(value, { nil: undefined }).map((v) => (v === undefined ? {} : { [name]: v }));
const uri: fc.Arbitrary<Uri> = fc
  .tuple(
    fc.constantFrom('sip', 'sips'),
    optional('user', word('abc019+;=?/&$,.~%_-')),
    host,
    optional('port', fc.nat(65535)),
    uriParams,
    optional('headers', word('abc=&%')),
  )
  .map(([scheme, user, h, port, p, headers]) => ({
    scheme,
    ...user,
    host: h,
    ...port,
    params: p,
    ...headers,
  }));
const requestUri = uri.map(({ headers: _, ...rest }) => rest);
const display = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .filter((s) => !/[\p{Cc}\ufffd]/u.test(s) && s.isWellFormed());
const nameAddr: fc.Arbitrary<NameAddr> = fc
  .tuple(optional('displayName', display), uri, params)
  .map(([d, u, p]) => ({ ...d, uri: u, params: p }));
const via = fc
  .tuple(fc.constantFrom('UDP', 'TCP', 'LOCAL'), host, optional('port', fc.nat(65535)), params)
  .map(([transport, h, port, p]) => ({ transport, host: h, ...port, params: p }));
const text = fc
  .string({ maxLength: 20 })
  .map((s) => s.replace(/[\r\n\0]/g, '').trim())
  .filter((s) => s.isWellFormed());
const extra = fc.array(
  fc.tuple(fc.constantFrom('X-Foo', 'Subject', 'Reason', 'x-lower', 'User-Agent'), text),
  { maxLength: 4 },
);
const message: fc.Arbitrary<SipMessage> = fc
  .record({
    kind: fc.constantFrom('request' as const, 'response' as const),
    method: token,
    uri: requestUri,
    status: fc.integer({ min: 100, max: 699 }),
    reason: text,
    via: fc.array(via, { minLength: 1, maxLength: 3 }),
    from: nameAddr,
    to: nameAddr,
    callId: word('abc019@.<>-"'),
    seq: fc.integer({ min: 0, max: 0xffffffff }),
    maxForwards: optional('maxForwards', fc.nat(255)),
    contact: fc.oneof(fc.constant('*' as const), fc.array(nameAddr, { maxLength: 3 })),
    route: fc.array(nameAddr, { maxLength: 2 }),
    recordRoute: fc.array(nameAddr, { maxLength: 2 }),
    contentType: optional('contentType', fc.constant('application/sdp;charset=utf-8')),
    other: extra,
    body: fc.uint8Array({ maxLength: 40 }),
  })
  .map((m) => {
    const { via: v, from, to, callId, contact, route, recordRoute, other } = m;
    const cseq = { seq: m.seq, method: m.method };
    const headers = {
      via: v,
      from,
      to,
      callId,
      cseq,
      contact,
      route,
      recordRoute,
      other,
      ...m.maxForwards,
      ...m.contentType,
    };
    return m.kind === 'request'
      ? { kind: 'request', method: m.method, uri: m.uri, headers, body: m.body }
      : { kind: 'response', status: m.status, reason: m.reason, headers, body: m.body };
  });

const plain = (m: SipMessage) => ({ ...m, body: [...m.body], headers: { ...m.headers } });

test('parse∘write is the identity', () => {
  fc.assert(
    fc.property(message, (m) => {
      const parsed = parseMessage(writeMessage(m));
      assert.ok(parsed.ok, parsed.ok ? '' : `${parsed.error.reason}\n${Buffer.from(writeMessage(m))}`);
      assert.deepEqual(plain(parsed.value), plain(m));
    }),
    { seed: 1, numRuns: 1000 },
  );
});

// ---- mutations

const DATA = fileURLToPath(new URL('../../../../shared/data/', import.meta.url));
const corpus: Uint8Array[] = [
  Buffer.from(lines('Contact: "A" <sip:a@b>;q=1', 'Route: <sip:p;lr>, <sip:q;lr>', 'Content-Length: 0')),
];
if (existsSync(DATA))
  for (const folder of ['rfc4475', 'rfc5118'])
    for (const file of readdirSync(`${DATA}${folder}`)) corpus.push(readFileSync(`${DATA}${folder}/${file}`));

test('mutated messages: an answer for each, and what is accepted can be written and read again', () => {
  const random = seededRandom(42);
  const spice = [
    '\r\n',
    '\r',
    '\n',
    '\0',
    ' ',
    ';',
    ',',
    '"',
    '<',
    '>',
    ':',
    '@',
    '\\',
    '%',
    '[',
    ']',
    '=',
    'é',
    'Via: ',
    '99999999999',
  ];
  let accepted = 0;
  for (let i = 0; i < 30_000; i++) {
    let bytes = Buffer.from(corpus[random.int(corpus.length)]!);
    for (let n = random.int(4); n >= 0; n--) {
      const at = random.int(bytes.length + 1);
      const kind = random.int(4);
      if (kind === 0 && at < bytes.length) bytes[at] = random.int(256);
      else if (kind === 1)
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(spice[random.int(spice.length)]!),
          bytes.subarray(at),
        ]);
      else if (kind === 2)
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.int(20))]);
      else bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(random.int(bytes.length + 1))]);
    }
    const parsed = parseMessage(bytes);
    if (!parsed.ok) {
      const response = createErrorResponse(parsed.error, 't');
      if (response !== null) writeMessage(response);
      continue;
    }
    accepted += 1;
    const again = parseMessage(writeMessage(parsed.value));
    assert.ok(again.ok, again.ok ? '' : `${again.error.reason}\n${bytes}`);
    assert.deepEqual(plain(again.value), plain(parsed.value));
  }
  assert.ok(accepted > 1000);
});

test('hostile shapes of full size get an answer', () => {
  const big = 64_000;
  for (const text of [
    ' '.repeat(big),
    '\r\n'.repeat(big / 2),
    lines(`X: ${' '.repeat(big)}`),
    lines('X: a\r\n '.repeat(big / 7)),
    lines(`Contact: ${'"'.repeat(16_000)}`),
    lines(`Contact: ${'<'.repeat(16_000)}`),
    lines(`Contact: ${'a '.repeat(8_000)}`),
    lines(`Contact: ${'sip:a@b,'.repeat(2_000)}`),
    lines(`Via: SIP/2.0/UDP h${';a=b'.repeat(4_000)}`),
    ...Array.from('":<,;@%', (c) => c.repeat(big)),
  ])
    parseMessage(Buffer.from(text));
});
