import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Connection, canonicalNumber, type Directory, route, type Trunk } from '../src/index.ts';

const connection = (user_name: string, rest: Partial<Connection> = {}): Connection => ({
  user_name,
  password: 'secret-secret',
  numbers: [],
  sip_uri_calling_preference: 'internal',
  dnis_number_format: 'sip_username',
  simultaneous_ringing: 'disabled',
  reject_code: 487,
  codecs: ['OPUS', 'PCMU'],
  ...rest,
});

const trunk = (name: string, prefixes: readonly string[]): Trunk => ({
  name,
  host: '127.0.0.1',
  port: 5070,
  transport: 'udp',
  prefixes,
  codecs: ['PCMU'],
  dtmf: 'rfc4733',
  policy: 'quality',
});

const directory: Directory = {
  domain: 'sip.localhost',
  connections: [
    connection('line1', { numbers: ['+1 (312) 555-0100'] }),
    connection('line2', { numbers: ['+13125550200'], dnis_number_format: 'e164' }),
    connection('open', { sip_uri_calling_preference: 'unrestricted' }),
    connection('closed', { sip_uri_calling_preference: 'disabled' }),
  ],
  trunks: [trunk('world', ['+']), trunk('america', ['+1']), trunk('also-america', ['+1', '00'])],
};

const where = (destination: string, origin: 'user' | 'trunk' = 'user'): string => {
  const to = route(directory, destination, origin);
  switch (to.to) {
    case 'built-in':
      return `built-in ${to.service}`;
    case 'user':
      return `user ${to.connection.user_name}`;
    case 'trunk':
      return `trunk ${to.number} by ${to.trunks.map((t) => t.name).join(', ')}`;
    case 'nowhere':
      return `nowhere: ${to.why}`;
  }
};

test('built-in numbers are for our users only', () => {
  assert.equal(where('9196'), 'built-in echo');
  assert.equal(where('9197'), 'built-in tone');
  assert.equal(where('9664'), 'built-in music');
  assert.equal(where('+1 872 231 5806'), 'built-in echo');
  assert.equal(where('9196@sip.localhost'), 'built-in echo');
  assert.equal(where('9196', 'trunk'), 'nowhere: unknown-user');
});

test('a number rings its user only with the destination format sip_username', () => {
  assert.equal(where('+13125550100'), 'user line1');
  assert.equal(where('+13125550100', 'trunk'), 'user line1');
  assert.equal(where('sip:+13125550100@elsewhere.example;user=phone', 'trunk'), 'user line1');
  assert.equal(where('+13125550200'), 'trunk +13125550200 by america, also-america, world');
  assert.equal(where('+13125550200', 'trunk'), 'nowhere: unknown-user');
});

test('a user name is dialled by the preference of its connection', () => {
  assert.equal(where('line2@sip.localhost'), 'user line2');
  assert.equal(where('sip:line2@SIP.localhost:5060;transport=udp'), 'user line2');
  assert.equal(where('line2'), 'user line2');
  assert.equal(where('line2@elsewhere.example'), 'nowhere: unknown-user');
  assert.equal(where('closed@sip.localhost'), 'nowhere: sip-uri-calling-disabled');
  assert.equal(where('line2@sip.localhost', 'trunk'), 'nowhere: sip-uri-calling-disabled');
  assert.equal(where('open@203.0.113.1', 'trunk'), 'user open');
  assert.equal(where('nobody'), 'nowhere: unknown-user');
});

test('the longest prefix wins, then the order in the file; trunks never reach trunks', () => {
  assert.equal(where('+441632960000'), 'trunk +441632960000 by world');
  assert.equal(where('+1 (202) 555-0123'), 'trunk +12025550123 by america, also-america, world');
  assert.equal(where('0044'), 'trunk 0044 by also-america');
  assert.equal(where('911'), 'nowhere: no-route');
  assert.equal(where('+441632960000', 'trunk'), 'nowhere: unknown-user');
});

test('names of Object.prototype are no numbers', () => {
  for (const name of ['constructor', '__proto__', 'toString', ''])
    assert.equal(where(name), 'nowhere: unknown-user');
});

test('signs between digits are dropped, other text stays', () => {
  assert.equal(canonicalNumber('+1 (312) 555-01.00'), '+13125550100');
  assert.equal(canonicalNumber('line-1'), 'line-1');
  assert.equal(canonicalNumber('*98#'), '*98#');
});

test('another domain is not ours: nothing of it is called', () => {
  assert.equal(where('sip:+19005550100@evil.example.com'), 'nowhere: no-route');
  assert.equal(where('9196@evil.example.com'), 'nowhere: no-route');
  assert.equal(where('line1@evil.example.com'), 'nowhere: unknown-user');
  assert.equal(where('+13125550100@192.0.2.1', 'trunk'), 'user line1');
});
