import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '@sidetone/core';
import {
  createErrorResponse,
  createFramer,
  createTransactionLayer,
  header,
  headersNamed,
  type NameAddr,
  parseDigest,
  parseMessage,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  unescapeUser,
  validateRequest,
  writeMessage,
} from '@sidetone/sip';

const DATA = fileURLToPath(new URL('../../../../shared/data/', import.meta.url));
const present = existsSync(DATA);
if (!present && process.env['CI'] === 'true')
  test('the torture messages are there', () => assert.fail('../shared/data is missing'));
const skip = present ? false : '../shared/data (RFC 4475 and RFC 5118 messages) is not there';

const ALLOW = ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'REGISTER', 'MESSAGE'];

/** What becomes of a datagram: read, refused by the parser or by the general checks, or dropped. */
interface Fate {
  readonly message?: SipMessage;
  readonly status?: number;
  /** The parser's refusal can be answered. */
  readonly answerable?: boolean;
}

function fateOf(bytes: Uint8Array, role: 'user-agent' | 'proxy' = 'user-agent'): Fate {
  const parsed = parseMessage(bytes);
  if (!parsed.ok) {
    if (parsed.error.kind === 'response') return {};
    return { status: parsed.error.status, answerable: createErrorResponse(parsed.error, 'x') !== null };
  }
  const message = parsed.value;
  // What we accept, we can write, and read again to the same value.
  const again = parseMessage(writeMessage(message));
  assert.ok(again.ok);
  assert.deepEqual(plain(again.value), plain(message));
  if (message.kind === 'response') return { message };
  const refusal = validateRequest(message, { role, allow: ALLOW });
  return refusal === null ? { message } : { message, status: refusal.status };
}

const plain = (message: SipMessage) => ({ ...message, body: Buffer.from(message.body).toString('latin1') });
const request = (fate: Fate) => fate.message as SipRequest;
const contacts = (fate: Fate) => request(fate).headers.contact as readonly NameAddr[];

type Check = (fate: Fate, bytes: Uint8Array) => void;
const accepted =
  (more?: Check): Check =>
  (fate, bytes) => {
    assert.ok(fate.message, `refused with ${fate.status}`);
    assert.equal(fate.status, undefined);
    more?.(fate, bytes);
  };
const refused =
  (status: number, more?: Check): Check =>
  (fate, bytes) => {
    assert.equal(fate.status, status);
    if (fate.message === undefined) assert.equal(fate.answerable, true);
    more?.(fate, bytes);
  };
const dropped: Check = (fate) => assert.deepEqual(fate, {});
const closesStream: Check = (_, bytes) =>
  assert.deepEqual(
    createFramer()
      .push(bytes)
      .map((e) => e.type),
    ['fatal'],
  );

const RFC4475: Readonly<Record<string, Check>> = {
  wsinv: accepted((fate) => {
    const m = request(fate);
    assert.equal(m.headers.maxForwards, 68);
    assert.deepEqual(m.headers.cseq, { seq: 9, method: 'INVITE' });
    assert.equal(m.headers.to.params['tag'], '1918181833n');
    assert.equal(m.headers.from.displayName, 'J Rosenberg \\"');
    assert.deepEqual(
      m.headers.via.map((v) => [v.transport, v.host, v.params['branch']]),
      [
        ['UDP', '192.0.2.2', '390skdjuw'],
        ['TCP', 'spindle.example.com', 'z9hG4bK9ikj8'],
        ['UDP', '192.168.255.111', 'z9hG4bK30239'],
      ],
    );
    assert.equal(header(m, 'NewFangledHeader'), 'newfangled value continued newfangled value');
    assert.equal(header(m, 'UnknownHeaderWithUnusualValue'), ';;,,;;,;');
    assert.equal(header(m, 'Subject'), '');
    assert.deepEqual(contacts(fate)[0]?.params, { newparam: 'newvalue', secondparam: '', q: '0.33' });
    assert.equal(contacts(fate)[0]?.displayName, 'Quoted string ""');
  }),
  intmeth: refused(501, (fate) => {
    const m = request(fate);
    assert.equal(m.method, "!interesting-Method0123456789_*+`.%indeed'~");
    assert.equal(m.uri.host, 'example.com');
    assert.equal(m.uri.user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
  }),
  esc01: accepted((fate) => {
    assert.equal(request(fate).uri.user, 'sips%3Auser%40example.com');
    assert.equal(unescapeUser(request(fate).uri.user!), 'sips:user@example.com');
    assert.equal(unescapeUser('value%25%34%31'), 'value%41');
  }),
  escnull: accepted((fate) => {
    assert.deepEqual(
      contacts(fate).map((c) => c.uri.user),
      ['%00', '%00%00'],
    );
    assert.equal(unescapeUser(request(fate).headers.to.uri.user!), 'null-\0-null');
  }),
  esc02: refused(501, (fate) => {
    assert.equal(request(fate).method, 'RE%47IST%45R');
    assert.equal(contacts(fate).length, 2);
  }),
  lwsdisp: accepted((fate) => assert.equal(request(fate).headers.from.displayName, 'caller')),
  longreq: accepted((fate) => assert.ok(request(fate).headers.via.length === 34)),
  dblreq: accepted((fate) => {
    assert.equal(request(fate).method, 'REGISTER');
    assert.equal(request(fate).body.length, 0);
  }),
  semiuri: accepted((fate) => {
    assert.equal(unescapeUser(request(fate).uri.user!), 'user;par=u@example.net');
    assert.equal(request(fate).uri.host, 'example.com');
  }),
  transports: accepted((fate) =>
    assert.deepEqual(
      request(fate).headers.via.map((v) => v.transport),
      ['UDP', 'SCTP', 'TLS', 'UNKNOWN', 'TCP'],
    ),
  ),
  mpart01: accepted((fate) => {
    assert.match(request(fate).headers.contentType!, /^multipart\/mixed;/);
    assert.ok(request(fate).body.includes(0));
  }),
  unreason: accepted((fate) =>
    assert.match((fate.message as SipResponse).reason, /^= 2\*\*3 \* 5\*\*2 но сто/),
  ),
  noreason: accepted((fate) => assert.equal((fate.message as SipResponse).reason, '')),
  badinv01: refused(400),
  clerr: refused(400, (_, bytes) => assert.deepEqual(createFramer().push(bytes), [])),
  ncl: refused(400, closesStream),
  scalar02: refused(400),
  scalarlg: dropped,
  quotbal: refused(400),
  ltgtruri: refused(400),
  lwsruri: refused(400),
  lwsstart: refused(400),
  trws: refused(400),
  escruri: refused(400),
  baddate: accepted(),
  regbadct: refused(400),
  badaspec: refused(400),
  baddn: refused(400),
  badvers: refused(505),
  mismatch01: refused(400),
  mismatch02: refused(400),
  bigcode: dropped,
  badbranch: accepted((fate) => {
    // Told apart by the old rules, not by the empty branch.
    const layer = createTransactionLayer({ sentBy: { host: 'h' }, random: seededRandom(1) });
    const flow = { transport: 'udp', host: '192.0.2.1', port: 5060 } as const;
    const m = request(fate);
    const other = { ...m, headers: { ...m.headers, callId: 'another' } };
    assert.equal(layer.receive(m, flow, 0).length, 1);
    assert.equal(layer.receive(m, flow, 0).length, 0);
    assert.equal(layer.receive(other, flow, 0).length, 1);
  }),
  insuf: refused(400),
  unkscm: refused(416),
  novelsc: refused(416),
  unksm2: accepted((fate) => assert.equal(request(fate).headers.to.uri.scheme, 'isbn')),
  bext01: refused(420),
  invut: refused(415),
  regaut01: accepted((fate) => {
    const values = headersNamed(request(fate), 'Authorization');
    assert.equal(values.length, 1);
    assert.equal(parseDigest(values[0]!), null);
  }),
  multi01: refused(400),
  mcl01: refused(400, closesStream),
  bcast: accepted((fate) => {
    // No transaction of ours: nothing is sent anywhere.
    const layer = createTransactionLayer({ sentBy: { host: 'h' }, random: seededRandom(1) });
    const told = layer.receive(fate.message!, { transport: 'udp', host: '192.0.2.198', port: 5060 }, 0);
    assert.ok(told.every((o) => o.type !== 'sip'));
  }),
  zeromf: accepted((_, bytes) => assert.equal(fateOf(bytes, 'proxy').status, 483)),
  cparam01: accepted((fate) => {
    assert.deepEqual(contacts(fate)[0]?.params, { unknownparam: '' });
    assert.deepEqual(contacts(fate)[0]?.uri.params, {});
  }),
  cparam02: accepted((fate) => {
    assert.deepEqual(contacts(fate)[0]?.params, {});
    assert.deepEqual(contacts(fate)[0]?.uri.params, { unknownparam: '' });
  }),
  regescrt: accepted((fate) =>
    assert.equal(contacts(fate)[0]?.uri.headers, 'Route=%3Csip:sip.example.com%3E'),
  ),
  sdp01: accepted(),
  inv2543: accepted((fate) => assert.equal(request(fate).headers.maxForwards, undefined)),
};

const RFC5118: Readonly<Record<string, Check>> = {
  'ipv6-good': accepted((fate) => assert.equal(request(fate).uri.host, '2001:db8::10')),
  'ipv6-bad': refused(400),
  'port-ambiguous': accepted((fate) => {
    assert.equal(request(fate).uri.host, '2001:db8::10:5070');
    assert.equal(request(fate).uri.port, undefined);
  }),
  'port-unambiguous': accepted((fate) => {
    assert.equal(request(fate).uri.host, '2001:db8::10');
    assert.equal(request(fate).uri.port, 5070);
  }),
  'via-received-param-no-delim': accepted((fate) =>
    assert.equal(request(fate).headers.via[0]?.params['received'], '2001:db8::9:255'),
  ),
  'via-received-param-with-delim': accepted((fate) => {
    assert.equal(request(fate).headers.via[0]?.params['received'], '2001:db8::9:255');
    assert.match(Buffer.from(writeMessage(fate.message!)).toString(), /;received=2001:db8::9:255;/);
  }),
  'ipv6-in-sdp': accepted(),
  'mult-ip-in-header': accepted((fate) => assert.equal(request(fate).headers.via.length, 3)),
  'mult-ip-in-sdp': accepted(),
  'ipv4-mapped-ipv6': accepted((fate) =>
    assert.equal(request(fate).headers.via[0]?.host, '::ffff:192.0.2.10'),
  ),
  'ipv6-bug-abnf-3-colons': refused(400),
  'ipv6-correct-abnf-2-colons': accepted((fate) =>
    assert.equal(request(fate).uri.host, '2001:db8::192.0.2.1'),
  ),
};

describe('RFC 4475 torture messages', { skip }, () => {
  test('there are 49', () => assert.equal(Object.keys(RFC4475).length, 49));
  for (const [name, check] of Object.entries(RFC4475))
    test(name, () => {
      const bytes = new Uint8Array(readFileSync(`${DATA}rfc4475/${name}.dat`));
      check(fateOf(bytes), bytes);
    });
  test('baddn with its empty line', () => {
    const bytes = readFileSync(`${DATA}rfc4475/baddn.dat`);
    assert.equal(fateOf(new Uint8Array(Buffer.concat([bytes, Buffer.from('\r\n')]))).status, 400);
  });
});

describe('RFC 5118 torture messages', { skip }, () => {
  test('there are 12', () => assert.equal(Object.keys(RFC5118).length, 12));
  for (const [name, check] of Object.entries(RFC5118))
    test(name, () => {
      const bytes = new Uint8Array(readFileSync(`${DATA}rfc5118/${name}`));
      check(fateOf(bytes), bytes);
    });
});

/** What the first event of a stream is, where it differs from the datagram's fate. */
const ON_STREAM: Readonly<Record<string, string>> = {
  // The body never comes, or the head never ends: an edge closes after a while.
  clerr: 'nothing',
  baddn: 'nothing',
  ncl: 'fatal',
  mcl01: 'fatal',
  // Meant for UDP: it has no Content-Length, which a stream cannot do without.
  inv2543: 'fatal',
};

describe('RFC 4475 torture messages on a stream', { skip }, () => {
  for (const name of Object.keys(RFC4475))
    test(name, () => {
      const bytes = new Uint8Array(readFileSync(`${DATA}rfc4475/${name}.dat`));
      const expected = ON_STREAM[name] ?? (parseMessage(bytes).ok ? 'message' : 'malformed');
      assert.equal(createFramer().push(bytes)[0]?.type ?? 'nothing', expected);
    });
});
