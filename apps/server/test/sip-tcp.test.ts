import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createResponse, type Flow, type SipRequest, writeMessage } from '@sidetone/sip';
import { listenSipTcp, type SipTcp } from '../src/net/sip-tcp.ts';
import { until } from './drive/running.ts';

type TcpFlow = Extract<Flow, { transport: 'tcp' }>;

const request = (callId: string): string =>
  `OPTIONS sip:b@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK${callId}\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n` +
  `Call-ID: ${callId}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n`;
const refusal = ({ message }: Asked): Uint8Array => writeMessage(createResponse(message, 503));
const callIds = (answers: string): string[] =>
  [...answers.matchAll(/^Call-ID: (.*)\r$/gm)].map(([, id]) => id!);
const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

interface Asked {
  readonly message: SipRequest;
  readonly flow: TcpFlow;
}

describe('SIP over TCP', { timeout: 30_000 }, () => {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  async function listening(): Promise<{ tcp: SipTcp; port: number; asked: Asked[]; failed: Flow[] }> {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as { port: number };
    probe.close();
    await once(probe, 'close');
    const asked: Asked[] = [];
    const failed: Flow[] = [];
    const tcp = await listenSipTcp({
      host: '127.0.0.1',
      udp: port,
      tcp: port,
      received: (message, flow) => asked.push({ message: message as SipRequest, flow: flow as TcpFlow }),
      unparseable: ({ status }, flow) => tcp.send(Buffer.from(`error ${status}\n`), flow as TcpFlow),
      behind: (then) => then(),
      failed: (flow) => failed.push(flow),
    });
    closing.push(() => tcp.close());
    return { tcp, port, asked, failed };
  }

  async function peer(port: number): Promise<Socket> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => {});
    closing.push(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  }

  it('answers of one turn arrive in their order, also when they are more than may be queued', async () => {
    const { tcp, port, asked, failed } = await listening();
    const socket = await peer(port);
    const ids = numbers(2000);
    socket.end(ids.map(request).join(''));
    await until('the requests', () => asked.length === ids.length);
    const answers = asked.map(refusal);
    assert.ok(answers.reduce((sum, bytes) => sum + bytes.length, 0) > 256 * 1024);
    for (const [i, bytes] of answers.entries()) tcp.send(bytes, asked[i]!.flow);
    assert.deepEqual(callIds(await text(socket)), ids);
    assert.deepEqual(failed, []);
  });

  it('an answer to what ends the stream arrives before its end', async () => {
    const { port } = await listening();
    const socket = await peer(port);
    socket.write(request('1').replace('Content-Length: 0\r\n', ''));
    assert.equal(await text(socket), 'error 400\n');
  });

  it('a ping behind what is answered at once is answered, too', async () => {
    const { port } = await listening();
    const socket = await peer(port);
    socket.write(`${request('1').replace('1 OPTIONS', '1 INVITE')}\r\n\r\n`);
    let heard = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      heard += chunk;
    });
    await until('both answers', () => heard.length >= 12);
    assert.equal(heard, 'error 400\n\r\n');
  });

  it('what was said in the turn of the close arrives', async () => {
    const { tcp, port, asked } = await listening();
    const socket = await peer(port);
    socket.write(request('1'));
    await until('the requests', () => asked.length === 1);
    tcp.send(refusal(asked[0]!), asked[0]!.flow);
    tcp.close();
    assert.deepEqual(callIds(await text(socket)), ['1']);
  });

  it('what is sent before a connection is open leaves when it is', async () => {
    const { tcp } = await listening();
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    closing.push(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const flow = { transport: 'tcp', host: '127.0.0.1', port } as const;
    for (const id of ['1', '2', '3']) tcp.send(Buffer.from(request(id)), flow);
    const [socket] = (await once(server, 'connection')) as [Socket];
    let heard = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      heard += chunk;
    });
    await until('the requests', () => callIds(heard).length === 3);
    assert.deepEqual(callIds(heard), ['1', '2', '3']);
  });

  it('who does not read is let go, and costs little until then', async () => {
    const { tcp, port, asked, failed } = await listening();
    const socket = await peer(port);
    socket.pause();
    socket.write(request('1'));
    await until('the requests', () => asked.length === 1);
    const { flow } = asked[0]!;
    const kibibyte = Buffer.alloc(1024, 'x');
    let sent = 0;
    // The kernel takes some megabytes by itself.
    for (; failed.length === 0 && sent < 64 * 1024; sent += 64) {
      for (let i = 0; i < 64; i++) tcp.send(kibibyte, flow);
      await nextTurn();
    }
    assert.deepEqual(failed[0], flow);
    socket.on('end', () => socket.end()).resume();
    await once(socket, 'close');
    assert.ok(socket.bytesRead <= sent * 1024);
  });
});
