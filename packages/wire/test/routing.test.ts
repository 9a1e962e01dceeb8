import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalNumber, type Origin, route, type Trunk } from '../src/index.ts';
import { type FixedConnection, fixedIdentity } from '../testing/fixed-identity.ts';

const connection = (userName: string, rest: Partial<FixedConnection> = {}): FixedConnection => ({
  userName,
  password: 'secret-secret',
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

const identity = fixedIdentity({
  domain: 'sip.localhost',
  connections: [
    connection('line1', {
      numbers: ['+1 (312) 555-0100'],
      credentials: [
        { name: 'gencred1', password: 'secret-secret' },
        { name: 'gone', password: 'secret-secret', expiresAt: 1_000 },
      ],
    }),
    connection('line2', { numbers: ['+13125550200'], dnisFormat: 'e164' }),
    connection('open', { sipUriCalling: 'unrestricted' }),
    connection('closed', { sipUriCalling: 'disabled' }),
    connection('asleep', { active: false, numbers: ['+13125550300'] }),
    connection('other', { accountId: 'other', numbers: ['+13125550400'] }),
    connection('welcome', { accountId: 'other', sipUriCalling: 'unrestricted' }),
    connection('shut', { accountId: 'shut' }),
  ],
  trunks: [trunk('world', ['+']), trunk('america', ['+1']), trunk('also-america', ['+1', '00'])],
  accounts: [{ id: 'shut', active: false }],
});

const USER: Origin = { from: 'user', accountId: 'default' };

const where = (destination: string, origin: 'user' | 'trunk' | 'other' = 'user', now = 1_000): string => {
  const asks: Origin =
    origin === 'trunk' ? { from: 'trunk' } : origin === 'other' ? { from: 'user', accountId: 'other' } : USER;
  const to = route(identity, destination, asks, now);
  switch (to.to) {
    case 'built-in':
      return `built-in ${to.service}`;
    case 'user':
      return `user ${to.user.name}`;
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

test('a number rings its connection only with the destination format sip_username', () => {
  assert.equal(where('+13125550100'), 'user line1');
  assert.equal(where('+13125550100', 'trunk'), 'user line1');
  assert.equal(where('sip:+13125550100@elsewhere.example;user=phone', 'trunk'), 'user line1');
  assert.equal(where('+13125550200'), 'trunk +13125550200 by america, also-america, world');
  assert.equal(where('+13125550200', 'trunk'), 'nowhere: number-rings-nobody');
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

test('a credential is a ring of its own, by exactly its name', () => {
  assert.equal(where('gencred1'), 'user gencred1');
  assert.equal(where('GENCRED1'), 'nowhere: unknown-user');
  assert.equal(where('gencred1', 'trunk'), 'nowhere: sip-uri-calling-disabled');
});

test('accounts are apart: a name of another one is dialled only when anybody may', () => {
  assert.equal(where('other'), 'nowhere: sip-uri-calling-disabled');
  assert.equal(where('other', 'other'), 'user other');
  assert.equal(where('welcome'), 'user welcome');
  // A number is public, as it is in the telephone network.
  assert.equal(where('+13125550400'), 'user other');
});

test('who may not log in is not called', () => {
  assert.equal(where('gone', 'user', 999), 'user gone');
  assert.equal(where('gone'), 'nowhere: user-inactive');
  assert.equal(where('asleep'), 'nowhere: user-inactive');
  assert.equal(where('+13125550300', 'trunk'), 'nowhere: user-inactive');
  assert.equal(where('shut'), 'nowhere: sip-uri-calling-disabled');
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
