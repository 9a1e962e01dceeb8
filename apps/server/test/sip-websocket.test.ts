import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  answerChallenge,
  chooseChallenge,
  createRequest,
  formatUri,
  header,
  headersNamed,
  type NameAddr,
  parseMessage,
  parseUri,
  type SipRequest,
  type SipResponse,
  withHeader,
  writeMessage,
} from '@sidetone/sip';
import { CipherContext, HashAlgorithm, NamedCurveAlgorithm, SignatureAlgorithm } from 'werift';
import { WebSocket } from 'ws';
import { folder, freePorts, Product, until } from './drive/running.ts';

const address = (text: string, params: Record<string, string> = {}): NameAddr => {
  const uri = parseUri(text);
  if (!uri.ok) throw new Error(text);
  return { uri: uri.value, params };
};

/** A phone that speaks SIP over a WebSocket, one message a frame. */
class Phone {
  readonly socket: WebSocket;
  readonly texts: string[] = [];
  #serial = 0;
  readonly #name: string;
  closed: number | undefined;

  constructor(url: string, options: object = {}, protocols: string | string[] = 'sip') {
    this.#name = Math.random().toString(36).slice(2, 10);
    this.socket = new WebSocket(url, protocols, options);
    this.socket.on('message', (data) => this.texts.push(String(data)));
    this.socket.on('error', () => {});
    this.socket.on('close', (code) => {
      this.closed = code;
    });
  }

  async open(): Promise<this> {
    await once(this.socket, 'open');
    return this;
  }

  request(
    method: string,
    more: { readonly headers?: readonly (readonly [string, string])[] } = {},
  ): SipRequest {
    this.#serial += 1;
    const made = createRequest({
      method,
      uri: address('sip:sip.localhost').uri,
      from: address('sip:line1@sip.localhost', { tag: this.#name }),
      to: address('sip:line1@sip.localhost'),
      callId: this.#name,
      cseq: this.#serial,
      contact: [
        address(`sip:${this.#name}@${this.#name}.invalid;transport=ws`, {
          '+sip.instance': `"<urn:uuid:${this.#name}>"`,
          'reg-id': '1',
        }),
      ],
      headers: [['Supported', 'path, outbound'], ...(more.headers ?? [])],
    });
    const params = { branch: `z9hG4bK${this.#name}${this.#serial}` };
    const via = { transport: 'WS', host: `${this.#name}.invalid`, params };
    return { ...made, headers: { ...made.headers, via: [via] } };
  }

  async ask(request: SipRequest, binary = false): Promise<SipResponse> {
    const before = this.texts.length;
    this.socket.send(writeMessage(request), { binary });
    await until('an answer', () => this.texts.length > before);
    const parsed = parseMessage(Buffer.from(this.texts[before]!));
    assert.ok(parsed.ok && parsed.value.kind === 'response');
    return parsed.value;
  }

  async register(password: string, expires = 600): Promise<SipResponse> {
    const headers = [['Expires', String(expires)]] as const;
    const first = await this.ask(this.request('REGISTER', { headers }));
    assert.equal(first.status, 401);
    const challenge = chooseChallenge(headersNamed(first, 'WWW-Authenticate'));
    assert.ok(challenge);
    const again = this.request('REGISTER', { headers });
    const value = answerChallenge(challenge, {
      method: 'REGISTER',
      uri: formatUri(again.uri),
      credentials: { userName: 'line1', password },
      count: 1,
      cnonce: 'c',
    });
    return await this.ask(withHeader(again, 'Authorization', value));
  }
}

const bound = (response: SipResponse): number => response.headers.contact.length;

describe('SIP over WebSocket', { timeout: 120_000 }, () => {
  const connections = [{ user_name: 'line1', password: 'a password of line1' }];
  let product: Product;
  let url: string;
  before(async () => {
    const ports = await freePorts(50_100);
    product = await Product.start({ connections }, ports);
    url = `ws://127.0.0.1:${ports.http}/`;
  });
  after(async () => {
    assert.equal(await product?.stop(), 0);
  });

  it('registers, refreshes and leaves; text and binary frames alike', async () => {
    const phone = await new Phone(url).open();
    assert.equal(phone.socket.protocol, 'sip');
    const ok = await phone.register('a password of line1');
    assert.equal(ok.status, 200);
    assert.equal(header(ok, 'Require'), 'outbound');
    assert.equal(bound(ok), 1);
    assert.equal((await phone.ask(phone.request('OPTIONS'), true)).status, 407);
    assert.equal(bound(await phone.register('a password of line1', 0)), 0);
    phone.socket.close();
  });

  it('a wrong password is refused as by any transport', async () => {
    const phone = await new Phone(url).open();
    assert.equal((await phone.register('another password')).status, 401);
    phone.socket.close();
  });

  it('a registration ends with its connection', async () => {
    const [gone, stays] = [await new Phone(url).open(), await new Phone(url).open()];
    await gone.register('a password of line1');
    assert.equal(bound(await stays.register('a password of line1')), 2);
    gone.socket.terminate();
    // The server hears of the end a moment later.
    let left = 2;
    for (let tries = 0; tries < 200 && left > 1; tries++)
      left = bound(await stays.register('a password of line1'));
    assert.equal(left, 1);
    stays.socket.close();
  });

  it('answers CRLF CRLF with CRLF, and a single CRLF with nothing', async () => {
    const phone = await new Phone(url).open();
    phone.socket.send('\r\n');
    phone.socket.send('\r\n\r\n');
    await until('the pong', () => phone.texts.length > 0);
    assert.deepEqual(phone.texts, ['\r\n']);
    phone.socket.close();
  });

  it('the dialect stays what it is without the subprotocol', async () => {
    const client = await new Phone(url, {}, []).open();
    client.socket.send('{"jsonrpc":"2.0","id":"1","method":"telnyx_rtc.ping","params":{}}');
    await until('the reply', () => client.texts.length > 0);
    assert.match(client.texts[0]!, /"result"/);
    client.socket.close();
  });

  it('pages of other origins get no SIP either', async () => {
    const phone = new Phone(url, { origin: 'http://evil.example' });
    await until('the end', () => phone.closed !== undefined);
    assert.equal(phone.closed, 1006);
  });

  it('what is no SIP: 400 where an answer is due, and the end after a while; what is too large: the end at once', async () => {
    const phone = await new Phone(url).open();
    const broken = String(Buffer.from(writeMessage(phone.request('OPTIONS')))).replace(
      /Contact: .*/,
      'Contact: <<<',
    );
    phone.socket.send(broken);
    await until('an answer', () => phone.texts.length > 0);
    assert.match(phone.texts[0]!, /^SIP\/2\.0 400 /);
    for (let i = 0; i < 30; i++) phone.socket.send(`garbage ${i}`);
    await until('the end', () => phone.closed !== undefined);
    assert.equal(phone.closed, 1002);
    const large = await new Phone(url).open();
    large.socket.send('x'.repeat(70_000));
    await until('the end', () => large.closed !== undefined);
    assert.equal(large.closed, 1009);
  });

  it('a flood of strangers leaves nothing behind', async () => {
    const phones = await Promise.all(Array.from({ length: 50 }, () => new Phone(url).open()));
    const route = address('sip:victim.example.com', { lr: '' });
    const headers = [['Path', '<sip:victim.example.com;lr>']] as const;
    for (let round = 0; round < 40; round++)
      for (const phone of phones)
        for (const method of ['REGISTER', 'INVITE', 'OPTIONS', 'BYE']) {
          const request = phone.request(method, { headers });
          phone.socket.send(writeMessage({ ...request, headers: { ...request.headers, route: [route] } }));
        }
    await until('every answer', () => phones.every(({ texts }) => texts.length >= 160), undefined, 60_000);
    const statuses = new Set(phones.flatMap(({ texts }) => texts.map((text) => text.slice(8, 11))));
    assert.deepEqual([...statuses].sort(), ['401', '407']);
    for (const { socket } of phones) socket.terminate();
    const phone = await new Phone(url).open();
    assert.equal((await phone.register('a password of line1')).status, 200);
    phone.socket.close();
  });

  it('by TLS it is WSS; with SHA-256 where it is offered', async () => {
    const dir = folder();
    const made = await CipherContext.createSelfSignedCertificateWithKey(
      { hash: HashAlgorithm.sha256_4, signature: SignatureAlgorithm.ecdsa_3 },
      NamedCurveAlgorithm.secp256r1_23,
    );
    const tls = { cert: join(dir, 'own.crt'), key: join(dir, 'own.key') };
    writeFileSync(tls.cert, made.certPem);
    writeFileSync(tls.key, made.keyPem);
    const ports = await freePorts(50_260);
    const secure = await Product.start(
      { http: { tls }, sip: { udp: ports.sip, tcp: ports.sip, digest: ['SHA-256', 'MD5'] }, connections },
      ports,
    );
    try {
      const phone = new Phone(`wss://127.0.0.1:${ports.http}/`, { rejectUnauthorized: false });
      await phone.open();
      assert.equal((await phone.register('a password of line1')).status, 200);
      phone.socket.close();
    } finally {
      assert.equal(await secure.stop(), 0);
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
