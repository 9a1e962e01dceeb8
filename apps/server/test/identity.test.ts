import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { heapGrowth } from '@sidetone/core/testing';
import { LoginBudget } from '../src/identity/login-budget.ts';
import { LoginLinks } from '../src/identity/login-links.ts';
import { loadSecrets, rotateTokenKey } from '../src/identity/secrets.ts';
import { loadVault, Vault } from '../src/identity/vault.ts';

const NOW = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;

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

  it('ipv6: takes a /64 for one source', () => {
    const budget = new LoginBudget();
    for (let i = 0; i < 10; i++) budget.failed('line1', `2001:db8:1:2::${i}`, NOW);
    assert.equal(budget.allows('line1', '2001:db8:1:2:ffff::1', NOW), false);
    assert.equal(budget.allows('line1', '2001:db8:1:3::1', NOW), true);
  });

  it('keeps nothing of the messages that names were cut from', () => {
    const budget = new LoginBudget();
    const grown = heapGrowth(() => {
      for (let i = 0; i < 300; i++) {
        const message = Buffer.from(`a name that nobody has ${i}${'x'.repeat(60_000)}`).toString();
        budget.failed(message.slice(0, 30), '192.0.2.9', NOW);
      }
    });
    assert.ok(grown < 4_000_000, String(grown));
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
      rotateTokenKey(dir);
      const rotated = loadSecrets(dir);
      assert.equal(rotated.tokenKeys.length, 2);
      assert.deepEqual(rotated.tokenKeys[1], made.tokenKeys[0]);
      assert.deepEqual(rotated.nonceKey, made.nonceKey);
      writeFileSync(join(dir, 'secrets.json'), '{"token_key":"AAAA","nonce_key":"AAAA"}');
      assert.throws(() => loadSecrets(dir), /token_key must hold at least 64 bytes/);
      writeFileSync(join(dir, 'secrets.json'), '{');
      assert.throws(() => loadSecrets(dir), /is damaged/);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

describe('the vault', () => {
  it('opens what it sealed, in its place only, with its key only', () => {
    const dir = mkdtempSync(join(tmpdir(), 'sidetone-'));
    try {
      const vault = loadVault(dir);
      const sealed = vault.seal('geheim ü', '1 password');
      assert.doesNotMatch(sealed, /geheim/);
      assert.notEqual(sealed, vault.seal('geheim ü', '1 password'));
      assert.equal(loadVault(dir).open(sealed, '1 password'), 'geheim ü');
      assert.equal(statSync(join(dir, 'store.key')).mode & 0o777, 0o600);
      const last = sealed.at(-3) === 'A' ? 'B' : 'A';
      for (const [value, place, key] of [
        [sealed, '2 password', vault],
        [sealed.slice(0, -3) + last + sealed.slice(-2), '1 password', vault],
        ['v1.', '1 password', vault],
        ['', '1 password', vault],
        [sealed, '1 password', new Vault(Buffer.alloc(32))],
      ] as const)
        assert.throws(() => key.open(value, place), /store\.key does not open the secrets/);
      writeFileSync(join(dir, 'store.key'), 'AAAA');
      assert.throws(() => loadVault(dir), /store\.key is damaged/);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
