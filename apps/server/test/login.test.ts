import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { LoginCredentials } from '@sidetone/wire';
import { SignJWT } from 'jose';
import { LoginBudget } from '../src/identity/login-budget.ts';
import { LoginTokens } from '../src/identity/login-token.ts';
import { docOf, makeObject, remakeObject } from '../src/identity/objects.ts';
import type { IdentityService } from '../src/identity/open.ts';
import type { ConnectionDoc } from '../src/identity/schema/credential-connection.ts';
import { authenticate } from '../src/signalling/authenticate.ts';
import type { StoredObject } from '../src/store/directory-store.ts';
import { changesOf, People } from './drive/people.ts';

const KEY = randomBytes(64);
const NOW = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const USER = { id: '1293384261075731499', accountId: '6a09cdc3-8948-47f0-aa62-74ac943d6c58' };

describe('login tokens', () => {
  const tokens = new LoginTokens([KEY]);

  it('carry the user for 24 hours, or until the credential expires', async () => {
    const token = await tokens.mint(USER, NOW);
    const good = { ok: true, value: { userId: USER.id, expiresAt: NOW + 24 * HOUR } };
    assert.deepEqual(await tokens.verify(token, NOW + 23 * HOUR), good);
    assert.equal((await tokens.verify(token, NOW + 24 * HOUR + 59_000)).ok, true);
    assert.deepEqual(await tokens.verify(token, NOW + 24 * HOUR + 61_000), { ok: false, error: 'expired' });
    assert.deepEqual(await tokens.verify(token, NOW - HOUR), { ok: false, error: 'not-yet-valid' });
    const short = await tokens.mint({ ...USER, expiresAt: NOW + HOUR }, NOW);
    assert.deepEqual(await tokens.verify(short, NOW), {
      ok: true,
      value: { userId: USER.id, expiresAt: NOW + HOUR },
    });
  });

  it('have a payload that browsers can read with atob', async () => {
    for (const id of [USER.id, 'c2f8e1b4-77aa-4d0c-9f3e-000000000000']) {
      const payload = (await tokens.mint({ ...USER, id }, NOW)).split('.')[1]!;
      assert.doesNotMatch(payload, /[-_]/);
      assert.equal(typeof (JSON.parse(atob(payload)) as { exp: unknown }).exp, 'number');
    }
  });

  it('are good under two keys during a rotation, and not under a third', async () => {
    const [next, last] = [randomBytes(64), randomBytes(64)];
    const token = await tokens.mint(USER, NOW);
    assert.equal((await new LoginTokens([next, KEY]).verify(token, NOW)).ok, true);
    assert.deepEqual(await new LoginTokens([last, next]).verify(token, NOW), {
      ok: false,
      error: 'unknown-key',
    });
  });

  it('may be minted by a back end for its own user, with the material of that user', async () => {
    const { kid, telToken, secret } = tokens.material(USER.id);
    const iat = NOW / 1000;
    const mint = (userToken: string, life: number, header = kid): Promise<string> =>
      new SignJWT({ typ: 'access', tel_token: userToken })
        .setProtectedHeader({ alg: 'HS512', typ: 'JWT', kid: header })
        .setIssuer('telnyx_telephony')
        .setAudience('telnyx_telephony')
        .setSubject(USER.accountId)
        .setJti('1')
        .setIssuedAt(iat)
        .setNotBefore(iat - 1)
        .setExpirationTime(iat + life)
        .sign(secret);
    assert.equal((await tokens.verify(await mint(telToken, 3600), NOW)).ok, true);
    const forever = await tokens.verify(await mint(telToken, 30 * 86_400), NOW);
    assert.deepEqual(forever, { ok: false, error: 'too-long-lived' });
    const other = tokens.material('2');
    assert.deepEqual(await tokens.verify(await mint(other.telToken, 3600), NOW), {
      ok: false,
      error: 'wrong-claims',
    });
    assert.deepEqual(await tokens.verify(await mint(other.telToken, 3600, other.kid), NOW), {
      ok: false,
      error: 'bad-signature',
    });
  });

  it('are refused when anything about them is wrong', async () => {
    const good = await tokens.mint(USER, NOW);
    const { kid, secret, telToken } = tokens.material(USER.id);
    const [header, payload, signature] = good.split('.') as [string, string, string];
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    const sign = (
      change: Record<string, unknown>,
      head: Record<string, unknown> = {},
      key: Uint8Array = secret,
    ): Promise<string> =>
      new SignJWT({ ...claims, ...change })
        .setProtectedHeader({ alg: 'HS512', typ: 'JWT', kid, ...head } as never)
        .sign(key);
    /** Signed by hand, for headers that no library writes. */
    const raw = (head: string, body: string = JSON.stringify(claims), key: Uint8Array = secret): string => {
      const text = `${Buffer.from(head).toString('base64url')}.${Buffer.from(body).toString('base64url')}`;
      return `${text}.${createHmac('sha512', key).update(text).digest('base64url')}`;
    };
    const none = (alg: string): string =>
      `${Buffer.from(JSON.stringify({ alg, typ: 'JWT', kid })).toString('base64url')}.${payload}.`;
    const head = (more: object): string => JSON.stringify({ alg: 'HS512', typ: 'JWT', kid, ...more });
    const rows: readonly (readonly [string, string])[] = [
      ['', 'malformed'],
      ['a.b.c', 'malformed'],
      ['x'.repeat(1_000_000), 'malformed'],
      [`${good}${'A'.repeat(1_000_000)}`, 'malformed'],
      [none('none'), 'malformed'],
      [none('NONE'), 'malformed'],
      [none('HS512'), 'bad-signature'],
      [`${header}.${payload}.AAAA`, 'bad-signature'],
      [`${header}.${payload}.${signature.slice(0, -4)}AAAA`, 'bad-signature'],
      [`${good}.${signature}`, 'malformed'],
      [await sign({}, {}, randomBytes(64)), 'bad-signature'],
      [await sign({}, {}, KEY), 'bad-signature'],
      [await sign({}, { alg: 'HS256' }), 'malformed'],
      [await sign({}, { alg: 'HS384' }), 'malformed'],
      [raw(head({ alg: 'RS256' })), 'malformed'],
      [raw(head({ alg: 'ES512' })), 'malformed'],
      [raw(head({ alg: ['HS512'] })), 'malformed'],
      [raw(head({ crit: ['exp'] })), 'malformed'],
      [raw(head({ kid: undefined })), 'unknown-key'],
      [raw(head({ kid: '../../../../dev/null' }), undefined, Buffer.alloc(0)), 'unknown-key'],
      [raw(head({ kid: "x' UNION SELECT 'key" })), 'unknown-key'],
      [raw(head({ kid: `${kid.slice(0, 9)}2` })), 'bad-signature'],
      [raw(head({ kid: `00000000${kid.slice(8)}` })), 'unknown-key'],
      [raw(head({ kid: { toString: kid } })), 'unknown-key'],
      [raw(head({ kid: `${kid}\n` })), 'unknown-key'],
      [raw(`${head({}).slice(0, -1)},"alg":"none"}`), 'malformed'],
      [await sign({ iss: 'other' }), 'wrong-claims'],
      [await sign({ aud: 'other' }), 'wrong-claims'],
      [await sign({ aud: undefined }), 'wrong-claims'],
      [await sign({ typ: 'refresh' }), 'wrong-claims'],
      [await sign({ tel_token: 7 }), 'wrong-claims'],
      [await sign({ tel_token: `${telToken}A` }), 'wrong-claims'],
      [await sign({ exp: undefined }), 'wrong-claims'],
      [await sign({ exp: '9999999999' }), 'wrong-claims'],
      [await sign({ exp: NOW / 1000 - 61 }), 'expired'],
      [await sign({ nbf: NOW / 1000 + 61 }), 'not-yet-valid'],
      [await sign({ iat: NOW / 1000 + 61 }), 'not-yet-valid'],
      [await sign({ exp: NOW / 1000 + 90_000 }), 'too-long-lived'],
    ];
    for (const [token, why] of rows) {
      const verified = await tokens.verify(token, NOW);
      assert.deepEqual(verified, { ok: false, error: why }, `${token.slice(0, 60)} ${why}`);
    }
    // A key that a stranger brings along in the header is not looked at: the signature by our own key decides.
    const strange = raw(
      head({
        jku: 'https://attacker.example/keys',
        x5u: 'https://attacker.example/cert',
        jwk: { kty: 'oct', k: 'AAAA' },
      }),
      undefined,
      Buffer.from('AAAA', 'base64url'),
    );
    assert.deepEqual(await tokens.verify(strange, NOW), { ok: false, error: 'bad-signature' });
  });
});

describe('the ways in', () => {
  const people = new People();
  let service: IdentityService;
  let budget: LoginBudget;
  let connection: StoredObject;
  let credential: StoredObject;
  before(async () => {
    service = await people.open({
      connections: [{ user_name: 'line1', password: 'the password', numbers: ['+13125550100'] }],
    });
  });
  after(() => people.close());

  const put = (...puts: StoredObject[]): Promise<void> =>
    service.registry.change(() => ({ change: { puts, removes: [], audit: [] }, result: undefined }));
  const current = (object: StoredObject): StoredObject => service.registry.get(object.id)!;
  const says = async (
    credentials: LoginCredentials,
    epoch = NOW,
    address = '192.0.2.9',
    now = 0,
  ): Promise<string> => {
    const clocks = { now, epoch };
    const login = await authenticate(
      { credentials, address },
      service.identity,
      service.tokens,
      budget,
      clocks,
    );
    assert.equal(
      login.answer.ok ? 'ok' : login.answer.why,
      login.answer.ok ? 'ok' : login.reason === 'too many tries' ? 'too many tries' : 'Login Incorrect',
    );
    return login.answer.ok ? `${login.answer.user} by ${login.reason}` : login.reason;
  };
  const password = (login: string, word: string): LoginCredentials => ({
    kind: 'password',
    login,
    password: word,
  });

  beforeEach(async () => {
    budget = new LoginBudget();
    const parent = service.registry.named('sip:line1')!;
    const { account } = parent;
    const id = `${Math.floor(Math.random() * 1e15)}`;
    const doc: ConnectionDoc = {
      ...docOf<ConnectionDoc>(parent),
      user_name: `user${id}`,
      password: service.vault.seal('secret word', `${id} password`),
      origin: 'api',
    };
    connection = makeObject('connection', account, doc, NOW, id);
    const own = `c-${id}`;
    credential = makeObject(
      'credential',
      account,
      {
        connection_id: id,
        name: '',
        tag: '',
        sip_username: `gencred${id}`,
        sip_password: service.vault.seal('generated', `${own} sip_password`),
        expires_at: new Date(NOW + HOUR).toISOString(),
      },
      NOW,
      own,
    );
    await put(connection, credential);
  });

  it('are a connection, a credential and a token, each as the user it names', async () => {
    const name = String(connection.doc['user_name']);
    const cred = String(credential.doc['sip_username']);
    assert.equal(await says(password('line1', 'the password')), 'line1 by connection password');
    assert.equal(await says(password(name, 'secret word')), `${name} by connection password`);
    assert.equal(await says(password(cred, 'generated')), `${cred} by credential password`);
    const user = service.identity.userByName(cred)!;
    assert.equal(
      await says({ kind: 'token', token: await service.tokens.mint(user, NOW) }),
      `${cred} by token`,
    );
    assert.equal(await says(password(cred.toUpperCase(), 'generated')), 'unknown user');
    assert.equal(await says(password(cred, 'secret word')), 'wrong password');
    assert.equal(await says(password(name, '')), 'wrong password');
  });

  it('close with the level above them, each with its reason', async () => {
    const cred = String(credential.doc['sip_username']);
    const token = await service.tokens.mint(service.identity.userByName(cred)!, NOW);
    const told = changesOf(service);
    const both = async (now = NOW): Promise<string[]> => [
      await says(password(cred, 'generated'), now),
      await says({ kind: 'token', token }, now),
    ];
    assert.deepEqual(await both(NOW + HOUR), ['credential-expired', 'credential-expired']);
    const doc = docOf<ConnectionDoc>(connection);
    await put(remakeObject(current(connection), 'connection', { ...doc, active: false }, NOW));
    assert.deepEqual(await both(), ['connection-inactive', 'connection-inactive']);
    assert.deepEqual(
      told.map((change) => (change.type === 'revoked' ? [change.userName, change.why] : change.type)),
      [
        [doc.user_name, 'connection-inactive'],
        [cred, 'connection-inactive'],
      ],
    );
    await put(remakeObject(current(connection), 'connection', doc, NOW));
    assert.deepEqual(await both(), [`${cred} by credential password`, `${cred} by token`]);
    const account = service.registry.get(connection.account)!;
    await put(remakeObject(account, 'account', { name: 'default', active: false }, NOW));
    assert.deepEqual(await both(), ['account-inactive', 'account-inactive']);
    assert.equal(await says(password('line1', 'the password')), 'account-inactive');
    await put(remakeObject(current(account), 'account', { name: 'default', active: true }, NOW));
    told.length = 0;
    await service.registry.change(() => ({
      change: { puts: [], removes: [{ id: credential.id, version: 1 }], audit: [] },
      result: undefined,
    }));
    assert.deepEqual(await both(), ['unknown user', 'deleted user']);
    assert.deepEqual(told, [{ type: 'revoked', userId: credential.id, userName: cred, why: 'deleted' }]);
  });

  it('tell those who are in when a credential expires, a password changes or a name does', async () => {
    const told = changesOf(service);
    const name = String(connection.doc['user_name']);
    service.identity.expire(NOW + HOUR - 1);
    assert.equal(told.length, 0);
    service.identity.expire(NOW + HOUR);
    service.identity.expire(NOW + 2 * HOUR);
    const mine = told.filter((change) => change.type === 'revoked' && change.userId === credential.id);
    assert.deepEqual(
      mine.map((change) => change.type === 'revoked' && change.why),
      ['credential-expired'],
    );
    told.length = 0;
    const doc = docOf<ConnectionDoc>(connection);
    const changed = service.vault.seal('another word', `${connection.id} password`);
    await put(remakeObject(current(connection), 'connection', { ...doc, password: changed }, NOW));
    await put(remakeObject(current(connection), 'connection', { ...doc, user_name: `${name}x` }, NOW));
    assert.deepEqual(told, [
      { type: 'revoked', userId: connection.id, userName: name, why: 'password-changed' },
      { type: 'revoked', userId: connection.id, userName: name, why: 'renamed' },
    ]);
    assert.equal(service.identity.userByName(name), undefined);
    assert.equal(service.identity.userByName(`${name}x`)?.id, connection.id);
  });

  it('end guessing of passwords by user and address; old tokens lock nobody out', async () => {
    const user = service.identity.userByName('line1')!;
    const old = await service.tokens.mint(user, NOW - 48 * HOUR);
    for (let i = 0; i < 20; i++) assert.equal(await says({ kind: 'token', token: old }), 'token expired');
    for (let i = 0; i < 10; i++) assert.equal(await says(password('line1', `guess ${i}`)), 'wrong password');
    assert.equal(await says(password('line1', 'the password')), 'too many tries');
    assert.equal(
      await says(password('line1', 'the password'), NOW, '192.0.2.1'),
      'line1 by connection password',
    );
    assert.match(await says({ kind: 'token', token: await service.tokens.mint(user, NOW) }), /by token/);
  });

  it('windows-on-the-wall-clock: a clock set back or forth neither prolongs nor shortens the wait of a guesser', async () => {
    const right = (epoch: number, now: number) =>
      says(password('line1', 'the password'), epoch, '192.0.2.9', now);
    for (let i = 0; i < 10; i++) assert.equal(await says(password('line1', `guess ${i}`)), 'wrong password');
    for (const step of [0, HOUR, -HOUR]) assert.equal(await right(NOW + step, 59_999), 'too many tries');
    for (const step of [0, HOUR, -HOUR])
      assert.equal(await right(NOW + step, 60_000), 'line1 by connection password');
  });
});

describe('users of the configuration file', () => {
  it('are those of the file, whatever it was before; credentials under them come back with them', async () => {
    const people = new People();
    const names = (service: IdentityService): string[] =>
      [...service.identity.users()].map((user) => user.name);
    try {
      const first = await people.open();
      assert.deepEqual(names(first), ['line1', 'line2']);
      const word = first.identity.userByName('line1')!.password;
      const line3 = {
        user_name: 'line3',
        password: 'long enough',
        numbers: ['+15005550001', '+15005550003'],
      };
      const second = await people.open({
        connections: [line3, { user_name: 'line1', password: 'long enough' }],
      });
      assert.deepEqual(names(second).sort(), ['line1', 'line3']);
      assert.equal(second.identity.userByName('line1')?.password, 'long enough');
      assert.equal(second.identity.ownerOfNumber('+15005550001')?.userName, 'line3');
      const { id } = second.identity.userByName('line3')!;
      assert.equal((await people.open({ connections: [line3] })).identity.userByName('line3')?.id, id);
      const third = await people.open();
      assert.deepEqual(names(third).includes('line3'), false);
      assert.equal(third.identity.number('+15005550003'), undefined);
      assert.equal(third.identity.userByName('line2')?.password.length, word.length);
      const fourth = await people.open({ connections: [line3] });
      assert.equal(fourth.identity.userByName('line3')?.id, id);
      assert.deepEqual(
        fourth.identity.numbersOf(id).map((n) => n.number),
        ['+15005550001', '+15005550003'],
      );
    } finally {
      await people.close();
    }
  });

  it('change nothing in the store when the file has not changed', async () => {
    const people = new People();
    try {
      const config = {
        connections: [{ user_name: 'line1', password: 'long enough', numbers: ['+13125550100'] }],
      };
      const before = (await (await people.open(config)).store.load(0)).revision;
      const after = (await (await people.open(config)).store.load(0)).revision;
      assert.equal(after, before);
    } finally {
      await people.close();
    }
  });
});
