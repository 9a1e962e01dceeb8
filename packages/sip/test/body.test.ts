import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createRequest, readBody, type SipRequest, validateRequest } from '@sidetone/sip';
import fc from 'fast-check';
import { Pair } from './two-agents.ts';

const SDP = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n';
const ISUP = '\x01\x00\x49\r\n\r\n--not-the-delimiter\r\n\0\n--uniq-delim-not\r\n\r--\r\n';
const sdp = (more = '') => `Content-Type: application/sdp\r\n${more}\r\n${SDP}`;
const isup = (handling: string) =>
  `Content-Type: application/isup;version=itu-t92+\r\nContent-Disposition: signal${handling}\r\n\r\n${ISUP}`;
const multi = (boundary: string, ...parts: string[]) =>
  `--${boundary}\r\n${parts.join(`\r\n--${boundary}\r\n`)}\r\n--${boundary}--\r\n`;

const request = (
  contentType: string | undefined,
  body: string,
  headers: readonly (readonly [string, string])[] = [],
  method = 'INVITE',
): SipRequest => {
  const uri = { scheme: 'sip', user: 'x', host: 'a.example', params: {} };
  return createRequest({
    method,
    uri,
    from: { uri, params: { tag: 'f' } },
    to: { uri, params: {} },
    callId: 'c',
    cseq: 1,
    headers,
    ...(contentType === undefined ? {} : { contentType }),
    body: Buffer.from(body, 'latin1'),
  });
};

const MIXED = 'multipart/mixed;boundary=uniq-delim';
const OPTIONAL = ';handling=optional';

/** The description as read, and the status of a refusal. */
function read(message: SipRequest): [string | undefined, number] {
  const { parts, refusal } = readBody(message, ['application/sdp']);
  const part = parts[0];
  return [
    part === undefined ? undefined : Buffer.from(part.content).toString('latin1'),
    refusal?.status ?? 0,
  ];
}

describe('multipart-bodies', () => {
  const rows: readonly (readonly [string, string, string, string | undefined, number])[] = [
    ['SDP alone', 'application/sdp', SDP, SDP, 0],
    ['SDP, then ISUP', MIXED, multi('uniq-delim', sdp(), isup(OPTIONAL)), SDP, 0],
    ['ISUP, then SDP', MIXED, multi('uniq-delim', isup(OPTIONAL), sdp()), SDP, 0],
    ['a quoted boundary', 'Multipart/Mixed; boundary="uniq delim"', multi('uniq delim', sdp()), SDP, 0],
    ['a boundary with signs', 'multipart/mixed;boundary="=_a/b:c?d=1"', multi('=_a/b:c?d=1', sdp()), SDP, 0],
    ['parameters around it', 'multipart/mixed ;a="x;y"; BOUNDARY=q ;b=c', multi('q', sdp()), SDP, 0],
    ['preamble and epilogue', MIXED, `hello\r\n--uniq\r\n${multi('uniq-delim', sdp())}bye\r\n--x`, SDP, 0],
    [
      'blanks behind the delimiter',
      MIXED,
      multi('uniq-delim', sdp()).replace('delim\r', 'delim \t\r'),
      SDP,
      0,
    ],
    ['without its last delimiter', MIXED, `--uniq-delim\r\n${sdp()}`, SDP, 0],
    ['without a line end at the end', MIXED, multi('uniq-delim', sdp()).slice(0, -2), SDP, 0],
    [
      'a disposition',
      MIXED,
      multi('uniq-delim', sdp('Content-Disposition: session;handling=required\r\n')),
      SDP,
      0,
    ],
    [
      'other spellings',
      MIXED,
      multi('uniq-delim', `CONTENT-type :\r\n application/SDP;x=y\r\n\r\n${SDP}`),
      SDP,
      0,
    ],
    [
      'base64',
      MIXED,
      multi(
        'uniq-delim',
        `Content-Type: application/sdp\r\nContent-Transfer-Encoding: base64\r\n\r\n${btoa(SDP)}`,
      ),
      SDP,
      0,
    ],
    [
      'nested',
      MIXED,
      multi(
        'uniq-delim',
        isup(OPTIONAL),
        `Content-Type: multipart/mixed;boundary=uniq\r\n\r\n${multi('uniq', isup(OPTIONAL), sdp())}`,
      ),
      SDP,
      0,
    ],
    [
      'alternatives: the last that is known',
      MIXED.replace('mixed', 'alternative'),
      multi(
        'uniq-delim',
        sdp('X: 1\r\n').replace('v=0', 'v=1'),
        sdp(),
        'Content-Type: application/x\r\n\r\n?',
      ),
      SDP,
      0,
    ],
    ['related', MIXED.replace('mixed', 'related'), multi('uniq-delim', sdp(), isup(OPTIONAL)), SDP, 0],
    ['ISUP alone, optional', MIXED, multi('uniq-delim', isup(OPTIONAL)), undefined, 0],
    ['ISUP that is required', MIXED, multi('uniq-delim', sdp(), isup(';handling=required')), SDP, 415],
    ['required is the default', MIXED, multi('uniq-delim', sdp(), isup('')), SDP, 415],
    ['a part without a type is text', MIXED, multi('uniq-delim', '\r\nhello', sdp()), SDP, 415],
    [
      'an unknown transfer encoding',
      MIXED,
      multi('uniq-delim', sdp('Content-Transfer-Encoding: x\r\n')),
      undefined,
      415,
    ],
    [
      'a part that is compressed',
      MIXED,
      multi('uniq-delim', sdp('Content-Encoding: gzip\r\n')),
      undefined,
      415,
    ],
    [
      'early media is another session',
      MIXED,
      multi('uniq-delim', sdp(), sdp('Content-Disposition: early-session;handling=optional\r\n')),
      SDP,
      0,
    ],
    ['no known alternative', 'multipart/alternative;boundary=b', multi('b', isup(OPTIONAL)), undefined, 415],
    ['no multipart', 'application/isup', ISUP, undefined, 415],
    ['no type', '', SDP, undefined, 415],
    ['no boundary', 'multipart/mixed', multi('x', sdp()), undefined, 400],
    ['another boundary', MIXED, multi('other', sdp()), undefined, 400],
    [
      'a boundary too long',
      `multipart/mixed;boundary=${'b'.repeat(71)}`,
      multi('b'.repeat(71), sdp()),
      undefined,
      400,
    ],
    ['no parts', MIXED, '--uniq-delim--\r\n', undefined, 400],
  ];
  for (const [name, type, body, description, status] of rows)
    test(name, () => {
      const message = request(type === '' ? undefined : type, body);
      assert.deepEqual(read(message), [description, status]);
      for (const method of ['INVITE', 'UPDATE'])
        assert.equal(validateRequest({ ...message, method }, { role: 'user-agent' })?.status ?? 0, status);
      // A call ends whatever its BYE carries.
      for (const method of ['BYE', 'ACK'])
        assert.equal(validateRequest({ ...message, method }, { role: 'user-agent' }), null);
    });

  test('the whole body may be passed over, and may be compressed', () => {
    const optional = [['Content-Disposition', 'signal;handling=optional']] as const;
    assert.deepEqual(read(request('application/isup', ISUP, optional)), [undefined, 0]);
    assert.deepEqual(read(request('multipart/mixed', ISUP, optional)), [undefined, 0]);
    assert.deepEqual(read(request('application/sdp', SDP, [['Content-Encoding', 'gzip']])), [undefined, 415]);
    const refusal = validateRequest(request('application/isup', ISUP), { role: 'user-agent' });
    assert.match(
      refusal!.headers.find(([name]) => name === 'Accept')![1],
      /^application\/sdp, multipart\/mixed/,
    );
  });

  test('binary parts keep every byte', () => {
    const message = request(MIXED, multi('uniq-delim', isup(OPTIONAL), sdp()));
    const { parts } = readBody(message, ['application/isup', 'application/sdp']);
    assert.equal(Buffer.from(parts[0]!.content).toString('latin1'), ISUP);
    assert.equal(parts[0]!.disposition, 'signal');
  });

  test('limits: parts, depth, heads', () => {
    const many = (count: number) => multi('uniq-delim', ...Array<string>(count).fill(sdp()));
    assert.deepEqual(read(request(MIXED, many(31))), [SDP, 0]);
    assert.deepEqual(read(request(MIXED, many(32))), [undefined, 400]);
    const deep = (levels: number): string =>
      levels === 0
        ? sdp()
        : `Content-Type: multipart/mixed;boundary=b${levels}\r\n\r\n${multi(`b${levels}`, deep(levels - 1))}`;
    assert.deepEqual(read(request(MIXED, multi('uniq-delim', deep(3)))), [SDP, 0]);
    assert.deepEqual(read(request(MIXED, multi('uniq-delim', deep(4)))), [undefined, 400]);
    assert.deepEqual(read(request(MIXED, multi('uniq-delim', sdp(`X: ${'x'.repeat(4096)}\r\n`)))), [
      undefined,
      400,
    ]);
  });

  test('whatever the bytes, there is an answer', () => {
    const piece = fc.constantFrom(
      '--b',
      '--',
      '\r\n',
      '\r\n\r\n',
      ' ',
      'Content-Type: application/sdp',
      'multipart/mixed;boundary=b',
      'v=0',
      '\0',
      ':',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        read(request('multipart/mixed;boundary=b', pieces.join('')));
      }),
    );
    for (const filler of ['-', '\r\n--b', '\r\n--b ', '--b\r\n', '\r\n--b\r\n\r\n'])
      for (const boundary of ['b', '-']) {
        const body = filler.repeat(Math.floor(65_000 / filler.length));
        read(request(`multipart/mixed;boundary=${boundary}`, body));
      }
  });

  /** Both sides put every description into a multipart with ISUP. */
  const wrapped = (message: SipRequest | Parameters<Pair['inject']>[1]) => {
    if (message.headers.contentType !== 'application/sdp') return message;
    const text = Buffer.from(message.body).toString('latin1');
    const body = Buffer.from(
      multi('uniq-delim', isup(OPTIONAL), `Content-Type: application/sdp\r\n\r\n${text}`),
      'latin1',
    );
    return { ...message, body, headers: { ...message.headers, contentType: MIXED } };
  };

  test('in INVITE, 18x, 2xx, ACK, re-INVITE and UPDATE', () => {
    const pair = new Pair();
    for (const side of ['alice', 'bob'] as const) {
      const agent = pair.agents[side];
      const receive = agent.receive.bind(agent);
      agent.receive = (m, flow, now) => receive(wrapped(m), flow, now);
    }
    pair.react.bob = (event) => {
      if (event.type === 'incoming') {
        pair.do('bob', pair.agents.bob.respond(event.leg, 183, { sdp: 'early' }, pair.now));
        pair.do('bob', pair.agents.bob.respond(event.leg, 200, { sdp: 'answer' }, pair.now));
      }
      if (event.type === 'reinvite')
        pair.do('bob', pair.agents.bob.respondReinvite(event.leg, event.tx, 200, { sdp: 'again' }, pair.now));
    };
    const leg = pair.invite();
    pair.run(1_000);
    pair.do('alice', pair.agents.alice.reinvite(leg, 'new', 't', pair.now));
    pair.run(1_000);
    pair.do('alice', pair.agents.alice.reinvite(leg, undefined, 'u', pair.now));
    pair.run(1_000);
    pair.do('alice', pair.agents.alice.ack(leg, 'in-ack', pair.now));
    pair.run(1_000);
    const told = [...pair.told('alice'), ...pair.told('bob')].map((line) => line.trimEnd());
    assert.deepEqual(told, [
      'progress early',
      'accepted answer',
      'reinviteResult 200 t again',
      'reinviteResult 200 u again',
      'incoming offer',
      'confirmed',
      'reinvite new',
      'refreshed',
      'reinvite',
      'reinviteConfirmed in-ack',
    ]);
    assert.equal(pair.last('alice', 'progress').sdp, 'early\r\n');
  });
});
