import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { checkConfig } from '../src/config/load.ts';
import { iceServersOf } from '../src/identity/ice-servers.ts';

const SECRET = 'north-by-northwest';
const NOW = 1_700_000_000_500;
const urls = ['turn:turn.example.com:3478?transport=udp', 'turns:turn.example.com:443?transport=tcp'];

const config = (value: object) => {
  const checked = checkConfig(value, 'file');
  assert.ok(checked.ok, checked.ok ? '' : checked.error);
  return checked.value;
};
const refusal = (value: object): string => {
  const checked = checkConfig(value, 'file');
  return checked.ok ? '' : checked.error;
};

describe('ICE servers for clients', () => {
  it('are none without TURN', () => {
    assert.deepEqual(iceServersOf(config({}))('line1', NOW), []);
  });

  it('are our STUN server, and TURN with a credential of this user for this long', () => {
    const servers = iceServersOf(config({ turn: { urls, secret: SECRET, ttl_seconds: 3600 } }));
    assert.deepEqual(servers('line1', NOW), [
      { urls: ['stun:127.0.0.1:3478'] },
      // printf 1700003600:line1 | openssl dgst -sha1 -hmac north-by-northwest -binary | base64
      { urls, username: '1700003600:line1', credential: '+iEexrncFZwSjjrCyL8JK2hqAJg=' },
    ]);
    assert.notEqual(servers('line2', NOW)[1]!.credential, servers('line1', NOW)[1]!.credential);
  });

  it('name the STUN server only where clients reach it', () => {
    const turn = { urls, secret: SECRET };
    const stun = (more: object) => iceServersOf(config({ turn, ...more }))('u', NOW)[0]!.urls[0];
    const http = { host: '0.0.0.0' };
    assert.equal(stun({ http }), urls[0]);
    assert.equal(stun({ http, stun: { host: '0.0.0.0' } }), urls[0]);
    assert.equal(stun({ http, stun: { host: '192.0.2.1' } }), 'stun:192.0.2.1:3478');
    assert.equal(
      stun({ http, stun: { host: '0.0.0.0', port: 5000 }, media: { public_address: '198.51.100.7' } }),
      'stun:198.51.100.7:5000',
    );
  });

  it('read the secret from a file, and say what is wrong with it, not what is in it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sidetone-turn-'));
    try {
      const file = join(folder, 'secret');
      writeFileSync(file, `${SECRET}\n`);
      const inline = iceServersOf(config({ turn: { urls, secret: SECRET } }))('u', NOW);
      assert.deepEqual(iceServersOf(config({ turn: { urls, secret_file: file } }))('u', NOW), inline);
      writeFileSync(file, 'short');
      const open = () => iceServersOf(config({ turn: { urls, secret_file: file } }));
      assert.throws(open, /^Error: turn\.secret_file: .* at least 16 characters$/);
      rmSync(file);
      assert.throws(open, /turn\.secret_file: cannot read .* \(ENOENT\)/);
    } finally {
      rmSync(folder, { recursive: true });
    }
    for (const turn of [{ urls }, { urls, secret: SECRET, secret_file: 'x' }])
      assert.match(refusal({ turn }), /turn: needs either secret or secret_file/);
    assert.match(
      refusal({ turn: { urls: ['turn.example.com'], secret: SECRET } }),
      /turn\.urls\[0\]: must look/,
    );
    assert.doesNotMatch(refusal({ turn: { urls, secret: 'too-short' } }), /too-short/);
  });
});
