import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client } from './drive/client.ts';
import { freePorts, Product, run, until } from './drive/running.ts';
import { heardIn } from './drive/sound-files.ts';
import { tone } from './fixtures/tones.ts';

describe('sounds and media storage of the running product', { timeout: 120_000 }, () => {
  let product: Product;
  let files: Server;
  let key: string;
  before(async () => {
    files = createServer((_, response) =>
      response.writeHead(200, { 'content-type': 'audio/mpeg' }).end(tone('mp3_24000')),
    );
    await new Promise<void>((done) => files.listen(0, '127.0.0.1', done));
    const connections = [{ user_name: 'line1', password: 'line1 password' }];
    const settings = { connections, webhooks: { allow: ['127.0.0.1'] } };
    product = await Product.start(settings, await freePorts(53_400));
    key = (
      await run('key', 'create', '--config', product.configFile, '--data', product.dataDir)
    ).stdout.trim();
  });
  after(async () => {
    files.closeAllConnections();
    files.close();
    await product?.stop();
  });

  const ask = (method: string, path: string, body?: FormData | string): Promise<Response> =>
    fetch(`http://127.0.0.1:${product.ports.http}/v2${path}`, {
      method,
      headers: { Authorization: `Bearer ${key}` },
      ...(body === undefined ? {} : { body }),
    });

  it('a sound that a command names is prepared for the call', async () => {
    const client = await Client.loggedIn(product.ports.http, 'line1');
    const call = await client.invite('9196');
    const { telnyx_call_control_id: control } = await client.says('telnyx_rtc.answer', call);
    const url = `http://127.0.0.1:${(files.address() as AddressInfo).port}/b.mp3`;
    const path = `/calls/${encodeURIComponent(control)}/actions/playback_start`;
    const asked = await ask('POST', path, JSON.stringify({ audio_url: url }));
    assert.equal(asked.status, 200, await asked.text());
    const folder = join(product.dataDir, 'sounds');
    const made = await until(
      'the prepared file',
      () =>
        existsSync(folder) &&
        readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('.wav')),
      () => product.stderr,
      30_000,
    );
    assert.ok(Math.abs(heardIn(join(folder, made)).hz - 1000) < 5);
    await client.inCall('bye', call);
    client.close();
  });

  it('stores by URL and by form, serves it, and has it after the death of the process', async () => {
    const url = `http://127.0.0.1:${(files.address() as AddressInfo).port}/a.mp3?token=topsecret`;
    const stored = await ask('POST', '/media', JSON.stringify({ media_url: url, media_name: 'menu' }));
    assert.equal(stored.status, 200, await stored.text());
    const form = new FormData();
    form.append(
      'media',
      new File([tone('opus_mono') as Uint8Array<ArrayBuffer>], 'hold.opus', { type: 'audio/ogg' }),
    );
    assert.equal((await ask('POST', '/media', form)).status, 200);
    // While they cross the wire, calls are answered as ever: sounds have files and threads of their own.
    const large = new FormData();
    large.append('media', new File([new Uint8Array(19 * 1024 * 1024)], 'large'));
    assert.equal((await ask('POST', '/media', large)).status, 200);
    const before = product.child('signalling-process')!;
    process.kill(before, 'SIGKILL');
    await until('the next process', () => {
      const now = product.child('signalling-process');
      return now !== undefined && now !== before;
    });
    let listed: Response | undefined;
    await until(
      'the API',
      () => {
        void ask('GET', '/media').then(
          (answer) => (listed = answer),
          () => {},
        );
        return listed;
      },
      () => product.stderr,
      30_000,
    );
    const { data } = (await listed!.json()) as { data: { media_name: string; content_type: string }[] };
    assert.deepEqual(
      data.map((item) => [item.media_name, item.content_type]),
      [
        ['hold.opus', 'audio/ogg'],
        ['large', 'application/octet-stream'],
        ['menu', 'audio/mpeg'],
      ],
    );
    const bytes = new Uint8Array(await (await ask('GET', '/media/menu/download')).arrayBuffer());
    assert.deepEqual(bytes, tone('mp3_24000'));
    assert.equal((await ask('DELETE', '/media/large')).status, 204);
    const drafts = join(product.dataDir, 'media-storage', 'drafts');
    assert.deepEqual(existsSync(drafts) ? readdirSync(drafts) : [], []);
    assert.doesNotMatch(product.stderr, /topsecret/);
    assert.doesNotMatch(product.stderr, /uncaught|unhandled/i);
  });
});
