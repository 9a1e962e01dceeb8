import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { MediaEngine } from '@sidetone/media';
import type { MediaEvent } from '@sidetone/wire';
import { createMediaClient, type MediaClient } from '../src/media/control-client.ts';
import { listenControl } from '../src/media/control-server.ts';
import { jsonLines, MAX_LINE } from '../src/media/json-lines.ts';
import { freeRange } from './drive/ports.ts';

const ENTRY = fileURLToPath(new URL('../src/media/media-process.ts', import.meta.url));
/** Below those that systems hand out by themselves: each one counts here. */
const PORTS = await freeRange(8);

interface Owner {
  readonly client: MediaClient;
  readonly events: MediaEvent[];
  readonly states: string[];
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const limit = Date.now() + 15_000;
  while (!holds()) {
    assert.ok(Date.now() < limit, `gave up waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('the media process', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidetone-media-test-'));
  const path = join(folder, 'media.sock');
  const clients: MediaClient[] = [];
  let child: ChildProcess;
  let stdout = '';

  const own = async (): Promise<Owner> => {
    const owner: Omit<Owner, 'client'> = { events: [], states: [] };
    const client = createMediaClient({
      socketPath: path,
      onEvent: (event) => owner.events.push(event),
      onState: (state) => owner.states.push(state),
    });
    clients.push(client);
    await until('the control connection', () => owner.states.includes('up'));
    return { ...owner, client };
  };

  before(() => {
    child = fork(
      ENTRY,
      [
        JSON.stringify({
          controlSocket: path,
          addresses: ['127.0.0.1'],
          ports: PORTS,
          logLevel: 'fatal',
        }),
      ],
      { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
    );
    child.stdout?.on('data', (chunk) => {
      stdout += chunk;
    });
  });

  after(() => {
    for (const client of clients) client.close();
    if (child.exitCode === null) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  const peer = async (): Promise<{ socket: Socket; port: number; sdp: string; heard: Buffer[] }> => {
    const socket = createSocket('udp4').unref();
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const heard: Buffer[] = [];
    socket.on('message', (packet) => heard.push(packet));
    const { port } = socket.address();
    const sdp = `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n`;
    return { socket, port, sdp, heard };
  };

  const rtp = (sequence: number): Buffer => {
    const packet = Buffer.alloc(172, 0x42);
    packet[0] = 0x80;
    packet[1] = 0;
    packet.writeUInt16BE(sequence, 2);
    packet.writeUInt32BE(sequence * 160, 4);
    packet.writeUInt32BE(77, 8);
    return packet;
  };

  it('carries a call over real sockets', async () => {
    const { client, events } = await own();
    await client.command({ op: 'health' });
    assert.deepEqual(events[0], { event: 'engine', state: 'up' });
    const one = await peer();
    const reply = await client.command({
      op: 'answer',
      leg: 'a',
      kind: 'rtp',
      sdp: one.sdp,
      codecs: ['PCMU'],
    });
    assert.ok(reply.ok, JSON.stringify(reply));
    const port = Number(/m=audio (\d+)/.exec(reply.sdp ?? '')?.[1]);
    assert.ok(port >= PORTS[0] && port <= PORTS[1] && port % 2 === 0);
    await client.command({ op: 'source', leg: 'a', source: { kind: 'echo' } });
    for (let i = 0; i < 20; i++) one.socket.send(rtp(i), port, '127.0.0.1');
    await until('twenty packets back', () => one.heard.filter((p) => p[12] === 0x42).length === 20);
    await until('the media event', () => events.some((e) => e.event === 'media'));
    const closed = await client.command({ op: 'close', leg: 'a' });
    assert.ok(closed.ok && closed.stats?.packetsReceived === 20);
    one.socket.close();
    client.close();
    clients.pop();
  });

  it('answers commands in flight by id, keeps legs for the next owner, and passes over a port in use', async () => {
    const taken = createSocket('udp4').unref();
    await new Promise<void>((resolve) => taken.bind(PORTS[0] + 3, '127.0.0.1', resolve));
    const first = await own();
    const one = await peer();
    const replies = await Promise.all(
      ['a', 'b', 'c', 'd'].map((leg) =>
        first.client.command({ op: 'answer', leg, kind: 'rtp', sdp: one.sdp, codecs: ['PCMU'] }),
      ),
    );
    assert.deepEqual(replies.map((reply) => (reply.ok ? 'ok' : reply.error)).toSorted(), [
      'no-port',
      'ok',
      'ok',
      'ok',
    ]);
    first.client.close();
    const second = await own();
    const health = await second.client.command({ op: 'health' });
    assert.ok(health.ok && health.health?.legs === 3);
    assert.deepEqual(second.events, [{ event: 'engine', state: 'up' }]);
    for (const leg of ['a', 'b', 'c', 'd']) await second.client.command({ op: 'close', leg });
    second.client.close();
    one.socket.close();
    taken.close();
  });

  it('drops a connection that speaks no JSON or too much, and lives on', async () => {
    for (const bad of ['nonsense\n', '[1]\n', `${'x'.repeat(MAX_LINE + 2)}`]) {
      const socket = connect(path);
      await new Promise<void>((resolve) => {
        socket.on('close', () => resolve());
        socket.on('error', () => {});
        socket.on('data', () => {});
        socket.write(bad);
      });
    }
    const owner = await own();
    const reply = await owner.client.command({ op: 'nothing', leg: 'x' } as never);
    assert.equal(!reply.ok && reply.error, 'no-leg');
    const odd = await owner.client.command({ op: 'answer', leg: 'x' } as never);
    assert.equal(odd.ok, false);
    owner.client.close();
  });

  it('is private to its user, prints nothing, and ends with 0 on SIGTERM, once its owner has had time to end its calls', async () => {
    assert.equal(statSync(path).mode & 0o077, 0);
    const { client, events, states } = await own();
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    for (let i = 0; i < 3; i++) assert.equal((await client.command({ op: 'close', leg: 'x' })).ok, true);
    assert.equal(await ended, 0);
    await until('the loss of the connection', () => states.at(-1) === 'down');
    assert.deepEqual(events.at(-1), { event: 'engine', state: 'down' });
    const reply = await client.command({ op: 'health' });
    assert.equal(!reply.ok && reply.error, 'engine');
    assert.equal(existsSync(path), false);
    assert.equal(stdout, '');
  });
});

describe('the legs of an owner that died', () => {
  it('are closed when the next owner does not ask for them in time; those it commands stay', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sidetone-'));
    const control = join(folder, 'control.sock');
    const closed: string[] = [];
    const engine: MediaEngine = {
      command: async (command) => {
        if (command.op === 'close') closed.push(command.leg);
        return { ok: true };
      },
      closeAll: () => assert.fail('an owner is there'),
    };
    const server = await listenControl(control, engine, () => {}, 100);
    const owner = async (): Promise<MediaClient> => {
      let up = false;
      const client = createMediaClient({
        socketPath: control,
        onEvent: () => {},
        onState: (state) => (up = state === 'up'),
      });
      await until('the connection', () => up);
      return client;
    };
    try {
      const first = await owner();
      for (const leg of ['a', 'b', 'c']) await first.command({ op: 'offer', leg, kind: 'rtp', codecs: [] });
      await first.command({ op: 'close', leg: 'c' });
      assert.deepEqual(closed.splice(0), ['c']);
      first.close();
      const second = await owner();
      await second.command({ op: 'stats', leg: 'a' });
      await until('the forgotten leg to be closed', () => closed.length > 0);
      assert.deepEqual(closed, ['b']);
      second.close();
    } finally {
      server.close();
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the legs that a new owner claims', () => {
  it('stay, also beyond the time of orphans; what it does not name is closed with the claim', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sidetone-'));
    const control = join(folder, 'control.sock');
    const commands: string[] = [];
    const engine: MediaEngine = {
      command: async (command) => {
        commands.push(command.op === 'claim' ? `claim ${command.legs}` : command.op);
        return command.op === 'claim' ? { ok: true, missing: [] } : { ok: true };
      },
      closeAll: () => commands.push('close all'),
    };
    const server = await listenControl(control, engine, () => {}, 60);
    const owner = (): MediaClient =>
      createMediaClient({ socketPath: control, onEvent: () => {}, onState: () => {} });
    try {
      const first = owner();
      // What is asked while the connection is being made is not lost.
      for (const leg of ['a', 'b'])
        assert.deepEqual(await first.command({ op: 'offer', leg, kind: 'rtp', codecs: [] }), { ok: true });
      first.close();
      const second = owner();
      assert.deepEqual(await second.command({ op: 'claim', legs: ['a'] }), { ok: true, missing: [] });
      await new Promise((resolve) => setTimeout(resolve, 150));
      assert.deepEqual(commands, ['offer', 'offer', 'claim a']);
      second.close();
      await until('what nobody owns to be closed', () => commands.includes('close all'));
    } finally {
      server.close();
      rmSync(folder, { recursive: true });
    }
  });
});

describe('control lines', () => {
  it('carry the longest description a peer can send, whatever is in it', () => {
    for (const filler of ['\u0001', '"', 'é']) {
      const seen: unknown[] = [];
      const push = jsonLines(
        (object) => seen.push(object),
        (why) => assert.fail(why),
      );
      push(`${JSON.stringify({ id: 1, op: 'answer', sdp: filler.repeat(65_536) })}\n`);
      assert.equal(seen.length, 1);
    }
  });

  it('come together from any chunks, empty lines ignored', () => {
    const seen: unknown[] = [];
    const push = jsonLines(
      (object) => seen.push(object),
      () => assert.fail(),
    );
    for (const chunk of ['{"a"', ':1}\n\n{"b":2}', '\n{"c":', '3}\n']) push(chunk);
    assert.deepEqual(seen, [{ a: 1 }, { b: 2 }, { c: 3 }]);
  });
});
