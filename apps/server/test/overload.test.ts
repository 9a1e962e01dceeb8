import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { Door, type Incoming } from '../src/signalling/door.ts';
import { Client } from './drive/client.ts';
import { Phone, plainSdp } from './drive/phone.ts';
import { freePorts, Product, until } from './drive/running.ts';

describe('the product under load', { timeout: 60_000 }, () => {
  let product: Product;
  let carrier: Phone;
  let client: Client;
  /** The carrier's leg of a call that lives all the time. */
  let live: string;

  before(async () => {
    const ports = await freePorts(51_200);
    carrier = await Phone.open(ports.sip);
    product = await Product.start(
      {
        connections: [{ user_name: 'line1', password: 'line1 password', numbers: ['+13125550100'] }],
        trunks: [{ name: 'carrier', host: '127.0.0.1', port: carrier.port, prefixes: ['+1900'] }],
      },
      ports,
    );
    client = await Client.loggedIn(product.ports.http, 'line1');
    live = await call();
  });

  after(async () => {
    client?.close();
    await product?.stop();
    await carrier?.close();
  });

  /** A call of the client that the carrier answers; the carrier's leg. */
  async function call(): Promise<string> {
    const callId = await client.invite('+19005550000');
    const { leg } = await carrier.gets('incoming');
    carrier.respond(leg, 200, { sdp: plainSdp(40_000, '0 101') });
    await client.says('telnyx_rtc.answer', callId);
    return leg;
  }

  async function isAlive(): Promise<void> {
    carrier.do(carrier.agent.requestInDialog(live, { method: 'OPTIONS' }, 'alive', carrier.now()));
    const { status } = await carrier.gets('inDialogResult', ({ token }) => token === 'alive');
    assert.equal(status, 200);
  }

  it('one-peer-takes-every-place: forged requests in no dialog get 481 each, and everybody calls as before', async () => {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const statuses = new Map<string, number>();
    socket.on('message', (bytes) => {
      const status = bytes.toString('latin1').slice(8, 11);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    });
    const { port } = socket.address();
    for (let sent = 0; sent < 2000; ) {
      for (const end = sent + 20; sent < end; sent++)
        socket.send(
          [
            'OPTIONS sip:x@sip.localhost SIP/2.0',
            `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bKforged${sent};rport`,
            'Max-Forwards: 70',
            'From: <sip:a@sip.localhost>;tag=1',
            'To: <sip:x@sip.localhost>;tag=2',
            `Call-ID: forged${sent}`,
            'CSeq: 1 OPTIONS',
            'Content-Length: 0',
            '',
            '',
          ].join('\r\n'),
          product.ports.sip,
          '127.0.0.1',
        );
      await until('the answers', () => (statuses.get('481') ?? 0) >= sent || undefined);
    }
    assert.deepEqual([...statuses], [['481', 2000]]);
    socket.close();
    await isAlive();
    const leg = await call();
    carrier.do(carrier.agent.bye(leg, [], carrier.now()));
  });

  it('goodput-falls-under-overload: what comes too fast gets 503 with Retry-After, a live dialog its answers', async () => {
    const socket = connect(product.ports.sip, '127.0.0.1');
    await once(socket, 'connect');
    socket.setEncoding('latin1');
    const port = socket.localPort;
    const answers = new Map<string, { status: string; saysWhen: boolean }>();
    let text = '';
    socket.on('data', (chunk: string) => {
      text += chunk;
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, end);
        text = text.slice(end + 4);
        const callId = /^Call-ID: *(\S+)/im.exec(head)?.[1] ?? '';
        const status = head.slice(8, 11);
        if (status !== '100') answers.set(callId, { status, saysWhen: /^Retry-After: *\d+/im.test(head) });
      }
    });
    const MANY = 3000;
    const invite = (i: number): string =>
      [
        'INVITE sip:+13125550199@127.0.0.1 SIP/2.0',
        `Via: SIP/2.0/TCP 127.0.0.1:${port};branch=z9hG4bKburst${i};rport`,
        'Max-Forwards: 70',
        'From: <sip:+13125559999@127.0.0.1>;tag=1',
        'To: <sip:+13125550199@127.0.0.1>',
        `Call-ID: burst${i}`,
        'CSeq: 1 INVITE',
        `Contact: <sip:c@127.0.0.1:${port};transport=tcp>`,
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n');
    socket.write(Array.from({ length: MANY }, (_, i) => invite(i)).join(''));
    await until('the first answers', () => answers.size > 0 || undefined);
    await isAlive();
    await until('all answers', () => answers.size >= MANY || undefined);
    const refused = [...answers.values()].filter(({ status }) => status === '503');
    assert.ok(refused.length > 0);
    assert.ok(refused.every(({ saysWhen }) => saysWhen));
    assert.ok([...answers.values()].every(({ status }) => status === '503' || status === '404'));
    socket.destroy();
    await isAlive();
  });
});

describe('goodput-falls-under-overload: the door', () => {
  const frame = (socket: string, text: string): Incoming => ({ kind: 'frame', socket, text });

  it('a socket that floods goes before nobody', async () => {
    const seen: string[] = [];
    const done = Promise.withResolvers<void>();
    const door = new Door({
      now: () => performance.now(),
      lag: () => 0,
      source: (incoming) => (incoming.kind === 'frame' && incoming.text === 'invite' ? 'one' : null),
      handle: (incoming) => {
        if (incoming.kind === 'frame') seen.push(`${incoming.socket} ${incoming.text}`);
        if (seen.length === 502) done.resolve();
      },
    });
    for (let i = 0; i < 500; i++) door.arrived(frame('flood', `modify ${i}`));
    door.arrived(frame('a', 'invite'));
    door.arrived(frame('b', 'bye'));
    await done.promise;
    assert.equal(seen.indexOf('b bye'), 32);
    assert.ok(seen.indexOf('a invite') <= 35);
    const own = seen.filter((text) => text.startsWith('flood'));
    assert.deepEqual(
      own,
      Array.from({ length: 500 }, (_, i) => `flood modify ${i}`),
    );
  });

  it('keeps the frames of a socket in their order, and lets those of others by', async () => {
    const seen: string[] = [];
    const done = Promise.withResolvers<void>();
    const door = new Door({
      now: () => performance.now(),
      lag: () => 0,
      source: (incoming) => (incoming.kind === 'frame' && incoming.text === 'invite' ? 'one' : null),
      handle: (incoming) => {
        if (incoming.kind === 'frame') seen.push(`${incoming.socket} ${incoming.text}`);
        if (seen.length === 5) done.resolve();
      },
    });
    for (const [socket, text] of [
      ['a', 'invite'],
      ['a', 'candidate'],
      ['a', 'bye'],
      ['b', 'bye'],
      ['c', 'modify'],
    ] as const)
      door.arrived(frame(socket, text));
    await done.promise;
    assert.deepEqual(seen, ['b bye', 'c modify', 'a invite', 'a candidate', 'a bye']);
  });
});
