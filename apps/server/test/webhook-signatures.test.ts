import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadSecrets } from '../src/identity/secrets.ts';
import type { OutgoingRequest } from '../src/outgoing/outgoing.ts';
import { createPoster } from '../src/webhooks/poster.ts';
import { queryOf } from '../src/webhooks/query.ts';
import { createSigner } from '../src/webhooks/signer.ts';
import { folder, run, until } from './drive/running.ts';

const require = createRequire(import.meta.url);
const BODY = {
  data: {
    record_type: 'event',
    event_type: 'call.initiated',
    id: '0ccc7b54-4df3-4bca-a65a-3da1ecc777f0',
    occurred_at: '2026-11-30T06:40:00.123456Z',
    payload: { call_control_id: 'v3:x', from: 'Jürgen ☎', client_state: null, tags: [] },
  },
  meta: { attempt: 1, delivered_to: 'https://app.example/hook' },
};

type Sent = { readonly body: string; readonly headers: Record<string, string>; readonly url: string };

/** What the edge would send. */
async function sent(
  signer = createSigner(SEED),
  at = Date.now(),
  method: 'POST' | 'GET' = 'POST',
  url = 'https://app.example/hook',
): Promise<Sent> {
  let request: OutgoingRequest | undefined;
  const post = createPoster({
    signer,
    epoch: () => at,
    outgoing: {
      request: async (asked) => {
        request = asked;
        return { ok: true, value: { status: 200, headers: {}, body: Buffer.from(''), cut: false, ms: 1 } };
      },
    },
  });
  await post({ type: 'post', id: 'e', attempt: 1, url, method, body: BODY, timeoutMs: 1000 });
  return {
    body: Buffer.from(request?.body ?? []).toString('utf8'),
    headers: { ...request!.headers },
    url: request!.url,
  };
}

const SEED = randomBytes(32);

/** Verifies as the published packages do, each in its own way; rejects or throws when it refuses. */
const VERIFIERS: Readonly<Record<string, (sent: Sent, key: string) => Promise<unknown>>> = {
  '7.24.0': async ({ body, headers }, key) => {
    const { default: Telnyx } = await import('telnyx-7.24.0');
    return await new Telnyx({ apiKey: 'KEY', publicKey: key }).webhooks.unwrap(body, { headers });
  },
  '5.51.0': async ({ body, headers }, key) => {
    // Its ES module cannot find its own verifier.
    const { default: Telnyx } = require('telnyx-5.51.0');
    return await new Telnyx({ apiKey: 'KEY', publicKey: key }).webhooks.unwrap(body, {
      headers,
      key,
    });
  },
  '4.6.0': async ({ body, headers }, key) => {
    // Its ES module cannot find its own verifier.
    const { default: Telnyx } = require('telnyx-4.6.0');
    return await new Telnyx({ apiKey: 'KEY', publicKey: key }).webhooks.unwrap(body, {
      headers,
      key,
    });
  },
  '1.27.0': async ({ body, headers }, key) => {
    const telnyx = require('telnyx-1.27.0')('KEY');
    return telnyx.webhooks.constructEvent(
      body,
      headers['telnyx-signature-ed25519'],
      headers['telnyx-timestamp'],
      key,
      300,
    );
  },
};

describe('webhooks: signatures (pitfall 11)', () => {
  const signer = createSigner(SEED);

  for (const [version, verify] of Object.entries(VERIFIERS)) {
    it(`telnyx ${version} accepts what is sent, and nothing that was changed`, async () => {
      const good = await sent();
      const event = (await verify(good, signer.publicKey)) as typeof BODY;
      assert.equal(event.data.id, BODY.data.id);
      assert.equal(event.data.payload.from, 'Jürgen ☎');
      const header = (name: string, value: string): Sent => ({
        ...good,
        headers: { ...good.headers, [name]: value },
      });
      const signature = Buffer.from(good.headers['telnyx-signature-ed25519']!, 'base64');
      signature[10]! ^= 1;
      const stale = await sent(signer, Date.now() - 301_000);
      const rows: readonly (readonly [string, Sent, string])[] = [
        ['a byte of the body', { ...good, body: good.body.replace('v3:x', 'v3:y') }, signer.publicKey],
        ['a blank behind it', { ...good, body: `${good.body} ` }, signer.publicKey],
        [
          'a bit of the signature',
          header('telnyx-signature-ed25519', signature.toString('base64')),
          signer.publicKey,
        ],
        [
          'the timestamp',
          header('telnyx-timestamp', String(Number(good.headers['telnyx-timestamp']) + 1)),
          signer.publicKey,
        ],
        ['another key', good, createSigner(randomBytes(32)).publicKey],
        ['five minutes of age', stale, signer.publicKey],
      ];
      for (const [what, changed, key] of rows) await assert.rejects(verify(changed, key), what);
      await verify(await sent(signer, Date.now() - 290_000), signer.publicKey);
    });
  }

  it('are made anew for each try, over the very bytes that leave', async () => {
    const first = await sent(signer, 1_796_020_800_999);
    const second = await sent(signer, 1_796_020_801_000);
    assert.equal(first.body, second.body);
    assert.equal(first.headers['telnyx-timestamp'], '1796020800');
    assert.equal(second.headers['telnyx-timestamp'], '1796020801');
    assert.notEqual(first.headers['telnyx-signature-ed25519'], second.headers['telnyx-signature-ed25519']);
    assert.match(first.headers['telnyx-signature-ed25519']!, /^[A-Za-z0-9+/]{86}==$/);
    assert.deepEqual(
      [first.headers['Content-Type'], first.headers['User-Agent']],
      ['application/json', 'telnyx-webhooks'],
    );
    assert.equal(signer.publicKey.length, 44);
  });

  it('of a GET are over the query as it leaves', async () => {
    for (const url of [
      'https://app.example/h?a=b c&d=ü',
      'https://app.example/h',
      'https://app.example/h#x',
    ]) {
      const got = await sent(signer, Date.now(), 'GET', url);
      assert.equal(got.body, '');
      assert.equal(got.headers['Content-Type'], undefined);
      const { search } = new URL(got.url);
      await VERIFIERS['1.27.0']!({ ...got, body: search.slice(1) }, signer.publicKey).catch(
        (error: Error) => {
          // It parses what it has verified, and a query is no JSON.
          assert.match(error.message, /JSON/);
        },
      );
      await assert.rejects(
        VERIFIERS['1.27.0']!({ ...got, body: `${search.slice(1)}x` }, signer.publicKey),
        /signature/i,
      );
      const parameters = new URLSearchParams(search);
      assert.equal(parameters.get('data[event_type]'), 'call.initiated');
      assert.equal(parameters.get('data[payload][from]'), 'Jürgen ☎');
      assert.equal(parameters.get('data[payload][client_state]'), '');
      assert.equal(parameters.get('meta[delivered_to]'), BODY.meta.delivered_to);
      if (url.includes('?')) assert.deepEqual([parameters.get('a'), parameters.get('d')], ['b c', 'ü']);
    }
    assert.equal(queryOf({ a: [{ b: 1 }, 'x&='], c: '\ud800' }), 'a[0][b]=1&a[1]=x%26%3D&c=%EF%BF%BD');
  });
});

describe('webhooks: the example of docs/webhooks.md', () => {
  it('takes what is signed, and refuses the rest', async () => {
    const page = readFileSync(new URL('../../../docs/webhooks.md', import.meta.url), 'utf8');
    const code = /```js\n([\s\S]*?)```/.exec(page)![1]!;
    const dir = folder();
    const file = join(dir, 'handler.mjs');
    const listening = ".listen(0, '127.0.0.1', function () { console.log(this.address().port); });";
    assert.match(code, /\.listen\(3000\);/);
    writeFileSync(file, code.replace('.listen(3000);', listening));
    const signer = createSigner(SEED);
    const child = spawn(process.execPath, [file], {
      env: { ...process.env, WEBHOOK_KEY: signer.publicKey },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      let printed = '';
      child.stdout.on('data', (part: Buffer) => (printed += part.toString()));
      const port = await until('its port', () => /^(\d+)\n/.exec(printed)?.[1]);
      const send = async ({ body, headers }: Sent): Promise<number> =>
        (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body })).status;
      const good = await sent();
      assert.equal(await send(good), 200);
      await until('its line', () => printed.includes('call.initiated'));
      assert.equal(await send({ ...good, body: `${good.body} ` }), 400);
      assert.equal(await send({ ...good, headers: {} }), 400);
      assert.equal(await send(await sent(signer, Date.now() - 301_000)), 400);
      assert.equal(await send(await sent(createSigner(randomBytes(32)))), 400);
    } finally {
      child.kill();
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

describe('webhooks: keys', () => {
  const dir = folder();
  after(() => rmSync(dir, { recursive: true, force: true }));
  const cli = (...words: string[]) => run('webhook', 'key', ...words, '--data', dir);
  const keys = (text: string): string[] => [...text.matchAll(/^(\S{44}) {2}/gm)].map(([, key]) => key!);

  it('begin with the first start, and are changed in two steps, so that two are good meanwhile', async () => {
    const made = keys((await cli()).stdout);
    assert.equal(made.length, 1);
    assert.deepEqual(keys((await cli()).stdout), made);
    assert.equal(statSync(join(dir, 'secrets.json')).mode & 0o777, 0o600);
    const nothing = await cli('activate');
    assert.deepEqual([nothing.code, /no key waits/.test(nothing.stderr)], [1, true]);
    const rotated = await cli('rotate');
    const [signing, next] = keys(rotated.stdout);
    assert.equal(signing, made[0]);
    assert.notEqual(next, signing);
    assert.match(rotated.stdout, /next: tell it to your receivers/);
    // Asking again makes no further key: receivers may have been told of it.
    assert.deepEqual(keys((await cli('rotate')).stdout), [signing, next]);
    assert.equal(createSigner(loadSecrets(dir).webhookKeys.signing).publicKey, signing);
    assert.deepEqual(keys((await cli('activate')).stdout), [next, signing]);
    assert.equal(createSigner(loadSecrets(dir).webhookKeys.signing).publicKey, next);
    const strange = await cli('frobnicate');
    assert.deepEqual(
      [strange.code, /cannot make sense of "webhook key frobnicate"/.test(strange.stderr)],
      [1, true],
    );
    // No seed is ever shown.
    const file = readFileSync(join(dir, 'secrets.json'), 'utf8');
    for (const seed of [...file.matchAll(/webhook_key": "(\S+)"/g)].map(([, text]) => text!))
      assert.ok(![rotated.stdout, (await cli()).stdout].some((text) => text.includes(seed)));
  });

  it('come into a folder of an earlier release, and a damaged one is told', async () => {
    const file = join(dir, 'secrets.json');
    const {
      webhook_key: _,
      next_webhook_key: __,
      previous_webhook_key: ___,
      ...old
    } = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify(old));
    const { webhookKeys } = loadSecrets(dir);
    assert.equal(webhookKeys.signing.length, 32);
    assert.deepEqual(loadSecrets(dir).webhookKeys, webhookKeys);
    writeFileSync(file, JSON.stringify({ ...old, webhook_key: 'AAAA' }));
    assert.throws(() => loadSecrets(dir), /webhook_key must hold/);
    assert.ok(existsSync(file));
  });
});
