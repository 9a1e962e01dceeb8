import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFramer, type FramerEvent, LIMITS } from '@sidetone/sip';

const message = (n: number, body = '', length: string | null = String(Buffer.byteLength(body))): Buffer =>
  Buffer.from(
    `OPTIONS sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK${n}\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n` +
      `Call-ID: ${n}\r\nCSeq: 1 OPTIONS\r\n${length === null ? '' : `l: ${length}\r\n`}\r\n${body}`,
  );
const show = (events: readonly FramerEvent[]): string[] =>
  events.map((e) =>
    e.type === 'message'
      ? `${e.message.headers.callId}:${e.message.body.length}`
      : e.type === 'fatal' || e.type === 'malformed'
        ? `${e.type} ${e.error.status}`
        : e.type,
  );

test('messages in any cut', () => {
  const stream = Buffer.concat([message(1, 'héllo\r\n\r\nx'), message(2), message(3, 'z'.repeat(3000))]);
  for (const size of [1, 2, 3, 7, 64, 500, 100_000]) {
    const framer = createFramer();
    const seen: string[] = [];
    for (let i = 0; i < stream.length; i += size)
      seen.push(...show(framer.push(stream.subarray(i, i + size))));
    assert.deepEqual(seen, ['1:11', '2:0', '3:3000'], `cut by ${size}`);
    assert.equal(framer.pending, 0);
  }
});

test('a kept message does not change when the buffer is used again', () => {
  const framer = createFramer();
  const bytes = message(1, 'first');
  const [event] = framer.push(bytes);
  bytes.fill(0);
  framer.push(message(2, 'second'));
  assert.ok(event?.type === 'message');
  assert.equal(Buffer.from(event.message.body).toString(), 'first');
});

test('keep-alives between messages', () => {
  const framer = createFramer();
  assert.deepEqual(show(framer.push(Buffer.from('\r\n\r\n'))), ['ping']);
  assert.deepEqual(show(framer.push(Buffer.from('\r\n'))), ['pong']);
  assert.deepEqual(show(framer.push(Buffer.concat([Buffer.from('\r\n\r\n'), message(1)]))), ['ping', '1:0']);
});

test('a malformed message of known length is skipped', () => {
  const framer = createFramer();
  const bad = Buffer.from(message(1).toString().replace('CSeq: 1 OPTIONS', 'CSeq: 1 INVITE'));
  assert.deepEqual(show(framer.push(Buffer.concat([bad, message(2)]))), ['malformed 400', '2:0']);
});

for (const [name, bytes] of [
  ['missing', message(1, '', null)],
  ['negative', message(1, '', '-1')],
  ['not a number', message(1, '', 'five')],
  ['2^31', message(1, '', '2147483648')],
  ['twice', Buffer.from(message(1).toString().replace('l: 0', 'l: 0\r\nContent-Length: 0'))],
  ['empty', message(1, '', '')],
] as const)
  test(`Content-Length ${name}: the stream is lost, the request can be answered`, () => {
    const framer = createFramer();
    const events = framer.push(bytes);
    assert.deepEqual(show(events), ['fatal 400']);
    const [event] = events;
    assert.ok(event?.type === 'fatal' && event.error.salvaged.via !== undefined && event.error.salvaged.cseq);
    assert.deepEqual(framer.push(message(2)), []);
    assert.equal(framer.pending, 0);
  });

test('Content-Length in any spelling, among names like it', () => {
  const plain = message(1, 'body').toString();
  for (const line of [
    'Content-Length: 4',
    'CONTENT-LENGTH\t:4',
    'L : 4',
    'Content-Length:\r\n 4',
    'content-length:\r\n\t 4 ',
    'Content-Length: 0004',
    'Content-Language: 9\r\nl:4\r\nX-Content-Length: 7',
    'Contact: <sip:a@h>\r\nX: 1\r\n Content-Length: 7\r\nContent-Length: 4',
  ]) {
    const bytes = Buffer.from(plain.replace('l: 4', line));
    assert.deepEqual(show(createFramer().push(Buffer.concat([bytes, message(2)]))), ['1:4', '2:0'], line);
  }
});

test('what is kept between chunks is our own', () => {
  const framer = createFramer();
  const whole = Buffer.concat([message(1), message(2, 'second')]);
  for (let cut = 1; cut < whole.length; cut++) {
    const [first, second] = [Buffer.from(whole.subarray(0, cut)), Buffer.from(whole.subarray(cut))];
    const seen = show(framer.push(first));
    first.fill(0);
    assert.deepEqual([...seen, ...show(framer.push(second))], ['1:0', '2:6'], `cut at ${cut}`);
    assert.equal(framer.pending, 0);
  }
});

test('limits', () => {
  assert.deepEqual(show(createFramer().push(message(1, '', '70000'))), ['fatal 513']);
  assert.deepEqual(show(createFramer().push(Buffer.alloc(LIMITS.message + 1, 65))), ['fatal 513']);
  const framer = createFramer();
  for (let i = 0; i <= LIMITS.message; i++) {
    const events = framer.push(Uint8Array.of(65));
    assert.equal(events.length, i === LIMITS.message ? 1 : 0);
  }
});
