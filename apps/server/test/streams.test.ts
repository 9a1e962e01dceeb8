import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { StreamDoor } from '@sidetone/media';
import { createStreamFramer, writeStreamLength, writeStun } from '@sidetone/rtc';
import { createMediaClient } from '../src/media/control-client.ts';
import { listenStreams, STREAM_LIMITS, type Streams } from '../src/media/streams.ts';
import { freeRange } from './drive/ports.ts';

const HOST = '127.0.0.1';
const MEDIA = await freeRange(8);
const ENTRY = fileURLToPath(new URL('../src/media/media-process.ts', import.meta.url));
let port = 44_000 + (process.pid % 400);

const framed = (packet: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(2 + packet.length);
  writeStreamLength(bytes, packet.length);
  bytes.set(packet, 2);
  return bytes;
};

const check = (ufrag: string): Uint8Array =>
  framed(
    writeStun(
      {
        class: 'request',
        method: 1,
        transactionId: new Uint8Array(12),
        attributes: [[0x0006, new TextEncoder().encode(`${ufrag}:peer`)]],
      },
      new TextEncoder().encode('password'),
    ),
  );

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (holds()) return;
    await rest(10);
  }
  assert.fail(`waited in vain for ${what}`);
}

describe('the TCP port of media', () => {
  let streams: Streams;
  const peers: Socket[] = [];

  const limits = (more: Partial<typeof STREAM_LIMITS> = {}) => ({ ...STREAM_LIMITS, ...more });

  /** `perLeg` and the like can be set for one test. */
  async function restart(more: Partial<typeof STREAM_LIMITS>): Promise<void> {
    streams?.close();
    for (;;) {
      try {
        streams = await listenStreams([HOST], ++port, limits(more));
        return;
      } catch {
        // Held by another program.
      }
    }
  }

  async function peer(): Promise<Socket & { ended?: boolean; received: Buffer }> {
    const socket = Object.assign(connect(streams.port, HOST), { received: Buffer.alloc(0) });
    peers.push(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      socket.received = Buffer.concat([socket.received, chunk]);
    });
    await once(socket, 'connect');
    return socket;
  }

  const isGone = (socket: Socket): Promise<void> =>
    until('the end of the connection', () => socket.destroyed);

  /** A leg that answers what begins with a check for it. */
  function leg(ufrag: string, answers = true): { door: StreamDoor; heard: Uint8Array[]; from: number[] } {
    const heard: Uint8Array[] = [];
    const from: number[] = [];
    const door: StreamDoor = streams.open((packet, address, peerPort) => {
      heard.push(Uint8Array.from(packet));
      from.push(peerPort);
      if (answers) door.send(Uint8Array.of(1, 1, heard.length), address, peerPort);
    });
    door.admit(ufrag);
    return { door, heard, from };
  }

  beforeEach(() => restart({}));
  afterEach(() => {
    for (const socket of peers.splice(0)) socket.destroy();
  });
  after(() => streams.close());

  it('hands a connection to the leg that its first check names, and takes everything from it afterwards', async () => {
    const a = leg('aaaa');
    const b = leg('bbbb');
    const socket = await peer();
    const bytes = check('bbbb');
    socket.write(bytes.subarray(0, 7));
    await rest(20);
    socket.write(bytes.subarray(7));
    await until('the answer', () => socket.received.length > 0);
    assert.deepEqual([...socket.received], [0, 3, 1, 1, 1]);
    assert.deepEqual(streams.size, { connections: 1, strangers: 0 });
    socket.write(framed(Uint8Array.of(0x80, 9, 9)));
    await until('a packet that is no check', () => b.heard.length === 2);
    assert.equal(a.heard.length, 0);
    b.door.close();
    await isGone(socket);
    await until('nothing to be left', () => streams.size.connections === 0);
  });

  it('reused-media-port-hears-the-call-before: a connection that proved nothing gets nothing, whoever had its address before', async () => {
    const { door, heard, from } = leg('aaaa', false);
    const socket = await peer();
    socket.write(check('aaaa'));
    await until('the check', () => heard.length === 1);
    door.send(Uint8Array.of(0x80, 0, 1), HOST, from[0]!);
    assert.deepEqual(streams.size, { connections: 1, strangers: 1 });
    await rest(50);
    assert.equal(socket.received.length, 0);
  });

  it('knows a leg by its newest two names', async () => {
    const { door } = leg('one');
    door.admit('two');
    door.admit('three');
    for (const [name, known] of [
      ['one', false],
      ['two', true],
      ['three', true],
    ] as const) {
      const socket = await peer();
      socket.write(check(name));
      if (known) await until('an answer', () => socket.received.length > 0);
      else await isGone(socket);
    }
  });

  it('ends garbage, checks for nobody, and packets that are too long at once; half a packet in time', async () => {
    await restart({ strangerMs: 300 });
    leg('aaaa');
    const tooLong = Uint8Array.of(0xff, 0xff, 0, 0);
    const http = new TextEncoder().encode('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const rtp = framed(new Uint8Array(100).fill(0x80));
    for (const bytes of [tooLong, http, rtp, check('zzzz'), check('toString'), check('__proto__')]) {
      const socket = await peer();
      socket.write(bytes);
      await isGone(socket);
      assert.equal(socket.received.length, 0);
    }
    const half = await peer();
    half.write(check('aaaa').subarray(0, 30));
    await isGone(half);
    await until('nothing to be left', () => streams.size.connections === 0);
  });

  it('lets a peer whose description is under way wait, but not for ever and not with many bytes', async () => {
    await restart({ strangerBytes: 1_000 });
    const { heard } = leg('aaaa', false);
    const socket = await peer();
    for (let i = 0; i < 3; i++) socket.write(check('aaaa'));
    await until('the checks', () => heard.length === 3);
    assert.deepEqual(streams.size, { connections: 1, strangers: 1 });
    for (let i = 0; i < 20; i++) socket.write(check('aaaa'));
    await isGone(socket);
    assert.ok(heard.length <= 12, `${heard.length}`);
  });

  it('holds a bounded number of strangers, and lets the honest in among them', async () => {
    await restart({ strangers: 40, strangersPerAddress: 1_000 });
    leg('aaaa');
    const idle: Socket[] = [];
    let refused = 0;
    for (let i = 0; i < 1_000; i++) {
      const socket = connect(streams.port, HOST);
      peers.push(socket);
      idle.push(socket);
      socket.on('error', () => {});
      socket.on('close', () => refused++);
      if (i % 50 === 49) await once(socket, 'connect');
    }
    await until('most of them to be ended', () => refused >= 960);
    assert.ok(streams.size.strangers <= 40);
    const honest = await peer();
    honest.write(check('aaaa'));
    await until('the answer to the honest', () => honest.received.length > 0);
    assert.equal(streams.size.connections, streams.size.strangers + 1);
  });

  it('limits what one address and one leg hold', async () => {
    await restart({ perAddress: 5, perLeg: 3 });
    leg('aaaa');
    leg('bbbb');
    const proven = async (ufrag: string) => {
      const socket = await peer();
      socket.write(check(ufrag));
      await until('an answer or the end', () => socket.received.length > 0 || socket.destroyed);
      return socket.received.length > 0;
    };
    assert.deepEqual(
      [await proven('aaaa'), await proven('aaaa'), await proven('aaaa'), await proven('aaaa')],
      [true, true, true, false],
    );
    assert.deepEqual([await proven('bbbb'), await proven('bbbb'), await proven('bbbb')], [true, true, false]);
    assert.equal(streams.size.connections, 5);
  });

  it('outlives its leg for a while at most, whatever its peer does', async () => {
    await restart({ idleMs: 500 });
    const { door, from } = leg('aaaa');
    const socket = await peer();
    socket.write(check('aaaa'));
    await until('the answer', () => socket.received.length > 0);
    socket.pause();
    const audio = new Uint8Array(2_000).fill(0x80);
    for (let i = 0; i < 10_000; i++) door.send(audio, HOST, from[0]!);
    const talking = setInterval(() => socket.write(check('aaaa')), 20);
    try {
      door.close();
      await until('its end', () => streams.size.connections === 0);
    } finally {
      clearInterval(talking);
    }
  });

  it('drops audio for a peer that does not read, and nothing piles up', async () => {
    const { door, from } = leg('aaaa');
    const socket = await peer();
    socket.write(check('aaaa'));
    await until('the answer', () => socket.received.length > 0);
    socket.pause();
    const audio = new Uint8Array(172).fill(0x80);
    const before = process.memoryUsage().arrayBuffers;
    // Half an hour of audio: the kernel takes some of it, we keep next to nothing.
    for (let i = 0; i < 400; i++) {
      for (let k = 0; k < 250; k++) door.send(audio, HOST, from[0]!);
      await rest(0);
    }
    assert.ok(process.memoryUsage().arrayBuffers - before < 8 * 1024 * 1024);
    socket.resume();
    let packets = 0;
    const framer = createStreamFramer();
    let seen = 0;
    await until('what was sent to arrive', () => {
      const fresh = socket.received.subarray(seen);
      seen = socket.received.length;
      assert.ok(framer.push(fresh, () => packets++));
      return packets > 1 && fresh.length === 0;
    });
    assert.ok(packets < 100_000, `${packets}`);
    assert.equal(framer.pending, 0, 'no packet was cut');
  });
});

describe('the media process with a TCP port', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidetone-streams-'));
  const socketPath = join(folder, 'media.sock');
  after(() => rmSync(folder, { recursive: true, force: true }));

  const start = (tcpPort: number) => {
    const more = { addresses: [HOST], ports: MEDIA, logLevel: 'fatal' };
    const args = [JSON.stringify({ controlSocket: socketPath, tcpPort, ...more })];
    return fork(ENTRY, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  };

  it('offers it, lets a stranger say nothing, and names it when it is taken', async () => {
    const taken = await listenStreams([HOST], ++port);
    const refused = start(port);
    const [message] = (await once(refused, 'message')) as [{ type: string; sentence: string }];
    assert.equal(message.type, 'failed');
    assert.match(message.sentence, /^media\.tcp_port: 127\.0\.0\.1:\d+ is already in use/);
    await once(refused, 'exit');
    taken.close();

    const child = start(port);
    await once(child, 'message');
    let up = false;
    const client = createMediaClient({ socketPath, onEvent: () => {}, onState: () => (up = true) });
    await until('the control connection', () => up);
    const offer = await client.command({ op: 'offer', leg: 'a', kind: 'webrtc', codecs: ['OPUS'] });
    assert.ok(offer.ok);
    assert.match(
      offer.sdp!,
      new RegExp(`a=candidate:2 1 tcp \\d+ 127.0.0.1 ${port} typ host tcptype passive\r`),
    );
    const stranger = connect(port, HOST);
    stranger.on('error', () => {});
    stranger.resume();
    stranger.write('GET / HTTP/1.1\r\n\r\n');
    await once(stranger, 'close');
    client.close();
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });
});
