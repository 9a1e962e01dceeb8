import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  areVias,
  isFlow,
  isNameAddr,
  isOutsideFlow,
  isUri,
  parseMessage,
  parseNameAddr,
} from '../src/index.ts';

const udp = { transport: 'udp', host: '192.0.2.1', port: 5060 };
const tls = { transport: 'tls', host: '192.0.2.1', port: 5061, connection: 'c1' };

test('a flow is read again as it was written, and nothing else', () => {
  const cases: readonly (readonly [value: unknown, flow: boolean, outside: boolean])[] = [
    [udp, true, true],
    [tls, true, true],
    [{ ...tls, connection: undefined }, true, true],
    [{ transport: 'local', node: 'voice' }, true, false],
    [{ transport: 'local', node: 'media' }, false, false],
    [{ ...udp, transport: 'sctp' }, false, false],
    [{ ...udp, port: 65_536 }, false, false],
    [{ ...udp, port: '5060' }, false, false],
    [{ ...udp, host: '' }, false, false],
    [{ ...tls, connection: 7 }, false, false],
    [[udp], false, false],
    [null, false, false],
  ];
  for (const [value, flow, outside] of cases) {
    assert.equal(isFlow(value), flow, JSON.stringify(value));
    assert.equal(isOutsideFlow(value), outside, JSON.stringify(value));
  }
});

test('what the parsers made is read again out of JSON', () => {
  const again = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  for (const text of [
    '"A" <sip:a:p@h:5070;transport=tcp?x=y>;tag=1',
    '<tel:+441632960123>',
    '<sip:[2001:db8::1]>',
  ]) {
    const read = parseNameAddr(text);
    assert.ok(read.ok, text);
    assert.ok(isNameAddr(again(read.value)), text);
    assert.ok(isUri(again(read.value.uri)), text);
  }
  const read = parseMessage(
    Buffer.from(
      'OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h:5060;branch=z9hG4bK1;rport\r\nFrom: <sip:a>;tag=1\r\n' +
        'To: <sip:b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\r\n',
    ),
  );
  assert.ok(read.ok);
  assert.ok(areVias(again(read.value.headers.via)));
});

test('a part of the wrong kind is no address', () => {
  const uri = { scheme: 'sip', host: 'h', params: {} };
  const wrong: readonly unknown[] = [
    { ...uri, scheme: 1 },
    { ...uri, user: 1 },
    { ...uri, port: -1 },
    { ...uri, params: { lr: 1 } },
    { ...uri, params: [] },
    { ...uri, headers: {} },
    { scheme: 'sip', params: {} },
  ];
  assert.ok(isUri(uri));
  assert.ok(isNameAddr({ uri, params: {} }));
  for (const value of wrong) {
    assert.equal(isUri(value), false, JSON.stringify(value));
    assert.equal(isNameAddr({ uri: value, params: {} }), false, JSON.stringify(value));
  }
  assert.equal(isNameAddr({ uri, params: {}, displayName: 1 }), false);
  assert.equal(areVias([{ transport: 'UDP', host: 'h', params: { branch: null } }]), false);
  assert.equal(areVias({}), false);
});
