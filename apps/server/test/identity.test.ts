import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { LoginCredentials } from '@sidetone/wire';
import { SignJWT } from 'jose';
import { LoginBudget } from '../src/identity/login-budget.ts';
import { LoginLinks } from '../src/identity/login-links.ts';
import { mintLoginToken, verifyLoginToken } from '../src/identity/login-token.ts';
import { loadSecrets } from '../src/identity/secrets.ts';
import { authenticate } from '../src/signalling/authenticate.ts';

const KEY = randomBytes(64);
const NOW = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;

describe('login tokens', () => {
  it('carry the user for 24 hours', async () => {
    const token = await mintLoginToken(KEY, 'line1', NOW);
    const verified = await verifyLoginToken(KEY, token, NOW + 23 * HOUR);
    assert.deepEqual(verified, { ok: true, value: { userName: 'line1', expiresAt: NOW + 24 * HOUR } });
    assert.equal((await verifyLoginToken(KEY, token, NOW + 24 * HOUR + 59_000)).ok, true);
    assert.deepEqual(await verifyLoginToken(KEY, token, NOW + 24 * HOUR + 61_000), {
      ok: false,
      error: 'expired',
    });
    assert.deepEqual(await verifyLoginToken(KEY, token, NOW - HOUR), { ok: false, error: 'not-yet-valid' });
  });

  it('have a payload that browsers can read with atob', async () => {
    for (const user of ['line1', 'a.b-c_d', 'gencredXyZ123']) {
      const payload = (await mintLoginToken(KEY, user, NOW)).split('.')[1]!;
      assert.doesNotMatch(payload, /[-_]/);
      assert.equal(typeof (JSON.parse(atob(payload)) as { exp: unknown }).exp, 'number');
    }
  });

  it('are refused when anything about them is wrong', async () => {
    const good = await mintLoginToken(KEY, 'line1', NOW);
    const [header, payload] = good.split('.') as [string, string, string];
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    const sign = (change: Record<string, unknown>, alg = 'HS512', key: Uint8Array = KEY): Promise<string> =>
      new SignJWT({ ...claims, ...change }).setProtectedHeader({ alg, typ: 'JWT' }).sign(key);
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
    const rows: readonly (readonly [string, string])[] = [
      ['', 'malformed'],
      ['a.b.c', 'malformed'],
      ['x'.repeat(1_000_000), 'malformed'],
      [none, 'malformed'],
      [`${header}.${payload}.AAAA`, 'bad-signature'],
      [await sign({}, 'HS512', randomBytes(64)), 'bad-signature'],
      [await sign({}, 'HS256'), 'malformed'],
      [await sign({ iss: 'other' }), 'wrong-claims'],
      [await sign({ aud: 'other' }), 'wrong-claims'],
      [await sign({ typ: 'refresh' }), 'wrong-claims'],
      [await sign({ tel_token: 7 }), 'wrong-claims'],
    ];
    for (const [token, why] of rows) {
      assert.deepEqual(
        await verifyLoginToken(KEY, token, NOW),
        { ok: false, error: why },
        token.slice(0, 40),
      );
    }
  });
});

describe('login links', () => {
  it('work once, and only for a day', () => {
    const links = new LoginLinks();
    const token = links.issue('line1', NOW);
    assert.equal(links.redeem(`${token}x`, NOW), undefined);
    assert.equal(links.redeem(token, NOW), 'line1');
    assert.equal(links.redeem(token, NOW), undefined);
    assert.equal(links.redeem(links.issue('line1', NOW), NOW + 25 * HOUR), undefined);
  });
});

describe('authentication', () => {
  it('ends guessing of passwords by user and address; old tokens lock nobody out', async () => {
    const directory = {
      domain: 'sip.test',
      trunks: [],
      connections: [
        {
          user_name: 'line1',
          password: 'the password',
          numbers: [],
          sip_uri_calling_preference: 'internal' as const,
          dnis_number_format: 'sip_username' as const,
          simultaneous_ringing: 'disabled' as const,
          reject_code: 487,
          codecs: [],
        },
      ],
    };
    const budget = new LoginBudget();
    const says = async (credentials: LoginCredentials): Promise<boolean> => {
      const question = { type: 'authenticate', request: 'r', credentials, address: '192.0.2.9' } as const;
      return (await authenticate(question, directory, KEY, budget, NOW)).answer.ok;
    };
    const old = await mintLoginToken(KEY, 'line1', NOW - 48 * HOUR);
    for (let i = 0; i < 20; i++) assert.equal(await says({ kind: 'token', token: old }), false);
    const token = await mintLoginToken(KEY, 'line1', NOW);
    assert.equal(await says({ kind: 'token', token }), true);
    const right = { kind: 'password', login: 'line1', password: 'the password' } as const;
    for (let i = 0; i < 10; i++) assert.equal(await says({ ...right, password: `guess ${i}` }), false);
    assert.equal(await says(right), false);
    assert.equal(await says({ kind: 'token', token }), true);
  });
});

describe('login budget', () => {
  it('stops guessing from one address and leaves the user free elsewhere', () => {
    const budget = new LoginBudget();
    for (let i = 0; i < 10; i++) {
      assert.equal(budget.allows('line1', '192.0.2.9', NOW), true);
      budget.failed('line1', '192.0.2.9', NOW);
    }
    assert.equal(budget.allows('line1', '192.0.2.9', NOW + 59_000), false);
    assert.equal(budget.allows('line1', '192.0.2.1', NOW), true);
    assert.equal(budget.allows('line1', '192.0.2.9', NOW + 60_000), true);
  });
});

describe('secrets', () => {
  it('are made once, for the owner only, and never shorter than they must be', () => {
    const dir = mkdtempSync(join(tmpdir(), 'sidetone-'));
    try {
      const made = loadSecrets(dir);
      assert.deepEqual(loadSecrets(dir), made);
      assert.equal(statSync(join(dir, 'secrets.json')).mode & 0o777, 0o600);
      assert.match(readFileSync(join(dir, 'secrets.json'), 'utf8'), /token_key/);
      writeFileSync(join(dir, 'secrets.json'), '{"token_key":"AAAA","nonce_key":"AAAA"}');
      assert.throws(() => loadSecrets(dir), /token_key must hold at least 64 bytes/);
      writeFileSync(join(dir, 'secrets.json'), '{');
      assert.throws(() => loadSecrets(dir), /is damaged/);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
