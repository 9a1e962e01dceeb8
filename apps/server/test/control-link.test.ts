import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { MediaEngine } from '@sidetone/media';
import type { MediaCommand, MediaEvent, MediaReply } from '@sidetone/wire';
import { createMediaClient, type MediaClient } from '../src/media/control-client.ts';
import { type ControlServer, listenControl } from '../src/media/control-server.ts';
import { Phone } from './drive/phone.ts';
import { freePorts, Product, until } from './drive/running.ts';

/** Takes the place of the owner: the newest wins, and the connection of the one before is broken. */
async function intrude(path: string): Promise<Socket> {
  const socket = connect(path);
  socket.on('error', () => {});
  socket.write(`${JSON.stringify({ hello: 'an intruder', seen: 0 })}\n`);
  await once(socket, 'data');
  return socket;
}

describe('a control connection that breaks is no death of media', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidetone-link-'));
  const path = join(folder, 'control.sock');
  let server: ControlServer;
  let client: MediaClient;
  /** What the engine was told to do, and its answers that are held back. */
  let ran: string[] = [];
  const commands: MediaCommand[] = [];
  let held: (() => void)[] | undefined;
  let events: MediaEvent[] = [];
  let states: string[] = [];

  const engine: MediaEngine = {
    command: (command) => {
      commands.push(command);
      ran.push('leg' in command ? `${command.op} ${command.leg}` : command.op);
      const reply: MediaReply = { ok: true };
      return new Promise((resolve) => {
        if (held === undefined) resolve(reply);
        else held.push(() => resolve(reply));
      });
    },
    closeAll: () => ran.push('close all'),
  };
  const close = (leg: string): MediaCommand => ({ op: 'close', leg });
  const serve = async (): Promise<void> => {
    server = await listenControl(path, engine, () => {}, 60_000);
  };

  before(serve);
  beforeEach(async () => {
    [ran, held, events, states] = [[], undefined, [], []];
    client?.close();
    client = createMediaClient({
      socketPath: path,
      onEvent: (event) => events.push(event),
      onState: (state) => states.push(state),
      patienceMs: 60_000,
    });
    await until('the engine', () => states.length > 0);
  });
  after(() => {
    client.close();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('what was asked is answered once and done once; what happened meanwhile is told', async () => {
    held = [];
    const early = client.command(close('a'));
    await until('the command', () => ran.length === 1);
    const intruder = await intrude(path);
    const meanwhile = client.command(close('b'));
    server.event({ event: 'one-way', leg: 'c', ms: 5 });
    for (const answer of held.splice(0)) answer();
    held = undefined;
    assert.deepEqual(await Promise.all([early, meanwhile]), [{ ok: true }, { ok: true }]);
    await until('the event', () => events.some((e) => e.event === 'one-way'));
    assert.deepEqual(ran, ['close a', 'close b']);
    assert.deepEqual(states, ['up']);
    assert.deepEqual(events, [
      { event: 'engine', state: 'up' },
      { event: 'one-way', leg: 'c', ms: 5 },
    ]);
    intruder.destroy();
  });

  it('however often it breaks, nothing is lost, doubled or out of order', async () => {
    const asked: Promise<MediaReply>[] = [];
    for (let i = 0; i < 200; i++) {
      asked.push(client.command(close(`leg ${i}`)));
      server.event({ event: 'one-way', leg: String(i), ms: i });
      if (i % 40 === 0) (await intrude(path)).destroy();
    }
    assert.equal((await Promise.all(asked)).filter((reply) => reply.ok).length, 200);
    await until('the last event', () => events.length === 201);
    assert.deepEqual(
      ran,
      asked.map((_, i) => `close leg ${i}`),
    );
    assert.deepEqual(
      events.slice(1).map((e) => 'leg' in e && e.leg),
      asked.map((_, i) => String(i)),
    );
    assert.deepEqual(states, ['up']);
  });

  it('a play keeps its id, which is not that of the command', async () => {
    const play: MediaCommand = { op: 'play', leg: 'a', id: '7', file: 'f', loop: null };
    const stop: MediaCommand = { op: 'stop', leg: 'a', id: '7' };
    const inRoom: MediaCommand = { op: 'roomPlay', room: 'r', id: '8', file: 'f', loop: 1 };
    const asked = [play, stop, inRoom, close('a')];
    const replies = asked.map((command) => client.command(command));
    assert.deepEqual(await Promise.all(replies), new Array(4).fill({ ok: true }));
    assert.deepEqual(commands.slice(-4), asked);
  });

  it('a report keeps the number that it has in its leg or room, also when it is told after a break', async () => {
    const digit = (leg: string, n: number): MediaEvent => ({
      event: 'dtmf',
      leg,
      n,
      digit: '5',
      durationMs: 100,
    });
    for (let n = 1; n <= 5; n++) server.event({ event: 'one-way', leg: 'x', ms: n });
    server.event(digit('a', 1));
    await until('the first digit', () => events.length === 7);
    const intruder = await intrude(path);
    server.event(digit('a', 2));
    server.event(digit('b', 1));
    const played: MediaEvent = {
      event: 'roomPlayed',
      room: 'r',
      n: 4,
      id: '8',
      status: 'completed',
      atMs: 900,
    };
    const floor: MediaEvent = { event: 'floor', room: 'r', n: 5, leg: null };
    server.event(played);
    server.event(floor);
    await until('the digits', () => events.length === 11);
    intruder.destroy();
    assert.deepEqual(events.slice(6), [digit('a', 1), digit('a', 2), digit('b', 1), played, floor]);
  });

  it('another engine under the same path is a death of the first, at once', async () => {
    held = [];
    const asked = client.command(close('a'));
    await until('the command', () => ran.length === 1);
    server.close();
    await serve();
    held = undefined;
    assert.deepEqual(await asked, { ok: false, error: 'engine', message: 'the media process is away' });
    await until('the new engine', () => states.length === 3);
    assert.deepEqual(states, ['up', 'down', 'up']);
    assert.deepEqual(await client.command(close('b')), { ok: true });
  });

  it('an engine that nobody can reach any more is dead, at once', async () => {
    server.close();
    await until('the loss', () => states.at(-1) === 'down');
    assert.equal((await client.command(close('a'))).ok, false);
    await serve();
    await until('the next engine', () => states.at(-1) === 'up');
  });

  it('an engine out of reach for longer than the patience is lost; met again, it is a new one', async () => {
    client.close();
    states = [];
    client = createMediaClient({
      socketPath: path,
      onEvent: () => {},
      onState: (state) => states.push(state),
      patienceMs: 1,
    });
    await until('the engine', () => states.length > 0);
    const silent = await intrude(path);
    await until('up again', () => states.length === 3);
    assert.deepEqual(states, ['up', 'down', 'up']);
    silent.destroy();
  });
});

describe('a call whose signalling loses its control connection to media', { timeout: 300_000 }, () => {
  let product: Product;
  let phone: Phone;

  before(async () => {
    const ports = await freePorts(51_720);
    phone = await Phone.open(ports.sip);
    product = await Product.start(
      { connections: [{ user_name: 'line1', password: 'line1 password' }] },
      ports,
    );
  });
  after(async () => {
    await phone?.close();
    await product?.stop();
  });

  it('goes on, and ends when its parties end it', async () => {
    const leg = phone.invite('9196', product.ports.sip, {
      credentials: { userName: 'line1', password: 'line1 password' },
    });
    await phone.gets('accepted');
    const intruder = await intrude(join(product.dataDir, 'media.sock'));
    await once(intruder, 'close');
    assert.ok(!phone.events.some((event) => event.type === 'bye'), 'the call was ended');
    phone.do(phone.agent.bye(leg, [], phone.now()));
    await until(
      'the record',
      () => /"cause":"NORMAL_CLEARING"[^\n]*leg ended/.test(product.stderr),
      () => product.stderr,
    );
    assert.doesNotMatch(product.stderr, /"state":"down"/);
  });
});
