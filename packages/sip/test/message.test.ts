import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  createErrorResponse,
  createFramer,
  createRequest,
  createResponse,
  escapeUser,
  formatNameAddr,
  formatUri,
  header,
  headerProblem,
  headersNamed,
  isIpv6,
  listHeader,
  type NameAddr,
  parseMessage,
  parseNameAddr,
  parseUri,
  type SipMessage,
  type SipRequest,
  SipWriteError,
  sameUri,
  splitList,
  type Uri,
  unescapeUser,
  userOf,
  withHeader,
  withoutHeader,
  writeMessage,
} from '@sidetone/sip';

test('tel-uri, number-parameters-in-the-user-part: who a URI names, and the URI repeated as it came', () => {
  for (const [text, user] of [
    ['sip:+13125550100;rn=+13125550000;npdi@sip.example.com;user=phone', '+13125550100;rn=+13125550000;npdi'],
    ['sips:%2B1312@h:5061', '+1312'],
    ['sip:h', ''],
    ['tel:+1-312-555-0100;Ext=7;phone-context=+1', '+1-312-555-0100;Ext=7;phone-context=+1'],
    ['tel:%2B1312', '+1312'],
    ['urn:service:sos', ''],
  ] as const) {
    const parsed = parseUri(text);
    assert.ok(parsed.ok, text);
    assert.equal(userOf(parsed.value), user);
    assert.equal(formatUri(parsed.value), text);
    const party = parseNameAddr(`<${text}>;tag=1`);
    assert.ok(party.ok && formatNameAddr(party.value) === `<${text}>;tag=1`);
  }
});

const read = (text: string): SipMessage => {
  const parsed = parseMessage(Buffer.from(text));
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.error.reason);
  return parsed.value;
};
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
const refusal = (text: string): string => {
  const parsed = parseMessage(Buffer.from(text));
  return parsed.ok ? 'accepted' : `${parsed.error.status} ${parsed.error.reason}`;
};

describe('URIs', () => {
  for (const [text, expected] of [
    ['sip:a@b', { scheme: 'sip', user: 'a', host: 'b', params: {} }],
    ['SIPS:b:5061', { scheme: 'sips', host: 'b', port: 5061, params: {} }],
    [
      'sip:a:pw@b;lr;Transport=TCP?x=y',
      {
        scheme: 'sip',
        user: 'a',
        password: 'pw',
        host: 'b',
        params: { lr: '', transport: 'TCP' },
        headers: 'x=y',
      },
    ],
    ['sip:[2001:db8::1]:5070', { scheme: 'sip', host: '2001:db8::1', port: 5070, params: {} }],
    ['tel:+13125550100;phone-context=x', { scheme: 'tel', host: '+13125550100;phone-context=x', params: {} }],
    ['sip:+1312;phone-context=x@h', { scheme: 'sip', user: '+1312;phone-context=x', host: 'h', params: {} }],
  ] as [string, Uri][])
    test(text, () => {
      const parsed = parseUri(text);
      assert.ok(parsed.ok);
      assert.deepEqual(parsed.value, expected);
      const again = parseUri(formatUri(parsed.value));
      assert.ok(again.ok);
      assert.deepEqual(again.value, expected);
    });
  for (const text of [
    '',
    'sip',
    'sip:',
    ':',
    'sip:@b',
    'sip:a@',
    'sip:a@b@c',
    'sip:a@b:',
    'sip:a@b:99999',
    'sip:a@b c',
    'sip:<a@b>',
    'sip:a@[::1',
    'sip:a@2001:db8::1',
    'sip:a@b;',
    'sip:a@b;;lr',
    'sip:a@b\r\n',
    'sip:a@b/x',
    'sip:jürgen@b',
    '1 2:x',
  ])
    test(`refused: ${JSON.stringify(text)}`, () => assert.equal(parseUri(text).ok, false));
  test('a parameter named __proto__ is a parameter', () => {
    const parsed = parseUri('sip:b;__proto__=x');
    assert.ok(parsed.ok);
    assert.deepEqual(Object.keys(parsed.value.params), ['__proto__']);
    assert.equal(formatUri(parsed.value), 'sip:b;__proto__=x');
  });
  test('equivalence (RFC 3261 §19.1.4)', () => {
    const same = (a: string, b: string): boolean => {
      const [x, y] = [parseUri(a), parseUri(b)];
      assert.ok(x.ok && y.ok);
      return sameUri(x.value, y.value);
    };
    assert.ok(same('sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp'));
    assert.ok(same('sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'));
    assert.ok(!same('SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'));
    assert.ok(!same('sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'));
    assert.ok(!same('sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'));
  });
  test('escaping the user part', () => {
    for (const text of ['+1 312', 'a@b', 'jürgen', '50%', '<x>"', 'a\r\nb', '#1', 'plain;x=1'])
      assert.equal(unescapeUser(escapeUser(text)), text);
    assert.equal(escapeUser('+13125550100'), '+13125550100');
    assert.equal(unescapeUser('a%zzb'), 'a%zzb');
  });
  test('IPv6 addresses', () => {
    for (const good of [
      '::',
      '::1',
      '1::',
      '2001:db8::9:1',
      '1:2:3:4:5:6:7:8',
      '::ffff:192.0.2.1',
      '1:2:3:4:5:6:1.2.3.4',
      '1:2:3:4:5:6:7::',
    ])
      assert.ok(isIpv6(good), good);
    for (const bad of [
      '',
      ':',
      ':::',
      '1',
      '1:2',
      '1::2::3',
      '1:2:3:4:5:6:7:8:9',
      '::1.2.3',
      '::256.1.1.1',
      '12345::',
      ':1::',
      '1:2:3:4:5:6:7:',
      '1:2:3:4:5:6:7:8::',
    ])
      assert.ok(!isIpv6(bad), bad);
  });
});

describe('headers', () => {
  test('compact, folded, repeated and listed', () => {
    const m = read(
      lines(
        'k: timer, replaces',
        'SUPPORTED:',
        '\t path',
        'm: "A, \\"B\\"" <sip:a@b;x>;q=0.5 , sip:c@d;expires=5',
        'X-fOo:  bar  ',
        'x-FOO: two',
      ),
    );
    assert.deepEqual(listHeader(m, 'supported'), ['timer', 'replaces', 'path']);
    assert.deepEqual(headersNamed(m, 'X-Foo'), ['bar', 'two']);
    assert.equal(header(m, 'x-foo'), 'bar');
    assert.equal(header(m, 'X-None'), undefined);
    assert.ok(m.headers.other.some(([name]) => name === 'X-fOo'));
    const contact = m.headers.contact as readonly NameAddr[];
    assert.equal(contact[0]?.displayName, 'A, "B"');
    assert.deepEqual(contact[1], {
      uri: { scheme: 'sip', user: 'c', host: 'd', params: {} },
      params: { expires: '5' },
    });
  });
  test('setting and removing', () => {
    const m = read(lines('Reason: a', 'X-A: 1', 'Reason: b'));
    assert.deepEqual(withHeader(m, 'reason', 'c').headers.other, [
      ['Reason', 'c'],
      ['X-A', '1'],
    ]);
    assert.deepEqual(withHeader(m, 'X-B', '2').headers.other.at(-1), ['X-B', '2']);
    assert.deepEqual(withoutHeader(m, 'REASON').headers.other, [['X-A', '1']]);
    assert.throws(() => withHeader(m, 'X-A', 'a\nb'), SipWriteError);
  });
  test('what must not be set', () => {
    for (const [name, value] of [
      ['X A', ''],
      ['', 'x'],
      ['X-A:', 'x'],
      ['X-A', 'a\rb'],
      ['X-A', 'a\nb'],
      ['X-A', '\0'],
      ['to', 'x'],
      ['V', 'x'],
      ['content-length', '0'],
    ] as const)
      assert.notEqual(headerProblem(name, value), null);
    assert.equal(headerProblem('X-A', 'grüße; "quoted", \u2028 fine'), null);
  });
  test('lists split outside of quotes and brackets', () => {
    assert.deepEqual(splitList(' a, "b,\\",c" ,<d,e>;f, ,'), ['a', '"b,\\",c"', '<d,e>;f']);
    assert.deepEqual(splitList('"unclosed, x'), ['"unclosed, x']);
    assert.deepEqual(splitList(''), []);
  });
  test('Contact: *', () => assert.equal(read(lines('Contact: *')).headers.contact, '*'));
});

describe('what is refused', () => {
  for (const [name, text] of [
    ['bare LF', lines().replace('Call-ID: c\r\n', 'Call-ID: c\n')],
    ['folding behind a bare LF', lines('X-A: a\n b')],
    ['bare CR', lines('X-A: a\rVia: x')],
    ['NUL in a value', lines('X-A: a\0b')],
    ['NUL in a parameter', lines().replace('tag=1', 'tag="\\\0"')],
    ['no colon', lines('X-A')],
    ['blank before the first header', lines().replace('\r\nVia', '\r\n Via')],
    ['second CSeq', lines('CSeq: 1 OPTIONS')],
    ['Max-Forwards 256', lines('Max-Forwards: 256')],
    ['Max-Forwards twice', lines('Max-Forwards: 70', 'Max-Forwards: 70')],
    ['empty Contact parameter', lines('Contact: <sip:a@b>;;q=1')],
    ['Contact after *', lines('Contact: *, <sip:a@b>')],
    ['many headers', lines(...Array.from({ length: 300 }, (_, i) => `X-${i}: x`))],
    ['many Via', lines(`Via: ${Array.from({ length: 300 }, () => 'SIP/2.0/UDP h').join(',')}`)],
    ['a long line', lines(`X-A: ${'x'.repeat(20_000)}`)],
    ['a long CSeq', lines().replace('CSeq: 1 OPTIONS', `CSeq: 1 ${'A'.repeat(10_240)}`)],
    ['a body that is too short', lines('Content-Length: 5')],
  ] as const)
    test(name, () => assert.match(refusal(text), /^400 /));
  test('too large, empty, not SIP', () => {
    assert.equal(refusal(lines(`X-A: ${'x'.repeat(70_000)}`)), '513 message too large');
    assert.equal(refusal('\r\n\r\n'), '400 empty');
    for (const text of ['', 'GET / HTTP/1.1\r\n\r\n', '\0\0\0\0', 'hello']) {
      const parsed = parseMessage(Buffer.from(text));
      assert.ok(!parsed.ok && parsed.error.kind === 'unknown');
      assert.equal(createErrorResponse(parsed.error, 't'), null);
    }
  });
  test('the answer to a refused request', () => {
    const parsed = parseMessage(Buffer.from(lines('Max-Forwards: x')));
    assert.ok(!parsed.ok);
    const response = createErrorResponse(parsed.error, 'mine');
    assert.ok(response);
    assert.equal(response.status, 400);
    assert.equal(response.headers.to.params['tag'], 'mine');
    assert.match(
      Buffer.from(writeMessage(response)).toString(),
      /^SIP\/2\.0 400 Bad Request \(bad Max-Forwards\)\r\nVia: /,
    );
    const ack = parseMessage(Buffer.from(lines('Max-Forwards: x').replaceAll('OPTIONS', 'ACK')));
    assert.ok(!ack.ok && createErrorResponse(ack.error, 't') === null);
  });
});

describe('silence-for-broken-requests: whatever is broken, who can be answered is', () => {
  const whole = lines('Max-Forwards: 70', 'X-A: b');
  const answerTo = (text: string) => {
    const parsed = parseMessage(Buffer.from(text));
    assert.ok(!parsed.ok);
    const response = createErrorResponse(parsed.error, 'mine');
    if (response === null) return null;
    const again = parseMessage(writeMessage(response));
    assert.ok(again.ok && again.value.kind === 'response', Buffer.from(writeMessage(response)).toString());
    return again.value;
  };
  const NAMES = ['From', 'To', 'Call-ID', 'CSeq', 'Max-Forwards'];
  for (const [what, edit] of [
    ['missing', (text: string, name: string) => text.replace(new RegExp(`${name}: .*\\r\\n`), '')],
    ['empty', (text: string, name: string) => text.replace(new RegExp(`${name}: .*\\r\\n`), `${name}:\r\n`)],
    ['broken', (text: string, name: string) => text.replace(`${name}: `, `${name}: "\\\0`)],
    ['twice', (text: string, name: string) => text.replace(`${name}: `, `${name}: x\r\n${name}: `)],
  ] as const)
    for (const name of NAMES)
      test(`${name} ${what}`, () => {
        const text = edit(whole, name);
        if (name === 'Max-Forwards' && what === 'missing') return;
        assert.notEqual(text, whole);
        const answer = answerTo(text);
        assert.equal(answer?.status, 400);
        assert.equal(answer.headers.via[0]?.params['branch'], 'z9hG4bK1');
        assert.notEqual(answer.headers.to.params['tag'], undefined);
      });
  test('every header at once, and the request line', () => {
    const via = /Via: .*\r\n/.exec(whole)![0];
    for (const text of [
      `OPTIONS sip:a@b SIP/2.0\r\n${via}\r\n`,
      `OPTIONS\r\n${via}\r\n`,
      `hello there\r\n${via}`,
      whole.replaceAll('\r\n', '\n'),
      whole.replaceAll('\r\n', '\n').replace('X-A: b', 'X-A: b\n c'),
      whole.slice(0, -2),
      whole.replace('SIP/2.0', 'SIP/2.0 x'),
    ])
      assert.equal(answerTo(text)?.status, 400, text);
  });
  test('of a broken address the URI and the tag are found', () => {
    for (const [value, uri, tag] of [
      ['"Mr. J. User <sip:j.user@example.com>', 'sip:j.user@example.com', 'mine'],
      ['"Watson" < sip:t.watson@example.org >;tag=t', 'sip:t.watson@example.org', 't'],
      ['Bell, Alexander <sip:a.g.bell@example.com;x=y>;tag=43', 'sip:a.g.bell@example.com', '43'],
      ['sip:user@[2001:db8:::192.0.2.1]', 'sip:unreadable.invalid', 'mine'],
      ['<sip:a@b?Subject=x', 'sip:unreadable.invalid', 'mine'],
    ] as const) {
      const to = answerTo(whole.replace(/To: .*\r\n/, `To: ${value}\r\n`))!.headers.to;
      assert.deepEqual([formatUri(to.uri), to.params['tag']], [uri, tag]);
    }
  });
  test('not what is a response or an ACK, and not by a way that cannot be read', () => {
    for (const text of [
      whole.replace(/^.*\r\n/, 'SIP/2.0 2000 OK\r\n'),
      whole.replaceAll('OPTIONS', 'ACK').replace('Max-Forwards: 70', 'Max-Forwards: x'),
      whole.replace(/^.*\r\n/, '?\r\n').replace('1 OPTIONS', '1 ACK'),
      whole.replace('Via: ', 'Via: x\r\nVia: '),
    ])
      assert.equal(answerTo(text), null, text);
  });
  test('below a Via that cannot be read there is no way back', () => {
    const answer = answerTo(
      whole.replace('Via: ', 'Via: SIP/2.0/UDP top;branch=z9hG4bK0\r\nVia: ?\r\nVia: '),
    );
    assert.deepEqual(
      answer?.headers.via.map((via) => via.host),
      ['top'],
    );
  });
  test('on a stream that ends or is given up', () => {
    const framer = createFramer();
    assert.deepEqual(framer.push(Buffer.from(whole.slice(0, -2))), []);
    const [event] = framer.end();
    assert.ok(event?.type === 'fatal' && createErrorResponse(event.error, 't')?.status === 400);
    assert.deepEqual(framer.end(), []);
    assert.deepEqual(createFramer().end(), []);
  });
});

describe('building', () => {
  const uri: Uri = { scheme: 'sip', user: 'b', host: 'h', params: {} };
  const parts = {
    method: 'INVITE',
    uri,
    from: { uri, params: { tag: '1' } },
    to: { uri, params: {} },
    callId: 'c',
    cseq: 1,
  };
  test('a response copies what RFC 3261 §8.2.6 says', () => {
    const request = read(lines('Record-Route: <sip:p;lr>', 'Timestamp: 5')) as SipRequest;
    const trying = createResponse(request, 100);
    assert.deepEqual(trying.headers.other, [['Timestamp', '5']]);
    assert.deepEqual(trying.headers.recordRoute, []);
    const ok = createResponse(request, 200, { toTag: 't', reason: 'Fine' });
    assert.equal(ok.reason, 'Fine');
    assert.equal(ok.headers.recordRoute.length, 1);
    assert.equal(ok.headers.to.params['tag'], 't');
    assert.deepEqual(ok.headers.via, request.headers.via);
    assert.equal(createResponse(request, 404).reason, 'Not Found');
    assert.equal(createResponse(request, 499).reason, 'Bad Request');
  });
  test('addresses that would break a message are refused', () => {
    for (const bad of ['a\r\nb', 'a>b', 'a b', 'a<b', 'a"b'])
      assert.throws(() => createRequest({ ...parts, uri: { ...uri, user: bad } }), SipWriteError);
    assert.throws(
      () => createRequest({ ...parts, from: { displayName: 'x\r\n', uri, params: {} } }),
      SipWriteError,
    );
    assert.throws(() => createRequest({ ...parts, callId: 'a\nb' }), SipWriteError);
    assert.throws(() => createResponse(createRequest(parts), 200, { reason: 'a\r\nX: y' }), SipWriteError);
  });
  test('the writer is the last line of defence', () => {
    const request = createRequest(parts);
    for (const other of [
      [['X', 'a\r\nb']],
      [['X', 'a\n']],
      [['X', '\r']],
      [['X\r\nY', 'z']],
      [['X', 'a\0']],
    ] as const)
      assert.throws(
        () => writeMessage({ ...request, headers: { ...request.headers, other } }),
        SipWriteError,
      );
  });
  test('names are quoted', () => {
    const value: NameAddr = { displayName: 'A "q" \\ B', uri, params: { tag: 'x' } };
    assert.equal(formatNameAddr(value), '"A \\"q\\" \\\\ B" <sip:b@h>;tag=x');
    const parsed = parseNameAddr(formatNameAddr(value));
    assert.ok(parsed.ok);
    assert.deepEqual(parsed.value, value);
  });
});
